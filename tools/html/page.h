/* SPDX-License-Identifier: MIT */
/*
 * What every section of the page is written with. Texts are escaped by the one function that writes
 * them, numbers are finite by the one that writes those: a section cannot get either wrong.
 */
#ifndef WAN_TOOLS_HTML_PAGE_H
#define WAN_TOOLS_HTML_PAGE_H

#include "html.h"
#include "sink.h"
#include "trackers.h"

/* Longer texts of a recording end in "..". */
#define HTML_TEXT_BYTES 200

struct html_page {
	struct wan_sink sink;
	const struct wan_analysis *analysis;
	const struct html_options *options;
	struct wan_trackers trackers;
	struct wan_phases phases;
	unsigned figures; /* numbers their ids */
};

/*
 * printf with conversions of this page only; anything that is not a literal goes through one.
 *	%s const char *: text, escaped, control and direction marks as \xNN, cut at HTML_TEXT_BYTES
 *	%r const char *: markup of ours, as it is
 *	%x double: a coordinate, one decimal; not finite: 0
 *	%g double: three significant digits; not finite: a dash
 *	%u uint64_t   %z size_t   %i int
 *	%D uint64_t: a duration   %B uint64_t: bytes; UINT64_MAX of both: a dash
 *	%%
 */
void html_print(struct html_page *page, const char *format, ...);
/* Escaped, of any length, as it is: for text that may be copied. Control bytes become blanks. */
void html_verbatim(struct html_page *page, const char *text);

/* Column header cells of a table: "Operation|Count #|Total #"; # marks numbers. Opens the body. */
void html_table_begin(struct html_page *page, const char *caption, const char *columns);
void html_table_end(struct html_page *page);
/* One cell each: label is the column's name, for narrow screens; number: right, sorts by value. */
void html_cell_begin(struct html_page *page, const char *label, bool number, double sort);
void html_cell_end(struct html_page *page);

/* A section with its heading; id is a literal. */
void html_section_begin(struct html_page *page, const char *id, const char *title);
void html_section_end(struct html_page *page);

/* The sections, in order. */
void html_write_header(struct html_page *page);
void html_write_findings(struct html_page *page);
void html_write_timeline(struct html_page *page);
void html_write_scaling(struct html_page *page);
void html_write_latency(struct html_page *page);
void html_write_cache(struct html_page *page);
void html_write_stacks(struct html_page *page);
void html_write_progress(struct html_page *page);
void html_write_memory(struct html_page *page);
void html_write_coverage(struct html_page *page);
void html_write_comparison(struct html_page *page);
void html_write_footer(struct html_page *page);

/* "jpeg.decode", "(other)"; with the outcome where it is not ok, into to. Returns to. */
#define HTML_ROW_NAME_BYTES 160
const char *html_row_name(char *to, const struct wan_rows *rows, const struct wan_row *row);
const char *html_level_name(uint64_t level);
/* Commands and outcomes in words. */
void html_command(char *to, size_t bytes, const struct wan_process *process);
void html_outcome(char *to, size_t bytes, const struct wan_process *process);

#endif
