// SPDX-License-Identifier: GPL-2.0-only
/* brcm_pcie_enable_msi() and brcm_msi_remove() are called, for a controller with 32 MSIs */
#include "../pci/controller/pcie-brcmstb.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(msi_remove, brcm_msi_remove, struct brcm_pcie *);

static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	/* What PCIE_MISC_MSI_DATA_CONFIG makes the controller match */
	return data - (0xffff & PCIE_MISC_MSI_DATA_CONFIG_VAL_32);
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct brcm_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	msi_bench_parent(test, NULL);
	pcie->dev = bench->dev;
	pcie->np = bench->dev->of_node;
	pcie->base = (void __iomem *)bench->regs;
	pcie->msi_target_addr = 0xfffffffc;
	pcie->hw_rev = BRCM_PCIE_HW_REV_33;
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, brcm_pcie_enable_msi(pcie), 0);
	msi_bench_dispose(test, pcie->msi->irq);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, msi_remove, pcie), 0);
	msi_bench_map(bench, 0, pcie->msi->used, pcie->msi->nr, 0);
	bench->hwirq = message_hwirq;
}

MSI_BENCH_SUITE(pcie_brcmstb, setup);
