// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at the blocks of all xHCI controllers with Multi-MSI, as their driver has got them at
 * boot: each must be aligned in the message data, and apart from those before it. A USB device
 * must be plugged into each controller, and appear.
 *
 * Measured: what=blocks, and as short those that are not aligned or not apart. In the details,
 * first is the message data of the first vector of each.
 */
#include <stdio.h>

#include "guest.h"

#define MAX_DEVICES		16
#define USB_TIMEOUT_MS		10000

struct block {
	unsigned int first;
	unsigned int nr;
};

static const char *check_block(const struct block *blocks, int index)
{
	const struct block *block = &blocks[index];
	int i;

	if (block->first & (block->nr - 1))
		return "the block is not aligned";
	for (i = 0; i < index; i++) {
		if (block->first < blocks[i].first + blocks[i].nr &&
		    blocks[i].first < block->first + block->nr)
			return "the block is not apart from the others";
	}
	return NULL;
}

static void blocks_run(void)
{
	struct block blocks[MAX_DEVICES] = {};
	struct pci_name found[MAX_DEVICES];
	char firsts[MAX_DEVICES * 12] = "";
	unsigned int nr_bad = 0;
	int nr, i, len = 0;

	nr = pci_find_class(CLASS_SERIAL_USB_XHCI, found, MAX_DEVICES);
	if (nr < 2) {
		ktap_plan(1);
		ktap_result(false, "blocks: several xHCI controllers are there");
		return;
	}

	ktap_plan(nr);
	for (i = 0; i < nr; i++) {
		const char *bdf = found[i].bdf, *problem, *bad_block = NULL;
		int got = pci_vectors(bdf);
		int size = pci_msi_events(bdf, &blocks[i].first);

		pci_note_domains(bdf);
		if (got < 2 || size < got) {
			problem = "no block of vectors";
		} else {
			blocks[i].nr = size;
			problem = bad_block = check_block(blocks, i);
		}
		if (!problem && !usb_device_wait(bdf, USB_TIMEOUT_MS))
			problem = "the USB device did not appear";
		nr_bad += !!bad_block;
		len += snprintf(firsts + len, sizeof(firsts) - len, "%s%u", i ? "_" : "",
				blocks[i].first);

		ktap_note("block device=%s vectors=%d first=%u size=%d interrupts=%ld", bdf, got,
			  blocks[i].first, size, pci_interrupts(bdf));
		if (problem)
			ktap_note("%s: %s", bdf, problem);
		ktap_result(!problem, "blocks %s", bdf);
	}
	ktap_measured("blocks", nr, nr_bad, -1, "devices:%d,first:%s", nr, firsts);
}

GUEST_JOB(blocks, blocks_run);
