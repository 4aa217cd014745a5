// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests of all drivers. pci_alloc_irq_vectors(), the MSI core and the driver are the real ones.
 * The message is the one that has arrived in the configuration space of the device.
 */
#include <linux/bitmap.h>
#include <linux/device/devres.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_sim.h>
#include <linux/log2.h>
#include <linux/msi.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/prandom.h>

#include "bench.h"
#include "doorbell.h"
#include "status.h"

/* Rounds of a sweep, steps and seeds of a mix, and how many events are filled of a map that has more */
#define ROUNDS		20
#define STEPS		250
#define SEEDS		4
#define FILL		384
/* What the handlers that are tested look for messages of: two devices with 32 vectors have all of them */
#define MESSAGES	(MSI_BENCH_STATUS_REGS * 32)

struct irq_domain *msi_bench_created;
int msi_bench_doorbell_error;
u32 *msi_bench_status;

/*
 * What a driver stacks on: a controller with a fwspec, whose second to last parameter is the number
 * of the interrupt. It keeps an account, and fails when it is told to.
 */

static int parent_set_type(struct irq_data *d, unsigned int type)
{
	struct msi_bench *bench = irq_data_get_irq_chip_data(d);

	return bench->type_fails_at >= 0 && bench->type_fails_at-- == 0 ? -EINVAL : 0;
}

static int parent_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	irq_data_update_effective_affinity(d, cpumask_of(cpumask_first(mask)));
	return IRQ_SET_MASK_OK;
}

static void parent_nop(struct irq_data *d)
{
}

static struct irq_chip parent_chip = {
	.name			= "bench-parent",
	.irq_mask		= parent_nop,
	.irq_unmask		= parent_nop,
	.irq_eoi		= parent_nop,
	.irq_set_type		= parent_set_type,
	.irq_set_affinity	= parent_set_affinity,
};

static int parent_alloc(struct irq_domain *domain, unsigned int virq, unsigned int nr_irqs,
			void *arg)
{
	struct msi_bench *bench = domain->host_data;
	struct irq_fwspec *fwspec = arg;
	irq_hw_number_t hwirq;
	unsigned int i;

	/* LPIs are not asked for by number */
	if (fwspec)
		hwirq = fwspec->param[max(fwspec->param_count, 2) - 2];
	else
		hwirq = bitmap_find_next_zero_area(bench->parent_used, MSI_BENCH_PARENT_IRQS, 0,
						   nr_irqs, 0);

	for (i = 0; i < nr_irqs; i++) {
		if (bench->parent_fails_at >= 0 && bench->parent_fails_at-- == 0)
			goto fail;
		if (hwirq + i >= MSI_BENCH_PARENT_IRQS ||
		    test_and_set_bit(hwirq + i, bench->parent_used))
			bench->parent_errors++;
		irq_domain_set_info(domain, virq + i, hwirq + i, &parent_chip, bench,
				    handle_fasteoi_irq, NULL, NULL);
	}
	return 0;

fail:
	bitmap_clear(bench->parent_used, hwirq, i);
	return -ENOSPC;
}

static void parent_free(struct irq_domain *domain, unsigned int virq, unsigned int nr_irqs)
{
	struct msi_bench *bench = domain->host_data;

	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *d = irq_domain_get_irq_data(domain, virq + i);

		/* Drivers pass interrupts which they never allocated when they fail. The GIC takes it */
		if (!d || !d->chip)
			continue;
		if (d->hwirq >= MSI_BENCH_PARENT_IRQS ||
		    !test_and_clear_bit(d->hwirq, bench->parent_used))
			bench->parent_errors++;
		irq_domain_reset_irq_data(d);
	}
}

static int parent_translate(struct irq_domain *domain, struct irq_fwspec *fwspec,
			    unsigned long *hwirq, unsigned int *type)
{
	*hwirq = fwspec->param[fwspec->param_count - 2];
	*type = fwspec->param[fwspec->param_count - 1];
	return 0;
}

static const struct irq_domain_ops parent_ops = {
	.alloc		= parent_alloc,
	.free		= parent_free,
	.translate	= parent_translate,
};

static void domain_remove(void *domain)
{
	irq_domain_remove(domain);
}

/* Make it for @fwnode or, if that is NULL, for the interrupt-parent of the driver's node */
struct irq_domain *msi_bench_parent(struct kunit *test, struct fwnode_handle *fwnode)
{
	struct msi_bench *bench = test->priv;
	struct device_node *np;

