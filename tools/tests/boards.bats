#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/boards.sh: a board's device tree and registers, and which QEMU runs it.

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
	same 'need /usr/share/qemu-efi-loongarch64/QEMU_EFI.fd=qemu-efi-loongarch64
qemu-system-loongarch64 -L /usr/share/qemu-efi-loongarch64' "$output"

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

	# No archive
	rm -rf "$root"
	stub mmdebstrap 'exit 1'
	try 2 bash "$script" qemu_newer qemu-system-aarch64
	says 'cannot get QEMU 11'
	[[ ! -e $root && ! -e $root.partial ]]
}
