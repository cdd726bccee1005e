/* SPDX-License-Identifier: MIT */
/* Places, ticks and lines of the pictures. Pure but for what is written to the page. */
#ifndef WAN_TOOLS_HTML_CHART_H
#define WAN_TOOLS_HTML_CHART_H

#include "page.h"

/* Where values lie: x from left to left + width, y upwards from top + height. */
struct html_plot {
	double left, top, width, height;
	double x0, x1, y0, y1; /* values at the edges; of a logarithmic one above 0 */
	bool log_x, log_y;
};

double html_plot_x(const struct html_plot *plot, double x);
double html_plot_y(const struct html_plot *plot, double y);

/* <svg>, with text for those who cannot see it. kind: classes, ours. */
void html_picture_begin(struct html_page *page, const char *kind, double width, double height,
			const char *described);
void html_picture_end(struct html_page *page);

/* A step of 1, 2 or 5 times a power of ten (of seconds and minutes as clocks have them, of bytes
 * as binary units have them) that gives at most want ticks; never 0. */
double html_step(double span, unsigned want);
uint64_t html_time_step_ns(uint64_t span_ns, unsigned want);
double html_bytes_step(double bytes, unsigned want);
/* "500 ms", "2 s", "1:30", "2:05 h" */
#define HTML_TICK_BYTES 32
const char *html_time_text(char *to, uint64_t ns, uint64_t step_ns);
/* "0", "512 MB", "1.5 GB" */
const char *html_bytes_text(char *to, double bytes);
/* Log axes: "10 us", "1 s"; "0.1", "10". */
/* A name in a picture: at most so many letters, the rest is "..". Returns to. */
#define HTML_NAME_BYTES 320
const char *html_cut(char *to, const char *name, size_t letters);
const char *html_decade_time(char *to, double ns);

/* Grid lines with labels above them at the left edge; bytes: values are bytes, else plain with that
 * unit. */
void html_grid_y(struct html_page *page, const struct html_plot *plot, double step, bool bytes,
		 const char *unit);
/* Ticks of time under the plot, lines up to its top. */
void html_grid_time(struct html_page *page, const struct html_plot *plot, uint64_t span_ns);
/* Decades of a plot with two logarithmic axes: megapixels over time. */
void html_grid_log(struct html_page *page, const struct html_plot *plot);

#endif
