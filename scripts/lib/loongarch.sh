# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the LoongArch guest needs beyond the others: an init without a libc, since Debian's
# takes vector instructions that QEMU 7.2 does not have, and a firmware of its own that
# starts the kernel. Needs lib/common.sh and lib/kernel.sh.

: "${cache:?}" "${repo:?}" "${src=}"

# loongarch_nolibc: set loongarch_make to the arguments for tools/guest/Makefile that build init with
# the nolibc of the kernel, and the only job that is there for this machine, and loongarch_scan to those for
# tools/msi-scan/Makefile
loongarch_nolibc() {
	local dir work

	use_variant stock
	dir=$cache/nolibc-loongarch-$(source_exact "$src" | sha256sum | cut -c1-12)
	if [[ ! -e $dir ]]; then
		kernel_tools loongarch
		work=$dir.partial
		rm -rf "$work"
		mkdir -p "$work"
		make -C "$src" ARCH=loongarch LLVM=-19 O="$work/build" -s headers >&2
		cp -r "$src/tools/include/nolibc" "$work"
		mv "$work/build/usr/include" "$work/uapi"
		rm -rf "$work/build"
		mv "$work" "$dir"
	fi
	unlock src
	loongarch_make=(
		"CC=clang-19 --target=loongarch64-linux-gnu -mno-lsx -fuse-ld=lld-19 -nostdlib -nostdinc -ffreestanding -fno-stack-protector -isystem $dir/nolibc -isystem $dir/uapi -include missing.h"
		srcs='init.c files.c ktap.c params.c pci.c poke.c scan.c vfio.c job_vectors.c'
	)
	loongarch_scan=("${loongarch_make[0]/missing.h/../guest/missing.h}" srcs='msi-scan.c fs.c config.c')
}

# loongarch_boot LOG IMAGE INITRAMFS APPEND: set loongarch_arguments to QEMU's arguments that start the
# kernel by tools/guest/firmware. What they need of files is made as LOG.*.
loongarch_boot() {
	local firmware=$1.firmware cmdline=$1.cmdline
	# The first 256 MiB of memory: the kernel must be at 2 MiB.
	local at_image=0x200000 at_initrd=0x8000000 at_cmdline=0xe000000 at_dtb=0xe100000 flash=0x1c000000

	kernel_dtb "$repo/tools/boards/loongarch.dts"
	clang-19 --target=loongarch64-linux-gnu -nostdlib -static -fuse-ld=lld-19 \
		-DKERNEL=$at_image -DCMDLINE=$at_cmdline -DDTB=$at_dtb \
		-Wl,--image-base=$flash,-Ttext=$flash,--oformat=binary \
		-o "$firmware" "$repo/tools/guest/firmware/loongarch.S" ||
		die "cannot build the guest's firmware, see above"
	printf '%s\0' "$4 initrdmem=$at_initrd,$(stat -c %s "$3")" >"$cmdline"
	loongarch_arguments=(-bios "$firmware"
		-device "loader,file=$2,addr=$at_image,force-raw=on"
		-device "loader,file=$3,addr=$at_initrd,force-raw=on"
		-device "loader,file=$cmdline,addr=$at_cmdline,force-raw=on"
		-device "loader,file=$dtb,addr=$at_dtb,force-raw=on")
}
