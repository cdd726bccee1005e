/* SPDX-License-Identifier: MIT */
/* wanprof bench --scaling: starts the work, judges the samples, prints the table. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "helper.h"
#include "json_writer.h"
#include "macros.h"
#include "scaling.h"
#include "screen.h"
#include "str.h"
#include "units.h"
#include "wanprof.h"

#define OPERATIONS_MAX 16
#define SIZES_MAX      16
#define SAMPLES_MAX    (SIZES_MAX * BENCH_SCALING_ROUNDS_MAX)

struct operation {
	char name[64];
	size_t count;
	struct wan_scaling_sample time[SAMPLES_MAX], memory[SAMPLES_MAX];
	struct wan_scaling time_fit, memory_fit;
	bool memory_known;
	double least_ns, most_ns; /* medians of the smallest and largest size */
	double least_bytes, most_bytes;
};

struct sweep {
	const char *photograph;
	unsigned rounds;
	uint32_t sizes[SIZES_MAX][2];
	size_t size_count, operation_count;
	struct operation operations[OPERATIONS_MAX];
	bool progress;
};

static void take_sample(struct sweep *sweep, const char *line)
{
	char name[64];
	unsigned width, height;
	unsigned long long ns, bytes;
	if (sscanf(line, "sample\t%63[^\t]\t%u\t%u\t%llu\t%llu", name, &width, &height, &ns,
		   &bytes) != 5 ||
	    !sweep->operation_count)
		return;
	struct operation *operation = &sweep->operations[sweep->operation_count - 1];
	if (strcmp(operation->name, name) != 0 || operation->count == SAMPLES_MAX)
		return;
	double pixels = (double)width * height;
	operation->time[operation->count] =
		(struct wan_scaling_sample){.pixels = pixels, .cost = (double)ns};
	operation->memory[operation->count++] =
		(struct wan_scaling_sample){.pixels = pixels, .cost = (double)bytes};
	operation->memory_known |= bytes != 0;
}

static void take_line(void *context, char *line)
{
	struct sweep *sweep = context;
	unsigned width, height;
	char name[64];
	if (sscanf(line, "size\t%u\t%u", &width, &height) == 2) {
		if (sweep->size_count == SIZES_MAX)
			return;
		sweep->sizes[sweep->size_count][0] = width;
		sweep->sizes[sweep->size_count++][1] = height;
	} else if (sscanf(line, "at\t%63[^\n]", name) == 1) {
		if (sweep->operation_count == OPERATIONS_MAX)
			return;
		wan_str_copy(sweep->operations[sweep->operation_count++].name,
			     sizeof(sweep->operations[0].name), name);
		if (sweep->progress)
			fprintf(stderr, "\r%zu: %-24s", sweep->operation_count, name);
	} else {
		take_sample(sweep, line);
	}
}

/* Median cost of one size; the samples of a size are few. */
static double median_at(const struct wan_scaling_sample *samples, size_t count,
			const uint32_t size[2])
{
	double values[BENCH_SCALING_ROUNDS_MAX], pixels = (double)size[0] * size[1];
	size_t found = 0;
	for (size_t i = 0; i < count && found < WAN_COUNT_OF(values); i++) {
		if (samples[i].pixels != pixels)
			continue;
		size_t at = found++;
		for (; at && values[at - 1] > samples[i].cost; at--)
			values[at] = values[at - 1];
		values[at] = samples[i].cost;
	}
	return found ? values[found / 2] : 0;
}

static void judge(const struct sweep *sweep, struct operation *operation)
{
	const uint32_t *least = sweep->sizes[0], *most = sweep->sizes[sweep->size_count - 1];
	operation->least_ns = median_at(operation->time, operation->count, least);
	operation->most_ns = median_at(operation->time, operation->count, most);
	operation->least_bytes = median_at(operation->memory, operation->count, least);
	operation->most_bytes = median_at(operation->memory, operation->count, most);
	wan_scaling_fit(operation->time, operation->count, &operation->time_fit);
	wan_scaling_fit(operation->memory, operation->count, &operation->memory_fit);
}

static double range_of(const struct sweep *sweep)
{
	const uint32_t *least = sweep->sizes[0], *most = sweep->sizes[sweep->size_count - 1];
	return (double)most[0] * most[1] / ((double)least[0] * least[1]);
}

static void memory_text(char *to, size_t bytes, const struct operation *operation)
{
	const struct wan_scaling *fit = &operation->memory_fit;
	char most[24];
	if (!operation->memory_known || !fit->fitted) {
		wan_str_copy(to, bytes, "-");
		return;
	}
	wan_format_bytes(most, sizeof(most), (uint64_t)operation->most_bytes);
	wan_str_format(to, bytes, "%s %.2f %s", most, fit->slope,
		       wan_scaling_verdict_name(fit->verdict));
}

static void print_row(FILE *to, const struct sweep *sweep, const struct operation *operation)
{
	const uint32_t *least = sweep->sizes[0], *most = sweep->sizes[sweep->size_count - 1];
	const struct wan_scaling *fit = &operation->time_fit;
	char shortest[24], longest[24], memory[64];
	wan_format_duration(shortest, sizeof(shortest), (uint64_t)operation->least_ns);
	wan_format_duration(longest, sizeof(longest), (uint64_t)operation->most_ns);
	memory_text(memory, sizeof(memory), operation);
	fprintf(to, "%-17.17s %8s %8s %6.2f %6.2f %5.2f %5.2f %4s  %s\n", operation->name, shortest,
		longest, operation->least_ns / ((double)least[0] * least[1]),
		operation->most_ns / ((double)most[0] * most[1]), fit->slope, fit->lower_bound,
		fit->verdict == WAN_SCALING_INCONCLUSIVE ? "?"
							 : wan_scaling_verdict_name(fit->verdict),
		memory);
}

