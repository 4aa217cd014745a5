#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/test, with steps that take no time: what it adds up, records, and stops. The
# kernel's own kunit.py counts, from the tree that the user has.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	copy_repo "$copy"
	mkdir -p "$copy/Documentation/results" "$copy/tools/tests" "$cache/src/tools/testing"
	: >"$cache/src/.git"
	echo 'the audit' >"$copy/Documentation/results/audit.txt"
	kunit=$user_cache/src/tools/testing/kunit
	[[ -e $kunit/kunit.py ]] || skip "needs the kernel's kunit.py, which scripts/fetch brings"
	cp -r "$kunit" "$cache/src/tools/testing"
	stub spatch :
	while read -r program _; do
		stub "$program" 'echo QEMU of a test'
	done < <(grep -oE 'qemu-system-[a-z0-9_]+ -machine' "$copy/tools/machines")
	stub gcc 'echo gcc of a test'
	# shellcheck disable=SC2016 # for the stub
	stub gnuplot 'cp two.txt two.svg'
	: >"$copy/tools/steps"
}

teardown() { no_temporary_files; }

# has_step NAME FORM TEXT [STATUS]: a step whose script prints TEXT and ends with STATUS
has_step() {
	echo "$1 $2 $1" >>"$copy/tools/steps"
	printf '#!/bin/bash\ncat <<"END"\n%s\nEND\necho "words of %s" >&2\nexit %s\n' "$3" "$1" "${4-0}" >"$copy/scripts/$1"
	chmod +x "$copy/scripts/$1"
}

# has_line LINE: it is a line of the output
has_line() { grep -qxF -e "$1" <<<"$output" || { echo "no line '$1'"; return 1; }; }

ktap='KTAP version 1'
two_of_three="$ktap
1..3
ok 1 a
ok 2 b # SKIP no root
ok 3 c"
nested="$ktap
1..2
    $ktap
    # Subtest: irqdomain_free
    1..2
    ok 1 x
    ok 2 y
ok 1 irqdomain_free
# a table
ok 2 no splat"

@test "test: adds up what passed, failed and was skipped" {
	has_step one short "$two_of_three"
	has_step two both "$nested"
	has_step three long "$two_of_three"
	try 0 "$copy/scripts/test"
	same '5 passed, 0 failed, 1 skipped' "${lines[-1]}"
	has_line '1..2'
	has_line '    # Subtest: one'
	has_line '        ok 2 y'
	says 'test: one: begins'
	says 'one: words of one'
	# What they printed is kept
	same "$nested" "$(<"$cache/logs/test/two.ktap")"
	same 'words of two' "$(<"$cache/logs/test/two.log")"

	# A result that failed, and one that is missing
	has_step four short "$ktap"$'\n1..3\nok 1 a\nnot ok 2 b' 1
	try 1 "$copy/scripts/test"
	same '6 passed, 2 failed, 1 skipped' "${lines[-1]}"
	grep -qE '^not ok [0-9] four$' <<<"$output"
	grep -qE '^# four +1 passed, 2 failed, 0 skipped$' <<<"$output"
}

@test "test: a step that says by its status alone that it failed" {
	has_step one short "$two_of_three"
	has_step two short "$two_of_three" 2
	try 1 "$copy/scripts/test"
	same '4 passed, 1 failed, 2 skipped' "${lines[-1]}"
	grep -qE '^not ok [0-9] two$' <<<"$output"
	grep -F "# exit code 2; what it said is in $cache/logs/test/two.log" <<<"$output"
}

@test "test: a step that was killed, printed no KTAP, or is not there" {
	has_step one short "$two_of_three"
	has_step two short 'all is well'
	has_step three short "$ktap"$'\n1..2\nok 1 a'
	sed -i 's/^exit 0/kill -KILL $$/' "$copy/scripts/three"
	has_step four short ''
	: >"$copy/scripts/four"
	echo 'five short nowhere' >>"$copy/tools/steps"
	try 1 "$copy/scripts/test"
	# a, c and the skipped b of one; three has a, a result that is missing
	same '3 passed, 4 failed, 1 skipped' "${lines[-1]}"
	has_line '# all is well'
	grep -qE '^not ok [0-9] two$' <<<"$output"
	grep -qE '^not ok [0-9] three$' <<<"$output"
	grep -qE '^not ok [0-9] four$' <<<"$output"
	grep -qE '^not ok [0-9] five$' <<<"$output"
}

