# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernel trees with more or less of the series applied, and their builds. Needs
# lib/common.sh and lib/series.sh.
#
# There is one tree ($cache/src, and $cache/src-VERSION of a kernel that is kept) and
# in it one build folder for each kernel, and a variant is checked out into it: git
# touches only the files that differ, so that going from one variant to the next
# rebuilds only what depends on them.

: "${cache:?}" "${repo:?}" "${patches:?}" "${base_version:?}"

# shellcheck source=scripts/lib/source.sh
. "$repo/scripts/lib/source.sh" || exit 2

# Whatever the user builds for
unset ARCH CROSS_COMPILE LLVM KCFLAGS KBUILD_OUTPUT

variants=("$repo"/tools/{sensitivity,alternatives}/variants)
src=$cache/src
build=$cache/build
cross_arm64=aarch64-linux-gnu-
[[ $(uname -m) != aarch64 ]] || cross_arm64=

# kept_linux VERSION: use_linux, and its tree and builds. kunit.py stays the one of the newest kernel, since
# older ones know less.
kept=
kept_linux() {
	[[ $1 != "$base_version" ]] || return 0
	use_linux "$1"
	kept=$1
	kunit_from=$src
	src=$cache/src-$1
	build=$cache/build-$1
}

# variant_patches VARIANT: absolute paths of the patches that make it up, in order. tools/sensitivity/
# variants, whose head explains the words, and tools/alternatives/variants say which.
variant_patches() {
	local name=$1 lacks=() front=() behind=() word list folder kept base=''

	# shellcheck disable=SC2016 # awk's
	into list awk -v n="$name" '$1 == n { print FILENAME; for (i = 2; i <= NF; i++) print $i }' "${variants[@]}"
	((${#list[@]})) ||
		die "no variant '$name'; known: $(awk '/^[a-z]/ { printf "%s ", $1 }' "${variants[@]}")"
	folder=${list[0]%/*}
	for word in "${list[@]:1}"; do
		case $word in
		everything | nothing) base=$word ;;
		-*) lacks+=(-e "${word#-}") ;;
		=*)
			kept=$(series_list | search -F -e "${word#=}" | in_patches)
			# A pattern that matches nothing would turn the variant into another one.
			[[ -n $kept ]] || die "variant '$name' has '${word#=}', which no patch of the series has in its name"
			behind+=("$kept")
			;;
		+*)
			word=$folder/${word#+}
			if [[ $base ]]; then behind+=("$word"); else front+=("$word"); fi
			;;
		esac
	done
	((${#front[@]} == 0)) || printf '%s\n' "${front[@]}"
	if ((${#lacks[@]})); then
		for word in "${lacks[@]}"; do
			[[ $word == -e || -n $(series_list | search -F -e "$word") ]] ||
				die "variant '$name' lacks '$word', which no patch of the series has in its name"
		done
		kept=$(series_list | search -vF "${lacks[@]}" | in_patches)
		[[ -z $kept ]] || printf '%s\n' "$kept"
	elif [[ $base != nothing ]]; then
		series_paths
	fi
	((${#behind[@]} == 0)) || printf '%s\n' "${behind[@]}"
}

# lock_src: hold $src until unlock_src; it is made when it is not there. Whoever fetches has something
# to say that the user does not know yet.
lock_src() {
	lock "${src##*/}"
	[[ -f $src/.git ]] && git -C "$src" rev-parse -q --verify 'base^{commit}' >/dev/null 2>&1 && return
	rm -rf "$src"
	source_base "$base_version"
	source_tree "$src" --detach
	source_says "$src"
}
unlock_src() { unlock "${src##*/}"; }

# base_tree: set base to a git tree of the kernel that the series is made on, as its branch 'base'. What
# is checked out there may be any variant.
base_tree() {
	[[ -f $src/.git ]] || { lock_src; unlock_src; }
	base=$src
}

# src_git DIR ARGUMENT...: git in $src or a worktree beside it, whatever the user's settings are
src_git() {
	GIT_COMMITTER_NAME=irq-free-bulk GIT_COMMITTER_EMAIL=irq-free-bulk@localhost git -C "$1" \
		-c core.autocrlf=false -c core.hooksPath=/dev/null -c commit.gpgSign=false -c am.threeWay=false \
		-c core.splitIndex=true "${@:2}"
}

# sources_id COMMIT [PATH...]: tell the sources of COMMIT, or these of them, from all others
sources_id() {
	source_exact "$src"
	git -C "$src" diff-tree -r base "$@"
}

# variant_commit VARIANT: set commit to the one in $src, which the caller holds, that has the variant
# applied; made when the patches have changed since the last time.
variant_commit() {
	local list key ref am=$src.am

	# Not straight into mapfile, which would not see it fail.
	key=$(variant_patches "$1")
	[[ -n $key ]] || { commit=$(git -C "$src" rev-parse base); return; }
	mapfile -t list <<<"$key"

	key=$({ git -C "$src" rev-parse base; cat "${list[@]}"; } | sha256sum | cut -c1-16)
	ref=refs/variants/$key
	commit=$(git -C "$src" rev-parse -q --verify "$ref") && return

	# git am gets the files that it needs by itself, and the index that is split is quicker.
	rm -rf "$am"
	git -C "$src" worktree add -q --no-checkout --force --detach "$am" base
	git -C "$am" read-tree base
	git -C "$am" update-index --split-index
	# The same patches give the same commit.
	if ! GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' src_git "$am" am -q "${list[@]}" >&2; then
		fail "variant '$1' does not apply to Linux $base_version; see the message above"
	fi
	commit=$(git -C "$am" rev-parse HEAD)
	git -C "$src" update-ref "$ref" "$commit"
	git -C "$src" worktree remove --force "$am"
}

# has_sources KERNEL: tools/KERNEL is a folder of tests that are compiled into this kernel alone
has_sources() { [[ -e $repo/tools/${1-}/.kunitconfig ]]; }

# add_sources KERNEL: let commit have that folder on top, as drivers/KERNEL
add_sources() {
	local folder=$repo/tools/$1 key ref git tree file line

	key=$({ echo "$commit"; cd "$folder" && find . -type f -print0 | sort -z | xargs -0 sha256sum; } |
		sha256sum | cut -c1-16)
	ref=refs/variants/$key
	if ! git -C "$src" rev-parse -q --verify "$ref" >/dev/null; then
		git=$(git -C "$src" rev-parse --absolute-git-dir)
		(
			export GIT_INDEX_FILE=$src.index GIT_AUTHOR_NAME=irq-free-bulk \
				GIT_AUTHOR_EMAIL=irq-free-bulk@localhost GIT_{AUTHOR,COMMITTER}_DATE='2000-01-01T00:00:00Z'
			rm -f "$GIT_INDEX_FILE"
			src_git "$folder" --git-dir="$git" --work-tree=. add -f .
			tree=$(git -C "$src" write-tree)
			git -C "$src" read-tree "$commit"
			git -C "$src" read-tree --prefix="drivers/$1/" "$tree"
			for file in Makefile Kconfig; do
				line="obj-y += $1/"
				[[ $file == Makefile ]] || line="source \"drivers/$1/Kconfig\""
				git -C "$src" cat-file blob "$commit:drivers/$file" >"$GIT_INDEX_FILE.file"
				echo "$line" >>"$GIT_INDEX_FILE.file"
				line=$(git -C "$src" hash-object -w "$GIT_INDEX_FILE.file")
				git -C "$src" update-index --cacheinfo "100644,$line,drivers/$file"
			done
			tree=$(git -C "$src" write-tree)
			src_git "$src" update-ref "$ref" "$(src_git "$src" commit-tree -p "$commit" -m "tools/$1" "$tree")"
			rm "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.file"
		)
	fi
	commit=$(git -C "$src" rev-parse "$ref")
}

# use_variant VARIANT [KERNEL]: lock $src, and check the variant out into it, which is $applied, with what
# KERNEL alone has. The caller does unlock_src when it has done what it needs it for.
use_variant() {
	local head changes

	# A wrong name is known before anything is fetched.
	series_usable
	variant_patches "$1" >/dev/null
	lock_src
	# Left by a git that was killed; whoever else would have it waits for the lock.
	rm -f "$(git -C "$src" rev-parse --path-format=absolute --git-path index.lock)"
	variant_commit "$1"
	applied=$commit
	! has_sources "${2-}" || add_sources "$2"
	head=$(git -C "$src" rev-parse HEAD)
	changes=$(git -C "$src" status --porcelain -unormal) ||
		die "git cannot tell what has changed in $src; see the message above"
	[[ $head != "$commit" || -n $changes ]] || return 0
	src_git "$src" checkout -q -f --detach "$commit"
	# What a checkout that was interrupted has written, or somebody else
	src_git "$src" clean -q -f -f -d
}

# use_tree DIR: build DIR as it is, and let no other run do so
use_tree() {
	src=$(cd "$1" && pwd)
	is_kernel_tree "$src" || die "$src is no kernel tree; give the top folder of a Linux source tree"
	build=$cache/build/tree-$(printf %s "$src" | sha256sum | cut -c1-8)
	lock "${build##*/}"
}

# kunit_suites KERNEL: 'SUITE FOLDER' of those suites of tools/kernel/suites that $src has and KERNEL runs:
# its own, or those of its architecture
kunit_suites() {
	local suite folder option archs says runs=$1

	has_sources "$1" || { says=$(kernel_says "$1") || return; read -r runs _ <<<"$says"; }
	while read -r suite folder option archs; do
		[[ $suite != \#* && ,$archs, == *,$runs,* ]] || continue
		! grep -qsx "CONFIG_$option=y" "$src/$folder/.kunitconfig" || echo "$suite $folder"
	done <"$repo/tools/kernel/suites"
}

# kernel_tools ARCH: install what building and running a kernel for ARCH takes
kernel_tools() {
	local tools=(git=git gcc=gcc make=make flex=flex bison=bison bc=bc python3=python3 perl=perl
		/usr/include/gelf.h=libelf-dev /usr/include/openssl/ssl.h=libssl-dev
		/usr/include/stdio.h=libc6-dev)

	[[ -e $src/Makefile ]] || tools+=("${fetch_tools[@]}")
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
	arm64) [[ -z $cross_arm64 ]] || echo "CROSS_COMPILE=$cross_arm64" ;;
	x86_64) [[ $(uname -m) == x86_64 ]] || echo CROSS_COMPILE=x86_64-linux-gnu- ;;
	arm) echo CROSS_COMPILE=arm-linux-gnueabihf- ;;
	riscv) echo CROSS_COMPILE=riscv64-linux-gnu- ;;
	loongarch) echo LLVM=-19 ;;
	esac
	# The lines of the source, for the stacks of splats, and nothing else: 2 % of the time
	echo KCFLAGS=-g1
}

