# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the LoongArch guest needs beyond the others: a libc that Debian 12 does not have,
# and a firmware of its own that starts the kernel. Needs lib/common.sh, lib/archive.sh
# and lib/kernel.sh.

: "${cache:?}" "${repo:?}"

# The suite that has the libc for LoongArch, and the GCC that its libgcc is of
loongarch_suite=trixie
loongarch_gcc=14

# loongarch_libc: get the libc, and set loongarch_cc to the compiler that uses it
loongarch_libc() {
	local dir=$cache/libc-loongarch work deb

	if [[ ! -e $dir ]]; then
		work=$dir.partial
		rm -rf "$work"
		archive_open "$work" $loongarch_suite "leave the LoongArch guest out"
		note "getting a libc for LoongArch from $loongarch_suite"
		archive_download "$work" {libc6-dev,linux-libc-dev,libgcc-$loongarch_gcc-dev}-loong64-cross
		for deb in "$work"/*.deb; do
			dpkg-deb -x "$deb" "$work" || die "cannot unpack $deb"
		done
		rm -rf "$work"/*.deb "$work/apt"
		mv "$work" "$dir"
	fi
	loongarch_cc="clang-19 --target=loongarch64-linux-gnu --sysroot=$dir/usr/loongarch64-linux-gnu"
	loongarch_cc+=" --gcc-install-dir=$dir/usr/lib/gcc-cross/loongarch64-linux-gnu/$loongarch_gcc"
	# lld 19 takes the address of the resolvers of IFUNCs, and then moves them when it relaxes.
	loongarch_cc+=" -fuse-ld=lld-19 -Wl,--no-relax"
}

# loongarch_boot LOG IMAGE INITRAMFS APPEND: QEMU's arguments, a line each, that start the kernel by
# tools/guest/firmware. What they need of files is made as LOG.*.
loongarch_boot() {
	local firmware=$1.firmware cmdline=$1.cmdline dtb
	# The first 256 MiB of memory: the kernel must be at 2 MiB.
	local at_image=0x200000 at_initrd=0x8000000 at_cmdline=0xe000000 at_dtb=0xe100000 flash=0x1c000000

	dtb=$(kernel_dtb loongarch)
	clang-19 --target=loongarch64-linux-gnu -nostdlib -static -fuse-ld=lld-19 \
		-DKERNEL=$at_image -DCMDLINE=$at_cmdline -DDTB=$at_dtb \
		-Wl,--image-base=$flash,-Ttext=$flash,--oformat=binary \
		-o "$firmware" "$repo/tools/guest/firmware/loongarch.S" ||
		die "cannot build the guest's firmware, see above"
	printf '%s\0' "$4 initrdmem=$at_initrd,$(stat -c %s "$3")" >"$cmdline"
	printf '%s\n' -bios "$firmware" \
		-device "loader,file=$2,addr=$at_image,force-raw=on" \
		-device "loader,file=$3,addr=$at_initrd,force-raw=on" \
		-device "loader,file=$cmdline,addr=$at_cmdline,force-raw=on" \
		-device "loader,file=$dtb,addr=$at_dtb,force-raw=on"
}
