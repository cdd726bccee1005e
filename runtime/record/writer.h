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
#include "check.h"
#include "layout.h"
#include "macros.h"

struct wan_config;
struct wan_recorder;

#define WAN_LANE_SUM_UNITS 4u

/* Process-private state of a lane. */
struct wan_lane {
	struct wan_record_operation *next, *end; /* of the chunk being filled */
	uint64_t sequence;
	struct wan_record_lane *shared; /* mapped */
	struct wan_recorder *recorder;
	uint32_t thread;
	uint32_t depth;        /* in-flight entries in use, may exceed WAN_RECORD_INFLIGHT */
	uint32_t foreign_open; /* operations open in a linked runtime of this process */
	uint32_t own_output;   /* a bar is printed whose job is told already: see attach.h */
	void *calls;           /* what the CUDA hooks keep of this thread; NULL: nothing yet */
	/* private to lane.c from here */
	uint32_t index;
	uint32_t chunk, chunk_count; /* unit of the chunk being filled; 0: none yet */
	uint32_t turning;
	uint32_t exit_rounds;
	uint32_t next_free;               /* index + 1 of the next free lane */
	uint32_t plain;                   /* entry 0 was left as wan_lane_enter_plain() makes it */
	struct wan_record_inflight spill; /* stands for every entry beyond the eighth */
	/* private to sums.c */
	uint32_t sum_count; /* sums in use, in units of WAN_RECORD_SUMS */
	struct wan_record_sums *sums[WAN_LANE_SUM_UNITS];
};

/* The lane of this thread, or NULL. Initial-exec TLS: the only thread-local word of this layer. */
extern __thread struct wan_lane *wan_lane_current __attribute__((tls_model("initial-exec")));

/*
 * The recorder of this process (borrowed, lives until the process ends), made at the first call
 * from the configuration (record.*): the preload library's own one when it is there (see attach.h),
 * else a file in the configured place, else ("off", or no writable folder) anonymous memory, so
 * that statistics and the JSON of a linked program work all the same; with must_be_file NULL is
 * returned instead. role: enum wan_record_role. NULL: no memory. Any thread; cheap after the first
 * call.
 */
struct wan_recorder *wan_recorder_process(const struct wan_config *config, uint32_t role,
					  bool must_be_file);
/* For tests and for wanprof run: a recorder of its own. path NULL: anonymous memory. */
int wan_recorder_create(const struct wan_config *config, uint32_t role, const char *path,
			struct wan_recorder **ret_recorder);
/*
 * Final anchor and sizes, then the memory goes; no other thread may be using it. The process's own
 * recorder is only brought up to date, since hooks may still run. NULL is fine.
 */
void wan_recorder_destroy(struct wan_recorder *recorder);
/* NULL when it lives in memory only. Borrowed. */
const char *wan_recorder_path(const struct wan_recorder *recorder);
/* The caller may fill allocator, allocator_active, libraries and overhead_start_us. */
struct wan_record_header *wan_recorder_header(struct wan_recorder *recorder);
/* A copy of what is recorded so far, for the reader; *ret_bytes long, wan_free() it. */
int wan_recorder_snapshot(struct wan_recorder *recorder, void **ret_copy, size_t *ret_bytes);
/*
 * In the child of a fork (registered by this layer itself at its first use): the parent's file is
 * unmapped, wan_lane_current is NULL. Pointers to the process's recorder, its counter blocks and
 * string ids stay valid; the next claim or wan_recorder_process() makes the child's own file.
 * Recorders of wan_recorder_create() are dead in the child: claims return NULL.
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
/*
 * Room for the latencies of the tracker in that block (latency.h), all zero; the block's word
 * "histogram" names it. Counted are units of 2^shift ticks. The block keeps it: a second call
 * clears it. NULL: no room.
 */
uint32_t *wan_recorder_latencies(struct wan_recorder *recorder, uint64_t *words, uint32_t shift);
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
/* One operation that could not be recorded. */
void wan_lane_drop(struct wan_lane *lane);

/*
 * Store a record, given as its words 1 to 7 (seal and check are made here), where the lane has room
 * for it. The old seal goes first and the new one comes last, so that a reader, or a SIGKILL at any
 * instruction, finds the whole record or none. Inlined, the words stay in registers: narrow stores
 * that are loaded wide again stall for 4 ns.
 */
