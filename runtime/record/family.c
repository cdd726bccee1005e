/* SPDX-License-Identifier: MIT */
/*
 * Files and folders of recordings. Everything is read with pread into our own memory: a file that
 * is cut while we look at it gives a short read, where a mapping would give a SIGBUS.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "check.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "place.h"
#include "reading.h"
#include "str.h"
#include "sys.h"

#define LANE_BYTES        ((uint64_t)WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT)
#define LIVE_ATTEMPTS     50
#define FOLDER_FILES_MOST 65536

struct file {
	int fd;
	uint64_t bytes;
	const char *path;
};

/* Records that were being written while we read them: look again. */
static void settle_records(const struct file *file, uint64_t offset, char *bytes, uint64_t count)
{
	for (uint64_t at = WAN_RECORD_UNITS_AT; at + 64 <= count; at += 64) {
		struct wan_record_operation *record = (void *)(bytes + at);
		if ((at - WAN_RECORD_UNITS_AT) % WAN_RECORD_UNIT == 0) {
			if (record->seal != WAN_RECORD_CHUNK_MAGIC)
				at += WAN_RECORD_UNIT - 64;
			continue;
		}
		for (int attempt = 0; attempt < 3; attempt++) {
			if (!record->seal || record->check == wan_record_check(record))
				break;
			if (wan_pread_full(file->fd, record, 64, (off_t)(offset + at)) != 64)
				return;
		}
	}
}

/* Folds are read after the records, so that what was folded in between is counted in them. */
static void settle_lanes(const struct file *file, uint64_t offset, char *bytes, uint64_t count)
{
	const uint32_t *directory = (const void *)(bytes + WAN_RECORD_LANE_DIR_AT);
	if (count < WAN_RECORD_UNITS_AT)
		return;
	for (unsigned i = 0; i < WAN_RECORD_LANES; i++) {
		uint64_t at = WAN_RECORD_UNITS_AT + ((uint64_t)directory[i] - 1) * WAN_RECORD_UNIT;
		if (!directory[i] || at > count || count - at < LANE_BYTES)
			continue;
		bool damaged = true;
		for (int attempt = 0; damaged && attempt < LIVE_ATTEMPTS; attempt++) {
			if (wan_pread_full(file->fd, bytes + at, LANE_BYTES,
					   (off_t)(offset + at)) != (ssize_t)LANE_BYTES)
				break;
			wan_read_fold(bytes + at, &damaged);
		}
		/* An entry that changed between two looks is between two operations. */
		struct wan_record_lane again, *lane = (void *)(bytes + at);
		if (wan_pread_full(file->fd, &again, sizeof(again), (off_t)(offset + at)) !=
		    (ssize_t)sizeof(again))
			continue;
		for (unsigned entry = 0; entry < WAN_RECORD_INFLIGHT; entry++)
			if (again.inflight[entry].sequence != lane->inflight[entry].sequence ||
			    again.inflight[entry].start_ticks != lane->inflight[entry].start_ticks)
				lane->inflight[entry].sequence = 0;
	}
}

static int keep(struct wan_recording *recording, struct wan_read_process *process)
{
	int error = wan_array_reserve(&recording->processes, &recording->capacity,
				      recording->count + 1, sizeof(recording->processes[0]));
	if (error)
		return error;
	recording->processes[recording->count++] = process;
	return 0;
}

static int note(struct wan_read_process *to, uint64_t offset, const char *reason)
{
	struct wan_process *process = &to->process;
	size_t capacity = process->damage_count;
	int error = wan_array_reserve(&process->damage, &capacity, process->damage_count + 1,
				      sizeof(process->damage[0]));
	if (error)
		return error;
	struct wan_process_damage *damage = &process->damage[process->damage_count++];
	damage->offset = offset;
	wan_str_copy(damage->reason, sizeof(damage->reason), reason);
	return 0;
}

/*
 * How much belongs to a recording that has `left` bytes before the next one: what it says. Its size
 * is written after the number of units it follows from, so a kill leaves it one step behind.
 */
