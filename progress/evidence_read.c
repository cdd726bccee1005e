/* SPDX-License-Identifier: MIT */
/* Reads the files of the kernel that evidence.c understands; each descriptor stays open. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "evidence.h"
#include "fork.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

enum { TEXT_BYTES = 8192 }; /* memory.stat has about 4000 */

static int open_text(const char *path)
{
	return wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
}

static int open_of_process(uint32_t pid, const char *name)
{
	char path[64];
	wan_str_format(path, sizeof(path), "/proc/%u/%s", pid, name);
	return open_text(path);
}

static int open_of_thread(const struct wan_evidence_reader *reader, const char *name)
{
	char path[80];
	wan_str_format(path, sizeof(path), "/proc/%u/task/%u/%s", reader->pid, reader->thread,
		       name);
	return open_text(path);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		wan_sys->close(*fd);
	*fd = -1;
}

/* The text, or "" when it cannot be read. */
static const char *text_of(int fd, char *to, size_t bytes)
{
	if (fd < 0 || wan_procfs_pread(fd, to, bytes) < 0)
		to[0] = '\0';
	return to;
}

static void close_thread(struct wan_evidence_reader *reader)
{
	close_one(&reader->thread_stat);
	close_one(&reader->thread_sched);
	close_one(&reader->wait);
	close_one(&reader->call);
}

static void open_thread(struct wan_evidence_reader *reader, uint32_t thread)
{
	reader->thread = thread ? thread : reader->pid;
	reader->thread_stat = open_of_thread(reader, "stat");
	reader->thread_sched = open_of_thread(reader, "schedstat");
	reader->wait = open_of_thread(reader, "wchan");
	reader->call = open_of_thread(reader, "syscall");
}

/* A file of the memory group below one of the usual mounts; in a container the group's own path may
 * not be there, and the mount's root is it. */
static int open_of_group(const char *mount, const char *group, const char *name)
{
	char path[512];
	if (!strstr(group, "..")) {
		wan_str_format(path, sizeof(path), "%s%s/%s", mount, group, name);
		int fd = open_text(path);
		if (fd >= 0)
			return fd;
	}
	wan_str_format(path, sizeof(path), "%s/%s", mount, name);
	return open_text(path);
}

/* Path of the group in the line that begins with "NUMBER:names:"; NULL: no such line. */
static const char *group_path(char *text, const char *names)
{
	char *line = strstr(text, names);
	if (!line)
		return NULL;
	line += strlen(names);
	line[strcspn(line, "\n")] = '\0';
	return *line == '/' ? (line[1] ? line : "") : NULL;
}

static uint64_t read_kills(const struct wan_evidence_reader *reader)
{
	char text[TEXT_BYTES];
	uint64_t kills;
	text_of(reader->kills, text, sizeof(text));
	return wan_procfs_field(text, "oom_kill", &kills) == 0 ? kills : UINT64_MAX;
}

static void open_group(struct wan_evidence_reader *reader)
{
	char text[TEXT_BYTES], path[64], copy[TEXT_BYTES];
	wan_str_format(path, sizeof(path), "/proc/%u/cgroup", reader->pid);
	if (wan_procfs_read(path, text, sizeof(text)) < 0)
		text[0] = '\0';
	memcpy(copy, text, sizeof(copy));
	const char *group = group_path(text, ":memory:");
	if (group) {
		reader->memory = open_of_group("/sys/fs/cgroup/memory", group, "memory.stat");
		reader->kills = open_of_group("/sys/fs/cgroup/memory", group, "memory.oom_control");
	} else if ((group = group_path(copy, "0::"))) {
		reader->memory = open_of_group("/sys/fs/cgroup", group, "memory.stat");
		reader->kills = open_of_group("/sys/fs/cgroup", group, "memory.events");
	}
	if (reader->memory < 0)
		reader->memory = open_text("/proc/vmstat");
	if (reader->kills < 0)
		reader->kills = open_text("/proc/vmstat");
	reader->kills_before = read_kills(reader);
}

int wan_evidence_open(struct wan_evidence_reader *reader, uint32_t pid, uint32_t thread)
{
	if (!reader || pid > INT32_MAX || thread > INT32_MAX)
		return -EINVAL;
	uint32_t own = (uint32_t)getpid();
	struct wan_evidence_reader opened = {
		.pid = pid ? pid : own,
		.own = !pid || pid == own,
		.fork_generation = wan_fork_generation(),
		.stat = -1,
		.io = -1,
		.memory = -1,
		.kills = -1,
		.open = true,
	};
	int error = wan_procfs_start_time((int)opened.pid, &opened.start_ticks);
	if (error == -ENOENT || error == -ESRCH)
		return -ESRCH;
	opened.stat = open_of_process(opened.pid, "stat");
	opened.io = open_of_process(opened.pid, "io");
	open_group(&opened);
	open_thread(&opened, thread);
	*reader = opened;
	return 0;
}

