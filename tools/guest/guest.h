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
void ktap_plan(unsigned int nr_tests);
void ktap_result(bool ok, const char *fmt, ...) __printf(2, 3);
void ktap_skip(const char *fmt, ...) __printf(1, 2);
void ktap_note(const char *fmt, ...) __printf(1, 2);
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

int pci_find_class(unsigned int class, struct pci_name *names, unsigned int max);
int pci_msi_max(const char *bdf);
int pci_driver(const char *bdf, char *buf, size_t size);
int pci_bind(const char *bdf, const char *driver);
int pci_unbind(const char *bdf, const char *driver);
int pci_vectors(const char *bdf);
long pci_interrupts(const char *bdf);
void pci_note_domains(const char *bdf);

void sleep_ms(unsigned int ms);

#endif /* GUEST_H */