static uint64_t extent(const struct wan_record_header *header, uint64_t left, char *ret_reason,
		       size_t reason_bytes)
{
	uint64_t used = header->used_bytes, by_units = 0;
	ret_reason[0] = '\0';
	if (header->units <= WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT)
		by_units = WAN_RECORD_UNITS_AT + header->units * WAN_RECORD_UNIT;
	if (by_units && used < by_units && used % WAN_RECORD_PAGE == 0)
		return WAN_MIN(by_units, left);
	if (used < WAN_RECORD_UNITS_AT || used > WAN_RECORD_MAXIMUM || used % WAN_RECORD_PAGE ||
	    (by_units && used > by_units)) {
		wan_str_format(ret_reason, reason_bytes, "a size of %llu bytes is not possible",
			       (unsigned long long)used);
		return WAN_MIN(left, by_units ? by_units : WAN_RECORD_MAXIMUM);
	}
	if (used > left)
		wan_str_format(ret_reason, reason_bytes, "cut off: %llu of %llu bytes are left",
			       (unsigned long long)left, (unsigned long long)used);
	return WAN_MIN(used, left);
}

/* The next page that begins like a recording, as far as anything is read; *ret_foreign: where other
 * bytes were seen first. */
static uint64_t find_next(const struct file *file, uint64_t from, uint64_t *ret_foreign)
{
	char block[16 * WAN_RECORD_PAGE];
	*ret_foreign = UINT64_MAX;
	while (from < WAN_MIN(file->bytes, WAN_READ_TOTAL_MOST)) {
		/* A hole of gigabytes is passed over at once. */
		off_t data = lseek(file->fd, (off_t)from, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data > (off_t)from)
			from = (uint64_t)data / WAN_RECORD_PAGE * WAN_RECORD_PAGE;
		ssize_t got = wan_pread_full(file->fd, block, sizeof(block), (off_t)from);
		if (got < 8)
			break;
		for (ssize_t at = 0; at + 8 <= got; at += WAN_RECORD_PAGE) {
			uint64_t word;
			memcpy(&word, block + at, sizeof(word));
			if (word == WAN_RECORD_MAGIC)
				return from + (uint64_t)at;
			if (word && *ret_foreign == UINT64_MAX)
				*ret_foreign = from + (uint64_t)at;
		}
		from += (uint64_t)got;
	}
	return file->bytes;
}

/* One recording that begins at offset; *ret_next is where the next one would. */
static int add_process(struct wan_recording *recording, const struct file *file, uint64_t offset,
		       uint64_t *ret_next, struct wan_error *reterr_error)
{
	struct wan_record_header header = {0};
	char reason[120];
	ssize_t got = wan_pread_full(file->fd, &header, sizeof(header), (off_t)offset);
	if (got < 0)
		return wan_error_set(reterr_error, (int)got, file->path, "", "cannot be read: %s",
				     wan_strerror((int)got));
	int error = wan_read_identify(&header, (uint64_t)got, file->path, reterr_error);
	if (error)
		return error;
	bool live = header.state == WAN_RUN_RUNNING &&
		    wan_place_lives(header.pid, header.pid_start_ticks);
	uint64_t left = file->bytes - offset, foreign;
	if (header.used_bytes != WAN_RECORD_UNITS_AT + header.units * WAN_RECORD_UNIT)
		left = find_next(file, offset + WAN_RECORD_PAGE, &foreign) - offset;
	uint64_t count = extent(&header, left, reason, sizeof(reason));
	if (recording->total_bytes + count > WAN_READ_TOTAL_MOST ||
	    recording->count >= WAN_READ_PROCESSES_MOST)
		return wan_error_set(reterr_error, -EFBIG, file->path,
				     "read parts of the family by themselves",
				     "more recordings than can be read at once");
	wan_cleanup(wan_freep) char *bytes = wan_malloc(count);
	if (!bytes)
		return wan_error_set(reterr_error, -ENOMEM, file->path, "", "not enough memory");
	got = wan_pread_full(file->fd, bytes, count, (off_t)offset);
	if (got < (ssize_t)sizeof(header))
		return wan_error_set(reterr_error, got < 0 ? (int)got : -EBADMSG, file->path, "",
				     "the file became shorter while it was read");
	if ((uint64_t)got < count)
		wan_str_format(reason, sizeof(reason),
			       "cut off while it was read, after %lld bytes", (long long)got);
	count = (uint64_t)got;
	if (live) {
		settle_records(file, offset, bytes, count);
		settle_lanes(file, offset, bytes, count);
	}
	struct wan_read_process *process;
	error = wan_read_process(bytes, count, live, file->path, offset, &process, reterr_error);
	if (error)
		return error;
	if (reason[0])
		error = note(process, offset + count, reason);
	if (!error)
		error = keep(recording, process);
	if (error) {
		wan_read_process_free(process);
		return wan_error_set(reterr_error, error, file->path, "", "not enough memory");
	}
	recording->total_bytes += count;
	*ret_next = offset + (count + WAN_RECORD_PAGE - 1) / WAN_RECORD_PAGE * WAN_RECORD_PAGE;
	return 0;
}

