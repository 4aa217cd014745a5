// SPDX-License-Identifier: GPL-2.0-only
/* aspeed_pcie_init_irq_domain() and aspeed_pcie_irq_domain_free() are called, for an AST2700 */
#include "../pci/controller/pcie-aspeed.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(domain_free, aspeed_pcie_irq_domain_free, void *);

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct aspeed_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->dev = bench->dev;
	pcie->reg = (void __iomem *)bench->regs;
	pcie->platform = &pcie_rc_ast2700;
	mutex_init(&pcie->lock);
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, aspeed_pcie_init_irq_domain(pcie), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, domain_free, pcie), 0);
	msi_bench_map(bench, 0, pcie->msi_irq_in_use, MAX_MSI_HOST_IRQS, 0);
}

MSI_BENCH_SUITE(pcie_aspeed, setup);
