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
#include <linux/xarray.h>

#include "bench.h"

/* The kernel has no ACPI */
union acpi_subtable_headers;
static struct acpi_madt_msi_pic madt_msi_pic;
static void execute_commands(void);

/* The driver's allocations which have not been freed, and the one that fails. -1: none */
static unsigned int objects;
static int object_fails_at;
static void *object_alloc(size_t size);
static void object_free(const void *object);

#undef kzalloc_obj
#define kzalloc_obj(obj)		((typeof(obj) *)object_alloc(sizeof(obj)))
#undef kzalloc_node
#define kzalloc_node(size, gfp, node)	object_alloc(size)
#define kfree(object)			object_free(object)

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

/* The GPIDs of the entries that the controller has a copy of: it may write there */
static DEFINE_XARRAY(copied_gpids);
/* How many of them have been freed */
static unsigned int freed_gpids;

static void *object_alloc(size_t size)
{
	void *object = NULL;

	if (object_fails_at < 0 || object_fails_at-- > 0)
		object = kzalloc(size, GFP_KERNEL);
	objects += !!object;
	return object;
}

static u64 gpid_address(const void *object)
{
	return ((unsigned long)object & GPID_ADDR_MASK) >> GPID_ADDR_SHIFT;
}

static void object_free(const void *object)
{
	unsigned long index;
	void *gpid;

	xa_for_each(&copied_gpids, index, gpid)
		freed_gpids += xa_to_value(gpid) == gpid_address(object);
	objects -= !!object;
	(kfree)(object);
}

static void execute_commands(void)
{
	u32 tail = redirect_read_reg32(0, LOONGARCH_IOCSR_REDIRECT_CQT), head;
	struct redirect_cmd *cmd;

	for (head = redirect_read_reg32(0, LOONGARCH_IOCSR_REDIRECT_CQH); head != tail;
	     head = (head + 1) % INV_QUEUE_SIZE) {
		cmd = &redirect_descs[0].inv_queue.cmd_base[head];
		xa_erase(&copied_gpids, cmd->index.index);
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

	objects = 0;
	object_fails_at = -1;
	freed_gpids = 0;
	xa_destroy(&copied_gpids);
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

/* The controller has the entries of a device when their GPIDs are freed. */
static void gpid(struct kunit *test)
{
	struct msi_bench *bench = test->priv;
	struct redirect_entry *entry;
	u32 data;

	for (unsigned int nr = 1; nr <= MSI_BENCH_MAX_NR; nr *= 2) {
		KUNIT_ASSERT_EQ(test, msi_bench_alloc(test, 0, nr), 0);
		for (unsigned int i = 0; i < nr; i++) {
			data = bench->block[0].data | i;
			entry = &redirect_descs[0].ird_table.table[data];
			KUNIT_ASSERT_TRUE(test, entry->lo.valid);
			KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&copied_gpids, data,
								 xa_mk_value(entry->lo.gpid),
								 GFP_KERNEL)));
		}
		msi_bench_free(test, 0);
		KUNIT_ASSERT_EQ(test, freed_gpids, 0);
		KUNIT_ASSERT_TRUE(test, xa_empty(&copied_gpids));
	}
	msi_bench_verify_empty(test);
}

/* No entry is left. */
static void full(struct kunit *test)
{
	struct msi_bench *bench = test->priv;

	for (unsigned int nr = 1; nr <= MSI_BENCH_MAX_NR; nr++) {
		bitmap_fill(bench->map[0].bits, IRD_ENTRIES);
		KUNIT_ASSERT_NE(test, msi_bench_alloc(test, 0, nr), 0);
		bitmap_zero(bench->map[0].bits, IRD_ENTRIES);
		msi_bench_verify_empty(test);
	}
}

/* Each allocation of memory fails. */
static void memory(struct kunit *test)
{
	for (unsigned int nr = 1; nr <= MSI_BENCH_MAX_NR; nr++) {
		for (unsigned int i = 0; i < 2 * nr; i++) {
			object_fails_at = i;
			KUNIT_ASSERT_NE(test, msi_bench_alloc(test, 0, nr), 0);
			KUNIT_ASSERT_EQ(test, object_fails_at, -1);
			KUNIT_ASSERT_EQ(test, objects, 0);
			msi_bench_verify_empty(test);
		}
	}
}

MSI_BENCH_SUITE(irq_loongarch_ir, setup);
MSI_BENCH_SUITE_OF(irq_loongarch_ir_own, irq_loongarch_ir, setup,
		   KUNIT_CASE(gpid), KUNIT_CASE(full), KUNIT_CASE(memory));
