#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/refresh, on a copy of this repo with a small series, and on a small tree
# that has it applied.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	mini_repo "$BATS_FILE_TMPDIR/repo"
	mini_git "$BATS_FILE_TMPDIR/tree"
	"$BATS_FILE_TMPDIR/repo/scripts/apply" --tree "$BATS_FILE_TMPDIR/tree"
}

setup() {
	clean_environment
	mini=$BATS_TEST_TMPDIR/repo
	tree=$BATS_TEST_TMPDIR/tree
	cp -a "$BATS_FILE_TMPDIR/repo" "$mini"
	cp -a "$BATS_FILE_TMPDIR/tree" "$tree"
	refresh=$mini/scripts/refresh
	first=irqdomain/core-Introduce-a-flag.patch
	second=irqdomain/core-Inherit-the-flag.patch
	third=its/its-Set-the-flag.patch
	fourth=its/its-Bring-a-file.patch
}

teardown() {
	no_temporary_files
	[[ -z $(find "$mini" -maxdepth 1 -name '.refresh*') ]]
}

# changed: what differs from the small repo as it was, a line each: M, A or D and the file
changed() {
	{ diff -rq "$BATS_FILE_TMPDIR/repo" "$mini" || [[ $? == 1 ]]; } | sed -E \
		-e "s,^Files .* and $mini/(.*) differ$,M \1," \
		-e "s,^Only in $BATS_FILE_TMPDIR/repo/(.*): ,D \1/," \
		-e "s,^Only in $mini/(.*): ,A \1/," | sort
}

# order: the branch becomes these commits, in this order; each is known by words of its subject
order() {
	local words commits=() commit

	for words; do
		commit=$(git -C "$tree" log --format='%h %s' irq-free-bulk | grep -F "$words" | cut -d ' ' -f 1)
		[[ -n $commit ]]
		commits+=("$commit")
	done
	git -C "$tree" reset -q --hard base
	git -C "$tree" cherry-pick "${commits[@]}" >/dev/null
}

# amend N ARGUMENT...: the commit with N above it has another message, by these arguments of git commit
amend() {
	git -C "$tree" checkout -q --detach "irq-free-bulk~$1"
	git -C "$tree" commit -q --amend "${@:2}"
	git -C "$tree" cherry-pick "irq-free-bulk~$1..irq-free-bulk" >/dev/null
	git -C "$tree" checkout -q -B irq-free-bulk
}

# refused WORDS: the repo is as it was
refused() {
	try 2 "$refresh" --tree "$tree"
	says_only "$1"
	same '' "$(changed)"
}

@test "refresh: changes no byte right after apply" {
	local before

	before=$(contents "$tree")
	try 0 "$refresh" --tree "$tree"
	says_only 'refresh: 4 patches written'
	same '' "$(changed)"
	same "$before" "$(contents "$tree")"
}

@test "refresh: keeps the notes below the changelog" {
	git -C "$tree" notes add -m 'Not run on hardware.' -m 'A second paragraph.' irq-free-bulk~2
	git -C "$tree" notes add -m 'Another.' irq-free-bulk
	try 0 "$refresh" --tree "$tree"
	same "M patches/$second
M patches/$fourth" "$(changed)"
	grep -qx '    Not run on hardware.' "$mini/patches/$second"
	# From the files alone
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	git -C "$tree" update-ref -d refs/notes/commits
	cp -a "$mini/patches" "$BATS_TEST_TMPDIR/patches"
	"$mini/scripts/apply" --tree "$tree"
	same '' "$(git -C "$tree" log --format=%B --no-notes base.. | grep 'Not run')"
	try 0 "$refresh" --tree "$tree"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
	# And when the branch is edited
	git -C "$tree" rebase -q --no-ff --committer-date-is-author-date -x true base
	try 0 "$refresh" --tree "$tree"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
}

