/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before a driver whose handler looks for messages in two registers, with a bit for each:
 * one that is written is cleared.
 */
#ifndef MSI_BENCH_STATUS_H
#define MSI_BENCH_STATUS_H

#include <linux/io.h>

#define MSI_BENCH_STATUS_REGS	2

/* Where they are in the memory of the test. NULL: the driver has none of them */
extern u32 *msi_bench_status;

static inline void msi_bench_writel(u32 val, void __iomem *addr)
{
	u32 *reg = (u32 __force *)addr;

	if (msi_bench_status && reg >= msi_bench_status &&
	    reg < msi_bench_status + MSI_BENCH_STATUS_REGS)
		val = readl(addr) & ~val;
	writel(val, addr);
}

#undef writel
#define writel(val, addr)	msi_bench_writel(val, addr)

#endif
