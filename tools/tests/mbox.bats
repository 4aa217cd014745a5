#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/mbox, on a copy of this repo with a small series and a table of its own, and on small
# trees. What it makes of this repo's series is in mails.bats.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	local repo_copy=$BATS_FILE_TMPDIR/repo base=$BATS_FILE_TMPDIR/tree

	mini_repo "$repo_copy"
	sed -i 's/^From: Some One .*/From: Free Bulk Maintainers <free-bulk@example.org>/' "$repo_copy"/patches/*/*.patch
	sed -i 's/^---$/&\n\nNotes:\n    Not run on hardware.\n/' "$repo_copy/patches/its/its-Set-the-flag.patch"
	sed -i 's/^Assisted-by: LLM$/Reported-by: Re Porter <reporter@kernel.test>\nCloses: https:\/\/a.test\/\n&\nCc: stable@vger.kernel.org # needs "x"/' \
		"$repo_copy/patches/its/its-Set-the-flag.patch"
	cat >"$repo_copy/tools/mbox/series" <<-'END'
		# NAME | VERSION | NEEDS | PATTERN...
		first  | 1 | -     | irqdomain/core-Introduce*
		second | 1 | first | repairs:its/* its/* irqdomain/*
		never  | - | -     | proof/*
	END
	printf 'The first\n\nA single patch.\n' >"$repo_copy/tools/mbox/first"
	printf 'The second\n\nThree patches.\n' >"$repo_copy/tools/mbox/second"
	printf 'DRIVERS\nF:\tdrivers/irqchip/new.c\n' >"$repo_copy/MAINTAINERS.fragment"

	mini_kernel "$base"
	mkdir "$base/scripts"
	printf 'X\nM:\tA <a@kernel.test>\nF:\tx.c\n\nDRIVERS\nM:\tB <b@kernel.test>\nF:\tdrivers/irqchip/its.c\nF:\tinclude/its.h\n\nZ\nF:\tz\n' \
		>"$base/MAINTAINERS"
	cat >"$base/scripts/get_maintainer.pl" <<-'END'
		#!/usr/bin/perl
		# By what the patch touches, as the real one prints it
		open(my $mail, '<', $ARGV[-1]) or die;
		my $text = join '', <$mail>;
		print "Core Maintainer <core\@kernel.test> (maintainer:THE CORE (OF IT))\n" if $text =~ m,b/kernel/irq,;
		print "\"Zażółć Gęślą\" <driver\@kernel.test> (maintainer:DRIVERS)\n" if $text =~ m,b/drivers,;
		print "\"A. Reviewer\" <review\@kernel.test> (reviewer:DRIVERS)\n" if $text =~ m,b/drivers,;
		print "drivers\@list.test (moderated list:DRIVERS)\nall\@list.test (open list)\n";
	END
	git -C "$base" init -q -b base
	git_commit_all "$base" base
}

setup() {
	clean_environment
	git config --global user.name 'Zoë O. Sender'
	git config --global user.email zoe@sender.test
	mini=$BATS_TEST_TMPDIR/repo
	tree=$BATS_TEST_TMPDIR/tree
	out=$BATS_TEST_TMPDIR/out
	cp -a "$BATS_FILE_TMPDIR/repo" "$mini"
	cp -a "$BATS_FILE_TMPDIR/tree" "$tree"
	me='Zoë O. Sender <zoe@sender.test>'
}

teardown() { no_temporary_files; }

# mbox STATUS [ARGUMENT...]: run it on the small tree
mbox() { try "$1" "$mini/scripts/mbox" --tree "$tree" --to-dir "$out" "${@:2}"; }

# refused STATUS WORDS [ARGUMENT...]: one line at the end, nothing on stdout, and no mails
refused() {
	mbox "$1" "${@:3}"
	[[ ${stderr_lines[-1]} == *"$2"* ]] || { echo "not the last line: $2"; return 1; }
	same '' "$output"
	[[ -z $(find "$out" -name '*.patch' 2>/dev/null) ]]
}

# header MAIL NAME: its value, on one line
header() {
	python3 - "$1" "$2" <<-'END'
		import email, email.policy, sys
		mail = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
		print(mail[sys.argv[2]])
	END
}

# am TREE SERIES...: apply their mails there, without the cover letters, which git am takes for empty patches
am() {
	local series

	for series in "${@:2}"; do
		git -C "$1" am -q "$out/$series"/000[1-9]-*.patch
	done
}

says_only_last() { same "$1" "${stderr_lines[-1]}"; }

@test "mbox: the mails, their order, and what is in them" {
	local mail

	git -C "$tree" tag v7.3
	mbox 0
	same "$out/first.mbox
$out/second.mbox" "$output"
	same 'mbox: first: 1 patch in '"$out/first"'
mbox: second: 3 patches in '"$out/second" "$stderr"
	same 'first/0001-core-Introduce-a-flag.patch
second/0000-cover-letter.patch
second/0001-its-Set-the-flag.patch
second/0002-its-Bring-a-file.patch
second/0003-core-Inherit-the-flag.patch' "$(find "$out" -name '*.patch' -printf '%P\n' | sort)"
	mail=$out/second/0001-its-Set-the-flag.patch
	same '[PATCH 1/3] its: Set the flag' "$(header "$mail" Subject)"
	same '[PATCH 0/3] The second' "$(header "$out/second/0000-cover-letter.patch" Subject)"
	same '[PATCH] core: Introduce a flag' "$(header "$out"/first/*.patch Subject)"
	same "$me" "$(header "$mail" From | tr -d '"')"
	same 'Zażółć Gęślą <driver@kernel.test>' "$(header "$mail" To)"
	same '"A. Reviewer" <review@kernel.test>, drivers@list.test, all@list.test, Re Porter <reporter@kernel.test>, stable@vger.kernel.org' \
		"$(header "$mail" Cc)"
	# The header of a mail is ASCII.
	run ! grep -P '[^\x00-\x7f]' <(sed '/^$/q' "$mail")
	same "$(header "$out/second/0000-cover-letter.patch" Message-Id)" "$(header "$mail" In-Reply-To)"
	# To whoever is it of all: nobody here
	same 'None' "$(header "$out/second/0000-cover-letter.patch" To)"
	grep -qx '    Not run on hardware.' "$mail"
	run ! grep -q 'free-bulk@example' -r "$out"
}

@test "mbox: signed, where the tip tree wants it" {
	mbox 0
	same "Reported-by: Re Porter <reporter@kernel.test>
Closes: https://a.test/
Assisted-by: LLM
Signed-off-by: $me
Cc: stable@vger.kernel.org # needs \"x\"" \
		"$(git interpret-trailers --parse <"$out/second/0001-its-Set-the-flag.patch")"
	# Somebody else's patch stays theirs.
	rm -rf "$out"
	sed -i 's/^From: Free Bulk .*/From: Some One <one@kernel.test>/' "$mini/patches/its/its-Bring-a-file.patch"
	mbox 0
	grep -qx 'From: Some One <one@kernel.test>' "$out/second/0002-its-Bring-a-file.patch"
	same "Signed-off-by: $me" "$(grep ^Signed "$out/second/0002-its-Bring-a-file.patch")"
	# Nowhere to put it
	rm -rf "$out"
	sed -i '/^Assisted-by/d' "$mini/patches/irqdomain/core-Introduce-a-flag.patch"
	refused 1 'mbox: irqdomain/core-Introduce-a-flag.patch has no Assisted-by, behind which the Signed-off-by belongs'
}

