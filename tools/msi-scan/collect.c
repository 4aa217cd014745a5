// SPDX-License-Identifier: GPL-2.0
/*
 * --collect: a tar file of what is read, and of no more than that. Nothing in it is about who owns the
 * machine: of the config space the MSI capability alone, since others have serial numbers; of the release
 * of the kernel the number alone; of the device tree what the table knows; of the BTF two names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "msi-scan.h"

#define BLOCK		512
#define TOP		"msi-scan/"

static int out = -1;
static int error;

static void put(const void *data, size_t len)
{
	static const char zeros[BLOCK];
	size_t padding = -len % BLOCK, done = 0;
	const char *from = data;
	ssize_t ret;

	while (!error && done < len + padding) {
		if (done < len)
			ret = write(out, from + done, len - done);
		else
			ret = write(out, zeros, len + padding - done);
		if (ret < 0 && errno != EINTR)
			error = -errno;
		else if (ret > 0)
			done += ret;
	}
}

static void put_header(const char *name, char type, size_t size, const char *link)
{
	char header[BLOCK] = "";
	unsigned int sum = 0, i;

	/* POSIX ustar. Nobody's files, of no time. */
	snprintf(header, 100, "%s", name);
	snprintf(header + 100, 8, "%07o", type == '5' ? 0755 : 0644);
	snprintf(header + 108, 8, "%07o", 0);
	snprintf(header + 116, 8, "%07o", 0);
	snprintf(header + 124, 12, "%011zo", size);
	snprintf(header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = type;
	snprintf(header + 157, 100, "%s", link);
	memcpy(header + 257, "ustar\0" "00", 8);
	for (i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 7, "%06o", sum);
	put(header, BLOCK);
}

static void put_entry(const char *path, char type, const void *data, size_t size, const char *link)
{
	char name[PATH_SIZE + sizeof(TOP)], record[PATH_SIZE + 64];
	unsigned int len, digits;

	snprintf(name, sizeof(name), TOP "%s", path);
	if (strlen(name) >= 100) {
		/* An extended header: its length, which counts its own digits, and the whole name */
		len = strlen(" path=\n") + strlen(name);
		for (digits = 1; snprintf(record, sizeof(record), "%u", len + digits) != (int)digits; digits++)
			;
		len = snprintf(record, sizeof(record), "%u path=%s\n", len + digits, name);
		put_header("msi-scan/long-name", 'x', len, "");
		put(record, len);
	}
	put_header(name, type, size, link);
	put(data, size);
}

static void put_text(const char *path, const char *fmt, ...) __printf(2, 3);
static void put_text(const char *path, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_entry(path, '0', text, len < (int)sizeof(text) ? len : (int)sizeof(text) - 1, "");
}

/* The file as it is, when it can be read */
static void put_copy(const char *path)
{
	char text[8192];
	int len = fs_read_text(path, text, sizeof(text));

	if (len > 0)
		put_text(path, "%s\n", text);
}

static void put_kernel(void)
{
	static const char *const flags[] = { FLAG, OTHER_FLAG };
	char text[256] = "";
	struct utsname name;
	size_t len = 1, i;
	bool found[2];

	/* What is behind the number may be a name of somebody. */
	if (kernel_release(text, sizeof(text)))
		put_text(OSRELEASE, "%s\n", text);
	/* Before 6.1, it is not to be had from a file. */
	if (fs_read_text(ARCH, text, sizeof(text)) > 0)
		put_text(ARCH, "%s\n", text);
	else if (fs_is_live() && !uname(&name))
		put_text(ARCH, "%s\n", name.machine);
	memset(text, 0, sizeof(text));
	if (!fs_has_strings(BTF, flags, found, 2)) {
		/* As between other strings, with a NUL in front */
		for (i = 0; i < 2; i++) {
			if (found[i])
				len += snprintf(text + len, sizeof(text) - len, "%s", flags[i]) + 1;
		}
		put_entry(BTF, '0', text, len, "");
	}
}

/* Of an interrupt: its chip, and its domain with what debugfs says of that */
static void put_irq(const struct device *dev, struct names *domains)
{
	char path[PATH_SIZE], text[4096], *found;

	if (make_path(path, "%s/%u/chip_name", IRQS, dev->irq))
		put_copy(path);
	if (!make_path(path, "%s/%u", DEBUG_IRQS, dev->irq) || fs_read_text(path, text, sizeof(text)) <= 0)
		return;
	found = strstr(text, "domain:");
	if (!found)
		return;
	found[strcspn(found, "\n")] = '\0';
	put_text(path, "%s\n", found);
	found += strlen("domain:");
	found += strspn(found, " ");
	if (!strchr(found, '/'))
		names_add(domains, found);
}

