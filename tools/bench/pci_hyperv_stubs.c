// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pci-hyperv.c takes from the rest of the support for Hyper-V. That can't be built in: it
 * selects PARAVIRT, and with that all of the kernel becomes another one. Nothing of it is
 * called.
 */
#include <linux/compiler.h>

long msi_bench_hv_stub(void);
/* Aligned, since some stand for variables */
long __aligned(8) msi_bench_hv_stub(void)
{
	return 0;
}

#define STUB(name)	asm(".globl " #name "\n.set " #name ", msi_bench_hv_stub")

STUB(__vmbus_driver_register);
STUB(__vmbus_request_addr_match);
STUB(hv_do_hypercall);
STUB(hv_is_hyperv_initialized);
STUB(hv_vmbus_exists);
STUB(hv_vp_index);
STUB(hvpci_block_ops);
STUB(hyperv_pcpu_input_arg);
STUB(vmbus_allocate_mmio);
STUB(vmbus_close);
STUB(vmbus_driver_unregister);
STUB(vmbus_free_mmio);
STUB(vmbus_next_request_id);
STUB(vmbus_open);
STUB(vmbus_recvpacket_raw);
STUB(vmbus_request_addr);
STUB(vmbus_request_addr_match);
STUB(vmbus_sendpacket);
STUB(vmbus_sendpacket_getid);
