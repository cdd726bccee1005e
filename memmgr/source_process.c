/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int wan_source_process_open(struct wan_source_process *source, const char *root)
{
	return wan_kept_open(&source->statm, root, "", "/proc/self/statm");
}

int wan_source_process_read(struct wan_source_process *source, uint64_t *ret_rss_bytes)
{
	char text[128];
	int length = wan_kept_read(&source->statm, text, sizeof(text));
	if (length < 0)
		return length;
	char *end;
	strtoull(text, &end, 10); /* size, not wanted */
	if (end == text || *end != ' ')
		return -EBADMSG;
	char *second = end;
	unsigned long long pages = strtoull(second, &end, 10);
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	if (end == second || pages > UINT64_MAX / page_bytes)
		return -EBADMSG;
	*ret_rss_bytes = pages * page_bytes;
	return 0;
}

void wan_source_process_close(struct wan_source_process *source)
{
	wan_kept_close(&source->statm);
}
