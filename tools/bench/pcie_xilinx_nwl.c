// SPDX-License-Identifier: GPL-2.0-only
/* nwl_pcie_init_msi_irq_domain() is called */
#include "../pci/controller/pcie-xilinx-nwl.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct nwl_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->dev = bench->dev;
	pcie->phys_pcie_reg_base = 0xfd480000;
	mutex_init(&pcie->msi.lock);
	KUNIT_ASSERT_EQ(test, nwl_pcie_init_msi_irq_domain(pcie), 0);
	msi_bench_map(bench, 0, pcie->msi.bitmap, INT_PCI_MSI_NR, 0);
}

MSI_BENCH_SUITE(pcie_xilinx_nwl, setup);