static void put_device(const struct device *dev)
{
	static const char *const attributes[] = { "vendor", "device" };
	unsigned char config[256], kept[256] = {};
	char path[PATH_SIZE], text[256];
	struct names names;
	int len, offset;
	size_t i;

	/* Also one of which nothing is known */
	if (make_path(path, "%s/%s/", PCI_DEVICES, dev->bdf))
		put_entry(path, '5', NULL, 0, "");
	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (make_path(path, "%s/%s/%s", PCI_DEVICES, dev->bdf, attributes[i]))
			put_copy(path);
	}
	if (dev->driver[0] && make_path(path, "%s/%s/driver", PCI_DEVICES, dev->bdf)) {
		/* The header has no room for a long one. */
		snprintf(text, sizeof(text), "../../../../bus/pci/drivers/%s",
			 strlen(dev->driver) < 60 ? dev->driver : NO_NAME);
		put_entry(path, '2', NULL, 0, text);
	}
	if (make_path(path, "%s/%s/config", PCI_DEVICES, dev->bdf)) {
		len = fs_read(path, config, sizeof(config));
		if (len >= 64) {
			if (msi_capability(config, len, &offset) > 0) {
				kept[0x06] = 0x10;
				kept[0x34] = offset;
				kept[offset] = config[offset];
				/* The flags, which have the numbers of vectors, and not the address behind them */
				kept[offset + 2] = config[offset + 2];
				kept[offset + 3] = config[offset + 3];
			} else if (dev->max < 0) {
				/* As short as for who is not root */
				kept[0x06] = 0x10;
				kept[0x34] = 0x40;
				len = 64;
			}
			put_entry(path, '0', kept, len, "");
		}
	}
	if (!make_path(path, "%s/%s/msi_irqs", PCI_DEVICES, dev->bdf) || fs_list(path, &names))
		return;
	for (i = 0; i < names.nr; i++) {
		if (make_path(path, "%s/%s/msi_irqs/%s", PCI_DEVICES, dev->bdf, names.name[i]))
			put_copy(path);
	}
	names_free(&names);
}

static void put_domains(const struct device *devices, size_t nr, struct names *domains)
{
	char path[PATH_SIZE], text[8192];
	struct names names;
	size_t i, k;

	/* Also those of the devices that have no interrupt now, and those that they stand on */
	if (fs_is_directory(DEBUG_DOMAINS) && !fs_list(DEBUG_DOMAINS, &names)) {
		for (i = 0; i < names.nr; i++) {
			for (k = 0; k < nr; k++) {
				if (strstr(names.name[i], devices[k].bdf) && strstr(names.name[i], "PCI-MSI-"))
					break;
			}
			if (k == nr && (!make_path(path, "%s/%s", DEBUG_DOMAINS, names.name[i]) ||
					fs_read_text(path, text, sizeof(text)) <= 0 ||
					!is_msi_parent(names.name[i], text)))
				continue;
			names_add(domains, names.name[i]);
		}
		names_free(&names);
	}
	for (i = 0; i < domains->nr; i++) {
		for (k = 0; k < i && strcmp(domains->name[i], domains->name[k]); k++)
			;
		if (k == i && make_path(path, "%s/%s", DEBUG_DOMAINS, domains->name[i]))
			put_copy(path);
	}
}

static void put_firmware(const struct names *compatible)
{
	/* An IORT with nothing but its head and an ITS group: type 0, 24 bytes */
	static const unsigned char iort[72] = {
		'I', 'O', 'R', 'T', 72, 0, 0, 0, [36] = 1, [40] = 48, [48] = 0, 24,
	};
	char path[PATH_SIZE];
	size_t i;

	for (i = 0; i < compatible->nr; i++) {
		if (make_path(path, "%s/node@%zu/compatible", DEVICE_TREE, i))
			put_entry(path, '0', compatible->name[i], strlen(compatible->name[i]) + 1, "");
	}
	if (has_its_group())
		put_entry(IORT, '0', iort, sizeof(iort), "");
}

int collect(const char *file, const struct device *devices, size_t nr, const struct names *compatible)
{
	static const char zeros[2 * BLOCK];
	struct names domains = {};
	size_t i;

	/* Not over a file that is there: root may be told to write into a folder that is everybody's. */
	out = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (out < 0)
		return -errno;
	put_kernel();
	put_entry(PCI_DEVICES "/", '5', NULL, 0, "");
	for (i = 0; i < nr; i++) {
		put_device(&devices[i]);
		if (devices[i].mode != MODE_NONE)
			put_irq(&devices[i], &domains);
	}
	put_domains(devices, nr, &domains);
	names_free(&domains);
	put_firmware(compatible);
	put(zeros, sizeof(zeros));
	if (close(out) && !error)
		error = -errno;
	if (error)
		unlink(file);
	return error;
}
