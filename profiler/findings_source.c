/* SPDX-License-Identifier: MIT */
/* Inputs: the same one again, progressive and interlaced ones, photographs kept as PNG. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "judge.h"
#include "macros.h"
#include "predict.h"
#include "str.h"
#include "wan/profile.h"

#define ms wan_judge_ms

#define REPEAT_COST_NS      5000000u   /* below this no cache is worth its memory */
#define SOURCE_COST_NS      100000000u /* below this no file is worth being stored anew */
#define PHOTOGRAPH_DENSITY  0.4        /* bytes of PNG a pixel: drawings and text stay below */
#define PHOTOGRAPH_SIDE_MIN 256u

static const struct wan_recording_operation *record_at(const struct wan_finding_input *input,
						       const struct wan_row *row, size_t index)
{
	return input->rows->operations[row->first_record + index].record;
}

/* A sum over the operations whose saving is known; negative when it is of less than half their
 * time. */
struct estimate {
	double known_ms, saved_ms, all_ms;
};

static void add_share(struct estimate *estimate, const struct wan_recording_operation *record,
		      double share)
{
	estimate->all_ms += ms(record->inside_ns);
	if (share < 0)
		return;
	estimate->known_ms += ms(record->inside_ns);
	estimate->saved_ms += share * ms(record->inside_ns);
}

static double estimated(const struct estimate *estimate)
{
	return estimate->known_ms * 2 > estimate->all_ms ? estimate->saved_ms : -1;
}

/* --- the same input again --- */

/* Work whose result depends on its input alone: reading, not writing. */
static bool is_repeatable(const char *name)
{
	return strstr(name, "decode") || strstr(name, "validation") || strstr(name, "thumbnail") ||
	       strcmp(name, "fit") == 0 || strcmp(name, "normalise") == 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The same process, input, and size of the result. */
static int compare_input(const struct wan_view_operation *a, const struct wan_view_operation *b)
{
	int order = compare_u64((uintptr_t)a->process, (uintptr_t)b->process);
	order = order ? order : compare_u64(a->detail->identity, b->detail->identity);
	order = order ? order : compare_u64(a->detail->output_width_px, b->detail->output_width_px);
	order = order ? order : compare_u64(a->record->width_px, b->record->width_px);
	order = order ? order : compare_u64(a->record->height_px, b->record->height_px);
	return order ? order : compare_u64(a->record->file_bytes, b->record->file_bytes);
}

/* Equal inputs in order of time: the first of them is the one that had to be done. */
static int by_input(const void *left, const void *right)
{
	const struct wan_view_operation *a = *(const struct wan_view_operation *const *)left;
	const struct wan_view_operation *b = *(const struct wan_view_operation *const *)right;
	int order = compare_input(a, b);
	return order ? order : compare_u64(a->record->start_ns, b->record->start_ns);
}

struct repeats {
	uint64_t count, inputs, cost_ns;
	const struct wan_recording_operation *example; /* the costliest */
};

static struct repeats count_repeats(const struct wan_view_operation **order, size_t count)
{
	struct repeats found = {0};
	bool again = false;
	for (size_t i = 1; i < count; i++) {
		const struct wan_recording_operation *record = order[i]->record;
		bool same = compare_input(order[i - 1], order[i]) == 0;
		found.inputs += same && !again;
		again = same;
		if (!same)
			continue;
		found.count++;
		found.cost_ns += record->inside_ns;
		if (!found.example || record->inside_ns > found.example->inside_ns)
			found.example = record;
	}
	return found;
}

int wan_judge_repeated(struct wan_findings *findings, const struct wan_finding_input *input,
		       const struct wan_row *row)
{
	if (row->status > WAN_OP_WARNED || row->records < 2 || !is_repeatable(row->name))
		return 0;
	const struct wan_view_operation **order = wan_calloc(row->records, sizeof(*order));
	if (!order)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_view_operation *one =
			&input->rows->operations[row->first_record + i];
		if (one->detail && one->detail->identity)
			order[count++] = one;
	}
	qsort(order, count, sizeof(*order), by_input);
	struct repeats repeats = count_repeats(order, count);
	wan_free(order);
	if (!repeats.count || repeats.cost_ns < REPEAT_COST_NS)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_REPEATED, row, repeats.count);
	if (!finding)
		return -ENOMEM;
	char what[128];
	wan_judge_describe(what, sizeof(what), input, repeats.example);
	finding->saving_ms = finding->weight_ms = ms(repeats.cost_ns);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu of %llu did again what was done for the same input (%llu input%s) %s",
		       (unsigned long long)repeats.count, (unsigned long long)row->count,
		       (unsigned long long)repeats.inputs, repeats.inputs == 1 ? "" : "s",
		       what[0] ? what + 1 : "");
	return wan_judge_put(finding, (double)repeats.count, 0, "operations");
}

