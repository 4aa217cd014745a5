// SPDX-License-Identifier: GPL-2.0
/*
 * Tells whether this machine loses interrupt vectors of PCI devices with Multi-MSI: msi-scan(8).
 *
 * A device is judged by the domain that its interrupts come from. Whether that one loses vectors is in
 * table.h, which is made from what scripts/audit has printed; whether the running kernel has repaired it,
 * the kernel itself has to say, in debugfs or by its BTF.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "msi-scan.h"

enum verdict { NOT_AFFECTED, AFFECTED, CANNOT_TELL };

/* Whatever made it impossible to look */
#define EXIT_USAGE		64

static const char *const verdicts[] = { "not affected", "affected", "cannot tell" };

enum loses { LOSES_NOTHING, LOSES_TAIL, LOSES_ALIGN, LOSES_OVERLAP };

struct release {
	unsigned int version;
	unsigned int patchlevel;
	unsigned int sublevel;
};

/* A line of the file controllers, and what the audit says of it; "-" is nothing */
struct controller {
	const char *name;
	const char *ops;
	const char *chips;
	const char *archs;
	const char *domain;
	const char *compatible;
	const char *acpi;
	enum loses loses;
	const char *why;
};

#include "table.h"

/* From when on all kernels have 2ef3886ce626 ("irqchip/gic-v2m: Handle Multiple MSI base IRQ Alignment") */
static const struct release unaligned = { 6, 18, 0 };

/* The flag in a kernel whose debugfs does not name it: before 6.12 */
#define FLAG_BIT		(1UL << 13)

/* As many vectors as a MSI capability can have */
#define MAX_VECTORS		32

/* The numbers of interrupts, with room */
#define MAX_IRQ			0x7fffffffUL

/* More than there are in a device tree */
#define MAX_NODES		20000
#define MAX_DEPTH		16

static struct {
	char text[32];
	char arch[32];
	struct release release;
	/* The release could be read; its name of the machine, too */
	bool known;
	/* It is the kernel of a distribution, of which no stable release says what it does */
	bool vendor;
	/* Whether the kernel has the flag at all; -1: not to be seen */
	int flag;
} kernel;

static struct device *devices;
static size_t nr_devices;
static struct names debug_domains;
/* Those of the device tree that are in the table, once it was looked at */
static struct names compatible;
static bool has_its;
static bool firmware_read;

void complain(const char *fmt, ...)
{
	char text[PATH_SIZE + 128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *pos = text; *pos; pos++) {
		if (*pos == '\n')
			*pos = '?';
	}
	printable(text);
	fflush(stdout);
	fprintf(stderr, "msi-scan: %s\n", text);
}

/* The word number @index of @list, whose words are between @separator; false behind the last one */
static bool word_of(const char *list, char separator, unsigned int index, char *word, size_t size)
{
	const char *end;
	size_t len;

	for (;;) {
		end = strchr(list, separator);
		if (!index--)
			break;
		if (!end)
			return false;
		list = end + 1;
	}
	len = end ? (size_t)(end - list) : strlen(list);
	if (!len || len >= size)
		return false;
	memcpy(word, list, len);
	word[len] = '\0';
	return true;
}

static bool has_word(const char *list, char separator, const char *wanted)
{
	char word[NAME_SIZE];
	unsigned int i;

	for (i = 0; word_of(list, separator, i, word, sizeof(word)); i++) {
		if (!strcmp(word, wanted))
			return true;
	}
	return false;
}

static bool is_older(const struct release *a, const struct release *b)
{
	if (a->version != b->version)
		return a->version < b->version;
	if (a->patchlevel != b->patchlevel)
		return a->patchlevel < b->patchlevel;
	return a->sublevel < b->sublevel;
}

/* "7.3.4-1-arm64"; @rest is what stands behind the number */
static bool parse_release(const char *text, struct release *release, const char **rest)
{
	unsigned long number[3] = {};
	unsigned int i;
	char *end;

	for (i = 0; i < ARRAY_SIZE(number); i++) {
		if (*text < '0' || *text > '9')
			break;
		number[i] = strtoul(text, &end, 10);
		if (number[i] > 65535)
			return false;
		text = end;
		if (*text != '.')
			break;
		text++;
	}
	release->version = number[0];
	release->patchlevel = number[1];
	release->sublevel = number[2];
	*rest = text;
	return number[0] > 0;
}

/* What the kernel calls the machine, as the table does */
static void set_arch(const char *machine)
{
	static const char *const archs[][2] = {
		{ "aarch64", "arm64" }, { "arm", "arm" }, { "x86_64", "x86" }, { "i386", "x86" },
		{ "i486", "x86" }, { "i586", "x86" }, { "i686", "x86" }, { "riscv", "riscv" },
		{ "loongarch", "loongarch" }, { "s390", "s390" }, { "ppc", "powerpc" },
		{ "powerpc", "powerpc" }, { "mips", "mips" }, { "arc", "arc" },
	};
	size_t i;

	copy_text(kernel.arch, sizeof(kernel.arch), machine);
	for (i = 0; i < ARRAY_SIZE(archs); i++) {
		if (!strncmp(machine, archs[i][0], strlen(archs[i][0]))) {
			copy_text(kernel.arch, sizeof(kernel.arch), archs[i][1]);
			return;
		}
	}
}