	if (!fwnode) {
		np = of_parse_phandle(bench->dev->of_node, "interrupt-parent", 0);
		KUNIT_ASSERT_NOT_NULL(test, np);
		fwnode = of_fwnode_handle(np);
		of_node_put(np);
	}
	bench->parent = irq_domain_create_hierarchy(NULL, 0, MSI_BENCH_PARENT_IRQS, fwnode,
						    &parent_ops, bench);
	KUNIT_ASSERT_NOT_NULL(test, bench->parent);
	irq_domain_update_bus_token(bench->parent, DOMAIN_BUS_WIRED);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, domain_remove, bench->parent), 0);
	return bench->parent;
}

static void irq_dispose(void *virq)
{
	irq_dispose_mapping((unsigned long)virq);
}

/* For a driver that maps interrupts of its own: before the parent goes */
void msi_bench_dispose(struct kunit *test, unsigned int virq)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, irq_dispose,
							(void *)(unsigned long)virq), 0);
}

/* For a driver that requests interrupts which the platform has: the first of @nr */
unsigned int msi_bench_sim_irqs(struct kunit *test, unsigned int nr)
{
	struct msi_bench *bench = test->priv;
	struct irq_domain *domain = devm_irq_domain_create_sim(bench->dev, NULL, nr);
	unsigned long virq;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	for (unsigned int i = 0; i < nr; i++) {
		virq = irq_create_mapping(domain, i);
		KUNIT_ASSERT_EQ(test, devm_add_action_or_reset(bench->dev, irq_dispose,
							       (void *)virq), 0);
	}
	return irq_find_mapping(domain, 0);
}

