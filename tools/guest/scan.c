// SPDX-License-Identifier: GPL-2.0
/*
 * What tools/msi-scan says of the guest, which the host compares with what the kernel has done.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define PROGRAM		"/msi-scan"

/* The child; returns only when the program is not there */
static void run(int fd)
{
	char *const argv[] = { "msi-scan", NULL };
	char *const env[] = { NULL };

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execve(PROGRAM, argv, env);
	_exit(127);
}

/*
 * Notes what it says, and at last "scan when=@when verdict=..." with its exit code in words. The run is
 * lost when it fails, or complains of what it finds on a healthy machine.
 */
void scan(const char *when)
{
	static const char *const verdicts[] = { "not-affected", "affected", "cannot-tell" };
	static char text[16384];
	size_t len = 0;
	int fds[2], status = -1;
	char *line, *save;
	ssize_t got = 0;
	pid_t pid;

	if (pipe(fds)) {
		ktap_note("guest: no pipe for msi-scan: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (!pid)
		run(fds[1]);
	close(fds[1]);
	while (pid > 0 && len < sizeof(text) - 1) {
		got = read(fds[0], text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			break;
		len += got;
	}
	close(fds[0]);
	text[len] = '\0';
	if (pid < 0 || got < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) >= (int)ARRAY_SIZE(verdicts)) {
		ktap_note("guest: msi-scan ended with status 0x%x: %s", status, text);
		return;
	}

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "msi-scan: ", strlen("msi-scan: ")))
			ktap_note("guest: %s", line);
		else
			ktap_note("scan: %s", line);
	}
	ktap_note("scan when=%s verdict=%s", when, verdicts[WEXITSTATUS(status)]);
}