/* From which release on the stable series of @release frees the interrupts of a block one by one, if it does */
static const struct release *since_of(const struct release *release)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(since); i++) {
		if (since[i].version == release->version && since[i].patchlevel == release->patchlevel)
			return &since[i];
	}
	return NULL;
}

/*
 * The stable release that the kernel of a distribution is made on, which is not the one in its name: Debian
 * has "Debian 5.10.179-1" of "5.10.0-23-arm64" in its version, and Ubuntu a file that ends with it. In a
 * series that never had the bug the number says nothing: when it had ended, what others got was carried to it.
 */
static void read_stable_release(void)
{
	static const char *const files[] = { VERSION, SIGNATURE };
	char text[256], word[NAME_SIZE];
	struct release release;
	const char *rest;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (fs_read_text(files[i], text, sizeof(text)) <= 0)
			continue;
		for (k = 0; word_of(text, ' ', k, word, sizeof(word)); k++) {
			if (parse_release(word, &release, &rest) && release.version == kernel.release.version &&
			    release.patchlevel == kernel.release.patchlevel && release.sublevel) {
				kernel.release = release;
				kernel.vendor = !since_of(&release);
			}
		}
	}
}

static void read_kernel(void)
{
	static const char *const flags[] = { FLAG, OTHER_FLAG };
	char text[256] = "";
	struct utsname name;
	const char *rest;
	bool found[2];

	fs_read_text(OSRELEASE, text, sizeof(text));
	if (!text[0] && fs_is_live() && !uname(&name))
		copy_text(text, sizeof(text), name.release);
	kernel.known = parse_release(text, &kernel.release, &rest);
	if (kernel.known && *rest) {
		kernel.vendor = true;
		read_stable_release();
	}
	if (kernel.known)
		snprintf(kernel.text, sizeof(kernel.text), "%u.%u.%u", kernel.release.version,
			 kernel.release.patchlevel, kernel.release.sublevel);
	else if (text[0])
		complain("%s has '%s', which is no release", OSRELEASE, text);

	text[0] = '\0';
	/* Which is there since 6.1 */
	fs_read_text(ARCH, text, sizeof(text));
	if (!text[0] && fs_is_live() && !uname(&name))
		copy_text(text, sizeof(text), name.machine);
	set_arch(text);

	kernel.flag = -1;
	if (!fs_has_strings(BTF, flags, found, 2)) {
		if (found[0])
			kernel.flag = 1;
		else if (found[1])
			kernel.flag = 0;
	}
}

/* For --collect: what the release is known to be, without the name behind it, of which a '-' stays */
bool kernel_release(char *text, size_t size)
{
	snprintf(text, size, "%s%s", kernel.text, kernel.vendor ? "-" : "");
	return kernel.known;
}

/* What is in the table of a node's names for what it is */
static void read_compatible(const char *text, int len)
{
	size_t row;
	int pos;

	for (pos = 0; pos < len; pos += strlen(text + pos) + 1) {
		for (row = 0; row < ARRAY_SIZE(controllers); row++) {
			if (has_word(controllers[row].compatible, ' ', text + pos))
				names_add(&compatible, text + pos);
		}
	}
}

static void read_node(const char *path, unsigned int depth, unsigned int *nr_nodes)
{
	char file[PATH_SIZE], text[512], status[32] = "";
	struct names names;
	size_t i;
	int len;

	if (depth > MAX_DEPTH || ++*nr_nodes > MAX_NODES || fs_list(path, &names))
		return;
	if (make_path(file, "%s/status", path))
		fs_read_text(file, status, sizeof(status));
	if (!status[0] || !strcmp(status, "okay") || !strcmp(status, "ok")) {
		len = make_path(file, "%s/compatible", path) ? fs_read(file, text, sizeof(text) - 1) : -ENOENT;
		if (len > 0) {
			text[len] = '\0';
			read_compatible(text, len);
		}
		for (i = 0; i < names.nr; i++) {
			if (make_path(file, "%s/%s", path, names.name[i]) && fs_is_directory(file))
				read_node(file, depth + 1, nr_nodes);
		}
	}
	names_free(&names);
}

static unsigned int le(const unsigned char *bytes, int nr)
{
	unsigned int value = 0;

	while (nr--)
		value = value << 8 | bytes[nr];
	return value;
}

/* Whether there is an ITS group among the nodes of the IORT */
static bool read_iort(void)
{
	static unsigned char table[1 << 16];
	unsigned int pos, nr, size;
	int len;

	len = fs_read(IORT, table, sizeof(table));
	if (len < 48 || memcmp(table, "IORT", 4))
		return false;
	nr = le(table + 36, 4);
	pos = le(table + 40, 4);
	for (; nr && pos < (unsigned int)len - 3; nr--) {
		if (table[pos] == 0)
			return true;
		size = le(table + pos + 1, 2);
		if (!size)
			break;
		pos += size;
	}
	return false;
}

