# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kselftests of the series, for the guest. Needs lib/common.sh, lib/series.sh,
# lib/kernel.sh and lib/guest.sh.
#
#	initramfs=$(kselftest_initramfs)
#
# has tools/guest as its init, and the programs in /kselftest.

: "${cache:?}" "${repo:?}" "${src:?}" "${guest_cross=}"

# The folders of tools/testing/selftests whose programs the guest runs
kselftest_targets='vfio pci_msi'

# kselftest_programs: print the folder of the programs, static, from the tree with the whole series:
# stock and every variant run the same ones
kselftest_programs() {
	local commit key dir work target out

	lock_src
	variant_commit patched
	# What the programs are made of, kernel headers included
	key=$({ sources_id "$commit" tools/{testing/selftests,include,arch,scripts} include/uapi usr scripts \
		arch/arm64/include
		cat "$repo/tools/kselftest/uuid/uuid.h" "${BASH_SOURCE[0]}"
		"${guest_cross}gcc" --version; } | sha256sum | cut -c1-16)
	dir=$cache/kselftest/$key
	if [[ ! -e $dir ]]; then
		note "building the kselftests"
		use_variant patched
		mkdir -p "$cache/kselftest"
		work=$(mktemp -d "$cache/kselftest/partial.XXXXXX")
		mkdir "$work/lib" "$work/programs"
		out=(ARCH=arm64 CROSS_COMPILE="$guest_cross" O="$work/build" -j"$(nproc)" -s)
		# libvfio links with libuuid, all of which is in the header.
		if ! { ar rc "$work/lib/libuuid.a" &&
			make -C "$src" "${out[@]}" headers &&
			make -C "$src/tools/testing/selftests" "${out[@]}" TARGETS="$kselftest_targets" FORCE_TARGETS=1 \
				USERCFLAGS="-I$repo/tools/kselftest" USERLDFLAGS="-static -s -L$work/lib"; } \
			>"$work/log" 2>&1; then
			cp "$work/log" "$cache/kselftest/build.log"
			rm -rf "$work"
			die "cannot build the kselftests; see $cache/kselftest/build.log"
		fi
		for target in $kselftest_targets; do
			find "$work/build/kselftest/$target" -maxdepth 1 -type f -perm -u+x \
				-exec mv -t "$work/programs" {} +
		done
		mv -T "$work/programs" "$dir" 2>/dev/null || [[ -e $dir ]] || die "cannot write to $cache/kselftest"
		rm -rf "$work"
	fi
	echo "$dir"
}

# kselftest_initramfs: print the path of an initramfs with the programs, built when it is not there
kselftest_initramfs() {
	local programs initramfs image root

	programs=$(kselftest_programs)
	initramfs=$(guest_initramfs)
	image=${initramfs%/*}/${programs##*/}.cpio
	if [[ ! -e $image ]]; then
		root=$(mktemp -d "$cache/kselftest/partial.XXXXXX")
		cp -r "$programs" "$root/kselftest"
		# The kernel takes archives one after the other.
		if ! { cat "$initramfs" && (cd "$root" && find . | cpio --quiet --reproducible -R 0:0 -o -H newc); } \
			>"$image.partial"; then
			rm -rf "$root"
			die "cannot write to ${image%/*}"
		fi
		mv "$image.partial" "$image"
		rm -rf "$root"
	fi
	echo "$image"
}
