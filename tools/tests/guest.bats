#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/guest with a QEMU that does not run anything: its "kernels" are the logs that it gives.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	copy_repo "$BATS_FILE_TMPDIR/repo"
	# The logs have no domains but where a test is about them.
	sed -i -E 's/(\| loses [^|]*) flags:[a-z,]+/\1/' "$BATS_FILE_TMPDIR/repo/tools/cases"
}

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	cp -a "$BATS_FILE_TMPDIR/repo" "$copy"
	guest=$copy/scripts/guest
	# Nothing is compiled, so that no compiler is needed.
	echo 'need() { :; }' >>"$copy/scripts/lib/common.sh"
	echo 'guest_initramfs() { initramfs=/dev/null; }' >>"$copy/scripts/lib/guest.sh"
	# shellcheck disable=SC2016 # for the stub
	stub qemu-system-aarch64 'while (($#)); do
		case $1 in
		--version) echo "QEMU emulator version 7.2.22 (x 1:2)"; exit ;;
		-kernel) image=$2 ;;
		-serial) log=${2#file:} ;;
		esac
		shift
	done
	cat "$image" >"$log"'
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { no_temporary_files; }

# log NAME RESULTS LINE...: make a file of this name, which is what a guest says that measures LINE... after
# so many results; "not" in RESULTS are those that failed: "9 not 5". msi-scan says in it that stock is affected.
log() {
	local name=$1 ok not_ok i affected=not-affected

	[[ $name != stock ]] || affected=affected
	read -r ok _ not_ok <<<"$2"
	{
		echo '[    0.000000] Linux version 7.3.4 (x@y)'
		echo '[    1.000000] # guest: begin job=rebind'
		echo "[    1.000000] 1..$((ok + ${not_ok:-0}))"
		for ((i = 1; i <= ok; i++)); do echo "[    2.000000] ok $i rebind 0000:00:02.0 round $i"; done
		for ((; i <= ok + ${not_ok:-0}; i++)); do echo "[    2.000000] not ok $i rebind 0000:00:02.0 round $i"; done
		printf '[    3.000000] %s\n' "${@:3}"
		printf "[    3.000000] # scan when=%s verdict=$affected\n" begin end
		echo "[    4.000000] # Totals: pass:$ok fail:${not_ok:-0} skip:0"
		echo '[    4.000000] # guest: end job=rebind'
	} >"$name"
}

measured() { printf '# measured what=%s tried=%s short=%s lost=%s detail=%s\n' "$@"; }
warn='WARNING: drivers/irqchip/irq-gic-v3-its.c:3600 at its_msi_teardown+0x120/0x140, CPU#0: init/1'

# A stock that shows the bug, and a patched that does not
good_stock() { log stock '4 not 5' "${1-$warn}" "$(measured rebinds 9 5 10 asked:3,got:3_3_3_3_3_1_1_1_1_1)"; }
good_patched() { log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3_3_3_3_3_3_3_3_3_3)"; }
both=(--image stock=stock --image patched=patched)

# finds CASE TEXT...: with both kernels something is wrong in this case, and the output has each TEXT
finds() {
	local text

	try 1 "$guest" "${both[@]}" "$1"
	for text in "${@:2}"; do
		[[ $output == *"$text"* ]] || { printf 'not in the output: %s\n' "$text"; return 1; }
	done
}

# results: the lines of the last output that are results
results() { grep -E '^(ok|not ok) ' <<<"$output"; }

@test "guest: the verdict on each log of tools/guest/cases" {
	local log count=0

	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '. "$(dirname "$0")/lib/common.sh"' '. "$repo/scripts/lib/guest.sh"' 'guest_verdict "$1"' \
		>"$copy/scripts/verdict"
	for log in "$repo"/tools/guest/cases/*.log; do
		echo "$log"
		same "$(<"${log%.log}.expected")" "$(bash "$copy/scripts/verdict" "$log")"
		count=$((count + 1))
	done
	((count >= 18))
}

@test "guest: --list has every case" {
	try 0 "$guest" --list
	same "$(sed -nE 's/^([a-z0-9-]+) *\|.*/\1/p' "$copy/tools/cases")" "$(cut -d ' ' -f 1 <<<"$output")"
	((${#lines[@]} > 20))
}

@test "guest: a new case is a line" {
	good_patched
	echo 'new | arm64 | arm64 | | | patched | 5 | one more' >>"$copy/tools/cases"
	try 0 "$guest" --image patched=patched new
	[[ $(results) == 'ok 1 new patched loses nothing: '* ]]
}

@test "guest: arguments that make no sense" {
	try 2 "$guest" rebind
	says_only "no case 'rebind'; known: rebind-2 "
	try 2 "$guest" 'rebind-.'
	says_only "no case 'rebind-.'"
	try 2 "$guest" --rounds 0
	says_only "--rounds takes a number from 1 to 1000000, not '0'"
	try 2 "$guest" --rounds 1000001
	says_only '--rounds takes a number'
	try 2 "$guest" --rounds many
	says_only "not 'many'"
	try 2 "$guest" --seed 1x
	says_only "--seed takes a number of up to 9 digits, not '1x'"
	try 2 "$guest" --image x=none
	says_only "--image needs NAME=FILE, and 'x=none' names no kernel image"
	try 2 "$guest" --image ../x=stock
	says_only '--image needs NAME=FILE'
	try 2 "$guest" --variant nope
	says_only "no variant 'nope'; known: stock patched "
	try 2 "$guest" --kernel nope
	says_only "no kernel 'nope'; known: "
	try 2 "$guest" --kernel um
	says_only "the kernel 'um' is for um, and the machine of rebind-2 is arm64"
	try 2 "$guest" --shell
	says_only '--shell takes one case, and one --variant'
	try 2 "$guest" --gdb --shell rebind-2 --variant stock
	says_only '--shell is nothing beside --gdb'
	same 0 "$(calls_of qemu)"
	[[ ! -e $cache/src ]]
}

@test "guest: lines of tools/cases that cannot be right" {
	local line

	while IFS='=' read -r line expected; do
		cp "$repo/tools/cases" "$copy/tools/cases"
		echo "$line" >>"$copy/tools/cases"
		try 2 "$guest" --list
		says_only "$expected"
	done <<-'END'
		x | arm64 | arm64 | | | same | 1=guest: tools/cases: line
		x | arm64 | arm64 | | | same | 1 | a | b=has 9 fields, and not 8
		x | arm64 | arm64 | | | loses | 1 | a=tools/cases: x cannot expect 'loses'
		x | arm64 | arm64 | | | costs | 1 | a=tools/cases: x cannot expect 'costs'
		x | arm64 | arm64 | | | nothing | 1 | a=tools/cases: x cannot expect 'nothing'
		x | arm64 | arm64 | | | same | soon | a=tools/cases: x takes 'soon' seconds
		x | arm64 | arm64 | rounds | | same | 1 | a=tools/cases: x has the parameter 'rounds'
		rebind-2 | arm64 | arm64 | | | same | 1 | a=tools/cases: two cases are called 'rebind-2'
		X Y | arm64 | arm64 | | | same | 1 | a=is no case
		[nope] what it does=tools/cases: no job 'nope' in tools/guest
	END
	cp "$repo/tools/cases" "$copy/tools/cases"
	echo 'x | abacus | arm64 | | | same | 1 | a' >>"$copy/tools/cases"
	try 2 "$guest" --image a=/etc/passwd x
	says_only "no machine 'abacus'; known: arm64 "
	rm "$copy/tools/cases"
	try 2 "$guest" --list
	says_only "$copy/tools/cases is missing"
}

@test "guest: stock shows the bug beside patched" {
	# A kselftest repeats what the kernel says.
	good_stock "$warn"$'\n'"[    3.000000] # pci_msi_rebind_test: round 1: $warn"
	good_patched
	try 0 "$guest" "${both[@]}" rebind-2
	same "KTAP version 1
1..2
ok 1 rebind-2 stock loses: rebinds 5 of 9 short, msi-scan: affected; WARN in its_msi_teardown; failed: 5 of 9
ok 2 rebind-2 patched loses nothing: rebinds 0 of 9 short, msi-scan: not-affected; no splat; passed: 9 of 9
#
# Linux 7.3.4, rebind: $(sed -n 's/^\[rebind\] //p' "$repo/tools/cases")
#
# case      kernel   what     tried  short  lost  asked  got                  splats
# rebind-2  stock    rebinds      9      5    10      3  3 3 3 3 3 1 1 1 1 1  WARN in its_msi_teardown
# rebind-2  patched  rebinds      9      0     0      3  3 3 3 3 3 3 3 3 3 3  none
#
# on QEMU emulator version 7.2.22 (x 1:2): rebind-2
# Totals: pass:2 fail:0 skip:0" "$output"
}

@test "guest: a stock that shows no bug, or on which nothing works, proves nothing" {
	good_patched
	log stock '0 not 9' "$(measured rebinds 9 9 27 asked:3,got:9x0)"
	finds rebind-2 'stock: nothing works, so this run proves nothing'
	cp patched stock
	finds rebind-2 '# rebind-2 stock: the bug does not show in rebinds, so this run proves nothing' \
		'# alone: scripts/guest --image stock=stock --image patched=patched rebind-2'
	[[ $(results) == 'not ok 1 rebind-2 stock loses nothing: '*$'\n''ok 2 '* ]]
}

@test "guest: msi-scan has to say what the kernel does" {
	good_stock
	good_patched
	sed -i '/when=end/s/affected/cannot-tell/' stock
	try 0 "$guest" "${both[@]}" rebind-2
	[[ $(results) == 'ok 1 rebind-2 stock loses: rebinds 5 of 9 short, msi-scan: affected cannot-tell; '* ]]
	sed -i 's/verdict=affected/verdict=not-affected/' stock
	finds rebind-2 "# rebind-2 stock: msi-scan says 'not-affected cannot-tell' and never 'affected'"
	good_stock
	sed -i '/when=end/s/not-affected/cannot-tell/' patched
	finds rebind-2 "# rebind-2 patched: msi-scan says 'not-affected cannot-tell' and not 'not-affected'"
	sed -i '/ scan when=/d' patched
	finds rebind-2 "# rebind-2 patched: msi-scan says '' and not 'not-affected'"
	echo 'new | arm64 | arm64 | | | same flags:no | 5 | one more' >>"$copy/tools/cases"
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" '# domain device=x name=a free_bulk=no'
	sed s/not-affected/affected/ patched >stock
	finds new "# new stock: msi-scan says 'affected' and not 'not-affected'"
}

@test "guest: a stock that has other faults than the bug" {
	good_patched
	good_stock 'BUG: KASAN: slab-use-after-free in its_send_single_command'
	finds rebind-2 "stock: a splat that is not the bug's"
	good_stock "${warn/its_msi/other_msi}"
	finds rebind-2 "stock: a splat that is not the bug's"
	good_stock "${warn/its_msi/gicv5_its_msi}"
	try 0 "$guest" "${both[@]}" rebind-2
	good_stock
	sed -i 's/not ok 9 .*/not ok 9 pci_msi_rebind_test 0000:00:02.0: binding brings the driver back/' stock
	finds rebind-2 'stock: what is not the bug fails too: pci_msi_rebind_test 0000:00:02.0: binding'
	# It was not asked about something that the case is for.
	sed -i 's/ | loses rebinds since:6.12 | 20 | the xhci/ | loses rebinds enables | 20 | the xhci/' "$copy/tools/cases"
	good_stock
	finds rebind-2 'stock: the bug does not show in enables' 'patched: enables were not measured'
}

@test "guest: a stock on its own is judged like all others" {
	good_stock
	try 1 "$guest" --image stock=stock rebind-2
	[[ $output == *$'\n# rebind-2 stock: vectors are lost\n'* ]]
	[[ $(results) == 'not ok 1 rebind-2 stock loses: rebinds 5 of 9 short, msi-scan: affected; WARN in its_msi_teardown; '* ]]
}

@test "guest: a patched that loses vectors, fails, has a splat, or measured nothing" {
	good_stock
	log patched 9 "$(measured rebinds 9 1 2 asked:3,got:3)"
	finds rebind-2 '# rebind-2 patched: vectors are lost'
	log patched '8 not 1' "$(measured rebinds 9 0 0 asked:3,got:3)"
	finds rebind-2 '# rebind-2 patched: failed: 1 of 9'
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" 'BUG: sleeping function called'
	finds rebind-2 '# rebind-2 patched: a splat' '  BUG: sleeping function called'
	log patched 9
	finds rebind-2 '# rebind-2 patched: rebinds were not measured'
	log patched 9 "$(measured rebinds 0 0 0 asked:3,got:3)"
	finds rebind-2 '# rebind-2 patched: there were no rebinds'
}

@test "guest: what fails is shown, and the command that runs it alone" {
	good_stock
	log patched '8 not 1' "$(measured rebinds 9 1 2 asked:3,got:3)"
	sed -i 's/^\(.*\) not ok 9/\1 # what led to it\n\1 not ok 9/' patched
	try 1 "$guest" --rounds 9 "${both[@]}" rebind-2 -- -cpu max -append 'two words'
	[[ $output == *'# what led to it'*'not ok 9 rebind'*'# alone: scripts/guest --rounds 9 --image patched=patched rebind-2 -- -cpu max -append '"'two words'"$'\n''not ok 2 rebind-2 patched '* ]]
}

@test "guest: the stack of what fails is decoded" {
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" "$warn" ' its_msi_teardown+0x120/0x140 (P)'
	: >patched.vmlinux
	mkdir -p "$cache/src/scripts"
	# shellcheck disable=SC2016 # for the stub
	printf '#!/bin/sh\nsed "s,+0x120/0x140 (P),& decoded by $1 $CROSS_COMPILE,"' >"$cache/src/scripts/decode_stacktrace.sh"
	chmod +x "$cache/src/scripts/decode_stacktrace.sh"
	try 1 "$guest" --image patched=patched rebind-2
	[[ $output == *"its_msi_teardown+0x120/0x140 (P) decoded by patched.vmlinux "* ]]
	rm patched.vmlinux
	try 1 "$guest" --image patched=patched rebind-2
	[[ $output == *'its_msi_teardown+0x120/0x140 (P)'$'\n'* ]]
}

@test "guest: what is skipped is said, with its reason, and leaks are counted" {
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" '# kmemleak scans=2 leaks=0'
	sed -i -e 's/ ok 9 .*/ ok 9 sweep 0000:00:03.0: grow # SKIP No vector can be added/' -e 's/pass:9 fail:0 skip:0/pass:8 fail:0 skip:1/' patched
	try 0 "$guest" --image patched=patched rebind-2
	[[ $output == *$'\n# skipped: sweep 0000:00:03.0: grow: No vector can be added\nok 1 rebind-2 patched loses nothing: rebinds 0 of 9 short, msi-scan: not-affected, leaks: 0; no splat; passed: 8 of 9\n'* ]]
}

@test "guest: the time that the settings of kselftests give" {
	mkdir -p tests/vfio tests/pci tests/none tests/endless
	touch tests/{vfio/sweep,pci/rebind,none/other,endless/x,none/settings}
	echo timeout=1800 >tests/vfio/settings
	echo timeout=300 >tests/pci/settings
	echo timeout=0 >tests/endless/settings
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '. "$(dirname "$0")/lib/common.sh"' 'src=x' '. "$repo/scripts/lib/kselftest.sh"' 'kselftests=tests' \
		'kselftest_seconds "$1"' >"$copy/scripts/seconds"
	try 0 bash "$copy/scripts/seconds" '!rebind+-e+3@0000:00:02.0,sweep+-v+msi@0000:00:03.0@vfio-pci'
	same 2100 "$output"
	try 0 bash "$copy/scripts/seconds" other
	same 45 "$output"
	try 0 bash "$copy/scripts/seconds" rebind,x
	same 0 "$output"
	try 2 bash "$copy/scripts/seconds" rebind,missing
	says_only "no kselftest 'missing' in tests"
}

@test "guest: one that is lost" {
	good_patched
	log stock 9
	sed -i '/guest: end/d' stock
	try 2 "$guest" "${both[@]}" rebind-2
	[[ $(results) == $'not ok 1 rebind-2 stock: lost: the guest died after 9 results\nok 2 '* ]]
	[[ $output == *$'\n# rebind-2  stock    lost: the guest died after 9 results\n'* ]]
	stub qemu-system-aarch64 'echo "no such device" >&2; exit 1'
	try 2 "$guest" "${both[@]}" rebind-2
	says 'guest: QEMU ended with status 1: no such device'
	[[ $(results) == $'not ok 1 rebind-2 stock: lost: no log\nnot ok 2 rebind-2 patched: lost: no log' ]]
}

@test "guest: all kernels have to do the same" {
	echo 'new | arm64 | arm64 | | | same flags:yes,no | 5 | one more' >>"$copy/tools/cases"
	log stock 9 "$(measured rebinds 9 0 0 asked:3,got:3)" '# domain device=x name=a free_bulk=no'
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" '# domain device=x name=a free_bulk=yes' \
		'# domain device=x name=b free_bulk=no'
	try 0 "$guest" "${both[@]}" new
	[[ $(results) == *$'flag on the domains: yes,no, msi-scan: not-affected; no splat; passed: 9 of 9\nok 3 new: patched does what stock does' ]]
	log patched 9 "$(measured rebinds 9 0 0 asked:4,got:3)" '# domain device=x name=a free_bulk=no'
	finds new '# new patched: the flag is on the domains no and not yes,no' \
		$'\n# +# measured what=rebinds tried=9 short=0 lost=0 detail=asked:4,got:3\n'
	[[ $(results) == *'not ok 3 new: patched does not do what stock does' ]]
	[[ $output == *$'\n# alone: scripts/guest --image stock=stock --image patched=patched new\nnot ok 3 new: '* ]]
}

@test "guest: two that are lost do not do the same" {
	echo 'new | arm64 | arm64 | | | same | 5 | one more' >>"$copy/tools/cases"
	log stock 9 "$(measured rebinds 9 0 0 -)"
	sed -i s/affected/not-affected/ stock
	log patched 9 "$(measured rebinds 9 0 0 -)"
	try 0 "$guest" "${both[@]}" new
	sed -i '/guest: end/d' stock patched
	try 2 "$guest" "${both[@]}" new
	[[ $output == *$'\n# alone: scripts/guest --image stock=stock --image patched=patched new\nnot ok 3 new: nothing to compare, lost: stock patched\n'* ]]
	stub qemu-system-aarch64 'exit 1'
	try 2 "$guest" "${both[@]}" new
	[[ $(results) == *$'\nnot ok 3 new: nothing to compare, lost: stock patched' ]]
}

@test "guest: which domains have the flag" {
	echo 'new | arm64 | arm64 | | | loses rebinds flags:yes,no since:6.12 | 5 | one more' >>"$copy/tools/cases"
	good_stock
	# Two devices
	log patched 9 "$(measured rebinds 9 0 0 asked:3,got:3)" '# domain device='{x,y}' name='{'a free_bulk=yes','b free_bulk=no'}
	try 0 "$guest" "${both[@]}" new
	[[ $(results) == *$'\nok 2 new patched loses nothing: rebinds 0 of 9 short, flag on the domains: yes,no,yes,no, '* ]]
	# A part of the series has it elsewhere, and fails by what it loses.
	sed 's/free_bulk=yes/free_bulk=no/' patched >other
	try 0 "$guest" --image other=other new
	cp other patched
	finds new '# new patched: the flag is on the domains no,no,no,no and not yes,no'
	# A kernel that gives flags no names is an older one.
	sed -i 's/free_bulk=no/free_bulk=unnamed/' patched
	finds new '# new patched: the flag is on the domains unnamed,unnamed,unnamed,unnamed and not yes,no'
	sed -i '/ domain device=/d' patched
	finds new '# new patched: the flag is on the domains  and not yes,no'
}

@test "guest: which driver of a keyboard a program has come upon first makes no difference" {
	local why name='pci_msi_rebind_test 0000:00:04.0: is skipped: 0000:00:04.0 seems to be in use'

	# refused NAME WHY: what this kernel says when a device is in use by WHY
	refused() { log "$1" 1 "$(measured rebinds 1 0 0 -)"; sed -i "s/ok 1 .*/ok 1 $name ($2); -f tests it all the same/" "$1"; }

	echo 'new | arm64 | arm64 | | | same | 5 | one more' >>"$copy/tools/cases"
	refused stock 'driver hid-generic'
	sed -i s/affected/not-affected/ stock
	refused patched 'driver usbhid'
	try 0 "$guest" "${both[@]}" new
	[[ $(results) == *$'\nok 3 new: patched does what stock does' ]]
	# User space, a disk, and another reason do.
	for why in 'driver usbfs' 'driver usb-storage' 'class 010802'; do
		refused patched "$why"
		finds new "-ok 1 $name (a keyboard)" "+ok 1 $name ($why)"
		[[ $(results) == *$'\nnot ok 3 new: patched does not do what stock does' ]]
	done
	sed -i 's/seems to be in use.*/uses neither MSI nor MSI-X/' patched
	finds new '+ok 1 pci_msi_rebind_test 0000:00:04.0: is skipped: 0000:00:04.0 uses neither MSI nor MSI-X'
}

@test "guest: what one kernel takes beside another" {
	local cost

	echo 'new | arm64 | arm64 | | | costs pci=101 ctrl-free-2=50 | 5 | one more' >>"$copy/tools/cases"
	cost() { printf '    # measure: cost what=%s n=%s alloc=%s free=%s blocks=%s\n' "$@"; }
	log first 1 "$(measured suites 1 0 0 -)" "$(cost pci 1 200 100 1)" "$(cost pci 2 200 200 1)" "$(cost ctrl 1 80 80 8)" \
		"$(cost ctrl 2 160 160 8)" '# left n=3 round=0 events=8' '# left n=3 round=1 events=7'
	log second 1 "$(measured suites 1 0 0 -)" "$(cost pci 1 202 101 1)" "$(cost pci 2 150 150 1)" "$(cost ctrl 1 80 160 8)" \
		"$(cost ctrl 2 160 80 8)" '# left n=3 round=0 events=8' '# left n=3 round=1 events=8'
	try 0 "$guest" --image first=first --image second=second new
	[[ $(results) == *$'ok 3 new: second against first, pci: 2 of them, at most 101.00 % (N = 1), and no more than 101 %\nok 4 new: second against first, ctrl-free-2: 1 of them, at most 50.00 % (N = 2), and no more than 50 %' ]]
	[[ $output == *$'# Instructions for N vectors, ctrl\n#\n#  N '*$'\n#  1          10          10          10          20  150.00\n'* ]]
	[[ $output == *$'\n#  0       8       8\n#  1       7       8\n'* ]]

	# A little more than that, and nothing to compare
	sed -i 's/alloc=202/alloc=203/; s/what=ctrl n=2/what=ctrl n=3/' second
	try 1 "$guest" --image first=first --image second=second new
	[[ $(results) == *$'not ok 3 new: second against first, pci: 2 of them, at most 101.33 % (N = 1), and no more than 101 %\nnot ok 4 new: second against first, ctrl-free-2: 0 of them, '* ]]
	same 2 "$(grep -cx '# alone: scripts/guest --image first=first --image second=second new' <<<"$output")"
	# One alone is judged as ever.
	try 0 "$guest" --image first=first new
}

@test "guest: a table that cannot be made is no empty one" {
	good_stock
	good_patched
	echo 'tables() { die "no table"; }' >>"$copy/scripts/lib/judge.sh"
	try 2 "$guest" "${both[@]}" rebind-2
	same 'guest: no table' "${stderr_lines[-1]}"
}

@test "guest: a field that is empty does not shift the table" {
	echo 'new | arm64 | arm64 | | | patched | 5 | one more' >>"$copy/tools/cases"
	log patched 9 "$(measured a 9 0 - x:1)" "$(measured b 10 0 0 -)" "$(measured c 9 0 0 y:2_3,x:7)"
	try 0 "$guest" --image patched=patched new
	[[ $output == *'
# case  kernel   what  tried  short  lost  x  y    splats
# new   patched  a         9      0     -  1  -    none
# new   patched  b        10      0     0  -  -    none
# new   patched  c         9      0     0  7  2 3  none
'* ]]
}

@test "guest: a splat belongs to what is measured after it" {
	log patched 9 "$(measured a 9 0 0 -)" "$warn" "$warn" "$(measured b 9 0 0 -)" 'BUG: at the end'
	try 1 "$guest" --image patched=patched rebind-2
	[[ $output == *'patched  a         9      0     0  none
# rebind-2  patched  b         9      0     0  WARN in its_msi_teardown x2
# rebind-2  patched  -         -      -     -  BUG: at the end
'* ]]
}

@test "guest: what QEMU is told" {
	echo 'new | arm64 | arm64 | a=1 rounds=5 -- b.c=2 d | -smp 3 xhci,id=x nvme,drive=d,serial=d | patched | 5 | x' >>"$copy/tools/cases"
	good_patched
	try 0 "$guest" --image patched=patched --rounds 7 --seed 3 --kernel debug new -- -snapshot
	grep -qF -- '-smp 3 -device nec-usb-xhci,msi=on,msix=off,intrs=16,id=x -blockdev driver=null-co,node-name=d,size=67108864,read-zeroes=on -device nvme,drive=d,serial=d -m 2048 -snapshot ' "$calls"
	grep -qF -- 'kunit.enable=0 guest.job=kunit guest.a=1 guest.rounds=7 b.c=2 d guest.seed=3 guest.slow=10 guest.kmemleak=1 ' "$calls"
	try 0 "$guest" --image patched=patched --gdb new
	grep -qF -- ' -s -S ' "$calls"
	says "gdb-multiarch patched.vmlinux -ex 'target remote :1234'"
}

@test "guest: a device tree is compiled, and everything else is as before" {
	good_patched
	cp "$stubs/qemu-system-aarch64" "$stubs/qemu-system-arm"
	sed -i "s,loses enables,loses rebinds," "$copy/tools/cases"
	# As the real one, which checks stock out
	# shellcheck disable=SC2016 # for the script
	echo 'kernel_dtb() { variant_patches stock; dtb=$1.dtb; }' >>"$copy/scripts/lib/kernel.sh"
	try 0 "$guest" --image a=patched --image b=patched vectors-designware
	grep -q -- "-machine mcimx7d-sabre .* -dtb $copy/tools/boards/imx7.dts.dtb " "$calls"
	same 2 "$(results | wc -l)"
}

# no_newer_qemu: the machine's is too old for some, and there is no network
no_newer_qemu() {
	stub apt-get 'echo "mirror bookworm"'
	stub mmdebstrap 'exit 1'
	good_stock
	good_patched
}

@test "guest: a case without its QEMU is skipped with the reason, and the others are run" {
	local why='QEMU 11 is not to be had: the download from the archive has failed; try again, or install QEMU 11 or later'

	no_newer_qemu
	echo 'new | loongarch | loongarch | | | same | 5 | one more' >>"$copy/tools/cases"
	try 0 "$guest" "${both[@]}" vectors-xilinx-nwl rebind-2 new
	same "ok 1 vectors-xilinx-nwl stock # SKIP $why
ok 2 vectors-xilinx-nwl patched # SKIP $why
ok 3 rebind-2 stock loses
ok 4 rebind-2 patched loses nothing
ok 5 new stock # SKIP $why
ok 6 new patched # SKIP $why" "$(results | sed 's/:.*short, .*//')"
	[[ $output == *$'\n1..6\n'*$'\n# on QEMU emulator version 7.2.22 (x 1:2): rebind-2\n# Totals: pass:2 fail:0 skip:4' ]]
	same 1 "$(calls_of ^mmdebstrap)"
}

@test "guest: where all was skipped, nothing was found out" {
	no_newer_qemu
	try 2 "$guest" "${both[@]}" vectors-xilinx-nwl
	[[ $output == *$'\n# Totals: pass:0 fail:0 skip:2' ]]
	[[ $output != *'# on '* ]]
	# One kernel of its own, and a debugger or a shell, which nothing can be skipped for
	try 2 "$guest" --image patched=patched --gdb rebind-2 vectors-xilinx-nwl
	same '' "$output"
	same 'guest: QEMU 11 is not to be had: the download from the archive has failed; try again, or install QEMU 11 or later' \
		"${stderr_lines[-1]}"
	try 2 "$guest" --image patched=patched --shell vectors-xilinx-nwl
	same '' "$output"
	says 'guest: QEMU 11 is not to be had: '
}

@test "guest: a QEMU that is damaged is no reason to skip" {
	no_newer_qemu
	mkdir -p "$cache/qemu-11"
	try 2 "$guest" "${both[@]}" rebind-2 vectors-xilinx-nwl
	same '' "$output"
	says_only "$cache/qemu-11 is not whole; remove it, and it is fetched again"
}

@test "guest: which QEMU has run what" {
	good_stock
	good_patched
	mkdir -p "$cache"/qemu-11/usr/{bin,lib/x86_64-linux-gnu}
	# shellcheck disable=SC2016 # for the stub
	printf '#!/bin/sh\nwhile [ "$1" != --argv0 ]; do shift; done; shift 2; exec "$@"\n' \
		>"$cache/qemu-11/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
	sed 's/7\.2\.22/11.1.3/' "$stubs/qemu-system-aarch64" >"$cache/qemu-11/usr/bin/qemu-system-aarch64"
	chmod +x "$cache"/qemu-11/usr/{bin,lib/x86_64-linux-gnu}/*
	echo 'new | gicv2m | drivers | | | loses rebinds | 5 | one more' >>"$copy/tools/cases"
	try 0 "$guest" "${both[@]}" rebind-2 new rebind-4
	[[ $output == *'
#
# on QEMU emulator version 7.2.22 (x 1:2): rebind-2 rebind-4
# on QEMU emulator version 11.1.3 (x 1:2): new
# Totals: pass:6 fail:0 skip:0' ]]
}

@test "guest: a new board is a device tree, a table of registers, and a line" {
	good_stock
	good_patched
	echo '/dts-v1/; / { };' >"$copy/tools/boards/new.dts"
	printf '# ADDRESS VALUE WHY\n0x7f020010 0x00000003 link up\n' >"$copy/tools/boards/new.registers"
	echo 'new | arm64 | arm64 | | @new -smp 2 | loses rebinds | 5 | one more' >>"$copy/tools/cases"
	# shellcheck disable=SC2016 # for the script
	echo 'kernel_dtb() { dtb=$1.dtb; }' >>"$copy/scripts/lib/kernel.sh"
	# shellcheck disable=SC2016 # for the stub
	sed -i '1a [[ $* =~ loader,file=([^,]*) ]] \&\& od -An -tx4 -j 16 "${BASH_REMATCH[1]}" >registers' "$stubs/qemu-system-aarch64"
	try 0 "$guest" "${both[@]}" new
	[[ $(results) == 'ok 1 new stock loses: '*$'\nok 2 new patched loses nothing: '* ]]
	same 2 "$(calls_of "^qemu-system-aarch64 -machine virt,.* -smp 2 -dtb $copy/tools/boards/new.dts.dtb -device loader,file=[^ ]*/board-new/registers,addr=2130837504,force-raw=on ")"
	same ' 00000003' "$(<registers)"
}

@test "guest: interrupted and terminated" {
	local signal expected

	for signal in 'INT 130' 'TERM 143'; do
		read -r signal expected <<<"$signal"
		rm -f reached
		# shellcheck disable=SC2016 # for the stub
		stub qemu-system-aarch64 '[[ $1 != --version ]] || exit; echo $$ >"'"$PWD"'/reached"; exec sleep 100'
		good_patched
		begin "$guest" --image patched=patched rebind-2
		until_true test -s reached
		# What a terminal does, and what kill does
		kill "-$signal" "$([[ $signal == INT ]] && echo "-$pid" || echo "$pid")"
		ends_with "$expected"
		until_true eval "! kill -0 $(<reached) 2>/dev/null"
		same '' "$(find "$cache/logs" -type f)"
	done
}

@test "guest: two runs of one case wait for each other" {
	good_patched
	# shellcheck disable=SC2016 # for the stub
	stub qemu-system-aarch64 '[[ $1 != --version ]] || exit; : >reached; until [[ -e go ]]; do sleep 0.1; done; shift $(($# - 1)); cat patched >"${1#file:}"'
	begin "$guest" --image patched=patched rebind-2
	first=$pid
	until_true test -e reached
	begin "$guest" --image patched=patched rebind-4 rebind-2
	until_true grep -q 'waiting for another run that uses guest-rebind-2-arm64' "$background.err"
	: >go
	ends_with 0
	pid=$first
	ends_with 0
}

@test "guest: without its libraries nothing runs" {
	rm "$copy/scripts/lib/common.sh"
	try 2 "$guest" --list
	same '' "$output"
}

@test "guest: another compiler makes another init" {
	local first

	# The real one
	sed -i '$d' "$copy/scripts/lib/guest.sh"
	mkdir -p "$copy/Documentation/results"
	: >>"$copy/Documentation/results/audit.txt"
	cat >"$copy/scripts/test-init" <<-'END'
		. "$(dirname "$0")/lib/common.sh"
		. "$repo/scripts/lib/guest.sh"
		guest_compiler=(cc-of-ours=x)
		cpio_of() { echo archive; }
		guest_initramfs
		echo "$initramfs"
	END
	# shellcheck disable=SC2016 # for the stub
	stub make 'for word; do [[ $word != O=* ]] || mkdir -p "${word#O=}"; done; [[ $* != */scan* ]] || : >"${word#O=}/msi-scan"'
	stub cc-of-ours 'echo 12.2'
	first=$(bash "$copy/scripts/test-init")
	same "$first" "$(bash "$copy/scripts/test-init")"
	stub cc-of-ours 'echo 12.3'
	[[ $(bash "$copy/scripts/test-init") != "$first" ]]
}

@test "guest: the kselftests are built without a word of the repo's path" {
	cat >"$copy/scripts/test-kselftest" <<-'END'
		. "$(dirname "$0")/lib/common.sh"
		src=$cache/src
		. "$repo/scripts/lib/kselftest.sh"
		kselftest_make /out
	END
	stub ar 'exit 0'
	stub make 'exit 0'
	bash "$copy/scripts/test-kselftest"
	same 2 "$(calls_of ^make)"
	same 0 "$(grep ^make "$calls" | grep -cF "$copy" || :)"
}
