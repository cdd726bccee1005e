/* SPDX-License-Identifier: MIT */
/* The answer, first: what was slow, heavy or badly scaling, worst first. */
#include <math.h>

#include "fixes.h"
#include "macros.h"
#include "page.h"
#include "coverage.h"

#define SHOWN_MOST 24 /* with all their words; the others are counted */

static void saving(struct html_page *page, const struct wan_finding *item)
{
	double ms = fmin(fmax(item->saving_ms, 0), 1e12), mb = fmin(fmax(item->saving_mb, 0), 1e9);
	bool time = item->saving_ms >= 0, memory = item->saving_mb >= 0;
	if (!time && !memory) {
		html_print(page, "not estimated");
		return;
	}
	html_print(page, "about ");
	if (time)
		html_print(page, "%D", (uint64_t)(ms * 1e6));
	if (memory)
		html_print(page, "%r%B of the peak", time ? " and " : "",
			   (uint64_t)(mb * (double)WAN_MIB));
}

static void fact(struct html_page *page, const char *label)
{
	html_print(page, "<div><dt>%r</dt><dd>", label);
}

static void one(struct html_page *page, const struct wan_finding *item)
{
	char fix[4096];
	const char *severity = wan_finding_severity_name(item->severity);
	html_print(
		page,
		"<li class=\"finding v%i\"><div><h3><span class=\"sev\">%r</span> %r%r%s%r</h3>\n"
		"<p>%s</p>\n<dl>",
		(int)item->severity, severity, item->advice->title,
		item->operation[0] ? ": <code>" : "", item->operation,
		item->operation[0] ? "</code>" : "", item->evidence);
	if (item->unit && item->unit[0] && item->limit > 0) {
		fact(page, "number");
		html_print(page, "%g %s</dd></div>", item->value, item->unit);
		fact(page, "limit");
		html_print(page, "%g %s</dd></div>", item->limit, item->unit);
	}
	if (item->count) {
		fact(page, "operations");
		html_print(page, "%u</dd></div>", item->count);
	}
	fact(page, "predicted saving");
	saving(page, item);
	html_print(page, "</dd></div>");
	if (item->confidence && item->confidence[0]) {
		fact(page, "confidence");
		html_print(page, "%s</dd></div>", item->confidence);
	}
	html_print(page, "</dl>\n<p class=\"do\">%r.</p></div>\n", item->advice->action);
	if (html_fix(fix, sizeof(fix), item, page->options->path)) {
		html_print(page, "<div class=\"fix\"><pre tabindex=\"0\">");
		html_verbatim(page, fix);
		html_print(page, "</pre></div>\n");
	}
	html_print(page, "</li>\n");
}

/* Programs that link wanrt name what they do themselves: nothing was overlooked. */
static bool all_linked(const struct wan_view *view)
{
	bool linked = view->source_count > 0;
	for (size_t i = 0; i < view->source_count; i++)
		linked &= view->sources[i].process->header.role != WAN_ROLE_PRELOADED;
	return linked;
}

static void nothing(struct html_page *page)
{
	if (page->analysis->rows.count)
		html_print(page, "<p class=\"good\">Nothing slow, heavy or badly scaling was "
				 "found.</p>\n");
	else if (page->trackers.count)
		html_print(page, "<p>No image operation was recorded; progress was.</p>\n");
	else if (all_linked(&page->analysis->view))
		html_print(page, "<p>No image operation was recorded.</p>\n");
	else
		html_print(page,
			   "<p>No image operation was recorded. Usual reasons: the codecs are "
			   "linked statically or are the program's own; the work was done by "
			   "another program that was not followed; no PNG or JPEG was read. What "
			   "was seen stands under <a href=\"#coverage\">coverage</a>.</p>\n");
}

void html_write_findings(struct html_page *page)
{
	const struct wan_findings *all = &page->analysis->findings;
	html_section_begin(page, "findings", "Findings");
	if (!all->count)
		nothing(page);
	else
		html_print(page, "<ol class=\"findings\">\n");
	for (size_t i = 0; i < WAN_MIN(all->count, (size_t)SHOWN_MOST); i++)
		one(page, &all->items[i]);
	if (all->count)
		html_print(page, "</ol>\n");
	if (all->count > SHOWN_MOST)
		html_print(page,
			   "<p class=\"note\">And %z more: <code>wanprof report</code> lists all."
			   "</p>\n",
			   all->count - SHOWN_MOST);
	html_section_end(page);
}
