# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Those checks of scripts/check that compile. All of them compare: what the base
# says already is not the series' fault, what is new is. Needs lib/common.sh,
# lib/series.sh, lib/kernel.sh, and the temporary folder $work of scripts/check, which
# calls take_series first.

: "${cache:?}" "${repo:?}" "${src:?}" "${build:?}" "${base_version:?}" "${work:=}" "${kept=}"

# messages LOG: the compilers' and tools' messages, without line numbers and the path of the tree. sparse
# up to 0.6.4 does not fold __builtin_strlen(), and says of each MODULE_LICENSE() what the compiler would
# say if it were so.
messages() {
	local lines line

	into lines search -E '(warning|error|Warning|Error):|^(WARNING|ERROR):' "$1"
	for line in "${lines[@]}"; do printf '%s\n' "${line/"$src/"}"; done |
		search -v ' error: bad constant expression$' |
		sed -E -e 's/^\.\.\///' -e 's/:[0-9]+(:[0-9]+)?:?/:/' | sort -u
}

# new_messages BEFORE AFTER WHERE: say what only AFTER has, and set bad
new_messages() {
	local new

	new=$(comm -13 "$1" "$2")
	[[ -n $new ]] || return 0
	printf '%s\n' "$new" "new $3"
	bad=1
}

# touched_sources, touched_objects: the sources that the series touches, and those that become an object of
# the kernel. kselftests are programs, which scripts/guest builds.
touched_sources() { touched_files | search '\.[ch]$'; }
touched_objects() { touched_files | search '\.c$' | search -v '^tools/'; }

