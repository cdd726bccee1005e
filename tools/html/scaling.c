/* SPDX-License-Identifier: MIT */
/* Time against megapixels of each kind of operation, with the fitted exponent and its band. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "chart.h"
#include "macros.h"
#include "str.h"

#define PICTURES_MOST 9
#define WIDTH         340.0
#define HEIGHT        230.0
#define CELLS_X       84
#define CELLS_Y       52
#define BINS          1024
#define DOTS_MOST     700 /* of a picture: more are put together, so that the page stays small */

struct cloud {
	uint32_t cells[CELLS_Y][CELLS_X]; /* how many operations fell there */
	double least_px, most_px, least_ns, most_ns;
	uint64_t count;
	unsigned coarse; /* cells are so many by so many together */
};

static bool usable(const struct wan_recording_operation *record)
{
	return record->width_px && record->height_px && record->inside_ns;
}

static double pixels_of(const struct wan_recording_operation *record)
{
	return (double)record->width_px * (double)record->height_px;
}

static void measure(struct cloud *cloud, const struct wan_view_operation *first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct wan_recording_operation *record = first[i].record;
		if (!usable(record))
			continue;
		double px = pixels_of(record), ns = (double)record->inside_ns;
		bool begun = cloud->count++;
		cloud->least_px = begun ? fmin(cloud->least_px, px) : px;
		cloud->most_px = begun ? fmax(cloud->most_px, px) : px;
		cloud->least_ns = begun ? fmin(cloud->least_ns, ns) : ns;
		cloud->most_ns = begun ? fmax(cloud->most_ns, ns) : ns;
	}
}

static void fill(struct cloud *cloud, const struct html_plot *plot,
		 const struct wan_view_operation *first, size_t count)
{
	memset(cloud->cells, 0, sizeof(cloud->cells));
	for (size_t i = 0; i < count; i++) {
		if (!usable(first[i].record))
			continue;
		double x = html_plot_x(plot, pixels_of(first[i].record) / 1e6);
		double y = html_plot_y(plot, (double)first[i].record->inside_ns);
		int column = (int)((x - plot->left) / plot->width * CELLS_X);
		int row = (int)((y - plot->top) / plot->height * CELLS_Y);
		cloud->cells[WAN_CLAMP(row, 0, CELLS_Y - 1)][WAN_CLAMP(column, 0, CELLS_X - 1)]++;
	}
}

/* Blocks of cells into their first one, until few enough are in use. */
static void coarsen(struct cloud *cloud, unsigned dots)
{
	for (cloud->coarse = 1; cloud->coarse < 16; cloud->coarse *= 2) {
		unsigned used = 0, step = cloud->coarse;
		for (unsigned y = 0; y < CELLS_Y; y += step)
			for (unsigned x = 0; x < CELLS_X; x += step)
				used += cloud->cells[y][x] != 0;
		if (used <= dots)
			return;
		for (unsigned y = 0; y < CELLS_Y; y += step)
			for (unsigned x = 0; x < CELLS_X; x += step) {
				uint32_t count = cloud->cells[y][x];
				cloud->cells[y][x] = 0;
				cloud->cells[y - y % (2 * step)][x - x % (2 * step)] += count;
			}
	}
}

/* Points as strokes without length and with round ends: nine bytes each. */
static void draw_cloud(struct html_page *page, struct cloud *cloud, const struct html_plot *plot,
		       const char *kind, unsigned dots)
{
	static const uint32_t edges[] = {1, 4, 40, UINT32_MAX};
	coarsen(cloud, dots);
	double middle = cloud->coarse / 2.0;
	for (unsigned step = 0; step < 3; step++) {
		bool any = false;
		for (unsigned y = 0; y < CELLS_Y; y += cloud->coarse)
			for (unsigned x = 0; x < CELLS_X; x += cloud->coarse) {
				uint32_t count = cloud->cells[y][x];
				if (count < edges[step] || count >= edges[step + 1])
					continue;
				if (!any)
					html_print(page, "<path class=\"dot d%i %r\" d=\"",
						   (int)step, kind);
				any = true;
				html_print(page, "M%x %xh0",
					   plot->left + (x + middle) * plot->width / CELLS_X,
					   plot->top + (y + middle) * plot->height / CELLS_Y);
			}
		if (any)
			html_print(page, "\"/>\n");
	}
}

struct middle {
	double low, high;
	uint32_t bins[BINS], count;
};

static void middle_add(struct middle *middle, double value)
{
	double share = (value - middle->low) / fmax(middle->high - middle->low, 1e-12);
	middle->bins[(unsigned)(fmin(fmax(share, 0), 1) * (BINS - 1))]++;
	middle->count++;
}

