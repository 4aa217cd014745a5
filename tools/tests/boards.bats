#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/boards.sh: a board's device tree and registers, and which QEMU runs it.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

teardown() { no_temporary_files; }

setup() {
	clean_environment
	copy=$repo
	cd "$BATS_TEST_TMPDIR" || exit
	script=$PWD/boards.sh
	# What the functions need of the scripts, without a kernel tree
	cat >"$script" <<-END
		. $copy/scripts/lib/common.sh
		. $copy/scripts/lib/source.sh
		. $copy/scripts/lib/boards.sh
		work_folder
		guest_cross=
		kernel_dtb() { cp "\$1" "$PWD/seen.dts"; ((\$# < 2)) || cp "\$2/machine.dts" "$PWD/"; dtb=x.dtb; }
		((\$# == 0)) || "\$@"
	END
}

@test "boards: registers are where the table says, in the order of the CPU" {
	printf '# ADDRESS VALUE WHY\n0x7f000004 0x12345678 one\n\n0x7f001000 0x80000001 two\n' >table
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" words page $((0x7f000000)) <table' _ "$script"
	same '00 00 00 00 78 56 34 12' "$(od -An -tx1 -N 8 page | xargs)"
	same '01 00 00 80' "$(od -An -tx1 -j 4096 page | xargs)"
	same 4100 "$(stat -c %s page)"
}

@test "boards: a broken register table ends the script" {
	local line

	for line in '0x10 5 a' 'abc 0x00000001 a' '0x10 0x1 short' '0x10'; do
		echo "$line" >table
		# shellcheck disable=SC2016 # for the script
		try 2 bash -c '. "$1" words page 0 <table' _ "$script"
		says 'no register'
	done
}

@test "boards: every table of the repo is taken, and its first address is the lowest" {
	local file first

	for file in "$copy"/tools/boards/*.registers; do
		[[ -e ${file%.registers}.dts ]]
		first=$(awk '/^0x/ { print $1; exit }' "$file")
		# shellcheck disable=SC2016 # for the script
		try 0 bash -c '. "$1" words page $((${2} & ~0xfff)) <"$3"' _ "$script" "$first" "$file"
		same "$first" "$(awk '/^0x/ { print $1 }' "$file" | sort | head -n 1)"
		rm -f page
	done
}

@test "boards: what the guest writes before the job" {
	command -v dtc >/dev/null || skip "dtc is not installed"
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" board imx8mp qemu; echo "$board_append"' _ "$script"
	same "guest.poke=$(awk '/^0x/ { print $1 "=" $2 }' "$copy/tools/boards/imx8mp.pokes" | paste -sd ,)" "$output"
	# One without has nothing of the one before it.
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" board imx8mp qemu; board ast2600 qemu; echo "<$board_append>"' _ "$script"
	same '<>' "$output"
	# shellcheck disable=SC2016 # for the script
	try 2 bash -c '. "$1" true; boards=$2; board imx8mp qemu' _ "$script" "$(mkdir b && echo >b/imx8mp.dts && echo '0x10 5 a' >b/imx8mp.pokes && echo b)"
	says "no register: '0x10 5'"
}

@test "boards: no such board" {
	try 2 bash "$script" board none qemu
	says "no board 'none' in tools/boards"
}

@test "boards: the machine's own device tree is what QEMU says" {
	command -v dtc qemu-system-aarch64 >/dev/null || skip "dtc and QEMU are not installed"
	try 0 bash "$script" board msi-map qemu-system-aarch64 -machine virt,gic-version=3 -cpu cortex-a57 -smp 3 -display none
	grep -q 'cpu@2 {' machine.dts
	grep -q 'its@8080000 {' machine.dts
	# Another machine has another one, or none
	try 2 bash "$script" board msi-map qemu-system-aarch64 -machine nosuch -display none
	says 'QEMU does not tell its device tree'
}

@test "boards: what the first CPU writes before the kernel starts" {
	command -v dtc qemu-system-aarch64 >/dev/null || skip "dtc and QEMU are not installed"
	# shellcheck disable=SC2016 # for the stub
	stub gcc 'while (($#)); do [[ $1 != -o ]] || touch "$2"; shift; done'
	# shellcheck disable=SC2016 # for the stub
	stub objcopy 'echo code >"$4"'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" board gicv3-mbi qemu-system-aarch64 -machine virt,gic-version=3 -display none
		printf "%s\n" "${board_arguments[@]}"; cp "$work"/board-gicv3-mbi/table .' _ "$script"
	[[ $output == *'registers,addr=2130706432,force-raw=on'*'/early,addr=0x7f0f0000,force-raw=on,cpu-num=0'*'/table,addr=0x7f0f1000,force-raw=on'* ]]
	same "$(grep -c ^0x "$copy/tools/boards/gicv3-mbi.early")" $((($(stat -c %s table) - 4) / 8))
	same '00 00 00 08 13 00 00 00' "$(od -An -tx1 -N 8 table | xargs)"
	same '00 00 00 00' "$(tail -c 4 table | od -An -tx1 | xargs)"
}

@test "boards: QEMU of the machine when it is new enough, else one from the archive, once" {
	local root=$XDG_CACHE_HOME/irq-free-bulk/qemu-11

	stub qemu-system-aarch64 'echo "QEMU emulator version 11.0.1 (x)"'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" qemu_newer qemu-system-aarch64; echo "${newer[@]}"' _ "$script"
	same qemu-system-aarch64 "$output"
	# LoongArch's has its firmware in another package.
	stub qemu-system-loongarch64 'echo "QEMU emulator version 11.0.1 (x)"'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" true; need() { echo "need $*"; }; qemu_newer qemu-system-loongarch64; echo "${newer[@]}"' _ "$script"
	says 'need /usr/share/qemu-efi-loongarch64/QEMU_EFI.fd=qemu-efi-loongarch64'
	same 'qemu-system-loongarch64 -L /usr/share/qemu-efi-loongarch64' "$output"

	stub qemu-system-aarch64 'echo "QEMU emulator version 7.2.22 (x)"'
	stub apt-get 'echo "mirror bookworm"'
	# shellcheck disable=SC2016 # for the stub
	stub mmdebstrap 'for d; do [[ $d != */qemu-11.partial ]] || root=$d; done
		mkdir -p "$root/usr/bin" "$root/usr/lib/x86_64-linux-gnu"
		for f in usr/bin/qemu-system-aarch64 usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do echo >"$root/$f"; chmod +x "$root/$f"; done'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" qemu_newer qemu-system-aarch64; echo "${newer[@]}"; qemu_newer qemu-system-aarch64' _ "$script"
	[[ $output == *"$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path"*"$root/usr/bin/qemu-system-aarch64 -L $root/usr/share/qemu"* ]]
	same 1 "$(calls_of '^mmdebstrap')"
	same 1 "$(calls_of '^mmdebstrap .*signed-by=')"

	# Half deleted
	rm "$root/usr/bin/qemu-system-aarch64"
	try 2 bash "$script" qemu_newer qemu-system-aarch64
	says "$root is not whole; remove it"
}

# archive: QEMU of the machine is too old, and apt names an archive
archive() {
	root=$XDG_CACHE_HOME/irq-free-bulk/qemu-11
	stub qemu-system-aarch64 'echo "QEMU emulator version 7.2.22 (x)"'
	stub apt-get 'echo "mirror bookworm"'
}

# asks: for two QEMUs, and prints why there is none
asks() {
	# shellcheck disable=SC2016 # for the script
	try 0 "$@" bash -c '. "$1" true; for qemu in aarch64 loongarch64; do qemu_newer qemu-system-$qemu; echo "$newer_missing"; done' _ "$script"
	same "${lines[0]}" "${lines[1]}"
}

@test "boards: why there is no QEMU is said, and it is looked for once" {
	archive
	stub mmdebstrap 'echo "E: no network" >&2; exit 1'
	asks
	same 'QEMU 11 is not to be had: the download from the archive has failed; try again, or install QEMU 11 or later' "${lines[0]}"
	says 'E: no network'
	same 1 "$(calls_of ^mmdebstrap)"
	[[ ! -e $root && ! -e $root.partial ]]
	stub apt-get :
	asks
	same "QEMU 11 is not to be had: this machine's apt has no Debian archive; install QEMU 11 or later" "${lines[0]}"
	stub apt-get 'exit 100'
	asks
	same "QEMU 11 is not to be had: this machine's apt has no Debian archive; install QEMU 11 or later" "${lines[0]}"
	same 1 "$(calls_of ^mmdebstrap)"
	# What root cannot install
	tool_folder bin mmdebstrap
	rm "$stubs/mmdebstrap"
	stub apt-get 'exit 100'
	PATH=$stubs:$PWD/bin
	asks
	[[ ${lines[0]} == 'QEMU 11 is not to be had: cannot install mmdebstrap; see '* ]]
}

@test "boards: another run has got QEMU in the meantime" {
	archive
	stub mmdebstrap 'exit 1'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" qemu_newer qemu-system-aarch64; echo "<$newer_missing>"
		mkdir -p "$newer_root"/usr/{bin,lib/x86_64-linux-gnu}
		for f in bin/qemu-system-aarch64 lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do echo >"$newer_root/usr/$f"; chmod +x "$newer_root/usr/$f"; done
		qemu_newer qemu-system-aarch64; echo "<$newer_missing>"' _ "$script"
	[[ ${lines[0]} == '<QEMU 11 '* ]]
	same '<>' "${lines[1]}"
}

@test "boards: QEMU without root" {
	archive
	chmod a+rwX . "$script"
	chmod a+w "$calls"
	stub mmdebstrap 'exit 1'
	asks usual_user
	# It picks no way of its own then.
	same 1 "$(calls_of '^mmdebstrap --quiet --mode=chrootless ')"
	tool_folder bin mmdebstrap
	rm "$stubs/mmdebstrap"
	PATH=$stubs:$PWD/bin
	asks usual_user
	same 'QEMU 11 is not to be had: missing tools; run: sudo apt-get install --no-install-recommends mmdebstrap' "${lines[0]}"
	same 1 "$(calls_of ^mmdebstrap)"
}

@test "boards: LoongArch without its firmware" {
	archive
	stub qemu-system-loongarch64 'echo "QEMU emulator version 11.0.1 (x)"'
	# shellcheck disable=SC2016 # for the script
	try 0 bash -c '. "$1" true; need() { die "missing tools; run: sudo $*"; }
		qemu_newer qemu-system-loongarch64; echo "$newer_missing"
		need() { :; }
		qemu_newer qemu-system-loongarch64; echo "<$newer_missing>"' _ "$script"
	same 'QEMU 11 is not to be had: missing tools; run: sudo /usr/share/qemu-efi-loongarch64/QEMU_EFI.fd=qemu-efi-loongarch64
<>' "$output"
	# In the one from the archive
	mkdir -p "$root"/usr/{bin,lib/x86_64-linux-gnu,share/qemu-efi-loongarch64}
	for file in bin/qemu-system-loongarch64 lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do
		echo >"$root/usr/$file"
		chmod +x "$root/usr/$file"
	done
	stub qemu-system-loongarch64 'echo "QEMU emulator version 7.2.22 (x)"'
	try 2 bash "$script" qemu_newer qemu-system-loongarch64
	says "$root is not whole; remove it"
	: >"$root/usr/share/qemu-efi-loongarch64/QEMU_EFI.fd"
	try 0 bash "$script" qemu_newer qemu-system-loongarch64
}

@test "boards: interrupted while QEMU is downloaded, and nothing half done stays" {
	local signal

	archive
	# shellcheck disable=SC2016 # for the stub
	stub mmdebstrap 'for d; do [[ $d != */qemu-11.partial ]] || root=$d; done
		trap "sleep 0.5; mkdir -p $root/late; exit 1" TERM
		mkdir "$root"; echo $$ >'"$PWD"'/reached; while :; do sleep 0.1; done'
	for signal in 'INT 130' 'TERM 143'; do
		rm -f reached
		begin bash "$script" qemu_newer qemu-system-aarch64
		until_true test -s reached
		# What a terminal does, and what kill does
		kill "-${signal% *}" "$([[ $signal == INT* ]] && echo "-$pid" || echo "$pid")"
		ends_with "${signal#* }"
		until_true eval "! kill -0 $(<reached) 2>/dev/null"
		[[ ! -e $root && ! -e $root.partial ]]
	done
}
