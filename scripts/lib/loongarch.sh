# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the LoongArch guest needs beyond the others: an init without a libc, since Debian has no
# compiler with one for it. Needs lib/common.sh and lib/kernel.sh.

: "${cache:?}" "${repo:?}" "${src=}"

# loongarch_nolibc: set loongarch_make to the arguments for tools/guest/Makefile that build init with
# the nolibc of the kernel, and the jobs that are there for this machine, and loongarch_scan to those for
# tools/msi-scan/Makefile
loongarch_nolibc() {
	local dir work base

	base_tree
	dir=$cache/nolibc-loongarch-$(source_exact "$base" | sha256sum | cut -c1-12)
	if [[ ! -e $dir ]]; then
		kernel_tools loongarch
		use_variant stock
		work=$dir.partial
		rm -rf "$work"
		mkdir -p "$work"
		make -C "$src" ARCH=loongarch LLVM=-19 O="$work/build" -s headers >&2
		cp -r "$src/tools/include/nolibc" "$work"
		mv "$work/build/usr/include" "$work/uapi"
		rm -rf "$work/build"
		mv "$work" "$dir"
		unlock_src
	fi
	loongarch_make=(
		"CC=clang-19 --target=loongarch64-linux-gnu -mno-lsx -fuse-ld=lld-19 -nostdlib -nostdinc -ffreestanding -fno-stack-protector -isystem $dir/nolibc -isystem $dir/uapi -include missing.h"
		srcs='init.c files.c ktap.c params.c pci.c poke.c scan.c vfio.c job_messages.c job_vectors.c'
	)
	loongarch_scan=("${loongarch_make[0]/missing.h/../guest/missing.h}" srcs='msi-scan.c fs.c config.c')
}
