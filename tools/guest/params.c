// SPDX-License-Identifier: GPL-2.0
/* guest.KEY=VALUE words of the kernel command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define PREFIX		"guest."
#define MAX_PARAMS	32

static char cmdline[4096];
static const char *params[MAX_PARAMS];
static unsigned int nr_params;

int guest_params_read(void)
{
	char *save, *word;
	int ret;

	ret = file_read("/proc/cmdline", cmdline, sizeof(cmdline));
	if (ret < 0)
		return ret;

	for (word = strtok_r(cmdline, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save)) {
		if (strncmp(word, PREFIX, strlen(PREFIX)))
			continue;
		if (nr_params == MAX_PARAMS)
			return -E2BIG;
		params[nr_params++] = word + strlen(PREFIX);
	}
	return 0;
}

const char *guest_param(const char *key, const char *def)
{
	size_t len = strlen(key);
	unsigned int i;

	for (i = 0; i < nr_params; i++) {
		if (!strncmp(params[i], key, len) && params[i][len] == '=')
			return params[i] + len + 1;
	}
	return def;
}

unsigned int guest_param_uint(const char *key, unsigned int def)
{
	const char *value = guest_param(key, NULL);

	return value ? strtoul(value, NULL, 0) : def;
}
