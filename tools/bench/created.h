/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else: remembers the domain that the driver has made, so that no test
 * runs on another one. Each of the drivers has one call of this function.
 */
#ifndef MSI_BENCH_CREATED_H
#define MSI_BENCH_CREATED_H

#include <linux/irqdomain.h>
#include <linux/msi.h>

extern struct irq_domain *msi_bench_created;

#define msi_create_parent_irq_domain(info, ops)	\
	(msi_bench_created = (msi_create_parent_irq_domain)(info, ops))

#endif
