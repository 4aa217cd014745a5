#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check and lib/build-checks.sh: what they must find, and that what could not be
# looked at is not taken for clean. No kernel is built; something small stands in for
# the tree and for the tools.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	export mini=$BATS_FILE_TMPDIR/repo
	mini_repo "$mini"
	mini_git "$BATS_FILE_TMPDIR/base"
}

# A copy of the small repo, for which a small tree is what fetch has brought, and what the builds have
setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	cp -a "$mini" "$copy"
	mkdir -p "$copy"/{.ci,tools/tests,Documentation}
	has_base "$BATS_FILE_TMPDIR/base"
	base=$cache/src
	stub codespell ''
	stub shellcheck ''
	mkdir "$base/scripts"
}

teardown() { no_temporary_files; }

# check STATUS CHECK [RESULT]: its exit code, and that its only result is RESULT
check() {
	try "$1" "$copy/scripts/check" "$2"
	same "$3 1 $2" "$(grep -E '^(not )?ok ' <<<"$output")"
}

# has_note WORDS: it is part of a comment in the output
has_note() { grep -q "^# .*$1" <<<"$output" || { echo "no comment '$1'"; return 1; }; }

# in_library COMMAND...: in a shell that has the library of the checks that build
in_library() {
	# shellcheck disable=SC2016 # the shell's own
	bash -c 'work=$1; . "$2/scripts/lib/common.sh"; . "$2/scripts/lib/series.sh"; . "$2/scripts/lib/kernel.sh"
		. "$2/scripts/lib/build-checks.sh"; bad=0; "${@:3}"; exit $bad' bash "$BATS_TEST_TMPDIR" "$copy" "$@"
}

@test "check: one KTAP document" {
	local name

	try 2 "$copy/scripts/check" --quick
	same 'KTAP version 1' "${lines[0]}"
	same 1..6 "${lines[1]}"
	same '# Totals: pass:4 fail:2 skip:0' "${lines[-1]}"
	same 6 "$(grep -cE '^(not )?ok ' <<<"$output")"
	grep -qx 'ok 2 apply' <<<"$output"
	says 'check: apply: '
	# The name of a check is no part of a name, nor a pattern.
	try 2 "$copy/scripts/check" seri
	says_only "unknown argument 'seri'"
	try 2 "$copy/scripts/check" 's.ries'
	for name in objects- objects-none objects-../builds objects-../kernels; do
		try 2 "$copy/scripts/check" "$name"
		says_only "unknown argument '$name'"
	done
	try 2 "$copy/scripts/check" --quick series
	says_only 'exclude each other'
}

@test "check series: the series and the folder name the same patches" {
	check 0 series ok
	cp "$copy/patches/its/its-Bring-a-file.patch" "$copy/patches/its/stray.patch"
	check 1 series 'not ok'
	has_note '> its/stray.patch'
	rm "$copy/patches/its/stray.patch" "$copy/patches/irqdomain/core-Inherit-the-flag.patch"
	check 1 series 'not ok'
	has_note '< irqdomain/core-Inherit-the-flag.patch'
}

