/* SPDX-License-Identifier: MIT */
/*
 * A run that is being watched: its recordings, looked at from outside without stopping or slowing
 * its processes. Jobs and counters come from glances, many times a second; operations, actions and
 * alerts from whole readings, as seldom as their cost asks for.
 */
#ifndef WAN_TOOLS_LIVE_H
#define WAN_TOOLS_LIVE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate.h"
#include "find.h"
#include "glance.h"
#include "stall.h"
#include "trackers.h"

/* What else is known of a process from outside, once a second. */
struct live_outside {
	char state;             /* as in /proc: R S D T Z; 0: not known */
	double cpu_percent;     /* of one core; negative: not known */
	uint64_t rss_bytes;     /* 0: not known */
	uint64_t cpu_ns, at_ns; /* of the look before */
};

struct live_file {
	char path[PATH_MAX];
	struct wan_glance glance;
	struct live_outside outside;
	bool ended; /* and looked at once more since */
};

/* Operations of a kind, with what happened lately. */
struct live_row {
	char name[64], library[24];
	uint64_t count, inside_ns, p50_ns, p99_ns, max_ns, peak_bytes;
	unsigned in_flight;
	uint64_t oldest_ns; /* how long the oldest of these has been under way */
	double per_second;  /* negative: not known yet */
};
enum { LIVE_ROWS = 64 };

/* An action or alert, as a text. */
struct live_event {
	uint64_t time_ns;
	uint32_t kind, code; /* enum wan_record_kind; level or severity */
	char text[256];
};
enum { LIVE_EVENTS = 8 };

/* What is to be expected of a job, as of the latest look. */
struct live_verdict {
	bool eta_known;
	uint64_t eta_low_ns, eta_high_ns;
	uint64_t after_ns; /* what the program does after its last bar; 0: nothing, or not known */
	double rate;       /* done a second, lately; negative: not known */
	bool stalled; /* longer without an update than its steps explain, and no sign of work */
	bool late;    /* as long, but it gets on */
	uint64_t quiet_ns; /* since the latest update */
	char text[160];    /* of one that is stalled or late */
};

/* What is kept of a job from look to look. */
enum { LIVE_PAST = 16 };
struct live_job {
	uint32_t pid;
	char name[64];
	uint64_t begin_ns; /* pid, name and this say which job */
	bool here;         /* in this look */
	/* Where it stood at its updates, at most two a second, for its rate. */
	struct {
		uint64_t time_ns, done;
	} at[LIVE_PAST];
	unsigned count, next;
	struct wan_stall_watch watch;
	struct wan_evidence_reader reader;
	bool asked_prior; /* earlier recordings have been looked for */
	struct wan_prior *prior;
	struct live_verdict verdict;
};

struct live {
	struct live_file **files; /* one a process */
	size_t count, capacity;
	uint8_t run_id[16];
	char folder[PATH_MAX];
	uint64_t followed_ns, outside_ns, whole_ns; /* when last */
	uint64_t whole_cost_ns, glance_cost_ns;
	struct wan_view view; /* of the glances */
	struct wan_trackers trackers;
	bool seen; /* view and trackers are there */
	struct live_row rows[LIVE_ROWS];
	size_t row_count;
	uint64_t rows_ns;
	struct live_event events[LIVE_EVENTS]; /* the latest, oldest first */
	size_t event_count;
	uint64_t actions, alerts;
	struct live_job **jobs;
	size_t job_count, job_capacity;
	uint64_t asked_priors_ns; /* when last */
};

/* live_files.c. Open the run that this recording belongs to. 0, negative errno. */
int live_open(struct live *live, const char *path);
void live_close(struct live *live);
/* Processes of the run that came since. */
void live_follow(struct live *live);
/* Does one of its processes still record? */
bool live_runs(const struct live *live);

/* A run that could be watched. */
struct live_choice {
	char path[PATH_MAX]; /* of its first recording */
	struct wan_find_identity identity;
	unsigned processes;
};
/* live_find.c: runs with a living process, newest first; at most `most`. How many. */
size_t live_find(struct live_choice *choices, size_t most);
/* The recording of a living process. 0, -ENOENT. */
int live_find_pid(uint32_t pid, char *to, size_t bytes);

/* live_look.c: all of it, each part as often as it is worth. 1: a job moved or ended since the look
 * before, 0, -ENOMEM. */
int live_look(struct live *live);
/* Is there something new to look at? Cheap enough to ask all the time. */
bool live_moved(const struct live *live);
/* live_rows.c: what recordings of ended processes say; nothing is followed. They are borrowed until
 * live_close(). 0, -ENOMEM. */
int live_open_ended(struct live *live, struct wan_recording *const *recordings, size_t count);
/* Operations and events by a whole reading. 0, -ENOMEM. */
int live_read_whole(struct live *live, uint64_t now_ns);
/* Operations under way, by the glances. */
void live_count_in_flight(struct live *live);

/* live_outside.c */
void live_look_outside(struct live_file *file, uint64_t now_ns);

/* live_jobs.c: keeps what is known of each job up to date, and judges it. 0, -ENOMEM. */
int live_judge_all(struct live *live, uint64_t now_ns);
void live_forget_jobs(struct live *live);
/* As of the latest look; of an ended process what its recording alone says. */
const struct live_verdict *live_verdict(const struct live *live, const struct wan_tracker_row *row);

#endif
