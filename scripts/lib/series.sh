# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The series as such: which patches, which files they touch, and what git and the
# repo know of each other. Needs lib/common.sh.

: "${patches:?}" "${series:?}" "${repo:?}"

# What the series is made on, unless use_linux says otherwise
base_version=7.3
newest_version=$base_version

# trees: the kernels of tools/kernel/trees, the newest first
trees() { awk '/^[0-9]/ { print $1 }' "$repo/tools/kernel/trees" | sort -rV; }

# tree_says VERSION FIELD: a field of its line in tools/kernel/trees
tree_says() {
	awk -v v="$1" -v field="$2" '$1 == v { print $field; found = 1 } END { exit !found }' "$repo/tools/kernel/trees" ||
		die "no Linux '$1'; known: $(trees | paste -sd ' ')"
}

# use_linux VERSION: from now on the kernel is this one of tools/kernel/trees, and the series is the one for it
use_linux() {
	series=$repo/$(tree_says "$1" 4)
	base_version=$1
}

# The branch that scripts/apply makes and scripts/refresh reads.
branch=irq-free-bulk

# trees_for VERSION: the kernels of tools/kernel/trees whose series may fit a kernel that says it is VERSION.
# One that is covered has its own. For another one these are those beside it, the newer first, as that misses
# nothing which the patches need.
trees_for() {
	local known version newer='' older=''

	into known trees
	for version in "${known[@]}"; do
		if [[ $1 =~ ^"$version"([^0-9].*)?$ ]]; then
			echo "$version"
			return
		elif [[ $(printf '%s\n' "$1" "$version" | sort -V | tail -n 1) == "$version" ]]; then
			newer=$version
		elif [[ -z $older ]]; then
			older=$version
		fi
	done
	[[ -z $newer ]] || echo "$newer"
	[[ -z $older ]] || echo "$older"
}

# series_list: the patch files in order, relative to patches/
series_list() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$series"; }

# series_paths: the same as absolute paths
series_paths() { series_list | in_patches; }

# in_patches: absolute paths of the patch files on stdin
in_patches() { while IFS= read -r patch; do printf '%s/%s\n' "$patches" "$patch"; done; }

# series_usable: end the script where there is no series to apply
series_usable() {
	local list file

	[[ -r $series ]] || die "$(series_name) is missing"
	into list series_paths
	((${#list[@]})) || die "series names no patch"
	for file in "${list[@]}"; do
		[[ -r $file ]] || die "series names ${file#"$patches/"}, which is not in patches/"
	done
	file=$(search -l $'\r$' "$series" "${list[@]}")
	[[ -z $file ]] ||
		die "series or patches/ has the line ends of Windows; check them out with git config core.autocrlf false"
}

# series_state: what tells these patches, in this order, from all others
series_state() { (cd "$repo" && { series_name; series_list | sed 's,^,patches/,'; } | xargs -d '\n' sha256sum); }

# series_name: what the series is for, in a file that has to tell it from others
series_name() { echo "${series#"$repo"/}"; }

# state_file TREE: where the state of the series that is the branch of a git tree is kept
state_file() { echo "$(git -C "$1" rev-parse --path-format=absolute --git-common-dir)/$branch.series"; }

# plain [VARIABLE=VALUE...] COMMAND...: run it without anyone's settings
plain() { env -i PATH="$PATH" HOME=/dev/null LC_ALL=C GIT_CONFIG_NOSYSTEM=1 "$@"; }

# touched_by PATCH...: the files of the kernel that these patches touch
touched_by() { printf '%s\n' "$@" | xargs -d '\n' -n 1 git -C / apply --numstat | cut -f 3 | sort -u; }

# touched_files: the files of the kernel that the series touches
touched_files() {
	local list

	into list series_paths
	((${#list[@]} == 0)) || touched_by "${list[@]}"
}

is_kernel_tree() {
	[[ -f $1/Kbuild && -f $1/kernel/irq/irqdomain.c ]] && grep -q '^PATCHLEVEL = ' "$1/Makefile"
}

# kernel_version DIR: what its Makefile says
kernel_version() {
	awk '$1 ~ /^(VERSION|PATCHLEVEL|SUBLEVEL)$/ && $2 == "=" && $3 != "" { printf "%s%s", sep, $3; sep = "." }
		/^EXTRAVERSION/ { print $3; exit }' "$1/Makefile"
}

# in_git TREE: whether it is the top of a git tree
in_git() {
	local top

	if ! top=$(git -C "$1" rev-parse --show-toplevel 2>&1); then
		[[ ! -e $1/.git ]] || die "git refuses $1: ${top%%$'\n'*}; 'git status' there says what to do"
		return 1
	fi
	[[ $top -ef $1 ]]
}

# lock_tree TREE: hold it until the script ends
lock_tree() {
	local fd dir=$1

	! in_git "$1" || dir=$(git -C "$1" rev-parse --path-format=absolute --git-common-dir)
	exec {fd}<"$dir"
	flock -n "$fd" && return
	note "waiting for another run that uses $1"
	supervise flock "$fd"
}

# borrow TREE GIT: make GIT a bare repository which has the objects of the git tree TREE, and nothing of
# anyone's settings, also of those that TREE has itself
borrow() {
	local objects shallow

	objects=$(git -C "$1" rev-parse --path-format=absolute --git-path objects)
	shallow=$(git -C "$1" rev-parse --path-format=absolute --git-path shallow)
	plain git init -q --bare --object-format="$(git -C "$1" rev-parse --show-object-format)" "$2"
	echo "$objects" >"$2/objects/info/alternates"
	[[ ! -e $shallow ]] || cp "$shallow" "$2/shallow"
}

# scratch_copy DIR OUT: OUT becomes a git tree of those files of DIR that the series touches, so
# that applying can be tried without going near DIR
scratch_copy() {
	local dir=$1 out=$2 touched file

	into touched touched_files
	mkdir -p "$out"
	for file in "${touched[@]}"; do
		[[ -e $dir/$file ]] || continue
		mkdir -p "$(dirname "$out/$file")"
		cp -p "$dir/$file" "$out/$file"
	done
	git -C "$out" init -q -b base
	git -C "$out" add -f -A
	git -C "$out" -c user.name=scratch -c user.email=scratch@localhost -c commit.gpgSign=false \
		-c core.hooksPath=/dev/null commit -q --allow-empty -m base
}

# patch_notes PATCH: what it says below its '---' line for reviewers. That is no part of a commit: apply
# and refresh keep it as git notes, which git rebase takes along only when it is told to.
patch_notes() {
	awk '/^Notes:$/ { on = 1; next } on && !/^(    |$)/ { exit } on { sub(/^    /, ""); print }' "$1"
}

# keep_notes TREE PATCH COMMIT: attach the notes of the patch, if it has any, to the commit
keep_notes() {
	local text

	text=$(patch_notes "$2")
	[[ -n $text ]] || return 0
	# Where refresh looks for them, wherever the user's own notes are
	{ git -C "$1" -c user.name=irq-free-bulk -c user.email=irq-free-bulk@localhost \
		notes --ref=commits add -f -m "$text" "$3" >/dev/null &&
		git -C "$1" config notes.rewriteRef refs/notes/commits; } ||
		die "git cannot keep the notes of ${2#"$patches/"} in $1; see the message above"
}
