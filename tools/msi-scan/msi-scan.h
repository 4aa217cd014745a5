/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MSI_SCAN_H
#define MSI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

/* What a path below the root may have */
#define PATH_SIZE		1024
/* A name that is kept: of a driver, a chip or a domain. The kernel's are shorter. */
#define NAME_SIZE		128
/* In place of a name that is there, and cannot be told */
#define NO_NAME			"?"

/* The files that are read, of which --collect copies what is needed */
#define PCI_DEVICES		"sys/bus/pci/devices"
#define IRQS			"sys/kernel/irq"
#define DEBUG_IRQS		"sys/kernel/debug/irq/irqs"
#define DEBUG_DOMAINS		"sys/kernel/debug/irq/domains"
#define DEVICE_TREE		"sys/firmware/devicetree/base"
#define IORT			"sys/firmware/acpi/tables/IORT"
#define BTF			"sys/kernel/btf/vmlinux"
#define OSRELEASE		"proc/sys/kernel/osrelease"
#define VERSION			"proc/sys/kernel/version"
#define SIGNATURE		"proc/version_signature"
#define ARCH			"proc/sys/kernel/arch"

/* One of these two is in the BTF of a kernel as a string. */
#define FLAG			"IRQ_DOMAIN_FREE_BULK"
#define OTHER_FLAG		"IRQ_DOMAIN_FLAG_HIERARCHY"
/* What a domain has on which those of devices stand */
#define MSI_PARENT		"IRQ_DOMAIN_FLAG_MSI_PARENT"

/* fs.c: all return a negative errno when they fail. Paths are below the root, without a slash in front. */
struct names {
	char **name;
	size_t nr;
	size_t room;
};

int fs_root(const char *dir);
bool fs_is_live(void);
int fs_read(const char *path, void *buf, size_t size);
int fs_read_text(const char *path, char *buf, size_t size);
int fs_link(const char *path, char *buf, size_t size);
int fs_list(const char *path, struct names *names);
int fs_has_strings(const char *path, const char *const *text, bool *found, size_t nr);
bool fs_is_directory(const char *path);
int names_add(struct names *names, const char *name);
void names_free(struct names *names);
bool make_path(char *path, const char *fmt, ...) __printf(2, 3);
void printable(char *text);
void copy_text(char *to, size_t size, const char *from);
void complain(const char *fmt, ...) __printf(1, 2);

/* config.c: the MSI capability in @len bytes of config space */
int msi_capability(const unsigned char *config, int len, int *offset);

/* msi-scan.c */
bool has_its_group(void);
bool kernel_release(char *text, size_t size);
bool is_msi_parent(const char *name, const char *text);

#ifndef NOLIBC
/* collect.c */
struct device;
int collect(const char *file, const struct device *devices, size_t nr, const struct names *compatible);
#endif

enum mode { MODE_NONE, MODE_MSI, MODE_MSIX };

struct device {
	char bdf[32];
	char id[16];
	char driver[NAME_SIZE];
	/* Of the interrupts that it has now, and the first of them */
	enum mode mode;
	unsigned int nr_vectors;
	unsigned int irq;
	/* What the MSI capability offers; 0: there is none, -1: it cannot be seen */
	int max;
	char chip[NAME_SIZE];
	/* The domains in debugfs, the top one first: their names, each with a newline behind it */
	char domains[8 * NAME_SIZE];
	/* Whether the top one frees in bulk; -1: not to be seen */
	int flag;
	/* Filled in by what judges */
	char controller[2 * NAME_SIZE];
	int verdict;
	char why[640];
	char todo[320];
};

#endif /* MSI_SCAN_H */
