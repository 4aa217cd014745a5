#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kernels, with a check, a kunit and a guest that print what they are told to.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own
# shellcheck disable=SC2016 # for the scripts that stand in

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	mini_repo "$BATS_FILE_TMPDIR/repo"
	keep_linux "$BATS_FILE_TMPDIR/repo"
	mini_git "$BATS_FILE_TMPDIR/tree"
}

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	cp -a "$BATS_FILE_TMPDIR/repo" "$copy"
	kernels=$copy/scripts/kernels
	# What has come from the archive
	git clone -q "$BATS_FILE_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree"
	cat >>"$copy/scripts/lib/kernel.sh" <<-END
		tree_of() {
			git clone -q "$BATS_TEST_TMPDIR/\$([[ \$1 == 7.3 ]] && echo tree || echo older)" "\$work/\$1"
			echo "linux-source-\$1 \$(tree_says "\$1" 3)" >"\$work/\$1.package"
		}
	END
	git clone -q "$BATS_FILE_TMPDIR/tree" "$BATS_TEST_TMPDIR/older"
	older_linux "$BATS_TEST_TMPDIR/older"
	sed -i '/^tree_of() (/,/^)/d' "$kernels"
	run ! grep -q '^tree_of' "$kernels"
	replace check 'echo "ok 1 prefixes"'
	replace kunit 'printf "%s\n" "# irqdomain_free: pass:7 fail:0 skip:0 total:7" "# its: pass:3 fail:0 skip:1 total:4"'
	replace guest 'says_guest "5 of 9" "0 of 9" "2 of 4" "0 of 4"'
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { no_temporary_files; }

# replace SCRIPT TEXT: put another script of this name into the copy
replace() {
	cat >"$copy/scripts/$1" <<-END
		#!/bin/bash
		says_guest() {
			echo "not ok 1 rebind-2 stock loses: rebinds \$1 short, msi-scan: affected; WARN in x; failed: 5 of 9"
			echo "ok 2 rebind-2 patched loses nothing: rebinds \$2 short; no splat; passed: 9 of 9"
			echo "not ok 3 vectors-its stock loses: sets \$3 short; no splat; failed: 2 of 4"
			echo "ok 4 vectors-its patched loses nothing: sets \$4 short; no splat; passed: 4 of 4"
		}
		printf '%s\n' "$1 \$*" >>"$calls"
		$2
	END
	chmod +x "$copy/scripts/$1"
}

# row VERSION: its line of the table
row() { grep -E "^# $1 +\|" <<<"$output" | sed -E 's/ +/ /g'; }

# results: the lines of the last output that are results
results() { grep -E '^(ok|not ok) ' <<<"$output"; }

@test "kernels: whether each series applies, and what it does on those that are named" {
	try 0 "$kernels"
	same $'ok 1 7.3 applies\nok 2 7.1 applies' "$(results)"
	same "# 7.3 | $made_on | 4 | | | | |" "$(row 7.3)"
	same '' "$(<"$calls")"
	try 0 "$kernels" 7.1
	same 'ok 1 7.3 applies
ok 2 7.1 applies
ok 3 7.1 builds
ok 4 7.1 kunit
ok 5 7.1 guest' "$(results)"
	same '# 7.1 | 7.1.9-1 | 4 | 10 of 10 | 5 of 9 | 0 of 9 | 2 of 4 | 0 of 4' "$(row 7.1)"
	same "# 7.3 | $made_on | 4 | | | | |" "$(row 7.3)"
	same 'check --linux 7.1
kunit --linux 7.1
guest --linux 7.1 rebind-2 vectors-its' "$(<"$calls")"
	try 0 "$kernels" --quick all
	same 6 "$(results | wc -l)"
	same 1 "$(calls_of check)"
}

@test "kernels: what is not as it must be fails" {
	# As scripts/guest ends when the series loses vectors, and when stock does not show the bug
	replace guest 'says_guest "5 of 9" "1 of 9" "2 of 4" "0 of 4"; exit 1'
	try 1 "$kernels" --quick 7.1
	[[ $(results) == *'not ok 4 7.1 guest' ]]
	[[ $(row 7.1) == *'| 5 of 9 | 1 of 9 | 2 of 4 | 0 of 4' ]]
	replace guest 'says_guest "0 of 9" "0 of 9" "0 of 4" "0 of 4"; exit 1'
	try 1 "$kernels" --quick 7.1
	[[ $(row 7.1) == *'| 0 of 9 | 0 of 9 | 0 of 4 | 0 of 4' ]]
	replace guest 'says_guest "5 of 9" "0 of 9" "2 of 4" "0 of 4"'
	replace kunit 'echo "# irqdomain_free: pass:6 fail:1 skip:0 total:7"; exit 1'
	try 1 "$kernels" --quick 7.1
	[[ $(results) == *$'\nnot ok 3 7.1 kunit\nok 4 7.1 guest' ]]
	[[ $(row 7.1) == *'| 6 of 7 | 5 of 9 |'* ]]
	replace check 'echo "not ok 1 prefixes"; exit 1'
	try 1 "$kernels" 7.1
	[[ $output == *$'\n# not ok 1 prefixes\nnot ok 3 7.1 builds\n'* ]]
	# A series that does not apply any more
	change "$BATS_TEST_TMPDIR/tree/drivers/irqchip/its.c" 20 'another line'
	git_commit_all "$BATS_TEST_TMPDIR/tree" newer
	try 1 "$kernels"
	[[ $(results) == $'not ok 1 7.3 applies\nok 2 7.1 applies' ]]
	[[ $(row 7.3) == *"| none |"* ]]
}

@test "kernels: what is lost, or could not be run, was not found out" {
	replace guest 'echo "not ok 1 rebind-2 stock lost: no log"; exit 2'
	try 2 "$kernels" --quick 7.1
	[[ $(results) == *'not ok 4 7.1 guest' ]]
	same '# 7.1 | 7.1.9-1 | 4 | 10 of 10 | | | |' "$(row 7.1)"
	# Killed, without a word
	replace guest 'kill -KILL $$'
	try 2 "$kernels" --quick 7.1
	[[ $(results) == *'not ok 4 7.1 guest' ]]
	# What is skipped is no number.
	replace guest 'says_guest "5 of 9" "0 of 9" x y | sed "s/ok \([34]\) \(vectors-its [a-z]*\) .*/ok \1 \2 # SKIP too old/; s/^not ok 3/ok 3/"'
	try 0 "$kernels" --quick 7.1
	[[ $(row 7.1) == *'| 5 of 9 | 0 of 9 | - | -' ]]
}

@test "kernels: a version twice is one, and what is unknown is refused" {
	try 0 "$kernels" --quick 7.1 7.1
	same $'ok 1 7.3 applies\nok 2 7.1 applies\nok 3 7.1 kunit\nok 4 7.1 guest' "$(results)"
	try 2 "$kernels" 7.0
	says_only "no Linux '7.0'"
}

@test "kernels: interrupted and terminated, what it runs ends too" {
	local signal

	replace guest "echo \$\$ >'$BATS_TEST_TMPDIR/reached'; exec sleep 100"
	for signal in INT TERM; do
		rm -f reached
		begin "$kernels" --quick 7.1
		until_true test -s reached
		kill "-$signal" "$pid"
		ends_with "$([[ $signal == INT ]] && echo 130 || echo 143)"
		until_true eval "! kill -0 $(<reached) 2>/dev/null"
	done
}
