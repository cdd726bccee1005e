/* SPDX-License-Identifier: MIT */
/* Many frames, chunk by chunk: each is planned by what is there when the one before is freed. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "batch.h"
#include "chunk_rule.h"
#include "gpu.h"
#include "log.h"
#include "macros.h"
#include "state.h"
#include "str.h"

struct wan_chunks {
	struct wan_memory *memory;
	struct wan_chunks_options options;
	char name[32];
	struct wan_batch_rule rule; /* sizes that failed */
	struct wan_chunk_samples samples;
	struct wan_chunk_advice advice;
	struct wan_chunks_result result;
	uint64_t base_bytes;  /* held by this process before the first chunk */
	uint64_t first;       /* of the chunk under way */
	uint32_t count, done; /* of it; count 0: none is */
	uint64_t peak_bytes;  /* of it */
	uint32_t planned;     /* size before, for the recording */
	bool reported, peak_told;
};

void wan_chunks_options_init(struct wan_chunks_options *options)
{
	*options = (struct wan_chunks_options){
		.struct_size = sizeof(*options),
		.name = "frames",
		.frame_bytes = 1,
		.device = -1,
		.least = 10,
		.most = 100,
	};
}

/* What can be taken back from cache and pool at any time. */
static uint64_t spare_of(const struct wan_memory *memory)
{
	const struct wan_memory_limits *limits = &memory->limits;
	uint64_t used = limits->cache_used ? limits->cache_used(limits->context) : 0;
	uint64_t pinned = limits->cache_pinned ? limits->cache_pinned(limits->context) : 0;
	uint64_t idle = limits->idle_bytes ? limits->idle_bytes(limits->context) : 0;
	return used - WAN_MIN(used, pinned) + idle;
}

/* Held by this process and not to be had back: what a chunk adds to it is what it takes. */
static uint64_t held_now(const struct wan_memory *memory, const struct wan_look *look)
{
	uint64_t spare = spare_of(memory);
	return look->rss_bytes - WAN_MIN(look->rss_bytes, spare);
}

int wan_chunks_create(struct wan_memory *memory, const struct wan_chunks_options *given,
		      struct wan_chunks **ret_chunks)
{
	struct wan_chunks_options options;
	wan_chunks_options_init(&options);
	if (!memory || !ret_chunks || !given ||
	    wan_memory_overlay(&options, sizeof(options), given, given->struct_size) < 0 ||
	    !options.frame_bytes || !options.most || options.least > options.most)
		return -EINVAL;
	struct wan_chunks *chunks = wan_calloc(1, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	chunks->memory = memory;
	chunks->options = options;
	wan_str_copy(chunks->name, sizeof(chunks->name), options.name ? options.name : "frames");
	chunks->options.name = chunks->name;
	chunks->rule = (struct wan_batch_rule){
		.minimum = 1, .maximum = options.most, .size = options.most};
	chunks->result.frames = options.frames;
	chunks->planned = options.most;
	if (options.gpu_frame_bytes)
		chunks->options.device = wan_gpu_use(memory, options.device);
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_look(memory, &look, &verdict);
	chunks->base_bytes = held_now(memory, &look);
	*ret_chunks = chunks;
	return 0;
}

static void measure(struct wan_chunks *chunks)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_look(chunks->memory, &look, &verdict);
	uint64_t held = held_now(chunks->memory, &look);
	uint64_t taken = held - WAN_MIN(held, chunks->base_bytes);
	chunks->peak_bytes = WAN_MAX(chunks->peak_bytes, taken);
}

void wan_chunks_report(struct wan_chunks *chunks, uint32_t done, int code, uint64_t peak_bytes)
{
	if (!chunks || !chunks->count || chunks->reported)
		return;
	chunks->reported = true;
	chunks->done = WAN_MIN(done, chunks->count);
	chunks->peak_told = peak_bytes > 0;
	chunks->peak_bytes = peak_bytes;
	if (!chunks->peak_told)
		measure(chunks);
	if (code == -ENOMEM) {
		chunks->result.failures++;
		wan_batch_rule_failed(&chunks->rule, chunks->count);
	} else if (code < 0) {
		chunks->result.code = code;
	}
	/* A single frame that does not fit will not fit by being tried for ever. */
	if (code == -ENOMEM && chunks->count == 1 && !chunks->done)
		chunks->result.code = code;
}

/* The chunk under way is over. */
static void finish_chunk(struct wan_chunks *chunks)
{
	if (!chunks->count)
		return;
	if (!chunks->reported)
		wan_chunks_report(chunks, chunks->count, 0, 0);
	if (chunks->done == chunks->count)
		wan_batch_rule_clean(&chunks->rule, chunks->count, true);
	if (chunks->done == chunks->count && chunks->peak_bytes) { /* 0: it could not be read */
		wan_chunk_samples_add(&chunks->samples, chunks->peak_bytes / chunks->count,
				      chunks->peak_told);
		chunks->result.measured_frame_bytes = wan_chunk_samples_p95(&chunks->samples);
	}
	chunks->result.done += chunks->done;
	if (chunks->options.release)
		chunks->options.release(chunks->options.context, chunks->first, chunks->count);
	chunks->count = 0;
}

/* What the sizes that failed leave open: below the smallest of them. */
static uint32_t known_to_fit(const struct wan_chunks *chunks)
{
	return chunks->rule.size < chunks->rule.maximum ? chunks->rule.size : UINT32_MAX;
}

