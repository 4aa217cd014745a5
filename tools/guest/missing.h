/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For a machine that no libc is at hand for: what init needs and the kernel's own nolibc
 * does not have. Included in front of each file, with tools/include/nolibc in the path.
 */
#ifndef GUEST_MISSING_H
#define GUEST_MISSING_H

#include <nolibc.h>

#include <linux/eventfd.h>

/* One directory is read at a time. */
static __attribute__((unused)) struct dirent *readdir(DIR *dir)
{
	static struct dirent entry;
	struct dirent *result;

	return readdir_r(dir, &entry, &result) ? NULL : result;
}

static __attribute__((unused)) size_t strcspn(const char *text, const char *set)
{
	size_t len;

	for (len = 0; text[len] && !strchr(set, text[len]); len++)
		;
	return len;
}

static __attribute__((unused)) size_t strspn(const char *text, const char *set)
{
	size_t len;

	for (len = 0; text[len] && strchr(set, text[len]); len++)
		;
	return len;
}

static __attribute__((unused)) char *strtok_r(char *text, const char *set, char **save)
{
	char *word;

	word = text ? text : *save;
	while (*word && strchr(set, *word))
		word++;
	if (!*word)
		return NULL;

	*save = word + strcspn(word, set);
	if (**save)
		*(*save)++ = '\0';
	return word;
}

/* By insertion: a device has few vectors. */
static __attribute__((unused))
void qsort(void *base, size_t nr, size_t size, int (*compare)(const void *, const void *))
{
	char *first = base, *item, swap;
	size_t i, k;

	for (i = 1; i < nr; i++) {
		for (item = first + i * size; item > first && compare(item - size, item) > 0; item -= size) {
			for (k = 0; k < size; k++) {
				swap = item[k];
				item[k] = item[k - size];
				item[k - size] = swap;
			}
		}
	}
}

/* fgets() of nolibc does not tell an error from the end. */
static __attribute__((unused)) int ferror(FILE *file)
{
	(void)file;
	return 0;
}

static __attribute__((unused)) int eventfd(unsigned int count, int flags)
{
	return __sysret(__nolibc_syscall2(__NR_eventfd2, count, flags));
}

/* usb.c needs glob(). */
static __attribute__((unused)) _Bool usb_device_wait(const char *bdf, unsigned int timeout_ms)
{
	(void)bdf;
	(void)timeout_ms;
	return 0;
}

static __attribute__((unused)) void sync(void)
{
	__nolibc_syscall0(__NR_sync);
}

#endif