bool has_its_group(void)
{
	return has_its;
}

/* What the firmware says of the machine, for the devices whose interrupts do not tell */
static void read_firmware(void)
{
	unsigned int nr_nodes = 0;

	if (firmware_read)
		return;
	firmware_read = true;
	if (fs_is_directory(DEVICE_TREE))
		read_node(DEVICE_TREE, 0, &nr_nodes);
	has_its = read_iort();
}

/* Fills in what debugfs says of a domain, and of those below it */
static void read_domains(struct device *dev, const char *domain)
{
	char path[PATH_SIZE], text[8192], name[NAME_SIZE];
	unsigned long flags = 0;
	bool top = true, named = false;
	size_t used = 0;
	char *line, *end, *found;

	if (strchr(domain, '/') || !make_path(path, "%s/%s", DEBUG_DOMAINS, domain) ||
	    fs_read_text(path, text, sizeof(text)) <= 0)
		return;
	dev->flag = -1;
	for (line = text; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		line += strspn(line, " ");
		if (!strncmp(line, "name:", 5)) {
			copy_text(name, sizeof(name), line + 5 + strspn(line + 5, " "));
			if (used + strlen(name) + 2 > sizeof(dev->domains))
				break;
			used += snprintf(dev->domains + used, sizeof(dev->domains) - used, "%s\n", name);
		}
		if (!strncmp(line, "parent:", 7))
			top = false;
		if (!top)
			continue;
		/* What stands below the number: the names of the flags, if the kernel knows them */
		found = strstr(line, "IRQ_DOMAIN_");
		if (found) {
			named = true;
			if (!strcmp(found, FLAG))
				dev->flag = 1;
		}
		if (!strncmp(line, "flags:", 6)) {
			flags = strtoul(line + 6, &found, 16);
			if (found != line + 6)
				dev->flag = 0;
		}
	}
	if (dev->flag == 0 && !named && flags & FLAG_BIT)
		dev->flag = 1;
}

/*
 * Whether interrupts of PCI devices come from this domain, or from one of the device's own on top of it,
 * by its name and by what debugfs says of it. Older kernels don't name the flags; where they have a
 * domain for all PCI devices, the end of its name is DOMAIN_BUS_PCI_MSI.
 */
bool is_msi_parent(const char *name, const char *text)
{
	size_t len = strlen(name);

	if (strstr(text, "IRQ_DOMAIN_"))
		return strstr(text, MSI_PARENT);
	return len > 2 && !strcmp(name + len - 2, "-3");
}

/* Whether a domain has the flag, by what debugfs says of it, without what is below it */
static bool domain_has_flag(const char *text)
{
	const char *flags = strstr(text, "flags:");

	if (strstr(text, "IRQ_DOMAIN_"))
		return strstr(text, FLAG);
	return flags && strtoul(flags + strlen("flags:"), NULL, 16) & FLAG_BIT;
}

/*
 * Of a device that has no interrupt: whether the domain has the flag that its interrupts will come from,
 * or that its own domain will take the flag from; -1: there are several, or none is to be seen. What
 * debugfs says of a domain begins with its own flags.
 */
static int flag_of_parents(void)
{
	static int flag = -2;
	unsigned int nr_parents = 0, nr_flags = 0;
	char path[PATH_SIZE], text[8192];
	size_t i;

	if (flag > -2)
		return flag;
	for (i = 0; i < debug_domains.nr; i++) {
		bool has_flag, below_has_flag;
		char *below;

		if (!make_path(path, "%s/%s", DEBUG_DOMAINS, debug_domains.name[i]) ||
		    fs_read_text(path, text, sizeof(text)) <= 0)
			continue;
		below = strstr(text, "parent:");
		below_has_flag = below && strstr(below, FLAG);
		if (below)
			*below = '\0';
		has_flag = domain_has_flag(text);
		if (is_msi_parent(debug_domains.name[i], text)) {
			nr_parents++;
			nr_flags += has_flag;
		} else if (strstr(text, "IRQ_DOMAIN_FLAG_MSI_DEVICE") && below_has_flag && !has_flag) {
			/* It was not taken from there. */
			return flag = -1;
		}
	}
	flag = !nr_parents ? -1 : !nr_flags ? 0 : nr_flags == nr_parents ? 1 : -1;
	return flag;
}

/* The domain that a device has had for its MSIs stays when the interrupts have gone. */
static void read_idle_domain(struct device *dev)
{
	char *found;
	size_t i;

	for (i = 0; i < debug_domains.nr; i++) {
		found = strstr(debug_domains.name[i], dev->bdf);
		if (!found || found == debug_domains.name[i] || found[-1] != '-' ||
		    (found[strlen(dev->bdf)] && found[strlen(dev->bdf)] != '-') ||
		    !strstr(debug_domains.name[i], "PCI-MSI-"))
			continue;
		read_domains(dev, debug_domains.name[i]);
		copy_text(dev->chip, sizeof(dev->chip), debug_domains.name[i]);
		return;
	}
}