@test "refresh: the user's settings of git do not matter" {
	local setting

	for setting in format.signOff=true format.coverLetter=true format.suffix=.txt format.from=true \
		format.attach=true format.thread=true format.to=x@example.org format.headers=X-A:b \
		format.numbered=true format.signature=x format.subjectPrefix=RFC format.useAutoBase=true \
		format.encodeEmailHeaders=true format.pretty=oneline format.outputDirectory=elsewhere \
		format.filenameMaxLength=10 format.mboxrd=true log.showSignature=true \
		diff.noprefix=true diff.mnemonicPrefix=true diff.context=7 diff.interHunkContext=9 \
		diff.algorithm=patience diff.statNameWidth=8 diff.external=false diff.orderFile=/dev/null \
		diff.suppressBlankEmpty=true diff.renames=false core.abbrev=20 color.ui=always \
		core.pager=false notes.displayRef=refs/notes/x; do
		git config --global "${setting%%=*}" "${setting#*=}"
	done
	export GIT_DIR=$HOME
	cd "$BATS_TEST_TMPDIR"
	try 0 "$refresh" --tree tree
	same '' "$(changed)"
	[[ ! -e elsewhere ]]
	# A kernel developer may have them in the tree itself.
	unset GIT_DIR
	mv "$HOME/.gitconfig" "$BATS_TEST_TMPDIR/settings"
	git config --global user.name 'Some One'
	git config --file "$BATS_TEST_TMPDIR/settings" --remove-section user
	cat "$BATS_TEST_TMPDIR/settings" >>"$tree/.git/config"
	echo '*.c -diff' >"$tree/.git/info/attributes"
	mkdir -p "$HOME/.config/git"
	echo '*.c diff=python' >"$HOME/.config/git/attributes"
	export GIT_DIFF_OPTS=--unified=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=format.signOff GIT_CONFIG_VALUE_0=true
	try 0 "$refresh" --tree "$tree"
	same '' "$(changed)"
}

@test "refresh: the notes stay where git has lost them" {
	git -C "$tree" notes add -m 'Not run on hardware.' irq-free-bulk~2
	git -C "$tree" notes add -m 'Another.' irq-free-bulk
	"$refresh" --tree "$tree"
	cp -a "$mini/patches" "$BATS_TEST_TMPDIR/patches"
	# A rebase that amends by exec
	git -C "$tree" rebase -q -x 'git commit -q --amend --no-edit --date=2026-01-02T03:04:05Z' base
	try 0 "$refresh" --tree "$tree"
	says "refresh: kept the notes of $second"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
	# A branch by git am alone
	git -C "$tree" checkout -q --detach base
	git -C "$tree" branch -q -D irq-free-bulk
	git -C "$tree" update-ref -d refs/notes/commits
	git -C "$tree" checkout -q -b irq-free-bulk
	grep '^[a-z]' "$mini/series" | sed "s,^,$mini/patches/," | (cd "$tree" && xargs git am -q)
	git -C "$tree" config branch.irq-free-bulk.base base
	try 0 "$refresh" --tree "$tree"
	says "refresh: kept the notes of $fourth"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
	# By a user whose own notes are elsewhere, and whose name git does not know
	git config --global core.notesRef refs/notes/mine
	export GIT_NOTES_REF=refs/notes/others
	git config --global --remove-section user
	git config --global user.useConfigOnly true
	git -C "$tree" update-ref -d refs/notes/commits
	try 0 "$refresh" --tree "$tree"
	says "refresh: kept the notes of $fourth"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
	# Where they cannot be kept, nothing is written.
	git -C "$tree" update-ref -d refs/notes/commits
	mkdir -p "$tree/.git/refs/notes"
	: >"$tree/.git/refs/notes/commits.lock"
	try 2 "$refresh" --tree "$tree"
	says "refresh: git cannot keep the notes of $second in $tree; see the message above"
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
}

@test "refresh: what was edited by hand is not written over" {
	sed -i 's/Why it is so/By hand/' "$mini/patches/$second"
	try 2 "$refresh" --tree "$tree"
	says_only "refresh: patches/$second was changed, and not by scripts/refresh, since the branch was made"
	same "M patches/$second" "$(changed)"
	# Where the branch has the same, nothing gets lost.
	amend 2 -m "$(mini_message core 'Inherit the flag' | sed 's/Why it is so/By hand/')"
	try 0 "$refresh" --tree "$tree"
	same "M patches/$second" "$(changed)"
	# What refresh has written is known.
	git -C "$tree" commit -q --amend -m "$(mini_message its 'Bring a file')" -m 'And more.'
	try 0 "$refresh" --tree "$tree"
	# One that would go away, and the order
	sed -i 's/Why it is so/By hand/' "$mini/patches/$third"
	order 'Introduce' 'Inherit' 'Bring a'
	try 2 "$refresh" --tree "$tree"
	says_only "refresh: patches/$third was changed"
	[[ -e $mini/patches/$third ]]
	cp "$BATS_FILE_TMPDIR/repo/patches/$third" "$mini/patches/$third"
	echo '# more' >>"$mini/series"
	try 2 "$refresh" --tree "$tree"
	says_only 'refresh: series was changed'
}

