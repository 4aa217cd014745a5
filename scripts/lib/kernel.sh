# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernel trees with more or less of the series applied, and their builds. Needs
# lib/common.sh and lib/series.sh.
#
# There is one tree ($cache/src) and one build folder for each kernel, and a
# variant is checked out into it: git touches only the files that differ, so that
# going from one variant to the next rebuilds only what depends on them. In this
# tree git knows the files that patches touch, and no others: that is all it takes,
# and recording the whole kernel would add half a minute to the first build.

: "${cache:?}" "${repo:?}" "${fetch_tools:?}"

# shellcheck source=scripts/lib/source.sh
. "$repo/scripts/lib/source.sh"

# Whatever the user builds for
unset ARCH CROSS_COMPILE LLVM KCFLAGS KBUILD_OUTPUT

base_version=7.3
variants=$repo/tools/sensitivity/variants
src=$cache/src
cross_arm64=aarch64-linux-gnu-
[[ $(uname -m) != aarch64 ]] || cross_arm64=

# variant_patches VARIANT: absolute paths of the patches that make it up, in order. tools/
# sensitivity/variants says which patches of the series a variant lacks and which it has in addition.
variant_patches() {
	local name=$1 lacks=() front=() behind=() word list kept everything=''

	read -ra list < <(awk -v n="$name" '$1 == n { $1 = ""; print; exit }' "$variants") ||
		die "no variant '$name'; known: $(awk '/^[a-z]/ { printf "%s ", $1 }' "$variants")"
	for word in "${list[@]}"; do
		case $word in
		everything) everything=1 ;;
		nothing) return 0 ;;
		-*) lacks+=(-e "${word#-}") ;;
		+*)
			word=$repo/tools/sensitivity/${word#+}
			if [[ $everything ]]; then behind+=("$word"); else front+=("$word"); fi
			;;
		esac
	done
	((${#front[@]} == 0)) || printf '%s\n' "${front[@]}"
	if ((${#lacks[@]})); then
		# A pattern that matches nothing would turn the variant into another one.
		for word in "${lacks[@]}"; do
			[[ $word == -e ]] || series_list | grep -qF -e "$word" ||
				die "variant '$name' lacks '$word', which no patch of the series has in its name"
		done
		kept=$(series_paths | grep -vF "${lacks[@]}" || [[ $? == 1 ]])
		[[ -z $kept ]] || printf '%s\n' "$kept"
	else
		series_paths
	fi
	((${#behind[@]} == 0)) || printf '%s\n' "${behind[@]}"
}

# base_tree: the path of the kernel tree that the series is made on, fetched when it is not there.
# Only then does fetch have something to say that the user does not know yet.
base_tree() {
	if [[ -d $cache/linux-$base_version ]]; then
		echo "$cache/linux-$base_version"
	else
		"$repo/scripts/fetch" "$base_version"
	fi
}

# lock_src: hold $src until this shell ends; it is made when it is not there
lock_src() {
	lock src
	[[ -d $src/.git ]] || make_src
}

# make_src: a subshell, since it has traps of its own
make_src() (
	work=$src.partial
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	rm -rf "$work" "$src"
	source_base "$base_version"
	need "${fetch_tools[@]}"
	source_unpack "$work" 2048
	source_says "$source_exact"

	# Whatever the user's settings are
	git init -q "$work/$source_package"
	cd "$work/$source_package" || exit
	git config user.name irq-free-bulk
	git config user.email irq-free-bulk@localhost
	git config core.autocrlf false
	git config core.hooksPath /dev/null
	git config commit.gpgSign false
	git config am.threeWay false
	git checkout -q --detach "$(src_commit)"
	cd "$cache" || exit
	mv "$work/$source_package" "$src"
)

# src_commit: commit what is in the index as the base. The same source gives the same commit.
src_commit() {
	local commit

	unset GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL}
	commit=$(GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
		git commit-tree -m "$source_exact" "$(git write-tree)")
	git update-ref refs/heads/base "$commit"
	echo "$commit"
}

# know_touched PATCH...: let the base in $src have the files that these patches touch. Files that git
# does not know are as they came.
know_touched() {
	local files source_exact index=$src/.git/base.index

	mapfile -t files < <(touched_by "$@" | xargs -d '\n' git -C "$src" ls-files -o --)
	((${#files[@]})) || return 0
	(
		cd "$src" || exit
		source_exact=$(src_version)
		export GIT_INDEX_FILE=$index
		git read-tree base
		git update-index --add -- "${files[@]}"
		src_commit >/dev/null
		rm "$index"
	)
}

# src_version: the 'PACKAGE VERSION' that $src is
src_version() { git -C "$src" log -1 --format=%s base; }

# sources_id COMMIT [PATH...]: tell the sources of COMMIT, or these of them, from all others
sources_id() {
	src_version
	git -C "$src" diff-tree -r base "$@"
}

# variant_commit VARIANT: the commit in $src, which the caller holds, that has the variant applied;
# made when the patches have changed since the last time.
variant_commit() {
	local list key ref am=$cache/am

	# Not straight into mapfile, which would not see it fail.
	key=$(variant_patches "$1")
	[[ -n $key ]] || { git -C "$src" rev-parse base; return; }
	mapfile -t list <<<"$key"

	know_touched "${list[@]}"
	key=$({ git -C "$src" rev-parse base; cat "${list[@]}"; } | sha256sum | cut -c1-16)
	ref=refs/variants/$key
	git -C "$src" rev-parse -q --verify "$ref" && return

	rm -rf "$am"
	git -C "$src" worktree prune
	git -C "$src" worktree add -q --detach "$am" base
	# The same patches give the same commit.
	if ! GIT_COMMITTER_NAME=irq-free-bulk GIT_COMMITTER_EMAIL=irq-free-bulk@localhost \
		GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' git -C "$am" am -q "${list[@]}" >&2; then
		fail "variant '$1' does not apply to Linux $base_version; see the message above"
	fi
	git -C "$am" update-ref "$ref" HEAD
	git -C "$am" rev-parse HEAD
	git -C "$src" worktree remove --force "$am"
}

# use_variant VARIANT: check it out into $src, which stays locked until the script ends
use_variant() {
	local commit

	lock_src
	commit=$(variant_commit "$1")
	[[ $(git -C "$src" rev-parse HEAD) == "$commit" && -z $(git -C "$src" status --porcelain -uno) ]] ||
		git -C "$src" checkout -q -f --detach "$commit"
	build=$cache/build
}

# use_tree DIR: build DIR as it is
use_tree() {
	src=$(cd "$1" && pwd)
	is_kernel_tree "$src" || die "$src is no kernel tree; give the top folder of a Linux source tree"
	lock src
	build=$cache/build/tree-$(printf %s "$src" | sha256sum | cut -c1-8)
}

# kunit_suites: 'SUITE FOLDER' of those suites of tools/kernel/suites that $src has and ARCH runs
kunit_suites() {
	local suite folder option archs

	while read -r suite folder option archs; do
		[[ $suite != \#* && ,$archs, == *,$1,* ]] || continue
		! grep -qsx "CONFIG_$option=y" "$src/$folder/.kunitconfig" || echo "$suite $folder"
	done <"$repo/tools/kernel/suites"
}

# kernel_tools ARCH: install what building and running a kernel for ARCH takes
kernel_tools() {
	local tools=(git=git gcc=gcc make=make flex=flex bison=bison bc=bc python3=python3 perl=perl
		/usr/include/gelf.h=libelf-dev /usr/include/openssl/ssl.h=libssl-dev
		/usr/include/stdio.h=libc6-dev)

	[[ -d $src/.git ]] || tools+=("${fetch_tools[@]}")
	case $1 in
	arm64)
		tools+=(qemu-system-aarch64=qemu-system-arm)
		[[ -z $cross_arm64 ]] || tools+=("${cross_arm64}gcc=gcc-aarch64-linux-gnu")
		;;
	x86_64)
		tools+=(qemu-system-x86_64=qemu-system-x86)
		[[ $(uname -m) == x86_64 ]] || tools+=(x86_64-linux-gnu-gcc=gcc-x86-64-linux-gnu)
		;;
	arm) tools+=(arm-linux-gnueabihf-gcc=gcc-arm-linux-gnueabihf) ;;
	riscv) tools+=(qemu-system-riscv64=qemu-system-misc riscv64-linux-gnu-gcc=gcc-riscv64-linux-gnu) ;;
	# Debian 12 has no GCC for it, and the kernel wants Clang 18 or newer.
	loongarch) tools+=(clang-19=clang-19 ld.lld-19=lld-19 llvm-ar-19=llvm-19) ;;
	um) ;;
	*) die "no architecture '$1'; known: arm64 x86_64 arm riscv loongarch um" ;;
	esac
	need "${tools[@]}"
}

# kernel_says KERNEL: 'ARCH IMAGE FRAGMENT...' as tools/kernel/kernels has it
kernel_says() {
	awk -v n="$1" '$1 == n { $1 = ""; print; found = 1 } END { exit !found }' "$repo/tools/kernel/kernels" ||
		die "no kernel '$1'; known: $(awk '/^[a-z]/ { printf "%s ", $1 }' "$repo/tools/kernel/kernels")"
}

# make_variables ARCH: what make is told to build for ARCH, a line each
make_variables() {
	case $1 in
	arm64)
		[[ -z $cross_arm64 ]] || echo "CROSS_COMPILE=$cross_arm64"
		# GCC remembers which macro each token comes from, for its messages. Without that it takes a
		# tenth less time, which counts where patches are edited and tried, but it also warns of what
		# a macro compares with itself, and for other architectures of more than that.
		echo 'KCFLAGS=-ftrack-macro-expansion=0 -Wno-tautological-compare'
		;;
	x86_64) [[ $(uname -m) == x86_64 ]] || echo CROSS_COMPILE=x86_64-linux-gnu- ;;
	arm) echo CROSS_COMPILE=arm-linux-gnueabihf- ;;
	riscv) echo CROSS_COMPILE=riscv64-linux-gnu- ;;
	loongarch) echo LLVM=-19 ;;
	esac
}

# kunit_py KERNEL COMMAND [ARGUMENT...]: the tree's own kunit.py, set up for KERNEL
kunit_py() {
	local kernel=$1 command=$2 args=() says arch fragments fragment variable suite folder

	says=$(kernel_says "$kernel")
	read -r arch _ fragments <<<"$says"
	args+=("$command" --arch="$arch" --build_dir="$build/$kernel")
	[[ $command != exec || $arch != arm64 ]] || args+=(--qemu_config="$repo/tools/kernel/qemu/arm64_its.py")
	while read -r variable; do
		args+=(--make_options "$variable")
	done < <(make_variables "$arch")
	for fragment in $fragments; do
		args+=(--kunitconfig="$repo/tools/kernel/$fragment")
	done
	while read -r suite folder; do
		args+=(--kunitconfig="$src/$folder/.kunitconfig")
	done < <(kunit_suites "$arch")
	shift 2
	mkdir -p "$build/$kernel"
	# kunit.py looks for the tree's files from the current folder, and leaves caches beside itself.
	(cd "$src" && PYTHONDONTWRITEBYTECODE=1 python3 tools/testing/kunit/kunit.py "${args[@]}" "$@")
}

# kernel_make ARCH OUT ARGUMENT...: make in $src for OUT
kernel_make() {
	# At W=1 Kbuild starts kernel-doc for each source file, which takes longer than to compile it.
	# check_kernel-doc runs it on the touched files. Asked for a new option, nobody would answer where
	# this goes to a log.
	make cmd_checkdoc= -C "$src" O="$2" ARCH="$1" -j"$(nproc)" -s "${@:3}" </dev/null
}

# kernel_build KERNEL: configure it and build its image in $build/KERNEL. kunit.py could build too, but
# does olddefconfig each time and makes more than the image, which takes as long as compiling a driver.
kernel_build() {
	local says arch image make variables synced=$build/$1/include/config/auto.conf

	says=$(kernel_says "$1")
	read -r arch image _ <<<"$says"
	mapfile -t variables < <(make_variables "$arch")
	make=(kernel_make "$arch" "$build/$1" "${variables[@]}")

	# Left to itself, make would ask for the value of a new option.
	if [[ ! -e $synced ]]; then
		rm -f "$build/$1/.config"
	elif [[ -n $(find "$src" -name .git -prune -o -name 'Kconfig*' -newer "$synced" -print -quit) ]]; then
		"${make[@]}" olddefconfig || return
	fi
	kunit_py "$1" config && "${make[@]}" "${image##*/}"
}

# kernel_image VARIANT [KERNEL]: the path of an image of the variant, built when it is not there
kernel_image() {
	local kernel=${2-arm64} says arch image fragments fragment out key

	says=$(kernel_says "$kernel")
	read -r arch image fragments <<<"$says"
	kernel_tools "$arch"
	use_variant "$1"
	key=$({ sources_id HEAD; kunit_suites "$arch"; gcc --version
		for fragment in $fragments; do cat "$repo/tools/kernel/$fragment"; done; } | sha256sum | cut -c1-16)
	out=$cache/images/$1-$kernel-$key
	if [[ ! -e $out ]]; then
		note "building the kernel '$1'${2+ ($2)}"
		mkdir -p "$build/$kernel" "$cache/images"
		kernel_build "$kernel" >"$build/$kernel/build.log" 2>&1 ||
			die "the kernel '$1' does not build; see $build/$kernel/build.log"
		cp "$build/$kernel/$image" "$out.partial"
		mv "$out.partial" "$out"
	fi
	echo "$out"
}

# kernel_dtb NAME: the path of tools/kernel/dts/NAME.dts, compiled with what it includes of the base
kernel_dtb() {
	local out dts=$repo/tools/kernel/dts/$1.dts

	need cpp=cpp dtc=device-tree-compiler
	use_variant stock
	out=$cache/images/$1-$({ sources_id HEAD; cat "$dts"; } | sha256sum | cut -c1-16).dtb
	if [[ ! -e $out ]]; then
		mkdir -p "$cache/images"
		cpp -nostdinc -undef -x assembler-with-cpp -I "$src/include" -I "$src/arch" "$dts" |
			dtc -q -I dts -O dtb -o "$out.partial" - >&2 || die "cannot compile $dts"
		mv "$out.partial" "$out"
	fi
	echo "$out"
}
