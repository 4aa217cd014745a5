// SPDX-License-Identifier: GPL-2.0
/*
 * The first and only process of the test guest. Mounts what the jobs need, runs
 * the job that the kernel command line names, and powers off.
 *
 * The host takes the run for lost unless the log has the line that is written
 * last: "# guest: end". Nothing here may write it when the job did not return.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static const struct {
	const char *type;
	const char *dir;
} mounts[] = {
	{ "devtmpfs",	"/dev" },
	{ "proc",	"/proc" },
	{ "sysfs",	"/sys" },
	{ "debugfs",	"/sys/kernel/debug" },
	{ "tmpfs",	"/tmp" },
};

void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec		= ms / 1000,
		.tv_nsec	= (ms % 1000) * 1000000L,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Returns the directory that could not be mounted, or NULL */
static const char *mount_all(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) &&
		    errno != EBUSY)
			return mounts[i].dir;
	}
	return NULL;
}

static const struct guest_job *find_job(const char *name)
{
	const struct guest_job *job;

	for (job = __start_guest_jobs; job < __stop_guest_jobs; job++) {
		if (!strcmp(job->name, name))
			return job;
	}
	return NULL;
}

static void run(void)
{
	const struct guest_job *job;
	const char *unmounted;
	const char *name;

	unmounted = mount_all();
	if (ktap_open())
		return;

	if (unmounted) {
		ktap_note("guest: cannot mount %s", unmounted);
		return;
	}
	if (guest_params_read()) {
		ktap_note("guest: cannot read the kernel command line");
		return;
	}

	name = guest_param("job", "");
	job = find_job(name);
	if (!job) {
		ktap_note("guest: no job '%s'", name);
		return;
	}

	ktap_note("guest: begin job=%s", name);
	job->run();
	ktap_totals();
	ktap_note("guest: end job=%s", name);
}

int main(void)
{
	if (getpid() != 1) {
		fprintf(stderr, "init of a test guest; it would power this machine off\n");
		return 2;
	}

	run();
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