/* For the driver's own structures. What it has requested by devm functions goes before them */
void *msi_bench_zalloc(struct kunit *test, size_t size)
{
	struct msi_bench *bench = test->priv;
	void *p = devm_kzalloc(bench->dev, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static unsigned int events_used(struct msi_bench *bench)
{
	unsigned int weight = 0;

	if (bench->used)
		return bench->used(bench);
	for (unsigned int i = 0; i < MSI_BENCH_MAPS && bench->map[i].bits; i++)
		weight += bitmap_weight(bench->map[i].bits, bench->map[i].nr);
	return weight;
}

/* Is there a block of @size events whose message data is aligned? */
static bool has_room(struct msi_bench *bench, unsigned int dev, unsigned int size)
{
	if (bench->has_room)
		return bench->has_room(bench, dev, size);
	for (unsigned int i = 0; i < MSI_BENCH_MAPS && bench->map[i].bits; i++) {
		if (bitmap_find_next_zero_area_off(bench->map[i].bits, bench->map[i].nr, 0, size,
						   size - 1, bench->map[i].base) < bench->map[i].nr)
			return true;
	}
	return false;
}

/* The message of @dev, and that nobody else has any of it */
static void verify_block(struct kunit *test, unsigned int dev)
{
	struct msi_bench *bench = test->priv;
	struct irq_domain *domain = bench->event_domain ?: bench->domain;
	unsigned int nr = bench->block[dev].nr, size = roundup_pow_of_two(nr), end;
	u32 data = msi_bench_config(dev, MSI_BENCH_CAP + PCI_MSI_DATA_64, 2);
	u64 addr = msi_bench_config(dev, MSI_BENCH_CAP + PCI_MSI_ADDRESS_HI, 4);
	struct irq_data *d;
	irq_hw_number_t hwirq;

	addr = addr << 32 | msi_bench_config(dev, MSI_BENCH_CAP + PCI_MSI_ADDRESS_LO, 4);
	bench->block[dev].addr = addr;
	bench->block[dev].data = data;

	KUNIT_ASSERT_EQ(test, ilog2(size), FIELD_GET(PCI_MSI_FLAGS_QSIZE,
			msi_bench_config(dev, MSI_BENCH_CAP + PCI_MSI_FLAGS, 2)));
	KUNIT_ASSERT_EQ_MSG(test, data % size, 0, "%u vectors at data %u", nr, data);

	/* The device puts the vector into the low bits. Is that what the driver waits for? */
	for (unsigned int i = 0; i < nr; i++) {
		d = irq_domain_get_irq_data(domain, pci_irq_vector(msi_bench_pdev(dev), i));
		KUNIT_ASSERT_NOT_NULL(test, d);
		hwirq = bench->hwirq ? bench->hwirq(bench, dev, addr, data | i) : data | i;
		KUNIT_ASSERT_EQ_MSG(test, hwirq, bench->event ? bench->event(d) : irqd_to_hwirq(d),
				    "vector %u of %u", i, nr);
	}

	/* It may signal all of the block */
	for (unsigned int i = 0; i < MSI_BENCH_DEVS && !bench->per_device; i++) {
		if (i == dev || !bench->block[i].nr || bench->block[i].addr != addr)
			continue;
		end = bench->block[i].data + roundup_pow_of_two(bench->block[i].nr);
		KUNIT_ASSERT_TRUE_MSG(test, end <= data || data + size <= bench->block[i].data,
				      "%u vectors at data %u, and %u at %u", nr, data,
				      bench->block[i].nr, bench->block[i].data);
	}
}

/* @dev gets @nr vectors, or an error is returned and nothing has changed */
int msi_bench_alloc(struct kunit *test, unsigned int dev, unsigned int nr)
{
	struct pci_dev *pdev = msi_bench_pdev(dev);
	struct msi_bench *bench = test->priv;
	unsigned int before;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	dev_set_msi_domain(&pdev->dev, bench->domain);
	before = events_used(bench);
	ret = pci_alloc_irq_vectors(pdev, nr, nr, PCI_IRQ_MSI);
	if (ret < 0) {
		KUNIT_ASSERT_EQ_MSG(test, events_used(bench), before, "no %u vectors: %d", nr, ret);
		return ret;
	}
	bench->block[dev].nr = nr;
	KUNIT_ASSERT_EQ(test, ret, nr);
	/* The whole block, so that nobody else gets what this device may signal */
	KUNIT_ASSERT_EQ_MSG(test, events_used(bench), before + roundup_pow_of_two(nr),
			    "%u vectors", nr);
	verify_block(test, dev);
	return 0;
}

/* The same, which must succeed if, and only if, there is room */
static bool block_alloc_if_room(struct kunit *test, unsigned int dev, unsigned int nr)
{
	bool room = has_room(test->priv, dev, roundup_pow_of_two(nr));
	int ret = msi_bench_alloc(test, dev, nr);

	KUNIT_ASSERT_EQ_MSG(test, !ret, room, "%u vectors for device %u: %d", nr, dev, ret);
	return !ret;
}

void msi_bench_free(struct kunit *test, unsigned int dev)
{
	struct msi_bench *bench = test->priv;
	unsigned int before = events_used(bench), nr = bench->block[dev].nr;

	pci_free_irq_vectors(msi_bench_pdev(dev));
	bench->block[dev].nr = 0;
	KUNIT_ASSERT_EQ_MSG(test, before - events_used(bench), roundup_pow_of_two(nr),
			    "%u vectors", nr);
}

void msi_bench_verify_empty(struct kunit *test)
{
	struct msi_bench *bench = test->priv;

	KUNIT_ASSERT_EQ(test, events_used(bench), 0);
	KUNIT_ASSERT_EQ(test, bitmap_weight(bench->parent_used, MSI_BENCH_PARENT_IRQS),
			bench->parent_base);
	KUNIT_ASSERT_EQ(test, bench->parent_errors, 0);
}

static unsigned int param_nr(struct kunit *test)
{
	unsigned int nr = *(const unsigned int *)test->param_value;
	struct msi_bench *bench = test->priv;

	if (nr > bench->max_nr)
		kunit_skip(test, "the driver has at most %u", bench->max_nr);
	return nr;
}

/* A device gets and gives back N vectors, again and again. */
void msi_bench_sweep(struct kunit *test)
{
	unsigned int nr = param_nr(test);

	for (unsigned int i = 0; i < ROUNDS; i++) {
		KUNIT_ASSERT_TRUE(test, block_alloc_if_room(test, 0, nr));
		msi_bench_free(test, 0);
	}
	msi_bench_verify_empty(test);
}

/* As many devices get N vectors as there is room for, and give them back in another order. */
void msi_bench_fill(struct kunit *test)
{
	unsigned int nr = param_nr(test), nr_devs, first = 0;
	unsigned int max_devs = min(FILL / roundup_pow_of_two(nr), MSI_BENCH_DEVS);

	for (unsigned int round = 0; round < 2; round++) {
		for (nr_devs = 0; nr_devs < max_devs; nr_devs++) {
			if (!block_alloc_if_room(test, nr_devs, nr))
				break;
		}
		if (!round)
			first = nr_devs;
		KUNIT_ASSERT_GT(test, nr_devs, 0);
		KUNIT_ASSERT_EQ(test, nr_devs, first);

		for (unsigned int i = 1; i < nr_devs; i += 2)
			msi_bench_free(test, i);
		for (unsigned int i = 0; i < nr_devs; i += 2)
			msi_bench_free(test, i);
		msi_bench_verify_empty(test);
	}
}

/* Sixteen devices get and give back random numbers of vectors. */
void msi_bench_mixed(struct kunit *test)
{
	unsigned int seed = *(const unsigned int *)test->param_value, nr, dev, got = 0;
	struct msi_bench *bench = test->priv;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	for (unsigned int i = 0; i < STEPS; i++) {
		dev = prandom_u32_state(&rnd) % 16;
		nr = 1 + prandom_u32_state(&rnd) % bench->max_nr;
		/* Small ones, too, so that many fit */
		if (seed % 2)
			nr = DIV_ROUND_UP(nr, 4);
		if (bench->block[dev].nr)
			msi_bench_free(test, dev);
		else
			got += block_alloc_if_room(test, dev, nr);
	}
	KUNIT_ASSERT_GT(test, got, 0);
	for (dev = 0; dev < 16; dev++) {
		if (bench->block[dev].nr)
			msi_bench_free(test, dev);
	}
	msi_bench_verify_empty(test);
}

/* The parent fails at each of N interrupts: to allocate it, and to set its type. */
void msi_bench_unwind(struct kunit *test)
{
	struct msi_bench *bench = test->priv;
	struct irq_domain *domain;
	bool sets_type = true;
	unsigned int nr;

	for (domain = bench->domain; domain && domain != bench->parent;)
		domain = domain->parent;
	if (!domain)
		kunit_skip(test, "no parent");
	nr = param_nr(test);
	for (unsigned int i = 0; i < nr; i++) {
		bench->parent_fails_at = i;
		KUNIT_ASSERT_NE(test, msi_bench_alloc(test, 0, nr), 0);
		KUNIT_ASSERT_EQ(test, bench->parent_fails_at, -1);
		msi_bench_verify_empty(test);

		/* Not every driver sets the type itself */
		if (!sets_type)
			continue;
		bench->type_fails_at = i;
		if (!msi_bench_alloc(test, 0, nr)) {
			sets_type = false;
			msi_bench_free(test, 0);
		}
		bench->type_fails_at = -1;
		msi_bench_verify_empty(test);
	}
	KUNIT_ASSERT_TRUE(test, block_alloc_if_room(test, 0, nr));
	msi_bench_free(test, 0);
	msi_bench_verify_empty(test);
}

/* The doorbell can't be mapped for the device. */
void msi_bench_doorbell(struct kunit *test)
{
	unsigned int nr = param_nr(test);
	int ret;

	msi_bench_doorbell_error = -ENOMEM;
	ret = msi_bench_alloc(test, 0, nr);
	msi_bench_doorbell_error = 0;
	KUNIT_ASSERT_NE(test, ret, 0);
	msi_bench_verify_empty(test);

	KUNIT_ASSERT_TRUE(test, block_alloc_if_room(test, 0, nr));
	msi_bench_free(test, 0);
	msi_bench_verify_empty(test);
}

/* Who has the interrupt of a message, and how often it has arrived */
struct vector {
	unsigned int	irq;
	unsigned int	count;
};

static irqreturn_t vector_handler(int irq, void *data)
{
	struct vector *vector = data;

	vector->count++;
	return IRQ_HANDLED;
}

static void vector_free(void *data)
{
	struct vector *vector = data;

	free_irq(vector->irq, vector);
}

/* The vector of each message. Devices have all of them */
static struct vector *vectors_request(struct kunit *test)
{
	struct vector *vectors = kunit_kcalloc(test, MESSAGES, sizeof(*vectors), GFP_KERNEL), *vector;
	struct msi_bench *bench = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, vectors);
	KUNIT_ASSERT_EQ(test, bench->map[0].nr, MESSAGES);
	for (unsigned int dev = 0; dev < MESSAGES / MSI_BENCH_MAX_NR; dev++) {
		KUNIT_ASSERT_TRUE(test, block_alloc_if_room(test, dev, MSI_BENCH_MAX_NR));
		for (unsigned int i = 0; i < MSI_BENCH_MAX_NR; i++) {
			KUNIT_ASSERT_LT(test, bench->block[dev].data | i, MESSAGES);
			vector = &vectors[bench->block[dev].data | i];
			vector->irq = pci_irq_vector(msi_bench_pdev(dev), i);
			KUNIT_ASSERT_EQ(test, request_irq(vector->irq, vector_handler, 0,
							  "msi-bench", vector), 0);
			KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, vector_free, vector),
					0);
		}
	}
	return vectors;
}