static void plan(struct wan_chunks *chunks, uint64_t *ret_headroom_bytes)
{
	struct wan_memory *memory = chunks->memory;
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_look(memory, &look, &verdict);
	uint64_t spare = spare_of(memory), headroom = verdict.headroom_bytes;
	bool measured;
	struct wan_chunk_place places[2] = {{
		.name = verdict.tightest < 0 ? "unknown" : look.levels[verdict.tightest].name,
		.headroom_bytes = headroom + WAN_MIN(spare, UINT64_MAX - headroom),
		.limit_bytes = verdict.tightest < 0 ? UINT64_MAX
						    : look.levels[verdict.tightest].limit_bytes,
		.frame_bytes = wan_chunk_frame_bytes(&chunks->samples, chunks->options.frame_bytes,
						     &measured),
	}};
	places[0].measured = measured;
	uint32_t count = 1;
	struct wan_gpu_state gpu = {.struct_size = sizeof(gpu)};
	if (chunks->options.gpu_frame_bytes && chunks->options.device >= 0 &&
	    wan_gpu_look(memory, chunks->options.device, &gpu) == 0)
		places[count++] = (struct wan_chunk_place){
			.name = gpu.name,
			.headroom_bytes = gpu.headroom_bytes,
			.limit_bytes = gpu.limit_bytes,
			.frame_bytes = chunks->options.gpu_frame_bytes,
			.gpu = true,
		};
	const struct wan_chunk_wish wish = {
		.left = chunks->options.frames - chunks->result.done,
		.least = chunks->options.least,
		.most = chunks->options.most,
		.fits = known_to_fit(chunks),
	};
	wan_chunk_advise(places, count, &wish, &chunks->advice);
	*ret_headroom_bytes = headroom;
}

/* Frames are not always asked for one by one: what is cached and in their way goes now. */
static void make_room(struct wan_chunks *chunks, uint64_t headroom_bytes)
{
	uint64_t need = chunks->advice.frames * chunks->advice.frame_bytes / 9 * 10;
	if (chunks->advice.reason == WAN_CHUNK_BY_GPU || need <= headroom_bytes)
		return;
	wan_mutex_lock(&chunks->memory->lock);
	enum wan_memory_level level = chunks->memory->level.level;
	wan_mutex_unlock(&chunks->memory->lock);
	wan_memory_reclaim(chunks->memory, level, need - headroom_bytes, INT32_MAX);
}

/* Sizes that change are recorded, with all they were computed from. */
static void record(struct wan_chunks *chunks)
{
	const struct wan_chunk_advice *advice = &chunks->advice;
	struct wan_memory *memory = chunks->memory;
	struct wan_memory_action action = {
		.what = "batch",
		.asked_bytes = advice->frames * advice->frame_bytes,
		.batch_before = chunks->planned,
		.batch_after = advice->frames,
		.time_ns = memory->now_ns(),
	};
	if (advice->reason == WAN_CHUNK_REST || advice->frames == chunks->planned)
		return;
	chunks->planned = advice->frames;
	wan_str_format(action.reason, sizeof(action.reason), "%s: %s", chunks->name, advice->text);
	wan_mutex_lock(&memory->lock);
	action.level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	wan_memory_record(memory, &action);
}

int wan_chunks_next(struct wan_chunks *chunks, uint64_t *ret_first, uint32_t *ret_count)
{
	if (!chunks || !ret_first || !ret_count)
		return -EINVAL;
	finish_chunk(chunks);
	struct wan_chunks_result *result = &chunks->result;
	if (result->code < 0)
		return result->code;
	if (result->done >= chunks->options.frames)
		return 0;
	uint64_t headroom;
	plan(chunks, &headroom);
	if (!chunks->advice.frames && chunks->options.always_one)
		chunks->advice.frames = 1;
	if (!chunks->advice.frames) {
		wan_log(WAN_LOG_WARNING, "memory: %s: %s", chunks->name, chunks->advice.text);
		return -ENOMEM;
	}
	record(chunks);
	make_room(chunks, headroom);
	chunks->first = result->done;
	chunks->count = chunks->advice.frames;
	chunks->done = 0;
	chunks->peak_bytes = 0;
	chunks->reported = chunks->peak_told = false;
	result->chunks++;
	result->largest = WAN_MAX(result->largest, chunks->count);
	result->smallest =
		result->smallest ? WAN_MIN(result->smallest, chunks->count) : chunks->count;
	*ret_first = chunks->first;
	*ret_count = chunks->count;
	return 1;
}

/* Copies what the caller's version has. */
static void fill(void *to, size_t bytes, const void *from, size_t most)
{
	if (bytes < sizeof(size_t))
		return;
	memcpy(to, from, WAN_MIN(bytes, most));
	memcpy(to, &bytes, sizeof(bytes)); /* struct_size is the first field of each */
}

void wan_chunks_advice(const struct wan_chunks *chunks, struct wan_chunk_advice *advice)
{
	if (chunks && advice)
		fill(advice, advice->struct_size, &chunks->advice, sizeof(chunks->advice));
}

void wan_chunks_result(const struct wan_chunks *chunks, struct wan_chunks_result *result)
{
	if (!chunks || !result)
		return;
	struct wan_chunks_result now = chunks->result;
	now.done += chunks->reported && chunks->count ? chunks->done : 0;
	fill(result, result->struct_size, &now, sizeof(now));
}

void wan_chunks_destroy(struct wan_chunks *chunks)
{
	if (!chunks)
		return;
	finish_chunk(chunks);
	wan_free(chunks);
}
