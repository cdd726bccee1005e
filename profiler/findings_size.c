/* SPDX-License-Identifier: MIT */
/*
 * Pictures that are read larger than they are used. What becomes of a picture is known where the
 * same thread next writes pictures of the same shape, and reads no other before: the largest of
 * them is the size that was needed. Anything else (a crop, another shape, nothing written) is no
 * proof, and nothing is said.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "judge.h"
#include "macros.h"
#include "predict.h"
#include "str.h"
#include "wan/profile.h"

#define ms wan_judge_ms

#define FACTOR_MIN     2.0 /* decoders scale by 1/2, 1/4, 1/8 */
#define SHAPE_SLACK_PX 1.5 /* rounding of a size */
#define SCALED_COST_NS 50000000u
#define SOURCE_COST_NS 200000000u /* storing files anew is more work than an argument */
#define SCALED_FACTOR  4.0        /* a scaled decode still reads every byte */

enum group {
	WHOLE_JPEG,  /* could be scaled by the decoder */
	SCALED_JPEG, /* is; the file itself is too large */
	WHOLE_PNG,
	GROUPS,
};

struct tally {
	uint64_t count;
	double all_ms, known_ms, saved_ms, factor_sum;
	const struct wan_view_operation *example;
	uint32_t width_px, height_px; /* of the example's use */
};

static bool is_decode(const struct wan_view_operation *operation)
{
	return strstr(wan_operation_name(operation->record), ".decode") != NULL;
}

static bool is_encode(const struct wan_view_operation *operation)
{
	return strstr(wan_operation_name(operation->record), ".encode") != NULL;
}

static int by_thread(const void *left, const void *right)
{
	const struct wan_view_operation *a = *(const struct wan_view_operation *const *)left;
	const struct wan_view_operation *b = *(const struct wan_view_operation *const *)right;
	if (a->process != b->process)
		return (uintptr_t)a->process < (uintptr_t)b->process ? -1 : 1;
	if (a->record->thread != b->record->thread)
		return a->record->thread < b->record->thread ? -1 : 1;
	return (a->record->start_ns > b->record->start_ns) -
	       (a->record->start_ns < b->record->start_ns);
}

static bool same_shape(const struct wan_recording_operation *from,
		       const struct wan_recording_operation *to)
{
	if (!from->width_px || !from->height_px || !to->width_px || !to->height_px)
		return false;
	double height = (double)to->width_px * from->height_px / from->width_px;
	return fabs(height - to->height_px) <= SHAPE_SLACK_PX;
}

/* How many times wider it is than the largest picture made of it; 0: not known. */
static double use_of(const struct wan_view_operation *const *order, size_t at, size_t count,
		     const struct wan_recording_operation **ret_use)
{
	const struct wan_view_operation *decode = order[at];
	const struct wan_recording_operation *largest = NULL;
	for (size_t i = at + 1; i < count; i++) {
		const struct wan_view_operation *next = order[i];
		if (next->process != decode->process ||
		    next->record->thread != decode->record->thread || is_decode(next))
			break;
		if (!is_encode(next))
			continue;
		if (!same_shape(decode->record, next->record))
			return 0;
		if (!largest || next->record->width_px > largest->width_px)
			largest = next->record;
	}
	if (!largest)
		return 0;
	*ret_use = largest;
	return (double)decode->record->width_px / largest->width_px;
}

static unsigned denominator_for(double factor)
{
	return factor >= 8 ? 8 : factor >= 4 ? 4 : factor >= 2 ? 2 : 1;
}

static void add(struct tally *tally, const struct wan_view_operation *operation, double factor,
		double share, uint32_t width_px, uint32_t height_px)
{
	double cost_ms = ms(operation->record->inside_ns);
	tally->count++;
	tally->all_ms += cost_ms;
	tally->factor_sum += factor;
	if (share >= 0) {
		tally->known_ms += cost_ms;
		tally->saved_ms += share * cost_ms;
	}
	if (!tally->example || operation->record->inside_ns > tally->example->record->inside_ns) {
		tally->example = operation;
		tally->width_px = width_px;
		tally->height_px = height_px;
	}
}

