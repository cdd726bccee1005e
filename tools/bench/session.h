/* SPDX-License-Identifier: MIT */
/* One start of wanprof-bench: disturbed as the plan says, watched, and ended when it takes too
 * long. */
#ifndef WAN_TOOLS_BENCH_SESSION_H
#define WAN_TOOLS_BENCH_SESSION_H

#include "bench_plan.h"

struct session_start {
	const char *const *arguments; /* ended by NULL */
	const char *folder;           /* of the pictures */
	uint64_t timeout_ms;
	const struct bench_injection *injection; /* may be NULL */
	const char *group;                       /* cgroup to be put into; NULL: none */
	/* A line of what it says, without the newline. */
	void (*take)(void *context, char *line);
	/* Now and then, at least every 100 ms. */
	void (*meanwhile)(void *context);
	void *context;
};

struct session_end {
	int status, signal; /* exit status, or the signal that ended it (0: none) */
	bool timed_out, interrupted;
	char said[256]; /* its last line on standard error */
};

/* What a child says that could not inject what was asked for. */
enum { SESSION_NOT_INJECTED = 121 };

/* 0, negative errno: it could not be started. */
int bench_session_run(const struct session_start *start, struct session_end *ret_end);

/* Between these two, an interrupt or a termination ends what runs and is remembered. */
void bench_interrupts_begin(void);
int bench_interrupted(void); /* the signal, 0: none */
void bench_interrupts_end(void);

/* Make a memory cgroup of so many bytes below our own. 0, or negative errno and a reason in words.
 */
int bench_group_make(char *ret_folder, size_t bytes, uint64_t limit_bytes, char *reterr_reason,
		     size_t reason_bytes);
void bench_group_remove(const char *folder);
/* Of the calling process; async-signal-safe. */
int bench_group_join(const char *folder);

#endif