/* These messages arrive. Each of their vectors gets one interrupt, the others none */
static void messages_arrive(struct kunit *test, struct vector *vectors, u64 messages)
{
	struct msi_bench *bench = test->priv;

	for (unsigned int i = 0; i < MESSAGES; i++)
		vectors[i].count = 0;
	msi_bench_status[0] = lower_32_bits(messages);
	msi_bench_status[1] = upper_32_bits(messages);

	local_irq_disable();
	bench->handle(bench);
	local_irq_enable();

	for (unsigned int i = 0; i < MESSAGES; i++)
		KUNIT_ASSERT_EQ_MSG(test, vectors[i].count, messages >> i & 1,
				    "vector %u of messages %#llx", i, messages);
	KUNIT_ASSERT_EQ(test, msi_bench_status[0], 0);
	KUNIT_ASSERT_EQ(test, msi_bench_status[1], 0);
}

/* One message at a time */
void msi_bench_one(struct kunit *test)
{
	struct vector *vectors = vectors_request(test);

	for (unsigned int i = 0; i < MESSAGES; i++)
		messages_arrive(test, vectors, BIT_ULL(i));
}

/* Each two at once */
void msi_bench_two(struct kunit *test)
{
	struct vector *vectors = vectors_request(test);

	for (unsigned int i = 0; i < MESSAGES; i++) {
		for (unsigned int j = 0; j < i; j++)
			messages_arrive(test, vectors, BIT_ULL(i) | BIT_ULL(j));
	}
}

