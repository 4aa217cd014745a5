#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/apply, on a copy of this repo with a small series, and on small trees.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	export mini=$BATS_FILE_TMPDIR/repo
	mini_repo "$mini"
	mini_git "$BATS_FILE_TMPDIR/git"
	mini_kernel "$BATS_FILE_TMPDIR/plain"
}

setup() {
	clean_environment
	apply=$mini/scripts/apply
	tree=$BATS_TEST_TMPDIR/tree
}

teardown() { no_temporary_files; }

git_tree() { cp -a "$BATS_FILE_TMPDIR/git" "$tree"; }
plain_tree() { cp -a "$BATS_FILE_TMPDIR/plain" "$tree"; }

# own_repo: a copy of the small repo that the test may change
own_repo() {
	cp -a "$mini" "$BATS_TEST_TMPDIR/repo"
	apply=$BATS_TEST_TMPDIR/repo/scripts/apply
}

# merge_base: what scripts/fetch has, from which the merges of --3way start
merge_base() {
	has_base "$BATS_FILE_TMPDIR/git"
	git -C "$cache/linux-$base_version.git" worktree add -q "$cache/linux-$base_version" base
}

# refused STATUS WORDS ARGUMENT...: one line, and the tree is as it was
refused() {
	local before

	before=$(contents "$tree")
	try "$1" "$apply" --tree "$tree" "${@:3}"
	says_only "$2"
	same '' "$output"
	same "$before" "$(contents "$tree")"
}

# patched DIR: it has all that the small series does
patched() {
	grep -qx 'line 20 of the core, flag' "$1/kernel/irq/irqdomain.c"
	grep -qx 'line 60 of the core, inherited' "$1/kernel/irq/irqdomain.c"
	grep -qx 'line 20 of the driver, sets the flag' "$1/drivers/irqchip/its.c"
	grep -qx 'a new file' "$1/drivers/irqchip/new.c"
}

@test "apply: as a branch, a commit for each patch" {
	git_tree
	try 0 "$apply" --tree "$tree"
	says_only "apply: 4 commits on branch irq-free-bulk of $tree, 0 hunks at another line"
	patched "$tree"
	same irq-free-bulk "$(git -C "$tree" symbolic-ref --short HEAD)"
	same '' "$(git -C "$tree" status --porcelain --ignored)"
	same 'core: Introduce a flag
core: Inherit the flag
its: Set the flag
its: Bring a file' "$(git -C "$tree" log --reverse --format=%s base..)"
	same "$(git -C "$tree" rev-parse base)" "$(git -C "$tree" config branch.irq-free-bulk.base)"
}

@test "apply: by quilt, the same tree, and back again" {
	local before

	git_tree
	cp -a "$tree" "$tree-quilt"
	"$apply" --tree "$tree"
	before=$(contents "$tree-quilt")
	try 0 "$apply" --quilt --tree "$tree-quilt"
	says_only "apply: 4 patches pushed onto $tree-quilt, 0 hunks at another line; 'quilt pop -a' there takes them back"
	patched "$tree-quilt"
	diff -r --exclude=.git --exclude=.pc "$tree" "$tree-quilt"
	same base "$(git -C "$tree-quilt" symbolic-ref --short HEAD)"
	(cd "$tree-quilt" && quilt pop -a -q && rm -rf .pc)
	same "$before" "$(contents "$tree-quilt")"
}

@test "apply: --check changes nothing" {
	git_tree
	refused 0 "apply: the 4 patches apply to $tree, 0 hunks at another line" --check
	rm -rf "$tree"
	plain_tree
	refused 0 "apply: the 4 patches apply to $tree, 0 hunks at another line" --check
	# Neither does it where the branch is in the way.
	rm -rf "$tree"
	git_tree
	git -C "$tree" branch irq-free-bulk
	refused 0 'the 4 patches apply' --check
}

@test "apply: --check says when it does not apply" {
	git_tree
	change "$tree/drivers/irqchip/its.c" 20 other
	git_commit_all "$tree" other
	before=$(contents "$tree")
	try 1 "$apply" --check --tree "$tree"
	same "apply: the series does not apply to $tree, which is as it was; --3way may do it" "${stderr_lines[-1]}"
	says its-Set-the-flag.patch
	same "$before" "$(contents "$tree")"
}

