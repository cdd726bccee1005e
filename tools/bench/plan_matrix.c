/* SPDX-License-Identifier: MIT */
#include "plan_matrix.h"

#include "macros.h"
#include "str.h"

enum {
	STRESS_SOURCES = 32, /* of 1280x720: 130 MB decoded and framed, the cache holds 96 */
	STRESS_LIMIT_MB = 512,
	STRESS_LEAST_MB = 128, /* what the work itself takes leaves nothing to press on below */
	FRAME_SOURCES = 8,
};

/* --- disturbances --- */

static const struct {
	const char *name, *scenario;
	struct bench_injection injection;
} scenarios[] = {
	{"undisturbed", "calm", {.memory_percent = 0}},
	{"memory at 75 %", "memory", {.memory_percent = 75, .memory_limit_mb = STRESS_LIMIT_MB}},
	{"memory at 85 %", "memory", {.memory_percent = 85, .memory_limit_mb = STRESS_LIMIT_MB}},
	{"memory at 95 %", "memory", {.memory_percent = 95, .memory_limit_mb = STRESS_LIMIT_MB}},
	{"full disk", "disk", {.small_disk = true}},
	{"contention", "contention", {.busy = 2}}, /* for each CPU */
	{"throttled CPU", "throttled", {.share = 25}},
};

/* A share of a limit that the machine can well spare. */
static void limit_memory(struct bench_case *to, uint64_t memory_mb)
{
	struct bench_injection *injection = &to->injection;
	if (injection->memory_percent <= 0 || !memory_mb || memory_mb >= injection->memory_limit_mb)
		return;
	injection->memory_limit_mb = WAN_MAX(memory_mb, (uint64_t)STRESS_LEAST_MB);
	if (memory_mb < STRESS_LEAST_MB)
		wan_str_copy(to->impossible, sizeof(to->impossible),
			     "too little memory is left on this machine to take some of it");
}

void bench_plan_stress(struct bench_plan *plan, const struct bench_request *request)
{
	const struct bench_size size = bench_plan_size(request, 1280, 720);
	double seconds = request->seconds > 0 ? request->seconds : 5;
	for (size_t i = 0; i < WAN_COUNT_OF(scenarios); i++) {
		struct bench_case *added =
			bench_plan_add(plan, BENCH_GROUP_STRESS, seconds * 1000 + 800);
		wan_str_copy(added->name, sizeof(added->name), scenarios[i].name);
		added->injection = scenarios[i].injection;
		limit_memory(added, request->memory_mb);
		added->injection.busy *= WAN_MAX(request->cpus, 1u);
		for (unsigned k = 0; k < STRESS_SOURCES; k++)
			(void)bench_case_source(added, size, "complex", "jpeg", k);
		bench_case_word(added, "stress");
		bench_case_word(added, "@");
		bench_case_word(added, scenarios[i].scenario);
		bench_case_number(added, STRESS_SOURCES);
		bench_case_number(added, WAN_MIN(WAN_MAX(request->cpus, 2u), 10u));
		bench_case_number(added, (uint64_t)(seconds * 1000));
		bench_case_number(added, (uint64_t)added->injection.memory_percent);
		bench_case_number(added, added->injection.memory_limit_mb);
		bench_case_number(added, size.width_px);
		bench_case_number(added, size.height_px);
	}
}

/* --- configurations --- */

static void add_config(struct bench_plan *plan, const struct bench_request *request,
		       struct bench_config config, const char *name)
{
	bool all = request->mode == BENCH_MODE_COMPREHENSIVE;
	unsigned frames = request->rounds ? request->rounds : all ? 96 : 16;
	const struct bench_size size = bench_plan_size(request, 1920, 1080);
	struct bench_case *added = bench_plan_add(plan, BENCH_GROUP_MATRIX, 100 + frames * 25.0);
	wan_str_copy(config.name, sizeof(config.name), name);
	wan_str_copy(added->name, sizeof(added->name), name);
	added->config = config;
	for (unsigned i = 0; i < FRAME_SOURCES; i++)
		(void)bench_case_source(added, size, "complex", "jpeg", i);
	bench_case_word(added, "frames");
	bench_case_word(added, "@");
	bench_case_number(added, FRAME_SOURCES);
	bench_case_number(added, frames);
	bench_case_number(added, config.threads);
	bench_case_word(added, config.overlapped ? "overlapped" : "serial");
	bench_case_word(added, config.cached ? "cached" : "uncached");
	bench_case_number(added, config.width_px);
	bench_case_number(added, config.height_px);
	bench_case_number(added, config.quality);
	bench_case_word(added, config.scaled ? "scaled" : "whole");
	bench_case_word(added, config.filter);
	bench_case_number(added, size.width_px);
	bench_case_number(added, size.height_px);
}

static void add_threads(struct bench_plan *plan, const struct bench_request *request,
			struct bench_config reference)
{
	char name[48];
	unsigned most = WAN_MIN(WAN_MAX(request->cpus, 1u), 32u);
	for (unsigned threads = 2; threads <= most;
	     threads = threads < most && threads * 2 > most ? most : threads * 2) {
		reference.threads = threads;
		wan_str_format(name, sizeof(name), "%u threads", threads);
		add_config(plan, request, reference, name);
	}
}

static void add_size(struct bench_plan *plan, const struct bench_request *request,
		     struct bench_config config, struct bench_size size)
{
	char name[48];
	config.width_px = size.width_px;
	config.height_px = size.height_px;
	wan_str_format(name, sizeof(name), "size %ux%u", config.width_px, config.height_px);
	add_config(plan, request, config, name);
}

/* Each configuration differs from the one with a thread for each CPU in one thing. */
static void add_all(struct bench_plan *plan, const struct bench_request *request)
{
	const struct bench_config reference = {.threads = 1,
					       .width_px = 832,
					       .height_px = 480,
					       .quality = 90,
					       .filter = "lanczos"};
	static const char *const filters[] = {"bicubic", "bilinear", "box"};
	static const struct bench_size sizes[] = {{640, 360}, {1280, 720}, {1920, 1080}};
	struct bench_config config = reference, threaded = reference;
	threaded.threads = WAN_MIN(WAN_MAX(request->cpus, 1u), 32u);
	add_config(plan, request, reference, "reference");
	add_threads(plan, request, reference);
	config.overlapped = true;
	config.threads = 3;
	add_config(plan, request, config, "overlapped steps");
	config = threaded;
	config.cached = true;
	add_config(plan, request, config, "cache");
	config = threaded;
	config.scaled = true;
	add_config(plan, request, config, "scaled decode");
	for (size_t i = 0; i < WAN_COUNT_OF(filters); i++) {
		config = threaded;
		config.filter = filters[i];
		add_config(plan, request, config, filters[i]);
	}
	config = threaded;
	config.quality = 75;
	add_config(plan, request, config, "quality 75");
	for (size_t i = 0; i < WAN_COUNT_OF(sizes); i++)
		add_size(plan, request, threaded, sizes[i]);
}

void bench_plan_matrix(struct bench_plan *plan, const struct bench_request *request)
{
	/* In turn, so that a machine that slows down meanwhile does so for all of them. */
	for (unsigned i = 0; i < BENCH_MATRIX_PASSES; i++)
		add_all(plan, request);
}