static void read_irq(struct device *dev)
{
	char path[PATH_SIZE], text[4096], *found;

	if (make_path(path, "%s/%u/chip_name", IRQS, dev->irq))
		fs_read_text(path, dev->chip, sizeof(dev->chip));
	if (!make_path(path, "%s/%u", DEBUG_IRQS, dev->irq) || fs_read_text(path, text, sizeof(text)) <= 0)
		return;
	found = strstr(text, "domain:");
	if (!found)
		return;
	found += strlen("domain:");
	found += strspn(found, " ");
	found[strcspn(found, "\n")] = '\0';
	read_domains(dev, found);
}

static void read_vectors(struct device *dev)
{
	char path[PATH_SIZE], text[NAME_SIZE], *end;
	struct names names;
	unsigned long irq;
	size_t i;

	dev->irq = ~0U;
	if (!make_path(path, "%s/%s/msi_irqs", PCI_DEVICES, dev->bdf) || fs_list(path, &names))
		return;
	for (i = 0; i < names.nr; i++) {
		enum mode mode;

		errno = 0;
		irq = strtoul(names.name[i], &end, 10);
		if (*end || names.name[i][0] < '0' || names.name[i][0] > '9' || errno || irq > MAX_IRQ) {
			complain("%s/%s is no interrupt", path, names.name[i]);
			continue;
		}
		if (!make_path(path, "%s/%s/msi_irqs/%s", PCI_DEVICES, dev->bdf, names.name[i]))
			continue;
		if (fs_read_text(path, text, sizeof(text)) < 0)
			continue;
		mode = !strcmp(text, "msi") ? MODE_MSI : !strcmp(text, "msix") ? MODE_MSIX : MODE_NONE;
		if (mode == MODE_NONE) {
			complain("%s has '%s', which is neither msi nor msix", path, text);
			continue;
		}
		dev->mode = mode;
		dev->nr_vectors++;
		if (irq < dev->irq)
			dev->irq = irq;
	}
	names_free(&names);
}

static void read_device(struct device *dev)
{
	unsigned char config[256];
	char path[PATH_SIZE], vendor[8] = "", device[8] = "";
	int len, offset;

	dev->flag = -1;
	if (make_path(path, "%s/%s/vendor", PCI_DEVICES, dev->bdf))
		fs_read_text(path, vendor, sizeof(vendor));
	if (make_path(path, "%s/%s/device", PCI_DEVICES, dev->bdf))
		fs_read_text(path, device, sizeof(device));
	snprintf(dev->id, sizeof(dev->id), "%s:%s", vendor[0] ? vendor + 2 * (vendor[1] == 'x') : "?",
		 device[0] ? device + 2 * (device[1] == 'x') : "?");
	if (make_path(path, "%s/%s/driver", PCI_DEVICES, dev->bdf) &&
	    fs_link(path, dev->driver, sizeof(dev->driver)) == -ENOTDIR)
		copy_text(dev->driver, sizeof(dev->driver), NO_NAME);
	len = make_path(path, "%s/%s/config", PCI_DEVICES, dev->bdf) ?
		fs_read(path, config, sizeof(config)) : -1;
	dev->max = len < 0 ? -1 : msi_capability(config, len, &offset);
	read_vectors(dev);
	/* MSI-X is of interest for what it says of the host bridge. */
	if (dev->mode != MODE_NONE)
		read_irq(dev);
	else if (dev->max)
		read_idle_domain(dev);
}

/* Whether a device of this machine was removed in the meantime, as opposed to one that is hidden from a container */
static bool is_gone(const char *bdf)
{
	char path[PATH_SIZE], target[NAME_SIZE];

	return fs_is_live() && make_path(path, "%s/%s", PCI_DEVICES, bdf) &&
	       fs_link(path, target, sizeof(target)) == -ENOENT;
}

