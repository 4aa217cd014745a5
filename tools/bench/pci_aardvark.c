// SPDX-License-Identifier: GPL-2.0-only
/* advk_pcie_init_msi_irq_domain() is called */
#include "../pci/controller/pci-aardvark.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct advk_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->pdev = bench->pdev;
	pcie->base = (void __iomem *)bench->regs;
	KUNIT_ASSERT_EQ(test, advk_pcie_init_msi_irq_domain(pcie), 0);
	msi_bench_map(bench, 0, pcie->msi_used, MSI_IRQ_NUM, 0);
}

MSI_BENCH_SUITE(pci_aardvark, setup);
