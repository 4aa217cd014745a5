// SPDX-License-Identifier: GPL-2.0
/* Small files and directories, as sysfs has them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* Reads up to @size - 1 bytes, terminates them and returns their number. */
int file_read(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	do {
		got = read(fd, buf + len, size - 1 - len);
		if (got < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		len += got;
	} while (got && len < size - 1);

	close(fd);
	buf[len] = '\0';
	return len;
}

int file_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t put;
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	put = write(fd, text, len);
	if (put < 0)
		ret = -errno;
	else if ((size_t)put != len)
		ret = -EIO;

	close(fd);
	return ret;
}

int file_write_at(const char *dir, const char *name, const char *text)
{
	char path[GUEST_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_write(path, text);
}

/* Entries of a directory; one that does not exist has none. */
int dir_count(const char *path)
{
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			nr++;
	}
	closedir(dir);
	return nr;
}