static void print_text(FILE *to, const void *data)
{
	const struct sweep *sweep = data;
	const struct wan_screen screen = {.to = to, .columns = 80};
	const uint32_t *least = sweep->sizes[0], *most = sweep->sizes[sweep->size_count - 1];
	char text[WAN_SCREEN_TEXT];
	wan_str_format(text, sizeof(text),
		       "%s at %zu sizes, %" PRIu32 "x%" PRIu32 " to %" PRIu32 "x%" PRIu32
		       ": %.0f times the pixels",
		       sweep->photograph, sweep->size_count, least[0], least[1], most[0], most[1],
		       range_of(sweep));
	wan_screen_wrapped(&screen, text, 2, 3);
	fprintf(to, "%-17s %17s %13s\n%-17s %8s %8s %6s %6s %5s %5s %4s  %s\n", "", "time",
		"ns a pixel", "operation", "smallest", "largest", "small", "large", "slope",
		"bound", "", "memory");
	for (size_t i = 0; i < sweep->operation_count; i++)
		print_row(to, sweep, &sweep->operations[i]);
	wan_str_format(text, sizeof(text),
		       "ok: time grows no faster than pixels^%.2f. poor: it does, with the 95 %% "
		       "bound above 1 and a pixel costing %.1f times as much at the large end. ?: "
		       "it rises faster, but not beyond the noise. Memory: most held at once, its "
		       "own slope and verdict.",
		       WAN_SCALING_SLOPE, WAN_SCALING_RATIO);
	wan_screen_wrapped(&screen, text, 0, 5);
}

static void write_fit(struct wan_json *json, const char *name, const struct wan_scaling *fit,
		      const char *fixed_name)
{
	wan_json_key(json, name);
	wan_json_object_begin(json);
	wan_json_key_string(json, "verdict", wan_scaling_verdict_name(fit->verdict));
	wan_json_key_string(json, "reason", fit->reason[0] ? fit->reason : NULL);
	if (fit->fitted) {
		wan_json_key_double(json, "exponent", fit->slope, 4);
		wan_json_key_double(json, "lower_bound_95", fit->lower_bound, 4);
		wan_json_key_double(json, "cost_ratio", fit->ratio, 4);
		wan_json_key_double(json, "range", fit->range, 2);
		wan_json_key_double(json, fixed_name, fit->fixed, 1);
	}
	wan_json_key_u64(json, "sizes", fit->sizes);
	wan_json_object_end(json);
}

static int write_json(int fd, const void *data)
{
	const struct sweep *sweep = data;
	struct wan_json json;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanrt-bench-scaling");
	wan_json_key_u64(&json, "schema_version", 1);
	wan_json_key_string(&json, "photograph", sweep->photograph);
	wan_json_key(&json, "sizes");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < sweep->size_count; i++) {
		wan_json_array_begin(&json);
		wan_json_u64(&json, sweep->sizes[i][0]);
		wan_json_u64(&json, sweep->sizes[i][1]);
		wan_json_array_end(&json);
	}
	wan_json_array_end(&json);
	wan_json_key(&json, "operations");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < sweep->operation_count; i++) {
		const struct operation *operation = &sweep->operations[i];
		wan_json_object_begin(&json);
		wan_json_key_string(&json, "operation_name", operation->name);
		wan_json_key_u64(&json, "samples", operation->count);
		wan_json_key_double(&json, "smallest_ns", operation->least_ns, 0);
		wan_json_key_double(&json, "largest_ns", operation->most_ns, 0);
		wan_json_key_double(&json, "largest_bytes", operation->most_bytes, 0);
		write_fit(&json, "scaling", &operation->time_fit, "fixed_ns");
		write_fit(&json, "memory_scaling", &operation->memory_fit, "fixed_bytes");
		wan_json_object_end(&json);
	}
	wan_json_array_end(&json);
	wan_json_object_end(&json);
	return wan_json_finish(&json);
}

int bench_scaling_run(const char *photograph, unsigned rounds, struct bench_output *output)
{
	static struct sweep sweep;
	char count[16];
	const char *arguments[] = {"scaling", count, photograph, NULL};
	sweep = (struct sweep){.photograph = photograph, .progress = isatty(STDERR_FILENO)};
	wan_str_format(count, sizeof(count), "%u", rounds);
	int status = bench_helper_run(arguments, take_line, &sweep);
	if (sweep.progress)
		fprintf(stderr, "\r%40s\r", "");
	if (status)
		return status;
	if (!sweep.size_count || !sweep.operation_count) {
		wanprof_say("%s: nothing was measured", photograph);
		return WANPROF_SOFTWARE;
	}
	for (size_t i = 0; i < sweep.operation_count; i++)
		judge(&sweep, &sweep.operations[i]);
	output->text = print_text;
	output->document = write_json;
	return bench_output_write(output, &sweep);
}
