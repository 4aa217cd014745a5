// SPDX-License-Identifier: GPL-2.0-only
/*
 * dw_pcie_allocate_domains() is called. dw_pcie_msi_host_init() in front of it maps a page of
 * DMA memory for the address, which any will do for.
 */
#define CONFIG_PCIE_DW 1
#define CONFIG_PCIE_DW_HOST 1
#include "../pci/controller/dwc/pcie-designware.c"
#include "../pci/controller/dwc/pcie-designware-host.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct dw_pcie *pci = msi_bench_zalloc(test, sizeof(*pci));
	static const struct dw_pcie_ops ops;

	pci->dev = bench->dev;
	pci->ops = &ops;
	pci->dbi_base = (void __iomem *)bench->regs;
	pci->pp.num_vectors = MSI_DEF_NUM_VECTORS;
	pci->pp.msi_irq_chip = &dw_pci_msi_bottom_irq_chip;
	pci->pp.msi_data = 0x3fff0000;
	raw_spin_lock_init(&pci->pp.lock);
	KUNIT_ASSERT_EQ(test, dw_pcie_allocate_domains(&pci->pp), 0);
	msi_bench_map(bench, 0, pci->pp.msi_irq_in_use, pci->pp.num_vectors, 0);
}

MSI_BENCH_SUITE(pcie_designware_host, setup);
