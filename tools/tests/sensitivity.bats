#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/sensitivity, with a kunit and a guest that say what they are told to.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own
# shellcheck disable=SC2016 # for the scripts that stand in

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	mkdir -p "$copy/tools/kernel"
	cp -r "$repo/scripts" "$copy"
	cp -r "$repo/tools/sensitivity" "$copy/tools"
	cp "$repo/tools/kernel/suites" "$copy/tools/kernel"
	sensitivity=$copy/scripts/sensitivity
	cd "$BATS_TEST_TMPDIR" || return
	table=$copy/tools/sensitivity/table
	printf '%s\n' '# VARIANT irqdomain_free rebind-2@arm64 smmu' 'stock - fail fail' 'half fail fail pass' 'patched pass pass pass' \
		>"$table"
	echo irqdomain_free.one >"$copy/tools/sensitivity/failing/half"
	mkdir -p "$cache/logs/kunit"
	replace kunit 'case $4 in
	half) printf "%s\n" "    # Subtest: irqdomain_free" "    not ok 1 one" "not ok 1 irqdomain_free" ;;
	*) printf "%s\n" "    # Subtest: irqdomain_free" "    ok 1 one" "ok 1 irqdomain_free" ;;
	esac >'"$cache"'/logs/kunit/arm64-$4.log'
	replace guest 'case " $* " in
	*" stock "*) printf "%s\n" "not ok 1 rebind-2 stock loses: x" "not ok 2 smmu stock loses: x"; exit 1 ;;
	*" half "*) printf "%s\n" "not ok 1 rebind-2 half loses: x" "ok 2 smmu half loses nothing: x"; exit 1 ;;
	*) printf "%s\n" "ok 1 rebind-2 patched loses nothing: x" "ok 2 smmu patched loses nothing: x" ;;
	esac'
}

teardown() { no_temporary_files; }

# replace SCRIPT TEXT: put another script of this name into the copy
replace() { printf '#!/bin/bash\nprintf "%%s\\n" "%s $*" >>"%s"\n%s\n' "$1" "$calls" "$2" >"$copy/scripts/$1"; }

@test "sensitivity: as the table says" {
	try 0 "$sensitivity"
	same 'KTAP version 1
1..10
ok 1 stock rebind-2@arm64 must fail, and does fail
ok 2 stock smmu must fail, and does fail
ok 3 half irqdomain_free must fail, and does fail
ok 4 half: the tests that must fail do, and no others
ok 5 half rebind-2@arm64 must fail, and does fail
ok 6 half smmu must pass, and does pass
ok 7 patched irqdomain_free must pass, and does pass
ok 8 patched: the tests that must fail do, and no others
ok 9 patched rebind-2@arm64 must pass, and does pass
ok 10 patched smmu must pass, and does pass
#
# passed/failed/skipped           stock            half         patched
# irqdomain_free                     -           0/1/0           1/0/0
# Totals: pass:10 fail:0 skip:0' "$output"
	same $'guest --kernel arm64 --variant stock rebind-2\nguest --variant stock smmu' "$(head -n 2 "$calls")"
}

@test "sensitivity: one variant, by its name" {
	try 0 "$sensitivity" half
	same 4 "$(grep -c '^ok .* half' <<<"$output")"
	same 3 "$(calls_of 'variant half')"
	same 3 "$(calls_of .)"
	try 2 "$sensitivity" 'p.tched'
	says_only "no variant 'p.tched' in tools/sensitivity/table; known: stock half patched"
	same 3 "$(calls_of .)"
}

@test "sensitivity: a test that passes where it must fail" {
	sed -i 's/^half .*/half fail fail fail/' "$table"
	try 1 "$sensitivity" half
	[[ $output == *$'\nnot ok 4 half smmu must fail, and does pass\n'* ]]
}

@test "sensitivity: another test of a suite fails" {
	echo irqdomain_free.other >"$copy/tools/sensitivity/failing/half"
	try 1 "$sensitivity" half
	[[ $output == *'# < irqdomain_free.other'*'# > irqdomain_free.one'*'not ok 2 half: not the tests fail'* ]]
}

@test "sensitivity: a case that fails by something else" {
	replace guest 'echo "not ok 1 rebind-2 stock loses nothing: a splat"; echo "ok 2 smmu2 stock loses nothing"; exit 1'
	try 1 "$sensitivity" stock
	[[ $output == *"not ok 1 stock rebind-2@arm64 must fail, and does neither, 'not ok 1 rebind-2 stock loses nothing: a splat'"* ]]
	[[ $output == *"not ok 2 stock smmu must fail, and does neither, ''"* ]]
	# Something else than the bug, without a splat
	replace guest 'echo "not ok 1 rebind-2 stock loses nothing: x 0 of 9 short; no splat; failed: 9 of 9"; exit 1'
	try 1 "$sensitivity" stock
	[[ $output == *'not ok 1 stock rebind-2@arm64 must fail, and does other'* ]]
}