@test "apply: a folder that is missing, and one that is no kernel" {
	try 2 "$apply" --tree "$BATS_TEST_TMPDIR/none"
	says_only "apply: no such folder: $BATS_TEST_TMPDIR/none"
	git_tree
	rm "$tree/Kbuild"
	git_commit_all "$tree" 'no kernel'
	refused 2 "apply: $tree is no kernel tree; give the top folder"
	git -C "$tree" reset -q --hard HEAD~
	echo >"$tree/Makefile"
	refused 2 "apply: $tree is no kernel tree; give the top folder"
	# A subfolder of a kernel is none either.
	git -C "$tree" reset -q --hard
	tree=$tree/kernel refused 2 'is no kernel tree; give the top folder'
}

@test "apply: uncommitted changes are left alone" {
	git_tree
	change "$tree/Kbuild" 1 mine
	refused 2 "apply: $tree has uncommitted changes; commit or stash them first"
	refused 2 'has uncommitted changes' --quilt
	refused 2 'has uncommitted changes' --check
	git -C "$tree" add -A
	refused 2 'has uncommitted changes'
	# What git does not know is no change: build results, for one.
	git -C "$tree" reset -q --hard
	touch "$tree/vmlinux"
	try 0 "$apply" --tree "$tree"
	[[ -e $tree/vmlinux ]]
}

@test "apply: a git am that is under way is left alone" {
	git_tree
	change "$tree/drivers/irqchip/its.c" 20 other
	git_commit_all "$tree" other
	run git -C "$tree" am -q "$mini/patches/its/its-Set-the-flag.patch"
	((status)) && [[ -d $tree/.git/rebase-apply ]]
	cd "$BATS_TEST_TMPDIR"
	refused 2 "apply: a git am is under way in $tree; run 'git am --abort' there first"
	refused 2 'a git am is under way' --quilt
	cd "$tree"
	refused 2 'a git am is under way'
}

@test "apply: a series that is applied by quilt, half or whole" {
	plain_tree
	"$apply" --quilt --tree "$tree"
	patched "$tree"
	refused 2 "apply: the series is applied to $tree by quilt already; 'quilt pop -a' there takes it back" --quilt
	(cd "$tree" && quilt pop -q)
	refused 2 "apply: 3 of 4 patches are applied to $tree by quilt; run 'quilt pop -a' there first" --quilt
	refused 2 '3 of 4 patches are applied' --check
	# Taken back, there is nothing in the way.
	(cd "$tree" && quilt pop -q -a)
	try 0 "$apply" --check --tree "$tree"
}

@test "apply: a series that is in the tree already, half or whole" {
	git_tree
	patch -s -d "$tree" -p1 <"$mini/patches/irqdomain/core-Introduce-a-flag.patch"
	git_commit_all "$tree" 'from upstream'
	refused 2 "apply: 1 of 4 patches are in $tree already; start from a tree without them"
	git -C "$tree" reset -q --hard HEAD~
	"$apply" --tree "$tree"
	git -C "$tree" checkout -q -b own
	git -C "$tree" branch -q -D irq-free-bulk
	refused 2 "apply: 4 of 4 patches are in $tree already"
}

@test "apply: a branch of this name is left alone" {
	git_tree
	"$apply" --tree "$tree"
	git -C "$tree" checkout -q base
	refused 2 "apply: $tree has a branch irq-free-bulk already; run scripts/refresh, or 'git branch -D irq-free-bulk' there"
}

@test "apply: a folder without git takes quilt only" {
	plain_tree
	refused 2 "apply: $tree is not the top of a git tree; use --quilt"
	refused 2 "apply: $tree is not the top of a git tree; use --quilt" --am
	# Also where it is in a git tree of something else
	git -C "$BATS_TEST_TMPDIR" init -q
	refused 2 "apply: $tree is not the top of a git tree; use --quilt"
}

@test "apply: a patch that does not apply leaves the tree as it was" {
	local before way

	git_tree
	change "$tree/drivers/irqchip/its.c" 20 other
	git_commit_all "$tree" other
	before=$(contents "$tree")
	for way in --am --quilt; do
		try 1 "$apply" $way --tree "$tree"
		same "apply: the series does not apply to $tree, which is as it was; --3way may do it" "${stderr_lines[-1]}"
		# Which patch, and where
		says its-Set-the-flag.patch
		says 'Hunk #1 FAILED at 17'
		same "$before" "$(contents "$tree")"
	done
}

@test "apply: a file that is in the way leaves the tree as it was" {
	local before

	git_tree
	echo mine >"$tree/drivers/irqchip/new.c"
	before=$(contents "$tree")
	try 1 "$apply" --tree "$tree"
	says its-Bring-a-file.patch
	same "$before" "$(contents "$tree")"
}

