// SPDX-License-Identifier: GPL-2.0-only
/* apple_msi_init() is called */
#define CONFIG_PCIE_APPLE_MSI_DOORBELL_ADDR 0xfffff000
#include "../pci/controller/pcie-apple.c"
#include "bench.h"

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct apple_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	msi_bench_parent(test, NULL);
	mutex_init(&pcie->lock);
	pcie->dev = bench->dev;
	KUNIT_ASSERT_EQ(test, apple_msi_init(pcie), 0);
	msi_bench_map(bench, 0, pcie->bitmap, pcie->nvecs, 0);
}

MSI_BENCH_SUITE(pcie_apple, setup);
