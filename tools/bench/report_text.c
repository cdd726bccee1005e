/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "content.h"
#include "bench_judge.h"
#include "macros.h"
#include "mode.h"
#include "report.h"
#include "screen.h"
#include "str.h"
#include "units.h"
#include "wan/memory.h"

#define COLUMNS 100

static const char *time_text(char to[24], double ms)
{
	if (ms <= 0)
		return "-";
	return wan_format_duration(to, 24, (uint64_t)(ms * 1e6 + 0.5));
}

static void wrapped(FILE *to, const char *text)
{
	const struct wan_screen screen = {.to = to, .columns = COLUMNS};
	wan_screen_wrapped(&screen, text, 4, 6);
}

static void head(FILE *to, const struct bench_report *report)
{
	const struct machine *machine = &report->machine;
	char memory[24], model[160];
	wan_format_bytes(memory, sizeof(memory), machine_memory_bytes(machine));
	wan_str_printable(model, sizeof(model),
			  *machine->cpu_model ? machine->cpu_model : "unknown processor");
	fprintf(to, "wanprof bench%s%s%s: %zu tests in %.1f s%s\n", report->mode ? " --mode " : "",
		report->mode ? report->mode : "", report->row_count ? " --matrix" : "",
		report->test_count, report->seconds,
		report->interrupted ? ", interrupted: the rest was not run" : "");
	fprintf(to, "%s, %.3g CPUs, %s memory, tier %s, %s\n", model, machine_cpus(machine), memory,
		machine_tier_name(machine_tier_of(machine)),
		machine->gpus.state == MACHINE_GPU_FOUND ? "GPU not used by image work" : "no GPU");
}

/* --- sizes --- */

static void sizes(FILE *to, const struct bench_report *report)
{
	static const char *const operations[] = {"decode", "thumbnail_256x256", "fit_832x480",
						 "conversion"};
	struct bench_bucket buckets[BENCH_BUCKETS_MAX];
	size_t count = bench_buckets(report, BENCH_BY_SIZE, buckets);
	char text[24], cached[24];
	if (!count)
		return;
	fprintf(to, "\n%-12s %10s %10s %10s %10s %10s %10s %9s\n", "by size", "decode", "thumbnail",
		"fit", "convert", "longest", "cached", "memory");
	for (size_t i = 0; i < count; i++) {
		fprintf(to, "%-12s", buckets[i].key);
		for (size_t k = 0; k < WAN_COUNT_OF(operations); k++)
			fprintf(to, " %10s",
				time_text(text,
					  bench_median_ms(report, buckets[i].key, operations[k])));
		fprintf(to, " %10s", time_text(text, buckets[i].most_ms));
		fprintf(to, " %10s %6.1f MB\n", time_text(cached, buckets[i].mean_cached_ms),
			buckets[i].memory_mb);
	}
	fprintf(to, "medians over contents and formats with nothing cached; cached: the same call "
		    "again;\nmemory: the most that one call added to the process\n");
}

static void contents(FILE *to, const struct bench_report *report)
{
	struct bench_bucket buckets[BENCH_BUCKETS_MAX];
	size_t count = bench_buckets(report, BENCH_BY_CONTENT, buckets);
	char mean[24], most[24];
	if (!count)
		return;
	fprintf(to, "\n%-12s %10s %10s %14s %16s %16s\n", "by content", "mean", "longest",
		"megapixels/s", "bits/pixel PNG", "bits/pixel JPEG");
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%-12s %10s %10s %14.1f %16.1f %16.1f\n", buckets[i].key,
			time_text(mean, buckets[i].mean_ms), time_text(most, buckets[i].most_ms),
			buckets[i].megapixels_per_s,
			bench_bits_per_pixel(report, buckets[i].key, "png"),
			bench_bits_per_pixel(report, buckets[i].key, "jpeg"));
}

/* --- the others --- */

