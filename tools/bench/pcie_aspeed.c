// SPDX-License-Identifier: GPL-2.0-only
/*
 * aspeed_pcie_init_irq_domain() and aspeed_pcie_irq_domain_free() are called, for an AST2700, and
 * aspeed_pcie_intr_handler()
 */
#include "status.h"
#include "../pci/controller/pcie-aspeed.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(domain_free, aspeed_pcie_irq_domain_free, void *);

static void handle(struct msi_bench *bench)
{
	aspeed_pcie_intr_handler(0, bench->priv);
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct aspeed_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->dev = bench->dev;
	pcie->reg = (void __iomem *)bench->regs;
	pcie->platform = &pcie_rc_ast2700;
	pcie->clear_msi_twice = true;
	mutex_init(&pcie->lock);
	msi_bench_status = bench->regs + pcie_rc_ast2700.reg_msi_sts;
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, aspeed_pcie_init_irq_domain(pcie), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, domain_free, pcie), 0);
	/* What clears the INTx interrupts has set them, in memory */
	writel(0, pcie->reg + pcie_rc_ast2700.reg_intx_sts);
	msi_bench_map(bench, 0, pcie->msi_irq_in_use, MAX_MSI_HOST_IRQS, 0);
	bench->handle = handle;
	bench->priv = pcie;
}

MSI_BENCH_SUITE(pcie_aspeed, setup);
MSI_BENCH_HANDLER_SUITE(pcie_aspeed_irq, pcie_aspeed, setup);
