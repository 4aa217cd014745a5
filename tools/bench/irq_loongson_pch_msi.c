// SPDX-License-Identifier: GPL-2.0-only
/*
 * pch_msi_of_init() is called, which is all that there is for a device tree. Of what is there for
 * ACPI, irq-loongarch-ir needs pch_msi_acpi_init_avec().
 */
#include <linux/acpi.h>
#include <linux/irqchip.h>
#include <linux/irqchip/irq-msi-lib.h>
#include <linux/msi.h>
#include <linux/of_address.h>
#include <linux/of_irq.h>
#include <linux/of_pci.h>

/* Of LoongArch, where the domain of irq-loongarch-ir is above AVEC's */
#define MAX_IO_PICS		8
#define cpu_has_avecint		0
#define cpu_has_redirectint	1
static struct { int pci_segment; } msi_group[MAX_IO_PICS];

#define CONFIG_ACPI	1
#undef pr_fmt
#include "../irqchip/irq-loongson-pch-msi.c"
#include "bench.h"

void msi_bench_pch_msi_reset(void)
{
	nr_pics = 0;
	pch_msi_handle[0] = NULL;
}

static void priv_free(void *data)
{
	struct pch_msi_data *priv = data;

	msi_bench_pch_msi_reset();
	bitmap_free(priv->msi_map);
	kfree(priv);
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct irq_domain *parent = msi_bench_parent(test, NULL);
	struct pch_msi_data *priv;

	KUNIT_ASSERT_EQ(test, pch_msi_of_init(bench->dev->of_node, to_of_node(parent->fwnode)), 0);
	bench->domain = irq_find_matching_fwnode(dev_fwnode(bench->dev), DOMAIN_BUS_PCI_MSI);
	KUNIT_ASSERT_NOT_NULL(test, bench->domain);
	priv = bench->domain->host_data;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, priv_free, priv), 0);
	msi_bench_map(bench, 0, priv->msi_map, priv->num_irqs, priv->irq_first);
}

MSI_BENCH_SUITE(irq_loongson_pch_msi, setup);