@test "test: more results than planned, no plan, and a kernel's last words hide nothing" {
	has_step one short "$ktap"$'\n1..1\nok 1 a\nnot ok 2 b'
	has_step two short "$ktap"$'\nok 1 a\nnot ok 2 b'
	has_step three short "$ktap"$'\n1..1\n# reboot: System halted\nok 1 a'
	has_step four short "$ktap"$'\n1..1\nnot ok 1 a' 1
	try 1 "$copy/scripts/test"
	same '1 passed, 3 failed, 0 skipped' "${lines[-1]}"
	grep -F '2 results, and 1 were planned' <<<"$output"
	grep -F 'no plan' <<<"$output"
}

@test "test: nothing passed is no success" {
	has_step one short "$ktap"$'\n1..1\nok 1 a # SKIP no root'
	try 1 "$copy/scripts/test"
	same '0 passed, 0 failed, 1 skipped' "${lines[-1]}"
}

@test "test: the scripts' own tests are a step" {
	[[ -e /usr/lib/git-core/git-send-email && -e /usr/share/perl5/Mail/Address.pm ]] ||
		skip "git-email is missing; scripts/test installs it"
	stub b4 :
	echo 'tests short bats' >"$copy/tools/steps"
	mkdir "$cache/linux-$base_version"
	stub bats 'printf "%s\n" 1..3 "ok 1 a # b" "ok 2 b # skip no root" "not ok 3 c" "# ok 1 d"; exit 1'
	try 1 "$copy/scripts/test"
	same '1 passed, 1 failed, 1 skipped' "${lines[-1]}"
	same "bats --formatter tap $copy/tools/tests" "$(<"$calls")"
}

@test "test: JUnit" {
	has_step one short "$two_of_three"
	has_step two short "$nested"
	cd "$BATS_TEST_TMPDIR"
	try 0 "$copy/scripts/test" --junit 'results of it.xml'
	python3 - "$BATS_TEST_TMPDIR/results of it.xml" <<-'END'
		import sys, xml.etree.ElementTree as tree
		top = tree.parse(sys.argv[1]).getroot()
		assert top.attrib['tests'] == '6' and top.attrib['skipped'] == '1', top.attrib
		assert sorted(s.attrib['name'] for s in top) == ['one', 'two']
	END
	try 2 "$copy/scripts/test" --junit "$BATS_TEST_TMPDIR/none/x.xml"
	same "test: cannot write to $BATS_TEST_TMPDIR/none/x.xml" "${stderr_lines[-1]}"
}

@test "test: named steps, by the whole name" {
	has_step one short "$two_of_three"
	has_step onetwo short "$nested"
	has_step three long "$nested"
	try 0 "$copy/scripts/test" one
	same '2 passed, 0 failed, 1 skipped' "${lines[-1]}"
	try 2 "$copy/scripts/test" 'on.'
	says_only "test: no step 'on.'; known: one onetwo"
	try 2 "$copy/scripts/test" three
	says_only "test: no step 'three'; known: one onetwo"
	try 2 "$copy/scripts/test" --record one
	says_only "test: no step 'one'; known: three"
}

@test "test: the scripts' own tests have the tree of scripts/fetch" {
	has_step tests short "$two_of_three"
	try 2 "$copy/scripts/test"
	says 'test: apt cannot say what archive it uses; see the message above'
	stub apt-get :
	try 2 "$copy/scripts/test"
	says "this machine's apt has no Debian archive"
	mkdir "$cache/linux-$base_version"
	try 0 "$copy/scripts/test"
}

@test "test: lines of one step and form take turns by the day" {
	local day

	has_step one short "$two_of_three"
	printf '%s\n' 'turn short say a' 'turn short say b' 'turn long say c' >>"$copy/tools/steps"
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/bash\nprintf "%%s\\n" "KTAP version 1" 1..1 "ok 1 $1"\n' >"$copy/scripts/say"
	chmod +x "$copy/scripts/say"
	for day in 0 1 2; do
		stub date "echo $((day * 86400 + 86399))"
		try 0 "$copy/scripts/test" turn
		case $day in
		0 | 2) says 'test: turn: today the line 1 of 2: say a'; has_line '    ok 1 a' ;;
		1) says 'test: turn: today the line 2 of 2: say b'; has_line '    ok 1 b' ;;
		esac
	done
	try 0 "$copy/scripts/test" --record
	has_line '    ok 1 c'
}

