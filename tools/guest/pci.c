// SPDX-License-Identifier: GPL-2.0
/* PCI devices, their drivers and their MSI vectors, as sysfs shows them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "guest.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_DRIVERS	"/sys/bus/pci/drivers"

/* A list of capabilities that is longer than this goes in circles. */
#define MAX_CAPABILITIES	48

#define MAX_DEVICES		16

/* Not in the headers of user space */
#define PCI_BASE_CLASS_BRIDGE	0x06

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pci_name *)a)->bdf, ((const struct pci_name *)b)->bdf);
}

/*
 * Stores the devices with that class, or with any, in the order of their names, and
 * returns their number.
 */
int pci_find_class(unsigned int class, struct pci_name *names, unsigned int max)
{
	char path[GUEST_PATH_MAX], text[32];
	struct dirent *entry;
	unsigned int nr = 0;
	DIR *dir;

	dir = opendir(PCI_DEVICES);
	if (!dir)
		return -errno;

	while ((entry = readdir(dir)) && nr < max) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(names->bdf))
			continue;
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/class", entry->d_name);
		if (file_read(path, text, sizeof(text)) <= 0)
			continue;
		if (class != PCI_CLASS_ANY && strtoul(text, NULL, 16) != class)
			continue;
		snprintf(names[nr++].bdf, sizeof(names->bdf), "%s", entry->d_name);
	}
	closedir(dir);
	qsort(names, nr, sizeof(*names), compare_names);
	return nr;
}

/*
 * The device of a job: stores the first xHCI controller whose MSI capability offers guest.max=N
 * vectors, or *@max when that is not there, and the number. When there is none, this is the only
 * result of the job.
 */
bool pci_find_multi_msi(const char *job, struct pci_name *name, unsigned int *max)
{
	struct pci_name found[MAX_DEVICES];
	int nr, i;

	*max = guest_param_uint("max", *max);
	if (*max > MSI_MAX)
		*max = MSI_MAX;

	nr = pci_find_class(CLASS_SERIAL_USB_XHCI, found, MAX_DEVICES);
	for (i = 0; i < nr; i++) {
		if (pci_msi_max(found[i].bdf) >= (int)*max) {
			*name = found[i];
			return true;
		}
	}
	ktap_plan(1);
	ktap_result(false, "%s: an xHCI controller with %u MSI vectors is there", job, *max);
	return false;
}

bool pci_is_bridge(const char *bdf)
{
	char path[GUEST_PATH_MAX], text[32];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/class", bdf);
	return file_read(path, text, sizeof(text)) > 0 &&
	       strtoul(text, NULL, 16) >> 16 == PCI_BASE_CLASS_BRIDGE;
}

