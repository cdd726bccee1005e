/* SPDX-License-Identifier: MIT */
#include "bench_plan.h"

#include <stdio.h>
#include <string.h>

#include "content.h"
#include "macros.h"
#include "plan_matrix.h"
#include "str.h"

const char *const bench_mode_names[4] = {"", "quick", "comprehensive", "stress"};
const char *const bench_group_names[BENCH_GROUPS] = {"size",   "aspect", "batch",  "concurrent",
						     "repeat", "errors", "stress", "matrix"};
const char *const bench_status_names[3] = {"passed", "failed", "inconclusive"};

static const struct bench_size quick_sizes[] = {
	{64, 64}, {512, 512}, {832, 480}, {1280, 720}, {1920, 1080}};
static const struct bench_size all_sizes[] = {{64, 64},     {256, 256},   {512, 512},
					      {832, 480},   {1280, 720},  {1920, 1080},
					      {2048, 2048}, {2560, 1440}, {3840, 2160}};
/* Extreme ratios, from a single pixel to a ribbon. */
static const struct bench_size quick_aspects[] = {{1, 1}, {2048, 16}, {16, 2048}};
static const struct bench_size all_aspects[] = {{1, 1},     {2, 2},     {1, 4096},
						{4096, 1},  {17, 16},   {8192, 32},
						{32, 8192}, {16000, 8}, {8, 16000}};

size_t bench_sizes_parse(const char *text, struct bench_size sizes[BENCH_SIZES_MAX])
{
	size_t count = 0;
	for (const char *at = text;; at++) {
		unsigned width, height;
		int used;
		if (count == BENCH_SIZES_MAX ||
		    sscanf(at, "%5ux%5u%n", &width, &height, &used) != 2)
			return 0;
		if (!width || !height || width > 16384 || height > 16384 ||
		    (uint64_t)width * height > 64000000)
			return 0;
		sizes[count++] = (struct bench_size){width, height};
		at += used;
		if (!*at)
			return count;
		if (*at != ',')
			return 0;
	}
}

int bench_group_find(const char *name)
{
	for (int i = 0; i < BENCH_GROUPS; i++)
		if (strcmp(bench_group_names[i], name) == 0)
			return i;
	return -1;
}

struct bench_case *bench_plan_add(struct bench_plan *plan, enum bench_group group,
				  double expected_ms)
{
	static struct bench_case spare; /* what is beyond the last is not done */
	struct bench_case *added =
		plan->count < BENCH_CASES_MAX ? &plan->cases[plan->count++] : &spare;
	*added = (struct bench_case){.group = group,
				     .expected_ms = expected_ms,
				     .timeout_ms = 60000 + (uint64_t)(expected_ms * 40)};
	return added;
}

void bench_case_word(struct bench_case *to, const char *word)
{
	if (to->word_count < BENCH_WORDS_MAX)
		wan_str_copy(to->words[to->word_count++], sizeof(to->words[0]), word);
}

void bench_case_number(struct bench_case *to, uint64_t number)
{
	char text[24];
	wan_str_format(text, sizeof(text), "%llu", (unsigned long long)number);
	bench_case_word(to, text);
}

const char *bench_case_source(struct bench_case *to, struct bench_size size, const char *content,
			      const char *format, unsigned seed)
{
	char *words = to->sources[WAN_MIN(to->source_count, BENCH_CASE_SOURCES - 1u)];
	wan_str_format(words, sizeof(to->sources[0]), "%ux%u:%s:%s:%u", size.width_px,
		       size.height_px, content, format, seed);
	to->source_count = WAN_MIN(to->source_count + 1, (unsigned)BENCH_CASE_SOURCES);
	return words;
}

static double megapixels(struct bench_size size)
{
	return (double)size.width_px * size.height_px / 1e6;
}

static void add_picture(struct bench_plan *plan, enum bench_group group, struct bench_size size,
			int content, bool png, unsigned rounds)
{
	struct bench_case *added =
		bench_plan_add(plan, group, 60 + megapixels(size) * (png ? 500 : 200));
	added->size = size;
	added->content = bench_content_names[content];
	added->format = png ? "png" : "jpeg";
	wan_str_format(added->name, sizeof(added->name), "%ux%u %s %s", size.width_px,
		       size.height_px, added->content, added->format);
	bench_case_word(added, "size");
	bench_case_word(added, "@");
	bench_case_word(added, bench_case_source(added, size, added->content, added->format, 0));
	bench_case_number(added, rounds);
}

static void add_sizes(struct bench_plan *plan, const struct bench_request *request, bool all)
{
	const struct bench_size *sizes = all ? all_sizes : quick_sizes;
	size_t count = all ? WAN_COUNT_OF(all_sizes) : WAN_COUNT_OF(quick_sizes);
	if (request->size_count) {
		sizes = request->sizes;
		count = request->size_count;
	}
	for (size_t i = 0; i < count; i++)
		for (int content = 0; content < BENCH_CONTENTS; content++)
			for (int png = 0; png < 2; png++)
				add_picture(plan, BENCH_GROUP_SIZE, sizes[i], content, png,
					    request->rounds ? request->rounds
					    : all           ? 15
							    : 5);
}