@test "mbox: git am of all makes the tree of apply, and MAINTAINERS" {
	mbox 0
	cp -a "$tree" "$tree-am"
	am "$tree-am" first second
	"$mini/scripts/apply" --tree "$tree"
	run diff -rq --exclude=.git "$tree" "$tree-am"
	same "Files $tree/MAINTAINERS and $tree-am/MAINTAINERS differ" "$output"
}

@test "mbox: the base is named when it is public, and what comes between" {
	local first

	git -C "$tree" tag v7.3
	mbox 0
	first=$(git patch-id --stable <"$out"/first/*.patch | cut -d ' ' -f 1)
	grep -qx "base-commit: $(git -C "$tree" rev-parse HEAD)" "$out"/first/*.patch
	grep -qx "base-commit: $(git -C "$tree" rev-parse HEAD)" "$out"/second/0000-*
	same "prerequisite-patch-id: $first" "$(grep -h ^prerequisite "$out"/second/*)"
	run ! grep -q 'no public commit' -r "$out"
}

@test "mbox: no base-commit that nobody can find" {
	mbox 0
	says "mbox: no base-commit: $(git -C "$tree" rev-parse HEAD | cut -c1-12) is in no tag or remote branch of $tree"
	run ! grep -q '^base-commit' -r "$out"
	grep -q 'Made on Linux 7.3.4, which is no public commit' "$out/second/0000-cover-letter.patch"
	grep -q 'Made on Linux 7.3.4, which is no public commit' "$out"/first/*.patch
}

@test "mbox: the cover letter says which series it needs, and where that is" {
	local id

	mbox 0
	id=$(header "$out"/first/*.patch Message-Id)
	grep -qxF "  https://lore.kernel.org/all/${id:1:-1}/" "$out/second/0000-cover-letter.patch"
	grep -qxF '  "core: Introduce a flag"' "$out/second/0000-cover-letter.patch"
	# Also when it is made later
	rm -rf "$out/second"
	mbox 0 second
	grep -qxF "  https://lore.kernel.org/all/${id:1:-1}/" "$out/second/0000-cover-letter.patch"
	rm -rf "$out"
	refused 2 "mbox: second needs first, whose mails are not in $out; make them first" second
	# Or it has been applied.
	git -C "$tree" apply "$mini/patches/irqdomain/core-Introduce-a-flag.patch"
	git_commit_all "$tree" 'the first one'
	mbox 0 second
	says "mbox: first is in $tree already"
	run ! grep -q 'lore.kernel.org' "$out/second/0000-cover-letter.patch"
}

@test "mbox: the cover text of a single patch stands below its ---" {
	mbox 0
	same '    A single patch.' "$(sed -n '/^---$/,/^diff/p' "$out"/first/*.patch | grep 'single')"
	run ! grep -q 'A single patch' <(sed '/^---$/q' "$out"/first/*.patch)
}

@test "mbox: a second version" {
	sed -i 's/^second | 1/second | 2/' "$mini/tools/mbox/series"
	mbox 0
	same "$out/second-v2.mbox" "${lines[1]}"
	same '[PATCH v2 1/3] its: Set the flag' "$(header "$out/second-v2/v2-0001-its-Set-the-flag.patch" Subject)"
	same '[PATCH v2 0/3] The second' "$(header "$out/second-v2/v2-0000-cover-letter.patch" Subject)"
}

@test "mbox: what was made is not made again" {
	mbox 0 first
	sed -i 's/^/x/' "$out"/first/*.patch
	mbox 2 first
	says_only_last "mbox: $out/first is there; if it was not sent, remove it to make it again"
	grep -q '^xSubject' "$out"/first/*.patch
}

@test "mbox: MAINTAINERS.fragment goes where the file comes from" {
	mbox 0
	same '+F:	drivers/irqchip/new.c' "$(grep -h '^+F:' "$out"/*/*.patch)"
	grep -q '^+F:' "$out/second/0002-its-Bring-a-file.patch"
	am "$tree" first second
	same 'DRIVERS
M:	B <b@kernel.test>
F:	drivers/irqchip/its.c
F:	drivers/irqchip/new.c
F:	include/its.h' "$(sed -n '/^DRIVERS/,/^$/p' "$tree/MAINTAINERS")"
	same 1 "$(git -C "$tree" diff HEAD~4 HEAD -- MAINTAINERS | grep -c '^[-+][^-+]')"
}

