// SPDX-License-Identifier: GPL-2.0
/*
 * Rebinds a driver and sets up blocks of vectors, very often, and counts what is lost.
 *
 * guest.rounds=N: rounds of one rebind of the second xHCI controller and ten set-ups of
 * the first one by VFIO, each with a random number of vectors, from guest.seed=N.
 *
 * Measured: what=allocations and what=rebinds, with the memory of the guest in kB, early and at
 * the end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "guest.h"

#define DRIVER			"xhci_hcd"

#define ALLOCATIONS		10
#define REOPEN			16

/* Caches are filled by these, before memory is measured. */
#define WARM_UP			8

struct count {
	const char *what;
	unsigned long done;
	unsigned long nr_short;
	unsigned long lost;
};

struct soak {
	const char *vfio_bdf;
	const char *rebind_bdf;
	struct vfio_device vfio;
	unsigned int max;
	unsigned int asked;
	uint64_t random;
	struct count allocations;
	struct count rebinds;
	/* What /proc/meminfo says, early and at the end */
	long available[2];
	long slab[2];
};

/* xorshift64 */
static unsigned int random_below(struct soak *soak, unsigned int limit)
{
	soak->random ^= soak->random << 13;
	soak->random ^= soak->random >> 7;
	soak->random ^= soak->random << 17;
	return (soak->random >> 32) % limit;
}

static void count(struct count *count, unsigned int asked, int got)
{
	count->done++;
	if (got == (int)asked)
		return;
	if (!count->nr_short++)
		ktap_note("%s %lu: asked for %u, got %d", count->what, count->done, asked, got);
	count->lost += asked - (got > 0 ? got : 0);
}

static long meminfo(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found ? strtol(found + strlen(key), NULL, 10) : -1;
}

static void measure_memory(struct soak *soak, int when)
{
	char text[4096];

	/* What was freed by RCU, and what only a cache holds, is not in use. */
	sleep_ms(2000);
	file_write("/proc/sys/vm/drop_caches", "3");
	sleep_ms(1000);
	if (file_read("/proc/meminfo", text, sizeof(text)) <= 0)
		return;
	soak->available[when] = meminfo(text, "MemAvailable:");
	soak->slab[when] = meminfo(text, "\nSlab:");
}

static int allocate(struct soak *soak)
{
	unsigned int i, asked;
	int got, ret;

	for (i = 0; i < ALLOCATIONS; i++) {
		asked = 1 + random_below(soak, soak->max);
		got = vfio_enable(&soak->vfio, VFIO_PCI_MSI_IRQ_INDEX, asked);
		count(&soak->allocations, asked, got);
		if (got != (int)asked)
			continue;
		ret = vfio_disable(&soak->vfio, VFIO_PCI_MSI_IRQ_INDEX);
		if (ret)
			return ret;
	}
	return 0;
}

static int rebind(struct soak *soak)
{
	int ret;

	ret = pci_unbind(soak->rebind_bdf, DRIVER);
	if (!ret)
		ret = pci_bind(soak->rebind_bdf, DRIVER);
	if (!ret)
		count(&soak->rebinds, soak->asked, pci_vectors(soak->rebind_bdf));
	return ret;
}

static int run_rounds(struct soak *soak, unsigned int rounds)
{
	unsigned int step = rounds < 10 ? 1 : rounds / 10, round;
	int ret;

	for (round = 1; round <= rounds; round++) {
		if (round % REOPEN == 0) {
			vfio_close(&soak->vfio);
			ret = vfio_open(&soak->vfio, soak->vfio_bdf);
			if (ret)
				return ret;
		}
		ret = allocate(soak);
		if (!ret)
			ret = rebind(soak);
		if (ret)
			return ret;
		if (round == (rounds < WARM_UP ? rounds : WARM_UP))
			measure_memory(soak, 0);
		if (round % step == 0)
			ktap_note("progress: %u of %u rounds", round, rounds);
	}
	measure_memory(soak, 1);
	return 0;
}

static void report(const struct soak *soak, const struct count *count, int error)
{
	ktap_measured(count->what, count->done, count->nr_short, count->lost,
		      "available:%ld_%ld,slab:%ld_%ld", soak->available[0], soak->available[1],
		      soak->slab[0], soak->slab[1]);
	ktap_result(!error && count->done && !count->nr_short, "soak %lu %s", count->done,
		    count->what);
}

static int prepare(struct soak *soak)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), max, ret;

	max = pci_msi_max(soak->rebind_bdf);
	if (max < 0)
		return max;
	soak->asked = cpus + 1 < max ? cpus + 1 : max;
	pci_note_domains(soak->rebind_bdf);

	ret = vfio_bind(soak->vfio_bdf);
	if (!ret)
		ret = vfio_open(&soak->vfio, soak->vfio_bdf);
	if (ret)
		return ret;
	max = vfio_max_vectors(&soak->vfio, VFIO_PCI_MSI_IRQ_INDEX);
	soak->max = max < VFIO_MAX_VECTORS ? max : VFIO_MAX_VECTORS;
	return max < 2 ? -ENODEV : 0;
}

static void soak_run(void)
{
	unsigned int rounds = guest_param_uint("rounds", 20);
	struct soak soak = {
		.random		= guest_param_uint("seed", 1) | 1ULL << 32,
		.allocations	= { .what = "allocations" },
		.rebinds	= { .what = "rebinds" },
	};
	struct pci_name found[2];
	int ret;

	ktap_plan(2);
	ret = pci_find_class(CLASS_SERIAL_USB_XHCI, found, ARRAY_SIZE(found));
	if (ret != ARRAY_SIZE(found)) {
		ktap_note("soak needs two xHCI controllers");
	} else {
		soak.vfio_bdf = found[0].bdf;
		soak.rebind_bdf = found[1].bdf;
		/* The driver says ten lines each time it is bound, which takes longer than all else. */
		ret = file_write("/proc/sys/kernel/printk", "6");
		if (!ret)
			ret = prepare(&soak);
		if (!ret)
			ret = run_rounds(&soak, rounds);
		file_write("/proc/sys/kernel/printk", "7");
		if (ret)
			ktap_note("soak stopped: %s", strerror(-ret));
	}
	report(&soak, &soak.allocations, ret);
	report(&soak, &soak.rebinds, ret);
}

GUEST_JOB(soak, soak_run);
