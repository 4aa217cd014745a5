// SPDX-License-Identifier: GPL-2.0
/* Results as KTAP (Documentation/dev-tools/ktap.rst), through the kernel log. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* What printk() takes as one record, less its own prefix */
#define LINE_SIZE	900

/* KERN_NOTICE: on the console with the default log level, and also when a job keeps drivers quiet */
#define LEVEL		"<5>"

static int kmsg = -1;
static unsigned int nr_passed;
static unsigned int nr_failed;
static unsigned int nr_skipped;

int ktap_open(void)
{
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	return kmsg < 0 ? -errno : 0;
}

static void __printf(3, 0) put(const char *head, const char *tail, const char *fmt, va_list args)
{
	char text[LINE_SIZE - 256], line[LINE_SIZE + 64];
	int len;

	vsnprintf(text, sizeof(text), fmt, args);
	len = snprintf(line, sizeof(line), LEVEL "%s%s%s\n", head, text, tail);

	/*
	 * A record is taken as a whole or not at all. One that is missing makes
	 * the counts disagree, which the host does not take for a pass.
	 */
	if (write(kmsg, line, len) != len)
		nr_failed++;
}

static void __printf(1, 2) put_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("", "", fmt, args);
	va_end(args);
}

void ktap_version(void)
{
	put_line("KTAP version 1");
}

void ktap_plan(unsigned int nr_tests)
{
	ktap_version();
	put_line("1..%u", nr_tests);
}

/* The plan at the end, where it cannot be known before */
void ktap_plan_ran(void)
{
	put_line("1..%u", nr_passed + nr_failed + nr_skipped);
}

void ktap_result(bool ok, const char *fmt, ...)
{
	char head[32];
	va_list args;

	if (ok)
		nr_passed++;
	else
		nr_failed++;

	snprintf(head, sizeof(head), "%s %u ", ok ? "ok" : "not ok",
		 nr_passed + nr_failed + nr_skipped);
	va_start(args, fmt);
	put(head, "", fmt, args);
	va_end(args);
}

void ktap_skip(const char *why, const char *fmt, ...)
{
	char head[32], tail[256];
	va_list args;

	nr_skipped++;
	snprintf(head, sizeof(head), "ok %u ", nr_passed + nr_failed + nr_skipped);
	snprintf(tail, sizeof(tail), " # SKIP %s", why);
	va_start(args, fmt);
	put(head, tail, fmt, args);
	va_end(args);
}

void ktap_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("# ", "", fmt, args);
	va_end(args);
}

/*
 * What a job has measured, in the one form that the host reads: of @tried times something was to
 * be had, it was @nr_short times less than it should, by @lost vectors in all (-1: not known).
 * The details are KEY:VALUE pairs with commas between them, and each becomes a column of the
 * host's table; "_" in a value is shown as a space.
 *
 *   # measured what=WHAT tried=N short=N lost=N detail=KEY:VALUE,...
 */
void ktap_measured(const char *what, unsigned long tried, unsigned long nr_short, long lost,
		   const char *fmt, ...)
{
	char head[128], number[24] = "-";
	va_list args;

	if (lost >= 0)
		snprintf(number, sizeof(number), "%ld", lost);
	snprintf(head, sizeof(head), "# measured what=%s tried=%lu short=%lu lost=%s detail=",
		 what, tried, nr_short, number);
	va_start(args, fmt);
	put(head, "", fmt, args);
	va_end(args);
}

void ktap_totals(void)
{
	ktap_note("Totals: pass:%u fail:%u skip:%u", nr_passed, nr_failed, nr_skipped);
}
