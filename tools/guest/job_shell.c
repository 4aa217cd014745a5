// SPDX-License-Identifier: GPL-2.0
/* A shell on the console, for somebody who wants to look into the guest. It ends when the shell does. */
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define BUSYBOX		"/shell/busybox"

static void shell_run(void)
{
	/* With job control, which needs a terminal of its own */
	char *const argv[] = { "busybox", "setsid", "-c", BUSYBOX, "sh", "-l", NULL };
	char *const env[] = { "PATH=/shell:/kselftest/vfio:/kselftest/pci_msi", "HOME=/tmp", "TERM=linux", NULL };
	pid_t pid;

	/* Every other command of it, by name */
	pid = fork();
	if (!pid) {
		execl(BUSYBOX, "busybox", "--install", "-s", "/shell", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);

	pid = fork();
	if (!pid) {
		execve(BUSYBOX, argv, env);
		_exit(127);
	}
	ktap_plan(1);
	ktap_result(pid > 0 && waitpid(pid, NULL, 0) == pid, "shell");
}

GUEST_JOB(shell, shell_run);
