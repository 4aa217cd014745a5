// SPDX-License-Identifier: GPL-2.0
/*
 * Binds the driver of an xHCI controller with Multi-MSI after every mix of devices
 * which have a single vector, as drivers that are probed before it leave them:
 * vectors in use, and holes between them.
 *
 * The controller must get what its driver asks for, in a block that is aligned and
 * its own alone, and a USB keyboard that is plugged into it must appear. In the name of a mix, a
 * 1 is a single vector in use and a 0 is a hole.
 *
 * Measured: what=mixes, and as short those after which the block was not aligned or not the
 * controller's own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define DRIVER			"xhci_hcd"

#define MAX_DEVICES		16
#define MAX_SINGLES		4

/* Enough for an emulated CPU; on a kernel that is wrong the device never appears. */
#define USB_TIMEOUT_MS		3000

struct single {
	const char *bdf;
	char driver[32];
};

static struct pci_name found[MAX_DEVICES], xhci[1];
static struct single singles[MAX_SINGLES];
static int nr_singles;
static unsigned int nr_bad_blocks;

/* All single vectors are taken in their order, and then some are given back. */
static int bind_singles(unsigned int mix)
{
	int i, ret;

	for (i = 0; i < nr_singles; i++) {
		ret = pci_bind(singles[i].bdf, singles[i].driver);
		if (ret)
			return ret;
	}
	for (i = 0; i < nr_singles; i++) {
		ret = mix & (1 << i) ? 0 : pci_unbind(singles[i].bdf, singles[i].driver);
		if (ret)
			return ret;
	}
	return 0;
}

/* Also those that may take what is left beside the block of the controller */
static int bind_others(unsigned int mix)
{
	int i, ret;

	for (i = 0; i < nr_singles; i++) {
		ret = mix & (1 << i) ? 0 : pci_bind(singles[i].bdf, singles[i].driver);
		if (ret)
			return ret;
	}
	return 0;
}

static int unbind_all(void)
{
	char driver[64];
	int i, ret;

	for (i = 0; i < nr_singles; i++) {
		if (pci_driver(singles[i].bdf, driver, sizeof(driver)))
			continue;
		ret = pci_unbind(singles[i].bdf, singles[i].driver);
		if (ret)
			return ret;
	}
	if (pci_driver(xhci->bdf, driver, sizeof(driver)))
		return 0;
	return pci_unbind(xhci->bdf, DRIVER);
}

/* True when a device with a single MSI vector sends what is in the block. */
static bool block_is_shared(unsigned int first, unsigned int nr)
{
	unsigned int data;
	int i;

	for (i = 0; i < nr_singles; i++) {
		if (pci_msi_events(singles[i].bdf, &data) > 0 && data >= first && data < first + nr)
			return true;
	}
	return false;
}

static void check_mix(unsigned int mix)
{
	unsigned int first = 0, asked = sysconf(_SC_NPROCESSORS_ONLN) + 1;
	const char *problem = NULL, *bad_block = NULL;
	char text[MAX_SINGLES + 1];
	int i, ret, nr = 0, got = 0;
	bool present = false;
	long interrupts = 0;

	for (i = 0; i < nr_singles; i++)
		text[i] = mix & (1 << i) ? '1' : '0';
	text[i] = '\0';

	ret = bind_singles(mix);
	if (!ret)
		ret = pci_bind(xhci->bdf, DRIVER);
	if (!ret) {
		present = usb_device_wait(xhci->bdf, USB_TIMEOUT_MS) &&
			  usb_input_wait(xhci->bdf, USB_TIMEOUT_MS);
		got = pci_vectors(xhci->bdf);
		interrupts = pci_interrupts(xhci->bdf);
		nr = pci_msi_events(xhci->bdf, &first);
		ret = bind_others(mix);
	}

	if (ret)
		problem = strerror(-ret);
	else if (got < 0 || interrupts < 0 || nr < 0)
		problem = "cannot read the vectors";
	else if ((unsigned int)got != asked || nr < got)
		problem = "wrong number of vectors";
	else if (first & (nr - 1))
		problem = bad_block = "the block is not aligned";
	else if (block_is_shared(first, nr))
		problem = bad_block = "another device has a vector in the block";
	else if (!interrupts)
		problem = "no interrupt arrived";
	else if (!present)
		problem = "the keyboard did not appear";

	ktap_note("mix %s: asked for %u, got %d, the first is %u, %ld interrupts", text, asked, got,
		  first, interrupts);
	if (problem)
		ktap_note("mix %s: %s", text, problem);
	nr_bad_blocks += !!bad_block;

	ret = unbind_all();
	if (ret)
		ktap_note("mix %s: cannot unbind: %s", text, strerror(-ret));
	ktap_result(!problem && !ret, "mix %s before %s", text, xhci->bdf);
}

static void mix_run(void)
{
	unsigned int mix;
	bool there;
	int i, nr;

	nr = pci_find_class(PCI_CLASS_ANY, found, MAX_DEVICES);
	for (i = 0; i < nr && nr_singles < MAX_SINGLES; i++) {
		struct single *single = &singles[nr_singles];

		if (pci_vectors(found[i].bdf) != 1 ||
		    pci_driver(found[i].bdf, single->driver, sizeof(single->driver)))
			continue;
		single->bdf = found[i].bdf;
		ktap_note("single device=%s driver=%s", single->bdf, single->driver);
		nr_singles++;
	}

	there = pci_find_class(CLASS_SERIAL_USB_XHCI, xhci, 1) == 1 && pci_msi_max(xhci->bdf) > 1;
	if (there)
		pci_note_domains(xhci->bdf);
	if (!there || !nr_singles || unbind_all()) {
		ktap_plan(1);
		ktap_result(false, "mix: an xHCI controller with Multi-MSI and single vectors are there");
		return;
	}

	ktap_plan(1 << nr_singles);
	for (mix = 0; mix < 1U << nr_singles; mix++)
		check_mix(mix);
	ktap_measured("mixes", 1 << nr_singles, nr_bad_blocks, -1, "singles:%d", nr_singles);
}

GUEST_JOB(mix, mix_run);
