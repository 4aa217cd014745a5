// SPDX-License-Identifier: GPL-2.0
/*
 * Runs kselftests from the initramfs, and makes every result of theirs one of the
 * guest's.
 *
 * guest.run=STEP[,STEP...]: what to run, in this order. A step is
 * PROGRAM[+ARGUMENT...][@BDF[@DRIVER]]: a program below /kselftest, with these
 * arguments and then the device's name. With a DRIVER the device is bound to it
 * while the program runs. One that begins with '!' must be skipped as a whole. A
 * program has the time that the file "settings" beside it gives, as with the kernel's
 * own runner; guest.slow=N: N times as much.
 *
 * guest.env=NAME=VALUE[,NAME=VALUE...]: the programs' environment.
 *
 * guest.iommu=1 or 0: every device of a step is, or is not, behind an IOMMU. What this
 * run is meant to show needs it to be so.
 *
 * guest.claim=BDF: user space has the USB device on this xHCI, as QEMU does that gives it
 * to a virtual machine.
 *
 * guest.list=1: what the devices have before and after that, and whether it works.
 *
 * guest.watch=BDF: this device, an xHCI with a USB device plugged in, keeps its driver,
 * its vectors and its interrupts whatever the programs do.
 *
 * guest.share=BDF: the watched device has its events where this one has its own, as
 * devices behind a PCI bridge do.
 *
 * Measured, as the programs tell: what=rebinds and what=enables.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define PROGRAMS	"/kselftest/*/"
#define SETTINGS	"settings"

/* kselftest_default_timeout of tools/testing/selftests/kselftest/runner.sh */
#define DEFAULT_TIMEOUT	45

#define KSFT_SKIP	4

#define MAX_ARGS	16
#define MAX_DEVICES	16
#define MAX_VECTORS	64
#define TIMEOUT_MS	10000

/* A program's own KTAP, as far as it has been read */
struct output {
	const char *program;
	char name[96];
	unsigned int plan;
	unsigned int nr;
	unsigned int failed;
	unsigned int skipped;
	bool planned;
	bool disordered;
	bool timed_out;

	/* Why it was skipped as a whole */
	char why[160];

	/* What it has measured */
	const char *what;
	unsigned long tried;
	unsigned long nr_short;
};

struct watch {
	const char *bdf;
	unsigned int vectors[MAX_VECTORS];
	int nr_vectors;
};

/* "ok 3 - name # SKIP reason" and "not ok 3 name" */
static bool take_result(struct output *out, char *line)
{
	bool ok = !strncmp(line, "ok ", 3);
	char *name, *directive;
	unsigned long nr;

	if (!ok && strncmp(line, "not ok ", 7))
		return false;

	nr = strtoul(line + (ok ? 3 : 7), &name, 10);
	if (nr != ++out->nr)
		out->disordered = true;

	name += strspn(name, " -");
	directive = strstr(name, " # ");
	if (directive) {
		*directive = '\0';
		directive += strlen(" # ");
	}

	if (ok && directive && !strncasecmp(directive, "SKIP", 4)) {
		out->skipped++;
		ktap_skip(directive + 4 + strspn(directive + 4, " "), "%s: %s", out->name, name);
		return true;
	}

	if (!ok)
		out->failed++;
	ktap_result(ok, "%s: %s", out->name, name);
	return true;
}

static unsigned long number_before(const char *line, const char *words)
{
	const char *pos = strstr(line, words);

	while (pos > line && pos[-1] >= '0' && pos[-1] <= '9')
		pos--;
	return strtoul(pos, NULL, 10);
}

/* "... 8 rounds done, 0 unbind problems, ..., 5 vector problems, ..." and "... 3 of 8 attempts failed" */
static void take_measured(struct output *out, const char *line)
{
	if (strstr(line, " rounds done, ") && strstr(line, " vector problems")) {
		out->what = "rebinds";
		out->tried += number_before(line, " rounds done, ");
		out->nr_short += number_before(line, " vector problems");
	} else if (strstr(line, " of ") && strstr(line, " attempts failed")) {
		out->what = "enables";
		out->tried += number_before(line, " attempts failed");
		out->nr_short += number_before(line, " of ");
	}
}

