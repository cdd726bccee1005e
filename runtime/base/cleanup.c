/* SPDX-License-Identifier: MIT */
#include "cleanup.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "sys.h"

void wan_fd_closep(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		wan_sys->close(*fd);
	*fd = -1;
	errno = saved;
}

void wan_freep(void *pointer)
{
	int saved = errno;
	void *block;
	memcpy(&block, pointer, sizeof(block));
	wan_free(block);
	errno = saved;
}