@test "mbox: a fragment that does not fit" {
	printf 'DRIVERZ\nF:\tdrivers/irqchip/new.c\n' >"$mini/MAINTAINERS.fragment"
	mbox 1
	says_only_last "mbox: MAINTAINERS.fragment does not fit $tree: its MAINTAINERS has no section 'DRIVERZ' with files"
	[[ ! -e $out/second ]]
	rm -rf "$out"
	printf 'DRIVERS\nF:\tdrivers/irqchip/old.c\n' >"$mini/MAINTAINERS.fragment"
	refused 1 'mbox: MAINTAINERS.fragment has drivers/irqchip/old.c, which no patch of the series brings'
	printf 'DRIVERS\nM:\tSome One <one@kernel.test>\n' >"$mini/MAINTAINERS.fragment"
	refused 1 'MAINTAINERS.fragment: nothing but F: is known, not M:'
	# Twice
	printf 'DRIVERS\nF:\tdrivers/irqchip/new.c\n' >"$mini/MAINTAINERS.fragment"
	printf '\nDRIVERS\nF:\ty\n' >>"$tree/MAINTAINERS"
	git_commit_all "$tree" twice
	mbox 1
	says_only_last "mbox: MAINTAINERS.fragment does not fit $tree: its MAINTAINERS has no section 'DRIVERS' with files"
}