# kunit_configs KERNEL: the files that configure it, a line each
kunit_configs() {
	local says fragments fragment folder

	says=$(kernel_says "$1") || return
	read -r _ _ fragments <<<"$says"
	for fragment in $fragments; do echo "$repo/tools/kernel/$fragment"; done
	kunit_suites "$1" | while read -r _ folder; do echo "$src/$folder/.kunitconfig"; done
}

# kept_config KERNEL MAKE...: configure a kernel that is kept, as the kunit.py of the newest kernel does its
# own. Options that it does not know are left out: kunit.py would refuse them. One that several files ask
# for is named once, or Kconfig would warn.
kept_config() {
	local out=$build/$1 files

	into files kunit_configs "$1" || return
	mkdir -p "$out"
	sort -u "${files[@]}" >"$out/.kunitconfig.new" || return
	[[ ! -e $out/.config ]] || ! cmp -s "$out/.kunitconfig"{.new,} || return 0
	cp "$out/.kunitconfig.new" "$out/.config"
	"${@:2}" olddefconfig && mv "$out/.kunitconfig"{.new,}
}

# kunit_py KERNEL COMMAND [ARGUMENT...]: the tree's own kunit.py, set up for KERNEL
kunit_py() {
	local kernel=$1 command=$2 args=() list says arch from=$src

	says=$(kernel_says "$kernel") || return
	read -r arch _ <<<"$says"
	args+=("$command" --arch="$arch" --build_dir="$build/$kernel")
	[[ -z $kept ]] || from=$kunit_from
	[[ $command != exec || ! $kernel =~ ^(debug|bench)$ ]] || args+=(--timeout=1800)
	# The controller of pcie-iproc-msi has Multi-MSI for a single CPU only. 512 MiB behind what pci-hyperv
	# has there must be nothing: stock writes to it.
	[[ $command != exec || $kernel != bench ]] || args+=(--kernel_args='nr_cpus=1 mem=384M slab_debug=FZP,kmalloc-*')
	[[ $command != exec || $arch != arm64 ]] || args+=(--qemu_config="$repo/tools/kernel/qemu/arm64_its.py")
	into list make_variables "$arch" || return
	args+=("${list[@]/#/--make_options=}")
	into list kunit_configs "$kernel" || return
	args+=("${list[@]/#/--kunitconfig=}")
	shift 2
	mkdir -p "$build/$kernel"
	# kunit.py looks for the tree's files from the current folder, and leaves caches beside itself.
	(cd "$from" && PYTHONDONTWRITEBYTECODE=1 python3 tools/testing/kunit/kunit.py "${args[@]}" "$@")
}

