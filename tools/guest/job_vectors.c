// SPDX-License-Identifier: GPL-2.0
/*
 * Sets up 1, 2, 3, ... MSI vectors of a device by VFIO, and none after each, again and
 * again in one bind, which is what a process can do to a device that it was given. The device
 * is the first xHCI controller that has that many.
 *
 * guest.rounds=N: how often. guest.max=N: the largest number of vectors.
 *
 * guest.delivers=WHAT: one more result, whether the messages of the driver that had the device
 * before are delivered as WHAT says. usb: interrupts have arrived, and the USB device that is
 * plugged in has appeared. irq: interrupts have arrived. no: none has.
 *
 * Measured: what=enables. In the details, delivered says whether an interrupt of that driver has
 * arrived; '-' when none had the device.
 */
#include <stdio.h>
#include <string.h>

#include <linux/vfio.h>

#include "guest.h"

#define DEFAULT_ROUNDS		20
#define DEFAULT_MAX		16

/* For the first interrupt of a driver that was bound at boot */
#define DELIVERY_MS		2000

/* Emulated CPUs are slow, and a real hub takes its time too. */
#define USB_TIMEOUT_MS		10000

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

/* What guest.delivers=WHAT is in a result; NULL when it makes no sense */
static const char *expectation(const char *what)
{
	if (!strcmp(what, "usb"))
		return "interrupts arrive, and the USB device appears";
	if (!strcmp(what, "irq"))
		return "interrupts arrive";
	return strcmp(what, "no") ? NULL : "no interrupt arrives";
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
	const char *delivers = guest_param("delivers", ""), *expected, *delivery;
	unsigned int max = DEFAULT_MAX;
	struct vfio_device dev;
	struct pci_name found;
	bool as_expected;

	expected = expectation(delivers);
	if (delivers[0] && !expected) {
		ktap_note("guest: nothing is delivered as '%s'", delivers);
		return;
	}
	if (!pci_find_multi_msi("vectors", &found, &max))
		return;

	/* Before VFIO takes the device, and before stock has lost anything of it */
	as_expected = strcmp(delivers, "usb") || usb_device_wait(found.bdf, USB_TIMEOUT_MS);
	delivery = delivered(found.bdf);
	as_expected &= !strcmp(delivery, strcmp(delivers, "no") ? "yes" : "no");

	if (!vfio_take("vectors", &dev, found.bdf))
		return;

	ktap_plan(max + !!expected);
	note_domains(&dev, found.bdf);
	if (expected)
		ktap_result(as_expected, "delivery %s: %s", found.bdf, expected);
	sweep(&dev, found.bdf, max, rounds, delivery);
	vfio_close(&dev);
}

GUEST_JOB(vectors, vectors_run);
