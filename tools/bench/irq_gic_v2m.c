// SPDX-License-Identifier: GPL-2.0-only
/*
 * gicv2m_init_one() and gicv2m_allocate_domains() are called for a frame of 129 SPIs, whose
 * first is an odd one. The offset of X-Gene makes it an even one in the message, and NS2 has
 * messages from 0 on.
 */
#include <linux/io.h>
#include "doorbell.h"

static void *v2m_regs;
#undef ioremap
#define ioremap(addr, size)	((void __iomem *)v2m_regs)
#define iounmap(addr)		do { } while (0)
/* The driver is built in, too */
#define gicv2m_init		msi_bench_gicv2m_init
#undef pr_fmt
#include "../irqchip/irq-gic-v2m.c"
#include "bench.h"

static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	struct v2m_data *v2m = list_first_entry(&v2m_nodes, struct v2m_data, entry);

	return data + v2m->spi_offset;
}

static void __ref teardown(void *unused)
{
	gicv2m_teardown();
}

static void __ref frame(struct kunit *test, struct msi_bench *bench, u32 iidr)
{
	struct fwnode_handle *fwnode = dev_fwnode(bench->dev);
	struct irq_domain *parent = msi_bench_parent(test, NULL);
	struct resource res = DEFINE_RES_MEM(0x8020000, SZ_4K);
	struct v2m_data *v2m;

	v2m_regs = bench->regs;
	writel(iidr, bench->regs + V2M_MSI_IIDR);
	writel(81 << V2M_MSI_TYPER_BASE_SHIFT | 129, bench->regs + V2M_MSI_TYPER);
	KUNIT_ASSERT_EQ(test, gicv2m_init_one(fwnode_handle_get(fwnode), 0, 0, &res, 0), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, teardown, NULL), 0);
	KUNIT_ASSERT_EQ(test, gicv2m_allocate_domains(parent), 0);
	v2m = list_first_entry(&v2m_nodes, struct v2m_data, entry);
	msi_bench_map(bench, 0, v2m->bm, v2m->nr_spis, v2m->spi_start - v2m->spi_offset);
	bench->hwirq = message_hwirq;
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	frame(test, bench, 0);
}

static void xgene(struct kunit *test, struct msi_bench *bench)
{
	frame(test, bench, XGENE_GICV2M_MSI_IIDR);
}

static void ns2(struct kunit *test, struct msi_bench *bench)
{
	frame(test, bench, BCM_NS2_GICV2M_MSI_IIDR);
}

MSI_BENCH_SUITE(irq_gic_v2m, setup);
MSI_BENCH_SUITE(irq_gic_v2m_xgene, xgene);
MSI_BENCH_SUITE(irq_gic_v2m_ns2, ns2);
MSI_BENCH_DOORBELL_SUITE(irq_gic_v2m_iommu, irq_gic_v2m, setup);
