# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Boards that QEMU does not have: its own machine with another device tree, and with memory where
# Linux expects registers. Needs lib/common.sh, lib/source.sh and lib/kernel.sh.
#
# tools/boards/NAME.dts        what Linux is told. machine.dts, to be included, is what QEMU says
#                              of its machine, so that a newer QEMU does not break it.
# tools/boards/NAME.registers  what is in the registers from the start: ADDRESS VALUE and why
# tools/boards/NAME.early      the same for registers that QEMU has, written by the first CPU
#                              before the kernel starts
# tools/boards/NAME.pokes      the same, written by the guest's init before the job, where Linux has
#                              set a register to what QEMU does not understand

: "${cache:?}" "${repo:?}" "${src=}" "${dtb=}" "${work=}" "${guest_cross=}"

boards=$repo/tools/boards

# Where the first CPU begins, and finds what to write; QEMU's own boot code comes next. In the memory
# that memory.dtsi keeps from Linux.
early_code=0x7f0f0000 early_table=0x7f0f1000 early_next=0x40000000

# QEMU where the machine's own is too old for a board, and where one from the archive is kept
newer_qemu=11
newer_root=$cache/qemu-$newer_qemu
# How the reasons begin for which there is none
no_newer="QEMU $newer_qemu is not to be had"