@test "mbox: nobody's name is not sent" {
	local address

	for address in '' nobody 'free-bulk@example.org' 'me@example.com' 'me@mail.example.net' 'me@localhost' \
		'me@host.localdomain' 'me@some.host.local' 'me@x.invalid' 'me@host.example' 'm e@sender.test'; do
		git config --global user.email "$address"
		mbox 2
		says_only mbox:
		[[ $stderr == *'run git config --global user.name and user.email' ]]
		[[ ! -e $out ]]
	done
	git config --global user.email zoe@sender.test
	git config --global --unset user.name
	refused 2 'mbox: git does not know who you are; run git config --global user.name and user.email'
	# That of the tree counts.
	git -C "$tree" config user.name 'Tree Owner'
	mbox 0 first
	grep -qx 'Signed-off-by: Tree Owner <zoe@sender.test>' "$out"/first/*.patch
}

@test "mbox: a tree that is another one" {
	refused 2 'mbox: no such folder: /nowhere' --tree /nowhere
	mkdir "$BATS_TEST_TMPDIR/empty"
	refused 2 'is no kernel tree' --tree "$BATS_TEST_TMPDIR/empty"
	mini_kernel "$BATS_TEST_TMPDIR/plain"
	refused 2 'is not the top of a git tree' --tree "$BATS_TEST_TMPDIR/plain"
	# A newer one, where the lines are elsewhere
	sed -i '1i one more line' "$tree/kernel/irq/irqdomain.c"
	git_commit_all "$tree" newer
	mbox 0
	am "$tree" first second
	grep -qx 'line 20 of the core, flag' "$tree/kernel/irq/irqdomain.c"
}

@test "mbox: what does not apply, and what is there already" {
	local before

	git -C "$tree" checkout -q -b other
	change "$tree/drivers/irqchip/its.c" 20 other
	git_commit_all "$tree" other
	before=$(contents "$tree")
	mbox 1
	says_only_last "mbox: its/its-Set-the-flag.patch does not apply to $tree; bring the series there first: scripts/apply --tree DIR --3way, scripts/refresh --tree DIR"
	# Git's reason, and not its advice to go on
	same 'error: patch failed: drivers/irqchip/its.c:17
error: drivers/irqchip/its.c: patch does not apply' "$(printf '%s\n' "${stderr_lines[@]}" | grep -v '^mbox:')"
	[[ ! -e $out/second ]]
	same "$before" "$(contents "$tree")"
	rm -rf "$out"
	git -C "$tree" checkout -q base
	"$mini/scripts/apply" --tree "$tree"
	refused 1 "mbox: 1 of 1 patches of first are in $tree already"
	# Where the patch is not to blame
	git -C "$tree" checkout -q base
	stub git "[[ \" \$* \" != *' am '* ]] || { echo 'fatal: no space' >&2; exit 128; }
		exec '$(PATH=$system_path command -v git)' \"\$@\""
	mbox 1
	says 'fatal: no space'
}

@test "mbox: every patch is in a series, and those that are never sent are in none" {
	mkdir "$mini/patches/proof" "$mini/patches/more"
	sed 's/Bring a file/Prove it/; s/new\.c/proof.c/g' "$mini/patches/its/its-Bring-a-file.patch" \
		>"$mini/patches/proof/its-Prove-it.patch"
	echo proof/its-Prove-it.patch >>"$mini/series"
	mbox 0
	run ! grep -q 'Prove it' -r "$out"
	rm -rf "$out"
	refused 2 "mbox: no series 'never'; known: first second" never
	refused 2 "mbox: no series 'third'; known: first second" third
	mv "$mini/patches/proof/its-Prove-it.patch" "$mini/patches/more"
	sed -i 's/^proof/more/' "$mini/series"
	refused 2 'mbox: no series of tools/mbox/series has more/its-Prove-it.patch'
}

@test "mbox: repairs stand in front of what sets the flag" {
	sed -i 's/, sets the flag$/ IRQ_DOMAIN_FREE_BULK/' "$mini/patches/its/its-Set-the-flag.patch"
	mbox 0
	[[ -e $out/second/0001-its-Bring-a-file.patch && -e $out/second/0002-its-Set-the-flag.patch ]]
}

@test "mbox: the user's settings of git do not matter" {
	local setting

	for setting in format.signOff=true format.coverLetter=false format.suffix=.txt format.attach=true \
		format.thread=deep format.to=x@kernel.test format.headers=X-A:b format.numbered=false \
		format.signature=x format.subjectPrefix=RFC format.useAutoBase=true format.outputDirectory=elsewhere \
		am.threeWay=true apply.whitespace=error-all commit.gpgSign=true gpg.program=false \
		core.hooksPath="$HOME/hooks" diff.noprefix=true diff.context=7 core.abbrev=20 color.ui=always \
		notes.displayRef=refs/notes/x branch.second.description=x; do
		git config --global "${setting%%=*}" "${setting#*=}"
	done
	mkdir "$HOME/hooks"
	printf '#!/bin/sh\nexit 1\n' >"$HOME/hooks/pre-commit"
	chmod +x "$HOME/hooks/pre-commit"
	export GIT_DIR=$HOME
	cd "$BATS_TEST_TMPDIR"
	try 0 repo/scripts/mbox --tree tree --to-dir out
	unset GIT_DIR
	same '[PATCH 1/3] its: Set the flag' "$(header "$out/second/0001-its-Set-the-flag.patch" Subject)"
	same 1 "$(grep -c '^Signed-off-by' "$out/second/0001-its-Set-the-flag.patch")"
	run ! grep -qE 'x@kernel.test|^X-A' -r "$out"
}
