// SPDX-License-Identifier: GPL-2.0
/*
 * The first and only process of the test guest. Mounts what the jobs need, runs
 * the job that the kernel command line names, and powers off.
 *
 * The host takes the run for lost unless the log has the line that is written
 * last: "# guest: end". Nothing here may write it when the job did not return.
 *
 * guest.kmemleak=1: look for leaks when the job is done. What kmemleak finds goes
 * to the log; a kernel without it makes the run lost.
 *
 * guest.poke=ADDRESS=VALUE,...: these words of memory are written before the job, in hexadecimal
 * numbers, and then the drivers look again at the PCI devices that none of them has.
 *
 * guest.restart=1: the machine cannot be powered off, and QEMU ends when it restarts.
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

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* Younger objects are not reported. */
#define KMEMLEAK_MIN_AGE_MS	5000

/*
 * Twice: an object counts when it was not referenced in a scan, and may have been on its
 * way from one list to another in the first.
 */
static int kmemleak(void)
{
	unsigned int scans, leaks = 0;
	char line[512];
	FILE *file;
	int ret;

	for (scans = 0; scans < 2; scans++) {
		sleep_ms(KMEMLEAK_MIN_AGE_MS + 1000);
		ret = file_write(KMEMLEAK, "scan");
		if (ret)
			return ret;
	}

	file = fopen(KMEMLEAK, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		ktap_note("%s", line);
		leaks += !strncmp(line, "unreferenced object", strlen("unreferenced object"));
	}
	ret = ferror(file) ? -EIO : 0;
	fclose(file);
	if (!ret)
		ktap_note("kmemleak scans=%u leaks=%u", scans, leaks);
	return ret;
}

static void run(void)
{
	const struct guest_job *job;
	const char *unmounted;
	const char *words;
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
	words = guest_param("poke", "");
	if (words[0]) {
		int ret = poke(words);

		if (!ret)
			ret = pci_probe();
		if (ret <= 0) {
			ktap_note("guest: cannot set registers up: %s", strerror(-ret));
			return;
		}
	}
	scan("begin");
	job->run();
	scan("end");
	if (guest_param_uint("kmemleak", 0)) {
		int ret = kmemleak();

		if (ret) {
			ktap_note("guest: kmemleak cannot scan: %s", strerror(-ret));
			return;
		}
	}
	ktap_totals();
	ktap_note("guest: end job=%s", name);
}

#define POWER_OFF_MS	5000

/*
 * A driver whose interrupts go to another device, as they do on stock, can hold the power-off up
 * for minutes. A kernel with SysRq is restarted then, which ends QEMU as well.
 */
static void power_off(void)
{
	if (fork() == 0) {
		sleep_ms(POWER_OFF_MS);
		file_write("/proc/sysrq-trigger", "b");
		_exit(0);
	}
	reboot(guest_param_uint("restart", 0) ? RB_AUTOBOOT : RB_POWER_OFF);
}

int main(void)
{
	if (getpid() != 1) {
		fprintf(stderr, "init of a test guest; it would power this machine off\n");
		return 2;
	}

	run();
	sync();
	power_off();
	return 1;
}
