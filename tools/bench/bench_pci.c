// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI bus with emulated devices, which have nothing but a configuration space with an MSI
 * capability for 32 vectors. There is one for all drivers, since to scan devices takes longer than
 * what the tests do with them. Each test hands the devices another MSI domain.
 */
#include <linux/device.h>
#include <linux/msi.h>
#include <linux/of.h>
#include <linux/of_fdt.h>
#include <linux/pci.h>
#include <linux/unaligned.h>

#include "bench.h"

#define CONFIG_SIZE	0x100

static struct pci_host_bridge *bridge;
static struct pci_dev *pdevs[MSI_BENCH_DEVS];
static u8 configs[MSI_BENCH_DEVS][CONFIG_SIZE];

/* The configuration space of a device, if it is plugged in: device 2 * SLOT + FUNCTION */
static u8 *config_of(struct pci_bus *bus, unsigned int devfn)
{
	unsigned int dev = PCI_SLOT(devfn) * 2 + PCI_FUNC(devfn);

	if (!pci_is_root_bus(bus) || PCI_FUNC(devfn) > 1 || !configs[dev][PCI_VENDOR_ID])
		return NULL;
	return configs[dev];
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	u8 *config = config_of(bus, devfn);

	PCI_SET_ERROR_RESPONSE(val);
	if (!config)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = 0;
	if (where + size <= CONFIG_SIZE)
		memcpy(val, config + where, size);
	return PCIBIOS_SUCCESSFUL;
}

/* Only what a device with an MSI capability has to remember */
static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	u8 *config = config_of(bus, devfn);
	u16 flags;

	if (!config)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == MSI_BENCH_CAP + PCI_MSI_FLAGS && size == 2) {
		flags = get_unaligned_le16(config + where);
		flags &= ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
		flags |= val & (PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
		put_unaligned_le16(flags, config + where);
	} else if (where == PCI_COMMAND) {
		put_unaligned_le16(val, config + where);
	} else if (where > MSI_BENCH_CAP + PCI_MSI_FLAGS && where + size <= CONFIG_SIZE) {
		memcpy(config + where, &val, size);
	}
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = {
	.read	= config_read,
	.write	= config_write,
};

u32 msi_bench_config(unsigned int dev, int where, int size)
{
	u32 val = 0;

	memcpy(&val, configs[dev] + where, size);
	return val;
}

static void config_plug_in(u8 *config)
{
	put_unaligned_le16(0x1234, config + PCI_VENDOR_ID);
	put_unaligned_le16(0x5678, config + PCI_DEVICE_ID);
	put_unaligned_le16(PCI_STATUS_CAP_LIST, config + PCI_STATUS);
	put_unaligned_le16(PCI_CLASS_NOT_DEFINED, config + PCI_CLASS_DEVICE);
	config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_MFD;
	config[PCI_CAPABILITY_LIST] = MSI_BENCH_CAP;
	config[MSI_BENCH_CAP] = PCI_CAP_ID_MSI;
	put_unaligned_le16(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT |
			   FIELD_PREP(PCI_MSI_FLAGS_QMASK, ilog2(MSI_BENCH_MAX_NR)),
			   config + MSI_BENCH_CAP + PCI_MSI_FLAGS);
}

/* Devices are plugged in when they are used for the first time */
struct pci_dev *msi_bench_pdev(unsigned int dev)
{
	if (!pdevs[dev]) {
		config_plug_in(configs[dev]);
		pci_lock_rescan_remove();
		pdevs[dev] = pci_scan_single_device(bridge->bus, PCI_DEVFN(dev / 2, dev % 2));
		pci_unlock_rescan_remove();
	}
	return pdevs[dev];
}

/* What the MSI core looks for in the node of the host bridge, e.g. msi-map */
void msi_bench_pci_node(struct device_node *np)
{
	bridge->dev.of_node = np;
}

/* Give back all that the devices have of the domain: it will be removed */
void msi_bench_pci_release(struct msi_bench *bench)
{
	for (unsigned int i = 0; i < MSI_BENCH_DEVS; i++) {
		if (!pdevs[i])
			continue;
		if (bench->block[i].nr)
			pci_free_irq_vectors(pdevs[i]);
		if (pdevs[i]->dev.msi.data)
			msi_remove_device_irq_domain(&pdevs[i]->dev, MSI_DEFAULT_DOMAIN);
		dev_set_msi_domain(&pdevs[i]->dev, NULL);
	}
	msi_bench_pci_node(NULL);
}

/* The bus, and the nodes of the drivers. They stay when the tests are done */
int msi_bench_once(void)
{
	extern u8 __dtbo_nodes_begin[], __dtbo_nodes_end[];
	int ret, id;

	if (bridge)
		return 0;

	ret = of_overlay_fdt_apply(__dtbo_nodes_begin, __dtbo_nodes_end - __dtbo_nodes_begin, &id,
				   NULL);
	if (ret)
		return ret;

	bridge = pci_alloc_host_bridge(0);
	if (!bridge)
		return -ENOMEM;
	bridge->ops = &config_ops;
	bridge->dev.parent = root_device_register("msi-bench");

	pci_lock_rescan_remove();
	ret = pci_scan_root_bus_bridge(bridge);
	pci_unlock_rescan_remove();
	return ret;
}
