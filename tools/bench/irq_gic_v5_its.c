// SPDX-License-Identifier: GPL-2.0-only
/*
 * gicv5_its_init_bases() is called. Nothing executes the commands which are written to memory,
 * so they are not waited for. LPIs are allocated by the parent.
 */
#include <linux/irqchip/arm-gic-v5.h>
#include <linux/pci.h>

#undef gicv5_wait_for_op_atomic
#define gicv5_wait_for_op_atomic(base, reg, mask, val)	0
#undef gicv5_wait_for_op
#define gicv5_wait_for_op(base, reg, mask)		do { } while (0)
#define gicv5_irs_syncr()				do { } while (0)
/* The driver is built in, too */
#define gicv5_its_of_probe				msi_bench_gicv5_its_of_probe
#define gicv5_its_acpi_probe				msi_bench_gicv5_its_acpi_probe
#undef pr_fmt
#include "../irqchip/irq-gic-v5-its.c"
#include "bench.h"

static unsigned int used(struct msi_bench *bench)
{
	struct gicv5_its_chip_data *its = bench->priv;
	struct gicv5_its_dev *its_dev;
	unsigned int weight = 0;
	unsigned long id;

	xa_for_each(&its->its_devices, id, its_dev)
		weight += bitmap_weight(its_dev->event_map, its_dev->num_events);
	return weight;
}

/* Each device has a map of the size with which its MSI domain was created */
static bool has_room(struct msi_bench *bench, unsigned int dev, unsigned int size)
{
	struct gicv5_its_dev *its_dev;

	its_dev = gicv5_its_find_device(bench->priv, pci_dev_id(msi_bench_pdev(dev)));
	if (IS_ERR(its_dev))
		return true;
	return bitmap_find_next_zero_area(its_dev->event_map, its_dev->num_events, 0, size,
					  size - 1) < its_dev->num_events;
}

static irq_hw_number_t message_hwirq(struct msi_bench *bench, unsigned int dev, u64 addr, u32 data)
{
	return FIELD_PREP(GICV5_ITS_HWIRQ_DEVICE_ID, pci_dev_id(msi_bench_pdev(dev))) |
	       FIELD_PREP(GICV5_ITS_HWIRQ_EVENT_ID, data);
}

static void its_free(void *data)
{
	struct gicv5_its_chip_data *its = data;

	gicv5_its_deinit_devtab(its);
	xa_destroy(&its->its_devices);
	kfree(its);
}

static void __ref setup(struct kunit *test, struct msi_bench *bench)
{
	struct fwnode_handle *fwnode = dev_fwnode(bench->dev);
	struct irq_domain *parent = msi_bench_parent(test, NULL);
	struct msi_domain_info *info;
	struct device_node *frame;

	writel(FIELD_PREP(GICV5_ITS_IDR1_DEVICEID_BITS, 12), bench->regs + GICV5_ITS_IDR1);
	writel(FIELD_PREP(GICV5_ITS_IDR2_EVENTID_BITS, 12), bench->regs + GICV5_ITS_IDR2);
	KUNIT_ASSERT_EQ(test, gicv5_its_init_bases((void __iomem *)bench->regs, fwnode, parent,
						   false), 0);
	/* Devices refer to the translate frame, which is a child */
	frame = of_get_child_by_name(bench->dev->of_node, "msi-frame");
	bench->domain = irq_find_matching_fwnode(of_fwnode_handle(frame), DOMAIN_BUS_PCI_MSI);
	of_node_put(frame);
	KUNIT_ASSERT_NOT_NULL(test, bench->domain);
	info = bench->domain->host_data;
	bench->priv = info->data;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, its_free, info->data), 0);
	bench->used = used;
	bench->has_room = has_room;
	bench->hwirq = message_hwirq;
	bench->per_device = true;
}

MSI_BENCH_SUITE(irq_gic_v5_its, setup);
