/* SPDX-License-Identifier: MIT */
/*
 * Writing the recording. After creation nothing allocates from the heap, takes a lock or needs a
 * system call except growth by one fallocate; if that fails, or the guest closed our descriptor,
 * the oldest records of the lane are folded into its aggregates and their space is used again.
 * Everything may be called from hooks inside any program: async-signal tolerant, errno kept.
 */
#ifndef WAN_RECORD_WRITER_H
#define WAN_RECORD_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "atomics.h"
#include "layout.h"
#include "macros.h"

struct wan_config;
struct wan_recorder;

/* Process-private state of a lane. */
struct wan_lane {
	struct wan_record_operation *next, *end; /* of the chunk being filled */
	uint64_t sequence;
	struct wan_record_lane *shared; /* mapped */
	struct wan_recorder *recorder;
	uint32_t thread;
	uint32_t depth;        /* in-flight entries in use, may exceed WAN_RECORD_INFLIGHT */
	uint32_t foreign_open; /* operations open in a linked runtime of this process */
	uint32_t private_words[9];
};

/* The lane of this thread, or NULL. Initial-exec TLS: the only thread-local word of this layer. */
extern __thread struct wan_lane *wan_lane_current __attribute__((tls_model("initial-exec")));

/*
 * The recorder of this process, made at the first call from the configuration (record.*): the
 * preload library's own one when it is there (see attach.h), else a file in the configured place,
 * else ("off", or no writable folder) anonymous memory, so that statistics and the JSON of a linked
 * program work all the same; with must_be_file NULL is returned instead. role: enum
 * wan_record_role. NULL: no memory. Any thread; cheap after the first call.
 */
struct wan_recorder *wan_recorder_process(const struct wan_config *config, uint32_t role,
					  bool must_be_file);
/* For tests and for wanprof run: a recorder of its own. path NULL: anonymous memory. */
int wan_recorder_create(const struct wan_config *config, uint32_t role, const char *path,
			struct wan_recorder **ret_recorder);
void wan_recorder_destroy(struct wan_recorder *recorder);
/* NULL when it lives in memory only. Borrowed. */
const char *wan_recorder_path(const struct wan_recorder *recorder);
struct wan_record_header *wan_recorder_header(struct wan_recorder *recorder);
/* A copy of what is recorded so far, for the reader; *ret_bytes long, wan_free() it. */
int wan_recorder_snapshot(struct wan_recorder *recorder, void **ret_copy, size_t *ret_bytes);
/* Child of a fork: forget the parent's recorder; the next wan_recorder_process() makes a new file.
 */
void wan_recorder_after_fork(void);
/* A forward step of the anchor list (at most once a second, from slow paths). */
void wan_recorder_anchor(struct wan_recorder *recorder);
/* Set how it ended (wanprof run, or an orderly exit of a linked runtime). */
void wan_recorder_set_outcome(struct wan_recorder *recorder, uint32_t state, int exit_status,
			      int signal);

/* Id of a text, the same for the same text; 0 when there is no room. Lock-free, no allocation. */
uint16_t wan_recorder_string(struct wan_recorder *recorder, const char *text);
/* 63 words of statistics in the recording, zeroed, or NULL when all blocks are taken. */
uint64_t *wan_recorder_counters(struct wan_recorder *recorder, uint32_t kind, const char *name);
/* Give a block back (a tracker that ended may keep it: the reader shows ended ones too). */
void wan_recorder_counters_release(struct wan_recorder *recorder, uint64_t *words);

/* Claim a lane for this thread: NULL when all are taken or there is no room (counted as dropped).
 */
struct wan_lane *wan_lane_claim(struct wan_recorder *recorder);

static inline struct wan_lane *wan_lane_get(struct wan_recorder *recorder)
{
	struct wan_lane *lane = wan_lane_current;
	if (wan_likely(lane && lane->recorder == recorder))
		return lane;
	return wan_lane_claim(recorder);
}

/* Turns to the next chunk (claims, grows, or folds and reuses the lane's oldest). False: dropped.
 */
bool wan_lane_turn(struct wan_lane *lane);
uint32_t wan_record_check(const void *record); /* over bytes 8..63 and the seal */

/* Append 64 bytes whose seal and check fields are not yet set. */
static inline void wan_lane_append(struct wan_lane *lane, struct wan_record_operation *record);

/*
 * In-flight entry: what this thread is doing, for a reader of a process that never came back.
 * enter returns the slot (pass it to leave); frames skipped by longjmp are dropped by leave of an
 * outer slot, and by wan_lane_inflight_reset().
 */
struct wan_record_inflight *wan_lane_enter(struct wan_lane *lane);
void wan_lane_leave(struct wan_lane *lane, struct wan_record_inflight *slot);

#endif
