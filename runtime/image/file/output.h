/* SPDX-License-Identifier: MIT */
/* A file that appears whole or not at all: written beside its place, then moved into it. Or bytes
 * in memory, for those who want no file. */
#ifndef WAN_IMAGE_OUTPUT_H
#define WAN_IMAGE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/status.h"

struct wan_output {
	const char *path; /* borrowed; NULL: memory */
	char *temporary;
	uint8_t *buffer;
	size_t used, capacity;
	uint64_t offset; /* of the file: where the buffer goes */
	int fd;
	bool overwrite;
	int error; /* first failure of a write; later ones are ignored */
};

/* -EEXIST without overwrite, -EISDIR, -EINVAL (in the place is something other than a file),
 * -ENOENT (no such folder), -EACCES, -EROFS, ... output is untouched on failure. */
int wan_output_open(struct wan_output *output, const char *path, bool overwrite,
		    struct wan_error *reterr_error);
/* So many bytes of data will come: -ENOSPC at once, before the disk is filled in vain, where the
 * file system says that it has not the room. Those that compress are not asked. 0 or the first
 * error. */
int wan_output_expect(struct wan_output *output, uint64_t count);
/* 0 or the first error. */
int wan_output_write(struct wan_output *output, const void *bytes, size_t count);
/* The next count bytes are zero: a hole of the file. 0 or the first error. */
int wan_output_skip(struct wan_output *output, uint64_t count);
/* Put the file into its place and finish the output, whatever the result: on failure nothing is
 * left. -ENOSPC, -EEXIST (somebody was faster), ... */
int wan_output_commit(struct wan_output *output, struct wan_error *reterr_error);
/* Memory instead of a file; then write, and take or abandon. 0, -ENOMEM. */
int wan_output_open_memory(struct wan_output *output);
/* The bytes go to the caller, who gives them back by wan_free(). 0, or the first error of a write
 * (nothing is handed over). */
int wan_output_take(struct wan_output *output, void **ret_bytes, size_t *ret_count);
/* Leave nothing behind. Keeps errno. */
void wan_output_abandon(struct wan_output *output);

#endif
