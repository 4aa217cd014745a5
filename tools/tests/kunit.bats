#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kunit: what it must find, what it must not, and that it does not judge what it
# cannot. No kernel is built or run; where it would do so, something small stands in.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	export mini=$BATS_FILE_TMPDIR/repo
	mini_repo "$mini"
	mini_git "$BATS_FILE_TMPDIR/base"
}

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	log=$BATS_TEST_TMPDIR/log
}

teardown() { no_temporary_files; }

# own_repo: a copy of the small repo, and a small tree of a user; another is what the builds have
own_repo() {
	cp -a "$mini" "$copy"
	base=$BATS_TEST_TMPDIR/tree
	cp -a "$BATS_FILE_TMPDIR/base" "$base"
	has_base "$base"
}

warning='WARNING: CPU: 0 PID: 1 at kernel/irq/irqdomain.c:1 irq_domain_free+0x1/0x2'

# kunit STATUS ARGUMENT...: what a build needs is not used, so an apt-get that brings nothing will do;
# without root it is not even asked
kunit() {
	stub apt-get ''
	if ! try "$1" "$copy/scripts/kunit" --kernel um "${@:2}"; then
		[[ $stderr != *'missing tools'* ]] || skip 'needs the packages that scripts/kunit names, or root'
		return 1
	fi
}

@test "kunit: arguments that cannot be" {
	own_repo
	try 2 "$repo/scripts/kunit" --kernel sparc
	says_only "kunit: no kernel 'sparc'; known: arm64 debug x86_64 riscv um bench"
	try 2 "$repo/scripts/kunit" --tree "$base" --stock
	says_only 'kunit: --tree runs a tree as it is; leave out --linux, --stock and --variant'
	try 2 "$repo/scripts/kunit" --variant not-on-its --tree "$base"
	says_only 'kunit: --tree runs a tree as it is'
	try 2 "$repo/scripts/kunit" --tree "$base" --kernel bench
	says_only 'kunit: the suites of bench come into no tree of yours; leave out --tree'
	try 2 "$repo/scripts/kunit" --build-dir "$base"
	says_only 'kunit: --build-dir is where you have built the tree that --tree names'
	try 2 "$repo/scripts/kunit" --kernel um -- -smp 4
	says_only 'kunit: um runs without QEMU'
	kunit 2 --tree "$BATS_TEST_TMPDIR/none"
	says "kunit: no such folder: $BATS_TEST_TMPDIR/none"
	kunit 2 --tree "$BATS_TEST_TMPDIR"
	says "kunit: $BATS_TEST_TMPDIR is no kernel tree"
	kunit 2 --variant nope
	# It must not go on with something else, nor ask for anything before.
	says_only "kunit: no variant 'nope'; known:"
	# Nor where a variant lacks what the series does not have: this would be all of it.
	echo 'odd -No-such-patch' >>"$copy/tools/sensitivity/variants"
	kunit 2 --variant odd
	says_only "kunit: variant 'odd' lacks 'No-such-patch', which no patch of the series has in its name"
	# A patch that is missing
	rm "$copy"/patches/its/its-Bring*
	kunit 2
	says_only 'kunit: series names its/its-Bring-a-file.patch, which is not in patches/'
}

@test "kunit: a tree that has no suite" {
	own_repo
	kunit 2 --tree "$base"
	says_only "kunit: $base has no suite of the series for um; run scripts/apply --tree $base"
	# That of the series has none either, here, and stock never has.
	kunit 2
	says "kunit: variant 'patched' has no suite of the series for um"
	kunit 2 --stock
	says 'kunit: stock has no suite; --variant unhonoured has them, and behaves like it'
	same "$output" ''
}

# build_stub: a make that leaves what says when the options were last looked at
build_stub() {
	# shellcheck disable=SC2016 # the stub's own
	stub make 'for a; do case $a in O=*) out=${a#O=} ;; esac; done
		mkdir -p "$out/include/config" && touch "$out/include/config/auto.conf"'
}

