// SPDX-License-Identifier: GPL-2.0
/*
 * Files below /, or below a copy of what is there. The copy may come from anybody: nothing outside of it
 * is opened, whatever its links say, and nothing that could block.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "msi-scan.h"

/* More entries than any machine has, and than it would be of use to look at */
#define MAX_ENTRIES	65536
/* Of a file that is searched: ten times the BTF of a kernel with everything */
#define MAX_SEARCH	(64 << 20)

#ifndef O_PATH
#define O_PATH		010000000
#endif

static int root = -1;
static bool live = true;

bool fs_is_live(void)
{
	return live;
}

static int fs_open(const char *path, int flags)
{
	struct open_how how = {
		.flags		= flags | O_CLOEXEC,
		.resolve	= RESOLVE_IN_ROOT,
	};
	int fd;

	if (live)
		fd = openat(root, path, flags | O_CLOEXEC);
	else
		fd = syscall(__NR_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

int fs_root(const char *dir)
{
	int fd;

	live = !dir;
	root = open(dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	/* Is openat2() there? */
	fd = fs_open(".", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Complains about what is there, and is not as it should be */
static int odd(const char *path, int err)
{
	if (err == -ENOENT || err == -EACCES || err == -EPERM)
		return err;
	if (err == -EBADF)
		complain("%s is no regular file", path);
	else
		complain("%s cannot be read: %s", path, strerror(-err));
	return err;
}

static int open_regular(const char *path)
{
	struct stat st;
	int fd;

	fd = fs_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return odd(path, fd);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return odd(path, -EBADF);
	}
	return fd;
}

static int read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, buf + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		len += got;
	} while (got && len < size);
	return len;
}

/* Up to @size bytes */
int fs_read(const char *path, void *buf, size_t size)
{
	int fd, ret;

	fd = open_regular(path);
	if (fd < 0)
		return fd;
	ret = read_all(fd, buf, size);
	close(fd);
	return ret < 0 ? odd(path, ret) : ret;
}

/* The text up to a NUL, without a newline at its end, and with what cannot be printed replaced */
int fs_read_text(const char *path, char *buf, size_t size)
{
	int len = fs_read(path, buf, size - 1);

	if (len < 0) {
		buf[0] = '\0';
		return len;
	}
	buf[len] = '\0';
	len = strlen(buf);
	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		buf[--len] = '\0';
	printable(buf);
	return len;
}

/* The last part of what a link points to */
int fs_link(const char *path, char *buf, size_t size)
{
	char target[PATH_SIZE];
	const char *name;
	int fd, len;

	fd = fs_open(path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return odd(path, fd);
	len = syscall(__NR_readlinkat, fd, "", target, sizeof(target) - 1);
	if (len < 0)
		len = errno == ENOENT || errno == EINVAL ? -ENOTDIR : -errno;
	close(fd);
	if (len < 0) {
		if (len == -ENOTDIR)
			complain("%s is no link", path);
		return len;
	}
	target[len] = '\0';
	name = strrchr(target, '/');
	copy_text(buf, size, name ? name + 1 : target);
	printable(buf);
	return 0;
}

void names_free(struct names *names)
{
	while (names->nr)
		free(names->name[--names->nr]);
	free(names->name);
	names->name = NULL;
	names->room = 0;
}

int names_add(struct names *names, const char *name)
{
	char **more;

	if (names->nr == names->room) {
		names->room = names->room ? 2 * names->room : 64;
		more = realloc(names->name, names->room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		names->name = more;
	}
	names->name[names->nr] = strdup(name);
	return names->name[names->nr] ? names->nr++, 0 : -ENOMEM;
}

/* A directory itself, and no link to one, which could be a loop */
bool fs_is_directory(const char *path)
{
	int fd = fs_open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a directory in order. Without O_NOFOLLOW, since those of PCI devices are links. */
int fs_list(const char *path, struct names *names)
{
	struct dirent *entry;
	int fd, ret = 0;
	DIR *dir;

	memset(names, 0, sizeof(*names));
	fd = fs_open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	if (fd < 0)
		return odd(path, fd);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!ret && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (names->nr == MAX_ENTRIES) {
			complain("%s has more than %d entries, the rest is left out", path, MAX_ENTRIES);
			break;
		}
		ret = names_add(names, entry->d_name);
	}
	closedir(dir);
	if (ret)
		names_free(names);
	else if (names->nr)
		qsort(names->name, names->nr, sizeof(*names->name), compare);
	return ret;
}

/* Whether each of @text is in the file, between NULs */
int fs_has_strings(const char *path, const char *const *text, bool *found, size_t nr)
{
	enum { CHUNK = 1 << 16, OVERLAP = 256 };
	size_t kept = 0, done = 0, i;
	static char buf[OVERLAP + CHUNK];
	int fd, got;

	fd = open_regular(path);
	if (fd < 0)
		return fd;
	memset(found, 0, nr * sizeof(*found));
	/* A string at the very beginning has something in front of it, too. */
	buf[kept++] = '\0';
	do {
		char *pos, *end;

		got = read_all(fd, buf + kept, CHUNK);
		if (got < 0) {
			close(fd);
			return odd(path, got);
		}
		end = buf + kept + got;
		for (i = 0; i < nr; i++) {
			size_t len = strlen(text[i]);

			for (pos = buf; pos + len + 2 <= end; pos++) {
				pos = memchr(pos, '\0', end - len - 1 - pos);
				if (!pos)
					break;
				if (!memcmp(pos + 1, text[i], len + 1)) {
					found[i] = true;
					break;
				}
			}
		}
		kept = end - buf < OVERLAP ? end - buf : OVERLAP;
		memmove(buf, end - kept, kept);
		done += got;
	} while (got == CHUNK && done < MAX_SEARCH);
	close(fd);
	return 0;
}

/* False, with a word to the user, when the path is too long to be one */
bool make_path(char *path, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path, PATH_SIZE, fmt, args);
	va_end(args);
	if (len >= 0 && len < PATH_SIZE)
		return true;
	complain("%.60s...: the name is too long", path);
	return false;
}

void printable(char *text)
{
	for (; *text; text++) {
		if (*text != '\n' && (*text < ' ' || *text > '~'))
			*text = '?';
	}
}

/* As much of it as there is room for */
void copy_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}
