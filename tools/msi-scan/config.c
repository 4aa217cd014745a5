// SPDX-License-Identifier: GPL-2.0
/* The MSI capability in the config space of a PCI device */
#include "msi-scan.h"

#define PCI_STATUS		0x06
#define PCI_STATUS_CAP_LIST	0x10
#define PCI_HEADER_TYPE		0x0e
#define PCI_CAPABILITY_LIST	0x34
#define PCI_CB_CAPABILITY_LIST	0x14
#define PCI_HEADER_CARDBUS	2
#define PCI_STD_HEADER		0x40
#define PCI_CAP_ID_MSI		0x05
/* What is read of a device that does not answer */
#define PCI_CAP_ID_NONE		0xff
#define PCI_MSI_FLAGS		2

/* As many as fit into what is behind the header, so that a loop ends */
#define MAX_CAPABILITIES	48

/*
 * How many vectors it offers, and where it is; 0: there is none, -1: it cannot be seen. Who is not root
 * gets the header alone.
 */
int msi_capability(const unsigned char *config, int len, int *offset)
{
	int pos, i, order;

	if (len < PCI_STD_HEADER)
		return -1;
	if (!(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return 0;
	pos = (config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_CARDBUS ? PCI_CB_CAPABILITY_LIST : PCI_CAPABILITY_LIST;
	pos = config[pos] & ~3;
	for (i = 0; i < MAX_CAPABILITIES && pos; i++) {
		if (pos < PCI_STD_HEADER)
			return 0;
		if (pos + PCI_MSI_FLAGS >= len)
			return -1;
		if (config[pos] == PCI_CAP_ID_MSI) {
			*offset = pos;
			order = config[pos + PCI_MSI_FLAGS] >> 1 & 7;
			return order > 5 ? 32 : 1 << order;
		}
		if (config[pos] == PCI_CAP_ID_NONE)
			return -1;
		pos = config[pos + 1] & ~3;
	}
	return 0;
}
