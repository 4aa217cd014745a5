/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What libvfio (tools/testing/selftests/vfio) needs of libuuid, so that it builds for
 * the guest's architecture where only the machine's own libuuid is installed.
 */
#ifndef UUID_H
#define UUID_H

#include <stdio.h>
#include <string.h>

typedef unsigned char uuid_t[16];

static inline int uuid_parse(const char *text, uuid_t uuid)
{
	int i, len;

	if (strlen(text) != 36)
		return -1;
	for (i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -1;
		if (sscanf(text, "%2hhx%n", &uuid[i], &len) != 1 || len != 2)
			return -1;
		text += len;
	}
	return 0;
}

#endif /* UUID_H */
