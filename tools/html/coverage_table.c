/* SPDX-License-Identifier: MIT */
/* What was seen, what could not be seen, and the processes of the run. */
#include "coverage.h"

#include "macros.h"
#include "page.h"

#define PROCESSES_TOLD 40

static void processes(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	size_t count = 0, shown = 0;
	for (size_t i = 0; i < view->source_count; i++)
		count += view->sources[i].process->header.role != WAN_ROLE_PARENT;
	if (count < 2)
		return;
	html_table_begin(page, "Processes", "Process|Program|Operations #|Ended");
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		char end[64];
		if (process->header.role == WAN_ROLE_PARENT || shown++ >= PROCESSES_TOLD)
			continue;
		html_outcome(end, sizeof(end), process);
		html_print(page,
			   "<tr><td data-l=\"Process\">%u</td><th scope=\"row\">%s</th><td "
			   "class=\"n\" data-l=\"Operations\" data-v=\"%u\">%u</td><td "
			   "data-l=\"Ended\">%s</td></tr>\n",
			   (uint64_t)process->header.pid, wan_program_name(process->header.program),
			   process->total_operations, process->total_operations, end);
	}
	html_table_end(page);
	if (count > PROCESSES_TOLD)
		html_print(page, "<p class=\"note\">And %z more.</p>\n", count - PROCESSES_TOLD);
}

void html_write_coverage(struct html_page *page)
{
	struct wan_coverage items[WAN_COVERAGE_MAX];
	size_t count = wan_coverage(page->analysis, items);
	const struct wan_process *process = page->analysis->view.main;
	html_section_begin(page, "coverage", "Coverage");
	if (!count)
		html_print(page, "<p>No library was seen.</p>\n");
	else
		html_table_begin(page, "Libraries", "Library|Seen|Operations #|What is missing");
	for (size_t i = 0; i < count; i++) {
		const struct wan_coverage *item = &items[i];
		html_print(page, "<tr><th scope=\"row\">%s</th><td data-l=\"Seen\">%r</td>",
			   item->library,
			   item->seen ? "<span class=\"yes\">seen</span>"
				      : "<span class=\"no\">not seen</span>");
		html_cell_begin(page, item->bars ? "Bars" : "Operations", true,
				(double)(item->bars ? item->objects : item->operations));
		html_print(page, "%u%r</td><td data-l=\"Note\">%s</td></tr>\n",
			   item->bars ? item->objects : item->operations,
			   !item->bars          ? ""
			   : item->objects == 1 ? " bar"
						: " bars",
			   item->note ? item->note : "\xe2\x80\x93");
	}
	if (count)
		html_table_end(page);
	if (process && process->header.audited == WAN_AUDITED_NO)
		html_print(page, "<p class=\"note\">Not audited: what is opened with "
				 "RTLD_DEEPBIND or dlmopen, or found by dlsym, is not seen.</p>\n");
	processes(page);
	html_section_end(page);
}
