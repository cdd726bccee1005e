/* SPDX-License-Identifier: MIT */
#include "history_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "history_runs.h"
#include "str.h"
#include "sys.h"

#define NAME       "journal.txt"
#define ATTEMPTS   20 /* of 5 ms each: the end of a run waits no longer */
#define ATTEMPT_NS 5000000

static int open_journal(const char *state, int flags)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s/" NAME, state);
	return wan_sys->open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool lock(int fd)
{
	const struct timespec pause = {.tv_nsec = ATTEMPT_NS};
	for (int i = 0; i < ATTEMPTS; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Half a line, of a disk that was full or a writer that was killed: the next must not be glued to
 * it. */
static bool ends_open(int fd, off_t bytes)
{
	char last = '\n';
	return bytes > 0 && pread(fd, &last, 1, bytes - 1) == 1 && last != '\n';
}

int history_journal_append(const char *state, uint64_t bytes, uint64_t changed_ns, const char *line)
{
	struct stat status;
	size_t room = strlen(line) + 64;
	wan_cleanup(wan_fd_closep) int fd = open_journal(state, O_RDWR | O_CREAT | O_APPEND);
	if (fd < 0)
		return -errno;
	if (!lock(fd))
		return -EBUSY;
	if (wan_sys->fstat(fd, &status) != 0 || status.st_size + (off_t)room > HISTORY_FILE_MOST)
		return -EFBIG;
	char *text = wan_malloc(room);
	if (!text)
		return -ENOMEM;
	size_t length =
		wan_str_format(text, room, "%s%" PRIu64 " %" PRIu64 " %s\n",
			       ends_open(fd, status.st_size) ? "\n" : "", bytes, changed_ns, line);
	int rc = wan_write_full(fd, text, length);
	wan_free(text);
	if (rc) /* half a line on a full disk; where it stays, the next one begins a new line */
		(void)!wan_sys->ftruncate(fd, status.st_size);
	return rc;
}

static int take_line(struct history_index *index, const char *text)
{
	struct history_runs runs = {0};
	char reason[160], *end;
	uint64_t bytes = strtoull(text, &end, 10);
	uint64_t changed_ns = *end == ' ' ? strtoull(end, &end, 10) : 0;
	int rc = *end == ' ' ? history_parse_line(&runs, end + 1, reason, sizeof(reason)) : 0;
	if (!rc && runs.count == 1 && runs.items[0].file) {
		struct history_entry *entry = history_index_put(index, runs.items[0].file);
		char *line = entry ? wan_strdup(end + 1) : NULL;
		if (line) {
			wan_free(entry->line);
			entry->line = line;
			entry->bytes = bytes;
			entry->changed_ns = changed_ns;
			entry->changed = true;
		} else {
			rc = -ENOMEM;
		}
	}
	history_runs_finish(&runs);
	return rc == -ENOMEM ? rc : 0;
}

int history_journal_take(const char *state, struct history_index *index)
{
	struct stat status;
	char *save = NULL;
	int fd = open_journal(state, O_RDWR), rc = 0;
	if (fd < 0)
		fd = open_journal(state, O_RDONLY);
	if (fd < 0)
		return -1;
	bool locked = lock(fd);
	if (wan_sys->fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
	    status.st_size > HISTORY_FILE_MOST) {
		wan_sys->close(fd);
		return -1;
	}
	char *text = wan_malloc((size_t)status.st_size + 1);
	ssize_t got = text ? wan_read_full(fd, text, (size_t)status.st_size) : -1;
	if (got > 0) {
		text[got] = '\0';
		for (char *line = strtok_r(text, "\n", &save); line && !rc;
		     line = strtok_r(NULL, "\n", &save))
			rc = take_line(index, line);
	}
	wan_free(text);
	/* Somebody may be writing: what is there was taken over, and stays for the next time. */
	if (got <= 0 || rc || !locked) {
		wan_sys->close(fd);
		return -1;
	}
	return fd;
}

void history_journal_finish(int fd, bool taken)
{
	if (fd < 0)
		return;
	if (taken && wan_sys->ftruncate(fd, 0) != 0)
		taken = false; /* read-only: taken over again next time */
	wan_sys->close(fd);
}
