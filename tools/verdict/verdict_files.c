/* SPDX-License-Identifier: MIT */
#include "verdict_files.h"

#include <errno.h>

#include "alloc.h"
#include "wanprof.h"

int verdict_exit_status(int rc)
{
	switch (rc) {
	case -EBADMSG:
	case -ENOTSUP:
	case -EFBIG:
	case -EINVAL:
		return WANPROF_DAMAGED;
	case -ENOMEM:
		return WANPROF_NO_MEMORY;
	default:
		return WANPROF_NO_INPUT;
	}
}

int verdict_files_add(struct verdict_files *files, const char *path)
{
	struct wan_error error = {0};
	if (files->count == VERDICT_FILES_MAX) {
		wanprof_say("more than %d files; name fewer", VERDICT_FILES_MAX);
		return WANPROF_USAGE;
	}
	if (wan_array_reserve(&files->runs, &files->capacity, files->count + 1,
			      sizeof(files->runs[0]))) {
		wanprof_say("memory ran out; name fewer files");
		return WANPROF_NO_MEMORY;
	}
	int rc = run_facts_load(&files->runs[files->count], path, &error);
	if (rc) {
		wanprof_say_error(&error);
		return verdict_exit_status(rc);
	}
	if (files->runs[files->count++].damaged && !files->damaged)
		files->damaged = path;
	return 0;
}

void verdict_files_finish(struct verdict_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		run_facts_finish(&files->runs[i]);
	wan_free(files->runs);
	*files = (struct verdict_files){0};
}