static double middle_of(const struct middle *middle)
{
	uint64_t seen = 0;
	unsigned i = 0;
	while (i + 1 < BINS && (seen += middle->bins[i]) * 2 < middle->count)
		i++;
	return middle->low + (middle->high - middle->low) * (i + 0.5) / BINS;
}

/* The line goes through the middle of the points, by medians as its slope does. */
static void pivot(const struct cloud *cloud, const struct wan_scaling *fit,
		  const struct wan_view_operation *first, size_t count, double *ret_px,
		  double *ret_ns)
{
	double low_px = log(cloud->least_px), high_px = log(cloud->most_px);
	double low = log(cloud->least_ns), high = log(cloud->most_ns);
	double lean = fabs(fit->slope) * (high_px - low_px);
	struct middle across = {.low = low_px, .high = high_px};
	struct middle rest = {.low = low - lean, .high = high + lean};
	for (size_t i = 0; i < count; i++)
		if (usable(first[i].record))
			middle_add(&across, log(pixels_of(first[i].record)));
	double centre = middle_of(&across);
	for (size_t i = 0; i < count; i++)
		if (usable(first[i].record))
			middle_add(&rest,
				   log((double)first[i].record->inside_ns) -
					   fit->slope * (log(pixels_of(first[i].record)) - centre));
	*ret_px = exp(centre);
	*ret_ns = exp(middle_of(&rest));
}

/* With fewer sizes an interval means nothing. */
static bool has_band(const struct wan_scaling *fit)
{
	return fit->fitted && fit->sizes >= WAN_SCALING_SIZES_MIN;
}

static void verdict(struct html_page *page, const struct wan_row *row)
{
	const struct wan_scaling *fit = &row->scaling;
	if (!fit->fitted) {
		html_print(page, "%z operations; no verdict: %s", (size_t)row->records,
			   fit->reason ? fit->reason : "");
		return;
	}
	html_print(page, "time ~ Mpx<sup>%g</sup>", fit->slope);
	if (has_band(fit))
		html_print(page, ", 90 %% band %g to %g", fit->lower_bound, fit->upper_bound);
	html_print(page, ", %i sizes; ", (int)fit->sizes);
	if (fit->verdict == WAN_SCALING_POOR)
		html_print(page, "<strong>grows faster than the pixels</strong>");
	else if (fit->verdict == WAN_SCALING_OK)
		html_print(page, "in proportion or better");
	else
		html_print(page, "no verdict: %s", fit->reason);
}

static double line_y(const struct html_plot *plot, double slope, double px, double ns,
		     double at_mpx)
{
	double y = html_plot_y(plot, ns * pow(at_mpx * 1e6 / px, slope));
	return fmin(fmax(y, plot->top), plot->top + plot->height);
}

static void draw_fit(struct html_page *page, const struct html_plot *plot,
		     const struct wan_scaling *fit, double px, double ns)
{
	double centre = html_plot_x(plot, px / 1e6), middle = html_plot_y(plot, ns);
	double right = plot->left + plot->width;
	double steep = fmax(fit->upper_bound, fit->slope);
	double flat = fmin(fit->lower_bound, fit->slope);
	if (has_band(fit))
		html_print(page, "<path class=\"band\" d=\"M%x %xL%x %xV%xL%x %xL%x %xV%xz\"/>\n",
			   centre, middle, right, line_y(plot, steep, px, ns, plot->x1),
			   line_y(plot, flat, px, ns, plot->x1), centre, middle, plot->left,
			   line_y(plot, flat, px, ns, plot->x0),
			   line_y(plot, steep, px, ns, plot->x0));
	html_print(page, "<path class=\"fit%r\" d=\"M%x %xL%x %x\"/>\n",
		   fit->verdict == WAN_SCALING_POOR ? " poor" : "", plot->left,
		   line_y(plot, fit->slope, px, ns, plot->x0), right,
		   line_y(plot, fit->slope, px, ns, plot->x1));
}

static void axes(struct html_plot *plot, const struct cloud *cloud)
{
	*plot = (struct html_plot){
		.top = 8,
		.width = WIDTH,
		.height = HEIGHT - 40,
		.x0 = cloud->least_px / 1e6 / 1.3,
		.x1 = cloud->most_px / 1e6 * 1.3,
		.y0 = cloud->least_ns / 1.5,
		.y1 = cloud->most_ns * 1.8,
		.log_x = true,
		.log_y = true,
	};
}

