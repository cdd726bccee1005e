/* SPDX-License-Identifier: MIT */
/* What the kernel tells of a watched process. */
#include "live.h"

#include <string.h>

#include "clock.h"
#include "procfs.h"
#include "str.h"

static char state_of(int pid)
{
	char path[64], text[1024];
	wan_str_format(path, sizeof(path), "/proc/%d/stat", pid);
	if (wan_procfs_read(path, text, sizeof(text)) <= 0)
		return 0;
	const char *end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

void live_look_outside(struct live_file *file, uint64_t now_ns)
{
	const struct wan_process *process = wan_glance_process(&file->glance);
	struct live_outside *outside = &file->outside;
	uint64_t cpu_ns, before_ns = outside->cpu_ns, past_ns = outside->at_ns;
	int pid = (int)process->header.pid;
	*outside = (struct live_outside){.cpu_percent = -1, .at_ns = now_ns};
	if (!process->live)
		return;
	outside->state = state_of(pid);
	if (wan_procfs_rss_bytes(pid, &outside->rss_bytes) != 0)
		outside->rss_bytes = 0;
	if (wan_procfs_cpu_ns(pid, &cpu_ns) != 0)
		return;
	outside->cpu_ns = cpu_ns;
	if (past_ns && now_ns > past_ns)
		outside->cpu_percent =
			100 * (double)wan_elapsed(before_ns, cpu_ns) / (double)(now_ns - past_ns);
}