@test "apply: git am that fails for another reason leaves the tree as it was" {
	local before

	git_tree
	before=$(contents "$tree")
	# The third patch is what git stumbles over, in the tree alone: so the trial run has passed.
	stub git "
		[[ \$* != *' am -q '* ]] || set -- \"\${@:1:\$#-1}\" '$BATS_TEST_TMPDIR/none.patch'
		exec $(command -v git) \"\$@\""
	try 1 "$apply" --tree "$tree"
	says "apply: the series does not apply to $tree; see the message above"
	same "apply: $tree is as it was" "${stderr_lines[-1]}"
	same "$before" "$(contents "$tree")"
}

@test "apply: what cannot be taken back is said" {
	git_tree
	# A full disk, say
	stub git "
		[[ \$* != *' checkout -q -f '* ]] || { echo 'fatal: no space' >&2; exit 128; }
		[[ \$* != *' am -q '* ]] || set -- \"\${@:1:\$#-1}\" '$BATS_TEST_TMPDIR/none.patch'
		exec $(command -v git) \"\$@\""
	try 1 "$apply" --tree "$tree"
	says 'fatal: no space'
	same "apply: $tree is not as it was; 'git checkout -f base' and 'git branch -D irq-free-bulk' there take it back" "${stderr_lines[-1]}"
}

@test "apply: quilt that fails for another reason leaves the tree as it was" {
	local before

	plain_tree
	before=$(contents "$tree")
	# A full disk in the tree alone, say
	stub patch "
		[[ \$PWD != '$tree' || \$* != *its* && \$(wc -l <.pc/applied-patches) -lt 2 ]] || exit 1
		exec $(command -v patch) \"\$@\""
	try 1 "$apply" --quilt --tree "$tree"
	says "apply: the series does not apply to $tree; see the message above"
	same "apply: $tree is as it was" "${stderr_lines[-1]}"
	same "$before" "$(contents "$tree")"
}

