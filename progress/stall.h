/* SPDX-License-Identifier: MIT */
/* When silence is too long, and what it is. Pure. */
#ifndef WAN_PROGRESS_STALL_H
#define WAN_PROGRESS_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "job.h"
#include "prior.h"

/* Values are stable: they are recorded and exported by name. */
enum wan_cause {
	WAN_CAUSE_UNKNOWN,
	WAN_CAUSE_COMPUTING, /* the processor or the device works */
	WAN_CAUSE_LOADING,   /* bytes come from or go to files */
	WAN_CAUSE_GPU_WAIT,
	WAN_CAUSE_LOCK,
	WAN_CAUSE_DISK,
	WAN_CAUSE_THRASHING,
	WAN_CAUSE_STOPPED,
	WAN_CAUSE_GONE,
	WAN_CAUSE_KILLED_FOR_MEMORY,
	WAN_CAUSE_WAITING, /* for a pipe, a socket, a timer */
	WAN_CAUSES
};

enum wan_stall_state {
	WAN_STALL_NOT_KNOWN, /* nobody can say how long it may take */
	WAN_STALL_FINE,
	WAN_STALL_GRACE,     /* late, but a one-off was declared */
	WAN_STALL_LOOKING,   /* late; the evidence is too young to judge by */
	WAN_STALL_LONG_STEP, /* late, and it gets on: a notice */
	WAN_STALL_STALLED,   /* late, or dead, or stopped, without a sign of progress */
};

struct wan_stall {
	enum wan_stall_state state;
	enum wan_cause cause;
	uint64_t silent_ns;
	uint64_t look_in_ns;  /* a look is due then; UINT64_MAX: not before the next step */
	uint64_t deadline_ns; /* silence that is too long; UINT64_MAX: not known */
	double typical_ns;    /* of a step or, where there are none, of the phase; 0: not known */
	/* What was seen, of the window that was judged. */
	double window_s, cpu_percent, megabytes_per_s, refaults_per_s;
	char where[32];
};

/* What of the samples in a window was seen how often. */
struct wan_stall_window {
	struct wan_evidence first;
	uint32_t samples, running, device, disk, futex, other;
};

/* One per tracker that is watched; zeroed is new. */
struct wan_stall_watch {
	uint64_t updates, phase, phase_name, begun; /* as last seen */
	uint64_t moved_ns, looked_ns; /* CLOCK_MONOTONIC: of the latest move, of the latest look */
	uint64_t due_ns;              /* of the next look; 0: none was asked for */
	bool seen;
	struct wan_stall_window window, younger; /* younger takes over after a while */
	struct wan_evidence latest;
};

/*
 * Silence that is too long: max(1.5 m, m + 8 MAD) of the steps of this phase, at least 0.75 s; for
 * its first step, and for phases without steps, what earlier jobs took. UINT64_MAX: not known.
 */
uint64_t wan_stall_deadline_ns(const struct wan_job *job, const struct wan_prior *prior);
/* Evidence is worth its cost: the deadline is near or over. */
bool wan_stall_wants_evidence(const struct wan_stall_watch *watch, const struct wan_job *job,
			      const struct wan_prior *prior);
/*
 * A look at a job: prior NULL: nothing is known of earlier ones; evidence NULL: none was read. To
 * be called each 0.1 to 1 s, or when look_in_ns is over. A process that is gone or stopped is told
 * at once, whatever the deadline. now_ns: CLOCK_MONOTONIC; time in suspend is no silence, nor is it
 * while whoever looks was itself stopped.
 */
void wan_stall_step(struct wan_stall_watch *watch, const struct wan_job *job,
		    const struct wan_prior *prior, const struct wan_evidence *evidence,
		    uint64_t now_ns, struct wan_stall *ret_stall);

/* What two moments say, and the samples between them. */
enum wan_cause wan_stall_cause(const struct wan_stall_window *window,
			       const struct wan_evidence *latest, struct wan_stall *ret_figures);
/* It gets on: slow is not stuck. */
bool wan_cause_progresses(enum wan_cause cause);
/* "gpu_wait"; static. */
const char *wan_cause_name(enum wan_cause cause);
/* "waiting for the GPU"; static. */
const char *wan_cause_text(enum wan_cause cause);
/* "no step for 14.2 s, 9.0 s is typical: waiting for a lock" in to; returns to. */
const char *wan_stall_message(const struct wan_stall *stall, const struct wan_job *job, char *to,
			      size_t to_bytes);

#endif