/* --- progressive and interlaced --- */

static bool is_jpeg(const struct wan_row *row)
{
	return strncmp(row->name, "jpeg.", 5) == 0;
}

static double baseline_share(const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	unsigned denominator = 1;
	if (record->flags & WAN_FLAG_SCALED) {
		uint32_t width = operation->detail ? operation->detail->output_width_px : 0;
		if (!width)
			return -1;
		denominator = (record->width_px + width / 2) / width;
	}
	return wan_predict_baseline(wan_judge_density(record), denominator);
}

/* Writing a progressive file takes several passes over all coefficients, and optimal tables. */
static int judge_output(struct wan_findings *findings, const struct wan_row *row)
{
	if (!is_jpeg(row) || strcmp(row->name, "jpeg.encode") != 0)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_PROGRESSIVE_OUTPUT, row, row->progressive);
	if (!finding)
		return -ENOMEM;
	finding->weight_ms = ms(row->progressive_ns);
	finding->saving_ms = wan_predict_baseline_output() * ms(row->progressive_ns);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu of %llu written progressive, %.1f ms",
		       (unsigned long long)row->progressive, (unsigned long long)row->count,
		       ms(row->progressive_ns));
	return wan_judge_put(finding, (double)row->progressive, 0, "operations");
}

int wan_judge_progressive(struct wan_findings *findings, const struct wan_finding_input *input,
			  const struct wan_row *row)
{
	struct estimate estimate = {0};
	if (row->progressive_ns < SOURCE_COST_NS)
		return 0;
	if (!strstr(row->name, "decode"))
		return judge_output(findings, row);
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_PROGRESSIVE, row, row->progressive);
	if (!finding)
		return -ENOMEM;
	for (size_t i = 0; i < row->records && is_jpeg(row); i++) {
		const struct wan_view_operation *one =
			&input->rows->operations[row->first_record + i];
		if (one->record->flags & WAN_FLAG_PROGRESSIVE)
			add_share(&estimate, one->record, baseline_share(one));
	}
	finding->weight_ms = ms(row->progressive_ns);
	finding->saving_ms = estimated(&estimate);
	wan_str_format(finding->evidence, sizeof(finding->evidence), "%llu of %llu took %.1f ms",
		       (unsigned long long)row->progressive, (unsigned long long)row->count,
		       ms(row->progressive_ns));
	return wan_judge_put(finding, (double)row->progressive, 0, "operations");
}

/* --- photographs as PNG --- */

static bool is_photograph(const struct wan_recording_operation *record)
{
	return record->channels == 3 && record->bit_depth == 8 &&
	       record->width_px >= PHOTOGRAPH_SIDE_MIN &&
	       record->height_px >= PHOTOGRAPH_SIDE_MIN &&
	       wan_judge_density(record) >= PHOTOGRAPH_DENSITY;
}

int wan_judge_png(struct wan_findings *findings, const struct wan_finding_input *input,
		  const struct wan_row *row)
{
	struct estimate estimate = {0};
	uint64_t count = 0;
	const struct wan_recording_operation *example = NULL;
	if (row->status > WAN_OP_WARNED || strcmp(row->name, "png.decode") != 0)
		return 0;
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_recording_operation *record = record_at(input, row, i);
		if (!is_photograph(record))
			continue;
		count++;
		add_share(&estimate, record, wan_predict_png_as_jpeg_read());
		if (!example || record->inside_ns > example->inside_ns)
			example = record;
	}
	if (!count || estimate.all_ms < ms(SOURCE_COST_NS))
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_PNG_PHOTOGRAPH, row, count);
	if (!finding)
		return -ENOMEM;
	char what[128];
	wan_judge_describe(what, sizeof(what), input, example);
	finding->weight_ms = estimate.all_ms;
	finding->saving_ms = estimated(&estimate);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu of %llu took %.1f ms, %.2f bytes a pixel%s", (unsigned long long)count,
		       (unsigned long long)row->count, estimate.all_ms, wan_judge_density(example),
		       what);
	return wan_judge_put(finding, wan_judge_density(example), PHOTOGRAPH_DENSITY, "bytes/px");
}