static void judge_one(struct tally tallies[GROUPS], const struct wan_view_operation *const *order,
		      size_t at, size_t count)
{
	const struct wan_view_operation *decode = order[at];
	const struct wan_recording_operation *record = decode->record, *use;
	double density = wan_judge_density(record);
	bool jpeg = strncmp(wan_operation_name(record), "jpeg.", 5) == 0;
	if (jpeg && (record->flags & WAN_FLAG_SCALED)) {
		uint32_t width = decode->detail ? decode->detail->output_width_px : 0;
		double factor = width ? (double)record->width_px / width : 0;
		if (factor >= SCALED_FACTOR)
			add(&tallies[SCALED_JPEG], decode, factor,
			    wan_predict_smaller_jpeg(density, factor, denominator_for(factor)),
			    width, decode->detail->output_height_px);
		return;
	}
	double factor = use_of(order, at, count, &use);
	if (factor < FACTOR_MIN)
		return;
	if (jpeg && !(record->flags & WAN_FLAG_PROGRESSIVE))
		add(&tallies[WHOLE_JPEG], decode, factor,
		    wan_predict_scaled(density, denominator_for(factor)), use->width_px,
		    use->height_px);
	else if (jpeg)
		add(&tallies[WHOLE_JPEG], decode, factor, -1, use->width_px, use->height_px);
	else if (!(record->flags & WAN_FLAG_PROGRESSIVE))
		add(&tallies[WHOLE_PNG], decode, factor, wan_predict_smaller_png(factor),
		    use->width_px, use->height_px);
}

static int say(struct wan_findings *findings, const struct wan_finding_input *input,
	       enum group group, const struct tally *tally)
{
	static const struct {
		enum wan_advice_id id;
		uint64_t cost_ns;
		double limit;
	} rules[GROUPS] = {
		[WHOLE_JPEG] = {WAN_ADVICE_FULL_SIZE, SCALED_COST_NS, FACTOR_MIN},
		[SCALED_JPEG] = {WAN_ADVICE_OVERSIZED, SOURCE_COST_NS, SCALED_FACTOR},
		[WHOLE_PNG] = {WAN_ADVICE_OVERSIZED, SOURCE_COST_NS, FACTOR_MIN},
	};
	if (!tally->count || tally->all_ms < ms(rules[group].cost_ns))
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, rules[group].id, NULL, tally->count);
	if (!finding)
		return -ENOMEM;
	const struct wan_recording_operation *record = tally->example->record;
	char what[128];
	wan_str_copy(finding->operation, sizeof(finding->operation), wan_operation_name(record));
	wan_str_copy(finding->library, sizeof(finding->library), wan_operation_library(record));
	wan_judge_describe(what, sizeof(what), input, record);
	finding->weight_ms = tally->all_ms;
	finding->saving_ms = tally->known_ms * 2 > tally->all_ms ? tally->saved_ms : -1;
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu times, %.1f ms in all, used at %ux%u%s",
		       (unsigned long long)tally->count, tally->all_ms, tally->width_px,
		       tally->height_px, what);
	return wan_judge_put(finding, tally->factor_sum / (double)tally->count, rules[group].limit,
			     "times");
}

int wan_judge_sizes(struct wan_findings *findings, const struct wan_finding_input *input)
{
	const struct wan_view *view = input->view;
	struct tally tallies[GROUPS] = {{0}};
	const struct wan_view_operation **order =
		wan_calloc(view->operation_count + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < view->operation_count; i++) {
		const struct wan_view_operation *operation = &view->operations[i];
		if (!wan_view_nested(operation) && operation->status <= WAN_OP_WARNED &&
		    (is_decode(operation) || is_encode(operation)))
			order[count++] = operation;
	}
	qsort(order, count, sizeof(*order), by_thread);
	for (size_t i = 0; i < count; i++)
		if (is_decode(order[i]))
			judge_one(tallies, order, i, count);
	wan_free(order);
	int rc = 0;
	for (unsigned group = 0; group < GROUPS && !rc; group++)
		rc = say(findings, input, (enum group)group, &tallies[group]);
	return rc;
}