void wan_evidence_thread(struct wan_evidence_reader *reader, uint32_t thread)
{
	uint32_t wanted = thread ? thread : reader->pid;
	if (!reader->open || wanted == reader->thread || wanted > INT32_MAX)
		return;
	close_thread(reader);
	open_thread(reader, wanted);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec time;
	if (wan_sys->clock_gettime(clock, &time) != 0)
		return UINT64_MAX;
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The kernel's number for the CPU clock of a process: finer than the ticks in stat. */
static uint64_t process_cpu_ns(const struct wan_evidence_reader *reader)
{
	return clock_ns(reader->own ? CLOCK_PROCESS_CPUTIME_ID
				    : (clockid_t)(~(unsigned)reader->pid << 3 | 2));
}

static void read_process(struct wan_evidence_reader *reader, struct wan_evidence *evidence)
{
	char text[2048];
	uint64_t start_ticks = reader->start_ticks;
	int length =
		reader->stat >= 0 ? wan_procfs_pread(reader->stat, text, sizeof(text)) : -EACCES;
	if (length == -ESRCH || length == 0) {
		evidence->readable = evidence->gone = true;
		return;
	}
	if (length < 0)
		return;
	wan_evidence_parse_stat(evidence, text, false, &start_ticks);
	if (start_ticks != reader->start_ticks)
		evidence->gone = true; /* the pid serves another process */
	if (evidence->gone)
		return;
	uint64_t cpu = process_cpu_ns(reader);
	if (cpu != UINT64_MAX)
		evidence->cpu_ns = cpu;
	wan_evidence_parse_io(evidence, text_of(reader->io, text, sizeof(text)));
}

static void read_thread(struct wan_evidence_reader *reader, struct wan_evidence *evidence)
{
	char text[2048], call[128];
	uint64_t unused;
	wan_evidence_parse_stat(evidence, text_of(reader->thread_stat, text, sizeof(text)), true,
				&unused);
	text_of(reader->thread_sched, text, sizeof(text));
	text[strcspn(text, " \n")] = '\0';
	if (wan_parse_u64(text, &evidence->thread_cpu_ns) != 0)
		evidence->thread_cpu_ns = UINT64_MAX;
	text_of(reader->wait, text, 128);
	wan_evidence_parse_wait(evidence, text, text_of(reader->call, call, sizeof(call)));
}

static void read_group(struct wan_evidence_reader *reader, struct wan_evidence *evidence)
{
	char text[TEXT_BYTES];
	uint64_t pages, more, kills = read_kills(reader);
	text_of(reader->memory, text, sizeof(text));
	if (wan_procfs_field(text, "workingset_refault_file", &pages) == 0 &&
	    wan_procfs_field(text, "workingset_refault_anon", &more) == 0)
		evidence->refaults = pages + more;
	else if (wan_procfs_field(text, "workingset_refault", &pages) == 0)
		evidence->refaults = pages;
	if (kills != UINT64_MAX && reader->kills_before != UINT64_MAX)
		evidence->out_of_memory_kills = wan_elapsed(reader->kills_before, kills);
}

/* Killed by SIGKILL, as far as it is known, while its group lost a process for lack of memory. */
static void judge_end(struct wan_evidence *evidence)
{
	bool counted = evidence->out_of_memory_kills && evidence->out_of_memory_kills != UINT64_MAX;
	bool killed = evidence->exit_status < 0 || (evidence->exit_status & 0x7f) == SIGKILL;
	evidence->killed_for_memory = evidence->gone && counted && killed;
}

void wan_evidence_take(struct wan_evidence_reader *reader, struct wan_evidence *ret_evidence)
{
	*ret_evidence = (struct wan_evidence){
		.time_ns = wan_now_ns(),
		.exit_status = -1,
		.cpu_ns = UINT64_MAX,
		.thread_cpu_ns = UINT64_MAX,
		.storage_bytes = UINT64_MAX,
		.call_bytes = UINT64_MAX,
		.major_faults = UINT64_MAX,
		.refaults = UINT64_MAX,
		.out_of_memory_kills = UINT64_MAX,
		.device_done = UINT64_MAX,
		.gpu_percent = -1,
	};
	if (!reader->open || (reader->own && reader->fork_generation != wan_fork_generation()))
		return;
	read_process(reader, ret_evidence);
	if (!ret_evidence->gone)
		read_thread(reader, ret_evidence);
	read_group(reader, ret_evidence);
	judge_end(ret_evidence);
}

void wan_evidence_close(struct wan_evidence_reader *reader)
{
	if (!reader || !reader->open)
		return;
	close_one(&reader->stat);
	close_one(&reader->io);
	close_one(&reader->memory);
	close_one(&reader->kills);
	close_thread(reader);
	reader->open = false;
}