@test "refresh: a commit that would be no patch is refused" {
	git -C "$tree" commit -q --allow-empty -m "$(mini_message core 'Nothing')"
	refused "refresh: commit $(git -C "$tree" rev-parse --short HEAD) changes nothing in branch irq-free-bulk of $tree, so it would be no patch"
	git -C "$tree" reset -q --hard HEAD~
	echo more >>"$tree/Kbuild"
	git -C "$tree" commit -q -a --allow-empty-message -m ''
	refused "refresh: commit $(git -C "$tree" rev-parse --short HEAD) has no subject in branch irq-free-bulk of $tree, so it would be no patch"
}

@test "refresh: odd names, and a tree that is a worktree of a shallow clone" {
	local odd=$BATS_TEST_TMPDIR/odd

	echo more >>"$tree/Kbuild"
	GIT_AUTHOR_NAME='Jürgen Groß' git -C "$tree" commit -q -a -m "$(mini_message 'a/b' "\"It's\" .. 100% ÄÖ")"
	try 0 "$refresh" --tree "$tree"
	same 'A patches/its/a-b-It-s-.-100.patch
M series' "$(changed)"
	grep -qx 'From: =?UTF-8?q?J=C3=BCrgen=20Gro=C3=9F?= <some.one@example.org>' "$mini/patches/its/a-b-It-s-.-100.patch"
	cp -a "$mini/patches" "$BATS_TEST_TMPDIR/patches"
	git clone -q --depth=1 --branch base "file://$tree" "$odd.git"
	git -C "$odd.git" worktree add -q --detach "$odd"
	"$mini/scripts/apply" --tree "$odd"
	try 0 "$refresh" --tree "$odd"
	says_only 'refresh: 5 patches written'
	diff -r "$BATS_TEST_TMPDIR/patches" "$mini/patches"
}

@test "refresh: the tree of the cache is not fetched for it" {
	try 2 "$refresh"
	says_only "refresh: no such folder: $cache/linux-$base_version"
	same 0 "$(calls_of .)"
}

@test "refresh: waits for another run on the tree" {
	begin flock "$tree/.git" bash -c ": >'$BATS_TEST_TMPDIR/held'; while [[ ! -e '$BATS_TEST_TMPDIR/go' ]]; do sleep 0.05; done"
	until_true test -e "$BATS_TEST_TMPDIR/held"
	begin "$refresh" --tree "$tree"
	until_true grep -q "^refresh: waiting for another run that uses $tree$" "$background.err"
	touch "$BATS_TEST_TMPDIR/go"
	ends_with 0
}

@test "refresh: an amended commit changes its own file" {
	change "$tree/drivers/irqchip/new.c" 1 better
	git -C "$tree" commit -q -a --amend --no-edit
	try 0 "$refresh" --tree "$tree"
	same "M patches/$fourth" "$(changed)"
	grep -qx '+a new file, better' "$mini/patches/$fourth"
}

@test "refresh: an amended message in the middle changes its own file" {
	amend 2 -m "$(mini_message core 'Inherit the flag')" -m 'And why it is so.'
	try 0 "$refresh" --tree "$tree"
	same "M patches/$second" "$(changed)"
	grep -qx 'And why it is so.' "$mini/patches/$second"
}

@test "refresh: a new commit gets the topic of the one before it" {
	echo more >>"$tree/Kbuild"
	git_commit_all "$tree" "$(mini_message kbuild 'Bring more')"
	order 'Introduce' 'Inherit' 'Bring more' 'Set the' 'Bring a'
	try 0 "$refresh" --tree "$tree"
	says 'refresh: new: irqdomain/kbuild-Bring-more.patch'
	same 'A patches/irqdomain/kbuild-Bring-more.patch
M series' "$(changed)"
	same "# what this file is

# the core
$first
$second
irqdomain/kbuild-Bring-more.patch

# the driver
$third
$fourth
# the end" "$(cat "$mini/series")"
	# And then it has its place.
	try 0 "$refresh" --tree "$tree"
	says_only 'refresh: 5 patches written'
}

@test "refresh: the file of a commit that is gone goes" {
	order 'Introduce' 'Inherit' 'Bring a'
	try 0 "$refresh" --tree "$tree"
	says "refresh: gone: $third"
	same "D patches/$third
M series" "$(changed)"
	# What was said about the driver is said before what follows.
	same "# what this file is

# the core
$first
$second

# the driver
$fourth
# the end" "$(cat "$mini/series")"
}

