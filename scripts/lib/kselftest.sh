# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kselftests of the series, for the guest. Needs lib/common.sh, lib/series.sh,
# lib/kernel.sh and lib/guest.sh.
#
#	kselftest_programs
#	guest_initramfs
#	guest_add "$kselftests" kselftest
#
# sets initramfs to one that has tools/guest as its init, and /kselftest.

: "${cache:?}" "${repo:?}" "${src:?}" "${guest_cross=}" "${guest_arch=}"

# The folders of tools/testing/selftests whose programs the guest runs
kselftest_targets='vfio pci_msi'

# kselftest_make FOLDER: build them in there. libvfio links with libuuid, all of which is in the header.
kselftest_make() {
	local out=(ARCH="$guest_arch" CROSS_COMPILE="$guest_cross" O="$1/build" -j"$(nproc)" -s)

	ar rc "$1/lib/libuuid.a" &&
		make -C "$src" "${out[@]}" headers &&
		make -C "$src/tools/testing/selftests" "${out[@]}" TARGETS="$kselftest_targets" FORCE_TARGETS=1 \
			USERCFLAGS="-I$1/lib" USERLDFLAGS="-static -s -L$1/lib"
}

# kselftest_programs: set kselftests to a folder with the programs, static, and the settings of each
# target, from the tree with the whole series: stock and every variant run the same ones
kselftest_programs() {
	local key dir target commit

	lock_src
	variant_commit patched
	# What the programs are made of, kernel headers included
	key=$({ sources_id "$commit" tools/{testing/selftests,include,arch,scripts} include/uapi usr scripts arch
		cat "$repo/tools/kselftest/uuid/uuid.h" "${BASH_SOURCE[0]}"
		"${guest_cross}gcc" --version; } | sha256sum | cut -c1-16)
	kselftests=$cache/kselftest/$guest_arch-$key
	if [[ ! -e $kselftests ]]; then
		note "building the kselftests"
		# Its lock is held already, and is let go of below.
		use_variant patched
		unlock_src
		mkdir -p "$cache/kselftest"
		dir=$(mktemp -d "$cache/kselftest/partial.XXXXXX")
		at_exit rm -rf "$dir"
		mkdir "$dir/lib"
		# Not from where it is: its path may have a space, which no compiler flag can.
		cp -r "$repo/tools/kselftest/uuid" "$dir/lib"
		supervise kselftest_make "$dir" >"$cache/kselftest/build.log" 2>&1 ||
			die "cannot build the kselftests; see $cache/kselftest/build.log"
		for target in $kselftest_targets; do
			mkdir -p "$dir/programs/$target"
			find "$dir/build/kselftest/$target" -maxdepth 1 -type f -perm -u+x \
				-exec mv -t "$dir/programs/$target" {} +
			cp "$src/tools/testing/selftests/$target/settings" "$dir/programs/$target"
		done
		mv -T "$dir/programs" "$kselftests" 2>/dev/null || [[ -e $kselftests ]] ||
			die "cannot write to $cache/kselftest"
		rm -rf "$dir"
	fi
	unlock_src
}

# kselftest_seconds STEPS: how long the settings let the programs of guest.run=STEPS take in all; 0 when
# one of them has no limit
kselftest_seconds() {
	local step steps settings limit sum=0

	IFS=, read -ra steps <<<"$1"
	for step in "${steps[@]}"; do
		step=${step%%[+@]*}
		settings=$(echo "$kselftests"/*/"${step#!}")
		[[ -e $settings ]] || die "no kselftest '${step#!}' in $kselftests"
		# What the kernel's own runner takes when there is none
		limit=$(sed -n 's/^timeout=//p' "${settings%/*}/settings")
		((${limit:-45})) || { echo 0; return; }
		sum=$((sum + ${limit:-45}))
	done
	echo "$sum"
}
