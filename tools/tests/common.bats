#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What every script has from scripts/lib/common.sh: what is done at its end, and what it stops then.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { clean_environment; }

teardown() { no_temporary_files; }

# script TEXT: make $script, which has the library and does that
script() {
	script=$BATS_TEST_TMPDIR/script
	printf '. "%s/scripts/lib/common.sh"\n%s\n' "$repo" "$1" >"$script"
}

@test "common: what fails at the end keeps nothing from being done, and is no exit code" {
	# shellcheck disable=SC2016 # for the script
	script 'one() { echo one; }; two() { false; echo two; }; at_exit one; at_exit two; exit "$1"'
	try 0 bash "$script" 0
	same $'two\none' "$output"
	try 1 bash "$script" 1
	same $'two\none' "$output"
}

@test "common: what has begun at the moment of the signal is stopped" {
	# shellcheck disable=SC2016 # for the script
	script 'set -T; trap '\''[[ $BASH_COMMAND != "set +m" ]] || kill -TERM $$'\'' DEBUG; supervise sleep 100'
	begin bash "$script"
	ends_with 143
	until_true eval "! pgrep -s $pid >/dev/null"
}

@test "common: what is supervised is stopped with all that it has started, and its exit code is kept" {
	script 'supervise bash -c "sleep 100 & sleep 100"'
	begin bash "$script"
	until_true eval "(( \$(pgrep -c -s $pid sleep) == 2 ))"
	kill -TERM "$pid"
	ends_with 143
	until_true eval "! pgrep -s $pid >/dev/null"
	script 'supervise bash -c "exit 7"'
	try 7 bash "$script"
}