@test "refresh: a commit with another subject is another file, in the same place" {
	amend 3 -m "$(mini_message core 'Announce a flag')"
	try 0 "$refresh" --tree "$tree"
	same "A patches/irqdomain/core-Announce-a-flag.patch
D patches/$first
M series" "$(changed)"
	same "$(sed 's/core-Introduce/core-Announce/' "$BATS_FILE_TMPDIR/repo/series")" "$(cat "$mini/series")"
}

@test "refresh: another order is another series, and nothing else" {
	order 'Set the' 'Introduce' 'Bring a' 'Inherit'
	try 0 "$refresh" --tree "$tree"
	says_only 'refresh: 4 patches written'
	same 'M series' "$(changed)"
	# What is said about the series, or a topic, stays in front of it.
	same "# what this file is

# the driver
$third

# the core
$first
$fourth
$second
# the end" "$(cat "$mini/series")"
}

@test "refresh: another order within a topic, and comments in front of a patch and behind it" {
	sed -i -e "s,^$fourth,# in front of the last one\n&  # behind it," -e "s,^$second,&   # behind the second," "$mini/series"
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	"$mini/scripts/apply" --tree "$tree"
	cp "$mini/series" "$BATS_TEST_TMPDIR/series"
	try 0 "$refresh" --tree "$tree"
	diff "$BATS_TEST_TMPDIR/series" "$mini/series"
	order 'Inherit' 'Introduce' 'Bring a' 'Set the'
	try 0 "$refresh" --tree "$tree"
	same "# what this file is

# the core
$second   # behind the second
$first

# the driver
# in front of the last one
$fourth  # behind it
$third
# the end" "$(cat "$mini/series")"
	# Of a patch that is gone, what was said stays.
	order 'Introduce' 'Set the'
	try 0 "$refresh" --tree "$tree"
	same "# what this file is

# the core
# behind the second
$first

# the driver
# in front of the last one
# behind it
$third
# the end" "$(cat "$mini/series")"
}

@test "refresh: what it wrote can be applied again" {
	echo more >>"$tree/Kbuild"
	git_commit_all "$tree" "$(mini_message kbuild 'Bring more')"
	order 'Set the' 'Introduce' 'Bring more' 'Inherit'
	"$refresh" --tree "$tree"
	tip=$(git -C "$tree" rev-parse 'irq-free-bulk^{tree}')
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	try 0 "$mini/scripts/apply" --tree "$tree"
	same "$tip" "$(git -C "$tree" rev-parse 'irq-free-bulk^{tree}')"
}

@test "refresh: without the branch, or one that apply has not made" {
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -m irq-free-bulk own
	refused "refresh: $tree has no branch irq-free-bulk; run scripts/apply first"
	git -C "$tree" branch irq-free-bulk own
	git -C "$tree" config --unset branch.own.base
	refused "refresh: branch irq-free-bulk of $tree was not made by scripts/apply"
	git -C "$tree" config branch.irq-free-bulk.base irq-free-bulk
	refused "refresh: branch irq-free-bulk of $tree is empty"
}

@test "refresh: a branch that is not on its base any more" {
	git -C "$tree" checkout -q base
	git -C "$tree" commit -q --amend -m 'another base'
	git -C "$tree" config branch.irq-free-bulk.base base
	refused "refresh: branch irq-free-bulk of $tree is not on top of base any more"
}

@test "refresh: a merge is refused" {
	git -C "$tree" checkout -q -b side irq-free-bulk~
	echo more >>"$tree/Kbuild"
	git_commit_all "$tree" side
	git -C "$tree" checkout -q irq-free-bulk
	git -C "$tree" merge -q --no-edit side
	refused "refresh: branch irq-free-bulk of $tree has a merge; rebase it first"
}

@test "refresh: two commits of one subject are refused, since they are one file" {
	echo more >>"$tree/Kbuild"
	git_commit_all "$tree" "$(mini_message core 'Inherit the flag')"
	refused "refresh: two commits of branch irq-free-bulk of $tree have the subject of $second; change one"
}

@test "refresh: a rebase that is under way is refused" {
	run env GIT_SEQUENCE_EDITOR='sed -i 2ibreak' git -C "$tree" rebase -q -i base
	[[ -d $tree/.git/rebase-merge ]]
	refused "refresh: a git rebase is under way in $tree; run 'git rebase --continue' there first"
	git -C "$tree" rebase --continue
	try 0 "$refresh" --tree "$tree"
	same '' "$(changed)"
}

