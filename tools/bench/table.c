/* SPDX-License-Identifier: MIT */
/* wanprof bench --table: the rows of the requirements, on photographs and with real work. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "helper.h"
#include "reference.h"
#include "json_writer.h"
#include "macros.h"
#include "scratch.h"
#include "str.h"
#include "sys.h"
#include "units.h"
#include "wanprof.h"

#define PHOTOGRAPHS   "/usr/share/backgrounds/mate/nature/*.jpg"
#define SOURCES_MAX   BENCH_PHOTOGRAPHS_MAX
#define DEFAULT_COUNT 2

/* Figures of one row on one photograph, as the helper says them. */
struct figures {
	uint64_t cold_ns, cached_ns, result_bytes, kept_bytes, working_bytes, file_bytes;
};

struct table {
	const char *sources[SOURCES_MAX];
	size_t source_count;
	unsigned rounds;
	struct figures rows[WAN_COUNT_OF(bench_references)][SOURCES_MAX];
	size_t counts[WAN_COUNT_OF(bench_references)];
};

static void take_line(void *context, char *line)
{
	struct table *table = context;
	struct figures figures;
	char name[64];
	unsigned width, height;
	unsigned long long numbers[6];
	if (sscanf(line, "row\t%63[^\t]\t%u\t%u\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu", name, &width,
		   &height, &numbers[0], &numbers[1], &numbers[2], &numbers[3], &numbers[4],
		   &numbers[5]) != 9)
		return;
	figures = (struct figures){numbers[0], numbers[1], numbers[2],
				   numbers[3], numbers[4], numbers[5]};
	for (size_t i = 0; i < WAN_COUNT_OF(bench_references); i++) {
		const struct bench_reference *row = &bench_references[i];
		if (strcmp(row->name, name) == 0 && row->width_px == width &&
		    row->height_px == height && table->counts[i] < SOURCES_MAX)
			table->rows[i][table->counts[i]++] = figures;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, ".");
}

/* The helper reads the photographs; we read what it says. */
static int measure(struct table *table)
{
	struct wanprof_scratch folder;
	char rounds[16];
	const char *arguments[SOURCES_MAX + 4] = {"table", rounds, folder.path};
	int status = wanprof_scratch_make(&folder, "bench");
	if (status)
		return status;
	wan_str_format(rounds, sizeof(rounds), "%u", table->rounds);
	for (size_t i = 0; i < table->source_count; i++)
		arguments[3 + i] = table->sources[i];
	status = bench_helper_run(arguments, take_line, table);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\n");
	wanprof_scratch_remove(&folder); /* an interrupted helper leaves pictures in it */
	return status;
}

/* --- what it means --- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Median over the photographs, field by field: a figure of a typical one. */
static struct figures typical(const struct table *table, size_t row)
{
	struct figures result = {0};
	uint64_t *fields = &result.cold_ns;
	for (size_t field = 0; field < sizeof(result) / sizeof(uint64_t); field++) {
		uint64_t values[SOURCES_MAX];
		for (size_t i = 0; i < table->counts[row]; i++)
			memcpy(&values[i], (const uint64_t *)&table->rows[row][i] + field,
			       sizeof(values[i]));
		qsort(values, table->counts[row], sizeof(values[0]), by_value);
		fields[field] = table->counts[row] ? values[table->counts[row] / 2] : 0;
	}
	return result;
}

