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

# own_repo: a copy of the small repo, for which a small tree is what fetch has brought, and what the
# builds have
own_repo() {
	cp -a "$mini" "$copy"
	base=$cache/linux-$base_version
	mkdir -p "$cache"
	cp -a "$BATS_FILE_TMPDIR/base" "$base"
	cp -a "$BATS_FILE_TMPDIR/base" "$cache/src"
}

warning='WARNING: CPU: 0 PID: 1 at kernel/irq/irqdomain.c:1 irq_domain_free+0x1/0x2'

# kunit STATUS ARGUMENT...: what a build needs is not used, so an apt-get that brings nothing will do;
# without root it is not even asked
kunit() {
	stub apt-get ''
	if ! try "$1" "$copy/scripts/kunit" --arch um "${@:2}"; then
		[[ $stderr != *'missing tools'* ]] || skip 'needs the packages that scripts/kunit names, or root'
		return 1
	fi
}

@test "kunit: arguments that cannot be" {
	own_repo
	try 2 "$repo/scripts/kunit" --arch sparc
	says_only "kunit: no architecture 'sparc'; known: arm64 x86_64 riscv um"
	try 2 "$repo/scripts/kunit" --tree "$base" --stock
	says_only 'kunit: --tree runs a tree as it is; leave out --stock and --variant'
	try 2 "$repo/scripts/kunit" --variant not-on-its --tree "$base"
	says_only 'kunit: --tree runs a tree as it is'
	kunit 2 --tree "$BATS_TEST_TMPDIR/none"
	says "kunit: no such folder: $BATS_TEST_TMPDIR/none"
	kunit 2 --tree "$BATS_TEST_TMPDIR"
	says "kunit: $BATS_TEST_TMPDIR is no kernel tree"
	kunit 2 --variant nope
	# It must not go on with something else.
	[[ ${stderr_lines[-1]} == "kunit: no variant 'nope'; known:"* ]]
	# Nor where a variant lacks what the series does not have: this would be all of it.
	kunit 2 --variant not-inherited
	[[ ${stderr_lines[-1]} == "kunit: variant 'not-inherited' lacks "* ]]
}

@test "kunit: a tree that has no suite" {
	own_repo
	kunit 2 --tree "$base"
	says "kunit: no suite of the series in $base for um; run scripts/apply --tree $base"
	# That of the series has none either, here.
	kunit 2
	says 'kunit: no suite of the series in'
}

# build_stub: a make that leaves what says when the options were last looked at
build_stub() {
	# shellcheck disable=SC2016 # the stub's own
	stub make 'for a; do case $a in O=*) out=${a#O=} ;; esac; done
		mkdir -p "$out/include/config" && touch "$out/include/config/auto.conf"'
}

# suite LOG STATUS: a tree with a suite, which builds, and whose kunit.py leaves LOG and ends with STATUS
suite() {
	local suite folder option

	build_stub
	read -r suite folder option < <(awk '/^[a-z].*um/ { print $1, $2, $3; exit }' "$copy/tools/kernel/suites")
	mkdir -p "$base/$folder" "$base/tools/testing/kunit"
	echo "CONFIG_$option=y" >"$base/$folder/.kunitconfig"
	echo "${1//SUITE/$suite}" >"$BATS_TEST_TMPDIR/kunit.log"
	cat >"$base/tools/testing/kunit/kunit.py" <<-END
		import shutil, sys
		build = [a.split('=')[1] for a in sys.argv if a.startswith('--build_dir=')][0]
		if sys.argv[1] == 'config':
		    open(build + '/.config', 'a')
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
    ok 2 b
# SUITE: pass:2 fail:0 skip:0 total:2
ok 1 SUITE'

@test "kunit: passes only when the suite has ended, and nothing failed" {
	own_repo
	suite "$all_passed" 0
	kunit 0 --tree "$base"
	says 'kunit: passed; the log is'
	grep 'pass:2 fail:0 skip:0 total:2' <<<"$output"
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
	grep -F "$warning" <<<"$output"
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