# suite LOG STATUS: a tree with a suite, which builds, and whose kunit.py leaves LOG and ends with STATUS
suite() {
	local folder

	build_stub
	read -r suite folder option < <(awk '/^[a-z].*um/ { print $1, $2, $3; exit }' "$copy/tools/kernel/suites")
	mkdir -p "$base/$folder" "$base/tools/testing/kunit"
	echo "CONFIG_$option=y" >"$base/$folder/.kunitconfig"
	echo "${1//SUITE/$suite}" >"$BATS_TEST_TMPDIR/kunit.log"
	cat >"$base/tools/testing/kunit/kunit.py" <<-END
		import shutil, sys
		build = [a.split('=')[1] for a in sys.argv if a.startswith('--build_dir=')][-1]
		open('$BATS_TEST_TMPDIR/arguments', 'w').write('\\n'.join(sys.argv[1:]) + '\\n')
		if sys.argv[1] == 'config':
		    open(build + '/.config', 'a')
		    sys.exit(0)
		if '--list_tests' in sys.argv:
		    print('Running tests with:\\n$ qemu-system-x\\n$suite.a\\n$suite.b')
		    sys.exit(0)
		if open('$BATS_TEST_TMPDIR/kunit.log').read().strip():
		    shutil.copy('$BATS_TEST_TMPDIR/kunit.log', build + '/test.log')
		sys.exit($2)
	END
}

all_passed='KTAP version 1
1..1
    # Subtest: SUITE
    ok 1 a
    # and what a test says
      which may be odd
random: crng init done
    ok 2 b
# SUITE: pass:2 fail:0 skip:0 total:2
ok 1 SUITE'

@test "kunit: passes only when the suite has ended, and nothing failed" {
	own_repo
	suite "$all_passed" 0
	kunit 0 --tree "$base"
	says 'kunit: passed; the log is'
	# The kernel's results, and what the script has to say
	same "KTAP version 1
1..2
# KUnit on um, $base
    KTAP version 1
    # Subtest: $suite
    ok 1 a
    # and what a test says
    # which may be odd
    ok 2 b
# $suite: pass:2 fail:0 skip:0 total:2
ok 1 $suite
ok 2 no splat in the kernel log
# Totals: pass:2 fail:0 skip:0" "$output"
	# What the kernel says afterwards, more of it than a pipe takes
	suite "$all_passed"$'\n'"$(seq -f '# noise %.0f' 20000)" 0
	kunit 0 --tree "$base"
	# kunit.py says that something failed.
	suite "${all_passed/pass:2 fail:0/pass:1 fail:1}" 1
	kunit 1 --tree "$base"
	says 'kunit: tests failed; the log is'
	# The guest died on its way, whatever kunit.py makes of that.
	suite "${all_passed%#*}" 0
	kunit 1 --tree "$base"
	grep 'no verdict' <<<"$output"
	says 'kunit: not every suite came to an end'
}

@test "kunit: a splat is a failure, and a run without a log is none" {
	own_repo
	suite "$all_passed"$'\n'"$warning" 0
	kunit 1 --tree "$base"
	grep -F "# $BATS_TEST_TMPDIR" <<<"$output" || grep -F "$warning" <<<"$output"
	grep -qx 'not ok 2 no splat in the kernel log' <<<"$output"
	suite '' 0
	kunit 2 --tree "$base"
	says 'kunit: the kernel did not start'
	suite '' 1
	kunit 2 --tree "$base"
}

@test "kunit: a kernel that does not build" {
	own_repo
	suite "$all_passed" 0
	stub make 'echo "its.c: error: this is a test" >&2; exit 2'
	kunit 2 --tree "$base"
	says 'its.c: error: this is a test'
	says 'kunit: the kernel did not build; see the message above'
	[[ $output != *pass:* ]]
}

@test "kunit: configures anew when there is something new to configure" {
	own_repo
	suite "$all_passed" 0
	touch -d '1 minute ago' "$base/Kconfig"
	kunit 0 --tree "$base"
	kunit 0 --tree "$base"
	same 0 "$(calls_of olddefconfig)"
	same 2 "$(calls_of '^make .* linux$')"
	touch -d '1 minute' "$base/Kconfig"
	kunit 0 --tree "$base"
	same 1 "$(calls_of '^make .* olddefconfig$')"
	same 3 "$(calls_of '^make .* linux$')"
}

