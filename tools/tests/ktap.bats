#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# lib/ktap.sh: what it prints, and reads from a kernel log.

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { clean_environment; }
teardown() { no_temporary_files; }

# ktap TEXT: run it with the library
ktap() { bash -c "set -euo pipefail; . '$repo/scripts/lib/ktap.sh'; $1"; }

@test "ktap: a document" {
	try 0 ktap 'ktap_begin 2; ktap_note $'"'a table\\n\\nof two '"'; ktap_ok stock: loses 10; ktap_skip "no root" x; ktap_end'
	same "$(printf '%s\n' 'KTAP version 1' 1..2 '# a table' '#' '# of two' 'ok 1 stock: loses 10' \
		'ok 2 x # SKIP no root' '# Totals: pass:1 fail:0 skip:1')" "$output"
}

@test "ktap: a failure, a result that is missing or too much, and nothing that passed" {
	try 1 ktap 'ktap_begin 2; ktap_ok a; ktap_not_ok b; ktap_end'
	same 'not ok 2 b' "${lines[-2]}"
	try 1 ktap 'ktap_begin 2; ktap_ok a; ktap_end'
	same '# 1 results, 2 were planned' "${lines[-2]}"
	try 1 ktap 'ktap_begin 1; ktap_ok a; ktap_ok b; ktap_end'
	try 1 ktap 'ktap_begin 1; ktap_skip "no root" a; ktap_end'
	try 1 ktap 'ktap_begin 0; ktap_end'
}

@test "ktap: words that would be read as something else" {
	# shellcheck disable=SC2016 # the shell's own
	try 0 ktap 'ktap_begin 1; ktap_ok "the # of a"$(printf "\nline"); ktap_end'
	same 'ok 1 the  of a line' "${lines[2]}"
}

@test "ktap: what a suite has counted, with parameters, without, and until its end" {
	local log=$BATS_TEST_TMPDIR/log

	printf '[    1.0] %s\n' '    # Subtest: other' '    ok 1 a' 'ok 1 other' '    # Subtest: a_b' \
		'        # Subtest: sweep' '        ok 1 vectors 1' '        not ok 2 vectors 2' \
		'        ok 3 vectors 3 # SKIP no' '    # sweep: pass:1 fail:1 skip:1 total:3' '    not ok 1 sweep' \
		'    ok 2 plain' '        # Subtest: unwind' '        not ok 1 vectors 1' 'Unable to handle' >"$log"
	try 0 ktap "suite_totals '$log' a_b; suite_totals '$log' other; suite_totals '$log' none"
	same $'2/2/1\n1/0/0\n0/0/0' "$output"
}

@test "ktap: the line of a suite, which the kernel leaves out when it has a single test" {
	local log=$BATS_TEST_TMPDIR/log

	printf '%s\n' '    # Subtest: one' '        ok 1 vectors 1' '    # sweep: pass:1 fail:0 skip:0 total:1' '    ok 1 sweep' \
		'ok 1 one' '    # Subtest: bad' '    not ok 1 a' 'not ok 2 bad' '    # Subtest: none' '    ok 1 a # SKIP no' \
		'ok 3 none' '    # Subtest: two' '    ok 1 a' '    ok 2 b' '# two: pass:2 fail:0 skip:0 total:2' 'ok 4 two' \
		'    # Subtest: dies' '    ok 1 a' >"$log"
	try 0 ktap "for suite in one bad none two dies; do echo \"\$suite \$(suite_line '$log' \$suite)\"; done"
	same 'one pass:1 fail:0 skip:0 total:1
bad pass:0 fail:1 skip:0 total:1
none pass:0 fail:0 skip:1 total:1
two pass:2 fail:0 skip:0 total:2
dies ' "$output"
}
