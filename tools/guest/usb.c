// SPDX-License-Identifier: GPL-2.0
/* USB devices behind a controller: what they show of its interrupts. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/usbdevice_fs.h>

#include "guest.h"

#define USB_POLL_MS	10

/* Finds a device other than the root hubs, and stores its directory. */
static bool find_device(const char *bdf, char *dir, size_t size)
{
	char pattern[GUEST_PATH_MAX];
	glob_t found;
	bool present;

	/* Interfaces have no idVendor. */
	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/pci/devices/%s/usb[0-9]*/[0-9]*-[0-9]*/idVendor", bdf);
	present = !glob(pattern, 0, NULL, &found);
	if (present) {
		snprintf(dir, size, "%s", found.gl_pathv[0]);
		*strrchr(dir, '/') = '\0';
	}
	globfree(&found);
	return present;
}

/* True when a device is there in time. It shows up only if the driver's interrupts arrive. */
bool usb_device_wait(const char *bdf, unsigned int timeout_ms)
{
	char dir[GUEST_PATH_MAX];
	unsigned int ms;

	for (ms = 0; ms < timeout_ms; ms += USB_POLL_MS) {
		if (find_device(bdf, dir, sizeof(dir)))
			return true;
		sleep_ms(USB_POLL_MS);
	}
	return find_device(bdf, dir, sizeof(dir));
}

/*
 * True when an input device comes with it in time: its driver has got what it asked the
 * device for. True as well on a kernel that has no such driver.
 */
bool usb_input_wait(const char *bdf, unsigned int timeout_ms)
{
	char pattern[GUEST_PATH_MAX];
	bool present = false;
	unsigned int ms;
	glob_t found;

	if (access("/sys/bus/hid", F_OK))
		return true;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/pci/devices/%s/usb[0-9]*/[0-9]*-[0-9]*/*/*/input/input[0-9]*", bdf);
	for (ms = 0; !present && ms <= timeout_ms; ms += USB_POLL_MS) {
		if (ms)
			sleep_ms(USB_POLL_MS);
		present = !glob(pattern, 0, NULL, &found);
		globfree(&found);
	}
	return present;
}

/* Has the device configured anew, which takes transfers, and so interrupts. */
int usb_device_poke(const char *bdf)
{
	char dir[GUEST_PATH_MAX];
	int ret;

	if (!find_device(bdf, dir, sizeof(dir)))
		return -ENODEV;
	ret = file_write_at(dir, "authorized", "0");
	return ret ? ret : file_write_at(dir, "authorized", "1");
}

static int usb_number(const char *dir, const char *name)
{
	char path[GUEST_PATH_MAX], text[16];
	int ret;

	snprintf(path, sizeof(path), "%.400s/%s", dir, name);
	ret = file_read(path, text, sizeof(text));
	return ret < 0 ? ret : atoi(text);
}

/* Takes the first interface of the device for this process, until it ends. */
int usb_device_claim(const char *bdf)
{
	struct usbdevfs_disconnect_claim claim = { .interface = 0 };
	char dir[GUEST_PATH_MAX], path[GUEST_PATH_MAX];
	int bus, device, fd;

	if (!find_device(bdf, dir, sizeof(dir)))
		return -ENODEV;
	bus = usb_number(dir, "busnum");
	device = usb_number(dir, "devnum");
	if (bus < 0 || device < 0)
		return -ENODEV;

	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", bus, device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return ioctl(fd, USBDEVFS_DISCONNECT_CLAIM, &claim) < 0 ? -errno : 0;
}