@test "kunit: only a suite, the names, JUnit, and arguments for QEMU" {
	own_repo
	suite "$all_passed" 0
	kunit 2 --tree "$base" --suite 'other*'
	says "kunit: no suite 'other*'; known: $suite"
	cd "$BATS_TEST_TMPDIR"
	kunit 0 --tree "$base" --suite "${suite%?}*.a" --junit results.xml --json results.json
	grep -qxF -e "--junit=$BATS_TEST_TMPDIR/results.xml" arguments
	grep -qxF -e "--json=$BATS_TEST_TMPDIR/results.json" arguments
	same "${suite%?}*.a" "$(tail -n 1 arguments)"
	kunit 0 --tree "$base" --list
	same "$suite.a
$suite.b" "$output"
	sed -i '/Running tests with/a\    sys.exit(1)' "$base/tools/testing/kunit/kunit.py"
	kunit 2 --tree "$base" --list
	says 'the kernel did not list its tests'
	stub apt-get ''
	sed -i 's/um$/um,x86_64/' "$copy/tools/kernel/suites"
	try 0 "$copy/scripts/kunit" --kernel x86_64 --tree "$base" -- -smp 4 -name 'a b'
	grep -qxF -e "--qemu_args='-smp' '4' '-name' 'a b'" arguments
}

@test "kunit: the suites of a kernel that has sources of this repo's, on stock too" {
	own_repo
	suite "$all_passed" 0
	mkdir "$base/drivers" 2>/dev/null || :
	: >"$base/drivers/Makefile"
	: >"$base/drivers/Kconfig"
	git_commit_all "$base" tree
	rm -rf "$cache"
	has_base "$base"
	stub apt-get ''
	rm -rf "$copy/tools/bench"
	mkdir "$copy/tools/bench"
	echo CONFIG_X=y >"$copy/tools/bench/.kunitconfig"
	echo "$suite drivers/bench X bench" >"$copy/tools/kernel/suites"
	echo "other $folder $option arm64" >>"$copy/tools/kernel/suites"
	try 0 "$copy/scripts/kunit" --kernel bench --stock
	# The log is still there when another kernel is run in the same place.
	cmp "$BATS_TEST_TMPDIR/kunit.log" "$cache/logs/kunit/bench-stock.log"
	says "the log is $cache/logs/kunit/bench-stock.log"
	grep -qx "ok 1 $suite" <<<"$output"
	run ! grep -q other <<<"$output"
	[[ -e $cache/src/drivers/bench/.kunitconfig ]]
	grep -qxF -e '--kernel_args=nr_cpus=1 mem=384M slab_debug=FZP,kmalloc-*' "$BATS_TEST_TMPDIR/arguments"
}

@test "kunit: a tree that the user has built" {
	own_repo
	suite "$all_passed" 0
	mkdir -p "$base/include/config" "$BATS_TEST_TMPDIR/built"
	touch "$base/.config"
	kunit 2 --tree "$base"
	says_only "kunit: $base was built in place, so that make builds it nowhere else; --build-dir $base runs what is there"
	kunit 2 --tree "$base" --build-dir "$BATS_TEST_TMPDIR/built"
	says_only "kunit: there is no linux in $BATS_TEST_TMPDIR/built"
	touch "$BATS_TEST_TMPDIR"/built/{linux,.config}
	kunit 2 --tree "$base" --build-dir "$BATS_TEST_TMPDIR/built"
	says_only "kunit: the kernel in $BATS_TEST_TMPDIR/built was built without CONFIG_$option=y"
	echo "CONFIG_$option=y" >"$BATS_TEST_TMPDIR/built/.config"
	: >"$calls"
	kunit 0 --tree "$base" --build-dir "$BATS_TEST_TMPDIR/built"
	says "kunit: passed; the log is $BATS_TEST_TMPDIR/built/test.log"
	same 0 "$(calls_of '^make')"
	same "CONFIG_$option=y" "$(cat "$BATS_TEST_TMPDIR/built/.config")"
}

