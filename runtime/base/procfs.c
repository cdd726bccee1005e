/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "str.h"
#include "sys.h"

int wan_procfs_pread(int fd, char *to, size_t bytes)
{
	if (bytes == 0)
		return -EINVAL;
	ssize_t count = wan_pread_full(fd, to, bytes - 1, 0);
	if (count < 0)
		return (int)count;
	to[count] = '\0';
	return (int)count;
}

int wan_procfs_read(const char *path, char *to, size_t bytes)
{
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	return wan_procfs_pread(fd, to, bytes);
}

/* A decimal number that ends at white space or the end of the text. */
static int parse_number(const char *text, uint64_t *ret_value)
{
	char digits[24];
	size_t count = strcspn(text, " \t\n");
	if (count >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, text, count);
	digits[count] = '\0';
	return wan_parse_u64(digits, ret_value) ? -EBADMSG : 0;
}

int wan_procfs_field(const char *text, const char *name, uint64_t *ret_value)
{
	size_t length = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0)
			continue;
		size_t blanks = strspn(line + length, " \t");
		if (blanks)
			return parse_number(line + length + blanks, ret_value);
	}
	return -ENOENT;
}

static int read_process_file(int pid, const char *name, char *to, size_t bytes)
{
	char path[64];
	if (pid < 0)
		return -EINVAL;
	if (pid == 0)
		wan_str_format(path, sizeof(path), "/proc/self/%s", name);
	else
		wan_str_format(path, sizeof(path), "/proc/%d/%s", pid, name);
	return wan_procfs_read(path, to, bytes);
}

/* The number in column (from 0) of text whose columns one blank separates. */
static int parse_column(const char *text, unsigned column, uint64_t *ret_value)
{
	for (; column; column--) {
		text = strchr(text, ' ');
		if (!text)
			return -EBADMSG;
		text++;
	}
	return parse_number(text, ret_value);
}

int wan_procfs_rss_bytes(int pid, uint64_t *ret_bytes)
{
	char text[128];
	uint64_t pages;
	int length = read_process_file(pid, "statm", text, sizeof(text));
	if (length < 0)
		return length;
	int error = parse_column(text, 1, &pages);
	if (!error)
		*ret_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return error;
}

/* Field 3 and what follows it in stat; field 2, the name, may itself hold blanks and brackets. */
static int read_stat(int pid, char *to, size_t bytes, const char **ret_field3)
{
	int length = read_process_file(pid, "stat", to, bytes);
	if (length < 0)
		return length;
	const char *end = strrchr(to, ')');
	if (!end || end[1] != ' ')
		return -EBADMSG;
	*ret_field3 = end + 2;
	return 0;
}

int wan_procfs_start_time(int pid, uint64_t *ret_ticks)
{
	char text[1024];
	const char *field3;
	int error = read_stat(pid, text, sizeof(text), &field3);
	return error ? error : parse_column(field3, 22 - 3, ret_ticks);
}

int wan_procfs_cpu_ns(int pid, uint64_t *ret_ns)
{
	char text[1024];
	const char *field3;
	uint64_t user, system;
	int error = read_stat(pid, text, sizeof(text), &field3);
	if (!error)
		error = parse_column(field3, 14 - 3, &user);
	if (!error)
		error = parse_column(field3, 15 - 3, &system);
	if (!error)
		*ret_ns = (user + system) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	return error;
}