/* The whole line is inside. */
static void make_room(struct html_plot *plot, double slope, double px, double ns)
{
	double left = ns * pow(plot->x0 * 1e6 / px, slope);
	double right = ns * pow(plot->x1 * 1e6 / px, slope);
	plot->y0 = fmax(fmin(plot->y0, fmin(left, right)), plot->y0 / 1000);
	plot->y1 = fmin(fmax(plot->y1, fmax(left, right)), plot->y1 * 1000);
}

static const struct wan_row *same_kind(const struct wan_rows *rows, const struct wan_row *row)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->items[i].name, row->name) == 0 &&
		    strcmp(rows->items[i].library, row->library) == 0 &&
		    rows->items[i].status == row->status && rows->items[i].flags == row->flags)
			return &rows->items[i];
	return NULL;
}

static void picture(struct html_page *page, struct cloud *cloud, const struct wan_rows *rows,
		    const struct wan_row *row)
{
	const struct wan_view_operation *first = rows->operations + row->first_record;
	const struct wan_analysis *before = page->options->baseline_analysis;
	const struct wan_row *old = before ? same_kind(&before->rows, row) : NULL;
	const struct wan_view_operation *old_first =
		old ? before->rows.operations + old->first_record : NULL;
	char name[HTML_ROW_NAME_BYTES], described[300];
	struct html_plot plot;
	memset(cloud, 0, sizeof(*cloud));
	measure(cloud, first, row->records);
	if (old)
		measure(cloud, old_first, old->records);
	double px = 0, ns = 0;
	if (row->scaling.fitted)
		pivot(cloud, &row->scaling, first, row->records, &px, &ns);
	axes(&plot, cloud);
	if (row->scaling.fitted)
		make_room(&plot, row->scaling.slope, px, ns);
	html_row_name(name, rows, row);
	html_print(page, "<figure><figcaption><strong>%s</strong><br/>", name);
	verdict(page, row);
	html_print(page, "</figcaption>");
	wan_str_format(described, sizeof(described),
		       "Time against megapixels of %s on logarithmic axes, %llu operations.", name,
		       (unsigned long long)cloud->count);
	html_picture_begin(page, "pic", WIDTH, HEIGHT, described);
	html_grid_log(page, &plot);
	html_print(page, "<text x=\"%x\" y=\"%x\" text-anchor=\"end\">megapixels</text>\n", WIDTH,
		   HEIGHT - 3);
	if (old) {
		fill(cloud, &plot, old_first, old->records);
		draw_cloud(page, cloud, &plot, "was", old ? DOTS_MOST / 2 : DOTS_MOST);
	}
	if (row->scaling.fitted)
		draw_fit(page, &plot, &row->scaling, px, ns);
	fill(cloud, &plot, first, row->records);
	draw_cloud(page, cloud, &plot, "", old ? DOTS_MOST / 2 : DOTS_MOST);
	html_picture_end(page);
	html_print(page, "</figure>\n");
}

/* Worth a picture: sizes that differ. */
static bool has_sizes(const struct wan_rows *rows, const struct wan_row *row)
{
	struct cloud range = {.count = 0};
	const struct wan_view_operation *first = rows->operations + row->first_record;
	if (row->status > 1 || row->records < 3)
		return false;
	measure(&range, first, row->records);
	return range.count >= 3 && range.most_px > range.least_px * 1.2;
}

void html_write_scaling(struct html_page *page)
{
	const struct wan_rows *rows = &page->analysis->rows;
	struct cloud *cloud = wan_calloc(1, sizeof(*cloud));
	unsigned shown = 0, left_out = 0;
	if (!cloud) {
		wan_sink_fail(&page->sink, -ENOMEM);
		return;
	}
	html_section_begin(page, "scaling", "Time against size");
	for (size_t i = 0; i < rows->count; i++) {
		if (shown == PICTURES_MOST) {
			left_out += rows->items[i].scaling.fitted;
			continue;
		}
		if (!has_sizes(rows, &rows->items[i]))
			continue;
		html_print(page, "%r", shown++ ? "" : "<div class=\"grid\">\n");
		picture(page, cloud, rows, &rows->items[i]);
	}
	if (shown)
		html_print(page,
			   "</div>\n<p class=\"note\">A dot is one operation or, where many "
			   "lie together, a darker one for all of them. The band is the "
			   "interval of the exponent, drawn through the middle of the "
			   "points%r.</p>\n",
			   page->options->baseline_analysis ? "; grey dots: the baseline" : "");
	else
		html_print(page, "<p class=\"note\">No kind of operation came in different "
				 "sizes.</p>\n");
	if (left_out)
		html_print(page, "<p class=\"note\">%i more kinds have no picture.</p>\n",
			   (int)left_out);
	html_section_end(page);
	wan_free(cloud);
}
