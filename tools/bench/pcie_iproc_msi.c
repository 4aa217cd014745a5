// SPDX-License-Identifier: GPL-2.0-only
/*
 * iproc_msi_init() and iproc_msi_exit() are called. The kernel must have a single CPU for Multi-
 * MSI
 */
#define CONFIG_PCIE_IPROC_MSI 1
#include "../pci/controller/pcie-iproc-msi.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(msi_exit, iproc_msi_exit, struct iproc_pcie *);

static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	struct iproc_msi *msi = bench->priv;

	/* The controller puts the data into the event queue */
	writel(data, msi->eq_cpu);
	return decode_msi_hwirq(msi, 0, 0);
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct iproc_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	msi_bench_parent(test, NULL);
	pcie->dev = bench->dev;
	pcie->base = (void __iomem *)bench->regs;
	pcie->base_addr = 0x18012000;
	pcie->type = IPROC_PCIE_PAXB;
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, iproc_msi_init(pcie, bench->dev->of_node), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, msi_exit, pcie), 0);
	KUNIT_ASSERT_EQ(test, pcie->msi->nr_cpus, 1);
	msi_bench_map(bench, 0, pcie->msi->bitmap, pcie->msi->nr_msi_vecs, 0);
	bench->priv = pcie->msi;
	bench->hwirq = message_hwirq;
}

MSI_BENCH_SUITE(pcie_iproc_msi, setup);
