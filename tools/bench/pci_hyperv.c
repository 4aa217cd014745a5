// SPDX-License-Identifier: GPL-2.0-only
/*
 * hv_pci_irqchip_init(), as the driver's init does, and hv_pcie_init_irq_domain() for a bus.
 * The headers have nothing without CONFIG_HYPERV, which can't be set here: see
 * pci_hyperv_stubs.c.
 */
#define CONFIG_HYPERV		1
#define CONFIG_HYPERV_VMBUS	1
#include <linux/hyperv.h>

static struct device *hv_root;
#define hv_get_vmbus_root_device()	hv_root
#include "../pci/controller/pci-hyperv.c"
#include "bench.h"

/* In place of hv_compose_msi_msg(), which asks the hypervisor */
static void compose(struct irq_data *data, struct msi_msg *msg)
{
	msg->address_hi = 0;
	msg->address_lo = 0xfee00000;
	msg->data = data->parent_data->hwirq;
}

static void remove(void *data)
{
	struct hv_pcibus_device *hbus = data;
	struct hv_pci_chip_data *chip_data = hv_msi_gic_irq_domain->host_data;
	struct fwnode_handle *fwnode = hv_msi_gic_irq_domain->fwnode;

	irq_domain_remove(hbus->irq_domain);
	irq_domain_remove(hv_msi_gic_irq_domain);
	irq_domain_free_fwnode(fwnode);
	kfree(chip_data);
	pci_free_host_bridge(hbus->bridge);
}

static void setup(struct kunit *test, struct msi_bench *bench)
{
	struct hv_pcibus_device *hbus = msi_bench_zalloc(test, sizeof(*hbus));
	struct hv_pci_chip_data *chip_data;

	msi_bench_parent(test, NULL);
	hv_root = bench->dev;
	KUNIT_ASSERT_EQ(test, hv_pci_irqchip_init(), 0);
	hv_msi_irq_chip.irq_compose_msi_msg = compose;
	hbus->fwnode = dev_fwnode(bench->dev);
	hbus->bridge = pci_alloc_host_bridge(0);
	KUNIT_ASSERT_NOT_NULL(test, hbus->bridge);
	bench->keep_domain = true;
	KUNIT_ASSERT_EQ(test, hv_pcie_init_irq_domain(hbus), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, remove, hbus), 0);
	bench->event_domain = hv_msi_gic_irq_domain;
	chip_data = hv_msi_gic_irq_domain->host_data;
	msi_bench_map(bench, 0, chip_data->spi_map, HV_PCI_MSI_SPI_NR, HV_PCI_MSI_SPI_START);
}

MSI_BENCH_SUITE(pci_hyperv, setup);