static int read_devices(void)
{
	struct names names;
	size_t i;
	int ret;

	ret = fs_list(PCI_DEVICES, &names);
	/* A machine may have no PCI. A copy has an empty folder then. */
	if (ret == -ENOENT && fs_is_live() && fs_is_directory("sys/bus"))
		return 0;
	if (ret)
		return ret;
	/* Without complaint: it is for root, or not there. */
	if (fs_is_directory(DEBUG_DOMAINS))
		fs_list(DEBUG_DOMAINS, &debug_domains);
	devices = calloc(names.nr + 1, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	for (i = 0; i < names.nr; i++) {
		if (strlen(names.name[i]) >= sizeof(devices->bdf)) {
			complain("%s/%.60s is no PCI device", PCI_DEVICES, names.name[i]);
			continue;
		}
		copy_text(devices[nr_devices].bdf, sizeof(devices->bdf), names.name[i]);
		printable(devices[nr_devices].bdf);
		read_device(&devices[nr_devices]);
		/* The memory is for the next one. */
		if (devices[nr_devices].id[0] == '?' && is_gone(names.name[i]))
			memset(&devices[nr_devices], 0, sizeof(*devices));
		else
			nr_devices++;
	}
	names_free(&names);
	return 0;
}

/* Which lines of the table may be the device's; a bit for each */
typedef unsigned long long rows;

_Static_assert(ARRAY_SIZE(controllers) <= 64, "one bit for each controller");

static bool row_has_chip(const struct controller *row, const char *chip)
{
	char pattern[NAME_SIZE];
	unsigned int i;
	size_t len;

	if (strcmp(row->archs, "-") && kernel.arch[0] && !has_word(row->archs, ',', kernel.arch))
		return false;
	for (i = 0; word_of(row->chips, ',', i, pattern, sizeof(pattern)); i++) {
		len = strlen(pattern) - 1;
		if (pattern[len] == '*' ? !strncmp(chip, pattern, len) : !strcmp(chip, pattern))
			return true;
	}
	return false;
}

static rows rows_of_chip(const char *chip)
{
	rows found = 0;
	size_t i;

	for (i = 0; chip[0] && i < ARRAY_SIZE(controllers); i++) {
		if (row_has_chip(&controllers[i], chip))
			found |= 1ULL << i;
	}
	return found;
}

/* Of @found those which the names of the domains below tell, the highest of them first */
static rows rows_of_domains(rows found, const char *domains)
{
	const char *line = domains;
	size_t i;

	if (!domains[0])
		return found;
	for (; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		for (i = 0; i < ARRAY_SIZE(controllers); i++) {
			const char *domain = controllers[i].domain;

			if (found & 1ULL << i && strcmp(domain, "-") && !strncmp(line, domain, strlen(domain)))
				return 1ULL << i;
		}
	}
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (strcmp(controllers[i].domain, "-"))
			found &= ~(1ULL << i);
	}
	return found;
}

/* Those that the firmware has */
static rows rows_of_firmware(void)
{
	rows found = 0;
	size_t i, k;

	read_firmware();
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (has_its && !strcmp(controllers[i].acpi, "its"))
			found |= 1ULL << i;
		for (k = 0; k < compatible.nr; k++) {
			if (has_word(controllers[i].compatible, ' ', compatible.name[k]))
				found |= 1ULL << i;
		}
	}
	return found;
}

/* On one host bridge they are all from the same controller. */
static const struct device *neighbour(const struct device *dev)
{
	size_t i;

	for (i = 0; i < nr_devices; i++) {
		if (&devices[i] != dev && rows_of_chip(devices[i].chip) && !strncmp(devices[i].bdf, dev->bdf, 5))
			return &devices[i];
	}
	return NULL;
}

static rows rows_of(const struct device *dev)
{
	const struct device *other = dev->chip[0] ? dev : neighbour(dev);
	rows found = 0;

	if (other) {
		found = rows_of_domains(rows_of_chip(other->chip), other->domains);
		/* One that is known, or one that nobody knows */
		if (!(found & (found - 1)))
			return found;
	}
	if (!found)
		return rows_of_firmware();
	return found & rows_of_firmware() ? found & rows_of_firmware() : found;
}

/* Whether the kernel frees the interrupts of a block one by one */
static bool frees_singly(void)
{
	const struct release *first = since_of(&kernel.release);

	return !is_older(&kernel.release, first ? first : &since[0]);
}

static void __printf(3, 4) conclude(struct device *dev, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	dev->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(dev->why, sizeof(dev->why), fmt, args);
	va_end(args);
}

static void __printf(2, 3) advise(struct device *dev, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(dev->todo, sizeof(dev->todo), fmt, args);
	va_end(args);
}

#define AS_ROOT	"sudo msi-scan, with debugfs mounted and CONFIG_GENERIC_IRQ_DEBUGFS in the kernel"

/*
 * Whether blocks of this device's controller lose something on this kernel. When not, or when it cannot be
 * told, the device is judged by that.
 */
