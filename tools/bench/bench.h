/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI domains of drivers on memory instead of registers: what the file of a driver provides, and
 * the tests that all of them run.
 */
#ifndef MSI_BENCH_H
#define MSI_BENCH_H

#include <kunit/test.h>
#include <linux/irqdomain.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#define MSI_BENCH_DEVS		40
#define MSI_BENCH_MAPS		2
#define MSI_BENCH_REGS_SIZE	SZ_64K
#define MSI_BENCH_PARENT_IRQS	2048
#define MSI_BENCH_MAX_NR	32

/**
 * struct msi_bench - A driver's MSI domain under test
 * @dev:		A platform device with the driver's node of nodes.dtso
 * @regs:		Zeroed memory in place of the registers
 * @domain:		The MSI parent domain. If setup leaves it NULL, then it is found by the
 *			node of @dev, as a PCI host bridge finds it
 * @keep_domain:	The driver's own code removes @domain
 * @event_domain:	The domain with the events, if it is not @domain
 * @map:		The driver's bitmaps of reserved events. @base is the message data of the
 *			first bit
 * @max_nr:		The largest number of vectors that the driver supports for a device
 * @per_device:		Each device has a map of its own, so that blocks of two can't overlap
 * @used:		How many events are reserved. Optional, it is counted in @map otherwise
 * @has_room:		Whether there is room for a block. Optional, like @used
 * @hwirq:		Which hwirq the driver takes a message for. Optional, it is the data otherwise
 * @event:		What the driver has instead of a hwirq. Optional
 * @handle:		Let the driver's handler look for messages, of which msi_bench_status has them
 * @priv:		For these functions
 * @parent:		What msi_bench_parent() made
 * @parent_used:	The interrupts which are allocated in @parent
 * @parent_base:	How many of them the driver has for itself
 * @parent_errors:	Interrupts which were allocated or freed twice
 * @parent_fails_at:	The interrupt which @parent can't allocate, counted from now on. -1: none
 * @type_fails_at:	The same, whose type can't be set
 * @block:		The vectors of each device. No vectors: @nr is 0
 */
struct msi_bench {
	struct platform_device	*pdev;
	struct device		*dev;
	void			*regs;

	struct irq_domain	*domain;
	bool			keep_domain;
	struct irq_domain	*event_domain;
	struct {
		unsigned long	*bits;
		unsigned int	nr;
		unsigned int	base;
	} map[MSI_BENCH_MAPS];
	unsigned int		max_nr;
	bool			per_device;
	unsigned int		(*used)(struct msi_bench *bench);
	bool			(*has_room)(struct msi_bench *bench, unsigned int dev,
					    unsigned int size);
	irq_hw_number_t		(*hwirq)(struct msi_bench *bench, unsigned int dev, u64 addr,
					 u32 data);
	irq_hw_number_t		(*event)(struct irq_data *d);
	void			(*handle)(struct msi_bench *bench);
	void			*priv;

	struct irq_domain	*parent;
	DECLARE_BITMAP(parent_used, MSI_BENCH_PARENT_IRQS);
	unsigned int		parent_base;
	unsigned int		parent_errors;
	int			parent_fails_at;
	int			type_fails_at;

	struct {
		unsigned int	nr;
		u64		addr;
		u32		data;
	} block[MSI_BENCH_DEVS];
};

/* For the setup of a driver */
void *msi_bench_zalloc(struct kunit *test, size_t size);
struct irq_domain *msi_bench_parent(struct kunit *test, struct fwnode_handle *fwnode);
void msi_bench_dispose(struct kunit *test, unsigned int virq);
unsigned int msi_bench_sim_irqs(struct kunit *test, unsigned int nr);

static inline void msi_bench_map(struct msi_bench *bench, unsigned int i, unsigned long *bits,
				 unsigned int nr, unsigned int base)
{
	bench->map[i].bits = bits;
	bench->map[i].nr = nr;
	bench->map[i].base = base;
}

/* irq_loongson_pch_msi.c: forget the domain that it has made an MSI parent */
void msi_bench_pch_msi_reset(void);

/* bench_pci.c */
int msi_bench_once(void);
void msi_bench_pci_node(struct device_node *np);
struct pci_dev *msi_bench_pdev(unsigned int dev);
void msi_bench_pci_release(struct msi_bench *bench);
u32 msi_bench_config(unsigned int dev, int where, int size);
/* Where the MSI capability is, a 64-bit one */
#define MSI_BENCH_CAP	0x50

/* The tests */
int msi_bench_init(struct kunit *test, const char *name,
		   void (*setup)(struct kunit *test, struct msi_bench *bench));
int msi_bench_alloc(struct kunit *test, unsigned int dev, unsigned int nr);
void msi_bench_free(struct kunit *test, unsigned int dev);
void msi_bench_verify_empty(struct kunit *test);
const void *msi_bench_nrs(struct kunit *test, const void *prev, char *desc);
const void *msi_bench_seeds(struct kunit *test, const void *prev, char *desc);
void msi_bench_sweep(struct kunit *test);
void msi_bench_fill(struct kunit *test);
void msi_bench_mixed(struct kunit *test);
void msi_bench_unwind(struct kunit *test);
void msi_bench_doorbell(struct kunit *test);
void msi_bench_one(struct kunit *test);
void msi_bench_two(struct kunit *test);
void msi_bench_all(struct kunit *test);

#define MSI_BENCH_CASE(_name, _params)					\
	{								\
		.run_case	 = msi_bench_##_name,			\
		.name		 = #_name,				\
		.generate_params = _params,				\
		.module_name	 = KBUILD_MODNAME,			\
	}

/* The suite @_name of these tests, with the node @_node of nodes.dtso */
#define MSI_BENCH_SUITE_OF(_name, _node, _setup, ...)			\
static int _name##_init(struct kunit *test)				\
{									\
	return msi_bench_init(test, #_node, _setup);			\
}									\
static struct kunit_case _name##_cases[] = {				\
	__VA_ARGS__,							\
	{}								\
};									\
static struct kunit_suite _name##_suite = {				\
	.name		= #_name,					\
	.init		= _name##_init,					\
	.test_cases	= _name##_cases,				\
};									\
kunit_test_suite(_name##_suite)

#define MSI_BENCH_SUITE(_name, _setup)					\
	MSI_BENCH_SUITE_OF(_name, _name, _setup,			\
			   MSI_BENCH_CASE(sweep, msi_bench_nrs),	\
			   MSI_BENCH_CASE(fill, msi_bench_nrs),		\
			   MSI_BENCH_CASE(mixed, msi_bench_seeds),	\
			   MSI_BENCH_CASE(unwind, msi_bench_nrs))

/* With doorbell.h in front of the driver */
#define MSI_BENCH_DOORBELL_SUITE(_name, _node, _setup)			\
	MSI_BENCH_SUITE_OF(_name, _node, _setup,			\
			   MSI_BENCH_CASE(doorbell, msi_bench_nrs))

/* With status.h in front of the driver, whose setup provides handle */
#define MSI_BENCH_HANDLER_SUITE(_name, _node, _setup)			\
	MSI_BENCH_SUITE_OF(_name, _node, _setup,			\
			   MSI_BENCH_CASE(one, NULL),			\
			   MSI_BENCH_CASE(two, NULL),			\
			   MSI_BENCH_CASE(all, NULL))

#endif
