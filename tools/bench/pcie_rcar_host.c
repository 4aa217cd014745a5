// SPDX-License-Identifier: GPL-2.0-only
/* rcar_pcie_enable_msi() is called */
#include "../pci/controller/pcie-rcar.c"
#include "../pci/controller/pcie-rcar-host.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct rcar_pcie_host *host = msi_bench_zalloc(test, sizeof(*host));

	host->pcie.dev = bench->dev;
	host->pcie.base = (void __iomem *)bench->regs;
	host->msi.irq1 = msi_bench_sim_irqs(test, 2);
	host->msi.irq2 = host->msi.irq1 + 1;
	KUNIT_ASSERT_EQ(test, rcar_pcie_enable_msi(host), 0);
	msi_bench_map(bench, 0, host->msi.used, INT_PCI_MSI_NR, 0);
}

MSI_BENCH_SUITE(pcie_rcar_host, setup);
