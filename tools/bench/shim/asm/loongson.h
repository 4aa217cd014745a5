/* SPDX-License-Identifier: GPL-2.0-only */
/* What irq-loongarch-ir needs of LoongArch: the registers are where redirect_reg_base says */
#define IO_BASE			0
#define LOONGSON_REG_BASE	0
#define NODE_ADDRSPACE_SHIFT	44