static void take_line(struct output *out, char *line)
{
	unsigned int plan;
	const char *why;

	line[strcspn(line, "\r\n")] = '\0';
	if (!strncmp(line, "TAP version ", 12) || !strncmp(line, "KTAP version ", 13))
		return;
	if (!out->planned && sscanf(line, "1..%u", &plan) == 1) {
		out->planned = true;
		out->plan = plan;
		why = strstr(line, " # SKIP ");
		if (why)
			snprintf(out->why, sizeof(out->why), "%s", why + strlen(" # SKIP "));
		return;
	}
	if (take_result(out, line))
		return;

	line += strspn(line, "# ");
	if (*line)
		ktap_note("%s: %s", out->program, line);
	take_measured(out, line);
}

/* How long a program may take, in seconds; 0 when there is no limit */
static unsigned int read_timeout(const char *path)
{
	char settings[GUEST_PATH_MAX], text[256], *line;
	unsigned int timeout = DEFAULT_TIMEOUT;

	snprintf(settings, sizeof(settings), "%.*s" SETTINGS, (int)(strrchr(path, '/') + 1 - path), path);
	if (file_read(settings, text, sizeof(text)) > 0) {
		line = strstr(text, "timeout=");
		if (line)
			timeout = strtoul(line + strlen("timeout="), NULL, 10);
	}
	return timeout * guest_param_uint("slow", 1);
}

static bool find_program(const char *name, char *path, size_t size)
{
	glob_t found;
	bool present;

	snprintf(path, size, PROGRAMS "%s", name);
	present = !glob(path, 0, NULL, &found);
	if (present)
		snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return present;
}

/* Starts a process that ends the process group @pid when the time is over. */
static pid_t start_timer(pid_t pid, unsigned int seconds)
{
	pid_t timer = fork();

	if (!timer) {
		sleep_ms(seconds * 1000);
		kill(-pid, SIGKILL);
		_exit(1);
	}
	return timer;
}

/* Returns whether there was time left. */
static bool stop_timer(pid_t timer)
{
	int status;

	kill(timer, SIGKILL);
	return waitpid(timer, &status, 0) == timer && WIFSIGNALED(status);
}

/* Runs @argv and takes all that it says; returns what waitpid() tells, or a negative errno. */
static int run_program(struct output *out, char *argv[])
{
	char path[GUEST_PATH_MAX], *line = NULL;
	int fds[2], status;
	size_t size = 0;
	unsigned int timeout;
	pid_t pid, timer = 0;
	FILE *file;

	if (!find_program(argv[0], path, sizeof(path)))
		return -ENOENT;
	timeout = read_timeout(path);
	if (pipe2(fds, O_CLOEXEC))
		return -errno;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		setpgid(0, 0);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execv(path, argv);
		printf("# cannot be started: %s\n", strerror(errno));
		fflush(stdout);
		_exit(127);
	}

	close(fds[1]);
	if (timeout)
		timer = start_timer(pid, timeout);
	file = fdopen(fds[0], "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) >= 0)
		take_line(out, line);
	free(line);
	fclose(file);

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	out->timed_out = timer && !stop_timer(timer);
	return status;
}

static bool is_skipped(const struct output *out, int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP && !out->nr && !out->plan;
}

