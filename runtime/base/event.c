/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "atomics.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

/* The kernel counts eventfds; where it does not tell, files and sockets can at least be told from
 * what has no file. */
#define BY_NUMBER ((uint32_t)1 << 31)

/* 0: cannot be known. */
static uint32_t identity_of(int fd, bool by_number)
{
	char path[48], text[512];
	uint64_t number;
	wan_str_format(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (by_number)
		return wan_procfs_read(path, text, sizeof(text)) > 0 &&
				       wan_procfs_field(text, "eventfd-id:", &number) == 0
			       ? (uint32_t)number | BY_NUMBER
			       : 0;
	struct stat info;
	if (wan_sys->fstat(fd, &info) < 0 || (info.st_mode & S_IFMT) != 0)
		return 0;
	return ((uint32_t)info.st_ino & ~BY_NUMBER) | 1;
}

static int fd_of(uint64_t word)
{
	return (int)(uint32_t)word - 1;
}

static bool is_ours(uint64_t word)
{
	uint32_t identity = (uint32_t)(word >> 32);
	return word && identity_of(fd_of(word), identity & BY_NUMBER) == identity;
}

int wan_event_open(struct wan_event *event)
{
	int fd = wan_sys->eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	wan_store_relaxed(&event->word, 0);
	if (fd < 0)
		return -errno;
	uint32_t identity = identity_of(fd, true);
	if (!identity)
		identity = identity_of(fd, false);
	wan_store_relaxed(&event->word, (uint64_t)identity << 32 | (uint32_t)(fd + 1));
	return 0;
}

int wan_event_fd(const struct wan_event *event)
{
	return fd_of(wan_load_relaxed(&event->word));
}

bool wan_event_is_ours(const struct wan_event *event)
{
	return is_ours(wan_load_relaxed(&event->word));
}

bool wan_event_signal(struct wan_event *event)
{
	uint64_t word = wan_load_relaxed(&event->word), one = 1;
	if (!is_ours(word))
		return false;
	return wan_sys->write(fd_of(word), &one, sizeof(one)) == (ssize_t)sizeof(one) ||
	       errno == EAGAIN; /* it is readable already */
}

bool wan_event_drain(struct wan_event *event)
{
	uint64_t word = wan_load_relaxed(&event->word), told;
	if (!is_ours(word)) {
		wan_store_relaxed(&event->word, 0);
		return false;
	}
	(void)!wan_sys->read(fd_of(word), &told, sizeof(told));
	return true;
}

void wan_event_close(struct wan_event *event)
{
	uint64_t word = wan_load_relaxed(&event->word);
	wan_store_relaxed(&event->word, 0);
	if (is_ours(word))
		wan_sys->close(fd_of(word));
}