/* A snapshot of a recorder: one process, which goes on while we read its copy. */
int wan_read_add_memory(struct wan_recording *recording, const void *bytes, size_t count,
			struct wan_error *reterr_error)
{
	struct wan_record_header header = {0};
	struct wan_read_process *process;
	char reason[120] = "";
	int error = wan_read_identify(bytes, count, "memory", reterr_error);
	if (error)
		return error;
	memcpy(&header, bytes, sizeof(header));
	bool live = header.state == WAN_RUN_RUNNING &&
		    wan_place_lives(header.pid, header.pid_start_ticks);
	count = extent(&header, count, reason, sizeof(reason));
	/* A copy of our own: aligned, and nobody writes to it. */
	wan_cleanup(wan_freep) char *copy = wan_malloc(count);
	if (!copy)
		return wan_error_set(reterr_error, -ENOMEM, "memory", "", "not enough memory");
	memcpy(copy, bytes, count);
	error = wan_read_process(copy, count, live, "memory", 0, &process, reterr_error);
	if (error)
		return error;
	if (reason[0])
		error = note(process, count, reason);
	if (!error)
		error = keep(recording, process);
	if (error) {
		wan_read_process_free(process);
		return wan_error_set(reterr_error, error, "memory", "", "not enough memory");
	}
	return 0;
}

static int add_file(struct wan_recording *recording, const struct file *file,
		    struct wan_error *reterr_error)
{
	uint64_t offset = 0, next, foreign;
	size_t before = recording->count;
	int error = add_process(recording, file, 0, &next, reterr_error);
	while (!error) {
		struct wan_read_process *last = recording->processes[recording->count - 1];
		offset = find_next(file, next, &foreign);
		/* A living process goes on writing behind what we took as its end. */
		if (foreign != UINT64_MAX && !last->process.live && !last->process.damage_count)
			error = note(last, foreign, "bytes that belong to no recording");
		if (error || offset >= file->bytes)
			break;
		error = add_process(recording, file, offset, &next, reterr_error);
	}
	if (!error && file->bytes > WAN_READ_TOTAL_MOST)
		error = note(recording->processes[recording->count - 1], WAN_READ_TOTAL_MOST,
			     "what lies beyond 512 MiB is not read");
	if (error && error != -ENOMEM && recording->count > before) {
		/* The first ones are good: what follows them is damage, not a failure. */
		note(recording->processes[recording->count - 1], offset,
		     error == -EFBIG ? "more recordings than can be read at once"
				     : "what follows cannot be read");
		error = 0;
	}
	return error;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_recording_name(const char *name)
{
	size_t length = strlen(name);
	return name[0] != '.' && ((length > 6 && strcmp(name + length - 6, ".wprof") == 0) ||
				  (length > 2 && strcmp(name + length - 2, ".d") == 0));
}

void wan_read_list_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wan_free(names[i]);
	wan_free(names);
}