static void crowds(FILE *to, const struct bench_report *report)
{
	bool headed = false;
	char median[24], most[24], cpu[24];
	for (size_t i = 0; i < report->test_count; i++) {
		const struct bench_test *test = &report->tests[i];
		bool crowd = test->group == BENCH_GROUP_CONCURRENT;
		if (!crowd && test->group != BENCH_GROUP_BATCH)
			continue;
		if (!headed)
			fprintf(to, "\n%-24s %10s %10s %10s %12s %9s\n", "many", "median",
				"longest", "CPU", "images/s", "memory");
		headed = true;
		double each_ms = crowd ? test->ms / WAN_MAX(test->threads, 1u)
				       : test->ms / WAN_MAX(test->images, 1u);
		fprintf(to, "%-24s %10s %10s %10s %12.1f %6.1f MB  %s\n", test->name,
			time_text(median, test->ms), time_text(most, test->most_ms),
			time_text(cpu, test->cpu_ms), each_ms > 0 ? 1000 / each_ms : 0,
			test->memory_mb, test->size);
	}
}

static void repeats(FILE *to, const struct bench_report *report)
{
	if (report->leak_known)
		fprintf(to, "\nrepeats: %s\n", report->leak_text);
}

static void errors(FILE *to, const struct bench_report *report)
{
	unsigned total = 0, passed = 0;
	for (size_t i = 0; i < report->test_count; i++) {
		total += report->tests[i].group == BENCH_GROUP_ERRORS;
		passed += report->tests[i].group == BENCH_GROUP_ERRORS &&
			  report->tests[i].status == BENCH_PASSED;
	}
	if (total)
		fprintf(to,
			"errors: %u of %u behave: bad input and short memory refused by name, a "
			"request without\nend ended\n",
			passed, total);
}

static void stress(FILE *to, const struct bench_report *report)
{
	static const char *const levels[] = {"normal", "warning", "critical", "emergency"};
	if (!report->stress_count)
		return;
	fprintf(to, "\n%-16s %-12s %10s %7s %8s %7s %-10s %7s  %s\n", "under stress", "",
		"requests/s", "share", "refused", "wrong", "level", "actions", "cache limit");
	for (size_t i = 0; i < report->stress_count; i++) {
		const struct bench_stress *one = &report->stress[i];
		char share[16] = "-", injected[240];
		if (one->share > 0)
			wan_str_format(share, sizeof(share), "%.0f %%", one->share * 100);
		fprintf(to,
			"%-16s %-12s %10.1f %7s %8" PRIu64 " %7" PRIu64 " %-10s %7" PRIu64
			"  %.0f -> %.0f MB\n",
			one->name, bench_status_names[one->status], one->per_second, share,
			one->refused, one->wrong + one->failed,
			levels[one->level >= 0 && one->level <= 3 ? one->level : 0], one->actions,
			one->cache_limit_mb, one->cache_least_mb);
		wan_str_format(injected, sizeof(injected), "    %s", one->injected);
		if (i)
			wrapped(to, injected);
	}
	fprintf(to, "every result is held against its pixels; share: of the undisturbed rate\n"
		    "not injected: heat, slow network, weak power (only their sensors can be "
		    "imitated)\n");
}

static void failures(FILE *to, const struct bench_report *report)
{
	for (int status = BENCH_FAILED; status <= BENCH_INCONCLUSIVE; status++) {
		bool headed = false;
		for (size_t i = 0; i < report->test_count; i++) {
			const struct bench_test *test = &report->tests[i];
			char text[BENCH_NAME + BENCH_TEXT + 32];
			if ((int)test->status != status || test->group == BENCH_GROUP_MATRIX)
				continue;
			if (!headed)
				fprintf(to, "\n%s:\n", bench_status_names[status]);
			headed = true;
			wan_str_format(text, sizeof(text), "  %s, %s: %s",
				       bench_group_names[test->group], test->name, test->reason);
			wrapped(to, text);
		}
	}
}

static void matrix_row(FILE *to, const struct bench_row *row)
{
	char reason[BENCH_TEXT * 2];
	if (!row->success) {
		wan_str_printable(reason, sizeof(reason), row->error);
		fprintf(to, "%-26s failed: %s\n", row->config.name, reason);
		return;
	}
	fprintf(to, "%-26s %-12s %7.1f %8.2f %8.2f %8.1f", row->config.name,
		row->mode ? row->mode : "", row->fps, row->seconds, row->cpu_seconds,
		row->memory_mb);
	if (row->psnr_db > 0)
		fprintf(to, " %8.1f %5u %8.0f", row->psnr_db, row->most_apart, row->file_kb);
	fputc('\n', to);
}

