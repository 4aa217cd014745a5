// SPDX-License-Identifier: GPL-2.0-only
/*
 * mpic_msi_init() is called, on all doorbells. The driver is one for arm, and gets by with
 * little of it
 */
#include <linux/io.h>

#undef dsb
#define dsb()	asm volatile("dsb sy" : : : "memory")
#define atomic_io_modify(reg, mask, set)	\
	writel((readl(reg) & ~(mask)) | ((set) & (mask)), reg)
#include "../irqchip/irq-armada-370-xp.c"
#include "bench.h"

static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	struct mpic *mpic = bench->priv;

	/* Without the CPU */
	return (data & 0xff) - mpic->msi_doorbell_start;
}

static void __ref setup(struct kunit *test, struct msi_bench *bench)
{
	struct mpic *mpic = msi_bench_zalloc(test, sizeof(*mpic));

	mpic->base = (void __iomem *)bench->regs;
	mpic->per_cpu = (void __iomem *)bench->regs + SZ_4K;
	/* A parent interrupt, so that there are no IPIs and all doorbells are for MSIs */
	mpic->parent_irq = 1;
	KUNIT_ASSERT_EQ(test, mpic_msi_init(mpic, bench->dev->of_node, 0xf1020a00), 0);
	msi_bench_map(bench, 0, mpic->msi_used, mpic->msi_doorbell_size, mpic->msi_doorbell_start);
	bench->priv = mpic;
	bench->hwirq = message_hwirq;
}

MSI_BENCH_SUITE(irq_armada_370_xp, setup);
