// SPDX-License-Identifier: GPL-2.0
/*
 * Sets up 1, 2, 3, ... MSI vectors of a device by VFIO, and none after each, again and
 * again in one bind, which is what a process can do to a device that it was given. The device
 * is the first xHCI controller that has that many.
 *
 * guest.rounds=N: how often. guest.max=N: the largest number of vectors.
 *
 * Measured: what=enables. In the details, delivered says whether an interrupt of the driver
 * that had the device before has arrived; '-' when none had it.
 */
#include <stdio.h>
#include <string.h>

#include <linux/vfio.h>

#include "guest.h"

#define DEFAULT_ROUNDS		20
#define DEFAULT_MAX		16

/* For the first interrupt of a driver that was bound at boot */
#define DELIVERY_MS		2000

/* What one MSI capability can have */
#define MSI_MAX			32

/*
 * NULL when the vectors came and went, otherwise what was wrong. Adds to *@lost those that were
 * not to be had.
 */
static const char *set_up(const struct vfio_device *dev, const char *bdf, unsigned int nr,
			  unsigned int *lost)
{
	const char *problem = NULL;
	static char text[80];
	int ret;

	ret = vfio_enable(dev, VFIO_PCI_MSI_IRQ_INDEX, nr);
	if (ret != (int)nr) {
		*lost += ret < 0 ? nr : nr - ret;
		if (ret < 0)
			return strerror(-ret);
		snprintf(text, sizeof(text), "got %d", ret);
		return text;
	}

	if (pci_vectors(bdf) != (int)nr)
		problem = "sysfs shows another number";
	ret = vfio_disable(dev, VFIO_PCI_MSI_IRQ_INDEX);
	if (ret)
		problem = "cannot disable them";
	else if (pci_vectors(bdf))
		problem = "sysfs shows them after they were disabled";
	return problem;
}

/* Whose the vectors are can be seen only as long as there are some. */
static void note_domains(const struct vfio_device *dev, const char *bdf)
{
	vfio_enable(dev, VFIO_PCI_MSI_IRQ_INDEX, 1);
	pci_note_domains(bdf);
	vfio_disable(dev, VFIO_PCI_MSI_IRQ_INDEX);
}

static const char *delivered(const char *bdf)
{
	unsigned int waited;

	if (pci_vectors(bdf) < 1)
		return "-";
	for (waited = 0; waited < DELIVERY_MS && pci_interrupts(bdf) == 0; waited += 100)
		sleep_ms(100);
	return pci_interrupts(bdf) > 0 ? "yes" : "no";
}

static void sweep(const struct vfio_device *dev, const char *bdf, unsigned int max, unsigned int rounds,
		  const char *delivery)
{
	unsigned int round, nr, failed_by_nr[MSI_MAX + 1] = {}, failed = 0, lost = 0;

	for (round = 1; round <= rounds; round++) {
		for (nr = 1; nr <= max; nr++) {
			const char *problem = set_up(dev, bdf, nr, &lost);

			if (!problem)
				continue;
			failed++;
			if (!failed_by_nr[nr]++)
				ktap_note("%s round %u: asked for %u: %s", bdf, round, nr, problem);
		}
	}

	ktap_measured("enables", rounds * max, failed, lost, "vectors:1-%u,delivered:%s", max, delivery);
	for (nr = 1; nr <= max; nr++)
		ktap_result(!failed_by_nr[nr], "vectors %s: %u, %u of %u times", bdf, nr,
			    rounds - failed_by_nr[nr], rounds);
}

static void vectors_run(void)
{
	unsigned int rounds = guest_param_uint("rounds", DEFAULT_ROUNDS);
	unsigned int max = guest_param_uint("max", DEFAULT_MAX);
	struct vfio_device dev;
	const char *delivery;
	struct pci_name found;
	int ret;

	if (max > MSI_MAX)
		max = MSI_MAX;

	if (pci_find_multi_msi(&found, max)) {
		ktap_plan(1);
		ktap_result(false, "vectors: an xHCI controller with %u MSI vectors is there", max);
		return;
	}

	delivery = delivered(found.bdf);
	ret = vfio_bind(found.bdf);
	if (!ret)
		ret = vfio_open(&dev, found.bdf);
	if (ret) {
		ktap_plan(1);
		ktap_note("%s: %s", found.bdf, strerror(-ret));
		ktap_result(false, "vectors %s: opened by VFIO", found.bdf);
		return;
	}

	ktap_plan(max);
	note_domains(&dev, found.bdf);
	sweep(&dev, found.bdf, max, rounds, delivery);
	vfio_close(&dev);
}

GUEST_JOB(vectors, vectors_run);