static inline __attribute__((always_inline)) void wan_lane_put(struct wan_lane *lane, uint32_t seal,
							       uint64_t word_1, uint64_t word_2,
							       uint64_t word_3, uint64_t word_4,
							       uint64_t word_5, uint64_t word_6,
							       uint64_t word_7)
{
	uint64_t __attribute__((may_alias)) *to = (void *)lane->next++;
	wan_store_relaxed(&to[0], 0);
	wan_fence_release(); /* no reader sees the new words under the old seal */
	wan_store_relaxed(&to[1], word_1);
	wan_store_relaxed(&to[2], word_2);
	wan_store_relaxed(&to[3], word_3);
	wan_store_relaxed(&to[4], word_4);
	wan_store_relaxed(&to[5], word_5);
	wan_store_relaxed(&to[6], word_6);
	wan_store_relaxed(&to[7], word_7);
	const uint64_t words[8] = {0, word_1, word_2, word_3, word_4, word_5, word_6, word_7};
	uint32_t check = wan_record_check_words(words, seal);
	/* pairs with the reader, which takes a record only when seal and check agree with it */
	wan_store_release(&to[0], seal | (uint64_t)check << 32);
}

/* Append 64 bytes whose seal and check are not yet set: any struct of layout.h of that size. */
static inline void wan_lane_append(struct wan_lane *lane, const void *record)
{
	if (wan_unlikely(lane->next == lane->end) && !wan_lane_turn(lane)) {
		wan_lane_drop(lane);
		return;
	}
	uint32_t seal = (uint32_t)++lane->sequence;
	if (wan_unlikely(!seal))
		seal = (uint32_t)++lane->sequence; /* 0 means empty */
	uint64_t words[8];
	memcpy(words, record, sizeof(words));
	wan_lane_put(lane, seal, words[1], words[2], words[3], words[4], words[5], words[6],
		     words[7]);
}

/*
 * More about the operation that began at start_ticks on that thread (schema.def, DETAIL). Where
 * there is no room it is left out, which is no lost operation.
 */
static inline void wan_lane_detail(struct wan_lane *lane, uint64_t start_ticks, uint32_t thread,
				   uint64_t identity, uint32_t output_width_px,
				   uint32_t output_height_px)
{
	const struct wan_record_event event = {
		.ticks = start_ticks,
		.values = {identity, output_width_px | (uint64_t)output_height_px << 32},
		.kind_status = WAN_RECORD_DETAIL << 4,
		.thread = thread,
	};
	if (wan_likely(lane->next != lane->end) || wan_lane_turn(lane))
		wan_lane_append(lane, &event);
}

/*
 * In-flight entry: what this thread is doing, for a reader of a process that never came back. enter
 * gives a cleared entry, never NULL; the caller fills it and sets start_ticks last (until then it
 * counts for nothing). leave empties the entry, and those above it that have no object: frames that
 * a longjmp skipped. An entry of another thread's lane may be left from any thread.
 */
struct wan_record_inflight *wan_lane_enter(struct wan_lane *lane);
void wan_lane_leave(struct wan_lane *lane, struct wan_record_inflight *slot);

/*
 * The same for a thread that is doing nothing yet (depth 0, of a lane in use), when all that will
 * be told is the name and the library. What the entry holds besides is stored only if somebody
 * changed it since the last time: whoever does says so with wan_lane_inflight_filled().
 */
static inline struct wan_record_inflight *wan_lane_enter_plain(struct wan_lane *lane, uint16_t name,
							       uint8_t library)
{
	struct wan_record_inflight *slot = lane->shared->inflight;
	wan_store_relaxed(&slot->start_ticks, 0);
	wan_fence_release(); /* a reader that sees new fields does not see the old start */
	if (wan_unlikely(!lane->plain)) {
		slot->file_bytes = UINT64_MAX;
		slot->object = 0;
		slot->width_px = slot->height_px = slot->rows_done = 0;
		slot->thread = lane->thread;
		lane->plain = 1;
	}
	uint64_t __attribute__((may_alias)) *names = (void *)&slot->name;
	wan_store_relaxed(names, name | (uint64_t)library << 32);
	uint32_t sequence = (uint32_t)lane->sequence + 1;
	wan_store_release(&slot->sequence, sequence ? sequence : 1);
	lane->depth = 1;
	return slot;
}

static inline void wan_lane_inflight_filled(struct wan_lane *lane)
{
	lane->plain = 0;
}

/* Drop every entry of this lane. */
void wan_lane_inflight_reset(struct wan_lane *lane);

#endif
