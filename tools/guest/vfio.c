// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI device's interrupt vectors by VFIO: behind an IOMMU by a type 1 container, and
 * without one in no-IOMMU mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef NOLIBC
#include <sys/eventfd.h>
#endif
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "guest.h"

#define PCI_DEVICE	"/sys/bus/pci/devices/%s"
#define NOIOMMU		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* Takes the device from the driver that it has. */
int vfio_bind(const char *bdf)
{
	static bool scanned;
	int ret;

	ret = file_write(NOIOMMU, "Y");
	if (!ret)
		ret = pci_override(bdf, VFIO_PCI);
	/* Some jobs bind another driver before they end. */
	if (!ret && !scanned) {
		scanned = true;
		scan("vfio");
	}
	return ret;
}

/* Leaves the device without a driver. */
int vfio_unbind(const char *bdf)
{
	char path[GUEST_PATH_MAX];
	int ret;

	ret = pci_unbind(bdf, VFIO_PCI);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), PCI_DEVICE, bdf);
	return file_write_at(path, "driver_override", "\n");
}

static int open_group(const char *bdf, bool *noiommu)
{
	char path[GUEST_PATH_MAX], target[GUEST_PATH_MAX];
	const char *number;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICE "/iommu_group", bdf);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	number = strrchr(target, '/');
	number = number ? number + 1 : target;

	snprintf(path, sizeof(path), "/dev/vfio/%.16s", number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	*noiommu = fd < 0 && errno == ENOENT;
	if (*noiommu) {
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%.16s", number);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

/* Every opening is an IOMMU domain of its own, in which the doorbell is not mapped yet. */
int vfio_open(struct vfio_device *dev, const char *bdf)
{
	bool noiommu;
	int ret;

	dev->device = -1;
	dev->group = -1;
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return -errno;

	ret = open_group(bdf, &noiommu);
	if (ret < 0)
		goto out_close;
	dev->group = ret;

	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container) ||
	    ioctl(dev->container, VFIO_SET_IOMMU,
		  noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU)) {
		ret = -errno;
		goto out_close;
	}

	ret = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (ret < 0) {
		ret = -errno;
		goto out_close;
	}
	dev->device = ret;
	return 0;

out_close:
	vfio_close(dev);
	return ret;
}

void vfio_close(struct vfio_device *dev)
{
	if (dev->device >= 0)
		close(dev->device);
	if (dev->group >= 0)
		close(dev->group);
	close(dev->container);
}

/* Binds and opens the device of a job. When that fails, this is the only result of the job. */
bool vfio_take(const char *job, struct vfio_device *dev, const char *bdf)
{
	int ret;

	ret = vfio_bind(bdf);
	if (!ret)
		ret = vfio_open(dev, bdf);
	if (!ret)
		return true;
	ktap_plan(1);
	ktap_note("%s: %s", bdf, strerror(-ret));
	ktap_result(false, "%s %s: opened by VFIO", job, bdf);
	return false;
}

/* The number of vectors that the device has; @index is VFIO_PCI_MSI(X)_IRQ_INDEX. */
int vfio_max_vectors(const struct vfio_device *dev, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	return ioctl(dev->device, VFIO_DEVICE_GET_IRQ_INFO, &info) ? -errno : (int)info.count;
}

/*
 * Sets up @nr vectors, each with an eventfd, and returns @nr. When they are not to be had,
 * none is set up, and the return value is the number that VFIO says there are, or an error.
 */
int vfio_enable(const struct vfio_device *dev, unsigned int index, unsigned int nr)
{
	static int eventfds[VFIO_MAX_VECTORS];
	static unsigned int nr_eventfds;
	static union {
		struct vfio_irq_set set;
		char space[sizeof(struct vfio_irq_set) + sizeof(eventfds)];
	} arg;
	int ret;

	if (nr > VFIO_MAX_VECTORS)
		return -E2BIG;
	for (; nr_eventfds < nr; nr_eventfds++) {
		eventfds[nr_eventfds] = eventfd(0, EFD_CLOEXEC);
		if (eventfds[nr_eventfds] < 0)
			return -errno;
	}

	arg.set.argsz = sizeof(arg.set) + nr * sizeof(eventfds[0]);
	arg.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	arg.set.index = index;
	arg.set.start = 0;
	arg.set.count = nr;
	memcpy(arg.set.data, eventfds, nr * sizeof(eventfds[0]));

	ret = ioctl(dev->device, VFIO_DEVICE_SET_IRQS, &arg.set);
	if (ret < 0)
		return -errno;
	return ret ? ret : (int)nr;
}

int vfio_disable(const struct vfio_device *dev, unsigned int index)
{
	struct vfio_irq_set set = {
		.argsz	= sizeof(set),
		.flags	= VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index	= index,
	};

	return ioctl(dev->device, VFIO_DEVICE_SET_IRQS, &set) ? -errno : 0;
}