@test "apply: interrupted, the tree is as it was" {
	local before

	git_tree
	before=$(contents "$tree")
	stub git "
		[[ \$* != *' am -q '* ]] || {
			$(command -v git) \"\${@:1:\$#-1}\"; : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }
		exec $(command -v git) \"\$@\""
	begin "$apply" --tree "$tree"
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	kill -INT -- "-$pid"
	ends_with 130
	same "$before" "$(contents "$tree")"
}

# whole_again STATUS: what was begun ends, and the tree is as it was
whole_again() {
	ends_with "$1"
	grep -qx "apply: $tree is as it was" "$background.err"
	same "$before" "$(contents "$tree")"
	[[ ! -e $tree/.git/rebase-apply && ! -e $tree/.git/index.lock ]]
}

@test "apply: terminated alone in the middle of git am, the tree is as it was" {
	local before

	git_tree
	before=$(contents "$tree")
	# Stopped within a patch: two are in, and the third is half written.
	stub git "
		[[ \$* != *' am -q '* ]] || {
			$(command -v git) \"\${@:1:\$#-2}\" '$BATS_TEST_TMPDIR/none.patch' || :
			$(command -v git) \"\${@:1:\$#-1}\" /dev/null || :
			mkdir -p '$tree/.git/rebase-apply' '$tree/drivers/irqchip'
			echo half >'$tree/drivers/irqchip/new.c'; echo half >'$tree/drivers/irqchip/its.c'
			: >'$tree/.git/index.lock'; : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }
		exec $(command -v git) \"\$@\""
	begin "$apply" --tree "$tree"
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	kill -TERM "$pid"
	whole_again 143
}

@test "apply: interrupted in the middle of quilt, the tree is as it was" {
	local before signal status

	plain_tree
	before=$(contents "$tree")
	stub patch "
		[[ \$PWD != '$tree' || \$* != *its* && \$(wc -l <.pc/applied-patches) -lt 2 ]] || {
			echo half >'$tree/drivers/irqchip/new.c'; echo half >'$tree/drivers/irqchip/its.c'
			: >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }
		exec $(command -v patch) \"\$@\""
	for signal in INT TERM; do
		status=143
		[[ $signal == TERM ]] || status=130
		rm -f "$BATS_TEST_TMPDIR/reached"
		begin "$apply" --quilt --tree "$tree"
		until_true test -e "$BATS_TEST_TMPDIR/reached"
		kill -$signal "$pid"
		whole_again $status
	done
}

@test "apply: two at once" {
	local first

	git_tree
	stub git "
		[[ \$* != *' am -q '* ]] || { : >'$BATS_TEST_TMPDIR/reached'
			while [[ ! -e '$BATS_TEST_TMPDIR/go' ]]; do sleep 0.05; done; }
		exec $(command -v git) \"\$@\""
	begin "$apply" --tree "$tree"
	first=$pid
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	begin "$apply" --tree "$tree"
	until_true grep -q "^apply: waiting for another run that uses $tree$" "$background.err"
	touch "$BATS_TEST_TMPDIR/go"
	ends_with 2
	grep -q "has the branch irq-free-bulk checked out already" "$background.err"
	wait "$first"
	patched "$tree"
}

@test "apply: a branch that leaves no room for ours" {
	git_tree
	git -C "$tree" branch irq-free-bulk/foo
	refused 2 "apply: $tree has a branch irq-free-bulk/foo, beside which there can be no irq-free-bulk; rename it"
}

@test "apply: the branch that is checked out" {
	git_tree
	"$apply" --tree "$tree"
	refused 2 "apply: $tree has the branch irq-free-bulk checked out already; run scripts/refresh, or check out another there and 'git branch -D irq-free-bulk'"
}

@test "apply: patches of somebody else, applied by quilt" {
	plain_tree
	mkdir "$tree/patches"
	(cd "$tree" && quilt new mine.patch && quilt add Kbuild && echo more >>Kbuild && quilt refresh)
	refused 2 "apply: $tree has 1 patches of another series, applied by quilt; take them back there first" --quilt
}

@test "apply: all patches are in, although later ones changed what earlier ones have brought" {
	own_repo
	git_tree
	cat >"$BATS_TEST_TMPDIR/repo/patches/its/its-More.patch" <<-'END'
		From: Some One <some.one@example.org>
		Date: Fri, 2 Jan 2026 03:04:05 +0000
		Subject: [PATCH] its: More

		---
		diff --git a/drivers/irqchip/new.c b/drivers/irqchip/new.c
		--- a/drivers/irqchip/new.c
		+++ b/drivers/irqchip/new.c
		@@ -1 +1 @@
		-a new file
		+a better file
	END
	sed -i '/^its.its-Bring/a its/its-More.patch' "$BATS_TEST_TMPDIR/repo/series"
	"$apply" --tree "$tree"
	git -C "$tree" checkout -q -b own
	git -C "$tree" branch -q -D irq-free-bulk
	refused 2 "apply: 5 of 5 patches are in $tree already"
}

@test "apply: a tree of somebody else" {
	((EUID == 0)) || skip "needs root"
	git_tree
	chown -R 65534 "$tree"
	try 2 "$apply" --tree "$tree"
	says_only "apply: git refuses $tree: fatal: detected dubious ownership in repository at"
	says "'git status' there says what to do"
}

@test "apply: the line ends of Windows" {
	own_repo
	git_tree
	sed -i 's/$/\r/' "$BATS_TEST_TMPDIR/repo/series"
	refused 2 'apply: series or patches/ has the line ends of Windows'
	cp "$mini/series" "$BATS_TEST_TMPDIR/repo/series"
	sed -i 's/$/\r/' "$BATS_TEST_TMPDIR"/repo/patches/its/its-Bring*
	refused 2 'apply: series or patches/ has the line ends of Windows'
	# A checkout of this repo has none.
	git -C "$BATS_TEST_TMPDIR/repo" init -q
	cp "$mini/series" "$repo/.gitattributes" "$BATS_TEST_TMPDIR/repo"
	cp -r "$mini/patches" "$BATS_TEST_TMPDIR/repo"
	git_commit_all "$BATS_TEST_TMPDIR/repo" all
	git clone -q -c core.autocrlf=true "$BATS_TEST_TMPDIR/repo" "$BATS_TEST_TMPDIR/clone"
	grep -q $'\r' "$BATS_TEST_TMPDIR/clone/scripts/apply"
	run ! grep -q $'\r' -r "$BATS_TEST_TMPDIR/clone"/{series,patches}
}

@test "apply: another version is named, and merged when git can" {
	local before

	git_tree
	sed -i 's/^PATCHLEVEL = 3/PATCHLEVEL = 2/' "$tree/Makefile"
	change "$tree/drivers/irqchip/its.c" 17 other
	git_commit_all "$tree" 'Linux 7.2'
	before=$(contents "$tree")
	try 1 "$apply" --tree "$tree"
	same "apply: the series does not apply to $tree, which is as it was; that is Linux 7.2.4, which is not covered (nearest: 7.3); --3way may do it" \
		"${stderr_lines[-1]}"
	same "$before" "$(contents "$tree")"
	merge_base
	try 0 "$apply" --3way --tree "$tree"
	patched "$tree"
	git -C "$tree" checkout -q base
	refused 2 'apply: --3way is for git am; leave out --quilt and --check' --3way --quilt
}

@test "apply: a merge takes nothing from the tree's history" {
	local before

	git_tree
	rm -rf "$tree/.git"
	# In the context of both patches for one file. What the first one makes of the file that the patches are
	# for is nowhere to be had.
	change "$tree/kernel/irq/irqdomain.c" 17 other
	change "$tree/kernel/irq/irqdomain.c" 57 other
	git -C "$tree" init -q -b base
	git_commit_all "$tree" 'unknown before'
	merge_base
	try 0 "$apply" --3way --tree "$tree"
	same "apply: 4 commits on branch irq-free-bulk of $tree" "${stderr_lines[-1]}"
	patched "$tree"
	# Nothing is missing without the cache.
	rm -rf "$cache"
	git -C "$tree" fsck --strict
	# Without the base it is not tried.
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	before=$(contents "$tree")
	try 2 "$apply" --3way --tree "$tree"
	says 'fetch: apt cannot say what archive it uses'
	same "$before" "$(contents "$tree")"
}

@test "apply: a merge leaves out what is there, and the notes go where they belong" {
	local patch before

	own_repo
	git_tree
	merge_base
	for patch in "$BATS_TEST_TMPDIR"/repo/patches/*/*.patch; do
		sed -i "0,/^---\$/s//---\n\nNotes:\n    Note of $(sed -n 's/^Subject: \[PATCH\] //p' "$patch")\n/" "$patch"
	done
	patch -s -d "$tree" -p1 <"$BATS_TEST_TMPDIR/repo/patches/its/its-Set-the-flag.patch"
	git_commit_all "$tree" 'from upstream'
	try 0 "$apply" --3way --tree "$tree"
	says "apply: 1 of 4 patches are in $tree already"
	says "apply: 3 commits on branch irq-free-bulk of $tree"
	patched "$tree"
	same 'its: Bring a file|Note of its: Bring a file
core: Inherit the flag|Note of core: Inherit the flag
core: Introduce a flag|Note of core: Introduce a flag
from upstream|
base|' "$(git -C "$tree" log --format='%s|%N' irq-free-bulk | sed '/^$/d')"
	# All of them
	git -C "$tree" checkout -q --detach
	git -C "$tree" branch -q -D irq-free-bulk
	before=$(contents "$tree")
	try 2 "$apply" --3way --tree "$tree"
	says "apply: all 4 patches are in $tree already; start from a tree without them"
	same "$before" "$(contents "$tree")"
}

@test "apply: what applies as it is needs nothing to merge with" {
	git_tree
	try 0 "$apply" --3way --tree "$tree"
	patched "$tree"
}

@test "apply: what git cannot merge is left to be mended, and refresh writes it back" {
	local before back

	own_repo
	git_tree
	change "$tree/kernel/irq/irqdomain.c" 20 other
	change "$tree/drivers/irqchip/its.c" 17 other
	git_commit_all "$tree" other
	merge_base
	before=$(contents "$tree")
	try 1 "$apply" --3way --tree "$tree"
	says "apply: $tree is in the middle of git am; mend the files, 'git add' them and 'git am --continue' there, until it has all 4 patches, then scripts/refresh"
	# It can be taken back.
	back=${stderr_lines[-1]#apply: or take it back there: }
	(cd "$tree" && eval "$back")
	rm "$tree/.git/irq-free-bulk.series"
	same "$before" "$(contents "$tree")"
	try 1 "$apply" --3way --tree "$tree"
	try 2 "$BATS_TEST_TMPDIR/repo/scripts/refresh" --tree "$tree"
	says_only "refresh: a git am is under way in $tree; run 'git am --continue' there first"
	sed -i -e '/^<<<<<<</d' -e '/^=======/,/^>>>>>>>/d' -e 's/^line 20 of the core, other/&, flag/' "$tree/kernel/irq/irqdomain.c"
	git -C "$tree" add -A
	git -C "$tree" am -q --continue
	try 0 "$BATS_TEST_TMPDIR/repo/scripts/refresh" --tree "$tree"
	# From then on the series is for this tree, and is as it was else.
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	try 0 "$apply" --tree "$tree"
	grep -qx 'line 20 of the core, other, flag' "$tree/kernel/irq/irqdomain.c"
	same "$(cat "$mini/series")" "$(cat "$BATS_TEST_TMPDIR/repo/series")"
	diff "$mini/patches/its/its-Bring-a-file.patch" "$BATS_TEST_TMPDIR/repo/patches/its/its-Bring-a-file.patch"
}

@test "apply: git that does not know who it works for" {
	git_tree
	git config --global --unset user.name
	git config --global --unset user.email
	git config --global user.useConfigOnly true
	refused 2 "apply: git does not know your name; run git config --global user.name and user.email"
	# Quilt does not ask.
	try 0 "$apply" --quilt --tree "$tree"
	patched "$tree"
}

@test "apply: hunks at another line are counted" {
	git_tree
	sed -i '1i one more line' "$tree/kernel/irq/irqdomain.c"
	git_commit_all "$tree" 'one more line'
	cp -a "$tree" "$tree-quilt"
	try 0 "$apply" --tree "$tree"
	says_only "4 commits on branch irq-free-bulk of $tree, 2 hunks at another line"
	try 0 "$apply" --quilt --tree "$tree-quilt"
	says_only "4 patches pushed onto $tree-quilt, 2 hunks at another line"
	diff -r --exclude=.git --exclude=.pc "$tree" "$tree-quilt"
	grep -qx 'line 60 of the core, inherited' "$tree/kernel/irq/irqdomain.c"
}

@test "apply: fuzz is refused" {
	local before

	git_tree
	# The outermost line of the context is another: patch would take it, with fuzz 1.
	change "$tree/drivers/irqchip/its.c" 17 other
	git_commit_all "$tree" other
	patch -s --dry-run -F1 -d "$tree" -p1 <"$mini/patches/its/its-Set-the-flag.patch"
	before=$(contents "$tree")
	try 1 "$apply" --quilt --tree "$tree"
	says its-Set-the-flag.patch
	same "$before" "$(contents "$tree")"
}

@test "apply: paths with spaces, links and relative ones" {
	tree="$BATS_TEST_TMPDIR/a tree with 'spaces'"
	git_tree
	cp -a "$mini" "$BATS_TEST_TMPDIR/a repo with spaces"
	ln -s "$tree" "$BATS_TEST_TMPDIR/link"
	try 0 "$BATS_TEST_TMPDIR/a repo with spaces/scripts/apply" --tree "$BATS_TEST_TMPDIR/link"
	patched "$tree"
	plain_tree=$BATS_TEST_TMPDIR/plain\ tree
	cp -a "$BATS_FILE_TMPDIR/plain" "$plain_tree"
	cd "$BATS_TEST_TMPDIR"
	export CDPATH=$BATS_TEST_TMPDIR
	try 0 "a repo with spaces/scripts/apply" --quilt --tree "plain tree"
	patched "$plain_tree"
}

@test "apply: characters in the path of the repo that mean something elsewhere" {
	local name

	for name in "a b's \"x\"" 'R&D' 'a,b' 'a|b\1'; do
		cp -a "$mini" "$BATS_TEST_TMPDIR/$name"
		rm -rf "$tree"
		git_tree
		try 0 "$BATS_TEST_TMPDIR/$name/scripts/apply" --tree "$tree"
		patched "$tree"
	done
	# And in that of the tree
	cd "$BATS_TEST_TMPDIR"
	mv "$tree" ./-x
	try 2 "$apply" --tree -x
	says_only "apply: $BATS_TEST_TMPDIR/-x has the branch irq-free-bulk checked out already"
}

@test "apply: from any folder" {
	own_repo
	git_tree
	# git apply looks at no path outside of the folder in which it is called.
	git -C "$BATS_TEST_TMPDIR/repo" init -q
	cd "$BATS_TEST_TMPDIR/repo/scripts"
	try 0 ./apply --check --tree "$tree"
	cd "$tree/kernel/irq"
	try 0 "$apply" --tree "$tree"
	patched "$tree"
}

@test "apply: the user's settings of quilt and git do not matter" {
	git_tree
	cp -a "$tree" "$tree-quilt"
	cp -a "$tree" "$tree-usual"
	GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' "$apply" --tree "$tree-usual"

	mkdir "$HOME/hooks"
	for hook in pre-commit pre-applypatch applypatch-msg commit-msg post-checkout; do
		printf '#!/bin/sh\nexit 1\n' >"$HOME/hooks/$hook"
		chmod +x "$HOME/hooks/$hook"
	done
	git config --global core.hooksPath "$HOME/hooks"
	git config --global commit.gpgSign true
	git config --global gpg.program false
	git config --global am.threeWay true
	git config --global apply.whitespace error-all
	git config --global init.defaultObjectFormat sha256
	git config --global status.showUntrackedFiles no
	printf 'QUILT_PATCHES=nowhere\nQUILT_PUSH_ARGS="--fuzz=3"\nexit 1\n' >"$HOME/.quiltrc"

	export GIT_DIR=$HOME GIT_WORK_TREE=$HOME GIT_INDEX_FILE=$HOME/index
	try 0 env GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' "$apply" --tree "$tree"
	export QUILT_PATCHES=nowhere QUILT_SERIES=nothing QUILT_PC=.elsewhere QUILT_PATCH_OPTS=--reverse \
		QUILT_PUSH_ARGS=--fuzz=3
	try 0 "$apply" --quilt --tree "$tree-quilt"
	unset "${!GIT_@}"
	export GIT_CONFIG_NOSYSTEM=1
	patched "$tree"
	patched "$tree-quilt"
	[[ -s $tree-quilt/.pc/applied-patches ]]
	same "$(git -C "$tree-usual" rev-parse irq-free-bulk)" "$(git -C "$tree" rev-parse irq-free-bulk)"
}

@test "apply: white space arrives as it is in the patch" {
	own_repo
	git_tree
	git config --global apply.whitespace fix
	sed -i 's/^+a new file$/+a new file  /' "$BATS_TEST_TMPDIR/repo/patches/its/its-Bring-a-file.patch"
	cp -a "$tree" "$tree-quilt"
	"$apply" --tree "$tree"
	"$apply" --quilt --tree "$tree-quilt"
	grep -qx 'a new file  ' "$tree/drivers/irqchip/new.c"
	diff -r --exclude=.git --exclude=.pc "$tree" "$tree-quilt"
}

@test "apply: a series that is empty, or names a patch that is not there" {
	own_repo
	git_tree
	echo its/none.patch >>"$BATS_TEST_TMPDIR/repo/series"
	refused 2 "apply: series names its/none.patch, which is not in patches/"
	echo '# nothing' >"$BATS_TEST_TMPDIR/repo/series"
	refused 2 'apply: series names no patch'
}

@test "apply: the series of this repo, on the files that it touches" {
	local base=$user_cache/linux-$base_version

	[[ -d $base ]] || skip "the base is not in the cache; run scripts/fetch"
	# shellcheck source=scripts/lib/common.sh
	(
		. "$repo/scripts/lib/common.sh"
		. "$repo/scripts/lib/series.sh"
		touched_files
	) >"$BATS_TEST_TMPDIR/touched"
	mkdir "$tree"
	{ printf '%s\n' Kbuild Makefile kernel/irq/irqdomain.c; cat "$BATS_TEST_TMPDIR/touched"; } | sort -u |
		while read -r file; do
			! git -C "$base" cat-file -e "base:$file" 2>/dev/null || echo "$file"
		done | xargs git -C "$base" archive base -- | tar -C "$tree" -x
	git -C "$tree" init -q
	git_commit_all "$tree" base
	cp -a "$tree" "$tree-quilt"
	try 0 "$repo/scripts/apply" --tree "$tree"
	says_only ', 0 hunks at another line'
	try 0 "$repo/scripts/apply" --quilt --tree "$tree-quilt"
	says_only ', 0 hunks at another line'
	diff -r --exclude=.git --exclude=.pc "$tree" "$tree-quilt"
	base=$(git -C "$tree" config branch.irq-free-bulk.base)
	same "$(grep -c '^[a-z]' "$repo/series")" "$(git -C "$tree" rev-list --count "$base..")"
	# What came out is what the patches say, file by file.
	same "$(sort -u "$BATS_TEST_TMPDIR/touched")" \
		"$(git -C "$tree" diff --name-only "$base" HEAD | sort)"
}

@test "apply: a kernel that is kept gets its own series" {
	own_repo
	keep_linux "$BATS_TEST_TMPDIR/repo"
	git_tree
	older_linux "$tree"
	refused 0 "apply: the 4 patches for Linux 7.1 apply to $tree, 0 hunks at another line" --check
	try 0 "$apply" --tree "$tree"
	says_only "apply: 4 commits for Linux 7.1 on branch irq-free-bulk of $tree, 0 hunks at another line"
	patched "$tree"
	# The newest has the one of the newest.
	rm -rf "$tree"
	git_tree
	refused 0 "apply: the 4 patches apply to $tree, 0 hunks at another line" --check
	# By quilt
	rm -rf "$tree"
	git_tree
	older_linux "$tree"
	try 0 "$apply" --quilt --tree "$tree"
	patched "$tree"
	refused 2 'the series is applied' --quilt
	# A file that the table names, and that is not there
	git -C "$tree" checkout -q -f base
	rm -rf "$tree/.pc" "$tree/drivers/irqchip/new.c" "$BATS_TEST_TMPDIR/repo/patches/stable/7.1/series"
	refused 2 'apply: patches/stable/7.1/series is missing'
}

@test "apply: a kernel that is not covered gets the nearest series that applies, or the reasons" {
	own_repo
	keep_linux "$BATS_TEST_TMPDIR/repo"
	git_tree
	older_linux "$tree"
	sed -i 's/^PATCHLEVEL = 1/PATCHLEVEL = 2/' "$tree/Makefile"
	git_commit_all "$tree" 'Linux 7.2'
	try 0 "$apply" --check --tree "$tree"
	says "apply: $tree is Linux 7.2.4, which is not covered; scripts/audit --tree $tree tells what else needs the flag"
	says "apply: the 4 patches for Linux 7.1 apply to $tree, 0 hunks at another line"
	# Of none of them, and what is said is the first patch that fails, and where
	change "$tree/drivers/irqchip/its.c" 20 other
	git_commit_all "$tree" other
	before=$(contents "$tree")
	try 1 "$apply" --tree "$tree"
	says 'apply: of the series for 7.3, the first that does not apply is its-Set-the-flag.patch: drivers/irqchip/its.c hunk #1'
	says 'apply: of the series for 7.1, the first that does not apply is its-Set-the-flag.patch: drivers/irqchip/its.c hunk #1'
	says 'that is Linux 7.2.4, which is not covered (nearest: 7.3 7.1)'
	same "$before" "$(contents "$tree")"
	# A version that begins with the digits of another one
	sed -i 's/^PATCHLEVEL = 2/PATCHLEVEL = 10/' "$tree/Makefile"
	git_commit_all "$tree" 'Linux 7.10'
	try 1 "$apply" --check --tree "$tree"
	says 'that is Linux 7.10.4, which is not covered (nearest: 7.3); --3way may do it'
	# Without git nothing can be merged.
	rm -rf "$tree/.git"
	try 1 "$apply" --check --tree "$tree"
	same "apply: the series does not apply to $tree, which is as it was; that is Linux 7.10.4, which is not covered (nearest: 7.3)" \
		"${stderr_lines[-1]}"
}

@test "apply: --linux and --tree exclude each other, and a wrong version is named" {
	try 2 "$apply" --linux 7.3 --tree "$BATS_TEST_TMPDIR"
	says_only 'apply: --tree says which Linux it is; leave out --linux'
	try 2 "$apply" --linux 4.4
	says_only "apply: no Linux '4.4'; known: 7.3"
	# It goes to scripts/fetch, for which these are options.
	mkdir -p "$cache/build-6.12"
	for version in --prune --list -h 7.3/ ../7.3; do
		try 2 "$apply" --linux "$version"
		says_only "apply: no Linux '$version'; known: 7.3"
	done
	[[ -e $cache/build-6.12 ]]
}

@test "apply: a tree that cannot be written" {
	local folder way

	git_tree
	printf '[safe]\n\tdirectory = *\n' >>"$HOME/.gitconfig"
	for way in --am/drivers/irqchip --am/.git --quilt/drivers/irqchip --quilt/; do
		folder=$tree/${way#*/}
		folder=${folder%/}
		chmod -R a+rwX "$tree"
		chmod a-w "$folder"
		before=$(contents "$tree")
		try 2 usual_user "$apply" "${way%%/*}" --tree "$tree"
		says_only "apply: cannot write to $folder"
		try 0 usual_user "$apply" --check --tree "$tree"
		same "$before" "$(contents "$tree")"
	done
}

@test "apply: a tree whose index git cannot read" {
	local way before

	git_tree
	echo x >"$tree/.git/index"
	before=$(cd "$tree" && find . -type f -exec sha256sum {} + | sort)
	for way in --am --quilt --check; do
		try 2 "$apply" $way --tree "$tree"
		same "fatal: .git/index: index file smaller than expected
apply: git cannot tell whether $tree has changes; see the message above" "$stderr"
		same "$before" "$(cd "$tree" && find . -type f -exec sha256sum {} + | sort)"
	done
}
