// SPDX-License-Identifier: GPL-2.0-only
/*
 * redirect_acpi_init() is called, with a domain in place of AVEC's, and pch-msi makes the result an
 * MSI parent. The driver is one for LoongArch, and gets by with little of it. Its commands are
 * executed while it waits for them, by cpu_relax().
 */
#include <linux/acpi.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/irqchip.h>
#include <linux/irqchip/irq-msi-lib.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/* The kernel has no ACPI */
union acpi_subtable_headers;
static struct acpi_madt_msi_pic madt_msi_pic;
static void execute_commands(void);

#undef cpu_relax
#define cpu_relax()		execute_commands()
/* Of a variable on the stack, and nobody looks at the others */
#undef __pa
#define __pa(x)			((unsigned long)(x))
/* Without NUMA there is no node, which stock takes for an index */
#define dev_to_node(dev)	((dev) ? 0 : NUMA_NO_NODE)
#define acpi_table_parse_madt(id, handler, max)	\
	handler((union acpi_subtable_headers *)&madt_msi_pic, 0)
#undef pr_fmt
#include "../irqchip/irq-loongarch-ir.c"
#include "bench.h"

static void execute_commands(void)
{
	u32 tail = redirect_read_reg32(0, LOONGARCH_IOCSR_REDIRECT_CQT), head;
	struct redirect_cmd *cmd;

	for (head = redirect_read_reg32(0, LOONGARCH_IOCSR_REDIRECT_CQH); head != tail;
	     head = (head + 1) % INV_QUEUE_SIZE) {
		cmd = &redirect_descs[0].inv_queue.cmd_base[head];
		if (cmd->index.need_notice)
			*(u64 *)cmd->notice_addr = 1;
	}
	redirect_write_reg32(0, head, LOONGARCH_IOCSR_REDIRECT_CQH);
}

void avecintc_sync(struct avecintc_data *adata)
{
}

static struct avecintc_data avec_data = { .vec = 16 };

static struct irq_chip avec_chip = {
	.name			= "bench-avec",
	.irq_ack		= irq_chip_eoi_parent,
	.irq_mask		= irq_chip_mask_parent,
	.irq_unmask		= irq_chip_unmask_parent,
	.irq_set_affinity	= irq_chip_set_affinity_parent,
};

static int avec_alloc(struct irq_domain *domain, unsigned int virq, unsigned int nr_irqs, void *arg)
{
	int ret = irq_domain_alloc_irqs_parent(domain, virq, nr_irqs, NULL);

	for (unsigned int i = 0; !ret && i < nr_irqs; i++)
		irq_domain_set_info(domain, virq + i, virq + i, &avec_chip, &avec_data,
				    handle_edge_irq, NULL, NULL);
	return ret;
}

static const struct irq_domain_ops avec_ops = {
	.alloc	= avec_alloc,
	.free	= irq_domain_free_irqs_common,
};

static irq_hw_number_t event(struct irq_data *d)
{
	struct redirect_item *item = irq_data_get_irq_chip_data(d);

	return item->index;
}

static void __ref remove(void *data)
{
	struct irq_domain *avec = redirect_domain->parent;
	struct fwnode_handle *fwnode = redirect_domain->fwnode;

	irq_domain_remove(redirect_domain);
	irq_domain_free_fwnode(fwnode);
	redirect_irde_free(&redirect_descs[0]);
	msi_bench_pch_msi_reset();
	irq_domain_remove(avec);
}

static void __ref setup(struct kunit *test, struct msi_bench *bench)
{
	struct irq_domain *parent = msi_bench_parent(test, NULL), *avec;

	redirect_reg_base = (unsigned long)bench->regs;
	avec = irq_domain_create_hierarchy(parent, 0, 0, dev_fwnode(bench->dev), &avec_ops, NULL);
	KUNIT_ASSERT_NOT_NULL(test, avec);
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, redirect_acpi_init(avec), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, remove, NULL), 0);
	bench->domain = redirect_domain;
	msi_bench_created = redirect_domain;
	bench->event = event;
	msi_bench_map(bench, 0, redirect_descs[0].ird_table.bitmap, IRD_ENTRIES, 0);
}

MSI_BENCH_SUITE(irq_loongarch_ir, setup);
