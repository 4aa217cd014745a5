// SPDX-License-Identifier: GPL-2.0
// Writes what the board's table says, and goes on where QEMU's own boot code begins.
	.global	_start
_start:
	ldr	x1, =TABLE
1:	ldp	w2, w3, [x1], #8
	cbz	w2, 2f
	str	w3, [x2]
	b	1b
2:	ldr	x1, =NEXT
	br	x1
