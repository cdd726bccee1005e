/* SPDX-License-Identifier: MIT */
/* Kind and size of a picture by its first bytes, in memory and in a file. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/python/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct wan_header memory, file;
	wan_header_of_bytes(bytes, count, &memory);
	if (memory.kind == WAN_PICTURE_OTHER && (memory.width_px || memory.height_px))
		abort();
	int fd = memfd_create("picture", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		abort();
	wan_header_of_file(fd, &file);
	/* A file is looked at from 32 bytes on; of a JPEG it may tell less, never something else.
	 */
	if (count >= 32 && memory.kind != file.kind)
		abort();
	if (file.width_px && (file.width_px != memory.width_px || file.kind != memory.kind))
		abort();
	close(fd);
	return 0;
}
