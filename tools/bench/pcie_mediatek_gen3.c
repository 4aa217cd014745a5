// SPDX-License-Identifier: GPL-2.0-only
/* mtk_pcie_init_irq_domains() and mtk_pcie_enable_msi() are called */
#include "../pci/controller/pcie-mediatek-gen3.c"
#include "bench.h"

KUNIT_DEFINE_ACTION_WRAPPER(remove_intx, irq_domain_remove, struct irq_domain *);

/* One address for each set of 32 */
static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	struct mtk_gen3_pcie *pcie = bench->priv;

	for (unsigned int i = 0; i < PCIE_MSI_SET_NUM; i++) {
		if (addr == pcie->msi_sets[i].msg_addr)
			return i * PCIE_MSI_IRQS_PER_SET + data;
	}
	return -1;
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct mtk_gen3_pcie *pcie = msi_bench_zalloc(test, sizeof(*pcie));

	pcie->dev = bench->dev;
	pcie->base = (void __iomem *)bench->regs;
	pcie->reg_base = 0x11230000;
	KUNIT_ASSERT_EQ(test, mtk_pcie_init_irq_domains(pcie), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, remove_intx, pcie->intx_domain), 0);
	mtk_pcie_enable_msi(pcie);
	bench->priv = pcie;
	bench->hwirq = message_hwirq;
	msi_bench_map(bench, 0, pcie->msi_irq_in_use, PCIE_MSI_IRQS_NUM, 0);
}

MSI_BENCH_SUITE(pcie_mediatek_gen3, setup);
