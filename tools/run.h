/* SPDX-License-Identifier: MIT */
/* The parts of `wanprof run`: what it will execute, with which libraries, into which files. */
#ifndef WAN_TOOLS_RUN_H
#define WAN_TOOLS_RUN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "config.h"
#include "wan/status.h"

struct wan_recorder;

/* --alloc: who counts the bytes of an operation. */
enum run_alloc {
	RUN_ALLOC_AUTO,     /* hooks; beside a jemalloc that is the program's own, its counters */
	RUN_ALLOC_COUNT,    /* hooks around whatever allocator there is */
	RUN_ALLOC_JEMALLOC, /* jemalloc becomes the allocator */
	RUN_ALLOC_OFF,
};

/* --audit: whether the loader is asked about each binding, which finds what preloading cannot. */
enum run_audit {
	RUN_AUDIT_AUTO, /* where it works */
	RUN_AUDIT_ON,   /* or the command does not start */
	RUN_AUDIT_OFF,
};

/* What was asked for; wanprof_run.c makes it from the options. */
struct run_request {
	const char *output; /* -o; NULL: the configured or default place */
	char *const *command;
	bool quiet, force, follow, live;
	enum run_alloc alloc;
	enum run_audit audit;
	struct wan_config config;
};
/* run_session.c: all of it. Returns the exit status of wanprof. */
int run_session(struct run_request *request);

/* run_program.c: can this program be recorded? */
struct run_program {
	char path[PATH_MAX]; /* as execvp() will find it; "" when it finds none */
	bool recordable;
	char reason[PATH_MAX + 160]; /* why not: a clause after "is not recorded: " */
	char elf[PATH_MAX];          /* what really runs: the program, or its interpreter */
	char loader[256];            /* the dynamic loader that starts it */
	const char *sanitizer;       /* it is built with; then only hooks are put there. Or NULL */
};
/* Never fails: an unreadable program is left to execvp() to complain about. */
void run_program_inspect(const char *name, struct run_program *ret_program);

/* run_find.c: the libraries that go into the command. False: not there. */
#define RUN_PRELOAD_NAME  "libwanrt-preload.so"
#define RUN_JEMALLOC_NAME "libjemalloc.so.2"
bool run_find_preload(char *to, size_t bytes);
bool run_find_jemalloc(char *to, size_t bytes);
bool run_find_is_file(const char *path);
/* Makes path one that the loader can find in a list: itself, or a link to it. */
bool run_find_make_safe(char *path, size_t bytes);

/* run_preload.c: the libraries put before the program's own. */
struct run_preload {
	char list[4 * PATH_MAX];           /* for LD_PRELOAD; "" when there is nothing to preload */
	bool recording;                    /* our library is in it */
	char reason[PATH_MAX + 256];       /* why something is missing; "" when all is there */
	char audit[2 * PATH_MAX];          /* for LD_AUDIT; "": without */
	char tunables[1024];               /* for GLIBC_TUNABLES, with an auditor */
	char audit_reason[PATH_MAX + 256]; /* why there is no auditor though one was wanted */
};
/* Looks, builds the lists and tries them. */
void run_preload_prepare(const struct run_request *request, const struct run_program *program,
			 struct run_preload *ret_preload);

/* run_audit.c: audit and tunables, or audit_reason. ours: path of the preload library. */
void run_audit_prepare(const char *ours, const struct run_program *program,
		       struct run_preload *preload);
void run_audit_refuse(struct run_preload *preload, const char *reason, const char *detail);

/* run_trial.c: `true` starts under it without a word; messages gets the loader's words. */
bool run_trial_start(const struct run_preload *preload, char *messages, size_t bytes);
/* The loader can link elf under it; nothing of elf runs. */
bool run_trial_link(const struct run_preload *preload, const char *elf, char *messages,
		    size_t bytes);
/* What is put before that program, as the files are now; what passed is remembered by it. */
uint64_t run_trial_key(const struct run_preload *preload, const struct run_program *program);
bool run_trial_is_known(uint64_t key);
void run_trial_remember(uint64_t key);

/* run_files.c: FILE, and FILE.d/ that holds the recordings of the processes until the end. */
struct run_files {
	char path[PATH_MAX];   /* FILE, absolute */
	char folder[PATH_MAX]; /* FILE.d/, absolute, with the final slash */
	char link[PATH_MAX];   /* to it, in the default folder; "": none */
	bool force;
};
/*
 * path is a file, a folder with the final slash, or NULL for the default folder; in a folder the
 * name is NAME-PID-START.wprof. Refuses what exists, makes FILE.d/. 0, negative errno.
 */