static bool loses_something(struct device *dev, enum loses *loses, const char **caveat)
{
	const struct controller *row = NULL;
	size_t i, len, nr_lossy = 0, nr = 0;
	rows found = rows_of(dev);
	bool at_once;
	int flag = dev->flag;

	*caveat = "";
	if (flag < 0 && !dev->domains[0] && dev->mode == MODE_NONE)
		flag = flag_of_parents();
	if (flag == 1)
		conclude(dev, NOT_AFFECTED, "its interrupts are freed as a block, the domain %shas " FLAG,
			 dev->flag == 1 ? "" : "that they will come from ");
	for (i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (!(found & 1ULL << i))
			continue;
		nr++;
		nr_lossy += controllers[i].loses != LOSES_NOTHING;
		if (!row || controllers[i].loses != LOSES_NOTHING)
			row = &controllers[i];
		len = strlen(dev->controller);
		snprintf(dev->controller + len, sizeof(dev->controller) - len, "%s%s", len ? " or " : "",
			 controllers[i].name);
	}
	if (flag == 1)
		return false;
	if (!row) {
		conclude(dev, CANNOT_TELL, dev->chip[0] ? "nothing is known of its interrupt controller" :
			 "its interrupt controller cannot be seen");
		if (dev->chip[0])
			advise(dev, "scripts/audit --tree DIR, with the source of this kernel");
		else
			advise(dev, AS_ROOT);
		return false;
	}
	if (!nr_lossy) {
		conclude(dev, NOT_AFFECTED, "its interrupt controller loses nothing. %s", row->why);
		return false;
	}
	if (nr_lossy != nr) {
		conclude(dev, CANNOT_TELL, "it is one of several interrupt controllers, and not all lose something");
		advise(dev, AS_ROOT);
		return false;
	}
	*loses = row->loses;
	/* Blocks that are not aligned came later. */
	at_once = row->loses != LOSES_OVERLAP && kernel.known && !frees_singly();
	if (at_once && kernel.vendor) {
		conclude(dev, CANNOT_TELL, "Linux %s freed the interrupts of a block at once; what this one, which "
			 "has more than that in its name, does cannot be seen", kernel.text);
		advise(dev, "search the changelog of the kernel's package for 4615fbc3788d: with it, this is affected");
		return false;
	}
	if (at_once) {
		conclude(dev, NOT_AFFECTED, "Linux %s frees the interrupts of a block at once", kernel.text);
		return false;
	}
	/* The device's own domain says that, or nothing in the kernel could set the flag. */
	if (flag == 0 || kernel.flag == 0)
		return true;
	if (kernel.flag < 0 && kernel.known && !is_older(&audited, &kernel.release)) {
		*caveat = ". That is so in Linux as it was released; whether this one was repaired cannot be seen";
		return true;
	}
	conclude(dev, CANNOT_TELL, kernel.flag == 1 ?
		 "the kernel knows " FLAG ", but whether this controller has it cannot be seen" :
		 "whether this kernel has " FLAG " cannot be seen");
	advise(dev, AS_ROOT);
	return false;
}

static unsigned int block_of(unsigned int nr)
{
	unsigned int size = 1;

	while (size < nr)
		size <<= 1;
	return size;
}

static void affected(struct device *dev, enum loses loses, const char *caveat)
{
	unsigned int nr = dev->nr_vectors, size = block_of(nr);

	switch (loses) {
	case LOSES_TAIL:
		conclude(dev, AFFECTED,
			 "%u of a block of %u %s lost each time its vectors are freed: when the driver is unbound, "
			 "the device removed, or another number set up. When none are left, the driver gets one "
			 "vector, or cannot be bound%s", size - nr, size, size - nr == 1 ? "is" : "are", caveat);
		break;
	case LOSES_ALIGN:
		conclude(dev, AFFECTED,
			 "its block is aligned by chance only: where other devices got their vectors first, its "
			 "interrupts arrive as others, or not at all%s%s",
			 kernel.known && is_older(&kernel.release, &unaligned) ? "; without 2ef3886ce626 of Linux 6.18, "
			 "which stable series got in December 2025, the rest of the block is lost instead" : "", caveat);
		break;
	default:
		conclude(dev, AFFECTED,
			 "its block is smaller than %u vectors: the next device gets a part of them as well, and the "
			 "interrupts of both arrive at either%s", nr, caveat);
		break;
	}
}

/* For a device whose driver hands the choice to a program */
static void affected_by_program(struct device *dev, enum loses loses, const char *caveat)
{
	conclude(dev, AFFECTED, "a program or a virtual machine that has the device can set up 3 vectors, 5 or "
		 "any other number; %s%s", loses == LOSES_TAIL ?
		 "each time a part of a block is lost, until there is none left" :
		 loses == LOSES_ALIGN ? "such a block is aligned by chance only, and interrupts can be lost" :
		 "such a block overlaps that of another device", caveat);
}

