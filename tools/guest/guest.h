/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The init of the test guest: what the jobs share.
 *
 * A job is one file, job_NAME.c, that ends with GUEST_JOB(NAME, function). The
 * host picks it with guest.job=NAME on the kernel command line.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define __section(name)		__attribute__((section(name)))
#define __used			__attribute__((used))

#define GUEST_PATH_MAX		512

struct guest_job {
	const char *name;
	void (*run)(void);
};

extern const struct guest_job __start_guest_jobs[];
extern const struct guest_job __stop_guest_jobs[];

/* The linker collects these, so that a new job is a new file and nothing else. */
#define GUEST_JOB(_name, _run)						\
	static const struct guest_job guest_job_##_name			\
	__used __section("guest_jobs") = {				\
		.name	= #_name,					\
		.run	= _run,						\
	}

/* params.c: guest.KEY=VALUE words of the kernel command line */
int guest_params_read(void);
const char *guest_param(const char *key, const char *def);
unsigned int guest_param_uint(const char *key, unsigned int def);

/*
 * ktap.c: every line is one record in the kernel log, so that the results and
 * the splats stay in order and never cut each other's lines.
 */
int ktap_open(void);
void ktap_version(void);
void ktap_plan(unsigned int nr_tests);
void ktap_plan_ran(void);
void ktap_result(bool ok, const char *fmt, ...) __printf(2, 3);
void ktap_skip(const char *why, const char *fmt, ...) __printf(2, 3);
void ktap_note(const char *fmt, ...) __printf(1, 2);
void ktap_measured(const char *what, unsigned long tried, unsigned long nr_short, long lost,
		   const char *fmt, ...) __printf(5, 6);
void ktap_totals(void);

/* files.c: all return a negative errno when they fail */
int file_read(const char *path, char *buf, size_t size);
int file_write(const char *path, const char *text);
int file_write_at(const char *dir, const char *name, const char *text);
int dir_count(const char *path);

/* pci.c: a device goes by its name in sysfs, 0000:00:01.0 */
struct pci_name {
	char bdf[16];
};

#define PCI_CLASS_ANY		0xffffffff
#define CLASS_SERIAL_USB_XHCI	0x0c0330

/* What one MSI capability can have */
#define MSI_MAX			32

int pci_find_class(unsigned int class, struct pci_name *names, unsigned int max);
bool pci_find_multi_msi(const char *job, struct pci_name *name, unsigned int *max);
bool pci_is_bridge(const char *bdf);
int pci_msi_max(const char *bdf);
int pci_msi_message(const char *bdf, unsigned long *address, unsigned int *first);
int pci_msi_events(const char *bdf, unsigned int *first);
int pci_driver(const char *bdf, char *buf, size_t size);
int pci_bind(const char *bdf, const char *driver);
int pci_unbind(const char *bdf, const char *driver);
int pci_override(const char *bdf, const char *driver);
int pci_restore(const char *bdf);
int pci_probe(void);
int pci_remove(const char *bdf);
int pci_rescan(void);
int pci_vectors(const char *bdf);
int pci_vector_list(const char *bdf, unsigned int *vectors, int max);
void pci_vector_kind(const char *bdf, char *buf, size_t size);
long pci_interrupts(const char *bdf);
long pci_interrupts_of(unsigned int irq);
void pci_note_domains(const char *bdf);

/* usb.c: the first device that is plugged into the controller @bdf */
bool usb_device_wait(const char *bdf, unsigned int timeout_ms);
bool usb_input_wait(const char *bdf, unsigned int timeout_ms);
int usb_device_poke(const char *bdf);
int usb_device_claim(const char *bdf);

/* scan.c: what msi-scan(8) says at this moment */
void scan(const char *when);

/* vfio.c: all return a negative errno when they fail */
#define VFIO_PCI		"vfio-pci"
#define VFIO_MAX_VECTORS	64

struct vfio_device {
	int container;
	int group;
	int device;
};

int vfio_bind(const char *bdf);
int vfio_unbind(const char *bdf);
int vfio_open(struct vfio_device *dev, const char *bdf);
void vfio_close(struct vfio_device *dev);
bool vfio_take(const char *job, struct vfio_device *dev, const char *bdf);
int vfio_max_vectors(const struct vfio_device *dev, unsigned int index);
int vfio_enable(const struct vfio_device *dev, unsigned int index, unsigned int nr);
int vfio_disable(const struct vfio_device *dev, unsigned int index);

/* fault.c: the same */
int fault_open(void);
int fault_only_in(const char *function);
int fault_not_in(const char *function);
int fault_arm(unsigned int nth);
int fault_disarm(void);

/* poke.c: the same */
int poke_word(unsigned long address, uint32_t value);
int poke(const char *list);

void sleep_ms(unsigned int ms);

#endif /* GUEST_H */
