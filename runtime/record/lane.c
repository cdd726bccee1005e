/* SPDX-License-Identifier: MIT */
/* Lanes: one writer each, claimed by a thread, given back when it exits. */
#include "recorder.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "fork.h"
#include "sys.h"
#include "thread.h"

/* The first chunks of each of the first lanes do not count against the capacity: a thread that
 * comes when another one has taken everything still keeps some history. */
#define FREE_CHUNKS      4
#define FREE_CHUNK_LANES 64

enum { KEYS = 32 };

__thread struct wan_lane *wan_lane_current __attribute__((tls_model("initial-exec")));

static pthread_key_t exit_key;
static uint32_t prepared; /* 0: no, 1: under way, 2: done, 3: done without a key */

static void give_back(struct wan_lane *lane)
{
	struct wan_recorder *recorder = lane->recorder;
	wan_store_relaxed(&lane->recorder, NULL); /* no thread's any more */
	for (unsigned i = 0; i < WAN_RECORD_INFLIGHT; i++)
		if (!lane->shared->inflight[i].object)
			wan_store_relaxed(&lane->shared->inflight[i].sequence, 0);
	wan_store_relaxed(&lane->shared->sequence, lane->sequence);
	wan_store_release(&lane->shared->held, 0);

	uint64_t head = wan_load_relaxed(&recorder->free_lanes);
	uint64_t next;
	do {
		wan_store_relaxed(&lane->next_free, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 | (lane->index + 1);
	} while (!wan_cas_acq_rel(&recorder->free_lanes, &head, next));
}

/* Other destructors may still decode images: step back once, so that they come before us. */
static void thread_exits(void *value)
{
	struct wan_lane *lane = wan_lane_current;
	if (!lane || !lane->recorder)
		return;
	if (lane->exit_rounds++ < 1 && pthread_setspecific(exit_key, value) == 0)
		return;
	wan_lane_current = NULL;
	give_back(lane);
}

/*
 * The C libraries of all linker namespaces (dlmopen) give out keys of their own from 0 on, and keep
 * the values in the same slots of the thread. The last slot of the first 32 is one that nobody else
 * comes to, and needs no memory; keys that the program makes keep the numbers they have without us.
 */
static int make_exit_key(void)
{
	pthread_key_t keys[KEYS];
	unsigned count = 0;
	int error = 0;
	while (count < KEYS && (!count || keys[count - 1] < KEYS - 1)) {
		error = pthread_key_create(&keys[count], thread_exits);
		if (error)
			break;
		count++;
	}
	if (count)
		exit_key = keys[--count];
	else
		return error;
	while (count)
		pthread_key_delete(keys[--count]);
	return 0;
}

void wan_lanes_prepare(void)
{
	uint32_t none = 0;
	if (wan_load_relaxed(&prepared) || !wan_cas_acq_rel(&prepared, &none, 1))
		return;
	wan_fork_on_child(wan_recorder_after_fork);
	int error = make_exit_key();
	wan_store_release(&prepared, error ? 3 : 2);
}

void wan_lanes_reset(struct wan_recorder *recorder)
{
	size_t bytes =
		offsetof(struct wan_recorder, string_ids) - offsetof(struct wan_recorder, lanes);
	if (wan_sys->madvise(recorder->lanes, bytes, MADV_DONTNEED) != 0)
		memset(recorder->lanes, 0, bytes);
	recorder->free_lanes = 0;
	recorder->lane_count = 0;
	recorder->chunks = 0;
}

/* The tag in the upper half changes with each push, so a lane that was popped and pushed between
 * our two looks is noticed. */
static struct wan_lane *pop_free(struct wan_recorder *recorder)
{
	uint64_t head = wan_load_acquire(&recorder->free_lanes); /* pairs with give_back() */
	while ((uint32_t)head) {
		struct wan_lane *lane = &recorder->lanes[(uint32_t)head - 1];
		uint64_t next = head >> 32 << 32 | wan_load_relaxed(&lane->next_free);
		if (wan_cas_acq_rel(&recorder->free_lanes, &head, next))
			return lane;
	}
	return NULL;
}

static struct wan_lane *new_lane(struct wan_recorder *recorder)
{
	if (wan_load_relaxed(&recorder->lane_count) >= WAN_RECORD_LANES)
		return NULL;
	uint32_t unit = wan_space_claim(recorder, WAN_RECORD_LANE_UNITS);
	if (unit == UINT32_MAX)
		return NULL;
	uint32_t index = wan_add_relaxed(&recorder->lane_count, 1);
	if (index >= WAN_RECORD_LANES) {
		wan_sub_relaxed(&recorder->lane_count, 1);
		return NULL; /* the units are lost; at most one set for each thread of that moment
			      */
	}
	struct wan_lane *lane = &recorder->lanes[index];
	uint32_t *directory = (uint32_t *)(recorder->map + WAN_RECORD_LANE_DIR_AT);
	lane->index = index;
	lane->shared = (struct wan_record_lane *)wan_space_unit(recorder, unit);
	lane->shared->index = index;
	wan_store_release(&lane->shared->magic, WAN_RECORD_LANE_MAGIC);
	wan_store_release(&directory[index], unit + 1);
	return lane;
}

struct wan_lane *wan_lane_claim(struct wan_recorder *recorder)
{
	if (!recorder || !wan_recorder_usable(recorder))
		return NULL;
	int saved = errno;
	wan_lanes_prepare();
	if (wan_lane_current && wan_lane_current->recorder)
		give_back(wan_lane_current); /* of another recorder */
	wan_lane_current = NULL;
	struct wan_lane *lane = pop_free(recorder);
	if (!lane)
		lane = new_lane(recorder);
	if (!lane) {
		wan_add_relaxed(&recorder->header->dropped, 1);
		errno = saved;
		return NULL;
	}
	lane->thread = wan_thread_id();
	lane->foreign_open = 0;
	lane->own_output = 0;
	lane->exit_rounds = 0;
	lane->turning = 0;
	lane->plain = 0;
	lane->shared->thread = lane->thread;
	wan_store_release(&lane->shared->held, 1);
	if (lane->depth >= WAN_RECORD_INFLIGHT)
		wan_lane_inflight_reset(lane);
	lane->recorder = recorder;
	wan_lane_current = lane;
	if (wan_load_acquire(&prepared) == 2)
		pthread_setspecific(exit_key, lane); /* any value but NULL: the destructor looks
						      * at wan_lane_current */
	errno = saved;
	return lane;
}

void wan_lane_drop(struct wan_lane *lane)
{
	if (lane->recorder)
		wan_add_relaxed(&lane->recorder->header->dropped, 1);
}

static struct wan_record_chunk *chunk_at(struct wan_recorder *recorder, uint32_t unit)
{
	return (struct wan_record_chunk *)wan_space_unit(recorder, unit);
}

static bool may_grow(struct wan_recorder *recorder, const struct wan_lane *lane)
{
	if (!lane->chunk_count ||
	    (lane->chunk_count < FREE_CHUNKS && lane->index < FREE_CHUNK_LANES && lane->index))
		return true;
	return wan_load_relaxed(&recorder->chunks) < recorder->chunk_limit;
}

/* The ring runs from the oldest chunk to the newest; a new one goes between the two. */
static bool fresh_chunk(struct wan_recorder *recorder, struct wan_lane *lane)
{
	if (!may_grow(recorder, lane))
		return false;
	uint32_t unit = wan_space_claim(recorder, 1);
	if (unit == UINT32_MAX)
		return false;
	wan_add_relaxed(&recorder->chunks, 1);
	wan_space_prepare_unit(recorder, unit);
	struct wan_record_chunk *chunk = chunk_at(recorder, unit);
	chunk->lane = lane->index;
	chunk->check = wan_record_chunk_check(lane->index, unit);
	wan_store_release(&chunk->magic, WAN_RECORD_CHUNK_MAGIC);

	recorder->chain[unit] = lane->chunk_count ? recorder->chain[lane->chunk] : unit;
	if (lane->chunk_count)
		recorder->chain[lane->chunk] = unit;
	lane->chunk = unit;
	lane->chunk_count++;
	return true;
}

static bool turn(struct wan_recorder *recorder, struct wan_lane *lane)
{
	if (!fresh_chunk(recorder, lane)) {
		if (!lane->chunk_count)
			return false;
		uint32_t oldest = recorder->chain[lane->chunk];
		wan_fold_chunk(lane, (const void *)(chunk_at(recorder, oldest) + 1));
		lane->chunk = oldest;
	}
	wan_store_relaxed(&lane->shared->sequence, lane->sequence);
	lane->next = (struct wan_record_operation *)(chunk_at(recorder, lane->chunk) + 1);
	lane->end = lane->next + WAN_RECORD_CHUNK_RECORDS;
	return true;
}

bool wan_lane_turn(struct wan_lane *lane)
{
	/* A signal handler came while this thread was turning, or a child of a fork goes on with a
	 * lane of its parent's. */
	if (lane->turning || !lane->recorder)
		return false;
	lane->turning = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	int saved = errno;
	bool turned = turn(lane->recorder, lane);
	errno = saved;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	lane->turning = 0;
	return turned;
}
