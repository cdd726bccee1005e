/* SPDX-License-Identifier: MIT */
/* How long each kind of operation took: percentiles, and all of them as a histogram. */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "macros.h"
#include "str.h"

#define KINDS_DRAWN 14
#define KINDS_TOLD  40
#define LINE        34.0

const char *html_row_name(char *to, const struct wan_rows *rows, const struct wan_row *row)
{
	bool twice = false;
	for (size_t i = 0; i < rows->count; i++)
		twice |= strcmp(rows->items[i].name, row->name) == 0 &&
			 strcmp(rows->items[i].library, row->library) != 0;
	wan_str_format(to, HTML_ROW_NAME_BYTES, "%s%s%s%s%s%s",
		       row->unknown_name ? "(other)" : row->name, twice ? " (" : "",
		       twice ? row->library : "", twice ? ")" : "", row->status ? " " : "",
		       row->status ? wan_op_status_name(row->status) : "");
	return to;
}

static const struct run_kind *kind_of(const struct run_facts *facts, const struct wan_row *row)
{
	for (size_t i = 0; facts && i < facts->kind_count; i++)
		if (strcmp(facts->kinds[i].name ? facts->kinds[i].name : "", row->name) == 0 &&
		    strcmp(facts->kinds[i].library ? facts->kinds[i].library : "", row->library) ==
			    0)
			return &facts->kinds[i];
	return NULL;
}

static void mark(struct html_page *page, const struct html_plot *plot, double y, const char *kind,
		 const char *what, double ns, double size)
{
	html_print(page,
		   "<circle class=\"%r\" cx=\"%x\" cy=\"%x\" r=\"%x\"><title>%r: %D</title>"
		   "</circle>",
		   kind, html_plot_x(plot, ns), y, size, what, (uint64_t)ns);
}

static void draw_row(struct html_page *page, const struct html_plot *plot, double top,
		     const struct wan_row *row)
{
	char name[HTML_ROW_NAME_BYTES], cut[HTML_NAME_BYTES];
	double y = top + 23;
	html_row_name(name, &page->analysis->rows, row);
	html_print(page, "<text x=\"%x\" y=\"%x\" class=\"nm\">%s</text>", plot->left + 1, top + 13,
		   html_cut(cut, name, (size_t)(plot->width - 175) / 8));
	html_print(page, "<text x=\"%x\" y=\"%x\" text-anchor=\"end\">p50 %D, p99 %D</text>\n",
		   plot->left + plot->width, top + 13, row->p50_ns, row->p99_ns);
	html_print(page, "<path class=\"rng\" d=\"M%x %xH%x\"/>",
		   html_plot_x(plot, (double)row->p50_ns), y,
		   html_plot_x(plot, (double)row->p999_ns));
	mark(page, plot, y, "p3", "p99.9", (double)row->p999_ns, 3);
	mark(page, plot, y, "p2", "p99", (double)row->p99_ns, 4);
	mark(page, plot, y, "p1", "p90", (double)row->p90_ns, 4);
	mark(page, plot, y, "p0", "p50", (double)row->p50_ns, 5);
	const struct run_kind *old = kind_of(page->options->baseline, row);
	if (old && isfinite(old->median_ms) && old->median_ms > 0 && !row->status)
		mark(page, plot, y, "was", "p50 of the baseline", old->median_ms * 1e6, 6);
	html_print(page, "\n");
}

static bool drawn(const struct wan_row *row)
{
	return row->count && row->p50_ns;
}

static void draw(struct html_page *page, const char *kind, double width)
{
	const struct wan_rows *rows = &page->analysis->rows;
	struct html_plot plot = {.left = 6, .width = width - 12, .log_x = true};
	unsigned count = 0;
	for (size_t i = 0; i < rows->count && count < KINDS_DRAWN; i++) {
		const struct wan_row *row = &rows->items[i];
		if (!drawn(row))
			continue;
		plot.x0 = count ? fmin(plot.x0, (double)row->p50_ns) : (double)row->p50_ns;
		plot.x1 = fmax(plot.x1, (double)WAN_MAX(row->p999_ns, row->p50_ns));
		count++;
	}
	if (!count)
		return;
	plot.x0 /= 1.5;
	plot.x1 *= 1.5;
	plot.height = LINE * count + 4;
	html_picture_begin(page, kind, width, plot.height + 20,
			   "Percentiles of the time of each kind of operation on a logarithmic "
			   "axis; the table below has the figures.");
	double at = pow(10, ceil(log10(plot.x0)));
	for (unsigned i = 0; i < 20 && at <= plot.x1; i++, at *= 10) {
		char text[HTML_TICK_BYTES];
		double x = html_plot_x(&plot, at);
		html_print(page,
			   "<path class=\"gr t\" d=\"M%x 0V%x\"/><text x=\"%x\" y=\"%x\" "
			   "text-anchor=\"middle\">%r</text>\n",
			   x, plot.height, fmin(fmax(x, 14), width - 18), plot.height + 14,
			   html_decade_time(text, at));
	}
	for (size_t i = 0, line = 0; i < rows->count && line < count; i++)
		if (drawn(&rows->items[i]))
			draw_row(page, &plot, LINE * (double)line++, &rows->items[i]);
	html_picture_end(page);
}

