/* SPDX-License-Identifier: MIT */
#include "preload.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "audit_link.h"
#include "clock.h"
#include "config.h"
#include "cuda_call.h"
#include "fork.h"
#include "heap.h"
#include "operation.h"
#include "price.h"
#include "recorder.h"
#include "str.h"
#include "told.h"

/* Set by the constructor: hooks that run before it only pass calls on. */
static bool enabled;
static struct wan_config config;
static struct wan_recorder *process_recorder;
static uint16_t name_ids[WAN_NAME_COUNT];
static uint64_t *cover_words[WAN_FAMILY_COUNT];
static uint64_t cover_counts[WAN_FAMILY_COUNT][WAN_COVER_COUNT];
static uint64_t start_ns;
static uint32_t refusals, making;

enum {
	REFUSALS = 16,
	WAITS = 200, /* 40 ms in all */
	WAIT_NS = 200000,
};

static const char *const operation_names[WAN_NAME_COUNT] = {
	[WAN_NAME_JPEG_DECODE] = "jpeg.decode",       [WAN_NAME_JPEG_ENCODE] = "jpeg.encode",
	[WAN_NAME_JPEG_TRANSFORM] = "jpeg.transform", [WAN_NAME_PNG_DECODE] = "png.decode",
	[WAN_NAME_PNG_ENCODE] = "png.encode",         [WAN_NAME_YUV_CONVERT] = "yuv.convert",
};

/* One text more: a reader sees the old list or the new one, never a part. */
static void append_library(struct wan_record_header *header, const char *text)
{
	static uint32_t busy;
	uint32_t idle = 0;
	for (unsigned i = 0; i < WAITS && !wan_cas_acq_rel(&busy, &idle, 1); i++, idle = 0)
		sched_yield(); /* bounded: the other writer may be this thread under a signal */
	char *list = header->libraries;
	size_t used = strnlen(list, sizeof(header->libraries) - 1);
	size_t bytes = strlen(text);
	if (!strstr(list, text) && used + bytes + 2 <= sizeof(header->libraries)) {
		memcpy(list + used + (used != 0), text, bytes);
		if (used)
			wan_store_release(&list[used], ';');
	}
	wan_store_release(&busy, 0);
}

static void describe_codec(struct wan_recorder *recorder, struct wan_codec *codec)
{
	uint32_t generation = wan_fork_generation() + 1;
	if (wan_swap_acq_rel(&codec->noted, generation) == generation)
		return;
	char text[160];
	const char *(*version)(const void *) = codec->functions[WAN_SYMBOL_png_get_libpng_ver];
	if (codec->family == WAN_FAMILY_PNG && version)
		wan_str_format(text, sizeof(text), "libpng %s", version(NULL));
	else
		wan_str_copy(text, sizeof(text), codec->file);
	append_library(wan_recorder_header(recorder), text);
}

/* What was counted before there was a recording, or in the parent of a fork. */
static void publish_counts(struct wan_recorder *recorder, enum wan_family family)
{
	uint64_t *words = wan_load_acquire(&cover_words[family]), any = 0;
	for (unsigned k = 0; k < WAN_COVER_COUNT; k++)
		any |= wan_load_relaxed(&cover_counts[family][k]);
	if (!words && any) {
		uint64_t *fresh = wan_recorder_counters(recorder, WAN_COUNTERS_COVERAGE,
							wan_family_name(family));
		if (fresh && wan_cas_acq_rel(&cover_words[family], &words, fresh))
			words = fresh;
		else if (fresh) /* another thread was first */
			wan_recorder_counters_release(recorder, fresh);
	}
	for (unsigned k = 0; words && k < WAN_COVER_COUNT; k++)
		wan_max_relaxed(&words[k], wan_load_relaxed(&cover_counts[family][k]));
}

static void describe(struct wan_recorder *recorder)
{
	struct wan_record_header *header = wan_recorder_header(recorder);
	wan_str_copy(header->allocator, sizeof(header->allocator), wan_heap_describe());
	header->allocator_active = wan_heap_source();
	header->audited = wan_audit_link.slots ? WAN_AUDITED_YES : WAN_AUDITED_NO;
	header->overhead_start_us += (uint32_t)(start_ns / 1000); /* to what the file took */
	wan_store_relaxed(&cover_counts[WAN_FAMILY_PILLOW][WAN_COVER_SWITCHED_OFF],
			  !config.profile_python_hooks);
	for (unsigned i = 0; i < WAN_FAMILY_COUNT; i++)
		publish_counts(recorder, i);
	for (unsigned i = 0;; i++) {
		struct wan_codec *codec = wan_codec_at(i);
		if (!codec)
			break;
		if (codec->file[0])
			describe_codec(recorder, codec);
	}
}

static struct wan_recorder *make_recorder(void)
{
	struct wan_recorder *recorder = wan_recorder_process(&config, WAN_ROLE_PRELOADED, true);
	if (!recorder) {
		/* No place to write to, or none yet: do not go on asking. */
		if (++refusals >= REFUSALS)
			wan_store_relaxed(&enabled, false);
		return NULL;
	}
	for (unsigned i = 0; i < WAN_NAME_COUNT; i++)
		name_ids[i] = wan_recorder_string(recorder, operation_names[i]);
	describe(recorder);
	wan_price_start(recorder);
	wan_store_release(&process_recorder, recorder);
	return recorder;
}

