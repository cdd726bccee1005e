/* SPDX-License-Identifier: MIT */
/* Memory levels, what the manager did about them, and what the devices held. */
#include <string.h>

#include "clock.h"
#include "counters.h"
#include "macros.h"
#include "page.h"
#include "walk.h"

#define ACTIONS_TOLD 80

static bool is_action(const struct wan_process_event *event)
{
	return event->kind == WAN_RECORD_ACTION && !wan_walk_internal(event);
}

static bool counts(const struct wan_process_event *event)
{
	return strcmp(event->name, "entry_limit") == 0 || strcmp(event->name, "batch") == 0;
}

static void action(struct html_page *page, const struct wan_process_event *event)
{
	uint64_t at_ns = wan_elapsed(page->analysis->start_ns, event->realtime_ns);
	html_print(page, "<tr>");
	html_cell_begin(page, "After", true, (double)at_ns);
	html_print(page,
		   "%D</td><td data-l=\"Level\"><span class=\"lv k%u\">%r</span></td>"
		   "<th scope=\"row\">%s</th>",
		   at_ns, (uint64_t)WAN_MIN(event->code, 3u), html_level_name(event->code),
		   event->name);
	html_cell_begin(page, "Change", false, 0);
	if (event->values[2] == event->values[3])
		html_print(page, "\xe2\x80\x93</td>");
	else if (counts(event))
		html_print(page, "%u to %u</td>", event->values[2], event->values[3]);
	else
		html_print(page, "%B to %B</td>", event->values[2], event->values[3]);
	html_cell_begin(page, "Freed", true, (double)event->values[1]);
	html_print(page, "%B</td><td data-l=\"Reason\">%s</td></tr>\n", event->values[1],
		   event->text);
}

static void actions(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	size_t count = 0, shown = 0;
	uint64_t freed = 0, levels[4] = {0};
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++) {
			const struct wan_process_event *event =
				&view->sources[i].process->events[j];
			if (!is_action(event))
				continue;
			count++;
			freed += event->values[1];
			levels[WAN_MIN(event->code, 3u)]++;
		}
	if (!count) {
		html_print(page, "<p>The memory manager did not have to act.</p>\n");
		return;
	}
	html_print(page,
		   "<p>%z actions, %B given back: %u at warning, %u at critical, %u at "
		   "emergency, %u to grow back.</p>\n",
		   count, freed, levels[1], levels[2], levels[3], levels[0]);
	html_table_begin(page, "Actions of the memory manager",
			 "After #|Level|Action|Change|Freed #|Reason");
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++)
			if (is_action(&view->sources[i].process->events[j]) &&
			    shown++ < ACTIONS_TOLD)
				action(page, &view->sources[i].process->events[j]);
	html_table_end(page);
	if (count > ACTIONS_TOLD)
		html_print(page, "<p class=\"note\">And %z more.</p>\n", count - ACTIONS_TOLD);
}

/* The block that was worst off. */
static const struct wan_process_counters *worst(const struct wan_view *view,
						const struct wan_process **ret_process)
{
	const struct wan_process_counters *found = NULL;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++) {
			const struct wan_process_counters *block =
				&view->sources[i].process->counters[j];
			if (block->kind != WAN_COUNTERS_MEMORY ||
			    (found && wan_counters_block_word(block, "level") <=
					      wan_counters_block_word(found, "level")))
				continue;
			found = block;
			*ret_process = view->sources[i].process;
		}
	return found;
}

static void level(struct html_page *page)
{
	const struct wan_process *process = NULL;
	const struct wan_process_counters *block = worst(&page->analysis->view, &process);
	if (!block)
		return;
	uint64_t now = wan_counters_block_word(block, "level");
	const char *deciding =
		wan_process_text(process, wan_counters_block_word(block, "deciding"));
	html_print(page, "<p>Level at the end: <span class=\"lv k%u\">%r</span>",
		   WAN_MIN(now, (uint64_t)3), html_level_name(now));
	if (deciding[0])
		html_print(page, ", decided by %s at %g %%", deciding,
			   (double)wan_counters_block_word(block, "deciding_percent") / 1000);
	html_print(page, "; headroom %B.</p>\n", wan_counters_block_word(block, "headroom"));
}

static void devices(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	bool any = false;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++) {
			const struct wan_process_counters *block =
				&view->sources[i].process->counters[j];
			if (block->kind != WAN_COUNTERS_CUDA)
				continue;
			if (!any)
				html_table_begin(page, "GPUs as the program used them",
						 "Device|Peak #|Pinned #|Calls #|Waited #|Out of "
						 "memory #|Failed #");
			any = true;
			html_print(page, "<tr><th scope=\"row\">%s</th>", block->name);
			html_cell_begin(page, "Peak", true, 0);
			html_print(page, "%B</td>", wan_counters_block_word(block, "device_peak"));
			html_cell_begin(page, "Pinned", true, 0);
			html_print(page, "%B</td>", wan_counters_block_word(block, "pinned_peak"));
			html_cell_begin(page, "Calls", true, 0);
			html_print(page, "%u</td>", wan_counters_block_word(block, "enqueued"));
			html_cell_begin(page, "Waited", true, 0);
			html_print(page, "%D</td>", wan_counters_block_word(block, "wait_time"));
			html_cell_begin(page, "Out of memory", true, 0);
			html_print(page, "%u</td>",
				   wan_counters_block_word(block, "out_of_memory"));
			html_cell_begin(page, "Failed", true, 0);
			html_print(page, "%u</td></tr>\n",
				   wan_counters_block_word(block, "failed_calls"));
		}
	if (any)
		html_table_end(page);
}

void html_write_memory(struct html_page *page)
{
	html_section_begin(page, "memory", "Memory");
	level(page);
	actions(page);
	devices(page);
	html_section_end(page);
}
