/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware of the LoongArch guest: starts the kernel image at KERNEL with the command
 * line at CMDLINE and what Linux needs of EFI, an empty system table that says that the
 * device tree is at DTB. scripts/lib/loongarch.sh puts everything there.
 *
 * QEMU 7.2 starts a kernel without any argument, and its flash is too small for the EDK2
 * that Debian has.
 */

/* The kernel image's header has the physical address of its entry point here. */
#define ENTRY		8

	.text
	.global _start
_start:
	li.d	$t0, KERNEL
	ld.d	$t0, $t0, ENTRY
	li.d	$a0, 1			/* booted by EFI */
	li.d	$a1, CMDLINE
	la.pcrel $a2, system_table
	jirl	$zero, $t0, 0

	.balign	16
system_table:
	.quad	0x5453595320494249	/* signature: "IBI SYST" */
	.long	0x00020046, 120, 0, 0	/* revision, size, CRC, reserved */
	.quad	vendor
	.long	0, 0			/* firmware revision */
	.fill	6, 8, 0			/* console handles and protocols */
	.quad	0, 0			/* runtime and boot services */
	.quad	1			/* tables */
	.quad	tables

tables:					/* EFI_DTB_TABLE_GUID */
	.long	0xb1b621d5
	.short	0xf19c, 0x41a5
	.byte	0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0
	.quad	DTB

vendor:
	.short	'g', 'u', 'e', 's', 't', 0