# kernel_make ARCH OUT ARGUMENT...: make in $src for OUT
kernel_make() {
	local quiet=(-s)

	[[ -z ${kernel_loud-} ]] || quiet=()
	# At W=1 Kbuild starts kernel-doc for each source file, which takes longer than to compile it.
	# check_kernel-doc runs it on the touched files. Asked for a new option, nobody would answer where
	# this goes to a log.
	make cmd_checkdoc= -C "$src" O="$2" ARCH="$1" -j"$(nproc)" "${quiet[@]}" "${@:3}" </dev/null
}

# progress: of what make says without -s, show how far it is and what is wrong
progress() {
	awk -v self="${0##*/}" '
		/^make.*: (Entering|Leaving) directory/ { next }
		/^  [A-Z][A-Z0-9_ \[\]]+ +[^ ]/ {
			if (++n % 250 == 0) { print self ": " n " steps of the build"; fflush() }
			next
		}
		{ print; fflush() }' >&2
}

# kernel_build KERNEL: configure it and build its image in $build/KERNEL. kunit.py could build too, but
# does olddefconfig each time and makes more than the image, which takes as long as compiling a driver.
# It and what it calls look at each failure: behind 'supervise kernel_build ||' errexit is off.
kernel_build() {
	local says arch image make variables=() newer synced=$build/$1/include/config/auto.conf

	says=$(kernel_says "$1") || return
	read -r arch image _ <<<"$says"
	into variables make_variables "$arch" || return
	make=(kernel_make "$arch" "$build/$1" "${variables[@]}")

	# Left to itself, make would ask for the value of a new option.
	if [[ ! -e $synced ]]; then
		rm -f "$build/$1/.config"
	else
		newer=$(find "$src" -name .git -prune -o -name 'Kconfig*' -newer "$synced" -print -quit) || return
		[[ -z $newer ]] || "${make[@]}" olddefconfig || return
	fi
	if [[ $kept ]]; then kept_config "$1" "${make[@]}"; else kunit_py "$1" config; fi && "${make[@]}" "${image##*/}"
}

