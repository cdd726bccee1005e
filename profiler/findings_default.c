/* SPDX-License-Identifier: MIT */
/*
 * The useful rules: one finding per kind of operation, judged by the time inside the library, with
 * a minimum cost below which nothing is said, and claims of repetition only where the input is
 * known to be the same file.
 */
#include <errno.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "judge.h"
#include "macros.h"
#include "str.h"
#include "units.h"
#include "wan/profile.h"

/* A decode is always above 80 % of one core: said only when it also costs something. */
#define CPU_COST_NS     500000000u /* in one operation, or of its kind in all */
#define CPU_SHARE       0.05       /* of the run, for the kind */
#define SCALING_COST_NS 50000000u  /* total below this is not worth a rewrite */
#define ROWS_HELD       16u        /* what a decoder that streams keeps */

#define mb wan_judge_mb
#define ms wan_judge_ms

static const char *file_name(const struct wan_recording_operation *record)
{
	const char *slash = record->file ? strrchr(record->file, '/') : NULL;
	return slash && slash[1] ? slash + 1 : record->file;
}

void wan_judge_describe(char *to, size_t bytes, const struct wan_finding_input *input,
			const struct wan_recording_operation *record)
{
	const char *file = input->view->hide_files ? NULL : file_name(record);
	size_t used = 0;
	to[0] = '\0';
	if (file && file[0])
		used = wan_str_format(to, bytes, " (%s", file);
	if (record->width_px)
		used += wan_str_format(to + used, bytes - used, "%s%ux%u", used ? ", " : " (",
				       record->width_px, record->height_px);
	if (used)
		wan_str_format(to + used, bytes - used, ")");
}

double wan_judge_density(const struct wan_recording_operation *record)
{
	double pixels = (double)record->width_px * record->height_px;
	if (pixels <= 0 || record->file_bytes == UINT64_MAX)
		return 0;
	return (double)record->file_bytes / pixels;
}

struct wan_finding *wan_judge_add(struct wan_findings *findings, enum wan_advice_id id,
				  const struct wan_row *row, uint64_t count)
{
	struct wan_finding *finding = wan_findings_add(findings, id);
	if (!finding)
		return NULL;
	finding->count = count;
	if (!row)
		return finding;
	wan_str_copy(finding->operation, sizeof(finding->operation), row->name);
	wan_str_copy(finding->library, sizeof(finding->library), row->library);
	finding->weight_ms = ms(row->inside_ns);
	return finding;
}

int wan_judge_put(struct wan_finding *finding, double value, double limit, const char *unit)
{
	if (!finding)
		return -ENOMEM;
	const char *about = finding->operation, *colon = about[0] ? ": " : "";
	finding->value = value;
	finding->limit = limit;
	finding->unit = unit;
	if (limit > 0 && value > 2 * limit && finding->severity == WAN_FINDING_MEDIUM)
		finding->severity = WAN_FINDING_HIGH;
	if (finding->advice->kind == WAN_ADVICE_FINDING)
		wan_str_format(finding->text, sizeof(finding->text), "%s: %s%s%s",
			       finding->advice->title, about, about[0] ? " " : "",
			       finding->evidence);
	else
		wan_str_format(finding->text, sizeof(finding->text), "%s (%s%s%s)",
			       finding->advice->action, about, colon, finding->evidence);
	return 0;
}

struct peak {
	const struct wan_recording_operation *worst;
	uint64_t count, cost_ns;
};

typedef double (*measure)(const struct wan_recording_operation *record);

static double inside_ms(const struct wan_recording_operation *record)
{
	return ms(record->inside_ns);
}

static double memory_mb(const struct wan_recording_operation *record)
{
	return mb(wan_operation_memory(record));
}

/* The thread's CPU time runs over the span; between the calls it is the caller's own work. */
static double own_cpu_ns(uint64_t cpu_ns, uint64_t inside_ns, uint64_t span_ns)
{
	return span_ns ? (double)cpu_ns * fmin(1, (double)inside_ns / (double)span_ns) : 0;
}

static double costly_cpu(const struct wan_recording_operation *record)
{
	if (record->cpu_ns == UINT64_MAX ||
	    own_cpu_ns(record->cpu_ns, record->inside_ns, record->span_ns) < CPU_COST_NS)
		return -1;
	return wan_operation_cpu_percent(record);
}

static struct peak above(const struct wan_finding_input *input, const struct wan_row *row,
			 measure value, double limit)
{
	struct peak peak = {0};
	double most = limit;
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_recording_operation *record =
			input->rows->operations[row->first_record + i].record;
		double now = value(record);
		if (now <= limit)
			continue;
		peak.count++;
		peak.cost_ns += record->inside_ns;
		if (now > most || !peak.worst) {
			most = now;
			peak.worst = record;
		}
	}
	return peak;
}

static const char *at_least(const struct wan_row *row)
{
	return row->records < row->count ? "at least " : "";
}

