#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# tools/msi-scan on trees that are made from tools/msi-scan/cases, under ASan and UBSan

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

source=$repo/tools/msi-scan

setup_file() {
	clean_environment
	command -v gcc >/dev/null || skip 'gcc is missing'
	command -v make >/dev/null || skip 'make is missing'
	# Dynamic: a static program has no sanitizers.
	make -s -C "$source" O="$BATS_FILE_TMPDIR" LDFLAGS= \
		CFLAGS='-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
}

setup() {
	clean_environment
	# Every leak and every error is a failure, with an exit code that the program does not have.
	export ASAN_OPTIONS=exitcode=99:detect_leaks=1 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
	scan=$BATS_FILE_TMPDIR/msi-scan
	tree=$BATS_TEST_TMPDIR/tree
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { no_temporary_files; }

# put FILE FORMAT
# shellcheck disable=SC2059 # the text has escapes
put() { mkdir -p "${1%/*}" && printf "$2" >"$1"; }

# config MAX: the config space of a device with that many MSI vectors; '?' is what a user sees of it
# shellcheck disable=SC2059 # the bytes are in the format
config() {
	local -A order=([1]=0 [2]=2 [4]=4 [8]=6 [16]=8 [32]=a)
	local capability=10

	[[ $1 != 0 ]] || capability=00
	printf "\\x33\\x10\\x94\\x01\\x00\\x00\\x$capability"
	printf '\0%.0s' {1..45}
	printf '\x50'
	printf '\0%.0s' {1..11}
	[[ $1 != '?' ]] || return 0
	printf '\0%.0s' {1..16}
	# MSI at 0x50, with an address that is nobody's business; behind it a capability with a serial number
	printf "\\x05\\x60\\x8${order[${1/#0/1}]}\\x00ADDRESS-"
	printf '\0%.0s' {1..4}
	printf '\x09\0\x10\0SERIAL-NUMBER'
	printf '\0%.0s' {1..143}
}

# domain NAME FLAGS [> NAME FLAGS]...: a file of debugfs
domain() {
	local indent='' flag flags

	while :; do
		flags=$2
		[[ $flags == 0x* ]] || flags=0x00000003
		printf '%sname:   %s\n%s size:   0\n%s mapped: 3\n%s flags:  %s\n' "$indent" "$1" "$indent" "$indent" "$indent" "$flags"
		for flag in ${2//,/ }; do
			[[ $flag == 0x* ]] || printf '%s            IRQ_DOMAIN_%s\n' "$indent" "${flag/#[^F]*/FLAG_$flag}"
		done
		shift 2
		(($#)) || return 0
		shift
		printf '%s parent: %s\n' "$indent" "$1"
		indent+='    '
	done
}

# make_tree CASE DIR: the tree that the file describes
make_tree() {
	local word rest words i dev bdf mode first count chip name

	mkdir -p "$2"/sys/{bus/pci/devices,kernel/irq} "$2/proc"
	while read -r word rest; do
		read -ra words <<<"$rest"
		bdf=${words[0]-}
		dev=$2/sys/bus/pci/devices/$bdf
		case $word in
		'' | '#'* | exit | expect) ;;
		release) put "$2/proc/sys/kernel/osrelease" "$rest\n" ;;
		version) put "$2/proc/sys/kernel/version" "$rest\n" ;;
		signature) put "$2/proc/version_signature" "$rest\n" ;;
		arch) put "$2/proc/sys/kernel/arch" "$rest\n" ;;
		flags) put "$2/sys/kernel/btf/vmlinux" "BTF\\0${rest// /\\0}\\0" ;;
		device)
			mkdir -p "$dev"
			put "$dev/vendor" "0x${words[1]%:*}\n"
			put "$dev/device" "0x${words[1]#*:}\n"
			[[ ${words[2]} == - ]] || ln -s "../../../../bus/pci/drivers/${words[2]}" "$dev/driver"
			config "${words[3]}" >"$dev/config"
			;;
		link) ln -s "../../../devices/pci0000:00/$bdf" "$dev" ;;
		vectors)
			read -r bdf mode first count chip <<<"$rest"
			name=${chip##* } chip=${chip% *}
			for ((i = first; i < first + count; i++)); do
				put "$dev/msi_irqs/$i" "$mode\n"
				put "$2/sys/kernel/irq/$i/chip_name" "$chip\n"
				[[ $name == - ]] || put "$2/sys/kernel/debug/irq/irqs/$i" "handler:  x\ndomain:  $name\n hwirq: 0\n"
			done
			;;
		domain)
			mkdir -p "$2/sys/kernel/debug/irq/domains"
			domain "${words[@]}" >"$2/sys/kernel/debug/irq/domains/$bdf"
			;;
		node)
			put "$2/sys/firmware/devicetree/base/$bdf/compatible" "${words[1]}\\0"
			[[ ${#words[@]} == 2 ]] || put "$2/sys/firmware/devicetree/base/$bdf/status" "${words[2]}\\0"
			;;
		iort)
			mkdir -p "$2/sys/firmware/acpi/tables"
			# Two nodes: a root complex of 32 bytes, and an ITS group
			{ printf 'IORT\x70\0\0\0OEM'; printf '\0%.0s' {1..25}; printf '\x02\0\0\0\x30\0\0\0\0\0\0\0'
				printf '\x02\x20\0'; printf '\0%.0s' {1..29}
				printf '\0\x18\0'; printf '\0%.0s' {1..21}; } >"$2/sys/firmware/acpi/tables/IORT"
			;;
		*) echo "$1: '$word' is no word"; return 1 ;;
		esac
	done <"$1"
}

