// SPDX-License-Identifier: GPL-2.0-only
/* xilinx_pl_dma_pcie_init_msi_irq_domain() is called */
#include "../pci/controller/pcie-xilinx-dma-pl.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(free_bitmap, kfree, const void *);

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct pl_dma_pcie *port = msi_bench_zalloc(test, sizeof(*port));

	port->dev = bench->dev;
	port->reg_base = (void __iomem *)bench->regs;
	port->phys_reg_base = 0xa0000000;
	port->variant = &xdma_host;
	KUNIT_ASSERT_EQ(test, xilinx_pl_dma_pcie_init_msi_irq_domain(port), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_bitmap, port->msi.bitmap), 0);
	msi_bench_map(bench, 0, port->msi.bitmap, XILINX_NUM_MSI_IRQS, 0);
}

MSI_BENCH_SUITE(pcie_xilinx_dma_pl, setup);
