/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_FILE_STATE_H
#define WAN_IMAGE_FILE_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* What tells one state of a file from another. */
struct wan_file_identity {
	uint64_t device, inode, size;
	int64_t mtime_ns;
};

static inline bool wan_file_identity_equal(const struct wan_file_identity *a,
					   const struct wan_file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns;
}

#endif