# of JSON: what is in it of each device, a line each: BDF VERDICT CONTROLLER | WHY
of() {
	python3 -c '
import json, sys
for d in json.load(sys.stdin)["devices"]:
    print(d["device"], d["verdict"].replace(" ", "-"), d["controller"] or "-", "|", d["why"])' <<<"$1"
}

@test "msi-scan: every case" {
	local case wanted got line count=0

	for case in "$source"/cases/*; do
		make_tree "$case" "$tree"
		try "$(sed -n 's/^exit //p' "$case")" "$scan" --json --root "$tree"
		same '' "$stderr"
		mapfile -t wanted < <(sed -n 's/^expect //p' "$case")
		mapfile -t got < <(of "$output")
		same "${#wanted[@]}" "${#got[@]}"
		for line in "${!wanted[@]}"; do
			[[ ${got[line]} == "${wanted[line]% | *} | "*"${wanted[line]##* | }"* ]] ||
				{ printf 'wanted: %s\ngot:    %s\n' "${wanted[line]}" "${got[line]}"; return 1; }
		done
		# The text says the same, and no more than a terminal is wide
		try "$(sed -n 's/^exit //p' "$case")" "$scan" --root "$tree"
		for line in "${wanted[@]}"; do
			read -r bdf verdict _ <<<"$line"
			grep -qE "^$bdf .*: ${verdict//-/ }\$" <<<"$output"
		done
		rm -rf "$tree"
		count=$((count + 1))
	done
	((count >= 25))
}

@test "msi-scan: every controller of the table, by each of its names" {
	local fields chip name arch count=0 nr

	while IFS='|' read -ra fields; do
		IFS=, read -ra chips <<<"${fields[1]}"
		for chip in "${chips[@]}"; do
			name=${chip/%\*/-0000:00:01.0}
			name=${name//--/-}
			arch=${fields[2]%%,*}
			arch=${arch/arm64/aarch64}
			[[ $arch != - ]] || arch=aarch64
			for nr in 3 8; do
				{
					echo "release $([[ $chip == *'*' ]] && echo 7.3.0 || echo 6.1.9)"
					echo "arch ${arch/x86/x86_64}"
					echo 'flags IRQ_DOMAIN_FLAG_HIERARCHY'
					echo 'device 0000:00:01.0 1033:0194 xhci_hcd 16'
					echo "vectors 0000:00:01.0 msi 40 $nr $name -"
					# What tells where the chip does not
					[[ ${fields[4]} == - ]] || echo "node x@0 ${fields[4]%% *}"
				} >case
				if [[ ${fields[3]} != - ]]; then
					sed -i 's/^\(vectors .*\) -$/\1 top-10/' case
					echo "domain top-10 MSI_DEVICE > ${fields[3]}-5 MSI_PARENT" >>case
				elif [[ $name == PCH* ]]; then
					sed -i 's/^\(vectors .*\) -$/\1 top-10/' case
					echo "domain top-10 MSI_DEVICE > :msi@0-5 MSI_PARENT" >>case
				fi
				make_tree case "$tree"
				echo "${fields[*]}: $name"
				if [[ ${fields[6]} != - && $nr == 3 ]]; then
					try 1 "$scan" --root "$tree"
				else
					try 0 "$scan" --root "$tree"
				fi
				same '' "$stderr"
				rm -rf "$tree"
			done
			count=$((count + 1))
		done
	done < <(sed -E '/^(#|$)/d; s/ *[|] */|/g' "$source/controllers")
	((count >= 45))
}

