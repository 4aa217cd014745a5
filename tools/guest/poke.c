// SPDX-License-Identifier: GPL-2.0
/* Registers of the machine, from user space. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* The largest page of the kernels here: a mapping begins with one. */
#define PAGE_SIZE	16384UL

int poke_word(unsigned long address, uint32_t value)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile uint32_t *page;
	int ret = 0;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, address & ~(PAGE_SIZE - 1));
	if (page == MAP_FAILED) {
		ret = -errno;
	} else {
		page[address % PAGE_SIZE / sizeof(*page)] = value;
		munmap((void *)page, PAGE_SIZE);
	}
	close(fd);
	return ret;
}

/* Writes the words of @list, "ADDRESS=VALUE,ADDRESS=VALUE", in this order. */
int poke(const char *list)
{
	while (*list) {
		unsigned long address, value;
		char *end;
		int ret;

		address = strtoul(list, &end, 16);
		if (end == list || *end != '=' || address % sizeof(uint32_t))
			return -EINVAL;
		list = end + 1;
		value = strtoul(list, &end, 16);
		if (end == list || (*end && *end != ','))
			return -EINVAL;
		list = *end ? end + 1 : end;

		ret = poke_word(address, value);
		if (ret)
			return ret;
	}
	return 0;
}
