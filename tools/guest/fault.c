// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: Documentation/fault-injection/fault-injection.rst of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* Opened beforehand, since opening it allocates. */
static int fail_nth = -1;

static const char * const capabilities[] = {
	"/sys/kernel/debug/failslab",
	"/sys/kernel/debug/fail_page_alloc",
};

static int set_all(const char *name, const char *text)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++) {
		ret = file_write_at(capabilities[i], name, text);
		if (ret)
			return ret;
	}
	return 0;
}

int fault_open(void)
{
	int ret;

	/* Allocations that may sleep count, and a failure does not look like a splat. */
	ret = set_all("ignore-gfp-wait", "N");
	if (!ret)
		ret = set_all("verbose", "0");
	/* Single pages too */
	if (!ret)
		ret = file_write_at(capabilities[1], "min-order", "0");
	if (ret)
		return ret;

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_nth < 0 ? -errno : 0;
}

/* Start and end of a function of the kernel */
static int function_range(const char *function, unsigned long *start, unsigned long *end)
{
	unsigned long address;
	char line[512], name[256];
	unsigned int pass;
	FILE *file;

	*start = 0;
	*end = 0;
	for (pass = 0; pass < 2; pass++) {
		file = fopen("/proc/kallsyms", "re");
		if (!file)
			return -errno;
		while (fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%lx %*c %255s", &address, name) != 2)
				continue;
			if (!pass && !strcmp(name, function))
				*start = address;
			else if (pass && address > *start && (!*end || address < *end))
				*end = address;
		}
		fclose(file);
		if (!*start)
			return -ENOENT;
	}
	return *end ? 0 : -ENOENT;
}

static int set_range(const char *what, unsigned long start, unsigned long end)
{
	char name[32], text[32];
	int ret;

	snprintf(name, sizeof(name), "%s-start", what);
	snprintf(text, sizeof(text), "0x%lx", start);
	ret = set_all(name, text);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%s-end", what);
	snprintf(text, sizeof(text), "0x%lx", end);
	return set_all(name, text);
}

/* Only allocations by this function of the kernel, or by what it calls, count; all with NULL. */
int fault_only_in(const char *function)
{
	unsigned long start = 0, end = ~0UL;
	int ret = 0;

	if (function)
		ret = function_range(function, &start, &end);
	return ret ? ret : set_range("require", start, end);
}

/* Those by this one do not. */
int fault_not_in(const char *function)
{
	unsigned long start, end;
	int ret;

	ret = function_range(function, &start, &end);
	return ret ? ret : set_range("reject", start, end);
}

/* From here to fault_disarm(), the @nth allocation of this process fails. */
int fault_arm(unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	return pwrite(fail_nth, text, len, 0) == len ? 0 : -errno;
}

/* Returns 1 when one has failed, 0 when there were not as many. */
int fault_disarm(void)
{
	char text[16] = "";
	ssize_t len;

	len = pread(fail_nth, text, sizeof(text) - 1, 0);
	if (len <= 0)
		return len ? -errno : -EIO;
	if (pwrite(fail_nth, "0", 1, 0) != 1)
		return -errno;
	return text[0] == '0';
}