@test "check series: a patch twice, no patch, no series, no folder" {
	echo its/its-Bring-a-file.patch >>"$copy/series"
	check 1 series 'not ok'
	has_note 'twice: its/its-Bring-a-file.patch'
	echo '# nothing' >"$copy/series"
	rm -rf "$copy"/patches/*
	check 2 series 'not ok'
	has_note 'series names no patch'
	rm "$copy/series"
	check 2 series 'not ok'
	cp "$mini/series" "$copy"
	rmdir "$copy/patches"
	check 1 series 'not ok'
}

@test "check series: a kernel that is kept has what the newest one has, or says why not" {
	local kept=$copy/patches/stable/7.1

	keep_linux "$copy"
	check 0 series ok
	# A patch that is gone, one that is there for nothing, and one that is not the newest's
	sed -i '/its-Bring-a-file/d' "$kept/series"
	check 1 series 'not ok'
	has_note 'patches/stable/7.1/series is not what series makes of it'
	has_note '< its/its-Bring-a-file.patch'
	cp "$kept/its-Set-the-flag.patch" "$kept/its-More.patch"
	echo stable/7.1/its-More.patch >>"$kept/series"
	check 1 series 'not ok'
	has_note '> stable/7.1/its-More.patch'
	sed -i '/its-More/d' "$kept/series"
	# Left out, with a reason
	sed -i '1i # without its/its-Bring-*:' "$kept/series"
	check 1 series 'not ok'
	has_note '< its/its-Bring-a-file.patch'
	sed -i '1s/$/ the driver has no such file/' "$kept/series"
	check 1 series 'not ok'
	has_note '> stable/7.1/its-More.patch'
	rm "$kept/its-More.patch"
	check 0 series ok
	# And said to be left out for nothing
	sed -i '1i # without pci/*: there is no PCI' "$kept/series"
	check 1 series 'not ok'
	has_note 'leaves out pci/\*, and there is no such patch'
}

@test "check series: the order for a kernel that is kept, and the patch of its own" {
	local kept=$copy/patches/stable/7.1

	keep_linux "$copy"
	sed -i 's,^stable/7.1/its-Set,its/its-Set,' "$kept/series"
	check 1 series 'not ok'
	has_note '< stable/7.1/its-Set-the-flag.patch'
	sed 's,^its/its-Set,stable/7.1/its-Set,' "$copy/series" >"$kept/series"
	sed -i -e '/its-Set/h' -e '/its-Set/d' -e '/its-Bring/G' "$kept/series"
	check 1 series 'not ok'
	has_note 'patches/stable/7.1/series is not what series makes of it'
	rm "$kept/series"
	check 2 series 'not ok'
	has_note 'patches/stable/7.1/series is missing'
}

@test "check apply: bytes that refresh would write in another way" {
	check 0 apply ok
	printf -- '-- \n2.39.5\n' >>"$copy/patches/its/its-Bring-a-file.patch"
	check 1 apply 'not ok'
	has_note 'refresh changed something right after apply'
}

@test "check apply: a series that was made on another base" {
	change "$base/Kbuild" 1 other
	sed -i '1i one more line' "$base/kernel/irq/irqdomain.c"
	git_commit_all "$base" 'another base'
	git -C "$base" update-ref refs/heads/base HEAD
	check 1 apply 'not ok'
	has_note 'the series is not made on this base'
}

@test "check tags: a tag that is missing, and a patch" {
	check 1 tags 'not ok'
	has_note "its/its-Set-the-flag.patch: Fixes: missing, a must for code in topic 'its'"
	rm "$copy/patches/its/its-Set-the-flag.patch"
	check 2 tags 'not ok'
	echo '# nothing' >"$copy/series"
	check 2 tags 'not ok'
	has_note 'series names no patch'
}

# checkpatch STATUS LINE...: what checkpatch.pl says of each patch
checkpatch() {
	{ printf 'print <<"END";\n'; printf '%s\n' "${@:2}"; printf 'END\nexit %d;\n' "$1"; } >"$base/scripts/checkpatch.pl"
}
unsigned='x.patch:1: ERROR:MISSING_SIGN_OFF: Missing Signed-off-by: line(s)'
white='x.patch:7: ERROR:TRAILING_WHITESPACE: trailing whitespace'

# The modules of Python are those of the system, which a test without them cannot install.
python_modules() {
	[[ -e /usr/lib/python3/dist-packages/ply && -e /usr/lib/python3/dist-packages/git ]] || skip 'needs python3-ply and python3-git'
}

@test "check checkpatch: only what is allowed" {
	python_modules
	checkpatch 1 "$unsigned"
	check 0 checkpatch ok
	checkpatch 1 "$unsigned" "$white"
	check 1 checkpatch 'not ok'
	has_note 'its/its-Set-the-flag.patch: ERROR: trailing whitespace'
	# It did not look.
	checkpatch 0
	check 2 checkpatch 'not ok'
	has_note 'checkpatch.pl did not look at irqdomain/core-Introduce-a-flag.patch'
	checkpatch 2 "$unsigned"
	check 2 checkpatch 'not ok'
	rm "$base/scripts/checkpatch.pl"
	check 2 checkpatch 'not ok'
}

@test "check checkpatch: a broken list of what is allowed allows nothing" {
	python_modules
	checkpatch 1 "$unsigned" "$white"
	echo 'WARNING: (' >>"$copy/tools/checkpatch/allowed"
	check 2 checkpatch 'not ok'
	has_note 'cannot search: grep'
	echo '# nothing' >"$copy/tools/checkpatch/allowed"
	check 2 checkpatch 'not ok'
	has_note 'is empty'
	rm "$copy/tools/checkpatch/allowed"
	check 2 checkpatch 'not ok'
}

@test "check spelling, scripts: what the tools find, and what is missing" {
	check 0 spelling ok
	check 0 scripts ok
	stub codespell 'echo "wrong ==> right"; exit 65'
	stub shellcheck 'echo "SC2086"; exit 1'
	check 1 spelling 'not ok'
	has_note 'wrong ==> right'
	check 1 scripts 'not ok'
	has_note SC2086
	rm -r "$copy/tools/tests"
	stub shellcheck ''
	check 1 scripts 'not ok'
}

@test "check: what the compilers say, without line numbers, and what is new in it" {
	local log=$BATS_TEST_TMPDIR/log

	printf '%s\n' '../a.c:1:2: warning: old' 'CC a.o' 'b.c:7: error: new' \
		'c.c:1:1: error: bad constant expression' >"$log"
	try 0 in_library messages "$log"
	same $'a.c: warning: old\nb.c: error: new' "$output"
	echo 'CC a.o' >"$log"
	try 0 in_library messages "$log"
	same '' "$output"
	# No log is not a log without messages.
	try 2 in_library messages "$log.none"
	says 'cannot search'

	echo 'a.c: warning: old' >"$log.before"
	try 0 in_library new_messages "$log.before" "$log.before" here
	same '' "$output"
	printf '%s\n' 'a.c: warning: old' 'b.c: error: new' >"$log.after"
	try 1 in_library new_messages "$log.before" "$log.after" here
	same $'b.c: error: new\nnew here' "$output"
	try 1 in_library new_messages "$log.before" "$log.none" here
	try 1 in_library new_messages "$log.none" "$log.after" here
}

@test "check: options that Kconfig does not take, and no configuration" {
	local out=$BATS_TEST_TMPDIR/out options=$BATS_TEST_TMPDIR/options

	mkdir "$out"
	printf '%s\n' '# which' CONFIG_A=y CONFIG_B=n >"$options"
	echo CONFIG_A=y >"$out/.config"
	try 0 in_library options_taken x "$out" "$options"
	printf '%s\n' CONFIG_A=y CONFIG_B=m >"$out/.config"
	try 1 in_library options_taken x "$out" "$options"
	same "x: Kconfig does not take 'CONFIG_B=n'" "$output"
	echo CONFIG_B=n >"$options"
	rm "$out/.config"
	try 2 in_library options_taken x "$out" "$options"
}

# kept_base: Linux 7.1 is a kernel that is kept, with what the builds have of it
kept_base() {
	local old=$BATS_TEST_TMPDIR/old

	keep_linux "$copy"
	mini_git "$old"
	: >"$old/kernel/irq/Makefile"
	: >"$old/drivers/irqchip/Makefile"
	older_linux "$old"
	git clone -q --bare "$old" "$cache/linux-7.1.git"
	git -C "$cache/linux-7.1.git" worktree add -q --detach "$cache/src-7.1" base
	# The compilers
	stub apt-get ''
}

# make_stub TEXT: for make, which knows $src and $out, makes a .config, and an object of each source but lost.c
make_stub() {
	# shellcheck disable=SC2016 # the stub's own
	stub make 'while (($#)); do
		case $1 in
		-C) src=$2 ;;
		O=*) out=${1#O=} ;;
		allnoconfig) mkdir -p "$out"; echo CONFIG_OLD=y >"$out/.config" ;;
		esac
		shift
	done
	for file in "$src"/{kernel/irq,drivers/irqchip}/*.c; do
		[[ $file != */lost.c ]] || continue
		object=$out/${file#"$src/"}
		mkdir -p "${object%/*}"
		: >"${object%.c}.o"
	done
	'"$1"
}

