/* SPDX-License-Identifier: MIT */
/* What ran, how it ended, where and what recording it cost. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "counters.h"
#include "host.h"
#include "macros.h"
#include "page.h"
#include "str.h"
#include "walk.h"

void html_command(char *to, size_t bytes, const struct wan_process *process)
{
	wan_str_copy(to, bytes, process ? process->header.command : "");
	for (char *c = to; *c; c++)
		if (*c == '\x1f')
			*c = ' ';
	if (!to[0] && process)
		wan_str_copy(to, bytes, process->header.program);
	if (!to[0])
		wan_str_copy(to, bytes, "(command not known)");
}

void html_outcome(char *to, size_t bytes, const struct wan_process *process)
{
	switch (process ? process->state : WAN_RUN_UNKNOWN) {
	case WAN_RUN_RUNNING:
		wan_str_copy(to, bytes, "still running");
		break;
	case WAN_RUN_EXITED:
		wan_str_format(to, bytes, "exit %d", process->header.exit_status);
		break;
	case WAN_RUN_SIGNALLED:
		wan_str_format(to, bytes, "signal %d", process->header.signal);
		break;
	case WAN_RUN_KILLED_FOR_MEMORY:
		wan_str_copy(to, bytes, "killed for memory");
		break;
	default:
		wan_str_copy(to, bytes, "ended, nobody saw how");
	}
}

const char *html_level_name(uint64_t level)
{
	static const char *const names[] = {"normal", "warning", "critical", "emergency"};
	return level < WAN_COUNT_OF(names) ? names[level] : "unknown";
}

static bool ended_well(const struct wan_process *process)
{
	return process && (process->state == WAN_RUN_RUNNING ||
			   (process->state == WAN_RUN_EXITED && !process->header.exit_status));
}

static void timestamp(struct html_page *page, uint64_t realtime_ns)
{
	char text[48];
	struct tm tm;
	time_t seconds = (time_t)(realtime_ns / 1000000000u);
	if (!realtime_ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		wan_str_copy(text, sizeof(text), "unknown");
	html_print(page, "%r", text);
}

/* Big figures on top: what a person asks first. */
static void tile(struct html_page *page, const char *kind, const char *label)
{
	html_print(page, "<div class=\"tile%r\"><dt>%r</dt><dd>", kind, label);
}

static double failed_share(const struct wan_analysis *analysis, uint64_t *ret_failed)
{
	uint64_t failed = 0, all = 0;
	for (size_t i = 0; i < analysis->rows.count; i++) {
		const struct wan_row *row = &analysis->rows.items[i];
		if (row->flags & WAN_FLAG_CHILD)
			continue;
		all += row->count;
		failed += row->status >= 2 ? row->count : 0;
	}
	*ret_failed = failed;
	return all ? (double)failed / (double)all : 0;
}

static void tiles(struct html_page *page)
{
	const struct wan_analysis *analysis = page->analysis;
	const struct wan_process *process = wan_view_outcome(&analysis->view);
	struct wan_counter_sum cache;
	char end[64];
	uint64_t failed;
	failed_share(analysis, &failed);
	html_outcome(end, sizeof(end), process);
	if (analysis->runs > 1)
		wan_str_format(end, sizeof(end), "%u runs", analysis->runs);
	html_print(page, "<dl class=\"tiles\">");
	tile(page, ended_well(process) ? " good" : " bad", "ended");
	html_print(page, "%s</dd></div>", end);
	tile(page, "", "took");
	html_print(page, "%D</dd></div>", analysis->run_ns);
	tile(page, "", "image operations");
	html_print(page, "%u</dd></div>", analysis->rows.total_operations);
	tile(page, "", "time in them");
	html_print(page, "%D", analysis->rows.total_inside_ns);
	if (analysis->rows.total_inside_ns &&
	    analysis->rows.total_inside_ns / 100 < analysis->run_ns)
		html_print(page, " <small>%g %% of the run</small>",
			   100 * (double)analysis->rows.total_inside_ns / (double)analysis->run_ns);
	html_print(page, "</dd></div>");
	if (failed) {
		tile(page, " bad", "failed");
		html_print(page, "%u</dd></div>", failed);
	}
	wan_counters_sum(&analysis->view, WAN_COUNTERS_CACHE, &cache);
	uint64_t requests = cache.blocks ? wan_counters_word(&cache, "total_requests") : 0;
	if (requests) {
		tile(page, "", "cache hits");
		html_print(page, "%g %%</dd></div>",
			   100 * (double)wan_counters_word(&cache, "hits") / (double)requests);
	}
	html_print(page, "</dl>\n");
}

static void item(struct html_page *page, const char *label, const char *text)
{
	if (text && text[0])
		html_print(page, "<div><dt>%r</dt><dd>%s</dd></div>", label, text);
}

