/* SPDX-License-Identifier: GPL-2.0-only */
/* Included before a driver that maps its doorbell for the device: that can fail, without an IOMMU */
#ifndef MSI_BENCH_DOORBELL_H
#define MSI_BENCH_DOORBELL_H

#include <linux/iommu.h>

extern int msi_bench_doorbell_error;

#define iommu_dma_prepare_msi(desc, addr)	\
	(msi_bench_doorbell_error ?: (iommu_dma_prepare_msi)(desc, addr))

#endif
