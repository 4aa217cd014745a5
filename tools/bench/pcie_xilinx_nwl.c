// SPDX-License-Identifier: GPL-2.0-only
/*
 * nwl_pcie_init_msi_irq_domain() is called. For the handlers nwl_pcie_enable_msi() as well, with
 * two interrupts of a parent, which are raised
 */
#include "status.h"
#include "../pci/controller/pcie-xilinx-nwl.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct nwl_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->dev = bench->dev;
	pcie->breg_base = (void __iomem *)bench->regs;
	pcie->phys_pcie_reg_base = 0xfd480000;
	mutex_init(&pcie->msi.lock);
	KUNIT_ASSERT_EQ(test, nwl_pcie_init_msi_irq_domain(pcie), 0);
	msi_bench_map(bench, 0, pcie->msi.bitmap, INT_PCI_MSI_NR, 0);
	bench->priv = pcie;
}

static void handle(struct msi_bench *bench)
{
	struct nwl_pcie *pcie = bench->priv;

	generic_handle_irq(pcie->msi.irq_msi0);
	generic_handle_irq(pcie->msi.irq_msi1);
}

static void disable_msi(void *data)
{
	struct nwl_pcie *pcie = data;

	irq_set_chained_handler_and_data(pcie->msi.irq_msi0, NULL, NULL);
	irq_set_chained_handler_and_data(pcie->msi.irq_msi1, NULL, NULL);
}

static void setup_irq(struct kunit *test, struct msi_bench *bench)
{
	struct nwl_pcie *pcie;

	msi_bench_parent(test, NULL);
	setup(test, bench);
	pcie = bench->priv;
	writel(MSII_PRESENT, pcie->breg_base + I_MSII_CAPABILITIES);
	msi_bench_status = bench->regs + MSGF_MSI_STATUS_LO;
	KUNIT_ASSERT_EQ(test, nwl_pcie_enable_msi(pcie), 0);
	msi_bench_dispose(test, pcie->msi.irq_msi0);
	msi_bench_dispose(test, pcie->msi.irq_msi1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, disable_msi, pcie), 0);
	bench->handle = handle;
}

MSI_BENCH_SUITE(pcie_xilinx_nwl, setup);
MSI_BENCH_HANDLER_SUITE(pcie_xilinx_nwl_irq, pcie_xilinx_nwl, setup_irq);
