/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "str.h"
#include "units.h"

static const char *entity(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void put_escaped(struct html_page *page, const char *text, size_t bytes)
{
	size_t plain = 0;
	for (size_t i = 0; i < bytes; i++) {
		const char *instead = entity(text[i]);
		if (!instead)
			continue;
		wan_sink_put(&page->sink, text + plain, i - plain);
		wan_sink_text(&page->sink, instead);
		plain = i + 1;
	}
	wan_sink_put(&page->sink, text + plain, bytes - plain);
}

/* Pages may hold no U+FFFE and U+FFFF. */
static bool no_character(const char *text, unsigned length)
{
	return length == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe;
}

static void put_text(struct html_page *page, const char *text)
{
	char shown[HTML_TEXT_BYTES];
	text = text ? text : "";
	wan_str_printable(shown, sizeof(shown), text);
	for (char *c = shown; *c; c++)
		if (no_character(c, wan_utf8_length(c, strnlen(c, 4))))
			memset(c, '?', 3);
	put_escaped(page, shown, strlen(shown));
	/* A character or an escape of four may be what did not fit. */
	if (strlen(shown) + 5 > sizeof(shown) && strlen(text) > strlen(shown))
		wan_sink_text(&page->sink, "..");
}

void html_verbatim(struct html_page *page, const char *text)
{
	while (*text) {
		unsigned length = wan_utf8_length(text, strnlen(text, 4));
		if (*text == '\n')
			wan_sink_put(&page->sink, text, 1);
		else if (!length || wan_str_steers(text, length) || no_character(text, length))
			wan_sink_put(&page->sink, " ", 1);
		else
			put_escaped(page, text, length);
		text += length ? length : 1;
	}
}

/* By integers: one decimal, none when it is zero, never an exponent. */
static void put_coordinate(struct html_page *page, double value)
{
	value = isfinite(value) ? fmin(fmax(value, -1e6), 1e6) : 0;
	int64_t tenths = llround(value * 10);
	char *to = wan_sink_room(&page->sink, WAN_NUMBER_ROOM + 4);
	if (tenths < 0)
		*to++ = '-';
	uint64_t size = (uint64_t)(tenths < 0 ? -tenths : tenths);
	to = wan_put_u64(to, size / 10);
	if (size % 10) {
		*to++ = '.';
		*to++ = (char)('0' + size % 10);
	}
	page->sink.at = to;
}

static void put_figure(struct html_page *page, double value)
{
	if (!isfinite(value)) {
		wan_sink_text(&page->sink, "\xe2\x80\x93");
		return;
	}
	double size = fabs(value);
	int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : 2;
	char text[64];
	size_t length = wan_str_format(text, sizeof(text), size >= 1e15 ? "%.*e" : "%.*f",
				       size >= 1e15 ? 2 : decimals, value);
	while (decimals && size < 1e15 && text[length - 1] == '0')
		length--;
	wan_sink_put(&page->sink, text, length - (decimals && text[length - 1] == '.'));
}

static void put_unit(struct html_page *page, uint64_t value,
		     const char *(*format)(char *, size_t, uint64_t))
{
	char text[48];
	wan_sink_text(&page->sink,
		      value == UINT64_MAX ? "\xe2\x80\x93" : format(text, sizeof(text), value));
}

static void put_u64(struct html_page *page, uint64_t value)
{
	page->sink.at = wan_put_u64(wan_sink_room(&page->sink, WAN_NUMBER_ROOM), value);
}

void html_print(struct html_page *page, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	for (;;) {
		size_t literal = strcspn(format, "%");
		wan_sink_put(&page->sink, format, literal);
		format += literal;
		if (!*format)
			break;
		switch (format[1]) {
		case 's':
			put_text(page, va_arg(arguments, const char *));
			break;
		case 'r':
			wan_sink_text(&page->sink, va_arg(arguments, const char *));
			break;
		case 'x':
			put_coordinate(page, va_arg(arguments, double));
			break;
		case 'g':
			put_figure(page, va_arg(arguments, double));
			break;
		case 'u':
			put_u64(page, va_arg(arguments, uint64_t));
			break;
		case 'z':
			put_u64(page, va_arg(arguments, size_t));
			break;
		case 'i':
			wan_sink_format(&page->sink, "%d", va_arg(arguments, int));
			break;
		case 'D':
			put_unit(page, va_arg(arguments, uint64_t), wan_format_duration);
			break;
		case 'B':
			put_unit(page, va_arg(arguments, uint64_t), wan_format_bytes);
			break;
		default:
			wan_sink_text(&page->sink, "%");
			break;
		}
		format += 2;
	}
	va_end(arguments);
}

void html_section_begin(struct html_page *page, const char *id, const char *title)
{
	html_print(page, "<section id=\"%r\" aria-labelledby=\"h-%r\">\n<h2 id=\"h-%r\">%r</h2>\n",
		   id, id, id, title);
}

void html_section_end(struct html_page *page)
{
	html_print(page, "</section>\n");
}

void html_table_begin(struct html_page *page, const char *caption, const char *columns)
{
	html_print(page, "<table><caption>%r</caption><thead><tr>", caption);
	while (*columns) {
		size_t length = strcspn(columns, "|");
		bool number = length > 2 && columns[length - 1] == '#';
		html_print(page, "<th scope=\"col\"%r>", number ? " class=\"n\"" : "");
		wan_sink_put(&page->sink, columns, number ? length - 2 : length);
		html_print(page, "</th>");
		columns += length + (columns[length] == '|');
	}
	html_print(page, "</tr></thead>\n<tbody>\n");
}

void html_table_end(struct html_page *page)
{
	html_print(page, "</tbody></table>\n");
}

void html_cell_begin(struct html_page *page, const char *label, bool number, double sort)
{
	if (number && isfinite(sort)) {
		html_print(page, "<td class=\"n\" data-l=\"%r\" data-v=\"", label);
		wan_sink_format(&page->sink, "%.6g\">", sort);
	} else {
		html_print(page, "<td%r data-l=\"%r\">", number ? " class=\"n\"" : "", label);
	}
}

void html_cell_end(struct html_page *page)
{
	html_print(page, "</td>");
}