@test "msi-scan: the table is what the audit says" {
	local in=("$source/kernels" "$source/controllers" "$repo/Documentation/results/audit.txt")

	try 0 awk -f "$source/table.awk" "${in[@]}"
	same 21 "$(grep -c 'LOSES_[^N]' <<<"$output")"
	[[ $output == *'audited = { 7, 3, 4 };'* ]]
	# A driver with the bug that has no line, one that the audit does not know, one that it finds right
	sed '/pcie-iproc-msi/d' "${in[1]}" >controllers
	try 1 awk -f "$source/table.awk" "${in[0]}" controllers "${in[2]}"
	says_only 'controllers has no line for drivers/pci/controller/pcie-iproc-msi.c msi_domain_ops'
	sed 's/^drivers.*pcie-iproc-msi.c msi_domain_ops/drivers x/' "${in[1]}" >controllers
	try 1 awk -f "$source/table.awk" "${in[0]}" controllers "${in[2]}"
	says_only 'the audit does not know drivers x'
	sed '/pcie-iproc-msi/s/ tail / - /' "${in[1]}" >controllers
	try 1 awk -f "$source/table.awk" "${in[0]}" controllers "${in[2]}"
	says_only 'the audit is of another opinion on drivers/pci/controller/pcie-iproc-msi.c msi_domain_ops'
	sed '/linux-source/d' "${in[2]}" >audit
	try 1 awk -f "$source/table.awk" "${in[0]}" "${in[1]}" audit
	says_only 'the audit does not say which release it looked at'
	# The number of the flag, for kernels whose debugfs has no names
	grep -qE '^\+.*IRQ_DOMAIN_FREE_BULK[[:space:]]*= \(1 << 13\),$' "$repo"/patches/irqdomain/*.patch
	grep -qE '^#define FLAG_BIT[[:space:]]+\(1UL << 13\)$' "$source/msi-scan.c"
}

@test "msi-scan: what is collected gives the same result, and has nothing that is personal" {
	local case

	for case in "$source"/cases/*; do
		make_tree "$case" "$tree"
		sed -i 's/$/-of-somebody-x/' "$tree/proc/sys/kernel/osrelease"
		[[ -e $tree/proc/sys/kernel/version ]] || echo '#1 SMP somebody-x' >"$tree/proc/sys/kernel/version"
		echo somebody-x >"$tree/proc/sys/kernel/hostname"
		run "$scan" --json --root "$tree"
		printf '%s\n' "$output" >before
		try 0 "$scan" --root "$tree" --collect collected.tar
		same '' "$output$stderr"
		tar -xf collected.tar
		run "$scan" --json --root msi-scan
		printf '%s\n' "$output" >after
		diff before after
		! grep -qarE 'SERIAL|ADDRESS|somebody|OEM' collected.tar
		same '' "$(tar -tvf collected.tar | awk '$2 != "0/0" || $4 != "1970-01-01"')"
		rm -rf "$tree" msi-scan collected.tar
	done
	# It is never written over what is there, and not kept when it cannot be written
	make_tree "$source/cases/its-stock" "$tree"
	echo mine >file
	try 64 "$scan" --root "$tree" --collect file
	says_only 'file: File exists'
	same mine "$(<file)"
	try 64 "$scan" --root "$tree" --collect no/file
	says_only 'no/file: No such file or directory'
}

@test "msi-scan: a link leads nowhere out of the tree" {
	make_tree "$source/cases/its-stock" "$tree"
	printf 'ITS-PCI-MSI-secret\n' >outside
	ln -sf "$PWD/outside" "$tree/sys/kernel/irq/40/chip_name"
	run "$scan" --root "$tree"
	[[ $output != *secret* ]]
	ln -sf ../../../../../outside "$tree/sys/kernel/irq/40/chip_name"
	run "$scan" --root "$tree"
	[[ $output != *secret* ]]
}

@test "msi-scan: a copy whose links have become folders" {
	make_tree "$source/cases/its-vfio" "$tree"
	rm "$tree/sys/bus/pci/devices/0000:00:01.0/driver"
	mkdir "$tree/sys/bus/pci/devices/0000:00:01.0/driver"
	try 1 "$scan" --json --root "$tree"
	says_only 'msi-scan: sys/bus/pci/devices/0000:00:01.0/driver is no link'
	same '0000:00:01.0 cannot-tell - | what its driver is cannot be seen' "$(of "$output" | head -n 1)"
}

@test "msi-scan: a driver whose name has no room in what is collected" {
	local name

	printf -v name '%060d-vfio-pci' 0
	make_tree "$source/cases/its-vfio" "$tree"
	ln -sfn "../../../../bus/pci/drivers/$name" "$tree/sys/bus/pci/devices/0000:00:01.0/driver"
	try 0 "$scan" --root "$tree" --collect collected.tar
	tar -xf collected.tar
	try 1 "$scan" --json --root msi-scan
	same '0000:00:01.0 cannot-tell - | what its driver is cannot be seen' "$(of "$output" | head -n 1)"
}

@test "msi-scan: a device that does not answer" {
	make_tree "$source/cases/its-vfio" "$tree"
	printf '\xff%.0s' {1..256} >"$tree/sys/bus/pci/devices/0000:00:01.0/config"
	try 1 "$scan" --json --root "$tree"
	same '0000:00:01.0 cannot-tell GICv3 ITS | vfio-pci has it, and how many vectors it can have is for root to see' "$(of "$output" | head -n 1)"
}

@test "msi-scan: a machine whose devices are hidden, as from a container" {
	unshare -r true || skip 'needs user namespaces, to have another root'
	make_tree "$source/cases/half-a-copy" "$tree"
	rm -r "$tree/sys/bus/pci/devices/0000:00:02.0"
	make -s -C "$source" O="$tree"
	try 2 unshare -r chroot "$tree" /msi-scan --json
	same '0000:00:01.0 cannot-tell - | nothing of it can be seen' "$(of "$output")"
}

@test "msi-scan: arguments" {
	try 0 "$scan" --help
	[[ $output == Usage:* ]]
	try 64 "$scan" --what
	says_only 'unknown argument --what; see msi-scan --help'
	try 64 "$scan" --root
	says_only '--root needs a value'
	try 64 "$scan" --json --collect x
	says_only 'exclude each other'
	try 64 "$scan" --root nowhere
	says_only 'nowhere: No such file or directory'
	mkdir empty
	try 64 "$scan" --root empty
	says_only 'empty has no sys; it must be a copy of sys and proc'
	mkdir empty/sys
	try 64 "$scan" --root empty
	says_only 'sys/bus/pci/devices: No such file or directory'
	make_tree "$source/cases/its-stock" "$tree"
	try 64 bash -c '"$@" >/dev/full' - "$scan" --root "$tree"
	says_only 'the result could not be written'
}

@test "msi-scan: a copy on a kernel before Linux 5.6, which has no openat2()" {
	cat >without.c <<-'END'
		#include <errno.h>
		#include <linux/filter.h>
		#include <linux/seccomp.h>
		#include <sys/prctl.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			struct sock_filter filter[] = {
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
				BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
			};
			struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
				return 98;
			execv(argv[1], argv + 1);
			return argc;
		}
	END
	gcc -o without without.c
	make_tree "$source/cases/its-stock" "$tree"
	try 64 ./without "$scan" --root "$tree"
	says_only "msi-scan: $tree: Function not implemented; this takes Linux 5.6"
	# The machine itself needs none.
	run ./without "$scan"
	((status <= 2))
}

# mutate DIR: one thing in the tree becomes another, at random. Nothing is written to a FIFO, which would wait.
mutate() {
	local paths path name

	mapfile -t paths < <(find "$1" -mindepth 1)
	path=${paths[RANDOM % ${#paths[@]}]}
	case $((RANDOM % 14)) in
	0) rm -rf "$path" ;;
	1) rm -rf "$path" && mkdir "$path" ;;
	2) rm -rf "$path" && mkfifo "$path" ;;
	3) rm -rf "$path" && ln -s "${path##*/}" "$path" ;;
	4) rm -rf "$path" && ln -s . "$path" ;;
	5) rm -rf "$path" && ln -s /dev/zero "$path" ;;
	6) rm -rf "$path" && printf '%0300d\n' 7 >"$path" ;;
	7) rm -rf "$path" && head -c 100000 /dev/urandom >"$path" ;;
	8) [[ ! -f $path ]] || printf '99999999999999999999\n' >"$path" ;;
	9) [[ ! -f $path ]] || : >"$path" ;;
	10) [[ ! -d $path ]] || mkdir -p "$path/$(printf '%0255d' 1)" ;;
	11) [[ ! -d $path ]] || touch "$path"/-1 "$path"/4294967296 "$path/99999999999999999999" "$path"/$'a\nb' "$path/%n%s" ;;
	12) [[ ! -d $path ]] || for name in {40000..40040}; do printf 'msi\n' >"$path/$name"; done ;;
	13) [[ ! -f $path ]] || head -c 256 /dev/urandom | dd of="$path" conv=notrunc status=none ;;
	esac 2>/dev/null || :
}

