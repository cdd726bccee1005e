/* SPDX-License-Identifier: MIT */
/*
 * A mark of an input, so that a reader of the recording can tell the same input from another one:
 * of a file its device, inode, size and time of change; of bytes in memory their number and the
 * first and last 4 KiB. 0 is "not known". Marks of files and of bytes never meet on purpose.
 */
#ifndef WAN_RECORD_IDENTITY_MARK_H
#define WAN_RECORD_IDENTITY_MARK_H

#include <stddef.h>
#include <stdint.h>

struct stat;

/* What is read from this offset on; 0 when it is no regular file. Cost: a few multiplications. */
uint64_t wan_identity_of_file(const struct stat *status, int64_t offset);
/* bytes may be NULL when count is 0. Cost: at most 0.7 us. */
uint64_t wan_identity_of_bytes(const void *bytes, size_t count);

#endif
