/* SPDX-License-Identifier: MIT */
#include "chart.h"

#include <math.h>

#include "macros.h"
#include "str.h"
#include "units.h"

#define SECOND_NS 1000000000ull

static double share(double value, double from, double to, bool logarithmic)
{
	if (logarithmic) {
		value = value > 0 ? log(value) : log(from);
		from = log(from);
		to = log(to);
	}
	return to > from ? fmin(fmax((value - from) / (to - from), 0), 1) : 0;
}

double html_plot_x(const struct html_plot *plot, double x)
{
	return plot->left + plot->width * share(x, plot->x0, plot->x1, plot->log_x);
}

double html_plot_y(const struct html_plot *plot, double y)
{
	return plot->top + plot->height * (1 - share(y, plot->y0, plot->y1, plot->log_y));
}

void html_picture_begin(struct html_page *page, const char *kind, double width, double height,
			const char *described)
{
	html_print(page,
		   "<svg class=\"%r\" viewBox=\"0 0 %x %x\" role=\"img\" aria-label=\"%s\">\n",
		   kind, width, height, described);
}

void html_picture_end(struct html_page *page)
{
	html_print(page, "</svg>\n");
}

double html_step(double span, unsigned want)
{
	static const double nice[] = {1, 2, 5, 10};
	if (!(span > 0) || !isfinite(span))
		return 1;
	double least = span / want, power = pow(10, floor(log10(least)));
	for (size_t i = 0; i < WAN_COUNT_OF(nice); i++)
		if (nice[i] * power >= least * 0.999)
			return nice[i] * power;
	return 10 * power;
}

uint64_t html_time_step_ns(uint64_t span_ns, unsigned want)
{
	static const unsigned seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
					   600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
	double least = (double)span_ns / want;
	if (least < (double)SECOND_NS) {
		double step = html_step((double)span_ns, want);
		return step >= 1 ? (uint64_t)step : 1;
	}
	for (size_t i = 0; i < WAN_COUNT_OF(seconds); i++)
		if ((double)seconds[i] * (double)SECOND_NS >= least)
			return seconds[i] * SECOND_NS;
	return (uint64_t)fmin(html_step((double)span_ns, want), 9e18);
}

double html_bytes_step(double bytes, unsigned want)
{
	double unit = 1;
	while (unit < 1e18 && bytes / unit >= 1024)
		unit *= 1024;
	return html_step(bytes / unit, want) * unit;
}

const char *html_time_text(char *to, uint64_t ns, uint64_t step_ns)
{
	uint64_t seconds = ns / SECOND_NS;
	if (ns == 0)
		wan_str_copy(to, HTML_TICK_BYTES, "0");
	else if (step_ns < 1000)
		wan_str_format(to, HTML_TICK_BYTES, "%llu ns", (unsigned long long)ns);
	else if (step_ns < 1000000)
		wan_str_format(to, HTML_TICK_BYTES, "%llu us", (unsigned long long)(ns / 1000));
	else if (ns < SECOND_NS)
		wan_str_format(to, HTML_TICK_BYTES, "%llu ms", (unsigned long long)(ns / 1000000));
	else if (step_ns < SECOND_NS)
		wan_str_format(to, HTML_TICK_BYTES, "%g s", (double)(ns / 1000000) / 1000);
	else if (seconds < 60)
		wan_str_format(to, HTML_TICK_BYTES, "%llu s", (unsigned long long)seconds);
	else if (seconds < 3600)
		wan_str_format(to, HTML_TICK_BYTES, "%llu:%02llu min",
			       (unsigned long long)(seconds / 60),
			       (unsigned long long)(seconds % 60));
	else
		wan_str_format(to, HTML_TICK_BYTES, "%llu:%02llu h",
			       (unsigned long long)(seconds / 3600),
			       (unsigned long long)(seconds % 3600 / 60));
	return to;
}