static void judge(struct device *dev)
{
	bool multi = dev->mode == MODE_MSI && dev->nr_vectors > 1;
	/* vfio-pci, and the drivers that can migrate a device as well, like hisi-acc-vfio-pci */
	bool vfio = strstr(dev->driver, "vfio");
	enum loses loses = LOSES_NOTHING;
	const char *caveat;

	if (dev->id[0] == '?' && fs_is_live()) {
		conclude(dev, CANNOT_TELL, "nothing of it can be seen");
		advise(dev, "sudo msi-scan, outside of containers");
		return;
	}
	if (dev->id[0] == '?') {
		conclude(dev, CANNOT_TELL, "nothing of it is in this copy");
		advise(dev, "msi-scan --collect FILE, which makes one that is complete");
		return;
	}
	if (dev->mode == MODE_MSIX && (!vfio || !dev->max)) {
		conclude(dev, NOT_AFFECTED, "it uses MSI-X, which has no blocks");
		return;
	}
	if (dev->max == 0 && !multi) {
		conclude(dev, NOT_AFFECTED, "it cannot do MSI");
		return;
	}
	if (dev->max > 0 && dev->max < 4 && !multi) {
		conclude(dev, NOT_AFFECTED, "it can have no more than %d MSI vector%s, and every such number is a power of two",
			 dev->max, dev->max == 1 ? "" : "s");
		return;
	}
	if (!multi && !dev->driver[0]) {
		conclude(dev, NOT_AFFECTED, "no driver has it");
		return;
	}
	if (dev->mode == MODE_MSI && dev->nr_vectors > MAX_VECTORS) {
		conclude(dev, CANNOT_TELL, "there cannot be %u MSI vectors", dev->nr_vectors);
		advise(dev, "look at " PCI_DEVICES "/%s/msi_irqs", dev->bdf);
		return;
	}
	if (!multi && !strcmp(dev->driver, NO_NAME)) {
		conclude(dev, CANNOT_TELL, "what its driver is cannot be seen");
		advise(dev, "msi-scan --collect FILE, which makes a copy that is complete");
		return;
	}
	if (!multi && dev->mode == MODE_NONE && !vfio) {
		conclude(dev, NOT_AFFECTED, "its driver uses no MSI");
		return;
	}
	if (!loses_something(dev, &loses, &caveat))
		return;

	if (vfio && dev->max < 0 && !multi) {
		conclude(dev, CANNOT_TELL, "%s has it, and how many vectors it can have is for root to see", dev->driver);
		advise(dev, "sudo msi-scan");
	} else if (vfio) {
		affected_by_program(dev, loses, caveat);
	} else if (multi && block_of(dev->nr_vectors) != dev->nr_vectors) {
		affected(dev, loses, caveat);
	} else if (multi) {
		conclude(dev, NOT_AFFECTED, "%u vectors are a power of two; a driver that asks for 3, 5 or any other "
			 "number would lose some", dev->nr_vectors);
	} else if (dev->max < 0) {
		conclude(dev, CANNOT_TELL, "how many vectors it can have is for root to see");
		advise(dev, "sudo msi-scan");
	} else {
		conclude(dev, CANNOT_TELL, "it has one vector and can have %d: either its driver wants no more, or the "
			 "others are lost", dev->max);
		advise(dev, "msi-scan right after the next boot, before a driver is bound again");
	}
}

/* Worth a word: those with Multi-MSI, and those that nothing good can be said of */
static bool is_listed(const struct device *dev)
{
	if (dev->verdict != NOT_AFFECTED)
		return true;
	return dev->mode != MODE_MSIX && (dev->nr_vectors > 1 || dev->max > 1);
}

static enum verdict verdict_of_all(unsigned int *counts)
{
	size_t i;

	memset(counts, 0, 3 * sizeof(*counts));
	for (i = 0; i < nr_devices; i++) {
		judge(&devices[i]);
		if (is_listed(&devices[i]))
			counts[devices[i].verdict]++;
	}
	return counts[AFFECTED] ? AFFECTED : counts[CANNOT_TELL] ? CANNOT_TELL : NOT_AFFECTED;
}

static const char *flag_text(int flag)
{
	return flag < 0 ? "null" : flag ? "true" : "false";
}

static void put_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if (*text == '\n')
			printf("\\n");
		else
			putchar(*text);
	}
	putchar('"');
}

static void put_string_or_null(const char *text)
{
	if (text && text[0])
		put_string(text);
	else
		printf("null");
}

static void print_json(enum verdict verdict)
{
	const char *comma = "";
	size_t i;

	printf("{\n  \"version\": 1,\n  \"kernel\": ");
	put_string_or_null(kernel.text);
	printf(",\n  \"arch\": ");
	put_string_or_null(kernel.arch);
	printf(",\n  \"kernel_has_flag\": %s,\n  \"verdict\": ", flag_text(kernel.flag));
	put_string(verdicts[verdict]);
	printf(",\n  \"devices\": [");
	for (i = 0; i < nr_devices; i++) {
		const struct device *dev = &devices[i];

		if (!is_listed(dev))
			continue;
		printf("%s\n    {\n      \"device\": ", comma);
		put_string(dev->bdf);
		printf(",\n      \"id\": ");
		put_string(dev->id);
		printf(",\n      \"driver\": ");
		put_string_or_null(dev->driver);
		printf(",\n      \"vectors\": %u", dev->mode == MODE_MSI ? dev->nr_vectors : 0);
		if (dev->max < 0)
			printf(",\n      \"vectors_max\": null");
		else
			printf(",\n      \"vectors_max\": %d", dev->max);
		printf(",\n      \"power_of_two\": %s", dev->mode != MODE_MSI ? "null" :
		       block_of(dev->nr_vectors) == dev->nr_vectors ? "true" : "false");
		printf(",\n      \"controller\": ");
		put_string_or_null(dev->controller);
		printf(",\n      \"chip\": ");
		put_string_or_null(dev->chip);
		printf(",\n      \"domain_has_flag\": %s,\n      \"verdict\": ", flag_text(dev->flag));
		put_string(verdicts[dev->verdict]);
		printf(",\n      \"why\": ");
		put_string(dev->why);
		printf(",\n      \"todo\": ");
		put_string_or_null(dev->todo);
		printf("\n    }");
		comma = ",";
	}
	printf("%s]\n}\n", comma[0] ? "\n  " : "");
}