@test "sensitivity: what cannot be run" {
	replace guest 'exit 2'
	try 2 "$sensitivity" stock
	says_only "scripts/guest on 'stock' could not be run; see $cache/logs/sensitivity/stock.guest-arm64.err"
	replace kunit 'exit 2'
	try 2 "$sensitivity" half
	says_only "KUnit on 'half' could not be run"
}

@test "sensitivity: a case that was skipped is neither of both, and the QEMUs are named" {
	# Stock must fail, and patched pass.
	replace guest 'case " $* " in
	*" --kernel arm64 "*) printf "%s\n" "not ok 1 rebind-2 $4 loses: x" "# on QEMU 7 (a:b): rebind-2"; exit 1 ;;
	*) echo "ok 1 smmu ${*: -2:1} # SKIP no QEMU"; exit 2 ;;
	esac'
	try 0 "$sensitivity" stock
	same 'KTAP version 1
1..2
ok 1 stock rebind-2@arm64 must fail, and does fail
ok 2 stock smmu must fail # SKIP no QEMU
# on QEMU 7 (a:b): rebind-2
# Totals: pass:1 fail:0 skip:1' "$output"
	# Beside another case of the same guest
	sed -i 's/rebind-2@arm64/rebind-2/' "$table"
	replace guest 'printf "%s\n" "ok 1 rebind-2 $2 loses nothing: x" "ok 2 smmu $2 # SKIP no QEMU" "# on QEMU 7: rebind-2"'
	try 0 "$sensitivity" patched
	[[ $output == *$'\nok 4 patched smmu must pass # SKIP no QEMU\n'*$'\n# on QEMU 7: rebind-2\n# Totals: pass:3 fail:0 skip:1' ]]
	# A case that is in no line, or nothing but what was skipped
	replace guest 'echo "ok 1 smmu $2 # SKIP no QEMU"; exit 2'
	try 2 "$sensitivity" stock
	says_only "scripts/guest on 'stock' could not be run"
	printf '%s\n' '# VARIANT smmu' 'stock fail' 'patched pass' >"$table"
	try 2 "$sensitivity"
	[[ $output == *$'\n# Totals: pass:0 fail:0 skip:2' ]]
	says_only 'all cases were skipped'
}

@test "sensitivity: terminated, what it runs ends too" {
	replace guest 'echo $$ >"'"$PWD"'/reached"; exec sleep 100'
	begin "$sensitivity" stock
	until_true test -s reached
	kill -TERM "$pid"
	ends_with 143
	until_true eval "! kill -0 $(<reached) 2>/dev/null"
}

@test "sensitivity: a table that cannot be right" {
	sed -i 's/^half .*/half fail fail/' "$table"
	try 2 "$sensitivity"
	says_only 'tools/sensitivity/table: half has not 3 columns'
	sed -i 's/^half .*/half fail fail maybe/' "$table"
	try 2 "$sensitivity"
	says_only "tools/sensitivity/table: half cannot 'maybe'"
	sed -i '/^patched/d' "$table"
	try 2 "$sensitivity"
	says_only "tools/sensitivity/table has no variant 'patched'"
	rm "$table"
	try 2 "$sensitivity"
	says 'cannot search'
}

# bench LINE...: the table of the bench, whose suites a stand-in for the kernel prints: one dies on stock
bench() {
	printf '%s\n' "$@" >"$copy/tools/sensitivity/bench"
	printf '%s\n' 'one drivers/bench X bench' 'two drivers/bench X bench' >>"$copy/tools/kernel/suites"
	replace kunit 'case $4 in
	stock) printf "%s\n" "    # Subtest: one" "    not ok 1 sweep" "    ok 2 fill" "    not ok 3 mixed" "not ok 1 one" \
		"    # Subtest: two" "    not ok 1 sweep" "Unable to handle kernel paging request" "pc : f+0x1/0x2" ;;
	*) printf "%s\n" "    # Subtest: one" "    ok 1 sweep" "ok 1 one" "    # Subtest: two" "    ok 1 sweep" "ok 2 two" ;;
	esac >'"$cache"'/logs/kunit/bench-$4.log
	[[ $4 != stock ]]'
}

@test "sensitivity: the bench has a line for each suite, and names the tests" {
	bench '# words' '# SUITE stock patched' 'one mixed,sweep pass' 'two sweep,dies pass'
	try 0 "$sensitivity" --kernel bench
	same 'KTAP version 1
1..4
ok 1 stock one must fail in mixed,sweep, and does fail in mixed,sweep
# Unable to handle kernel paging request
# pc : f+0x1/0x2
ok 2 stock two must fail in sweep,dies, and does fail in sweep,dies
ok 3 patched one must pass, and does pass
ok 4 patched two must pass, and does pass
#
# passed/failed/skipped           stock         patched
# one                            1/2/0           1/0/0
# two                            0/1/0           1/0/0
# Totals: pass:4 fail:0 skip:0' "$output"
	same 'kunit --kernel bench --variant stock' "$(head -n 1 "$calls")"
	try 2 "$sensitivity" --kernel arm
	says_only "no table for the kernel 'arm'; known: bench"
}

