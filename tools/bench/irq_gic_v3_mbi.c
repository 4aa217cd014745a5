// SPDX-License-Identifier: GPL-2.0-only
/* mbi_init() is called. The driver is built in, too */
#include "doorbell.h"

#define mbi_init msi_bench_mbi_init
#undef pr_fmt
#include "../irqchip/irq-gic-v3-mbi.c"
#include "bench.h"

static void free_ranges(void *unused)
{
	for (unsigned int i = 0; i < mbi_range_nr; i++)
		bitmap_free(mbi_ranges[i].bm);
	kfree(mbi_ranges);
}

static void __ref setup(struct kunit *test, struct msi_bench *bench)
{
	struct fwnode_handle *fwnode = dev_fwnode(bench->dev);
	struct irq_domain *parent = msi_bench_parent(test, fwnode);

	KUNIT_ASSERT_EQ(test, mbi_init(fwnode, parent), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_ranges, NULL), 0);
	for (unsigned int i = 0; i < mbi_range_nr; i++)
		msi_bench_map(bench, i, mbi_ranges[i].bm, mbi_ranges[i].nr_spis,
			      mbi_ranges[i].spi_start);
}

MSI_BENCH_SUITE(irq_gic_v3_mbi, setup);
MSI_BENCH_DOORBELL_SUITE(irq_gic_v3_mbi_iommu, irq_gic_v3_mbi, setup);