static void machine(struct html_page *page)
{
	const struct wan_environment *environment = page->options->environment;
	const struct wan_process *process = page->analysis->view.main;
	struct wan_host host;
	char unclean[256];
	wan_host_of(&page->analysis->view, &host);
	const char *cpu = process && process->header.cpu[0] ? process->header.cpu
			  : environment                     ? environment->cpu
							    : "";
	uint64_t cpus = process && process->header.cpus ? process->header.cpus
			: environment                   ? environment->cpus
							: 0;
	uint64_t memory = process && process->header.memory_bytes ? process->header.memory_bytes
			  : environment                           ? environment->memory_total_bytes
								  : 0;
	html_print(page, "<div><dt>machine</dt><dd>%s", cpu[0] ? cpu : "not known");
	if (cpus)
		html_print(page, ", %u processors", cpus);
	if (memory)
		html_print(page, ", %B memory", memory);
	if (host.limit_bytes != UINT64_MAX && host.limit_bytes)
		html_print(page, " (control group: %B)", host.limit_bytes);
	html_print(page, "</dd></div>");
	if (host.gpu_model && host.gpu_model[0])
		html_print(page, "<div><dt>GPU</dt><dd>%s, %B</dd></div>", host.gpu_model,
			   host.gpu_largest_bytes);
	item(page, "tier", host.tier);
	if (process)
		item(page, "kernel", process->header.kernel);
	if (wan_host_unclean(&host, unclean, sizeof(unclean)))
		html_print(page,
			   "<div><dt>before the start</dt><dd>%s; figures may not be "
			   "comparable</dd></div>",
			   unclean);
}

static void overhead(struct html_page *page)
{
	const struct wan_analysis *analysis = page->analysis;
	struct wan_counter_sum monitor;
	html_print(page, "<div><dt>overhead of wanprof</dt><dd>%r%D",
		   analysis->overhead_measured ? "" : "about ", analysis->overhead_ns);
	if (analysis->run_ns)
		html_print(
			page, " (%g %%)",
			fmin(100, 100 * (double)analysis->overhead_ns / (double)analysis->run_ns));
	wan_counters_sum(&analysis->view, WAN_COUNTERS_MONITOR, &monitor);
	uint64_t cpu_ns = wan_counters_word(&monitor, "own_cpu");
	if (cpu_ns)
		html_print(page, "; the monitor took %D of a processor", cpu_ns);
	html_print(page, "</dd></div>");
}

static void damage(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	if (!page->analysis->damaged)
		return;
	html_print(page, "<div class=\"alarm\" role=\"note\"><p><strong>The recording is damaged."
			 "</strong> This page shows what could be read.</p><ul>");
	for (size_t i = 0, shown = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->damage_count && shown < 8; j++, shown++)
			html_print(page, "<li>at byte %u: %s</li>", process->damage[j].offset,
				   process->damage[j].reason);
	}
	html_print(page, "</ul></div>\n");
}

void html_write_header(struct html_page *page)
{
	const struct wan_analysis *analysis = page->analysis;
	const struct wan_process *process = wan_view_outcome(&analysis->view);
	char command[900];
	html_command(command, sizeof(command), process);
	html_print(page, "<header><p class=\"brand\">wanprof report</p><h1><code>%s</code></h1>\n",
		   command);
	tiles(page);
	html_print(page, "<dl class=\"facts\">");
	if (process)
		item(page, "job", process->header.job);
	html_print(page, "<div><dt>started</dt><dd>");
	timestamp(page, analysis->start_ns);
	html_print(page, "</dd></div>");
	if (process && process->header.estimate_ns)
		html_print(page, "<div><dt>estimated</dt><dd>%D</dd></div>",
			   process->header.estimate_ns);
	machine(page);
	item(page, "recording",
	     page->options->path ? page->options->path
	     : process           ? process->source
				 : "");
	overhead(page);
	if (process && process->header.allocator[0])
		html_print(page, "<div><dt>memory counted by</dt><dd>%s%r</dd></div>",
			   process->header.allocator,
			   process->header.allocator_active ? "" : ": did not work");
	if (analysis->dropped)
		html_print(page,
			   "<div><dt>no room for</dt><dd>%u operations; sums of the others are "
			   "exact</dd></div>",
			   analysis->dropped);
	html_print(page, "</dl></header>\n");
	damage(page);
}

void html_write_footer(struct html_page *page)
{
	html_print(page, "<footer><p>Written by wanprof from the recording");
	if (page->options->made_realtime_ns) {
		html_print(page, " on ");
		timestamp(page, page->options->made_realtime_ns);
	}
	html_print(page,
		   ". MB is 1 048 576 bytes. Counts, sums, means, shares and largest values "
		   "are exact%r; pictures are thinned with their extremes kept.</p></footer>\n",
		   page->analysis->damaged ? " for what could be read" : "");
}