static int judge_slow(struct wan_findings *findings, const struct wan_finding_input *input,
		      const struct wan_row *row)
{
	double limit = ms(input->config->profile_slow_ns);
	struct peak peak = above(input, row, inside_ms, limit);
	if (!peak.count)
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, WAN_ADVICE_SLOW, row, peak.count);
	if (!finding)
		return -ENOMEM;
	char what[128];
	wan_judge_describe(what, sizeof(what), input, peak.worst);
	finding->weight_ms = ms(peak.cost_ns);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%s%llu of %llu above %g ms, worst %.1f ms%s", at_least(row),
		       (unsigned long long)peak.count, (unsigned long long)row->count, limit,
		       ms(peak.worst->inside_ns), what);
	return wan_judge_put(finding, ms(peak.worst->inside_ns), limit, "ms");
}

static int judge_memory(struct wan_findings *findings, const struct wan_finding_input *input,
			const struct wan_row *row)
{
	double limit = mb(input->config->profile_memory_bytes);
	struct peak peak = above(input, row, memory_mb, limit);
	if (!peak.count)
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, WAN_ADVICE_MEMORY, row, peak.count);
	if (!finding)
		return -ENOMEM;
	char what[128];
	wan_judge_describe(what, sizeof(what), input, peak.worst);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%s%llu of %llu above %g MB, most %.1f MB%s%s", at_least(row),
		       (unsigned long long)peak.count, (unsigned long long)row->count, limit,
		       memory_mb(peak.worst),
		       row->flags_seen & WAN_FLAG_PEAK_UPPER_BOUND ? " (upper bound)" : "", what);
	return wan_judge_put(finding, memory_mb(peak.worst), limit, "MB");
}

static int judge_cpu(struct wan_findings *findings, const struct wan_finding_input *input,
		     const struct wan_row *row)
{
	double limit = input->config->profile_cpu_pct;
	struct peak peak = above(input, row, costly_cpu, limit);
	uint64_t run_ns = input->run_cpu_ns ? input->run_cpu_ns : input->run_ns;
	bool known = row->cpu_known == row->count && row->span_ns;
	double mean = known ? 100.0 * (double)row->cpu_ns / (double)row->span_ns : -1;
	double own_ns = own_cpu_ns(row->cpu_ns, row->inside_ns, row->span_ns);
	bool kind = mean > limit && own_ns >= CPU_COST_NS && run_ns &&
		    own_ns >= CPU_SHARE * (double)run_ns;
	if (!peak.count && !kind)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_CPU, row, peak.count ? peak.count : row->count);
	if (!finding)
		return -ENOMEM;
	double value = peak.count ? wan_operation_cpu_percent(peak.worst) : mean;
	if (kind)
		wan_str_format(finding->evidence, sizeof(finding->evidence),
			       "%llu operations took %.2f s of CPU, %.0f %% of the run's, at %.0f "
			       "%% of one core (limit %g %%)",
			       (unsigned long long)row->count, own_ns / 1e9,
			       100.0 * own_ns / (double)run_ns, mean, limit);
	else
		wan_str_format(
			finding->evidence, sizeof(finding->evidence),
			"%llu with 500 ms of CPU or more above %g %% of one core, most %.0f "
			"%% over %.2f s",
			(unsigned long long)peak.count, limit, value,
			own_cpu_ns(peak.worst->cpu_ns, peak.worst->inside_ns, peak.worst->span_ns) /
				1e9);
	return wan_judge_put(finding, value, limit, "%");
}

/* Two to four sizes say nothing of a law, but cost per pixel should not rise so much. */
static int judge_few_sizes(struct wan_findings *findings, const struct wan_row *row,
			   const struct wan_scaling *fit, double limit)
{
	if (fit->verdict != WAN_SCALING_INCONCLUSIVE || fit->sizes < 2 ||
	    fit->sizes >= WAN_SCALING_SIZES_MIN || fit->ratio <= limit)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_SCALING_PROVISIONAL, row, row->count);
	if (!finding)
		return -ENOMEM;
	finding->confidence = "provisional";
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "time per pixel rises %.1f times over %u sizes (range %.0fx, limit %gx)",
		       fit->ratio, fit->sizes, fit->range, limit);
	if (wan_judge_put(finding, fit->ratio, limit, "ratio") < 0)
		return -ENOMEM;
	wan_str_format(finding->text, sizeof(finding->text),
		       "Poor scaling (provisional, %u sizes): %s %s", fit->sizes, row->name,
		       finding->evidence);
	return 0;
}

static int judge_fit(struct wan_findings *findings, const struct wan_row *row,
		     const struct wan_scaling *fit, enum wan_advice_id id, const char *what)
{
	if (fit->verdict != WAN_SCALING_POOR)
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, id, row, row->count);
	if (!finding)
		return -ENOMEM;
	finding->confidence = "95 %";
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%s grows as Mpx^%.2f (at least %.2f, limit %g), %u sizes, range %.0fx",
		       what, fit->slope, fit->lower_bound, WAN_SCALING_SLOPE, fit->sizes,
		       fit->range);
	return wan_judge_put(finding, fit->slope, WAN_SCALING_SLOPE, "exponent");
}