static void print_text(FILE *to, const void *data)
{
	const struct table *table = data;
	char cold[32], cached[32], result[32], kept[32], working[32], file[32], size[32];
	fprintf(to, "%-18s %9s %9s %9s %9s  %8s %8s %8s %8s   %s\n", "operation", "size", "cold",
		"cached", "faster", "file", "result", "kept", "working",
		"required; reference as measured");
	for (size_t i = 0; i < WAN_COUNT_OF(bench_references); i++) {
		const struct bench_reference *row = &bench_references[i];
		struct figures figures = typical(table, i);
		wan_format_duration(cold, sizeof(cold), figures.cold_ns);
		wan_format_duration(cached, sizeof(cached), figures.cached_ns);
		wan_format_bytes(file, sizeof(file), figures.file_bytes);
		wan_format_bytes(result, sizeof(result), figures.result_bytes);
		wan_format_bytes(kept, sizeof(kept), figures.kept_bytes);
		wan_format_bytes(working, sizeof(working), figures.working_bytes);
		wan_str_format(size, sizeof(size), "%ux%u", row->width_px, row->height_px);
		fprintf(to,
			"%-18s %9s %9s %9s %8.0fx  %8s %8s %8s %8s   %g ms, %gx, %g MB; %g ms, "
			"%.1fx\n",
			row->name, size, cold, cached,
			(double)figures.cold_ns / (double)WAN_MAX(figures.cached_ns, 1u), file,
			result, kept, working, row->required_ms, row->required_faster,
			row->required_mb, row->measured_ms,
			row->measured_ms / row->measured_cached_ms);
	}
	fprintf(to,
		"\ncold: nothing cached, the file in the page cache; cached: the same call again, "
		"file unchanged.\n"
		"kept: what the cache holds afterwards, the decoded picture included; working: the "
		"most\npixel memory mapped meanwhile. Medians of %u rounds over %zu "
		"photograph%s.\n",
		table->rounds, table->source_count, table->source_count == 1 ? "" : "s");
	for (size_t i = 0; i < WAN_COUNT_OF(bench_references); i++) {
		const struct bench_reference *row = &bench_references[i];
		if (row->here)
			fprintf(to, "%s: %s;\n  the reference: %s\n", row->name, row->here,
				row->there);
	}
}

static int print_json(int fd, const void *data)
{
	const struct table *table = data;
	struct wan_json json;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanrt-bench-table");
	wan_json_key_u64(&json, "schema_version", 1);
	wan_json_key_u64(&json, "rounds", table->rounds);
	wan_json_key(&json, "photographs");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < table->source_count; i++)
		wan_json_string(&json, table->sources[i]);
	wan_json_array_end(&json);
	wan_json_key(&json, "rows");
	wan_json_array_begin(&json);
	for (size_t i = 0; i < WAN_COUNT_OF(bench_references); i++) {
		const struct bench_reference *row = &bench_references[i];
		struct figures figures = typical(table, i);
		wan_json_object_begin(&json);
		wan_json_key_string(&json, "operation_name", row->name);
		wan_json_key(&json, "image_size");
		wan_json_array_begin(&json);
		wan_json_u64(&json, row->width_px);
		wan_json_u64(&json, row->height_px);
		wan_json_array_end(&json);
		wan_json_key_u64(&json, "cold_ns", figures.cold_ns);
		wan_json_key_u64(&json, "cached_ns", figures.cached_ns);
		wan_json_key_u64(&json, "file_size_bytes", figures.file_bytes);
		wan_json_key_u64(&json, "result_bytes", figures.result_bytes);
		wan_json_key_u64(&json, "kept_bytes", figures.kept_bytes);
		wan_json_key_u64(&json, "working_bytes", figures.working_bytes);
		wan_json_key_double(&json, "required_ms", row->required_ms, 3);
		wan_json_key_double(&json, "required_faster", row->required_faster, 3);
		wan_json_key_double(&json, "required_mb", row->required_mb, 3);
		wan_json_key_double(&json, "reference_ms", row->measured_ms, 3);
		wan_json_key_double(&json, "reference_cached_ms", row->measured_cached_ms, 3);
		wan_json_object_end(&json);
	}
	wan_json_array_end(&json);
	wan_json_object_end(&json);
	return wan_json_finish(&json);
}

/* Photographs of the distribution, when none were named. */
static int default_sources(struct table *table, glob_t *found)
{
	if (glob(PHOTOGRAPHS, 0, NULL, found) != 0) {
		wanprof_say("no photographs: name some (wanprof bench --table FILE...), or install "
			    "mate-backgrounds");
		return WANPROF_NO_INPUT;
	}
	for (size_t i = 0; i < found->gl_pathc && i < DEFAULT_COUNT; i++)
		table->sources[table->source_count++] = found->gl_pathv[i];
	return 0;
}

int bench_table_run(const char *const *photographs, size_t count, unsigned rounds,
		    struct bench_output *output)
{
	static struct table table;
	glob_t found = {0};
	table = (struct table){.rounds = rounds, .source_count = count};
	for (size_t i = 0; i < count; i++)
		table.sources[i] = photographs[i];
	int status = count ? 0 : default_sources(&table, &found);
	if (!status)
		status = measure(&table);
	output->text = print_text;
	output->document = print_json;
	if (!status)
		status = bench_output_write(output, &table);
	globfree(&found);
	return status;
}
