/* SPDX-License-Identifier: MIT */
/* The recordings of a run, one a process; the members that come while it is watched. */
#include "live.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "find.h"
#include "reading.h"
#include "str.h"

#define FILES_MOST 512

static bool is_known(const struct live *live, const char *path)
{
	for (size_t i = 0; i < live->count; i++)
		if (strcmp(live->files[i]->path, path) == 0)
			return true;
	return false;
}

static int add(struct live *live, const char *path)
{
	struct live_file *file = wan_calloc(1, sizeof(*file));
	int error = file ? wan_glance_open(path, &file->glance) : -ENOMEM;
	if (!error)
		error = wan_array_reserve(&live->files, &live->capacity, live->count + 1,
					  sizeof(live->files[0]));
	if (error) {
		if (file && file->glance.bytes)
			wan_glance_close(&file->glance);
		wan_free(file);
		return error;
	}
	file->outside.cpu_percent = -1;
	wan_str_copy(file->path, sizeof(file->path), path);
	live->files[live->count++] = file;
	return 0;
}

int live_open(struct live *live, const char *path)
{
	struct wan_find_identity identity;
	static const uint8_t none[16];
	*live = (struct live){0};
	int error = wan_find_identify(path, &identity);
	if (!error)
		error = add(live, path);
	if (error)
		return error;
	memcpy(live->run_id, identity.run_id, sizeof(live->run_id));
	if (memcmp(live->run_id, none, sizeof(none)) == 0)
		return 0;
	wan_str_copy(live->folder, sizeof(live->folder), path);
	char *slash = strrchr(live->folder, '/');
	live->folder[slash ? (size_t)(slash - live->folder) : 0] = '\0';
	live_follow(live);
	return 0;
}

/* One that is being made at this moment is found the next time. */
void live_follow(struct live *live)
{
	struct wan_find_identity identity;
	char **paths;
	size_t count;
	if (!live->folder[0] || wan_read_list(live->folder, &paths, &count) != 0)
		return;
	for (size_t i = 0; i < count && live->count < FILES_MOST; i++)
		if (!is_known(live, paths[i]) && wan_find_identify(paths[i], &identity) == 0 &&
		    memcmp(identity.run_id, live->run_id, sizeof(live->run_id)) == 0)
			add(live, paths[i]);
	wan_read_list_free(paths, count);
}

bool live_runs(const struct live *live)
{
	for (size_t i = 0; i < live->count; i++) {
		const struct wan_process *process = wan_glance_process(&live->files[i]->glance);
		if (process->live)
			return true;
	}
	return false;
}

void live_close(struct live *live)
{
	if (live->seen) {
		wan_trackers_finish(&live->trackers);
		wan_view_finish(&live->view);
	}
	for (size_t i = 0; i < live->count; i++) {
		wan_glance_close(&live->files[i]->glance);
		wan_free(live->files[i]);
	}
	wan_free(live->files);
	live_forget_jobs(live);
	*live = (struct live){0};
}