# kernel_image VARIANT KERNEL: set image to the path of an image of the variant, built when it is not
# there. Its symbols are in IMAGE.vmlinux.
kernel_image() {
	local says arch path fragments fragment key

	says=$(kernel_says "$2")
	read -r arch path fragments <<<"$says"
	kernel_tools "$arch"
	use_variant "$1" "$2"
	key=$({ sources_id HEAD; kunit_suites "$2"; gcc --version
		for fragment in $fragments; do cat "$repo/tools/kernel/$fragment"; done; } | sha256sum | cut -c1-16)
	image=$cache/images/$1-$2-$key
	if [[ ! -e $image ]]; then
		note "building the kernel '$1' ($2)"
		mkdir -p "$build/$2" "$cache/images"
		supervise kernel_build "$2" >"$build/$2/build.log" 2>&1 ||
			die "the kernel '$1' does not build; see $build/$2/build.log"
		cp "$build/$2/vmlinux" "$image.vmlinux"
		cp "$build/$2/$path" "$image.partial"
		mv "$image.partial" "$image"
	fi
	unlock_src
}

# kernel_dtb DTS [DIR]: set dtb to that device tree, compiled with what it includes of the base and of DIR
kernel_dtb() {
	local base

	need cpp=cpp dtc=device-tree-compiler
	base_tree
	dtb=$cache/images/$(basename "$1" .dts)-$({ source_exact "$base"; cat "${1%/*}"/*.dts* ${2+"$2"/*.dts}; } |
		sha256sum | cut -c1-16).dtb
	if [[ ! -e $dtb ]]; then
		use_variant stock
		mkdir -p "$cache/images"
		cpp -nostdinc -undef -x assembler-with-cpp -I "$src/include" -I "$src/arch" ${2+-I "$2"} "$1" |
			dtc -q -I dts -O dtb -o "$dtb.partial" - >&2 || die "cannot compile $1"
		mv "$dtb.partial" "$dtb"
		unlock_src
	fi
}
