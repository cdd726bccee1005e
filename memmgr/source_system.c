/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>

#include "procfs.h"

int wan_source_system_open(struct wan_source_system *source, const char *root)
{
	return wan_kept_open(&source->meminfo, root, "", "/proc/meminfo");
}

int wan_source_system_read(struct wan_source_system *source, uint64_t *ret_total_bytes,
			   uint64_t *ret_available_bytes)
{
	char text[4096];
	int length = wan_kept_read(&source->meminfo, text, sizeof(text));
	if (length < 0)
		return length;
	uint64_t total_kib, available_kib;
	int status = wan_procfs_field(text, "MemTotal:", &total_kib);
	if (status >= 0)
		status = wan_procfs_field(text, "MemAvailable:", &available_kib);
	if (status < 0)
		return status;
	if (!total_kib || total_kib > UINT64_MAX / 1024)
		return -EBADMSG;
	if (available_kib > total_kib) /* seen on containers that fake meminfo */
		available_kib = total_kib;
	*ret_total_bytes = total_kib * 1024;
	*ret_available_bytes = available_kib * 1024;
	return 0;
}

void wan_source_system_close(struct wan_source_system *source)
{
	wan_kept_close(&source->meminfo);
}
