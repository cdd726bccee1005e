/* SPDX-License-Identifier: MIT */
/* Bytes of an image, from a regular file or from memory, through one window. */
#ifndef WAN_IMAGE_SOURCE_H
#define WAN_IMAGE_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "file_state.h"
#include "wan/status.h"

struct wan_source {
	const char *name;     /* borrowed; the object of errors */
	const uint8_t *bytes; /* memory source, borrowed; else NULL */
	int fd;               /* file source; else -1 */
	uint64_t size;        /* bytes in all, fixed at opening */
	uint64_t position;    /* of the next sequential piece */
	uint8_t *window;      /* file source: the bytes at window_at */
	uint64_t window_at;
	size_t window_used;
	int error; /* first failed read, negative errno: tells an I/O error from a short file */
};

/* A file must be regular: a folder is -EISDIR, a FIFO or device -EINVAL, without waiting for it;
 * an empty file is -ENODATA. source is untouched on failure. */
int wan_source_open_file(struct wan_source *source, const char *path,
			 struct wan_error *reterr_error);
/* -EINVAL (NULL), -ENODATA (no bytes). */
int wan_source_open_memory(struct wan_source *source, const void *bytes, size_t count,
			   struct wan_error *reterr_error);
/* Also valid on a zeroed source. Keeps errno. */
void wan_source_close(struct wan_source *source);
/* Of the open file, as it is now. 0, -ENOTSUP (bytes in memory), negative errno. */
int wan_source_identity(const struct wan_source *source, struct wan_file_identity *ret_identity);
/* Copies up to count bytes from offset; fewer only at the end. Returns the number, negative errno.
 */
ssize_t wan_source_read_at(struct wan_source *source, uint64_t offset, void *to, size_t count);
/* The next piece in order, borrowed until the next call. *ret_count is 0 at the end.
 * Returns 0, negative errno. */
int wan_source_next(struct wan_source *source, const uint8_t **ret_bytes, size_t *ret_count);

#endif