/* Reads the configuration space, and returns where the MSI capability is in it. */
static int find_msi(const char *bdf, unsigned char *config, size_t size)
{
	char path[GUEST_PATH_MAX];
	unsigned int pos, i;
	int len;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	len = file_read(path, (char *)config, size);
	if (len < 0)
		return len;
	if (len < PCI_CFG_SPACE_SIZE)
		return -EIO;
	if (!(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return -ENODEV;

	pos = config[PCI_CAPABILITY_LIST] & ~3;
	for (i = 0; pos && i < MAX_CAPABILITIES; i++) {
		if (config[pos + PCI_CAP_LIST_ID] == PCI_CAP_ID_MSI)
			return pos;
		pos = config[pos + PCI_CAP_LIST_NEXT] & ~3;
	}
	return -ENODEV;
}

/* The number of vectors that the device's MSI capability offers */
int pci_msi_max(const char *bdf)
{
	unsigned char config[PCI_CFG_SPACE_SIZE + 1];
	int pos = find_msi(bdf, config, sizeof(config));

	if (pos < 0)
		return pos;
	return 1 << ((config[pos + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_QMASK) >> 1);
}

/*
 * Stores where the device sends its messages, and the message data for its first vector. Returns
 * for how many vectors it may change the low bits of it; 0 when MSI is off.
 */
int pci_msi_message(const char *bdf, unsigned long *address, unsigned int *first)
{
	unsigned char config[PCI_CFG_SPACE_SIZE + 1], *msi;
	int pos = find_msi(bdf, config, sizeof(config));
	unsigned int flags, data;

	if (pos < 0)
		return pos;

	msi = config + pos;
	flags = msi[PCI_MSI_FLAGS];
	if (!(flags & PCI_MSI_FLAGS_ENABLE))
		return 0;

	*address = msi[PCI_MSI_ADDRESS_LO] | msi[PCI_MSI_ADDRESS_LO + 1] << 8 |
		   msi[PCI_MSI_ADDRESS_LO + 2] << 16 | (unsigned long)msi[PCI_MSI_ADDRESS_LO + 3] << 24;
	data = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;
	*first = msi[data] | msi[data + 1] << 8;
	return 1 << ((flags & PCI_MSI_FLAGS_QSIZE) >> 4);
}

/* The message data alone. With an ITS, these are the events which are the device's own. */
int pci_msi_events(const char *bdf, unsigned int *first)
{
	unsigned long address;

	return pci_msi_message(bdf, &address, first);
}

/* The driver's name; -ENODEV when the device has none */
int pci_driver(const char *bdf, char *buf, size_t size)
{
	char path[GUEST_PATH_MAX], target[GUEST_PATH_MAX];
	const char *name;
	ssize_t len;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", bdf);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return errno == ENOENT ? -ENODEV : -errno;

	target[len] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	len = snprintf(buf, size, "%s", name);
	return (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* Binds, and does not believe it before sysfs shows it. */
int pci_bind(const char *bdf, const char *driver)
{
	char path[GUEST_PATH_MAX], now[64];
	int ret;

	snprintf(path, sizeof(path), PCI_DRIVERS "/%s", driver);
	ret = file_write_at(path, "bind", bdf);
	if (ret)
		return ret;

	ret = pci_driver(bdf, now, sizeof(now));
	if (ret)
		return ret;
	return strcmp(now, driver) ? -EBUSY : 0;
}

/* Unbinds, and expects the driver and all of its vectors to be gone. */
int pci_unbind(const char *bdf, const char *driver)
{
	char path[GUEST_PATH_MAX], now[64];
	int ret;

	snprintf(path, sizeof(path), PCI_DRIVERS "/%s", driver);
	ret = file_write_at(path, "unbind", bdf);
	if (ret)
		return ret;

	ret = pci_driver(bdf, now, sizeof(now));
	if (ret != -ENODEV)
		return ret ? ret : -EBUSY;

	ret = pci_vectors(bdf);
	if (ret > 0)
		return -EBUSY;
	return ret;
}

/* Takes the device from the driver that has it, if any, and says which one may have it next. */
static int release(const char *bdf, const char *next)
{
	char path[GUEST_PATH_MAX], now[64];
	int ret;

	ret = pci_driver(bdf, now, sizeof(now));
	if (!ret)
		ret = pci_unbind(bdf, now);
	if (ret && ret != -ENODEV)
		return ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	return file_write_at(path, "driver_override", next);
}

/*
 * Binds a device to a driver that does not ask for it by itself, like vfio-pci, and
 * takes it away from the one that has it.
 */
int pci_override(const char *bdf, const char *driver)
{
	int ret = release(bdf, driver);

	return ret ? ret : pci_bind(bdf, driver);
}

/* Gives the device back to the driver that would have it at boot. */
int pci_restore(const char *bdf)
{
	int ret = release(bdf, "\n");

	return ret ? ret : file_write("/sys/bus/pci/drivers_probe", bdf);
}

/* Lets the drivers look again at all devices that none of them has. Returns how many there are. */
int pci_probe(void)
{
	struct pci_name found[MAX_DEVICES];
	int nr, i, nr_probed = 0;

	nr = pci_find_class(PCI_CLASS_ANY, found, MAX_DEVICES);
	for (i = 0; i < nr; i++) {
		char now[64];
		int ret = pci_driver(found[i].bdf, now, sizeof(now));

		if (ret != -ENODEV)
			continue;
		/* It fails when none of them takes the device. */
		file_write("/sys/bus/pci/drivers_probe", found[i].bdf);
		nr_probed++;
	}
	return nr < 0 ? nr : nr_probed;
}

/* Removes the device, and expects it to be gone. */
int pci_remove(const char *bdf)
{
	char path[GUEST_PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	ret = file_write_at(path, "remove", "1");
	if (ret)
		return ret;
	return access(path, F_OK) ? 0 : -EBUSY;
}

/* Looks for devices on all buses. */
int pci_rescan(void)
{
	return file_write("/sys/bus/pci/rescan", "1");
}

/* The number of MSI or MSI-X vectors that the device has now */
int pci_vectors(const char *bdf)
{
	char path[GUEST_PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/msi_irqs", bdf);
	return dir_count(path);
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned int first = *(const unsigned int *)a, second = *(const unsigned int *)b;

	return (first > second) - (first < second);
}

/* Stores the Linux interrupts of the device's vectors, sorted, and returns their number. */
int pci_vector_list(const char *bdf, unsigned int *vectors, int max)
{
	char path[GUEST_PATH_MAX];
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/msi_irqs", bdf);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	while ((entry = readdir(dir)) && nr < max) {
		if (entry->d_name[0] != '.')
			vectors[nr++] = strtoul(entry->d_name, NULL, 10);
	}
	closedir(dir);
	qsort(vectors, nr, sizeof(*vectors), compare_numbers);
	return nr;
}

/* "msi" or "msix", as the device's vectors are; nothing when it has none */
void pci_vector_kind(const char *bdf, char *buf, size_t size)
{
	char path[GUEST_PATH_MAX];
	unsigned int irq;

	buf[0] = '\0';
	if (pci_vector_list(bdf, &irq, 1) != 1)
		return;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/msi_irqs/%u", bdf, irq);
	if (file_read(path, buf, size) > 0)
		buf[strcspn(buf, "\n")] = '\0';
}

/* Adds up all CPUs' counts of one line of /proc/interrupts. */
static long sum_counts(char *line)
{
	char *end, *pos = line;
	long sum = 0;

	for (;;) {
		long count = strtol(pos, &end, 10);

		if (end == pos || (*end != ' ' && *end != '\n'))
			return sum;
		sum += count;
		pos = end;
	}
}

/* How often the device's vectors have fired since they were set up */
long pci_interrupts(const char *bdf)
{
	static bool is_vector[1 << 16];
	char path[GUEST_PATH_MAX], line[4096];
	struct dirent *entry;
	long sum = 0;
	FILE *file;
	DIR *dir;

	memset(is_vector, 0, sizeof(is_vector));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/msi_irqs", bdf);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		unsigned long irq = strtoul(entry->d_name, NULL, 10);

		if (irq && irq < ARRAY_SIZE(is_vector))
			is_vector[irq] = true;
	}
	closedir(dir);

	file = fopen("/proc/interrupts", "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		char *end;
		unsigned long irq = strtoul(line, &end, 10);

		if (*end == ':' && irq < ARRAY_SIZE(is_vector) && is_vector[irq])
			sum += sum_counts(end + 1);
	}
	fclose(file);
	return sum;
}

/* How often a Linux interrupt has fired */
long pci_interrupts_of(unsigned int irq)
{
	char line[4096];
	long sum = -ENOENT;
	FILE *file;

	file = fopen("/proc/interrupts", "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		char *end;

		if (strtoul(line, &end, 10) == irq && *end == ':')
			sum = sum_counts(end + 1);
	}
	fclose(file);
	return sum;
}

/* The word behind @label, which is in @text. Returns false when there is none. */
static bool read_word(const char *text, const char *label, char *word, size_t size)
{
	size_t len;

	text = strstr(text, label);
	if (!text)
		return false;
	text += strlen(label);
	while (*text == ' ')
		text++;
	len = strcspn(text, " \n");
	if (!len || len >= size)
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	return true;
}

/* Reads what debugfs says of the domains that the device's first vector passes through. */
static bool read_domains(const char *bdf, char *text, size_t size)
{
	char path[GUEST_PATH_MAX], name[128];
	unsigned int irq;

	if (pci_vector_list(bdf, &irq, 1) < 1)
		return false;
	snprintf(path, sizeof(path), "/sys/kernel/debug/irq/irqs/%u", irq);
	if (file_read(path, text, size) < 0 || !read_word(text, "domain:", name, sizeof(name)))
		return false;
	snprintf(path, sizeof(path), "/sys/kernel/debug/irq/domains/%s", name);
	return file_read(path, text, size) >= 0;
}

/*
 * One note for each domain that the device's vectors pass through, the top one first, and whether
 * it has the flag; "unnamed" on a kernel whose debugfs has no names of flags. The run is lost when
 * guest.domain=TEXT is in the name of no domain: what happens then says nothing about the driver
 * that the case is for.
 */
void pci_note_domains(const char *bdf)
{
	const char *wanted = guest_param("domain", "");
	char text[4096], name[128] = "";
	const char *bulk, *without;
	char *line, *save;
	bool found = false;

	if (!read_domains(bdf, text, sizeof(text)))
		text[0] = '\0';
	without = strstr(text, "IRQ_DOMAIN_") ? "no" : "unnamed";
	bulk = without;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "name: ")) {
			if (name[0])
				ktap_note("domain device=%s name=%s free_bulk=%s", bdf, name, bulk);
			bulk = without;
			if (!read_word(line, "name: ", name, sizeof(name)))
				name[0] = '\0';
			found |= !!strstr(name, wanted);
		}
		if (strstr(line, "IRQ_DOMAIN_FREE_BULK"))
			bulk = "yes";
	}
	if (name[0])
		ktap_note("domain device=%s name=%s free_bulk=%s", bdf, name, bulk);
	if (wanted[0] && !found)
		ktap_note("guest: the vectors of %s are from no domain '%s'", bdf, wanted);
}
