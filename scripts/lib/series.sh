# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The series as such: which patches, which files they touch, and the two ways of
# applying them. Needs lib/common.sh.

: "${patches:?}" "${series:?}"

# The branch that scripts/apply makes and scripts/refresh reads.
branch=irq-free-bulk

# series_list [SERIES]: the patch files of a series in order, relative to patches/
series_list() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "${1:-$series}"; }

# series_paths [SERIES]: the same as absolute paths
series_paths() { series_list "$@" | sed "s,^,$patches/,"; }

# touched_by PATCH...: the files of the kernel that these patches touch
touched_by() { printf '%s\n' "$@" | xargs -d '\n' -n 1 git -C / apply --numstat | cut -f 3 | sort -u; }

# touched_files: the files of the kernel that the series touches
touched_files() {
	local list

	mapfile -t list < <(series_paths)
	((${#list[@]} == 0)) || touched_by "${list[@]}"
}

is_kernel_tree() {
	[[ -f $1/Kbuild && -f $1/kernel/irq/irqdomain.c ]] && grep -q '^PATCHLEVEL = ' "$1/Makefile"
}

# scratch_copy DIR OUT: OUT becomes a git tree of those files of DIR that the series touches, so
# that applying can be tried without going near DIR
scratch_copy() {
	local dir=$1 out=$2 file

	mkdir -p "$out"
	while read -r file; do
		[[ -e $dir/$file ]] || continue
		mkdir -p "$(dirname "$out/$file")"
		cp "$dir/$file" "$out/$file"
	done < <(touched_files)
	git -C "$out" init -q -b base
	git -C "$out" add -f -A
	git -C "$out" -c user.name=scratch -c user.email=scratch@localhost -c commit.gpgSign=false \
		-c core.hooksPath=/dev/null commit -q --allow-empty -m base
}

# am_series DIR [SERIES]: commit the series on top of what is checked out in DIR. Nothing is left
# behind when a patch does not apply.
am_series() {
	local dir=$1 start list

	mapfile -t list < <(series_paths "${@:2}")
	start=$(git -C "$dir" rev-parse HEAD)
	((${#list[@]})) || return 0
	git -C "$dir" -c commit.gpgSign=false -c am.threeWay=false -c core.hooksPath=/dev/null \
		-c apply.whitespace=nowarn am -q "${list[@]}" && return
	git -C "$dir" am --abort
	git -C "$dir" reset -q --hard "$start"
	return 1
}

# keep_notes DIR: what the patches say below their '---' line is for reviewers and no part of the
# commits. Attach it to the commits at the tip of DIR as git notes, from where refresh gets it; git
# rebase takes them along only when it is told to.
keep_notes() {
	local dir=$1 list commits i text

	mapfile -t list < <(series_paths)
	mapfile -t commits < <(git -C "$dir" rev-list --reverse -n "${#list[@]}" HEAD)
	for i in "${!list[@]}"; do
		text=$(awk '/^Notes:$/ { on = 1; next } on && !/^(    |$)/ { exit } on { sub(/^    /, ""); print }' \
			"${list[i]}")
		[[ -n $text ]] || continue
		git -C "$dir" notes add -f -m "$text" "${commits[i]}" >/dev/null
		git -C "$dir" config notes.rewriteRef refs/notes/commits
	done
}

# quilt_series DIR: push the series with quilt, without fuzz and without the user's settings. What
# quilt and patch said is printed. Nothing is left behind when a patch does not apply.
quilt_series() {
	local dir=$1

	in_quilt "$dir" push -a --fuzz=0 && return
	[[ ! -s $dir/.pc/applied-patches ]] || in_quilt "$dir" pop -a -q >/dev/null
	rm -rf "$dir/.pc"
	return 1
}

# in_quilt DIR COMMAND...: quilt with the patches and the series of this repo
in_quilt() {
	(unset "${!QUILT_@}" && cd "$1" && QUILT_PATCHES=$patches QUILT_SERIES=$series \
		quilt --quiltrc - "${@:2}")
}