static void add_aspects(struct bench_plan *plan, const struct bench_request *request, bool all)
{
	size_t count = all ? WAN_COUNT_OF(all_aspects) : WAN_COUNT_OF(quick_aspects);
	for (size_t i = 0; i < count; i++)
		for (int png = 0; png < 2; png++)
			add_picture(plan, BENCH_GROUP_ASPECT,
				    (all ? all_aspects : quick_aspects)[i], BENCH_CONTENT_MEDIUM,
				    png, request->rounds ? request->rounds : 5);
}

struct bench_size bench_plan_size(const struct bench_request *request, unsigned width_px,
				  unsigned height_px)
{
	const struct bench_size size = {width_px, height_px};
	return request->size_count ? request->sizes[0] : size;
}

static void add_crowd(struct bench_plan *plan, const struct bench_request *request,
		      enum bench_group group, unsigned count, unsigned each)
{
	struct bench_size size = bench_plan_size(request, 1280, 720);
	struct bench_case *added =
		bench_plan_add(plan, group, 50 + megapixels(size) * 20 * count * (each ? each : 1));
	bool batch = group == BENCH_GROUP_BATCH;
	added->size = size;
	added->content = "complex";
	added->format = "jpeg";
	if (batch)
		added->images = count;
	else
		added->threads = count;
	wan_str_format(added->name, sizeof(added->name), "%u %s", count,
		       batch        ? "images"
		       : count == 1 ? "request"
				    : "requests at once");
	bench_case_word(added, batch ? "batch" : "concurrent");
	bench_case_word(added, "@");
	bench_case_word(added, bench_case_source(added, size, "complex", "jpeg", 0));
	bench_case_number(added, count);
	if (!batch)
		bench_case_number(added, each);
}

static void add_crowds(struct bench_plan *plan, const struct bench_request *request, bool all,
		       unsigned groups)
{
	static const unsigned batches[] = {8, 32, 128, 512}, crowds[] = {1, 2, 4, 6, 8, 10};
	for (size_t i = 0; i < (all ? 4 : 2) && groups & 1u << BENCH_GROUP_BATCH; i++)
		add_crowd(plan, request, BENCH_GROUP_BATCH, batches[i], 0);
	for (size_t i = 0; i < 6 && groups & 1u << BENCH_GROUP_CONCURRENT; i++)
		add_crowd(plan, request, BENCH_GROUP_CONCURRENT, crowds[i], all ? 20 : 5);
}

static void add_leak(struct bench_plan *plan, const struct bench_request *request)
{
	struct bench_size size = bench_plan_size(request, 1280, 720);
	unsigned repeats = request->repeats ? request->repeats : 50;
	struct bench_case *added =
		bench_plan_add(plan, BENCH_GROUP_LEAK, 50 + megapixels(size) * 25 * repeats);
	wan_str_format(added->name, sizeof(added->name), "%u repeats", repeats);
	bench_case_word(added, "leak");
	bench_case_word(added, "@");
	bench_case_word(added, bench_case_source(added, size, "medium", "jpeg", 0));
	bench_case_number(added, repeats);
}

static void add_errors(struct bench_plan *plan)
{
	const struct bench_size size = {640, 360};
	static const char *const parts[] = {"errors", "short", "hang"};
	static const char *const names[] = {"invalid input", "memory short",
					    "a request that never ends"};
	for (size_t i = 0; i < WAN_COUNT_OF(parts); i++) {
		struct bench_case *added = bench_plan_add(plan, BENCH_GROUP_ERRORS, 60);
		wan_str_copy(added->name, sizeof(added->name), names[i]);
		bench_case_word(added, parts[i]);
		bench_case_word(added, "@");
		bench_case_word(added, bench_case_source(added, size, "medium", "jpeg", 0));
		added->must_time_out = i == 2;
		if (added->must_time_out)
			added->timeout_ms = 500;
	}
}

void bench_plan_make(struct bench_plan *plan, const struct bench_request *request)
{
	bool all = request->mode == BENCH_MODE_COMPREHENSIVE;
	unsigned groups = 0;
	plan->count = 0;
	if (request->mode == BENCH_MODE_QUICK || all)
		groups = (1u << BENCH_GROUP_STRESS) - 1;
	else if (request->mode == BENCH_MODE_STRESS)
		groups = 1u << BENCH_GROUP_STRESS;
	if (request->matrix)
		groups |= 1u << BENCH_GROUP_MATRIX;
	if (request->groups)
		groups &= request->groups;
	if (groups & 1u << BENCH_GROUP_SIZE)
		add_sizes(plan, request, all);
	if (groups & 1u << BENCH_GROUP_ASPECT)
		add_aspects(plan, request, all);
	add_crowds(plan, request, all, groups);
	if (groups & 1u << BENCH_GROUP_LEAK)
		add_leak(plan, request);
	if (groups & 1u << BENCH_GROUP_ERRORS)
		add_errors(plan);
	if (groups & 1u << BENCH_GROUP_STRESS)
		bench_plan_stress(plan, request);
	if (groups & 1u << BENCH_GROUP_MATRIX)
		bench_plan_matrix(plan, request);
}