/* The first operations of several threads come together: one makes the file, which takes some
 * 100 us, the others wait for it, but not for ever: the maker may be this thread under a signal. */
static struct wan_recorder *make_or_wait(void)
{
	const struct timespec pause = {.tv_nsec = WAIT_NS};
	for (unsigned i = 0; i < WAITS && wan_load_relaxed(&enabled); i++) {
		struct wan_recorder *recorder = wan_load_acquire(&process_recorder);
		uint32_t idle = 0;
		if (recorder)
			return recorder;
		if (wan_cas_acq_rel(&making, &idle, 1)) {
			recorder = wan_load_acquire(&process_recorder);
			if (!recorder)
				recorder = make_recorder();
			wan_store_release(&making, 0);
			return recorder;
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

bool wan_preload_records(void)
{
	return wan_load_relaxed(&enabled);
}

struct wan_recorder *wan_preload_recorder(void)
{
	struct wan_recorder *recorder = wan_load_acquire(&process_recorder);
	if (wan_likely(recorder != NULL))
		return recorder;
	if (!wan_load_relaxed(&enabled))
		return NULL;
	int saved = errno;
	recorder = make_or_wait();
	errno = saved;
	return recorder;
}

uint16_t wan_preload_name_id(struct wan_recorder *recorder, enum wan_operation_name name)
{
	uint16_t id = wan_load_relaxed(&name_ids[name]);
	return id ? id : wan_recorder_string(recorder, operation_names[name]);
}

void wan_preload_count(enum wan_family family, enum wan_cover what)
{
	uint64_t count = wan_add_relaxed(&cover_counts[family][what], 1) + 1;
	struct wan_recorder *recorder = wan_load_acquire(&process_recorder);
	if (!recorder)
		return;
	uint64_t *words = wan_load_acquire(&cover_words[family]);
	if (words)
		wan_max_relaxed(&words[what], count);
	else
		publish_counts(recorder, family);
}

bool wan_preload_sees_python(void)
{
	return wan_load_acquire(&enabled) && config.profile_python_hooks;
}

void wan_preload_note_out_of_reach(const char *name)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	uint64_t *words =
		recorder ? wan_recorder_counters(recorder, WAN_COUNTERS_COVERAGE, name) : NULL;
	if (words)
		wan_store_relaxed(&words[WAN_COVER_OUT_OF_REACH], 1);
}

void wan_preload_note_codec(struct wan_codec *codec)
{
	struct wan_recorder *recorder = wan_load_acquire(&process_recorder);
	if (recorder)
		describe_codec(recorder, codec);
}

/* A linked runtime of the same build records into our file, and marks its own operations open. */
static struct wan_recorder *shared_recorder(void)
{
	return wan_preload_recorder();
}

static void shared_operation_open(int delta)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	if (lane)
		lane->foreign_open += (uint32_t)delta;
}

static void shared_own_output(int delta)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	if (lane)
		lane->own_output += (uint32_t)delta;
}

__attribute__((visibility("default"))) extern const struct wan_record_share wan_record_share;
const struct wan_record_share wan_record_share = {
	.version = WAN_RECORD_SHARE_VERSION,
	.recorder_bytes = sizeof(struct wan_recorder),
	.recorder = shared_recorder,
	.operation_open = shared_operation_open,
	.own_output = shared_own_output,
	.tracker_begin = wan_told_begin,
	.tracker_steps = wan_told_steps,
	.tracker_phase = wan_told_phase,
	.tracker_grace = wan_told_grace,
	.tracker_end = wan_told_end,
};

static void after_fork(void)
{
	wan_operation_after_fork();
	wan_cuda_after_fork();
	wan_nvtx_after_fork();
	wan_told_after_fork();
	process_recorder = NULL; /* the child's own file is made and described by its first use */
	refusals = making = 0;
	if (config.record_only_pid)
		wan_store_relaxed(&enabled, false);
	start_ns = 0; /* the constructor was the parent's */
	memset(cover_counts, 0, sizeof(cover_counts));
}

static bool wanted(void)
{
	if (getauxval(AT_SECURE))
		return false;
	const char *profile = secure_getenv("WAN_PROFILE");
	if (profile && (strcmp(profile, "off") == 0 || strcmp(profile, "0") == 0))
		return false;
	wan_config_environment(&config, NULL);
	return config.profile_enabled && strcmp(config.record_path, "off") != 0 &&
	       (!config.record_only_pid || config.record_only_pid == (uint64_t)getpid());
}

__attribute__((constructor)) static void start(void)
{
	int saved = errno;
	wan_clock_init();
	uint64_t begin_ns = wan_now_ns();
	wan_resolve_init();
	wan_config_defaults(&config);
	if (wanted()) {
		wan_heap_source();
		wan_fork_on_child(after_fork);
		start_ns = wan_now_ns() - begin_ns;
		wan_store_release(&enabled, true);
	}
	errno = saved;
}