@test "test: records what the long forms print, without what the kernel prints" {
	has_step one short "$two_of_three"
	has_step two long "$nested"
	try 0 "$copy/scripts/test" --record
	[[ ! -e $copy/Documentation/results/one.txt ]]
	same "$(printf '%s\n' '$ scripts/two' "$ktap" 1..2 'ok 1 irqdomain_free' '# a table' 'ok 2 no splat' '' \
		'exit code 0' 'QEMU of a test, gcc of a test' \
		"patches $(cd "$copy" && for f in patches/*/*.patch; do sed '1,/^diff --git /d' "$f"; done | sha256sum | cut -c1-16)")" \
		"$(<"$copy/Documentation/results/two.txt")"
	# Another word is not another hash, and another change is.
	cp "$copy/Documentation/results/two.txt" "$BATS_TEST_TMPDIR/two.txt"
	patch=$(find "$copy/patches" -name '*-v5-Free-*.patch')
	sed -i 's/^Subject: .*/& anew/' "$patch"
	try 0 "$copy/scripts/test" --record
	cmp "$copy/Documentation/results/two.txt" "$BATS_TEST_TMPDIR/two.txt"
	sed -i 's/^+.*IRQ_DOMAIN_FREE_BULK/& | 1/' "$patch"
	try 0 "$copy/scripts/test" --record
	run ! cmp -s "$copy/Documentation/results/two.txt" "$BATS_TEST_TMPDIR/two.txt"
	# A patch for a kernel that is kept is one of a result whose command names that.
	echo 'kept long two 6.1' >>"$copy/tools/steps"
	try 0 "$copy/scripts/test" --record
	cp "$copy"/Documentation/results/{kept,two}.txt "$BATS_TEST_TMPDIR"
	run ! diff <(tail -n 1 "$BATS_TEST_TMPDIR/kept.txt") <(tail -n 1 "$BATS_TEST_TMPDIR/two.txt")
	patch=$(find "$copy/patches/stable/6.12" -name 'genirq-*-Free-*.patch')
	sed -i 's/^+.*IRQ_DOMAIN_FREE_BULK/& | 1/' "$patch"
	try 0 "$copy/scripts/test" --record
	cmp "$copy/Documentation/results/kept.txt" "$BATS_TEST_TMPDIR/kept.txt"
	patch=$(find "$copy/patches/stable/6.1" -name 'genirq-*-Free-*.patch')
	sed -i 's/^+.*IRQ_DOMAIN_FREE_BULK/& | 1/' "$patch"
	try 0 "$copy/scripts/test" --record
	run ! cmp -s "$copy/Documentation/results/kept.txt" "$BATS_TEST_TMPDIR/kept.txt"
	cmp "$copy/Documentation/results/two.txt" "$BATS_TEST_TMPDIR/two.txt"
	# It is drawn where there is something that does.
	[[ ! -e $copy/Documentation/results/two.svg ]]
	: >"$copy/tools/plot/two.gp"
	try 0 "$copy/scripts/test" --record
	cmp "$copy/Documentation/results/two.txt" "$copy/Documentation/results/two.svg"
	same "gnuplot $copy/tools/plot/two.gp" "$(grep gnuplot "$calls")"
	# A failure is a result, too. What could not be run is none.
	has_step two long "$ktap"$'\n1..1\nnot ok 1 a' 1
	try 1 "$copy/scripts/test" --record two
	grep -qx 'exit code 1' "$copy/Documentation/results/two.txt"
	has_step two long "$nested" 2
	try 1 "$copy/scripts/test" --record two
	grep -qx 'exit code 1' "$copy/Documentation/results/two.txt"
}

@test "test: what has passed is not run again for the record until something changes" {
	has_step one both "$two_of_three"
	has_step two long "$nested"
	try 0 "$copy/scripts/test" one
	try 0 "$copy/scripts/test" --record
	says 'test: one: has passed on'
	says 'words of two'
	[[ $stderr != *'words of one'* ]]
	grep -qx 'ok 3 c' "$copy/Documentation/results/one.txt"
	# Interrupted, or failed: again. The other one is not.
	has_step one both "$two_of_three" 1
	try 1 "$copy/scripts/test" --record one
	try 1 "$copy/scripts/test" --record
	says 'words of one'
	says 'words of two'
	try 1 "$copy/scripts/test" --record
	says 'words of one'
	says 'test: two: has passed on'
	# Another patch, another command
	echo >>"$(find "$copy/patches" -name '*-v5-Free-*.patch')"
	try 1 "$copy/scripts/test" --record
	says 'words of two'
	sed -i 's/^two long two/& --all/' "$copy/tools/steps"
	try 1 "$copy/scripts/test" --record
	says 'words of two'
	# Another compiler
	try 1 "$copy/scripts/test" --record
	says 'test: two: has passed on'
	stub gcc 'echo gcc of another test'
	try 1 "$copy/scripts/test" --record
	says 'words of two'
	# Another table of msi-scan
	try 1 "$copy/scripts/test" --record
	says 'test: two: has passed on'
	echo 'driver x' >"$copy/Documentation/results/audit.txt"
	try 1 "$copy/scripts/test" --record
	says 'words of two'
	# Without a record, all are run.
	try 1 "$copy/scripts/test"
	says 'words of one'
}

# old_root VERSION: QEMU from the archive is there, and is this one
old_root() {
	local root=$cache/qemu-11

	mkdir -p "$root"/usr/{bin,lib/x86_64-linux-gnu}
	printf '#!/bin/sh\necho "QEMU %s (a 1:2)"\n' "$1" >"$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
	: >"$root/usr/bin/qemu-system-aarch64"
	chmod +x "$root"/usr/{bin,lib/x86_64-linux-gnu}/*
}

@test "test: what has passed is run again when another QEMU would run it" {
	old_root 11.1.3
	has_step one long "$nested"$'\n# on QEMU of a test: a b\n# on QEMU 11.1.3 (a 1:2): c'
	has_step two long "$nested"
	grep -q 'qemu-system-riscv64 -machine' "$copy/tools/machines"
	try 0 "$copy/scripts/test" --record
	same 'QEMU of a test, QEMU 11.1.3 (a 1:2), gcc of a test' "$(tail -n 2 "$copy/Documentation/results/one.txt" | head -n 1)"
	same 'QEMU of a test, gcc of a test' "$(tail -n 2 "$copy/Documentation/results/two.txt" | head -n 1)"
	try 0 "$copy/scripts/test" --record
	says 'test: one: has passed on'
	says 'test: two: has passed on'
	# The newer one, for what it ran; and when it is gone
	old_root 11.2.0
	try 0 "$copy/scripts/test" --record
	says 'words of one'
	says 'test: two: has passed on'
	rm -r "$cache/qemu-11"
	try 0 "$copy/scripts/test" --record
	says 'words of one'
	says 'test: two: has passed on'
	# The machine's own, also if it is not that of arm64
	old_root 11.1.3
	try 0 "$copy/scripts/test" --record
	says 'test: one: has passed on'
	stub qemu-system-riscv64 'echo another QEMU'
	try 0 "$copy/scripts/test" --record
	says 'words of one'
	says 'words of two'
	same 'QEMU of a test, another QEMU, gcc of a test' "$(tail -n 2 "$copy/Documentation/results/two.txt" | head -n 1)"
}

@test "test: what was skipped for want of a QEMU is counted, and has not passed" {
	has_step one long "$ktap"$'\n1..2\nok 1 a\nok 2 b # SKIP QEMU 11 is not to be had: no network'
	has_step two long "$two_of_three"
	try 0 "$copy/scripts/test" --record
	same '3 passed, 0 failed, 2 skipped' "${lines[-1]}"
	grep -qx 'ok 2 b # SKIP QEMU 11 is not to be had: no network' "$copy/Documentation/results/one.txt"
	try 0 "$copy/scripts/test" --record
	says 'words of one'
	says 'test: two: has passed on'
	# A step of which nothing could be run
	has_step three long "$ktap"$'\n1..1\nok 1 a # SKIP QEMU 11 is not to be had: no network' 2
	try 1 "$copy/scripts/test" --record
	same '3 passed, 1 failed, 3 skipped' "${lines[-1]}"
	[[ ! -e $copy/Documentation/results/three.txt ]]
}

@test "test: what is kept must be what the step prints" {
	has_step one kept "$two_of_three"
	try 1 "$copy/scripts/test"
	same '2 passed, 1 failed, 1 skipped' "${lines[-1]}"
	try 0 "$copy/scripts/test" --record
	try 0 "$copy/scripts/test"
	same '2 passed, 0 failed, 1 skipped' "${lines[-1]}"
	sed -i 's/ok 3 c/ok 3 d/' "$copy/Documentation/results/one.txt"
	try 1 "$copy/scripts/test"
	same '2 passed, 1 failed, 1 skipped' "${lines[-1]}"
	has_line '# < ok 3 d'
	has_line '# > ok 3 c'
	# The versions may be others.
	try 0 "$copy/scripts/test" --record
	sed -i 's/QEMU of a test/another QEMU/' "$copy/Documentation/results/one.txt"
	try 0 "$copy/scripts/test"
}

@test "test: without its steps, or a parser, it says nothing" {
	try 2 "$copy/scripts/test"
	says_only "test: $copy/tools/steps is empty"
	rm "$copy/tools/steps"
	try 2 "$copy/scripts/test"
	[[ $output != *passed* ]]
	has_step one short "$two_of_three"
	rm "$cache/src/tools/testing/kunit/kunit.py"
	try 2 "$copy/scripts/test"
	says 'kunit.py is missing'
	echo 'import sys; sys.exit(1)' >"$cache/src/tools/testing/kunit/kunit.py"
	try 2 "$copy/scripts/test"
	says 'kunit.py cannot read'
	[[ $output != *' passed, '* ]]
}

# sleeper NAME [TRAP]: a step that begins and does not end by itself, and has a child in its group
sleeper() {
	echo "$1 short $1" >>"$copy/tools/steps"
	printf '#!/bin/bash\n%s\nsleep 600 &\necho $! >%s.child\ntouch %s\nwhile :; do sleep 0.1; done\n' \
		"${2-}" "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$1" >"$copy/scripts/$1"
	chmod +x "$copy/scripts/$1"
}

# gone NAME: its child is no process any more
gone() { ! kill -0 "$(<"$BATS_TEST_TMPDIR/$1.child")" 2>/dev/null; }

@test "test: two steps at once, and none is left when it is interrupted" {
	local signal

	sleeper one "trap 'touch $BATS_TEST_TMPDIR/one.stopped; exit 143' TERM"
	sleeper two
	sleeper three
	for signal in INT TERM; do
		begin "$copy/scripts/test"
		until_true test -e "$BATS_TEST_TMPDIR/one"
		until_true test -e "$BATS_TEST_TMPDIR/two"
		sleep 0.5
		[[ ! -e $BATS_TEST_TMPDIR/three ]]
		kill -"$signal" "$pid"
		ends_with "$([[ $signal == INT ]] && echo 130 || echo 143)"
		[[ -e $BATS_TEST_TMPDIR/one.stopped && ! -e $BATS_TEST_TMPDIR/three ]]
		until_true gone one
		until_true gone two
		run ! grep -q ' passed, ' "$background.out"
		rm -f "$BATS_TEST_TMPDIR"/{one,two}{,.child} "$BATS_TEST_TMPDIR/one.stopped"
	done
}

@test "test: a step that has begun at the moment of the signal is stopped" {
	sleeper one
	sed -i 's/^\trunning\[[$]!\]=/\tkill -TERM $$\n&/' "$copy/scripts/test"
	grep -q 'kill -TERM [$][$]' "$copy/scripts/test"
	begin "$copy/scripts/test"
	ends_with 143
	until_true eval "! pgrep -s $pid >/dev/null"
}

@test "test: a trial: no HOME, a space and a quote in the path, a link, CDPATH, no cache" {
	local odd="$BATS_TEST_TMPDIR/a b's repo"

	has_step one short "$two_of_three"
	mv "$copy" "$odd"
	ln -s "$odd/scripts/test" "$BATS_TEST_TMPDIR/link"
	cd "$odd/scripts"
	CDPATH=/ try 0 "$BATS_TEST_TMPDIR/link"
	try 0 env -u HOME TERM=dumb ./test --junit "$BATS_TEST_TMPDIR/x y.xml"
	[[ -s "$BATS_TEST_TMPDIR/x y.xml" ]]
	try 2 env XDG_CACHE_HOME=/dev/null ./test
	says 'cannot write to /dev/null/irq-free-bulk'
	try 2 ./test --junit
	says_only "test: --junit needs a value"
	mv "$odd/scripts/lib" "$odd/scripts/lob"
	try 2 ./test
	same '' "$output"
}

@test "test: another run waits, and does not touch what the first one keeps" {
	local first

	sleeper one
	begin "$copy/scripts/test"
	first=$pid
	until_true test -e "$BATS_TEST_TMPDIR/one"
	begin "$copy/scripts/test"
	until_true grep -q 'waiting for another run that uses test' "$background.err"
	[[ -e $cache/logs/test/one.log ]]
	kill -TERM "$pid"
	ends_with 143
	[[ -e $cache/logs/test/one.log ]]
	kill -0 "$first"
	pid=$first
	kill -TERM "$pid"
	ends_with 143
	until_true gone one
}