@test "check prefixes: one of a kernel that is kept does not build" {
	kept_base
	# What two of its files ask for is asked for once: Kconfig warns otherwise.
	tee -a "$copy"/tools/kernel/{arm64,small}.config <<<'CONFIG_TWICE=y'
	make_stub ''
	try 0 "$copy/scripts/check" --linux 7.1 prefixes
	same 'ok 1 prefixes' "$(grep -E '^(not )?ok ' <<<"$output")"
	same CONFIG_TWICE=y "$(grep TWICE "$cache/build-7.1/arm64/.config")"
	rm -r "$cache/passed"
	# The first of two patches that need each other: with both of them, it builds.
	# shellcheck disable=SC2016 # the stub's own
	make_stub 'grep -q inherited "$src/kernel/irq/irqdomain.c" || ! grep -q flag "$src/kernel/irq/irqdomain.c" ||
		{ echo "irqdomain.c:20:1: error: not inherited"; exit 2; }'
	try 1 "$copy/scripts/check" --linux 7.1 prefixes
	has_note 'irqdomain.c:20:1: error: not inherited'
	has_note "'core: Introduce a flag' does not build on what is before it"
	# shellcheck disable=SC2016 # the stub's own
	make_stub '! grep -q inherited "$src/kernel/irq/irqdomain.c" || echo "irqdomain.c:60:1: warning: inherited"'
	try 1 "$copy/scripts/check" --linux 7.1 prefixes
	has_note "new in 'core: Inherit the flag'"
	# It is the tree of that kernel, and not of the newest.
	[[ -d $cache/build-7.1/arm64 && ! -e $cache/build ]]
}