# compilers: TOOL=PACKAGE, a line each, of what compiles in these checks and who looks on
compilers() {
	local options

	printf '%s\n' gcc=gcc sparse=sparse
	for options in "$repo"/tools/kernel/builds/*; do build_says tools "$options" | tr ' ' '\n'; done
	awk '!/^#/ && $3 != "-" { print $3 "gcc=" $4 }' "$repo/tools/kernel/configs"
}

# build_tools: install what the checks that build take, all at once
build_tools() {
	local tools

	into tools compilers
	kernel_tools um
	need "${tools[@]}"
}

# build_inputs: a hash of all that the result of these checks depends on, in $src, which the caller holds
build_inputs() {
	local tool tools

	into tools compilers
	{
		series_commits
		cat "$repo"/tools/kernel/{*.config,builds/*,configs,kernels,suites} "$repo"/scripts/lib/{build-checks,kernel}.sh
		for tool in "${tools[@]}"; do "${tool%%=*}" --version; done
	} | sha256sum | cut -c1-16
}

# take_series: hold $src until this shell ends; sets stock and tip, the commits of the base and of the series
take_series() {
	use_variant patched
	stock=$(git -C "$src" rev-parse base)
	tip=$(git -C "$src" rev-parse HEAD)
}

# series_commits: the base and the commit of every prefix of the series, in order
series_commits() {
	echo "$stock"
	git -C "$src" rev-list --reverse "$stock..$tip"
}

# in_kernel FILE...: whether these are more of the kernel than a driver's own files. Each version of
# those is for check_objects.
in_kernel() {
	local file

	for file; do
		case $file in
		Documentation/* | tools/testing/* | drivers/*.c) ;;
		*) return 0 ;;
		esac
	done
	return 1
}

# In the folder that KUnit builds in, so that one of the two starts from what the other has built.
check_prefixes() {
	local commits commit subject bad=0 number=0 file files touched=()

	into commits series_commits
	into files touched_files
	src_git "$src" checkout -q --detach base
	for file in "${files[@]}"; do
		[[ ! -e $src/$file ]] || touched+=("$src/$file")
	done
	for commit in "${commits[@]}"; do
		if ((number)); then
			into files git -C "$src" diff --name-only "$commit~" "$commit"
			in_kernel "${files[@]}" || continue
		fi
		src_git "$src" checkout -q --detach "$commit"
		subject=$(git -C "$src" log -1 --format=%s)
		# All that will be built again is built once for what the base says of it.
		((number)) || touch "${touched[@]}"
		if ! kernel_build arm64 >"$work/make" 2>&1; then
			grep -E 'error|Error' "$work/make" || cat "$work/make"
			echo "'$subject' does not build on what is before it"
			return 1
		fi
		messages "$work/make" >"$work/messages"
		((number)) || cp "$work/messages" "$work/known"
		new_messages "$work/known" "$work/messages" "in '$subject'"
		number=$((number + 1))
	done
	echo "$number builds"
	return $bad
}

check_kernel-doc() {
	local commit file touched bad=0

	into touched touched_sources
	((${#touched[@]})) || die 'the series touches no source'
	for commit in "$stock" "$tip"; do
		src_git "$src" checkout -q --detach "$commit"
		: >"$work/make"
		for file in "${touched[@]}"; do
			[[ -e $src/$file ]] || continue
			(cd "$src" && scripts/kernel-doc -none -Wall "$file") >>"$work/make" 2>&1 ||
				echo "$file: Error: kernel-doc failed" >>"$work/make"
		done
		messages "$work/make" >"$work/$commit.messages"
	done
	new_messages "$work/$stock.messages" "$work/$tip.messages" 'with the series'
	return $bad
}

# configure ARCH OUT OPTIONS [VARIABLE...]: allnoconfig with the options of the file OPTIONS
configure() {
	KCONFIG_ALLCONFIG=$3 kernel_make "$1" "$2" "${@:4}" allnoconfig >"$work/make" 2>&1 ||
		{ cat "$work/make"; return 1; }
}

# options_taken NAME OUT OPTIONS: whether the configuration in OUT is what the file OPTIONS asks for
options_taken() {
	local line bad=0

	[[ -s $2/.config ]] || die "$1: no configuration in $2"
	while read -r line; do
		case $line in
		'' | \#*) continue ;;
		*=n) ! grep -qx "${line%=n}=[ym]" "$2/.config" ;;
		*) grep -qx "$line" "$2/.config" ;;
		esac || { echo "$1: Kconfig does not take '$line'"; bad=1; }
	done <"$3"
	return $bad
}

check_configs() {
	local name arch cross options commit out bad=0

	while read -r name arch cross _ options; do
		[[ $name != \#* ]] || continue
		[[ $cross != - ]] || cross=
		out=$build/configs/$name
		mkdir -p "$out"
		tr ' ' '\n' <<<"$options" >"$work/allconfig"
		for commit in "$stock" "$tip"; do
			src_git "$src" checkout -q --detach "$commit"
			configure "$arch" "$out" "$work/allconfig" "CROSS_COMPILE=$cross"
			touch "$src"/kernel/irq/*.c
			kernel_make "$arch" "$out" "CROSS_COMPILE=$cross" W=1 kernel/irq/ >"$work/make" 2>&1 ||
				{ cat "$work/make"; echo "kernel/irq does not build with '$name'"; return 1; }
			messages "$work/make" >"$work/$commit.messages"
		done
		# The last one only: options may come with the series.
		options_taken "$name" "$out" "$work/allconfig" || bad=1
		new_messages "$work/$stock.messages" "$work/$tip.messages" "with '$name'"
	done <"$repo/tools/kernel/configs"
	return $bad
}

# commits_to_build FILE...: the base, and as few commits of the series as show every version of the
# files: a commit is left out when those up to the next one in the list change other files only.
commits_to_build() {
	local commits commit file previous='' changed seen=' '

	into commits series_commits
	for commit in "${commits[@]}"; do
		[[ -n $previous ]] || { echo "$commit"; previous=$commit; continue; }
		into changed git -C "$src" diff --name-only "$previous" "$commit" -- "$@" '*.h' '*Kconfig' '*Makefile' ':!tools'
		for file in "${changed[@]}"; do
			# What else changes may change every object.
			[[ $file == *.c ]] || { changed=("$@"); break; }
		done
		for file in "${changed[@]}"; do
			[[ $seen == *" $file "* ]] || continue
			echo "$previous"
			seen=' '
			break
		done
		seen+="${changed[*]} "
		previous=$commit
	done
	echo "$previous"
}

# build_objects NAME FILE...: build and check the folders of these files with tools/kernel/builds/NAME,
# which must select each of them. Sets bad.
build_objects() {
	local name=$1 files=("${@:2}") options=$repo/tools/kernel/builds/$1 out=$build/objects/$1
	local arch make commits commit previous='' file dir folders=() known=$work/$1.messages

	arch=$(build_says arch "$options")
	into make build_says make "$options"
	into commits commits_to_build "${files[@]}"
	src_git "$src" checkout -q --detach base
	for file in "${files[@]}"; do
		dir=$(dirname "$file")
		until [[ -e $src/$dir/Makefile ]]; do dir=$(dirname "$dir"); done
		[[ " ${folders[*]} " == *" $dir/ "* ]] || folders+=("$dir/")
	done
	# What the base says is complete only after a build from scratch.
	rm -rf "${folders[@]/#/$out/}"
	mkdir -p "$out"

	for commit in "${commits[@]}"; do
		src_git "$src" checkout -q --detach "$commit"
		if [[ -z $previous ]] || ! git -C "$src" diff --quiet "$previous" "$commit" -- '*Kconfig'; then
			configure "$arch" "$out" "$options" "${make[@]}"
		fi
		# sparse up to 0.6.4 does not know __typeof_unqual__, and Kbuild then leaves it out.
		if ! kernel_make "$arch" "$out" W=1 C=1 CF=-D__typeof_unqual__=__typeof__ "${make[@]}" \
			"${folders[@]}" >"$work/make" 2>&1; then
			grep -E 'error|Error' "$work/make" || cat "$work/make"
			echo "$name: does not build up to '$(git -C "$src" log -1 --format=%s)'"
			bad=1
			return 0
		fi
		if grep 'sparse is not available' "$work/make"; then
			echo "$name: sparse did not run"
			bad=1
			return 0
		fi
		for file in "${files[@]}"; do
			[[ ! -e $src/$file || -e $out/${file%.c}.o ]] ||
				{ echo "$name: does not select $file"; bad=1; }
		done
		messages "$work/make" >"$work/messages"
		[[ -n $previous ]] || cp "$work/messages" "$known"
		previous=$commit
		new_messages "$known" "$work/messages" "with '$name' up to '$(git -C "$src" log -1 --format=%s)'"
	done
	# The last one only: options may come with the series. They are those of the newest kernel.
	options_taken "$name" "$out" "$options" || [[ -n $kept ]] || bad=1
}

# build_says FIELD FILE: what the head of a file of tools/kernel/builds says, a line each
build_says() { sed -n "s/^# $1: *//p" "$2"; }

# build_is_for VERSION FILE: whether it builds that kernel, by the first one (since) and the last one (until)
# that its head names
build_is_for() {
	local since until

	since=$(build_says since "$2")
	until=$(build_says until "$2")
	printf '%s\n' "${since:-$1}" "$1" "${until:-$1}" | sort -CV
}

# check_objects [ARCH]: with all of tools/kernel/builds, or with this one of them
check_objects() {
	local options patterns pattern file touched files left=() done='' bad=0

	into touched touched_objects
	declare -A built=()
	for options in "$repo"/tools/kernel/builds/*; do
		build_is_for "$base_version" "$options" || continue
		patterns=$(build_says files "$options")
		read -ra patterns <<<"${patterns//$'\n'/ }"
		files=()
		for file in "${touched[@]}"; do
			for pattern in "${patterns[@]}"; do
				# shellcheck disable=SC2053 # a pattern
				[[ $file == $pattern ]] || continue
				files+=("$file")
				built[$file]=1
				break
			done
		done
		if ((${#files[@]})) && [[ $# == 0 || $1 == "${options##*/}" ]]; then
			build_objects "${options##*/}" "${files[@]}"
			done=1
		fi
	done
	[[ -n $done ]] || { echo "${1-tools/kernel/builds}: builds nothing that the series for Linux $base_version touches"; bad=1; }
	for file in "${touched[@]}"; do
		[[ -n ${built[$file]-} ]] || left+=("$file")
	done
	if ((${#left[@]})); then
		printf '%s: nothing in tools/kernel/builds builds it\n' "${left[@]}"
		bad=1
	fi
	return $bad
}