@test "refresh: a folder that is missing" {
	try 2 "$refresh" --tree "$BATS_TEST_TMPDIR/none"
	says_only "refresh: no such folder: $BATS_TEST_TMPDIR/none"
}

@test "refresh: interrupted, the repo is as it was" {
	local signal status

	for signal in INT TERM; do
		status=130
		[[ $signal == INT ]] || status=143
		rm -f "$BATS_TEST_TMPDIR/reached"
		stub git "
			[[ \$* != *format-patch* ]] || {
				$(PATH=$system_path command -v git) \"\$@\"; : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }
			exec $(PATH=$system_path command -v git) \"\$@\""
		begin "$refresh" --tree "$tree"
		until_true test -e "$BATS_TEST_TMPDIR/reached"
		kill -"$signal" -- "-$pid"
		ends_with "$status"
		rm "$stubs/git"
		same '' "$(changed)"
		[[ -z $(find "$mini" -maxdepth 1 -name '.refresh*') ]]
	done
}

@test "refresh: a git that fails changes nothing" {
	stub git "
		[[ \$* != *format-patch* ]] || { $(command -v git) \"\$@\"; exit 128; }
		exec $(command -v git) \"\$@\""
	try 2 "$refresh" --tree "$tree"
	same "refresh: git format-patch failed in $tree; see the message above" "${stderr_lines[-1]}"
	same '' "$(changed)"
}

@test "refresh: the branch of a kernel that is kept goes to patches/stable" {
	local own=patches/stable/7.1

	keep_linux "$mini"
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	older_linux "$tree"
	"$mini/scripts/apply" --tree "$tree"
	# The hashes of the files in the patch of its own, which keep_linux does not know
	"$refresh" --tree "$tree"
	cp -a "$mini" "$BATS_TEST_TMPDIR/before"
	try 0 "$refresh" --tree "$tree"
	says_only 'refresh: 4 patches written'
	diff -r "$BATS_TEST_TMPDIR/before" "$mini"
	# A new one, and another order
	echo 'more of the driver' >>"$tree/drivers/irqchip/its.c"
	git_commit_all "$tree" 'its: More'
	try 0 "$refresh" --tree "$tree"
	says 'refresh: new: stable/7.1/its-More.patch'
	grep -qx 'stable/7.1/its-More.patch' "$mini/$own/series"
	[[ -e $mini/$own/its-More.patch ]]
	# What is gone from this branch is not gone from the newest kernel.
	git -C "$tree" reset -q --hard irq-free-bulk~2
	try 0 "$refresh" --tree "$tree"
	[[ ! -e $mini/$own/its-More.patch && -e $mini/patches/$fourth ]]
	run ! grep -x "$fourth" "$mini/$own/series"
	diff -r "$BATS_FILE_TMPDIR/repo/patches/its" "$mini/patches/its"
	diff "$BATS_FILE_TMPDIR/repo/series" "$mini/series"
}

@test "refresh: what a kernel that is kept shares with the newest is not changed for it" {
	keep_linux "$mini"
	git -C "$tree" checkout -q base
	git -C "$tree" branch -q -D irq-free-bulk
	older_linux "$tree"
	"$mini/scripts/apply" --tree "$tree"
	cp -a "$mini" "$BATS_TEST_TMPDIR/before"
	# not_changed: what the last commit has become is neither written nor lost
	not_changed() {
		try 2 "$refresh" --tree "$tree"
		says_only "refresh: $fourth is for other kernels as well; have a copy of it in patches/stable/7.1, and in its series, to change it"
		diff -r "$BATS_TEST_TMPDIR/before" "$mini"
		git -C "$tree" reset -q --hard 'HEAD@{1}'
	}
	change "$tree/drivers/irqchip/new.c" 1 more
	git -C "$tree" commit -q -a --amend --no-edit
	not_changed
	# White space
	sed -i 's/a new file/a  new file/' "$tree/drivers/irqchip/new.c"
	git -C "$tree" commit -q -a --amend --no-edit
	not_changed
	# The changelog, and the notes
	git -C "$tree" commit -q --amend -m "$(git -C "$tree" log -n 1 --format=%B)" -m 'What was found on 7.1.'
	not_changed
	git -C "$tree" notes add -f -m 'What was found on 7.1.'
	git -C "$tree" commit -q --allow-empty -m empty
	git -C "$tree" reset -q --hard HEAD~
	try 2 "$refresh" --tree "$tree"
	says_only "refresh: $fourth is for other kernels as well"
}
