# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Those checks of scripts/check that compile. All of them compare: what the base
# says already is not the series' fault, what is new is. Needs lib/common.sh,
# lib/series.sh, lib/kernel.sh, and the temporary folder $work of scripts/check.

: "${cache:?}" "${repo:?}" "${src:?}" "${work:=}" "${cross_arm64=}"

# messages LOG: the compilers' and tools' messages, without line numbers
messages() {
	grep -E '(warning|error|Warning|Error):|^(WARNING|ERROR):' "$1" |
		sed -E -e 's/^\.\.\///' -e 's/:[0-9]+(:[0-9]+)?:?/:/' -e "s,$src/,," | sort -u || [[ $? == 1 ]]
}

# new_messages BEFORE AFTER: those that only AFTER has; 1 when there are none
new_messages() { comm -13 "$1" "$2" | grep .; }

kernel_make() {
	local arch=$1 out=$2 cross=$3

	# At W=1 Kbuild starts kernel-doc for each source file, which takes longer than to compile it.
	# check_static runs it on the touched files.
	make KERNELDOC=/dev/null -C "$src" O="$out" ARCH="$arch" CROSS_COMPILE="$cross" -j"$(nproc)" -s "${@:4}"
}

# series_commits: the base and the commit of every prefix of the series, in order
series_commits() {
	local tip

	tip=$(variant_commit patched)
	git -C "$src" rev-parse base
	git -C "$src" rev-list --reverse "base..$tip"
}

check_prefixes() {
	local commits commit subject out=$cache/build/w1/arm64 known bad=0 number=0

	kernel_tools arm64
	use_variant stock
	commits=$(series_commits)
	build=$cache/build/w1
	known=$out/base-$({ git -C "$src" rev-parse base; cat "$repo/tools/kernel/arm64.config"; } |
		sha256sum | cut -c1-16).messages
	while read -r commit; do
		git -C "$src" checkout -q --detach "$commit"
		subject=$(git -C "$src" log -1 --format=%s)
		kunit_py arm64 config >"$work/make" 2>&1 || { cat "$work/make"; return 1; }
		# What the base says is complete only after a build from scratch.
		[[ -e $known ]] || kernel_make arm64 "$out" "$cross_arm64" clean
		if ! kernel_make arm64 "$out" "$cross_arm64" W=1 vmlinux >"$work/make" 2>&1; then
			grep -E 'error|Error' "$work/make"
			echo "'$subject' does not build on what is before it"
			return 1
		fi
		messages "$work/make" >"$work/messages"
		[[ -e $known ]] || cp "$work/messages" "$known"
		if new_messages "$known" "$work/messages"; then
			echo "new in '$subject'"
			bad=1
		fi
		number=$((number + 1))
	done <<<"$commits"
	echo "$number builds"
	return $bad
}

check_static() {
	local commit file touched out=$cache/build/w1/arm64 bad=0

	need sparse=sparse
	use_variant patched
	build=$cache/build/w1
	mapfile -t touched < <(touched_files | grep '\.[ch]$')
	for commit in "$(git -C "$src" rev-parse base)" "$(variant_commit patched)"; do
		git -C "$src" checkout -q --detach "$commit"
		kunit_py arm64 config >"$work/make" 2>&1 || { cat "$work/make"; return 1; }
		: >"$work/$commit.log"
		for file in "${touched[@]}"; do
			[[ -e $src/$file ]] || continue
			(cd "$src" && scripts/kernel-doc -none -Wall "$file") >>"$work/$commit.log" 2>&1 ||
				echo "$file: Error: kernel-doc failed" >>"$work/$commit.log"
			[[ $file == *.c ]] || continue
			# sparse up to 0.6.4 does not know __typeof_unqual__, and Kbuild then leaves it out.
			kernel_make arm64 "$out" "$cross_arm64" W=1 C=2 CF=-D__typeof_unqual__=__typeof__ \
				"${file%.c}.o" >>"$work/$commit.log" 2>&1 ||
				echo "$file: Error: no object" >>"$work/$commit.log"
		done
		if grep 'sparse is not available' "$work/$commit.log"; then return 1; fi
		messages "$work/$commit.log" >"$work/$commit.messages"
	done
	new_messages "$work/$(git -C "$src" rev-parse base).messages" "$work/$commit.messages" && bad=1
	return $bad
}

check_configs() {
	local name arch cross package options commit out bad=0

	while read -r name arch cross package options; do
		[[ $name != \#* ]] || continue
		kernel_tools um
		if [[ $cross == - ]]; then cross=''; else need "${cross}gcc=$package"; fi
		out=$cache/build/configs/$name
		mkdir -p "$out"
		use_variant patched
		for commit in "$(git -C "$src" rev-parse base)" "$(variant_commit patched)"; do
			git -C "$src" checkout -q --detach "$commit"
			tr ' ' '\n' <<<"$options" >"$work/allconfig"
			KCONFIG_ALLCONFIG=$work/allconfig kernel_make "$arch" "$out" "$cross" allnoconfig \
				>"$work/make" 2>&1 || { cat "$work/make"; return 1; }
			while read -r line; do
				if [[ $line == *=n ]]; then
					! grep -qx "${line%=n}=[ym]" "$out/.config"
				else
					grep -qx "$line" "$out/.config"
				fi || { echo "$name: Kconfig does not take '$line'"; return 1; }
			done <"$work/allconfig"
			touch "$src"/kernel/irq/*.c
			kernel_make "$arch" "$out" "$cross" W=1 kernel/irq/ >"$work/make" 2>&1 ||
				{ cat "$work/make"; echo "kernel/irq does not build with '$name'"; return 1; }
			messages "$work/make" >"$work/$commit.messages"
		done
		if new_messages "$work/$(git -C "$src" rev-parse base).messages" "$work/$commit.messages"; then
			echo "new with '$name'"
			bad=1
		fi
	done <"$repo/tools/kernel/configs"
	return $bad
}