void bench_matrix_text(FILE *to, const struct bench_row *rows, size_t count, double ram_gb)
{
	const struct bench_row *best = bench_best_row(rows, count);
	const struct bench_row *unharmed = bench_best_unharmed(rows, count);
	if (!count) {
		fprintf(to, "\nNothing was run.\n");
		return;
	}
	fprintf(to, "\n%-26s %-12s %7s %8s %8s %8s %8s %5s %8s\n", "configuration", "mode", "fps",
		"s", "CPU s", "peak MB", "PSNR dB", "most", "KB/frame");
	for (size_t i = 0; i < count; i++)
		matrix_row(to, &rows[i]);
	if (!best) {
		fprintf(to, "No configuration succeeded.\n");
		return;
	}
	fprintf(to, "best: %s, %.1f fps, %.1f s", best->config.name, best->fps, best->seconds);
	if (best->psnr_db > 0)
		fprintf(to, ", %.1f dB", best->psnr_db);
	if (unharmed && unharmed != best)
		fprintf(to, "; best within 1 dB of the reference: %s, %.1f fps",
			unharmed->config.name, unharmed->fps);
	fputc('\n', to);
}

static void matrix_note(FILE *to, const struct bench_report *report)
{
	if (!report->row_count)
		return;
	fprintf(to,
		"frames decoded, framed, encoded as JPEG; error against pixels "
		"decoded "
		"whole\nand framed by Lanczos to 832x480%s\n",
		report->machine.gpus.state == MACHINE_GPU_FOUND
			? "; image work runs on the CPU: there are no rows for the GPU"
			: "; no GPU: no rows for it");
}

static void advice(FILE *to, const struct bench_report *report)
{
	struct bench_advice all[BENCH_ADVICE_MAX];
	size_t count = bench_advise(report, all);
	if (count)
		fprintf(to, "\nrecommendations:\n");
	for (size_t i = 0; i < count; i++) {
		char text[256];
		wan_str_format(text, sizeof(text), "  %s", all[i].text);
		wrapped(to, text);
	}
}

static void verdict(FILE *to, const struct bench_report *report,
		    const struct bench_summary *summary)
{
	static const char *const words[] = {"all targets are met", "failed",
					    "warning: compliance is below its target",
					    "inconclusive"};
	fprintf(to,
		"\nsuccess %.1f %% (%" PRIu64 " of %" PRIu64
		"; target %.0f), within time and memory %.1f %% (target %.0f)",
		summary->success_rate, summary->passed, summary->passed + summary->failed,
		BENCH_SUCCESS_RATE, summary->compliance_rate, BENCH_COMPLIANCE_RATE);
	if (summary->inconclusive)
		fprintf(to, ", %" PRIu64 " inconclusive", summary->inconclusive);
	fprintf(to, "\nverdict: %s (exit status %d)\n", words[summary->exit_status],
		report->interrupted ? 128 + report->interrupted : summary->exit_status);
	for (size_t i = 0; i < summary->reason_count; i++) {
		char text[BENCH_TEXT + 4];
		wan_str_format(text, sizeof(text), "  %s", summary->reasons[i]);
		wrapped(to, text);
	}
}

void bench_report_text(FILE *to, const struct bench_report *report)
{
	struct bench_summary summary;
	head(to, report);
	sizes(to, report);
	contents(to, report);
	crowds(to, report);
	repeats(to, report);
	errors(to, report);
	stress(to, report);
	if (report->row_count)
		bench_matrix_text(to, report->rows, report->row_count,
				  machine_nominal_gb(machine_memory_bytes(&report->machine)));
	matrix_note(to, report);
	failures(to, report);
	advice(to, report);
	if (bench_summarise(report, &summary) < 0) {
		fprintf(to, "\nno verdict: not enough memory\n");
		return;
	}
	verdict(to, report, &summary);
}