static int judge_scaling(struct wan_findings *findings, const struct wan_finding_input *input,
			 const struct wan_row *row)
{
	if (row->inside_ns < SCALING_COST_NS)
		return 0;
	int rc =
		judge_few_sizes(findings, row, &row->scaling, input->config->profile_scaling_ratio);
	rc = rc ? rc : judge_fit(findings, row, &row->scaling, WAN_ADVICE_SCALING, "time");
	return rc ? rc
		  : judge_fit(findings, row, &row->memory_scaling, WAN_ADVICE_SCALING_MEMORY,
			      "memory");
}

static int judge_outcome(struct wan_findings *findings, const struct wan_finding_input *input,
			 const struct wan_row *row)
{
	if (row->status == WAN_OP_OK || row->unknown_name)
		return 0;
	bool warned = row->status == WAN_OP_WARNED;
	struct wan_finding *finding = wan_judge_add(
		findings, warned ? WAN_ADVICE_WARNED : WAN_ADVICE_FAILED, row, row->count);
	if (!finding)
		return -ENOMEM;
	char what[128] = "";
	if (row->records)
		wan_judge_describe(what, sizeof(what), input,
				   input->rows->operations[row->first_record].record);
	wan_str_format(finding->evidence, sizeof(finding->evidence), "%llu %s%s%s",
		       (unsigned long long)row->count, wan_op_status_name(row->status),
		       what[0] ? ", first" : "", what);
	return wan_judge_put(finding, (double)row->count, 0, "operations");
}

/* What rows would not hold of it, where its peak shows that the whole image was held. */
static double whole_image_mb(const struct wan_recording_operation *record)
{
	uint64_t depth_bytes = (record->bit_depth + 7u) / 8u;
	uint64_t row = (uint64_t)record->width_px * record->channels * depth_bytes;
	if (!row || record->height_px <= ROWS_HELD ||
	    wan_operation_memory(record) < row * record->height_px)
		return -1;
	return mb(row * (record->height_px - ROWS_HELD));
}

static int judge_streaming(struct wan_findings *findings, const struct wan_finding_input *input,
			   const struct wan_row *row)
{
	double limit = mb(input->config->profile_streaming_bytes);
	struct peak peak = above(input, row, memory_mb, limit);
	if (!peak.count)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_STREAMING, row, peak.count);
	if (!finding)
		return -ENOMEM;
	finding->saving_mb = whole_image_mb(peak.worst);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%s%llu above %g MB, most %.1f MB", at_least(row),
		       (unsigned long long)peak.count, limit, memory_mb(peak.worst));
	return wan_judge_put(finding, memory_mb(peak.worst), limit, "MB");
}

static int judge_thumbnails(struct wan_findings *findings, const struct wan_finding_input *input,
			    const struct wan_row *row)
{
	double limit = ms(input->config->profile_thumbnail_ns);
	double mean = row->count ? ms(row->inside_ns) / (double)row->count : 0;
	if (!strstr(row->name, "thumbnail") || mean <= limit)
		return 0;
	struct wan_finding *finding =
		wan_judge_add(findings, WAN_ADVICE_THUMBNAIL, row, row->count);
	if (!finding)
		return -ENOMEM;
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "mean %.1f ms of %llu, limit %g ms", mean, (unsigned long long)row->count,
		       limit);
	return wan_judge_put(finding, mean, limit, "ms");
}

int wan_findings_default(struct wan_findings *findings, const struct wan_finding_input *input)
{
	int rc = 0;
	for (size_t i = 0; i < input->rows->count && !rc; i++) {
		const struct wan_row *row = &input->rows->items[i];
		if (row->flags & WAN_FLAG_CHILD)
			continue;
		rc = judge_slow(findings, input, row);
		rc = rc ? rc : judge_memory(findings, input, row);
		rc = rc ? rc : judge_cpu(findings, input, row);
		rc = rc ? rc : judge_outcome(findings, input, row);
		rc = rc ? rc : wan_judge_progressive(findings, input, row);
		rc = rc ? rc : wan_judge_repeated(findings, input, row);
		rc = rc ? rc : wan_judge_png(findings, input, row);
		rc = rc ? rc : judge_streaming(findings, input, row);
		rc = rc ? rc : judge_thumbnails(findings, input, row);
	}
	for (size_t i = 0; i < input->kinds->count && !rc; i++)
		if (!(input->kinds->items[i].flags & WAN_FLAG_CHILD))
			rc = judge_scaling(findings, input, &input->kinds->items[i]);
	rc = rc ? rc : wan_judge_sizes(findings, input);
	if (!rc)
		rc = wan_judge_run(findings, input);
	rc = rc ? rc : wan_judge_cuda(findings, input);
	return rc ? rc : wan_judge_sensors(findings, input);
}
