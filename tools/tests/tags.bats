#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# lib/tags.sh, on the patches in tools/tags/cases: PATCH.expected has what must be found.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	copy_repo "$copy"
}

teardown() { no_temporary_files; }

# tags PATCH
tags() {
	# shellcheck disable=SC2016 # the shell's own
	bash -c '. "$1/scripts/lib/common.sh"; . "$1/scripts/lib/tags.sh"; tags_problems "$2"' bash "$copy" "$1"
}

@test "tags: the cases" {
	local file count=0

	cp "$copy/tools/tags/cases/exceptions" "$copy/tools/tags"
	for file in "$copy"/tools/tags/cases/*/*.patch; do
		echo "$file"
		try 0 tags "$file"
		same "$(<"${file%.patch}.expected")" "$output"
		count=$((count + 1))
	done
	same "$(find "$copy/tools/tags/cases" -name '*.expected' | wc -l)" "$count"
	((count >= 16))
}

@test "tags: from another folder, and by another path" {
	local patch=$BATS_TEST_TMPDIR/irqdomain/x.patch

	mkdir "${patch%/*}"
	sed '/^Assisted-by: /d' "$repo/tools/tags/cases/irqdomain/good.patch" >"$patch"
	git -C "$BATS_TEST_TMPDIR" init -q
	cd "$BATS_TEST_TMPDIR/irqdomain"
	try 0 tags x.patch
	same "Assisted-by: missing, a must for code in topic 'irqdomain'" "$output"
}

@test "tags: without its tables, or a patch, it judges nothing" {
	local name good=$repo/tools/tags/cases/irqdomain/good.patch

	for name in rules commits exceptions needs; do
		mv "$copy/tools/tags/$name" "$BATS_TEST_TMPDIR"
		try 2 tags "$good"
		says_only "tools/tags/$name is missing or empty"
		: >"$copy/tools/tags/$name"
		try 2 tags "$good"
		says_only "tools/tags/$name is missing or empty"
		mv "$BATS_TEST_TMPDIR/$name" "$copy/tools/tags"
	done
	try 2 tags "$BATS_TEST_TMPDIR/none.patch"
	# A file without a change in it is no patch.
	printf 'Subject: x\n\nAssisted-by: LLM\n' >"$BATS_TEST_TMPDIR/x.patch"
	try 2 tags "$BATS_TEST_TMPDIR/x.patch"
	says 'no patch in it'
	# Nor are its tags read when git cannot.
	# shellcheck disable=SC2016 # the stub's own
	stub git 'case $1 in interpret-trailers) exit 1 ;; *) exec /usr/bin/git "$@" ;; esac'
	try 1 tags "$good"
}

@test "tags: a prerequisite by its patch, which must be there" {
	local flag=$copy/tools/tags/cases/irqchip/needs-both-named.patch
	local unwind=$copy/patches/irqchip/irqchip-loongarch-ir-Unwind-failed-allocations-completely.patch

	try 0 tags "$flag"
	same '' "$output"
	sed -i 's/^Subject: .*/Subject: [PATCH] Another one/' "$unwind"
	try 0 tags "$flag"
	[[ $output == *' and "Another one"' ]]
	rm "$unwind"
	try 2 tags "$flag"
	says 'no such patch: irqchip/irqchip-loongarch-ir-Unwind'
}
