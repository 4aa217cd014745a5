# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The tags of a patch against Documentation/process/maintainer-tip.rst and
# coding-assistants.rst of the kernel, and against the tables in tools/tags: rules says
# which a patch must have, exceptions which one may lack and why, commits which commits
# a Fixes may name, and needs which patch one for stable has to name as its prerequisite.
# Needs lib/common.sh.

: "${repo:?}" "${patches:?}"

tags=$repo/tools/tags
# maintainer-tip.rst, "Ordering of commit tags", without those that only people give. It does not
# know Assisted-by, which stands where the author's sign-off will follow it.
tags_order=(Fixes Reported-by Closes Originally-by Suggested-by Assisted-by Cc Link)

# patch_subject PATCH: its subject, on one line
patch_subject() { sed -n -E '/^Subject: /{:a;N;s/\n / /;ta;s/\n.*//;s/^Subject: (\[[^]]*\] )?//p;q}' "$1"; }

# tags_problems PATCH: what is wrong with its tags, a line each. Its folder is its topic.
tags_problems() {
	local file=$1 topic kind=code tag line lines value previous='' place=-1 i seen=' ' required except files
	local stable='' word path patch subject wants=''

	for i in rules exceptions commits needs; do
		[[ -s $tags/$i ]] || die "$tags/$i is missing or empty"
	done
	topic=$(basename "$(dirname "$(readlink -f "$file")")")
	files=$(git -C / apply --numstat <"$file" | cut -f 3) || die "$file: no patch in it"
	if ! grep -qvE '/(tests|selftests)/|_kunit\.c$|/\.kunitconfig$|/Kconfig$|/Makefile$' <<<"$files"; then
		kind=tests
	fi
	required=$(awk -v t="$topic" -v k="$kind" '$1 == t && $2 == k { $1 = $2 = ""; print; exit }' "$tags/rules")
	[[ -n $required ]] || echo "no rule for $kind in topic '$topic' in tools/tags/rules"

	into lines git interpret-trailers --parse <"$file"
	for line in "${lines[@]}"; do
		tag=${line%%: *} value=${line#*: }
		for i in "${!tags_order[@]}"; do
			[[ ${tags_order[i]} != "$tag" ]] || break
			[[ $i != $((${#tags_order[@]} - 1)) ]] || i=-1
		done
		if ((i < 0)); then
			case $tag in
			Signed-off-by | Reviewed-by | Acked-by | Tested-by | Co-developed-by)
				echo "$tag: only a person gives that" ;;
			*) echo "$tag: not a tag that this series uses" ;;
			esac
			continue
		fi
		# A report has its Closes right behind it, or its Link where the patch does not fix all of it
		# (submitting-patches.rst). Such a Link stands in the place of Closes; the next pair may follow.
		[[ $tag != Link || $previous != Reported-by ]] || tag=Closes i=$place
		if ((i < place)) && [[ $tag != Reported-by || $previous != Closes ]]; then
			echo "$tag: stands behind $previous; the order is ${tags_order[*]}"
		fi
		[[ $tag != Closes || $previous == Reported-by ]] || echo "Closes: does not follow a Reported-by"
		[[ $previous != Reported-by || $tag == Closes ]] || echo "Reported-by: no Closes or Link follows"
		[[ $tag != Assisted-by || $seen != *" Assisted-by "* ]] || echo "Assisted-by: more than once"
		place=$i previous=$tag seen+="$tag "
		[[ $tag != Cc || $value != stable@* ]] || stable=$value

		case $tag in
		Fixes)
			if [[ ! $value =~ ^([0-9a-f]{12})\ \(\"(.+)\"\)$ ]]; then
				echo "Fixes: not 12 digits (\"subject\")"
			elif ! grep -qxF "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}" "$tags/commits"; then
				echo "Fixes: ${BASH_REMATCH[1]} with this subject is not in tools/tags/commits"
			fi ;;
		Assisted-by) [[ $value =~ ^LLM(\ [a-z]+)*$ ]] || echo "Assisted-by: not 'LLM [TOOL]...'" ;;
		Closes | Link) [[ $value =~ ^https://[^\ ]+(\ \#\ \[[0-9]+\])?$ ]] || echo "${line%%: *}: not a URL" ;;
		Cc) [[ $value =~ ^([^\<\>]+\ )?\<?[^\ \<\>]+@[^\ \<\>]+\>?(\ \#.*)?$ ]] || echo "Cc: no address" ;;
		*) [[ $value =~ ^[^\<\>]+\ \<[^\ \<\>]+@[^\ \<\>]+\>$ ]] || echo "$tag: not 'Name <address>'" ;;
		esac
	done

	[[ $previous != Reported-by ]] || echo "Reported-by: no Closes or Link follows"
	while read -r word path patch; do
		[[ $word != '#'* && $kind == code && -n $stable ]] || continue
		[[ $path == any ]] || grep -qxF "$path" <<<"$files" || continue
		grep -q "^+.*\<$word\>" "$file" || continue
		[[ -r $patches/$patch ]] || die "tools/tags/needs: no such patch: $patch"
		subject=$(patch_subject "$patches/$patch")
		[[ $(patch_subject "$file") != "$subject" ]] || continue
		wants+="${wants:+ and }\"$subject\""
	done <"$tags/needs"
	[[ -z $wants || $stable == *" # needs $wants" ]] || echo "Cc: for stable without # needs $wants"
	except=$(awk -v p="$topic/${file##*/}" '$1 == p && NF > 2 { print $2 }' "$tags/exceptions")
	for tag in $required; do
		[[ $seen == *" $tag "* || $except == *"$tag"* ]] ||
			echo "$tag: missing, a must for $kind in topic '$topic'"
	done
	for tag in $except; do
		[[ $seen != *" $tag "* ]] || echo "$tag: there, but tools/tags/exceptions says that it cannot be"
	done
}