@test "kunit: with a tree of the user's, nothing is waited for and nothing fetched" {
	own_repo
	suite "$all_passed" 0
	rm -rf "$cache"
	mkdir -p "$cache"
	exec {fd}>"$cache/src.lock"
	flock "$fd"
	kunit 0 --tree "$base"
	[[ ! -e $cache/src ]]
	same 0 "$(calls_of apt-get)"
}

@test "kunit: an older tree is configured and run as --linux does it" {
	own_repo
	suite "$all_passed" 0
	git_commit_all "$base" suite
	rm -rf "$cache"
	has_base "$base"
	sed -i 's/^PATCHLEVEL = 3/PATCHLEVEL = 1/' "$base/Makefile"
	# What it has itself would refuse options that it does not know.
	echo 'raise SystemExit("too old")' >"$base/tools/testing/kunit/kunit.py"
	kunit 0 --tree "$base"
	grep -q '^# KUnit on um, .*, Linux 7.1.4$' <<<"$output"
	# A newer one has a kunit.py that is new enough.
	sed -i 's/^PATCHLEVEL = 1/PATCHLEVEL = 4/' "$base/Makefile"
	kunit 2 --tree "$base"
	says 'too old'
}

@test "kunit: says when the branch has what patches/ have not" {
	own_repo
	# A suite that the series brings
	suite "$all_passed" 0
	git_commit_all "$base" suite
	rm -rf "$cache"
	has_base "$base"
	kunit 0
	run ! says 'other code'
	git -C "$cache/linux-$base_version.git" worktree add -q "$cache/linux-$base_version" base
	"$copy/scripts/apply"
	kunit 0
	run ! says 'other code'
	change "$cache/linux-$base_version/kernel/irq/irqdomain.c" 3 edited
	kunit 0
	says 'has changes that are not committed'
	git -C "$cache/linux-$base_version" commit -q -a -m 'core: Edit'
	kunit 0
	says "kunit: the branch irq-free-bulk in $cache has other code than patches/, which is tested; scripts/refresh writes it there"
	"$copy/scripts/refresh"
	kunit 0
	run ! says 'other code'
}

@test "kunit: told to end, it ends at once with what it has started" {
	local signal status end

	own_repo
	suite "$all_passed" 0
	stub apt-get ''
	cat >"$base/tools/testing/kunit/kunit.py" <<-END
		import subprocess, sys
		if sys.argv[1] == 'config':
		    sys.exit(0)
		guest = subprocess.Popen(['sleep', '100'])
		open('$BATS_TEST_TMPDIR/guest', 'w').write(str(guest.pid))
		guest.wait()
	END
	for signal in INT TERM; do
		status=143
		[[ $signal == TERM ]] || status=130
		rm -f "$BATS_TEST_TMPDIR/guest"
		begin "$copy/scripts/kunit" --kernel um --tree "$base"
		until_true eval "[[ -s $BATS_TEST_TMPDIR/guest ]] || ! kill -0 $pid 2>/dev/null"
		[[ -e $BATS_TEST_TMPDIR/guest ]] || skip 'needs the packages that scripts/kunit names, or root'
		kill -$signal "$pid"
		ends_with $status
		until_true eval "! kill -0 $(<"$BATS_TEST_TMPDIR/guest") 2>/dev/null"
	done
}

@test "kunit: a build shows that it goes on" {
	own_repo
	suite "$all_passed" 0
	# shellcheck disable=SC2016 # the stub's own
	stub make 'for a; do case $a in O=*) out=${a#O=} ;; esac; done
		mkdir -p "$out/include/config" && touch "$out/include/config/auto.conf"
		echo "make[1]: Entering directory x"; for i in {1..501}; do echo "  CC      a/$i.o"; done; echo "its.c:1: warning: odd" >&2'
	kunit 0 --tree "$base"
	says 'kunit: 250 steps of the build'
	says 'kunit: 500 steps of the build'
	says 'its.c:1: warning: odd'
	run ! says 'Entering'
}
