#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/splat: what it finds, what it leaves out, and what it cannot judge.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	mkdir -p "$copy/tools"
	cp -r "$repo/scripts" "$copy"
	cp -r "$repo/tools/splat" "$copy/tools"
	splat=$copy/scripts/splat
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { no_temporary_files; }

# verdict LOG: clean, or splat and the numbers of the lines
verdict() {
	local found status=0

	found=$("$splat" "$1" 2>&1) || status=$?
	case $status in
	0) echo clean ;;
	1) echo "splat $(cut -d : -f 2 <<<"$found" | paste -sd ' ')" ;;
	*) echo "cannot judge" ;;
	esac
}

# expressions FILE: what a file of tools/splat has
expressions() { sed -e '/^#/d' -e '/^$/d' -e 's/  # .*//' "$copy/tools/splat/$1"; }

# lone FILE LINES: each expression of FILE is the only one of it that matches some of the LINES
lone() {
	local list i

	mapfile -t list < <(expressions "$1")
	((${#list[@]}))
	for i in "${!list[@]}"; do
		printf '%s\n' "${list[@]:0:i}" "${list[@]:i+1}" | sed '/^$/d' >others
		grep -Ea -e "${list[i]}" "$2" | grep -qvEa -f others || { echo "$1: no case for '${list[i]}' alone"; return 1; }
	done
}

@test "splat: the verdict on each log of tools/splat/cases" {
	local dir count=0

	for dir in "$repo"/tools/splat/cases/*/; do
		echo "$dir"
		same "$(<"$dir/expected")" "$(verdict "$dir/log")"
		count=$((count + 1))
	done
	((count >= 13))
}

@test "splat: no expression is without a case, and none without a reason" {
	cat "$repo"/tools/splat/cases/*/log | tr -d '\r\0' >lines
	lone patterns lines
	# The allowed lines are those that a pattern takes, so that is what they are looked for in.
	grep -Ea -f <(expressions patterns) lines >matched
	lone allow matched
	echo 'nothing like it  # no log has this' >>"$copy/tools/splat/allow"
	run lone allow matched
	same "allow: no case for 'nothing like it' alone" "$output"
	echo 'the expression alone' >>"$copy/tools/splat/allow"
	try 2 "$splat" lines
	says_only "tools/splat/allow: 'the expression alone' has no reason"
}

# What a driver may say that has nothing to do with interrupts
boot='[    0.100000] ------------[ cut here ]------------
[    0.100000] WARNING: drivers/base/odd.c:12 at odd_probe+0x10/0x20, CPU#0: swapper/0/1
[    0.100000] Call trace:
[    0.100000]  odd_probe+0x10/0x20 (P)
[    0.100000] ---[ end trace 0000000000000000 ]---'
allowed='WARNING: drivers/base/odd\.c:  # a driver of somebody else'

@test "splat: a warning is allowed at boot, and nothing else with it" {
	printf '%s\n' "$boot" '# guest: begin job=x' >log
	same 'splat 1 2 3' "$(verdict log)"
	echo "$allowed" >>"$copy/tools/splat/allow"
	same clean "$(verdict log)"
	printf '%s\n' "$boot" '[    0.2] Call trace:' '[    0.3] BUG: KASAN: odd' "$boot" "${boot//odd/even}" >log
	same 'splat 6 7 13 14 15' "$(verdict log)"
	# Where another one cuts in
	printf '%s\n' "${boot%%$'\n'*}" '[    0.100000] BUG: sleeping function' "${boot#*$'\n'}" >log
	same 'splat 1 2' "$(verdict log)"
}

@test "splat: a warning that is allowed at boot is not while a job runs" {
	echo "$allowed" >>"$copy/tools/splat/allow"
	printf '%s\n' "$boot" '[    1.0] # guest: begin job=x' "$boot" >log
	same 'splat 7 8 9' "$(verdict log)"
}

@test "splat: what cannot be judged" {
	local log=$repo/tools/splat/cases/harmless/log

	try 2 "$splat"
	says_only 'no log to look at'
	try 2 "$splat" none
	says_only 'none cannot be read'
	try 2 "$splat" .
	says_only '. cannot be read'
	: >empty
	try 2 "$splat" empty
	says_only 'empty is empty: nothing ran'
	printf '\n \n' >empty
	try 2 "$splat" empty
	says_only 'nothing ran'
	rm "$copy/tools/splat/allow"
	try 2 "$splat" "$log"
	says_only 'tools/splat/allow is missing'
	: >"$copy/tools/splat/allow"
	: >"$copy/tools/splat/patterns"
	try 2 "$splat" "$log"
	says_only 'tools/splat/patterns is empty'
	printf '# only\n\n  \n# comments\n' >"$copy/tools/splat/patterns"
	try 2 "$splat" "$log"
	says_only 'tools/splat/patterns is empty'
	echo '(' >"$copy/tools/splat/patterns"
	try 2 "$splat" "$log"
	says 'cannot search'
	rm "$copy/tools/splat/patterns"
	try 2 "$splat" "$log"
	says_only 'tools/splat/patterns is missing'
}

@test "splat: a broken expression in what is allowed" {
	echo '(  # not closed' >>"$copy/tools/splat/allow"
	try 2 "$splat" "$repo/tools/splat/cases/harmless/log"
	says 'cannot search'
	same '' "$output"
}

@test "splat: two logs, and their lines" {
	printf 'fine\nBUG: one\n' >a
	printf 'WARNING: two\r\n' >b
	try 1 "$splat" a "$repo/tools/splat/cases/harmless/log" b
	same $'a:2: BUG: one\nb:1: WARNING: two' "$output"
}