/* All of them at once */
void msi_bench_all(struct kunit *test)
{
	messages_arrive(test, vectors_request(test), ~0ULL);
}

static const void *next_number(const void *prev, unsigned int last, const char *what, char *desc)
{
	static unsigned int number;

	number = prev ? number + 1 : 1;
	if (number > last)
		return NULL;
	scnprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %u", what, number);
	return &number;
}

const void *msi_bench_nrs(struct kunit *test, const void *prev, char *desc)
{
	return next_number(prev, MSI_BENCH_MAX_NR, "vectors", desc);
}

const void *msi_bench_seeds(struct kunit *test, const void *prev, char *desc)
{
	return next_number(prev, SEEDS, "seed", desc);
}

static void pdev_destroy(void *pdev)
{
	of_platform_device_destroy(&((struct platform_device *)pdev)->dev, NULL);
}

static void pci_release(void *bench)
{
	msi_bench_pci_release(bench);
}

int msi_bench_init(struct kunit *test, const char *name,
		   void (*setup)(struct kunit *test, struct msi_bench *bench))
{
	struct msi_bench *bench;
	struct device_node *np;
	char path[64];

	KUNIT_ASSERT_EQ(test, msi_bench_once(), 0);
	bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bench);
	test->priv = bench;
	bench->max_nr = MSI_BENCH_MAX_NR;
	bench->parent_fails_at = -1;
	bench->type_fails_at = -1;
	bench->regs = kunit_kzalloc(test, MSI_BENCH_REGS_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bench->regs);

	snprintf(path, sizeof(path), "/msi-bench/%s", name);
	np = of_find_node_by_path(path);
	KUNIT_ASSERT_NOT_NULL_MSG(test, np, "nodes.dtso has no %s", path);
	/* A driver whose compatible string the node has is probed, as soon as its parent is there */
	bench->pdev = of_platform_device_create(np, NULL, NULL);
	of_node_put(np);
	KUNIT_ASSERT_NOT_NULL(test, bench->pdev);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pdev_destroy, bench->pdev), 0);
	bench->dev = &bench->pdev->dev;
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(bench->dev, DMA_BIT_MASK(64)), 0);

	msi_bench_created = NULL;
	msi_bench_doorbell_error = 0;
	msi_bench_status = NULL;
	setup(test, bench);
	if (!bench->domain)
		bench->domain = irq_find_matching_fwnode(dev_fwnode(bench->dev),
							 DOMAIN_BUS_PCI_MSI);
	KUNIT_ASSERT_NOT_NULL(test, bench->domain);
	KUNIT_ASSERT_TRUE(test, irq_domain_is_msi_parent(bench->domain));
	KUNIT_ASSERT_PTR_EQ(test, bench->domain, msi_bench_created);
	if (!bench->keep_domain)
		KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, domain_remove,
								bench->domain), 0);
	bench->parent_base = bitmap_weight(bench->parent_used, MSI_BENCH_PARENT_IRQS);

	msi_bench_pci_node(bench->dev->of_node);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pci_release, bench), 0);
	return 0;
}
