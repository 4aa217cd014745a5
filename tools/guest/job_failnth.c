// SPDX-License-Identifier: GPL-2.0
/*
 * Lets the 1st, 2nd, 3rd, ... allocation of a vector set-up fail, until there are no more,
 * and expects each time that the next set-up gets all vectors, and then, by VFIO, one of
 * as many as the device has. That one misses a single event that was lost.
 *
 * guest.vectors=1,3,16: the xHCI controllers, in the order of their names, are set up with
 * as many vectors by VFIO. xhci_hcd is bound to the controllers for which no number is
 * left; there, only the allocations in pci_alloc_irq_vectors() count.
 *
 * Slabs and caches are refilled now and then, so that an allocation that was the n-th is
 * the n+1st the next time, and one can be missed. Those that map the doorbell in the IOMMU
 * are what this is about. They are counted, and fail, on their own before the others.
 *
 * guest.iommu=1: they are behind an IOMMU, so that some must be for the doorbell.
 *
 * Measured for each device: what=vfio-N or probe, the set-ups after each failure, and of how many
 * vectors the device's were, how many allocations failed, and how many of them were for the
 * doorbell. With a kernel that can tell also what=lpis-vfio-N or lpis-probe: the LPIs that the ITS
 * driver has less after a failure, when there is no set-up, than before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "guest.h"

#define DRIVER			"xhci_hcd"
#define DOORBELL_FUNCTION	"iommu_dma_prepare_msi"
#define PROBE_FUNCTION		"pci_alloc_irq_vectors_affinity"

/* A patch of the topic 'proof' makes it, so it is not on stock. */
#define FREE_LPIS		"/sys/kernel/debug/gic_v3_its_free_lpis"

/* Stock ignores that it fails, and warns when it removes what was not made. */
#define WARNS			"register_irq_proc"

#define MAX_DEVICES		16
#define MAX_NTH			10000

struct sweep {
	char what[16];
	const char *bdf;
	const char *function;
	unsigned int vectors;
	unsigned int max;

	/*
	 * Each starts and ends with a device without a driver. Returns how many vectors there
	 * were in a first set-up, whose @nth allocation has failed when *@injected is set, and
	 * stores how many there were in the next.
	 */
	int (*round)(const struct sweep *sweep, unsigned int nth, int *injected, int *next);

	unsigned int setups;
	unsigned int nr_short;
	unsigned int lost;

	unsigned int lpi_rounds;
	unsigned int lpi_short;
	long lpis;
};

/* The LPIs that no device has, or a negative errno */
static long free_lpis(void)
{
	char text[32];
	int ret;

	ret = file_read(FREE_LPIS, text, sizeof(text));
	return ret < 0 ? ret : strtol(text, NULL, 10);
}

/* Sets vectors up by VFIO, and releases them. */
static int vfio_setup(const struct vfio_device *vfio, unsigned int vectors)
{
	int got, ret;

	/* With less than what it was asked for, VFIO keeps none. */
	got = vfio_enable(vfio, VFIO_PCI_MSI_IRQ_INDEX, vectors);
	if (got != (int)vectors)
		return got;
	ret = vfio_disable(vfio, VFIO_PCI_MSI_IRQ_INDEX);
	return ret ? ret : got;
}

static int vfio_start(struct vfio_device *vfio, const char *bdf)
{
	int ret;

	ret = vfio_bind(bdf);
	return ret ? ret : vfio_open(vfio, bdf);
}

static int vfio_end(struct vfio_device *vfio, const char *bdf)
{
	vfio_close(vfio);
	return vfio_unbind(bdf);
}

static int vfio_round(const struct sweep *sweep, unsigned int nth, int *injected, int *next)
{
	struct vfio_device vfio;
	int ret, got;

	/* All that is made once for a driver, or for an IOMMU domain, is made in this set-up. */
	ret = vfio_start(&vfio, sweep->bdf);
	if (!ret)
		ret = fault_arm(nth);
	if (ret)
		return ret;
	got = vfio_enable(&vfio, VFIO_PCI_MSI_IRQ_INDEX, sweep->vectors);
	*injected = fault_disarm();
	if (*injected < 0)
		return *injected;

	if (got == (int)sweep->vectors)
		ret = vfio_disable(&vfio, VFIO_PCI_MSI_IRQ_INDEX);
	*next = vfio_setup(&vfio, sweep->vectors);
	if (!ret)
		ret = vfio_end(&vfio, sweep->bdf);
	return ret ? ret : got;
}

