// SPDX-License-Identifier: GPL-2.0-only
/* The driver is probed, for an SG2044: that one has Multi-MSI */
#include "../irqchip/irq-sg2042-msi.c"
#include "bench.h"

/* One address for 32 messages */
static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	struct sg204x_msi_chipdata *chip = bench->priv;

	return (addr - chip->doorbell_addr) / 4 * 32 + data;
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct sg204x_msi_chipdata *chip;
	struct irq_domain *domain;

	/* The probe was deferred, as there was no parent */
	msi_bench_parent(test, NULL);
	KUNIT_ASSERT_EQ(test, device_attach(bench->dev), 1);
	domain = irq_find_matching_fwnode(dev_fwnode(bench->dev), DOMAIN_BUS_PCI_MSI);
	KUNIT_ASSERT_NOT_NULL(test, domain);
	chip = domain->host_data;
	msi_bench_map(bench, 0, chip->msi_map, chip->num_irqs, 0);
	bench->priv = chip;
	bench->hwirq = message_hwirq;
}

MSI_BENCH_SUITE(irq_sg2042_msi, setup);
