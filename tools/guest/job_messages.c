// SPDX-License-Identifier: GPL-2.0
/*
 * Sends each MSI message of a device as the device would, by writing it where the device's MSI
 * capability says: the message data of its n-th vector to the one address that it has. The n-th
 * interrupt must arrive, and no other. This takes a machine on which a CPU's message counts as much
 * as a device's. The device is the first xHCI controller that has so many vectors; VFIO sets them up.
 *
 * guest.max=N: how many vectors it is asked for. It may get fewer.
 *
 * Measured: what=messages, and as short those that did not arrive as what they are.
 */
#include <stdio.h>
#include <string.h>

#include <linux/vfio.h>

#include "guest.h"

#define DEFAULT_MAX		4

#define ARRIVAL_MS		500

/* Sends the message of vector @nr, and returns what is wrong with the interrupts after it. */
static const char *send(const char *bdf, unsigned int nr, const unsigned int *irqs, unsigned int nr_irqs)
{
	long before[MSI_MAX], now[MSI_MAX];
	unsigned int data, i, waited;
	static char text[80];
	unsigned long address;

	if (pci_msi_message(bdf, &address, &data) < (int)nr_irqs)
		return "the device's MSI is not set up";
	for (i = 0; i < nr_irqs; i++)
		before[i] = pci_interrupts_of(irqs[i]);
	if (poke_word(address, data | nr))
		return "cannot send it";

	for (waited = 0; waited < ARRIVAL_MS; waited += 100) {
		sleep_ms(100);
		for (i = 0; i < nr_irqs; i++)
			now[i] = pci_interrupts_of(irqs[i]);
		if (now[nr] != before[nr])
			break;
	}
	for (i = 0; i < nr_irqs; i++) {
		if (i != nr && now[i] != before[i]) {
			snprintf(text, sizeof(text), "arrived as %u", i);
			return text;
		}
	}
	return now[nr] == before[nr] + 1 ? NULL : "did not arrive once";
}

static void send_all(const char *bdf, unsigned int asked)
{
	unsigned int irqs[MSI_MAX], nr, nr_bad = 0;
	const char *problems[MSI_MAX];
	int got;

	got = pci_vector_list(bdf, irqs, MSI_MAX);
	ktap_plan(got);
	for (nr = 0; nr < (unsigned int)got; nr++) {
		problems[nr] = send(bdf, nr, irqs, got);
		if (problems[nr])
			ktap_note("%s message %u: %s", bdf, nr, problems[nr]);
		nr_bad += !!problems[nr];
	}
	ktap_measured("messages", got, nr_bad, -1, "asked:%u,got:%d", asked, got);
	for (nr = 0; nr < (unsigned int)got; nr++)
		ktap_result(!problems[nr], "messages %s: %u", bdf, nr);
}

static void messages_run(void)
{
	unsigned int max = DEFAULT_MAX;
	struct vfio_device dev;
	struct pci_name found;
	int ret;

	if (!pci_find_multi_msi("messages", &found, &max) || !vfio_take("messages", &dev, found.bdf))
		return;

	/* When there are fewer, it says how many. */
	ret = vfio_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, max);
	if (ret > 0 && ret < (int)max)
		ret = vfio_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, ret);
	if (ret <= 0) {
		ktap_plan(1);
		ktap_note("%s: %s", found.bdf, strerror(-ret));
		ktap_result(false, "messages %s: VFIO sets vectors up", found.bdf);
		return;
	}

	pci_note_domains(found.bdf);
	send_all(found.bdf, max);
	vfio_close(&dev);
}

GUEST_JOB(messages, messages_run);
