// SPDX-License-Identifier: GPL-2.0-only
/* mip_parse_dt() and mip_init_domains() are called: all of the probe but its allocations */
#include "../irqchip/irq-bcm2712-mip.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct mip_priv *mip = msi_bench_zalloc(test, sizeof(*mip));

	msi_bench_parent(test, NULL);
	spin_lock_init(&mip->lock);
	mip->dev = bench->dev;
	mip->base = (void __iomem *)bench->regs;
	KUNIT_ASSERT_EQ(test, mip_parse_dt(mip, bench->dev->of_node), 0);
	mip->bitmap = msi_bench_zalloc(test, bitmap_size(mip->num_msis));
	KUNIT_ASSERT_EQ(test, mip_init_domains(mip, bench->dev->of_node), 0);
	msi_bench_map(bench, 0, mip->bitmap, mip->num_msis, mip->msi_offset);
}

MSI_BENCH_SUITE(irq_bcm2712_mip, setup);