/* Lines of up to 78 columns */
static void put_folded(const char *text)
{
	size_t col = 0, len;

	while (*text) {
		len = strcspn(text, " ");
		if (!col || col + 1 + len > 78) {
			printf("%s    ", col ? "\n" : "");
			col = 4;
		} else {
			putchar(' ');
			col++;
		}
		for (; len; len--, col++)
			putchar(*text++);
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_text(enum verdict verdict, const unsigned int *counts)
{
	size_t i;

	printf("%s", verdicts[verdict]);
	if (!nr_devices)
		printf(": there are no PCI devices");
	else if (!counts[NOT_AFFECTED] && !counts[AFFECTED] && !counts[CANNOT_TELL])
		printf(": no PCI device can have more than one MSI vector");
	else
		printf(": of the devices with Multi-MSI, %u affected, %u not, %u unclear", counts[AFFECTED],
		       counts[NOT_AFFECTED], counts[CANNOT_TELL]);
	printf(" (Linux %s)\n", kernel.known ? kernel.text : "of unknown release");
	for (i = 0; i < nr_devices; i++) {
		const struct device *dev = &devices[i];
		unsigned int nr = dev->mode == MODE_MSI ? dev->nr_vectors : 0;

		if (!is_listed(dev))
			continue;
		printf("\n%s %s %s: %s\n    %u", dev->bdf, dev->id, dev->driver[0] ? dev->driver : "-",
		       verdicts[dev->verdict], nr);
		if (dev->max >= 0)
			printf(" of at most %d", dev->max);
		printf(" MSI vectors%s", nr > 1 && block_of(nr) != nr ? ", no power of two" : "");
		if (dev->controller[0])
			printf(", %s", dev->controller);
		if (dev->chip[0])
			printf(" (%s)", dev->chip);
		putchar('\n');
		put_folded(dev->why);
		if (dev->todo[0])
			printf("    To find out: %s\n", dev->todo);
	}
}

static const char usage[] =
	"Usage: msi-scan [--json] [--root DIR]\n"
	"       msi-scan [--root DIR] --collect FILE\n"
	"\n"
	"Tells whether PCI devices of this machine lose interrupt vectors, because the interrupts\n"
	"of a Multi-MSI block are freed one by one.\n"
	"\n"
	"  --json          the same for programs\n"
	"  --root DIR      of a copy of sys and proc, as --collect makes one\n"
	"  --collect FILE  write what this program reads to a tar file, for somebody else\n"
	"\n"
	"Exit codes: 0 not affected, 1 affected, 2 cannot tell, 64 nothing could be looked at\n";

static int bad_usage(const char *what, const char *arg)
{
	complain("%s%s; see msi-scan --help", what, arg);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *dir = NULL, *file = NULL;
	enum verdict verdict;
	unsigned int counts[3];
	bool json = false;
	int i, ret;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--root") || !strcmp(argv[i], "--collect")) {
			if (i + 1 == argc || !argv[i + 1][0])
				return bad_usage(argv[i], " needs a value");
			if (argv[i][2] == 'r')
				dir = argv[i + 1];
			else
				file = argv[i + 1];
			i++;
		} else {
			return bad_usage("unknown argument ", argv[i]);
		}
	}
	if (json && file)
		return bad_usage("--json and --collect exclude each other", "");

	ret = fs_root(dir);
	if (ret) {
		complain("%s: %s%s", dir ? dir : "/", strerror(-ret), ret == -ENOSYS ? "; this takes Linux 5.6" : "");
		return EXIT_USAGE;
	}
	if (!fs_is_directory("sys")) {
		complain("%s has no sys; it must be a copy of sys and proc", dir ? dir : "/");
		return EXIT_USAGE;
	}
	read_kernel();
	ret = read_devices();
	if (ret) {
		complain("%s: %s", PCI_DEVICES, strerror(-ret));
		return EXIT_USAGE;
	}
#ifndef NOLIBC
	if (file) {
		read_firmware();
		ret = collect(file, devices, nr_devices, &compatible);
		if (!ret)
			return 0;
		complain("%s: %s", file, strerror(-ret));
		return EXIT_USAGE;
	}
#endif
	verdict = verdict_of_all(counts);
	if (json)
		print_json(verdict);
	else
		print_text(verdict, counts);
	if (fflush(stdout)) {
		complain("the result could not be written: %s", strerror(errno));
		return EXIT_USAGE;
	}
	return verdict;
}