@test "check objects: each file that the series for a kernel touches is built there" {
	local build=$copy/tools/kernel/builds/x

	kept_base
	make_stub ''
	rm "$copy"/tools/kernel/builds/*
	printf '# %s\n' 'arch: arm64' 'tools: gcc=gcc' 'files: kernel/irq/* drivers/irqchip/*' >"$build"
	# It does not know the option.
	echo CONFIG_NEW=y >>"$build"
	try 0 "$copy/scripts/check" --linux 7.1 objects
	# The newest has all that is asked for.
	: >"$base/kernel/irq/Makefile"
	: >"$base/drivers/irqchip/Makefile"
	git_commit_all "$base" Makefiles
	git -C "$base" update-ref refs/heads/base HEAD
	check 1 objects 'not ok'
	has_note "x: Kconfig does not take 'CONFIG_NEW=y'"
	for line in 'since: 7.1' 'until: 7.1' 'until: 7.10'; do
		sed -i "1i # $line" "$build"
		try 0 "$copy/scripts/check" --linux 7.1 objects
		sed -i 1d "$build"
	done
	for line in 'since: 7.2' 'since: 7.10' 'until: 7.0' 'until: 6.12'; do
		sed -i "1i # $line" "$build"
		try 1 "$copy/scripts/check" --linux 7.1 objects
		has_note 'drivers/irqchip/its.c: nothing in tools/kernel/builds builds it'
		try 1 "$copy/scripts/check" --linux 7.1 objects-x
		has_note 'x: builds nothing that the series for Linux 7.1 touches'
		sed -i 1d "$build"
	done
	sed -i 's,new\.c,lost.c,g' "$copy/patches/its/its-Bring-a-file.patch"
	try 1 "$copy/scripts/check" --linux 7.1 objects
	has_note 'x: does not select drivers/irqchip/lost.c'
	# What has passed is not built again, until something changes.
	sed -i 's,lost\.c,new.c,g' "$copy/patches/its/its-Bring-a-file.patch"
	try 0 "$copy/scripts/check" --linux 7.1
	: >"$calls"
	try 0 "$copy/scripts/check" --linux 7.1
	same 0 "$(calls_of '^make')"
	try 2 "$copy/scripts/check" --linux 7.1 configs
	says_only 'leave out configs'
	try 2 "$copy/scripts/check" --linux 7.1 --quick
	says_only 'leave out --quick'
	try 2 "$copy/scripts/check" --linux 7.0
	says_only "no Linux '7.0'"
}

# odd_user: settings that git takes for the user's
odd_user() {
	git config --global commit.gpgSign true
	git config --global core.autocrlf true
	git config --global core.hooksPath "$BATS_TEST_TMPDIR/hooks"
	git config --global diff.noprefix true
	git config --global am.threeWay true
	mkdir "$BATS_TEST_TMPDIR/hooks"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/hooks/pre-commit"
	chmod +x "$BATS_TEST_TMPDIR/hooks/pre-commit"
}

@test "check: a trial: the user's git, no HOME, a space and a quote in the path, a link, CDPATH" {
	local odd="$BATS_TEST_TMPDIR/a b's repo"

	odd_user
	check 0 apply ok
	check 0 series ok
	mv "$copy" "$odd"
	copy=$odd
	check 0 apply ok
	check 1 tags 'not ok'
	ln -s "$odd/scripts/check" "$BATS_TEST_TMPDIR/link"
	cd "$odd/scripts"
	CDPATH=/ try 0 "$BATS_TEST_TMPDIR/link" series
	try 0 ./check series
	try 0 env -u HOME TERM=dumb ./check series
	try 2 env XDG_CACHE_HOME=/dev/null ./check series
	mv "$odd/scripts/lib" "$odd/scripts/lob"
	try 2 ./check series
	same '' "$output"
}

@test "check: told to end, it ends at once with what it has started" {
	python_modules
	# shellcheck disable=SC2016 # Perl's
	printf 'open(my $f, ">", "%s"); print $f $$; close $f; sleep 600;\n' "$BATS_TEST_TMPDIR/perl" >"$base/scripts/checkpatch.pl"
	for signal in INT TERM; do
		rm -f "$BATS_TEST_TMPDIR/perl"
		begin "$copy/scripts/check" checkpatch
		until_true test -s "$BATS_TEST_TMPDIR/perl"
		kill -"$signal" "$pid"
		ends_with "$([[ $signal == INT ]] && echo 130 || echo 143)"
		until_true eval "! kill -0 $(<"$BATS_TEST_TMPDIR/perl") 2>/dev/null"
		run ! grep '^\(not \)\?ok ' "$background.out"
	done
}

@test "check: told to end while it waits for the tree, it leaves nobody who waits" {
	local holder

	mkdir -p "$cache"
	flock "$cache/src.lock" sleep 600 3>&- &
	holder=$!
	until_true eval "! flock -n '$cache/src.lock' true"
	stub apt-get ''
	begin "$copy/scripts/check" kernel-doc
	# All that it starts is in its session.
	until_true pgrep -s "$pid" -x flock
	kill -TERM "$pid"
	ends_with 143
	until_true eval "! pgrep -s $pid"
	kill "$holder" "$(pgrep -P "$holder")"
}
