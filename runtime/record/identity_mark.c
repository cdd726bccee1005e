/* SPDX-License-Identifier: MIT */
#include "identity_mark.h"

#include <sys/stat.h>

#include "hash.h"

#define END_BYTES 4096u

static uint64_t never_zero(uint64_t mark)
{
	return mark ? mark : 1;
}

uint64_t wan_identity_of_file(const struct stat *status, int64_t offset)
{
	const uint64_t words[] = {
		(uint64_t)status->st_dev,          (uint64_t)status->st_ino,
		(uint64_t)status->st_size,         (uint64_t)status->st_mtim.tv_sec,
		(uint64_t)status->st_mtim.tv_nsec, (uint64_t)status->st_ctim.tv_sec,
		(uint64_t)status->st_ctim.tv_nsec, (uint64_t)offset,
	};
	if (!S_ISREG(status->st_mode))
		return 0;
	return never_zero(wan_hash64(words, sizeof(words), 1));
}

uint64_t wan_identity_of_bytes(const void *bytes, size_t count)
{
	const char *at = bytes;
	if (!count || !bytes)
		return 0;
	if (count <= 2 * END_BYTES)
		return never_zero(wan_hash64(at, count, count));
	uint64_t first = wan_hash64(at, END_BYTES, count);
	return never_zero(wan_hash64(at + count - END_BYTES, END_BYTES, first));
}
