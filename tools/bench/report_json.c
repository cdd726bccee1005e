/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include "json_writer.h"
#include "bench_judge.h"
#include "report.h"
#include "str.h"

static void key_number(struct wan_json *json, const char *name, double value, unsigned decimals)
{
	if (value > 0)
		wan_json_key_double(json, name, value, decimals);
	else
		wan_json_key_null(json, name);
}

static void key_time(struct wan_json *json, const char *name, uint64_t realtime_ns)
{
	char text[32] = "";
	struct tm parts;
	time_t seconds = (time_t)(realtime_ns / 1000000000u);
	if (gmtime_r(&seconds, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	wan_json_key_string(json, name, text);
}

static void environment(struct wan_json *json, const struct machine *machine)
{
	const double gb = (double)MACHINE_GIB;
	wan_json_key(json, "environment");
	wan_json_object_begin(json);
	wan_json_key_string(json, "cpu_model", *machine->cpu_model ? machine->cpu_model : NULL);
	key_number(json, "cpu_count", machine_cpus(machine), 2);
	key_number(json, "physical_cores", machine->physical_cores, 0);
	key_number(json, "memory_total_gb", (double)machine->memory_bytes / gb, 2);
	key_number(json, "memory_available_gb", (double)machine->memory_available_bytes / gb, 2);
	key_number(json, "memory_usable_gb", (double)machine_memory_bytes(machine) / gb, 2);
	wan_json_key_string(json, "gpu",
			    machine_largest_gpu(machine) ? machine_largest_gpu(machine)->name
							 : NULL);
	wan_json_key_string(json, "tier", machine_tier_name(machine_tier_of(machine)));
	wan_json_key_string(json, "platform", *machine->system ? machine->system : NULL);
	wan_json_key_string(json, "kernel", *machine->kernel ? machine->kernel : NULL);
	wan_json_key_string(json, "wanprof_version", WAN_VERSION_TEXT);
	wan_json_object_end(json);
}

static void summarise(struct wan_json *json, const struct bench_report *report,
		      const struct bench_summary *summary)
{
	static const char *const verdicts[] = {"met", "failed", "warning", "inconclusive"};
	wan_json_key(json, "summary");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "total_tests", summary->total);
	wan_json_key_u64(json, "passed", summary->passed);
	wan_json_key_u64(json, "failed", summary->failed);
	wan_json_key_u64(json, "inconclusive", summary->inconclusive);
	wan_json_key_double(json, "success_rate", summary->success_rate, 2);
	wan_json_key_double(json, "real_time_compliance_rate", summary->compliance_rate, 2);
	wan_json_key_u64(json, "hard_failures", summary->hard);
	wan_json_key_string(json, "verdict", verdicts[summary->exit_status]);
	wan_json_key(json, "reasons");
	wan_json_array_begin(json);
	for (size_t i = 0; i < summary->reason_count; i++)
		wan_json_string(json, summary->reasons[i]);
	wan_json_array_end(json);
	wan_json_key_u64(json, "exit_status",
			 report->interrupted ? 128u + (unsigned)report->interrupted
					     : (uint64_t)summary->exit_status);
	wan_json_object_end(json);
	wan_json_key(json, "performance_targets");
	wan_json_object_begin(json);
	wan_json_key_double(json, "real_time_target_ms", BENCH_REAL_TIME_MS, 1);
	wan_json_key_double(json, "concurrent_target_ms", BENCH_CONCURRENT_MS, 1);
	wan_json_key_double(json, "max_memory_per_inference_mb", BENCH_MEMORY_MB, 1);
	wan_json_key_double(json, "max_memory_per_batch_mb", BENCH_BATCH_MEMORY_MB, 1);
	wan_json_key_double(json, "success_rate", BENCH_SUCCESS_RATE, 1);
	wan_json_key_double(json, "real_time_compliance_rate", BENCH_COMPLIANCE_RATE, 1);
	wan_json_object_end(json);
}

static void buckets(struct wan_json *json, const struct bench_report *report, const char *name,
		    enum bench_by by)
{
	struct bench_bucket all[BENCH_BUCKETS_MAX];
	size_t count = bench_buckets(report, by, all);
	wan_json_key(json, name);
	wan_json_object_begin(json);
	for (size_t i = 0; i < count; i++) {
		wan_json_key(json, all[i].key);
		wan_json_object_begin(json);
		wan_json_key_u64(json, "tests", all[i].tests);
		wan_json_key_u64(json, "passed", all[i].passed);
		key_number(json, "mean_ms", all[i].mean_ms, 4);
		key_number(json, "longest_ms", all[i].most_ms, 4);
		key_number(json, "cached_ms", all[i].mean_cached_ms, 6);
		key_number(json, "megapixels_per_s", all[i].megapixels_per_s, 2);
		key_number(json, "memory_mb", all[i].memory_mb, 3);
		if (by == BENCH_BY_CONTENT) {
			key_number(json, "bits_per_pixel_png",
				   bench_bits_per_pixel(report, all[i].key, "png"), 3);
			key_number(json, "bits_per_pixel_jpeg",
				   bench_bits_per_pixel(report, all[i].key, "jpeg"), 3);
		}
		wan_json_object_end(json);
	}
	wan_json_object_end(json);
}

static void tests(struct wan_json *json, const struct bench_report *report)
{
	wan_json_key(json, "tests");
	wan_json_array_begin(json);
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", test->name);
		wan_json_key_string(json, "group", bench_group_names[test->group]);
		wan_json_key_string(json, "status", bench_status_names[test->status]);
		wan_json_key_string(json, "reason", *test->reason ? test->reason : NULL);
		wan_json_key_string(json, "operation_name", test->operation);
		wan_json_key_string(json, "size", *test->size ? test->size : NULL);
		wan_json_key_string(json, "content", test->content);
		wan_json_key_string(json, "format", test->format);
		key_number(json, "median_ms", test->ms, 4);
		key_number(json, "longest_ms", test->most_ms, 4);
		key_number(json, "cached_ms", test->cached_ms, 6);
		key_number(json, "cpu_ms", test->cpu_ms, 4);
		key_number(json, "memory_mb", test->memory_mb, 3);
		wan_json_key_u64(json, "times", test->times);
		wan_json_key_u64(json, "concurrent", test->threads);
		wan_json_key_u64(json, "batch", test->images);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void memory(struct wan_json *json, const struct bench_report *report)
{
	static const char *const verdicts[] = {"none", "leak", "inconclusive"};
	const double mb = 1024 * 1024;
	double peak = 0;
	for (size_t i = 0; i < report->test_count; i++)
		peak = report->tests[i].memory_mb > peak ? report->tests[i].memory_mb : peak;
	wan_json_key(json, "memory_analysis");
	wan_json_object_begin(json);
	key_number(json, "peak_mb", peak, 3);
	wan_json_key(json, "leak");
	if (report->leak_known) {
		const struct wan_leak_judgement *leak = &report->leak;
		wan_json_object_begin(json);
		wan_json_key_string(json, "verdict", verdicts[leak->verdict]);
		wan_json_key_double(json, "repeats", leak->iterations, 0);
		wan_json_key_double(json, "growth_mb", leak->growth_bytes / mb, 4);
		wan_json_key_double(json, "per_repeat_bytes", leak->each, 1);
		wan_json_key_double(json, "per_repeat_low_bytes", leak->low, 1);
		wan_json_key_double(json, "per_repeat_high_bytes", leak->high, 1);
		wan_json_key_string(json, "text", report->leak_text);
		wan_json_object_end(json);
	} else {
		wan_json_null(json);
	}
	wan_json_object_end(json);
}

static void stress(struct wan_json *json, const struct bench_report *report)
{
	static const char *const levels[] = {"normal", "warning", "critical", "emergency"};
	wan_json_key(json, "stress");
	wan_json_array_begin(json);
	for (size_t i = 0; i < report->stress_count; i++) {
		const struct bench_stress *one = &report->stress[i];
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", one->name);
		wan_json_key_string(json, "injected", one->injected);
		wan_json_key_string(json, "status", bench_status_names[one->status]);
		wan_json_key_string(json, "reason", *one->reason ? one->reason : NULL);
		wan_json_key_bool(json, "survived", one->survived);
		wan_json_key_bool(json, "results_right", one->right);
		wan_json_key_u64(json, "requests", one->asked);
		wan_json_key_u64(json, "refused", one->refused);
		wan_json_key_u64(json, "wrong", one->wrong);
		wan_json_key_u64(json, "failed", one->failed);
		key_number(json, "requests_per_s", one->per_second, 2);
		key_number(json, "share_of_undisturbed", one->share, 4);
		wan_json_key_string(json, "level",
				    levels[one->level >= 0 && one->level <= 3 ? one->level : 0]);
		wan_json_key_string(json, "deciding", *one->deciding ? one->deciding : NULL);
		wan_json_key_double(json, "deciding_percent", one->percent, 2);
		wan_json_key_u64(json, "actions", one->actions);
		wan_json_key_double(json, "cache_limit_mb", one->cache_limit_mb, 1);
		wan_json_key_double(json, "cache_limit_least_mb", one->cache_least_mb, 1);
		wan_json_key_double(json, "memory_taken_mb", one->taken_mb, 1);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void row(struct wan_json *json, const struct bench_row *one)
{
	const struct bench_config *config = &one->config;
	wan_json_object_begin(json);
	wan_json_key_string(json, "config_name", config->name);
	wan_json_key_string(json, "mode", one->mode);
	wan_json_key_bool(json, "success", one->success);
	wan_json_key_string(json, "error", one->success ? NULL : one->error);
	key_time(json, "timestamp", one->timestamp_ns);
	wan_json_key_u64(json, "threads", config->threads);
	wan_json_key_bool(json, "overlapped", config->overlapped);
	wan_json_key_bool(json, "cached", config->cached);
	wan_json_key_bool(json, "scaled_decode", config->scaled);
	wan_json_key(json, "frame_size");
	wan_json_array_begin(json);
	wan_json_u64(json, config->width_px);
	wan_json_u64(json, config->height_px);
	wan_json_array_end(json);
	wan_json_key_u64(json, "jpeg_quality", config->quality);
	wan_json_key_string(json, "filter", config->filter);
	wan_json_key_u64(json, "frame_count", one->frames);
	key_number(json, "processing_time_s", one->seconds, 4);
	key_number(json, "fps", one->fps, 3);
	key_number(json, "cpu_seconds", one->cpu_seconds, 4);
	key_number(json, "peak_memory_mb", one->memory_mb, 2);
	key_number(json, "psnr_db", one->psnr_db, 2);
	wan_json_key_u64(json, "largest_error", one->most_apart);
	key_number(json, "file_kb", one->file_kb, 1);
	wan_json_object_end(json);
}

static void matrix(struct wan_json *json, const struct bench_report *report)
{
	const struct bench_row *best = bench_best_row(report->rows, report->row_count);
	wan_json_key(json, "matrix");
	if (!report->row_count) {
		wan_json_null(json);
		return;
	}
	wan_json_object_begin(json);
	wan_json_key_string(json, "best", best ? best->config.name : NULL);
	wan_json_key(json, "configurations");
	wan_json_array_begin(json);
	for (size_t i = 0; i < report->row_count; i++)
		row(json, &report->rows[i]);
	wan_json_array_end(json);
	wan_json_object_end(json);
}

static void advice(struct wan_json *json, const struct bench_report *report)
{
	struct bench_advice all[BENCH_ADVICE_MAX];
	size_t count = bench_advise(report, all);
	wan_json_key(json, "recommendations");
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "id", all[i].id);
		wan_json_key_string(json, "text", all[i].text);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

int bench_report_json(int fd, const struct bench_report *report)
{
	struct wan_json json;
	struct bench_summary summary;
	int r = bench_summarise(report, &summary);
	if (r < 0)
		return r;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanrt-bench");
	wan_json_key_u64(&json, "schema_version", 1);
	wan_json_key_string(&json, "mode", report->mode);
	key_time(&json, "timestamp", report->started_ns);
	wan_json_key_double(&json, "duration_s", report->seconds, 3);
	wan_json_key_bool(&json, "complete", report->complete);
	wan_json_key_bool(&json, "interrupted", report->interrupted != 0);
	environment(&json, &report->machine);
	summarise(&json, report, &summary);
	buckets(&json, report, "results_by_size", BENCH_BY_SIZE);
	buckets(&json, report, "results_by_content", BENCH_BY_CONTENT);
	buckets(&json, report, "results_by_format", BENCH_BY_FORMAT);
	buckets(&json, report, "results_by_operation", BENCH_BY_OPERATION);
	buckets(&json, report, "results_by_group", BENCH_BY_GROUP);
	tests(&json, report);
	memory(&json, report);
	stress(&json, report);
	matrix(&json, report);
	advice(&json, report);
	wan_json_object_end(&json);
	return wan_json_finish(&json);
}