int run_files_prepare(struct run_files *files, const char *path, const char *program, bool force,
		      struct wan_error *reterr_error);
/* Remove the folder, what is in it, and the link. */
void run_files_discard(const struct run_files *files);

/* How the command ended. */
struct run_outcome {
	pid_t pid;
	uint32_t state; /* enum wan_run_state */
	int status;     /* for our own exit: 0..255, or 128 + signal, 126, 127 */
	int exit_status, signal;
	bool started; /* false: exec failed */
	uint64_t start_ns, end_ns;
	struct rusage usage;
};

/*
 * run_pack.c: FILE.d/ becomes FILE. follow false: without the command's children. *ret_alive:
 * processes still recording (FILE.d/ stays then).
 */
int run_pack(const struct run_files *files, bool follow, const struct run_outcome *outcome,
	     unsigned *ret_alive, struct wan_error *reterr_error);

/* run_sample.c: what the command needs, seen from outside. */
struct run_sampler {
	struct wan_recorder *recorder; /* NULL: samples are dropped */
	pid_t pid;
	uint64_t start_ns, next_ns;
	uint64_t cpu_ns, at_ns; /* of the sample before */
	uint64_t oom_kills;     /* of our cgroup, before the start */
	unsigned count;
};
void run_sampler_start(struct run_sampler *sampler, struct wan_recorder *recorder, pid_t pid);
/* Takes a sample when it is time. Returns ns until the next one. */
uint64_t run_sampler_step(struct run_sampler *sampler);
/* Has the kernel killed something in our cgroup for memory since the start? */
bool run_sampler_saw_oom_kill(const struct run_sampler *sampler);

/* run_before.c: how the command found the machine, and what it had to read. Without prepare the
 * others do nothing. folder, borrowed: that of the recording; start_ns: when the command began. */
void run_before_prepare(struct wan_recorder *recorder, const char *folder);
void run_before_start(uint64_t start_ns);
void run_before_step(void);
void run_before_end(const struct rusage *usage);

/* run_live.c: a line about the run at the foot of the terminal. False: there is no terminal.
 * own_recording: that of wanprof itself, which leads to the others. */
bool run_live_start(const char *own_recording);
/* Draws when it is time. Returns ns until the next time; UINT64_MAX: never. */
uint64_t run_live_step(void);
/* Takes the line away until the next step: somebody else is about to use the terminal. */
void run_live_hide(void);
void run_live_stop(void);

/* run_gpu.c: bytes in use on all GPUs, and hundredths of a percent of the busiest one. */
#define RUN_GPU_UNKNOWN 65535u
void run_gpu_start(void);
bool run_gpu_is_present(void);
/* What the first answer of the driver was; false: there is none yet. */
struct run_gpu_look {
	uint64_t used_bytes, largest_bytes; /* of all devices; of the largest */
	uint64_t at_ns;
	char model[64]; /* of the first device; "" */
};
bool run_gpu_first_look(struct run_gpu_look *ret_look);
/* UINT64_MAX and RUN_GPU_UNKNOWN as long as nobody knows. */
void run_gpu_read(uint64_t *ret_used_bytes, uint64_t *ret_percent);
/* The hottest, all together, NVML's reasons of any: RUN_GPU_UNKNOWN, UINT32_MAX, UINT32_MAX. */
void run_gpu_sensors(uint64_t *ret_celsius, uint64_t *ret_mw, uint64_t *ret_slowed);

/* run_cgroup.c: 0, -ENOENT (no memory cgroup in sight). */
int run_cgroup_need_bytes(uint64_t *ret_bytes);
int run_cgroup_oom_kills(uint64_t *ret_count);

/* Among the variables: completed by the command's own process, which alone knows its number. */
#define RUN_ONLY_PID "WAN_RECORD_ONLY_PID="
/* run_child.c: start it, wait, hand signals on. variables: "NAME=value" to set, NULL-ended;
 * recorder may be NULL. Returns 0 or negative errno when no process could be made. */
int run_child(char *const *argv, const char *const *variables, struct wan_recorder *recorder,
	      struct run_outcome *ret_outcome);

#endif