@test "msi-scan: a tree in which anything may be wrong" {
	local cases=("$source"/cases/*) case round i complaints

	# Another number of trees, or the same ones as another time
	RANDOM=${MSI_SCAN_SEED:-$((RANDOM))}
	for ((round = 0; round < ${MSI_SCAN_TREES:-40}; round++)); do
		case=${cases[RANDOM % ${#cases[@]}]##*/}
		[[ -e made/$case ]] || make_tree "$source/cases/$case" "made/$case"
		rm -rf "$tree" collected.tar
		cp -a "made/$case" "$tree"
		for ((i = 0; i <= RANDOM % 4; i++)); do mutate "$tree"; done
		run --separate-stderr timeout 20 "$scan" --root "$tree"
		printf '%s, round %d: status %d\n%s\n%s\n' "$case" $round "$status" "$output" "$stderr"
		[[ $status =~ ^(0|1|2|64)$ ]]
		# Each complaint is a line of its own, and who could not look says why
		complaints=$(grep -c '^msi-scan: ' <<<"$stderr" || :)
		[[ $stderr == '' || $complaints == "${#stderr_lines[@]}" ]]
		[[ $status != 64 || $complaints != 0 ]]
		if [[ $status != 64 ]]; then
			run --separate-stderr timeout 20 "$scan" --json --root "$tree"
			of "$output" >json
		fi
		run --separate-stderr timeout 20 "$scan" --root "$tree" --collect collected.tar
		[[ $status =~ ^(0|64)$ ]]
	done
}

@test "msi-scan: both compilers are content, and so is what formats the manual page" {
	local cc

	for cc in gcc clang; do
		command -v $cc >/dev/null || continue
		try 0 make -s -C "$source" O="$BATS_TEST_TMPDIR/$cc" CC=$cc
		same '' "$output$stderr"
		try 0 "$BATS_TEST_TMPDIR/$cc/msi-scan" --help
		[[ $(file -L "$BATS_TEST_TMPDIR/$cc/msi-scan" 2>/dev/null || echo static) == *static* ]]
	done
	command -v groff >/dev/null || skip 'groff is missing'
	try 0 groff -man -Tutf8 -ww -z "$source/msi-scan.8"
	same '' "$output$stderr"
}
