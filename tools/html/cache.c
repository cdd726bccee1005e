/* SPDX-License-Identifier: MIT */
/* What the cache did. The recording has its counters at the end and every change of its limit; hits
 * over time are in no recording, and the page says so. */
#include "counters.h"

#include <string.h>

#include "chart.h"
#include "clock.h"
#include "macros.h"

#define WIDTH  340.0
#define HEIGHT 120.0
#define STEPS  400

static void fact(struct html_page *page, const char *label)
{
	html_print(page, "<div><dt>%r</dt><dd>", label);
}

static void bytes_fact(struct html_page *page, const struct wan_counter_sum *cache,
		       const char *label, const char *word)
{
	fact(page, label);
	html_print(page, "%B</dd></div>", wan_counters_word(cache, word));
}

static void count_fact(struct html_page *page, const struct wan_counter_sum *cache,
		       const char *label, const char *word)
{
	uint64_t count = wan_counters_word(cache, word);
	if (!count)
		return;
	fact(page, label);
	html_print(page, "%u</dd></div>", count);
}

static void hits_picture(struct html_page *page, uint64_t hits, uint64_t requests)
{
	double share = requests ? (double)hits / (double)requests : 0;
	html_print(page, "<figure><figcaption><strong>hit rate at the end</strong></figcaption>");
	html_picture_begin(page, "pic", WIDTH, 44, "Share of requests that were hits.");
	html_print(page,
		   "<rect class=\"rest\" width=\"%x\" height=\"18\"/><rect class=\"f3\" "
		   "width=\"%x\" height=\"18\"/><text y=\"34\">%u hits (%g %%)</text>"
		   "<text x=\"%x\" y=\"34\" text-anchor=\"end\">%u requests</text>\n",
		   WIDTH, WIDTH * share, hits, 100 * share, WIDTH, requests);
	html_picture_end(page);
	html_print(page, "</figure>\n");
}

static bool of_limit(const struct wan_process_event *event)
{
	const char *name = event->name ? event->name : "";
	return event->kind == WAN_RECORD_ACTION &&
	       (strcmp(name, "cache_limit") == 0 || strcmp(name, "cache_regrow") == 0);
}

/* The limit as the memory manager moved it, and what was resident at the end. */
static void limit_picture(struct html_page *page, const struct wan_counter_sum *cache)
{
	const struct wan_view *view = &page->analysis->view;
	double limit = (double)wan_counters_word(cache, "limit");
	double used = (double)wan_counters_word(cache, "memory_usage"), most = limit;
	uint64_t span_ns = wan_elapsed(page->analysis->start_ns, page->analysis->end_ns);
	struct html_plot plot = {.top = 14,
				 .width = WIDTH,
				 .height = HEIGHT - 36,
				 .x1 = (double)WAN_MAX(span_ns, 1)};
	size_t moved = 0;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++) {
			const struct wan_process_event *event =
				&view->sources[i].process->events[j];
			if (!of_limit(event))
				continue;
			moved++;
			most = WAN_MAX(most, (double)event->values[2]);
			most = WAN_MAX(most, (double)event->values[3]);
		}
	plot.y1 = WAN_MAX(WAN_MAX(most, used), 1) * 1.1;
	html_print(page, "<figure><figcaption><strong>limit over time</strong>%r</figcaption>",
		   moved ? ", as the memory manager moved it" : ": it was not moved");
	html_picture_begin(page, "pic", WIDTH, HEIGHT,
			   "Limit of the cache over time, and the bytes resident at the end.");
	html_grid_y(page, &plot, html_bytes_step(plot.y1, 3), true, "");
	html_grid_time(page, &plot, span_ns);
	bool begun = false;
	size_t drawn = 0;
	html_print(page, "<path class=\"l1\" d=\"");
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++) {
			const struct wan_process_event *event =
				&view->sources[i].process->events[j];
			if (!of_limit(event) || drawn++ > STEPS)
				continue;
			double x = html_plot_x(&plot, (double)wan_elapsed(page->analysis->start_ns,
									  event->realtime_ns));
			if (!begun)
				html_print(page, "M0 %x",
					   html_plot_y(&plot, (double)event->values[2]));
			begun = true;
			html_print(page, "H%xV%x", x, html_plot_y(&plot, (double)event->values[3]));
		}
	if (begun)
		html_print(page, "H%x", WIDTH);
	else
		html_print(page, "M0 %xH%x", html_plot_y(&plot, limit), WIDTH);
	html_print(page,
		   "\"/><circle class=\"p0\" cx=\"%x\" cy=\"%x\" r=\"5\"><title>resident at the "
		   "end: %B</title></circle>\n",
		   WIDTH - 6, html_plot_y(&plot, used), (uint64_t)used);
	html_picture_end(page);
	html_print(page, "</figure>\n");
}

void html_write_cache(struct html_page *page)
{
	struct wan_counter_sum cache;
	wan_counters_sum(&page->analysis->view, WAN_COUNTERS_CACHE, &cache);
	html_section_begin(page, "cache", "Cache");
	uint64_t requests = cache.blocks ? wan_counters_word(&cache, "total_requests") : 0;
	if (!cache.blocks || (!requests && !wan_counters_word(&cache, "puts"))) {
		html_print(page, "<p class=\"note\">%r</p>\n",
			   cache.blocks ? "The cache was not asked for anything."
					: "No cache of wanrt was in use.");
		html_section_end(page);
		return;
	}
	html_print(page, "<div class=\"grid top\">\n");
	hits_picture(page, wan_counters_word(&cache, "hits"), requests);
	limit_picture(page, &cache);
	html_print(page, "</div>\n<dl class=\"facts\">");
	bytes_fact(page, &cache, "resident", "memory_usage");
	bytes_fact(page, &cache, "limit", "limit");
	fact(page, "entries");
	html_print(page, "%u of %u</dd></div>", wan_counters_word(&cache, "entries_count"),
		   wan_counters_word(&cache, "entry_limit"));
	fact(page, "time saved");
	html_print(page, "%D</dd></div>", wan_counters_word(&cache, "time_saved"));
	count_fact(page, &cache, "evictions", "evictions");
	count_fact(page, &cache, "expirations", "expirations");
	count_fact(page, &cache, "too large to keep", "refused_oversize");
	count_fact(page, &cache, "passed through", "passed_through");
	count_fact(page, &cache, "compressed values", "cold_made");
	count_fact(page, &cache, "hits on compressed ones", "cold_hits");
	html_print(page,
		   "</dl>\n<p class=\"note\">Hits and resident bytes are known at the end only: a "
		   "recording holds the cache's counters, not their history.%r%s%r</p>\n",
		   wan_counters_word(&cache, "cold_made") ? "" : " Nothing was compressed: ",
		   wan_counters_word(&cache, "cold_made")
			   ? ""
			   : wan_counters_cold_reason(&page->analysis->view),
		   wan_counters_word(&cache, "cold_made") ? "" : ".");
	html_section_end(page);
}
