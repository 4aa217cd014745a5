// SPDX-License-Identifier: GPL-2.0-only
/* rzg3s_pcie_init_msi() and rzg3s_pcie_teardown_msi() are called */
#include "../pci/controller/pcie-rzg3s-host.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(teardown, rzg3s_pcie_teardown_msi, struct rzg3s_pcie_host *);

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct rzg3s_pcie_host *host = msi_bench_zalloc(test, sizeof(*host));

	msi_bench_parent(test, NULL);
	host->dev = bench->dev;
	host->axi = (void __iomem *)bench->regs;
	raw_spin_lock_init(&host->hw_lock);
	/* An AXI window for all of the memory */
	writel(RZG3S_PCI_AWBASEL_WIN_ENA, host->axi + RZG3S_PCI_AWBASEL(0));
	writel(~0, host->axi + RZG3S_PCI_AWMASKL(0));
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, rzg3s_pcie_init_msi(host), 0);
	msi_bench_dispose(test, host->msi.irq);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, teardown, host), 0);
	msi_bench_map(bench, 0, host->msi.map, RZG3S_PCI_MSI_INT_NR, 0);
}

MSI_BENCH_SUITE(pcie_rzg3s_host, setup);
