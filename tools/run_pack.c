/* SPDX-License-Identifier: MIT */
/*
 * FILE.d/ becomes FILE: the recordings one after the other, each cut to what it uses and padded to
 * a page, which is all there is to a family file. FILE appears whole or not at all.
 */
#include "run.h"
#include "wanprof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "cleanup.h"
#include "layout.h"
#include "log.h"
#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

enum {
	MEMBERS_MAX = 65536,
	COPY_BYTES = 256 * 1024,
	GRACE_MS = 200, /* for the last processes of a pipeline to go */
	GRACE_STEP_MS = 10,
};

struct member {
	char name[NAME_MAX + 1];
	struct wan_record_header header;
	uint64_t bytes;
};

struct members {
	struct member *list;
	size_t count, capacity;
};

/* In order of start, the parent last: who looks at the head of the file only (retention) finds a
 * recording with operations, if there is one. */
static int compare(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	bool parent_a = a->header.role == WAN_ROLE_PARENT;
	bool parent_b = b->header.role == WAN_ROLE_PARENT;
	if (parent_a != parent_b)
		return parent_a ? 1 : -1;
	if (a->header.pid_start_ticks != b->header.pid_start_ticks)
		return a->header.pid_start_ticks < b->header.pid_start_ticks ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* A process killed while it made its file leaves one without a header: nothing is in it. */
static bool read_member(int folder, const char *name, struct member *ret_member)
{
	struct stat status;
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0 || wan_sys->fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	struct wan_record_header *header = &ret_member->header;
	if (wan_pread_full(fd, header, sizeof(*header), 0) != sizeof(*header) ||
	    header->magic != WAN_RECORD_MAGIC)
		return false;
	wan_str_copy(ret_member->name, sizeof(ret_member->name), name);
	ret_member->bytes = header->used_bytes;
	if (ret_member->bytes < WAN_RECORD_PAGE || ret_member->bytes > (uint64_t)status.st_size)
		ret_member->bytes = (uint64_t)status.st_size;
	return true;
}

static int list_members(const char *path, struct members *members)
{
	DIR *folder = opendir(path);
	if (!folder)
		return -errno;
	int status = 0;
	for (struct dirent *entry; (entry = readdir(folder)) && members->count < MEMBERS_MAX;) {
		size_t bytes = strlen(entry->d_name);
		if (bytes < 6 || strcmp(entry->d_name + bytes - 6, ".wprof") != 0)
			continue;
		status = wan_array_reserve(&members->list, &members->capacity, members->count + 1,
					   sizeof(*members->list));
		if (status < 0)
			break;
		if (read_member(dirfd(folder), entry->d_name, &members->list[members->count]))
			members->count++;
	}
	closedir(folder);
	qsort(members->list, members->count, sizeof(*members->list), compare);
	return status;
}

static unsigned count_alive(const struct members *members)
{
	unsigned alive = 0;
	for (size_t i = 0; i < members->count; i++) {
		const struct wan_record_header *header = &members->list[i].header;
		uint64_t start;
		alive += header->role != WAN_ROLE_PARENT &&
			 wan_procfs_start_time((int)header->pid, &start) == 0 &&
			 start == header->pid_start_ticks;
	}
	return alive;
}

/* What somebody else knows about the end of the command is written into its recording. */
static void note_outcome(struct wan_record_header *header, const struct run_outcome *outcome)
{
	if (header->role == WAN_ROLE_PARENT || header->pid != (uint32_t)outcome->pid)
		return;
	header->state = outcome->state;
	header->exit_status = outcome->exit_status;
	header->signal = outcome->signal;
	header->end_realtime_ns = wan_realtime_ns();
}

static int copy_bytes(int from, int to, uint64_t offset, uint64_t bytes, char *block)
{
	while (bytes) {
		size_t step = (size_t)WAN_MIN(bytes, COPY_BYTES);
		ssize_t got = wan_pread_full(from, block, step, (off_t)offset);
		if (got < 0)
			return (int)got;
		/* Cut meanwhile by somebody: the rest is zero, and the reader will say so. */
		memset(block + got, 0, step - (size_t)got);
		int status = wan_write_full(to, block, step);
		if (status < 0)
			return status;
		offset += step;
		bytes -= step;
	}
	return 0;
}

static int pack_member(const char *folder, const struct member *member,
		       const struct run_outcome *outcome, int to, char *block)
{
	char path[PATH_MAX + NAME_MAX + 1];
	static const char zeros[WAN_RECORD_PAGE];
	wan_str_format(path, sizeof(path), "%s%s", folder, member->name);
	wan_cleanup(wan_fd_closep) int from = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (from < 0)
		return -errno;
	struct wan_record_header header = member->header;
	note_outcome(&header, outcome);
	int status = wan_write_full(to, &header, sizeof(header));
	if (status == 0)
		status =
			copy_bytes(from, to, sizeof(header), member->bytes - sizeof(header), block);
	size_t padding = (size_t)(-member->bytes % WAN_RECORD_PAGE);
	return status < 0 || !padding ? status : wan_write_full(to, zeros, padding);
}

static int pack(const struct run_files *files, const struct run_outcome *outcome,
		const struct members *members, struct wan_error *reterr_error)
{
	static struct wanprof_output output;
	wan_cleanup(wan_freep) char *block = wan_malloc(COPY_BYTES);
	if (!block)
		return wan_error_set(reterr_error, -ENOMEM, files->path, NULL, "out of memory");
	int status = wanprof_output_open(&output, files->path, files->force, reterr_error);
	if (status < 0)
		return status;
	/* Names of files and arguments are the owner's business. */
	fchmod(output.fd, 0600);
	for (size_t i = 0; i < members->count && status == 0; i++)
		status = pack_member(files->folder, &members->list[i], outcome, output.fd, block);
	if (status < 0) {
		wanprof_output_abandon(&output);
		return wan_error_set(reterr_error, status, files->path, NULL,
				     "cannot be written: %s", strerror(-status));
	}
	return wanprof_output_commit(&output, reterr_error);
}

static void pause_ms(unsigned ms)
{
	struct timespec time = {.tv_nsec = (long)ms * 1000000};
	nanosleep(&time, NULL);
}

/* --no-follow: only what the command itself did. */
static void drop_children(struct members *members, const struct run_outcome *outcome)
{
	size_t kept = 0;
	for (size_t i = 0; i < members->count; i++) {
		const struct wan_record_header *header = &members->list[i].header;
		if (header->role == WAN_ROLE_PARENT || header->pid == (uint32_t)outcome->pid)
			members->list[kept++] = members->list[i];
	}
	members->count = kept;
}

int run_pack(const struct run_files *files, bool follow, const struct run_outcome *outcome,
	     unsigned *ret_alive, struct wan_error *reterr_error)
{
	struct members members = {0};
	int status = list_members(files->folder, &members);
	unsigned alive = status == 0 && follow ? count_alive(&members) : 0;
	bool waited = alive > 0;
	for (unsigned ms = 0; alive && ms < GRACE_MS; ms += GRACE_STEP_MS) {
		pause_ms(GRACE_STEP_MS);
		alive = count_alive(&members);
	}
	/* Read again: the headers have grown while we waited. */
	if (status == 0 && waited) {
		members.count = 0;
		status = list_members(files->folder, &members);
	}
	if (!follow)
		drop_children(&members, outcome);
	if (status < 0)
		wan_error_set(reterr_error, status, files->folder, NULL, "cannot be read: %s",
			      strerror(-status));
	else
		status = pack(files, outcome, &members, reterr_error);
	if (status == 0 && !alive)
		run_files_discard(files);
	*ret_alive = alive;
	wan_free(members.list);
	return status;
}