int wan_read_list(const char *path, char ***ret_names, size_t *ret_count)
{
	size_t count = 0, capacity = 0;
	char **names = NULL;
	DIR *folder = opendir(path);
	if (!folder)
		return -errno;
	int error = 0;
	for (struct dirent *entry; !error && (entry = readdir(folder));) {
		char full[WAN_PLACE_BYTES];
		size_t length = strlen(path);
		if (!is_recording_name(entry->d_name) || count >= FOLDER_FILES_MOST ||
		    length + strlen(entry->d_name) + 2 > sizeof(full))
			continue;
		wan_str_format(full, sizeof(full), "%s%s%s", path,
			       length && path[length - 1] == '/' ? "" : "/", entry->d_name);
		error = wan_array_reserve(&names, &capacity, count + 1, sizeof(*names));
		if (!error && !(names[count] = wan_strdup(full)))
			error = -ENOMEM;
		count += !error;
	}
	closedir(folder);
	if (error) {
		wan_read_list_free(names, count);
		return error;
	}
	if (count > 1)
		qsort(names, count, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_count = count;
	return 0;
}

static int add_one(struct wan_recording *recording, const char *path, unsigned depth,
		   struct wan_error *reterr_error);

/* Members that are no recordings do not spoil the others; they are told as damage. */
static int add_folder(struct wan_recording *recording, const char *path, unsigned depth,
		      struct wan_error *reterr_error)
{
	char **names = NULL;
	size_t count = 0, before = recording->count;
	int first_error = 0;
	struct wan_error first = {0};
	int error = wan_read_list(path, &names, &count);
	if (error)
		return wan_error_set(reterr_error, error, path, "", "cannot be listed: %s",
				     wan_strerror(error));
	for (size_t i = 0; i < count && error != -ENOMEM; i++) {
		struct wan_error member = {0};
		error = add_one(recording, names[i], depth + 1, &member);
		if (!error || error == -ENODATA || error == -ENOENT)
			continue; /* being made at this moment, or just removed */
		recording->damaged = true;
		if (!first_error) {
			first_error = error;
			first = member;
		}
	}
	wan_read_list_free(names, count);
	if (error == -ENOMEM)
		return wan_error_set(reterr_error, error, path, "", "not enough memory");
	if (recording->count > before) {
		char reason[120];
		wan_str_format(reason, sizeof(reason), "%.60s: %s", first.object, first.reason);
		return first_error ? note(recording->processes[before], 0, reason) : 0;
	}
	if (first_error) {
		if (reterr_error)
			*reterr_error = first;
		return first_error;
	}
	return wan_error_set(reterr_error, -ENODATA, path,
			     "record something first: wanprof run -- COMMAND",
			     "the folder holds no recording");
}

static int add_regular(struct wan_recording *recording, const char *path, unsigned depth,
		       struct wan_error *reterr_error)
{
	struct stat status;
	struct file file = {.path = path};
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0 || wan_sys->fstat(fd, &status) != 0)
		return wan_error_set(reterr_error, -errno, path, "check the path and its rights",
				     "cannot be opened: %s", wan_strerror(-errno));
	if (S_ISDIR(status.st_mode) && depth < 2)
		return add_folder(recording, path, depth, reterr_error);
	if (!S_ISREG(status.st_mode))
		return wan_error_set(reterr_error, -EINVAL, path, "give a .wprof file or a folder",
				     "not a regular file");
	file.fd = fd;
	file.bytes = (uint64_t)WAN_MAX(status.st_size, 0);
	return add_file(recording, &file, reterr_error);
}

/* stat first: opening a device or a pipe may already do something. */
static int add_one(struct wan_recording *recording, const char *path, unsigned depth,
		   struct wan_error *reterr_error)
{
	struct stat status;
	if (wan_sys->stat(path, &status) != 0)
		return wan_error_set(reterr_error, -errno, path,
				     "wanprof dump --list shows what there is", "%s",
				     errno == ENOENT ? "no such file" : wan_strerror(-errno));
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return wan_error_set(reterr_error, -EINVAL, path, "give a .wprof file or a folder",
				     "not a regular file");
	return add_regular(recording, path, depth, reterr_error);
}

/* FILE, and FILE.d beside it, where the other processes of its family record. */
int wan_read_add_path(struct wan_recording *recording, const char *path,
		      struct wan_error *reterr_error)
{
	char beside[WAN_PLACE_BYTES];
	struct stat status;
	size_t length = strlen(path), before = recording->count;
	struct wan_error own = {0};
	int error = add_one(recording, path, 0, &own);
	if (length + 3 <= sizeof(beside) && error != -ENOMEM) {
		wan_str_format(beside, sizeof(beside), "%s.d", path);
		if (wan_sys->stat(beside, &status) == 0 && S_ISDIR(status.st_mode) &&
		    add_one(recording, beside, 0, NULL) == -ENOMEM)
			error = -ENOMEM;
	}
	if (error && error != -ENOMEM && recording->count > before)
		return 0; /* the file is not there yet, or no longer: its family is */
	if (error && reterr_error)
		*reterr_error = own;
	return error;
}