/* Of all operations, those without a record included; a bar for each bucket in use. */
static void histogram(struct html_page *page, const struct wan_row *row)
{
	unsigned first = 0, last = WAN_RECORD_HISTOGRAM;
	uint64_t most = 1;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		most = WAN_MAX(most, row->histogram[i]);
	while (first < last && !row->histogram[first])
		first++;
	while (last > first && !row->histogram[last - 1])
		last--;
	if (first == last) {
		html_print(page, "\xe2\x80\x93");
		return;
	}
	html_print(page,
		   "<svg class=\"hist\" viewBox=\"0 0 %x 20\" role=\"img\" aria-label=\"from %D to "
		   "%D\" preserveAspectRatio=\"none\"><path d=\"M0 20",
		   (double)(last - first) * 4, first ? wan_histogram_edge_ns(first - 1) : 0,
		   wan_histogram_edge_ns(last - 1));
	for (unsigned i = first; i < last; i++) {
		double height = row->histogram[i]
					? fmax(1, 20 * (double)row->histogram[i] / (double)most)
					: 0;
		html_print(page, "V%xh4", 20 - height);
	}
	html_print(page, "V20z\"/></svg>");
}

static void time_cell(struct html_page *page, const char *label, uint64_t ns)
{
	html_cell_begin(page, label, true, (double)ns);
	html_print(page, "%D</td>", ns);
}

static void table_row(struct html_page *page, const struct wan_row *row)
{
	char name[HTML_ROW_NAME_BYTES];
	html_row_name(name, &page->analysis->rows, row);
	html_print(page, "<tr><th scope=\"row\">%r%s%r</th>",
		   row->flags & WAN_FLAG_CHILD ? "<small>nested</small> " : "", name,
		   row->exact_percentiles ? "" : "<sup>*</sup>");
	html_cell_begin(page, "Count", true, (double)row->count);
	html_print(page, "%u</td>", row->count);
	time_cell(page, "Total", row->inside_ns);
	time_cell(page, "p50", row->p50_ns);
	time_cell(page, "p90", row->p90_ns);
	time_cell(page, "p99", row->p99_ns);
	time_cell(page, "p99.9", row->p999_ns);
	time_cell(page, "Longest", row->max_ns);
	html_cell_begin(page, "Mpx", true, (double)row->pixels / 1e6);
	if (row->pixels)
		html_print(page, "%g</td>", (double)row->pixels / 1e6);
	else
		html_print(page, "\xe2\x80\x93</td>");
	html_cell_begin(page, "Peak", true, (double)row->peak_bytes);
	html_print(page, "%B</td>",
		   row->peak_bytes     ? row->peak_bytes
		   : row->memory_known ? 0
				       : UINT64_MAX);
	html_cell_begin(page, "Histogram", false, 0);
	histogram(page, row);
	html_print(page, "</td></tr>\n");
}

static void table(struct html_page *page)
{
	const struct wan_rows *rows = &page->analysis->rows;
	bool inexact = false;
	html_table_begin(page, "Every kind of operation, longest in total first",
			 "Operation|Count #|Total #|p50 #|p90 #|p99 #|p99.9 #|Longest #|Mpx #|Peak "
			 "memory #|Histogram");
	for (size_t i = 0; i < WAN_MIN(rows->count, (size_t)KINDS_TOLD); i++) {
		table_row(page, &rows->items[i]);
		inexact |= !rows->items[i].exact_percentiles;
	}
	html_table_end(page);
	if (inexact)
		html_print(page, "<p class=\"note\"><sup>*</sup> Not all records are there any "
				 "more: percentiles come from the histogram, counts and sums are "
				 "exact.</p>\n");
	if (rows->count > KINDS_TOLD) {
		uint64_t count = 0, time_ns = 0;
		for (size_t i = KINDS_TOLD; i < rows->count; i++) {
			count += rows->items[i].count;
			time_ns += rows->items[i].inside_ns;
		}
		html_print(page, "<p class=\"note\">And %z more kinds: %u operations, %D.</p>\n",
			   rows->count - KINDS_TOLD, count, time_ns);
	}
}

void html_write_latency(struct html_page *page)
{
	html_section_begin(page, "latency", "Latency of operations");
	if (!page->analysis->rows.count) {
		html_print(page, "<p class=\"note\">No operation ended.</p>\n");
	} else {
		html_print(page,
			   "<figure><ul class=\"lg\"><li><svg class=\"key\" viewBox=\"0 0 10 10\" "
			   "aria-hidden=\"true\"><circle class=\"p0\" cx=\"5\" cy=\"5\" r=\"4\"/>"
			   "</svg>p50</li><li><svg class=\"key\" viewBox=\"0 0 10 10\" "
			   "aria-hidden=\"true\"><circle class=\"p1\" cx=\"5\" cy=\"5\" r=\"4\"/>"
			   "</svg>p90</li><li><svg class=\"key\" viewBox=\"0 0 10 10\" "
			   "aria-hidden=\"true\"><circle class=\"p2\" cx=\"5\" cy=\"5\" r=\"4\"/>"
			   "</svg>p99</li><li><svg class=\"key\" viewBox=\"0 0 10 10\" "
			   "aria-hidden=\"true\"><circle class=\"p3\" cx=\"5\" cy=\"5\" r=\"3\"/>"
			   "</svg>p99.9</li>%r</ul>\n",
			   page->options->baseline
				   ? "<li><svg class=\"key\" viewBox=\"0 0 14 14\" "
				     "aria-hidden=\"true\"><circle class=\"was\" cx=\"7\" cy=\"7\" "
				     "r=\"5\"/></svg>p50 of the baseline</li>"
				   : "");
		draw(page, "pic wide", 1080);
		draw(page, "pic narrow", 360);
		html_print(page, "</figure>\n");
		table(page);
	}
	html_section_end(page);
}
