// SPDX-License-Identifier: GPL-2.0
/*
 * Unbinds and binds the driver of every xHCI controller that can do Multi-MSI,
 * and compares the vectors that it gets with the vectors that it asks for.
 *
 * guest.rounds=N: how often, after what the probe at boot got (round 0).
 * guest.most=N: all that a device can get, on a machine without Multi-MSI
 * guest.remove=1: remove the device, and rescan the bus for it, instead
 *
 * guest.driver=NAME guest.class=N guest.asks=N: another driver, the PCI class of its
 * devices and the vectors that it asks for. Its interrupts are not waited for.
 *
 * guest.delivers=no: no message is delivered on this machine, so none may arrive.
 *
 * Otherwise a USB device must be plugged into each xHCI controller: it shows up only if
 * the driver's interrupts arrive. Measured for each controller: what=rebinds, with how many vectors
 * the driver asked for, and how many it got each time, "3x4_1x97" in a long list. 0 means that
 * it could not be bound or took a legacy interrupt.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define MAX_DEVICES		16
#define DEFAULT_ROUNDS		8

/* Emulated CPUs are slow, and a real hub takes its time too. */
#define USB_TIMEOUT_MS		10000

/* As many rounds are listed one by one. */
#define MAX_LIST		17

struct rebind_device {
	const char *bdf;
	unsigned int asked;

	unsigned int nr_short;
	unsigned int lost;
	/* What it got, one by one and as runs of the same number */
	char list[MAX_LIST * 4];
	char runs[400];
	int last;
	unsigned int nr_last;
};

static const char *driver;
static unsigned int class;
static bool by_removal;
static bool delivers;

static void append(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s", len ? "_" : "", word);
}

static void end_run(struct rebind_device *dev)
{
	char word[32];

	snprintf(word, sizeof(word), "%dx%u", dev->last, dev->nr_last);
	append(dev->runs, sizeof(dev->runs), word);
}

static void count(struct rebind_device *dev, unsigned int round, int got)
{
	char word[16];

	if ((unsigned int)got < dev->asked) {
		dev->nr_short++;
		dev->lost += dev->asked - got;
	}

	snprintf(word, sizeof(word), "%d", got);
	append(dev->list, sizeof(dev->list), word);
	if (round && got != dev->last) {
		end_run(dev);
		dev->nr_last = 0;
	}
	dev->last = got;
	dev->nr_last++;
}

/* Reports one round, in which the driver should now be bound. */
static void check_bound(struct rebind_device *dev, unsigned int round, int bind_error)
{
	bool is_xhci = class == CLASS_SERIAL_USB_XHCI;
	const char *problem = NULL;
	char now[64] = "";
	long interrupts = 0;
	int got = 0;

	if (bind_error) {
		problem = strerror(-bind_error);
	} else if (pci_driver(dev->bdf, now, sizeof(now)) || strcmp(now, driver)) {
		problem = "not bound to its driver";
	} else {
		bool waited_for = is_xhci && delivers;
		bool present = !waited_for || usb_device_wait(dev->bdf, USB_TIMEOUT_MS);

		got = pci_vectors(dev->bdf);
		interrupts = pci_interrupts(dev->bdf);
		if (got < 0 || interrupts < 0)
			problem = "cannot read the vectors";
		else if ((unsigned int)got != dev->asked)
			problem = "wrong number of vectors";
		else if (waited_for && !interrupts)
			problem = "no interrupt arrived";
		else if (!delivers && interrupts)
			problem = "an interrupt arrived";
		else if (!present)
			problem = "the USB device did not appear";
	}

	ktap_note("rebind %s round %u: asked for %u, got %d, %ld interrupts", dev->bdf, round,
		  dev->asked, got, interrupts);
	count(dev, round, got > 0 ? got : 0);
	if (problem)
		ktap_note("%s round %u: %s", dev->bdf, round, problem);
	ktap_result(!problem, "rebind %s round %u", dev->bdf, round);
}

static void rebind_device(struct rebind_device *dev, unsigned int rounds)
{
	unsigned int round;
	int ret;

	check_bound(dev, 0, 0);
	pci_note_domains(dev->bdf);

	for (round = 1; round <= rounds; round++) {
		ret = by_removal ? pci_remove(dev->bdf) : pci_unbind(dev->bdf, driver);
		if (ret)
			ktap_note("%s round %u: cannot take the driver away", dev->bdf, round);
		else
			ret = by_removal ? pci_rescan() : pci_bind(dev->bdf, driver);
		check_bound(dev, round, ret);
	}

	end_run(dev);
	ktap_measured("rebinds", rounds + 1, dev->nr_short, dev->lost, "asked:%u,got:%s",
		      dev->asked, rounds < MAX_LIST ? dev->list : dev->runs);
}

static void rebind_run(void)
{
	unsigned int rounds = guest_param_uint("rounds", DEFAULT_ROUNDS);
	unsigned int most = guest_param_uint("most", UINT_MAX);
	struct rebind_device devices[MAX_DEVICES] = {};
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct pci_name found[MAX_DEVICES];
	int nr_found, i, nr = 0;

	driver = guest_param("driver", "xhci_hcd");
	class = guest_param_uint("class", CLASS_SERIAL_USB_XHCI);
	by_removal = guest_param_uint("remove", 0);
	delivers = strcmp(guest_param("delivers", ""), "no");

	nr_found = pci_find_class(class, found, MAX_DEVICES);
	for (i = 0; i < nr_found; i++) {
		int max = pci_msi_max(found[i].bdf);

		if (max < 2) {
			ktap_note("%s has no Multi-MSI, left alone", found[i].bdf);
			continue;
		}

		/* What xhci_try_enable_msi() asks for, when nothing else was said */
		devices[nr].bdf = found[i].bdf;
		devices[nr].asked = guest_param_uint("asks", cpus + 1 < max ? cpus + 1 : max);
		if (devices[nr].asked > most)
			devices[nr].asked = most;
		nr++;
	}

	if (!nr) {
		ktap_plan(1);
		ktap_result(false, "rebind: a device with Multi-MSI for %s is there", driver);
		return;
	}

	ktap_plan(nr * (rounds + 1));
	ktap_note("rebind cpus=%d devices=%d rounds=%u", cpus, nr, rounds);
	for (i = 0; i < nr; i++)
		rebind_device(&devices[i], rounds);
}

GUEST_JOB(rebind, rebind_run);
