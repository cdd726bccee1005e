/* SPDX-License-Identifier: MIT */
/*
 * Which recording is meant: the newest, or that of a process. The places are the default folder,
 * what WAN_RECORD_PATH names, and the folders one level below (wanprof run links or puts the
 * folder of a family there). The header decides, not the name: people rename files.
 */
#include "find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "place.h"
#include "procfs.h"
#include "reading.h"
#include "str.h"
#include "sys.h"

int wan_find_identify(const char *path, struct wan_find_identity *ret_identity)
{
	struct {
		struct wan_record_header header;
		char rest[WAN_RECORD_ANCHORS_AT - sizeof(struct wan_record_header)];
		struct wan_record_anchor first;
	} begin = {0};
	struct stat status;
	if (wan_sys->stat(path, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ssize_t got = wan_pread_full(fd, &begin, sizeof(begin), 0);
	if (got < (ssize_t)sizeof(begin) || begin.header.magic != WAN_RECORD_MAGIC)
		return got < 0 ? (int)got : -EBADMSG;
	*ret_identity = (struct wan_find_identity){
		.pid = begin.header.pid,
		.pid_start_ticks = begin.header.pid_start_ticks,
		.start_realtime_ns = begin.first.seal
					     ? begin.first.realtime_ns
					     : (uint64_t)status.st_mtim.tv_sec * 1000000000,
		.parent_pid = begin.header.parent_pid,
		.role = begin.header.role,
		.has_content = begin.header.units > 0,
		.live = begin.header.state == WAN_RUN_RUNNING &&
			wan_place_lives(begin.header.pid, begin.header.pid_start_ticks),
	};
	memcpy(ret_identity->run_id, begin.header.run_id, sizeof(ret_identity->run_id));
	return 0;
}

struct newest {
	char path[WAN_PLACE_BYTES];
	uint64_t start_realtime_ns;
};

static void consider_newest(struct newest *newest, const char *path, const char *name_it)
{
	struct wan_find_identity identity;
	if (wan_find_identify(path, &identity) != 0 || !identity.has_content ||
	    identity.start_realtime_ns <= newest->start_realtime_ns)
		return;
	newest->start_realtime_ns = identity.start_realtime_ns;
	wan_str_copy(newest->path, sizeof(newest->path), name_it);
}

static bool is_folder(const char *path)
{
	struct stat status;
	return wan_sys->stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int wan_recording_newest(const char *folder, char *to, size_t bytes)
{
	char place[WAN_PLACE_BYTES];
	char **paths, **members;
	size_t count, member_count;
	struct newest newest = {0};
	if (!folder) {
		int error = wan_place_default_folder(place, sizeof(place));
		if (error)
			return -ENOENT;
		folder = place;
	}
	int error = wan_read_list(folder, &paths, &count);
	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		consider_newest(&newest, paths[i], paths[i]);
		if (!is_folder(paths[i]) || wan_read_list(paths[i], &members, &member_count) != 0)
			continue;
		for (size_t k = 0; k < member_count; k++)
			consider_newest(&newest, members[k], paths[i]); /* the family, not one */
		wan_read_list_free(members, member_count);
	}
	wan_read_list_free(paths, count);
	if (!newest.path[0])
		return -ENOENT;
	return wan_str_copy(to, bytes, newest.path) ? 0 : -ENAMETOOLONG;
}

struct search {
	uint32_t pid;
	uint64_t start_ticks; /* of the living process; 0: it is gone */
	char path[WAN_PLACE_BYTES];
	char folder[WAN_PLACE_BYTES];
	struct wan_find_identity found;
	bool exact;
};

/* The living process before one that had its pid earlier; then content; then the newest. */
static void consider_pid(void *context, const char *folder, const char *path)
{
	struct search *search = context;
	struct wan_find_identity identity;
	if (wan_find_identify(path, &identity) != 0 || identity.pid != search->pid)
		return;
	bool exact = search->start_ticks && identity.pid_start_ticks == search->start_ticks;
	if (search->path[0]) {
		if (exact != search->exact) {
			if (!exact)
				return;
		} else if (identity.has_content != search->found.has_content) {
			if (!identity.has_content)
				return;
		} else if (identity.start_realtime_ns <= search->found.start_realtime_ns) {
			return;
		}
	}
	search->exact = exact;
	search->found = identity;
	wan_str_copy(search->path, sizeof(search->path), path);
	wan_str_copy(search->folder, sizeof(search->folder), folder);
}

/* Whoever is told of each file in the usual places, and of the folder it lies in. */
struct visitor {
	void (*visit)(void *context, const char *folder, const char *path);
	void *context;
};

static void visit_folder(const struct visitor *visitor, const char *folder, unsigned depth)
{
	char **paths;
	size_t count;
	if (wan_read_list(folder, &paths, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (is_folder(paths[i]) && depth < 1)
			visit_folder(visitor, paths[i], depth + 1);
		else
			visitor->visit(visitor->context, folder, paths[i]);
	}
	wan_read_list_free(paths, count);
}

static void visit_places(const struct visitor *visitor)
{
	char folder[WAN_PLACE_BYTES];
	const char *configured = secure_getenv("WAN_RECORD_PATH");
	if (wan_place_default_folder(folder, sizeof(folder)) == 0)
		visit_folder(visitor, folder, 0);
	if (!configured || !configured[0] || wan_str_equal(configured, "off"))
		return;
	if (is_folder(configured)) {
		visit_folder(visitor, configured, 0);
		return;
	}
	visitor->visit(visitor->context, "", configured);
	if (strlen(configured) + 3 <= sizeof(folder)) {
		wan_str_format(folder, sizeof(folder), "%s.d", configured);
		visit_folder(visitor, folder, 1);
	}
}

struct each {
	bool (*take)(void *context, const char *path, const struct wan_find_identity *identity);
	void *context;
	bool done;
};

static void visit_each(void *context, const char *folder, const char *path)
{
	struct each *each = context;
	struct wan_find_identity identity;
	if (!each->done && wan_find_identify(path, &identity) == 0)
		each->done = !each->take(each->context, path, &identity);
}

void wan_find_each(bool (*take)(void *context, const char *path,
				const struct wan_find_identity *identity),
		   void *context)
{
	struct each each = {.take = take, .context = context};
	visit_places(&(const struct visitor){.visit = visit_each, .context = &each});
}

/* The other recordings of the run that lie beside it: samples and outcome are in the parent's. */
static int add_family(struct wan_recording *recording, const struct search *search)
{
	struct wan_find_identity identity;
	static const uint8_t none[16];
	char **paths;
	size_t count;
	int error = 0;
	if (!search->folder[0] || memcmp(search->found.run_id, none, sizeof(none)) == 0 ||
	    wan_read_list(search->folder, &paths, &count) != 0)
		return 0;
	for (size_t i = 0; i < count && error != -ENOMEM; i++)
		if (strcmp(paths[i], search->path) != 0 && !is_folder(paths[i]) &&
		    wan_find_identify(paths[i], &identity) == 0 &&
		    memcmp(identity.run_id, search->found.run_id, sizeof(none)) == 0)
			error = wan_read_add_path(recording, paths[i], NULL);
	wan_read_list_free(paths, count);
	return error == -ENOMEM ? error : 0;
}

int wan_find_add_pid(struct wan_recording *recording, uint32_t pid, struct wan_error *reterr_error)
{
	char object[32];
	wan_str_format(object, sizeof(object), "process %u", pid);
	wan_cleanup(wan_freep) struct search *search = wan_calloc(1, sizeof(*search));
	if (!search)
		return wan_error_set(reterr_error, -ENOMEM, object, "", "not enough memory");
	search->pid = pid;
	bool lives = wan_place_lives(pid, 0);
	if (lives && wan_procfs_start_time((int)pid, &search->start_ticks) != 0)
		search->start_ticks = 0;
	visit_places(&(const struct visitor){.visit = consider_pid, .context = search});
	if (!search->path[0])
		return wan_error_set(
			reterr_error, -ENOENT, object,
			lives ? "start it with wanprof run, or preload libwanrt-preload.so"
			      : "wanprof dump --list shows what there is",
			lives ? "it runs, but records nothing that can be found"
			      : "there is no such process, and no recording of one");
	int error = wan_read_add_path(recording, search->path, reterr_error);
	return error ? error : add_family(recording, search);
}
