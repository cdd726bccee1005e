/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <math.h>
#include <string.h>

#include "heap.h"
#include "macros.h"
#include "str.h"
#include "units.h"

const char *leak_from_name(enum leak_from from)
{
	static const char *const names[] = {[LEAK_FROM_AUTO] = "auto",
					    [LEAK_FROM_MARKS] = "marks",
					    [LEAK_FROM_STEPS] = "steps",
					    [LEAK_FROM_OPERATIONS] = "operations",
					    [LEAK_FROM_RUNS] = "runs"};
	return (unsigned)from < WAN_COUNT_OF(names) ? names[from] : "auto";
}

const char *leak_verdict_name(enum wan_leak_verdict verdict)
{
	static const char *const names[] = {[WAN_LEAK_NONE] = "none",
					    [WAN_LEAK_FOUND] = "leak",
					    [WAN_LEAK_INCONCLUSIVE] = "inconclusive"};
	return (unsigned)verdict < WAN_COUNT_OF(names) ? names[verdict] : "inconclusive";
}

static const char *size_text(char *to, size_t bytes, double value)
{
	char text[32];
	wan_format_bytes(text, sizeof(text), (uint64_t)fabs(value));
	wan_str_format(to, bytes, "%s%s", value < 0 && fabs(value) >= 1 ? "-" : "", text);
	return to;
}

/* What an accusation is about, and what it is not. */
static const char *kind_text(const char *kind)
{
	static const struct {
		const char *kind, *text;
	} texts[] = {
		{"heap", "blocks of the allocator, and image buffers, that are not given back"},
		{"resident", "not the allocator's blocks: fragmentation, or memory that is mapped"},
		{"device", "memory on the GPU"},
		{"processes", "processes that stay when the command has ended"},
		{"files", "temporary files that stay when the command has ended"},
		{"shared", "shared memory that stays when the command has ended"},
		{"system", "memory of the machine, whoever holds it"},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(texts); i++)
		if (kind && strcmp(texts[i].kind, kind) == 0)
			return texts[i].text;
	return "";
}

static const struct leak_series *witness(const struct leak_report *report)
{
	for (size_t i = 0; i < report->series_count; i++)
		if (report->kind && strcmp(report->series[i].name, report->kind) == 0)
			return &report->series[i];
	if (report->kind && strcmp(report->kind, "heap") == 0)
		return &report->series[0];
	for (size_t i = 0; i < report->series_count; i++)
		if (report->series[i].known)
			return &report->series[i];
	return NULL;
}

static void print_iterations(FILE *to, const struct leak_report *report)
{
	char name[160];
	wan_str_printable(name, sizeof(name), report->unit);
	switch (report->from) {
	case LEAK_FROM_MARKS:
		fprintf(to, "  iterations     %llu of \"%s\", as the program says\n",
			(unsigned long long)report->seen, name);
		return;
	case LEAK_FROM_STEPS:
		fprintf(to, "  iterations     %llu steps of \"%s\"\n",
			(unsigned long long)report->seen, name);
		return;
	case LEAK_FROM_OPERATIONS:
		fprintf(to, "  iterations     %llu times %s\n", (unsigned long long)report->seen,
			name);
		return;
	case LEAK_FROM_RUNS:
		fprintf(to, "  iterations     %llu runs of the command\n",
			(unsigned long long)report->seen);
		return;
	case LEAK_FROM_AUTO:
		fprintf(to, "  iterations     none seen: no step, no operation that is repeated\n");
		return;
	}
}

static void print_series(FILE *to, const struct leak_series *series, const char *source)
{
	char each[40], low[40], high[40], grown[40];
	const struct wan_leak_judgement *judgement = &series->judgement;
	if (!series->known) {
		fprintf(to, "  %-14s unknown\n", series->name);
		return;
	}
	size_text(grown, sizeof(grown), judgement->growth_bytes);
	fprintf(to, "  %-14s %s in all", series->name, grown);
	if (isfinite(judgement->low) && isfinite(judgement->high))
		fprintf(to, "; per iteration %s (99 %%: %s to %s)",
			size_text(each, sizeof(each), judgement->each),
			size_text(low, sizeof(low), judgement->low),
			size_text(high, sizeof(high), judgement->high));
	fprintf(to, "%s%s\n", source[0] ? ", by " : "", source);
}

static void print_keepers(FILE *to, const struct leak_report *report)
{
	for (size_t i = 0; report->verdict != WAN_LEAK_NONE && i < report->keeper_count; i++) {
		const struct leak_keeper *keeper = &report->keepers[i];
		char name[96], each[40];
		wan_str_printable(name, sizeof(name), keeper->name);
		fprintf(to, "  %-14s %s: %s a call, %llu call%s\n", i ? "" : "kept by", name,
			size_text(each, sizeof(each), keeper->each_bytes),
			(unsigned long long)keeper->calls, keeper->calls == 1 ? "" : "s");
	}
}

static void print_next(FILE *to, const struct leak_report *report, const char *command)
{
	char text[512];
	wan_str_printable(text, sizeof(text), command);
	if (report->verdict == WAN_LEAK_FOUND && report->kind && strcmp(report->kind, "heap") == 0)
		fprintf(to,
			"next: which line allocates it say heaptrack (C, C++) and memray (Python); "
			"this test says\nwhether, and how much\n");
	else if (report->from != LEAK_FROM_RUNS && report->verdict == WAN_LEAK_INCONCLUSIVE)
		fprintf(to,
			"next: more iterations in one process, a smaller -n (6 or more), or whole "
			"runs:\n  wanprof leak --iterations-from=runs -- %s\n",
			text);
}

void leak_print(FILE *to, const struct leak_report *report, const struct leak_options *options,
		const char *command)
{
	static const char *const words[] = {[WAN_LEAK_NONE] = "no leak",
					    [WAN_LEAK_FOUND] = "LEAK",
					    [WAN_LEAK_INCONCLUSIVE] = "inconclusive"};
	char reason[192], limit[40];
	const struct leak_series *series = witness(report);
	wan_str_copy(reason, sizeof(reason), "nothing was seen that could be judged");
	if (series)
		wan_leak_explain(&series->judgement, &options->rules, reason, sizeof(reason));
	fprintf(to, "%s: %s\n", words[report->verdict], reason);
	if (report->kind)
		fprintf(to, "  %-14s %s\n", "what", kind_text(report->kind));
	print_iterations(to, report);
	for (size_t i = 0; i < report->series_count; i++) {
		bool held = i == 0 && report->from != LEAK_FROM_RUNS;
		print_series(to, &report->series[i],
			     held && report->series[i].known
				     ? wan_heap_books_name((enum wan_heap_books)report->books)
				     : "");
	}
	print_keepers(to, report);
	fprintf(to, "  %-14s %s in all, %u iterations%s\n", "limit",
		size_text(limit, sizeof(limit), options->rules.limit_bytes),
		options->rules.iterations, options->rules.classic ? ", classic rules" : "");
	if (report->note[0])
		fprintf(to, "  %-14s %s\n", "note", report->note);
	if (report->failed)
		fprintf(to, "  %-14s the command failed: exit status %d\n", "note", report->status);
	print_next(to, report, command);
}