const char *html_bytes_text(char *to, double bytes)
{
	static const char *const names[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
	unsigned unit = 0;
	for (; bytes >= 1023.9 && unit + 1 < WAN_COUNT_OF(names); unit++)
		bytes /= 1024;
	if (!(bytes > 0))
		wan_str_copy(to, HTML_TICK_BYTES, "0");
	else
		wan_str_format(to, HTML_TICK_BYTES,
			       fabs(bytes - nearbyint(bytes)) < 0.01 ? "%.0f %s" : "%.1f %s", bytes,
			       names[unit]);
	return to;
}

const char *html_decade_time(char *to, double ns)
{
	static const char *const names[] = {"ns", "us", "ms", "s"};
	unsigned unit = 0;
	for (; ns >= 999.5 && unit + 1 < WAN_COUNT_OF(names); unit++)
		ns /= 1000;
	wan_str_format(to, HTML_TICK_BYTES, ns < 0.95 ? "%.1f %s" : "%.0f %s", ns, names[unit]);
	return to;
}

const char *html_cut(char *to, const char *name, size_t letters)
{
	char shown[HTML_NAME_BYTES - 4];
	wan_str_printable(shown, sizeof(shown), name);
	size_t bytes = 0;
	for (size_t i = 0; i < letters && shown[bytes]; i++)
		bytes += WAN_MAX(wan_utf8_length(shown + bytes, 4), 1u);
	wan_str_format(to, HTML_NAME_BYTES, "%.*s%s", (int)bytes, shown, shown[bytes] ? ".." : "");
	return to;
}

void html_grid_y(struct html_page *page, const struct html_plot *plot, double step, bool bytes,
		 const char *unit)
{
	char text[HTML_TICK_BYTES];
	for (unsigned i = 0; i < 12 && i * step <= plot->y1 * 1.0001; i++) {
		double y = html_plot_y(plot, i * step);
		html_print(page, "<path class=\"gr%r\" d=\"M%x %xh%x\"/>", i ? "" : " ax",
			   plot->left, y, plot->width);
		/* A heading stands above the plot. */
		if (!i || y < plot->top + 10)
			continue;
		if (bytes)
			html_bytes_text(text, i * step);
		else
			wan_str_format(text, sizeof(text), "%g%s", i * step, unit);
		html_print(page, "<text x=\"%x\" y=\"%x\">%r</text>\n", plot->left + 2, y - 3,
			   text);
	}
}

void html_grid_time(struct html_page *page, const struct html_plot *plot, uint64_t span_ns)
{
	char text[HTML_TICK_BYTES];
	uint64_t step_ns = html_time_step_ns(span_ns, plot->width > 600 ? 10 : 4);
	double bottom = plot->top + plot->height;
	for (unsigned i = 0; i < 24 && (double)i * (double)step_ns <= (double)span_ns; i++) {
		double x = html_plot_x(plot, (double)i * (double)step_ns);
		/* No label runs over the edge. */
		const char *anchor = i == 0 ? ""
				     : x > plot->left + plot->width - 30
					     ? " text-anchor=\"end\""
					     : " text-anchor=\"middle\"";
		html_print(page, "<path class=\"gr t\" d=\"M%x %xV%x\"/>", x, plot->top, bottom);
		html_print(page, "<text x=\"%x\" y=\"%x\"%r>%r</text>\n", x, bottom + 15, anchor,
			   html_time_text(text, i * step_ns, step_ns));
	}
}

/* Each decade, or each second one where there are many. */
static double decade_factor(double from, double to)
{
	double decades = log10(to / from);
	return pow(10, fmax(1, ceil(decades / 6)));
}

void html_grid_log(struct html_page *page, const struct html_plot *plot)
{
	char text[HTML_TICK_BYTES];
	double bottom = plot->top + plot->height;
	double factor = decade_factor(plot->x0, plot->x1), at = pow(10, ceil(log10(plot->x0)));
	bool few = at * 10 > plot->x1; /* less than two decades: 2 and 5 between as well */
	for (unsigned i = 0; i < 24; i++) {
		double value = few ? pow(10, floor(log10(plot->x0)) + i / 3) * (i % 3 == 0   ? 1
										: i % 3 == 1 ? 2
											     : 5)
				   : at * pow(factor, i);
		if (value > plot->x1)
			break;
		if (value < plot->x0)
			continue;
		double x = html_plot_x(plot, value);
		wan_str_format(text, sizeof(text), "%g", value);
		html_print(page,
			   "<path class=\"gr t\" d=\"M%x %xV%x\"/><text x=\"%x\" y=\"%x\" "
			   "text-anchor=\"middle\">%r</text>\n",
			   x, plot->top, bottom, x, bottom + 15, text);
	}
	factor = decade_factor(plot->y0, plot->y1);
	at = pow(10, ceil(log10(plot->y0)));
	for (unsigned i = 0; i < 24 && at <= plot->y1; i++, at *= factor) {
		double y = html_plot_y(plot, at);
		html_print(
			page,
			"<path class=\"gr\" d=\"M%x %xh%x\"/><text x=\"%x\" y=\"%x\">%r</text>\n",
			plot->left, y, plot->width, plot->left + 2, y - 3,
			html_decade_time(text, at));
	}
}