# is_word ADDRESS VALUE: whether the line has a word; one that should have and has not ends the script
is_word() {
	[[ $1 != \#* && -n $1 ]] || return
	[[ $1 =~ ^0x[0-9a-f]+$ && $2 =~ ^0x[0-9a-f]{8}$ ]] || die "no register: '$1 $2'"
}

# words FILE BASE: write 'ADDRESS VALUE ...' lines from stdin to FILE, each where it belongs behind BASE
words() {
	local address value bytes

	while read -r address value _; do
		is_word "$address" "$value" || continue
		printf -v bytes '\\x%02x' $((value & 255)) $((value >> 8 & 255)) $((value >> 16 & 255)) $((value >> 24))
		# shellcheck disable=SC2059 # the bytes are the format
		printf "$bytes" | dd of="$1" bs=1 seek=$((address - $2)) conv=notrunc status=none
	done
}

# board NAME QEMU-ARGUMENT...: set board_arguments to what makes this QEMU the board, and board_append to
# what the guest has to be told
board() {
	local name=$1 dir=$work/board-$1 include=() first base address value

	[[ -r $boards/$name.dts ]] || die "no board '$name' in tools/boards"
	need dtc=device-tree-compiler
	rm -rf "$dir"
	mkdir "$dir"
	if grep -q '#include "machine.dts"' "$boards/$name.dts"; then
		"${@:2}" -machine "dumpdtb=$dir/machine.dtb" >"$dir/log" 2>&1 ||
			die "QEMU does not tell its device tree: $(tail -n 1 "$dir/log")"
		dtc -q -I dtb -O dts -o "$dir/machine.dts" "$dir/machine.dtb" || die "cannot read QEMU's device tree"
		include=("$dir")
	fi
	kernel_dtb "$boards/$name.dts" "${include[@]}"
	board_arguments=(-dtb "$dtb") board_append=

	if [[ -e $boards/$name.registers ]]; then
		first=$(awk '/^0x/ { print $1; exit }' "$boards/$name.registers")
		base=$((first & ~0xfff))
		words "$dir/registers" $base <"$boards/$name.registers"
		board_arguments+=(-device "loader,file=$dir/registers,addr=$base,force-raw=on")
	fi
	if [[ -e $boards/$name.early ]]; then
		{ "${guest_cross}gcc" -c -DTABLE=$early_table -DNEXT=$early_next -o "$dir/early.o" "$boards/early.S" &&
			"${guest_cross}objcopy" -O binary "$dir/early.o" "$dir/early"; } ||
			die "cannot build tools/boards/early.S"
		# Pairs of address and value, and a zero behind them
		awk '/^0x/ { printf "0x%x %s\n0x%x %s\n", n * 8, $1, n * 8 + 4, $2; n++ } END { printf "0x%x 0x00000000\n", n * 8 }' \
			"$boards/$name.early" | words "$dir/table" 0
		board_arguments+=(-device "loader,file=$dir/early,addr=$early_code,force-raw=on,cpu-num=0"
			-device "loader,file=$dir/table,addr=$early_table,force-raw=on")
	fi
	if [[ -e $boards/$name.pokes ]]; then
		while read -r address value _; do
			! is_word "$address" "$value" || board_append+=,$address=$value
		done <"$boards/$name.pokes"
		board_append=guest.poke=${board_append#,}
	fi
}

# unmet TOOL=PACKAGE...: need, but where that would end the script, print what it says
unmet() {
	local said

	if said=$(need "$@" 2>&1); then
		[[ -z $said ]] || printf '%s\n' "$said" >&2
	else
		echo "${said##*"$self: "}"
	fi
}

# get_newer: put QEMU from Debian's archive into $newer_root; sets newer_unmet to why that cannot be done
newer_unmet=
get_newer() {
	local packages=(qemu-system-arm qemu-system-misc qemu-efi-loongarch64) options=() suite mirror
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	newer_unmet=$(unmet mmdebstrap=mmdebstrap $keyring=debian-archive-keyring)
	[[ -z $newer_unmet ]] || return 0
	mirror=$(debian_mirror trixie-backports) || mirror=
	if [[ -z $mirror ]]; then
		newer_unmet="this machine's apt has no Debian archive; install QEMU $newer_qemu or later"
		return
	fi
	note "getting QEMU $newer_qemu from Debian's archive, 400 MB, for the boards alone"
	rm -rf "$newer_root.partial"
	at_exit rm -rf "$newer_root.partial"
	# Before that, since it writes there until it is stopped.
	at_exit stop_supervised
	suite="deb [signed-by=$keyring] $mirror"
	# Unpacked is enough, also by a user who is not root; nothing of it is configured, or run as anybody else.
	((EUID == 0)) || options=(--mode=chrootless)
	if supervise mmdebstrap --quiet "${options[@]}" --variant=extract --include="$(IFS=,; echo "${packages[*]}")" \
		--aptopt='APT::Install-Recommends "0"' --aptopt='APT::Default-Release "trixie-backports"' \
		trixie "$newer_root.partial" "$suite trixie main" "$suite trixie-backports main" >&2; then
		mv -T "$newer_root.partial" "$newer_root"
	else
		newer_unmet="the download from the archive has failed; try again, or install QEMU $newer_qemu or later"
	fi
}

# qemu_newer PROGRAM: set newer to the command that is PROGRAM of QEMU $newer_qemu or later: the machine's
# own, or else one from Debian that is kept in the cache folder and used for nothing else. Or set newer_missing
# to why there is none; it is looked for once.
qemu_newer() {
	local version lib efi=''

	newer=() newer_missing=
	[[ $1 != *-loongarch64 ]] || efi=/usr/share/qemu-efi-loongarch64
	version=$("$1" --version 2>/dev/null | sed -nE '1s/.*version ([0-9]+).*/\1/p') || version=
	if ((${version:-0} >= newer_qemu)); then
		[[ -z $efi ]] || newer_missing=$(unmet "$efi/QEMU_EFI.fd=${efi##*/}")
		newer_missing=${newer_missing:+$no_newer: $newer_missing}
		newer=("$1" ${efi:+-L "$efi"})
		return
	fi

	if [[ ! -e $newer_root && -z $newer_unmet ]]; then
		lock qemu
		[[ -e $newer_root ]] || get_newer
		unlock qemu
	fi
	if [[ ! -e $newer_root ]]; then
		newer_missing="$no_newer: $newer_unmet"
		return
	fi
	lib=$(echo "$newer_root"/usr/lib/*-linux-gnu*/ld-linux*.so.*)
	[[ -x $lib && -x $newer_root/usr/bin/$1 && (-z $efi || -e $newer_root$efi/QEMU_EFI.fd) ]] ||
		die "$newer_root is not whole; remove it, and it is fetched again"
	newer=("$lib" --library-path "${lib%/*}" --argv0 "$1" "$newer_root/usr/bin/$1" -L "$newer_root/usr/share/qemu"
		${efi:+-L "$newer_root$efi"})
}

# qemu_version COMMAND...: what that QEMU says of itself, or nothing where it is not there
qemu_version() { { "$@" --version 2>/dev/null || :; } | sed -n 1p; }