/* What a program's results do not tell: that some are missing, or that it died. */
static void check_end(const struct output *out, int status)
{
	if (status < 0)
		ktap_result(false, "%s: runs: %s", out->name, strerror(-status));
	else if (out->timed_out)
		ktap_result(false, "%s: ends: not in the time that its settings give", out->name);
	else if (WIFSIGNALED(status))
		ktap_result(false, "%s: ends: killed by signal %d", out->name, WTERMSIG(status));
	else if (is_skipped(out, status))
		ktap_skip(out->why, "%s", out->name);
	else if (!out->planned || !out->nr)
		ktap_result(false, "%s: ends: no results, exit status %d", out->name,
			    WEXITSTATUS(status));
	else if (out->nr != out->plan || out->disordered)
		ktap_result(false, "%s: ends: %u results of %u", out->name, out->nr, out->plan);
	else if (!out->failed != (!WEXITSTATUS(status) || WEXITSTATUS(status) == KSFT_SKIP))
		ktap_result(false, "%s: ends: %u tests failed, exit status %d", out->name,
			    out->failed, WEXITSTATUS(status));
}

static bool has_iommu(const char *bdf)
{
	char path[GUEST_PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu", bdf);
	return !access(path, F_OK);
}

static void check_iommu(const char *bdf)
{
	const char *wanted = guest_param("iommu", NULL);

	if (wanted)
		ktap_result(has_iommu(bdf) == !!atoi(wanted), "%s is %sbehind an IOMMU", bdf,
			    atoi(wanted) ? "" : "not ");
}

static void run_step(char *step)
{
	char *bdf, *driver = NULL, *argv[MAX_ARGS + 1];
	bool must_skip = *step == '!';
	struct output out = {};
	unsigned int argc = 0;
	char *save, *arg;
	int ret;

	step += must_skip;
	bdf = strchr(step, '@');
	if (bdf) {
		*bdf++ = '\0';
		driver = strchr(bdf, '@');
		if (driver)
			*driver++ = '\0';
	}
	for (arg = strtok_r(step, "+", &save); arg && argc < MAX_ARGS - 1;
	     arg = strtok_r(NULL, "+", &save))
		argv[argc++] = arg;
	if (!argc || arg) {
		ktap_result(false, "a step of guest.run cannot be read");
		return;
	}
	if (bdf)
		argv[argc++] = bdf;
	argv[argc] = NULL;
	out.program = argv[0];
	snprintf(out.name, sizeof(out.name), "%s%s%s", argv[0], bdf ? " " : "", bdf ?: "");

	if (bdf)
		check_iommu(bdf);
	if (driver) {
		ret = pci_override(bdf, driver);
		if (ret) {
			ktap_result(false, "%s: bound to %s: %s", out.name, driver, strerror(-ret));
			return;
		}
	}

	ktap_note("run %s", out.name);
	ret = run_program(&out, argv);
	if (must_skip)
		ktap_result(ret >= 0 && is_skipped(&out, ret), "%s: is skipped: %s", out.name, out.why);
	else
		check_end(&out, ret);
	if (out.what)
		ktap_measured(out.what, out.tried, out.nr_short, -1, "device:%s", bdf ?: "-");

	if (driver) {
		ret = pci_restore(bdf);
		if (ret)
			ktap_result(false, "%s: given back: %s", out.name, strerror(-ret));
	}
}

static void watch_begin(struct watch *watch, const char *bdf, const char *share)
{
	unsigned int first = 0, other_first = 0;
	int nr, other_nr;

	watch->bdf = bdf;
	ktap_result(usb_device_wait(bdf, TIMEOUT_MS), "watch %s: it works", bdf);
	watch->nr_vectors = pci_vector_list(bdf, watch->vectors, MAX_VECTORS);

	if (!share)
		return;
	nr = pci_msi_events(bdf, &first);
	other_nr = pci_msi_events(share, &other_first);
	ktap_note("events device=%s first=%u number=%d", share, other_first, other_nr);
	ktap_note("events device=%s first=%u number=%d", bdf, first, nr);
	/* Each of two devices with events of their own would have event 0. */
	ktap_result(nr > 0 && other_nr > 0 &&
		    (first >= other_first + other_nr || other_first >= first + nr),
		    "watch %s: it shares the events of %s", bdf, share);
}

static void watch_check(const struct watch *watch, const char *step)
{
	unsigned int vectors[MAX_VECTORS];
	const char *problem = NULL;
	long before, after;
	int nr;

	nr = pci_vector_list(watch->bdf, vectors, MAX_VECTORS);
	before = pci_interrupts(watch->bdf);
	if (watch->nr_vectors <= 0 || nr != watch->nr_vectors ||
	    memcmp(vectors, watch->vectors, nr * sizeof(vectors[0])))
		problem = "has other vectors than before";
	else if (usb_device_poke(watch->bdf))
		problem = "has lost its USB device";

	after = pci_interrupts(watch->bdf);
	if (!problem && (before < 0 || after <= before))
		problem = "gets no interrupts any more";

	ktap_note("watch device=%s vectors=%d interrupts=%ld", watch->bdf, nr, after - before);
	if (problem)
		ktap_note("%s %s", watch->bdf, problem);
	ktap_result(!problem, "watch %s: it works after %s", watch->bdf, step);
}

/*
 * One line for each device that has vectors, to be compared between kernels. The vectors
 * of everything but a bridge fire when its driver sets the device up.
 */
static void list_devices(void)
{
	struct pci_name found[MAX_DEVICES];
	char driver[64], kind[16];
	unsigned int ms;
	long interrupts;
	int i, nr;

	nr = pci_find_class(PCI_CLASS_ANY, found, MAX_DEVICES);
	for (i = 0; i < nr; i++) {
		const char *bdf = found[i].bdf;

		if (pci_vectors(bdf) <= 0 || pci_driver(bdf, driver, sizeof(driver)))
			continue;
		pci_vector_kind(bdf, kind, sizeof(kind));
		ktap_note("device device=%s driver=%s kind=%s vectors=%d", bdf, driver, kind,
			  pci_vectors(bdf));
		if (pci_is_bridge(bdf))
			continue;

		interrupts = pci_interrupts(bdf);
		for (ms = 0; !interrupts && ms < TIMEOUT_MS; ms += 10) {
			sleep_ms(10);
			interrupts = pci_interrupts(bdf);
		}
		ktap_result(interrupts > 0, "%s (%s): its vectors fire", bdf, driver);
	}
}

/* Those of all devices that have vectors at boot */
static void note_domains(void)
{
	struct pci_name found[MAX_DEVICES];
	int nr, i;

	nr = pci_find_class(PCI_CLASS_ANY, found, MAX_DEVICES);
	for (i = 0; i < nr; i++) {
		if (pci_vectors(found[i].bdf) > 0)
			pci_note_domains(found[i].bdf);
	}
}

static int set_environment(char *env)
{
	char *save, *word, *value;

	for (word = strtok_r(env, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		if (setenv(word, value, 1))
			return -errno;
	}
	return 0;
}

static void kselftest_run(void)
{
	const char *watched = guest_param("watch", NULL);
	const char *claimed = guest_param("claim", NULL);
	char *env = strdup(guest_param("env", ""));
	char *steps = strdup(guest_param("run", ""));
	struct watch watch = {};
	char *save, *step;

	ktap_version();
	if (!env || !steps || set_environment(env)) {
		ktap_result(false, "guest.env cannot be read");
		ktap_plan_ran();
		return;
	}

	note_domains();
	if (guest_param_uint("list", 0))
		list_devices();
	if (claimed)
		ktap_result(usb_device_wait(claimed, TIMEOUT_MS) && !usb_device_claim(claimed),
			    "claim %s: user space has its USB device", claimed);
	if (watched)
		watch_begin(&watch, watched, guest_param("share", NULL));

	for (step = strtok_r(steps, ",", &save); step; step = strtok_r(NULL, ",", &save)) {
		run_step(step);
		if (watched)
			watch_check(&watch, step);
	}

	if (guest_param_uint("list", 0))
		list_devices();

	ktap_plan_ran();
	free(steps);
	free(env);
}

GUEST_JOB(kselftest, kselftest_run);