/* The driver's IOMMU domain outlives it, with the doorbell mapped; this gets it a new one. */
static int new_domain(const char *bdf)
{
	char path[GUEST_PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	if (access(path, F_OK))
		return 0;
	ret = file_write_at(path, "type", "identity");
	return ret ? ret : file_write_at(path, "type", "DMA");
}

/* The vectors that the driver has, when it can be bound; unbinds it */
static int probe_end(const char *bdf, int bind_error)
{
	char driver[64];
	int got, ret;

	if (bind_error && pci_driver(bdf, driver, sizeof(driver)))
		return bind_error;
	got = pci_vectors(bdf);
	ret = pci_unbind(bdf, DRIVER);
	return ret ? ret : got;
}

static int probe_round(const struct sweep *sweep, unsigned int nth, int *injected, int *next)
{
	int ret, got;

	ret = new_domain(sweep->bdf);
	if (!ret)
		ret = fault_arm(nth);
	if (ret)
		return ret;
	ret = pci_bind(sweep->bdf, DRIVER);
	*injected = fault_disarm();
	if (*injected < 0)
		return *injected;

	got = probe_end(sweep->bdf, ret);
	*next = probe_end(sweep->bdf, pci_bind(sweep->bdf, DRIVER));
	return got;
}

/* Does a set-up of every vector that the device has. */
static int full_setup(const struct sweep *sweep, int *got)
{
	struct vfio_device vfio;
	int ret;

	ret = vfio_start(&vfio, sweep->bdf);
	if (ret)
		return ret;
	*got = vfio_setup(&vfio, sweep->max);
	return vfio_end(&vfio, sweep->bdf);
}

static void count(struct sweep *sweep, unsigned int nth, int first, unsigned int wanted, int got)
{
	sweep->setups++;
	if (got == (int)wanted)
		return;
	if (!sweep->nr_short++)
		ktap_note("%s allocation %u: %d of %u, and then %d of %u", sweep->bdf, nth, first,
			  sweep->vectors, got, wanted);
	sweep->lost += wanted - (got > 0 ? got : 0);
}

/* There is no set-up now, nor was there one when @before LPIs were free. */
static void count_lpis(struct sweep *sweep, unsigned int nth, int first, long before)
{
	long lost = before - free_lpis();

	if (before < 0)
		return;
	sweep->lpi_rounds++;
	if (lost <= 0)
		return;
	if (!sweep->lpi_short++)
		ktap_note("%s allocation %u: %d of %u, and %ld LPIs lost", sweep->bdf, nth, first,
			  sweep->vectors, lost);
	sweep->lpis += lost;
}

/* Fails each allocation in this function of the kernel. Returns the number, or -1. */
static int sweep_function(struct sweep *sweep, const char *function)
{
	int injected = 1, first, next, full, ret, failures = 0;
	unsigned int nth;
	long lpis;

	ret = fault_only_in(function);
	for (nth = 1; !ret && injected; nth++) {
		next = -ENODATA;
		lpis = free_lpis();
		first = sweep->round(sweep, nth, &injected, &next);
		if (next == -ENODATA || injected < 0 || nth > MAX_NTH) {
			ktap_note("%s allocation %u: the set-up returns %d", sweep->bdf, nth, first);
			return -1;
		}
		failures += injected;
		count(sweep, nth, first, sweep->vectors, next);
		count_lpis(sweep, nth, first, lpis);

		ret = full_setup(sweep, &full);
		if (!ret)
			count(sweep, nth, first, sweep->max, full);
	}
	if (ret) {
		ktap_note("%s: %s", sweep->bdf, strerror(-ret));
		return -1;
	}
	return failures;
}

static void sweep_run(struct sweep *sweep)
{
	int doorbell, others;
	char what[32];

	snprintf(what, sizeof(what), "lpis-%s", sweep->what);
	doorbell = sweep_function(sweep, DOORBELL_FUNCTION);
	others = doorbell < 0 ? -1 : sweep_function(sweep, sweep->function);

	ktap_measured(sweep->what, sweep->setups, sweep->nr_short, sweep->lost,
		      "vectors:%u,failures:%d,doorbell:%d", sweep->vectors, doorbell + others,
		      doorbell);
	if (sweep->lpi_rounds)
		ktap_measured(what, sweep->lpi_rounds, sweep->lpi_short, sweep->lpis, "-");
	ktap_result(others > 0 && !sweep->nr_short && !sweep->lpi_short, "failnth %s: all vectors each time",
		    sweep->what);
	/* Without one, nothing has come between reserving the block and handing it out. */
	if (guest_param_uint("iommu", 0))
		ktap_result(doorbell > 0, "failnth %s: an allocation for the doorbell failed",
			    sweep->what);
}

static void sweep_device(const char *bdf, unsigned int vectors)
{
	struct sweep sweep = {
		.bdf		= bdf,
		.vectors	= vectors,
		.round		= vfio_round,
	};
	int ret;

	pci_note_domains(bdf);
	ret = pci_msi_max(bdf);
	if (ret > 0) {
		sweep.max = ret;
		ret = pci_unbind(bdf, DRIVER);
	}
	if (ret) {
		ktap_note("%s: cannot prepare: %s", bdf, strerror(-ret));
		ktap_result(false, "failnth %s", bdf);
		return;
	}

	if (vectors) {
		snprintf(sweep.what, sizeof(sweep.what), "vfio-%u", vectors);
	} else {
		unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN);

		snprintf(sweep.what, sizeof(sweep.what), "probe");
		sweep.vectors = cpus + 1 < sweep.max ? cpus + 1 : sweep.max;
		sweep.function = PROBE_FUNCTION;
		sweep.round = probe_round;
	}
	sweep_run(&sweep);
}

static void failnth_run(void)
{
	const char *vectors = guest_param("vectors", "");
	struct pci_name found[MAX_DEVICES];
	int i, ret, nr;

	nr = pci_find_class(CLASS_SERIAL_USB_XHCI, found, MAX_DEVICES);
	if (nr <= 0) {
		ktap_plan(1);
		ktap_result(false, "failnth: an xHCI controller is there");
		return;
	}

	/* Which is no verdict on the kernel */
	ret = fault_open();
	if (!ret)
		ret = fault_not_in(WARNS);
	if (ret) {
		ktap_note("guest: allocations cannot be made to fail: %s", strerror(-ret));
		return;
	}

	ktap_version();
	for (i = 0; i < nr; i++) {
		char *end;

		sweep_device(found[i].bdf, strtoul(vectors, &end, 10));
		vectors = *end == ',' ? end + 1 : end;
	}
	ktap_plan_ran();
}

GUEST_JOB(failnth, failnth_run);
