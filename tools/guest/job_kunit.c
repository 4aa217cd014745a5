// SPDX-License-Identifier: GPL-2.0
/*
 * For a guest that is booted with kunit.enable=1: what became of the KUnit suites, which
 * have run before init. Leaks of theirs can be looked for only from here.
 *
 * guest.says=TEXT, with + for spaces: what a line of their results must have in it.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define RESULTS		"/sys/kernel/debug/kunit/*/results"

static char says[64];
static bool said;

/* The last line of the results is the suite's own: "ok 1 SUITE" */
static void report(const char *path)
{
	char line[1024], last[1024] = "";
	FILE *file;

	file = fopen(path, "re");
	if (file) {
		while (fgets(line, sizeof(line), file)) {
			memcpy(last, line, sizeof(last));
			said = said || (*says && strstr(line, says));
		}
		fclose(file);
	}
	ktap_result(!strncmp(last, "ok 1 ", 5) && !strstr(last, "# SKIP"), "%s", path);
}

static void kunit_run(void)
{
	char *plus = says;
	glob_t found;
	size_t i;

	snprintf(says, sizeof(says), "%s", guest_param("says", ""));
	while ((plus = strchr(plus, '+')))
		*plus = ' ';

	if (glob(RESULTS, 0, NULL, &found)) {
		ktap_plan(1);
		ktap_result(false, "kunit: a suite is there");
		return;
	}
	ktap_plan(found.gl_pathc + !!*says);
	for (i = 0; i < found.gl_pathc; i++)
		report(found.gl_pathv[i]);
	if (*says)
		ktap_result(said, "kunit: a suite says: %s", says);
	globfree(&found);
}

GUEST_JOB(kunit, kunit_run);