@test "sensitivity: a bench that does not tell stock from patched" {
	bench '# SUITE stock patched' 'one mixed,sweep pass' 'two sweep,dies pass'
	replace kunit "printf '%s\n' '    # Subtest: one' '    ok 1 sweep' 'ok 1 one' '    # Subtest: two' '    ok 1 sweep' \
		'ok 2 two' >'$cache/logs/kunit/bench-'\$4.log"
	try 1 "$sensitivity" --kernel bench
	[[ $output == *$'\nnot ok 1 stock one must fail in mixed,sweep, and does pass\nnot ok 2 stock two must fail in sweep,dies, and does pass\n'* ]]
	bench '# SUITE stock patched' 'one mixed,sweep pass' 'two sweep,dies'
	try 2 "$sensitivity" --kernel bench
	says_only 'tools/sensitivity/bench has lines of different lengths'
}

@test "sensitivity: the bench names all of its suites" {
	same "$(awk '$4 == "bench" { print $1 }' "$repo/tools/kernel/suites")" \
		"$(awk '/^[a-z]/ { print $1 }' "$repo/tools/sensitivity/bench")"
}

@test "sensitivity: the alternatives, and what they take" {
	local alternatives=$copy/tools/alternatives

	mkdir -p "$alternatives" "$copy/patches/its" "$cache/logs/guest"
	printf '%s\n' '# VARIANT rebind-2@alternatives smmu' 'idea fail -' 'series pass pass' >"$alternatives/table"
	printf '%s\n' 'idea nothing +idea.patch' 'series everything' >"$alternatives/variants"
	printf '%s\n' 'idea overruns' 'series right' >"$alternatives/zpci"
	patch() { printf 'diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n@@ -1 +1,2 @@\n-a\n+b\n+c\n' "$1" "$1" "$1" "$1"; }
	{ patch drivers/irqchip/a.c; patch drivers/irqchip/tests/b.c; patch include/linux/c.h; } >"$alternatives/idea.patch"
	{ patch drivers/irqchip/a.c; patch drivers/pci/controller/b.c; patch drivers/pci/msi/c.c; patch Documentation/d.rst; } \
		>"$copy/patches/its/one.patch"
	echo its/one.patch >"$copy/series"
	echo '[    1.0]     # measure_block: block n=17 held=32 calls=17/17/17' >"$cache/logs/guest/measure-block-alternatives-idea.log"
	echo '[    1.0]     # measure_block: block n=17 held=32 calls=1/1/17' >"$cache/logs/guest/measure-block-alternatives-series.log"
	echo '# measured what=rebinds tried=9 short=5 lost=10 detail=asked:3,got:3_3_1' >"$cache/logs/guest/rebind-2-alternatives-idea.log"
	echo '# measured what=rebinds tried=9 short=0 lost=0 detail=asked:3,got:4' >"$cache/logs/guest/rebind-2-alternatives-series.log"
	replace guest 'case " $* " in
	*" idea "*) echo "not ok 1 rebind-2 idea loses: a 5 of 9 short; no splat"; exit 1 ;;
	*) echo "ok 1 rebind-2 series loses nothing: a 0 of 9 short; no splat"
		echo "ok 2 smmu series loses nothing: c 0 of 3 short; no splat" ;;
	esac'
	try 0 "$sensitivity" --alternatives
	same 'KTAP version 1
1..3
ok 1 idea rebind-2@alternatives must fail, and does fail
ok 2 series rebind-2@alternatives must pass, and does pass
ok 3 series smmu must pass, and does pass
# 1 rebind-2
# 2 smmu
# variant  1     2     zpci      last  calls     held  lines  drivers
# idea     fail  -     overruns  1/3   17/17/17  32    6      1
# series   pass  pass  right     4/3   1/1/17    32    9      2
# Totals: pass:3 fail:0 skip:0' "$output"
	same 'guest --kernel alternatives --variant idea rebind-2' "$(head -n 1 "$calls")"
	stub column 'exit 3'
	try 3 "$sensitivity" --alternatives
	rm "$stubs/column"
	try 2 "$sensitivity" --alternatives half
	says_only "no variant 'half' in tools/alternatives/table; known: idea series"
}

@test "sensitivity: the columns of the tables are suites and cases, the lines are variants" {
	local folder name columns

	for folder in sensitivity alternatives; do
		read -ra columns < <(sed -n "s/^# VARIANT//p" "$repo/tools/$folder/table")
		((${#columns[@]} >= 6))
		for name in "${columns[@]}"; do
			grep -qE "^$name( |\$)" "$repo/tools/kernel/suites" || grep -q "^${name%@*} |" "$repo/tools/cases"
			[[ $name != *@* ]] || grep -q "^${name#*@} " "$repo/tools/kernel/kernels"
		done
		same "$(awk '/^[a-z]/ { print $1 }' "$repo/tools/$folder/variants" | sort)" \
			"$(awk '/^[a-z]/ { print $1 }' "$repo/tools/$folder/table" | sort)"
	done
	same "$(awk '/^[a-z]/ { print $1 }' "$repo/tools/alternatives/table")" "$(awk '/^[a-z]/ { print $1 }' "$repo/tools/alternatives/zpci")"
}
