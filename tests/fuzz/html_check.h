/* SPDX-License-Identifier: MIT */
/*
 * Is a page what every browser and every XML parser takes the same way, and does it ask nobody for
 * anything? A strict reader of the little HTML that the report uses: anything else is wrong.
 */
#ifndef WAN_TESTS_HTML_CHECK_H
#define WAN_TESTS_HTML_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "str.h"

struct html_check {
	const char *at, *end;
	const char *wrong; /* why; NULL: nothing yet */
	char open[64][24];
	unsigned depth;
	bool script_seen;
};

static inline bool html_wrong(struct html_check *check, const char *why)
{
	if (!check->wrong)
		check->wrong = why;
	return false;
}

static inline bool html_starts(const struct html_check *check, const char *text)
{
	size_t length = strlen(text);
	return (size_t)(check->end - check->at) >= length && memcmp(check->at, text, length) == 0;
}

static inline bool html_one_of(const char *word, const char *words)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* Characters up to one of the stops: whole UTF-8, nothing that steers, entities of five kinds. */
static inline bool html_text(struct html_check *check, const char *stops)
{
	static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
	while (check->at < check->end && !strchr(stops, *check->at)) {
		unsigned length = wan_utf8_length(check->at, (size_t)(check->end - check->at));
		if (!length ||
		    (*check->at != '\n' && *check->at != '\t' && wan_str_steers(check->at, length)))
			return html_wrong(check, "a byte that no page may hold");
		if (*check->at == '<' || *check->at == '>')
			return html_wrong(check, "a bare angle bracket");
		if (*check->at == '&') {
			unsigned i = 0;
			while (i < 5 && !html_starts(check, entities[i]))
				i++;
			if (i == 5)
				return html_wrong(check, "an entity of no known kind");
		}
		check->at += length;
	}
	return true;
}

static inline bool html_name(struct html_check *check, char name[24])
{
	size_t used = 0;
	while (check->at < check->end && used < 23 &&
	       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
		      *check->at) &&
	       *check->at)
		name[used++] = *check->at++;
	name[used] = '\0';
	return used || html_wrong(check, "a name is missing");
}

static inline bool html_value(struct html_check *check, const char *name, const char *value,
			      size_t bytes)
{
	static const char known[] =
		"lang charset http-equiv content name class id href role aria-label "
		"aria-labelledby aria-hidden scope viewBox preserveAspectRatio d points x y x1 y1 "
		"width height cx cy r text-anchor tabindex data-l data-v";
	static const char numbers[] = "d points x y width height cx cy r viewBox data-v";
	if (!html_one_of(name, known))
		return html_wrong(check, "an attribute of no known name");
	if (strcmp(name, "href") == 0 && (!bytes || value[0] != '#'))
		return html_wrong(check, "a link that leaves the page");
	for (size_t i = 0; html_one_of(name, numbers) && i < bytes; i++)
		if (!strchr("0123456789.-+e MLHVhlvz,", value[i]))
			return html_wrong(check, "a coordinate that is no number");
	return true;
}

static inline bool html_attributes(struct html_check *check)
{
	char name[24];
	while (check->at < check->end && *check->at == ' ') {
		check->at++;
		if (!html_name(check, name))
			return false;
		if (!html_starts(check, "=\""))
			return html_wrong(check, "an attribute without a quoted value");
		check->at += 2;
		const char *value = check->at;
		if (!html_text(check, "\"") || check->at == check->end ||
		    !html_value(check, name, value, (size_t)(check->at - value)))
			return html_wrong(check, "an attribute that does not end");
		check->at++;
	}
	return true;
}

/* Style and script: up to their end, with nothing that a parser could take for markup. */
static inline bool html_raw(struct html_check *check, const char *end)
{
	while (check->at < check->end && *check->at != '<')
		if (*check->at++ == '&')
			return html_wrong(check, "an ampersand in style or script");
	return html_starts(check, end) || html_wrong(check, "markup in style or script");
}

static inline bool html_tag(struct html_check *check)
{
	static const char known[] =
		"html head meta title style body header nav main section footer script h1 h2 h3 p "
		"a code pre div dl dt dd ul ol li figure figcaption table caption thead tbody tr "
		"th td span strong small sup br svg g path rect circle polyline text";
	char name[24];
	bool closes = check->at[1] == '/';
	check->at += closes ? 2 : 1;
	if (!html_name(check, name))
		return false;
	if (!html_one_of(name, known))
		return html_wrong(check, "an element of no known name");
	if (closes) {
		if (!check->depth || strcmp(check->open[check->depth - 1], name) != 0 ||
		    !html_starts(check, ">"))
			return html_wrong(check, "an element that was not open is closed");
		check->depth--;
		check->at++;
		return true;
	}
	if (!html_attributes(check))
		return false;
	bool empty = html_starts(check, "/>");
	if (!empty && !html_starts(check, ">"))
		return html_wrong(check, "a tag that does not end");
	check->at += empty ? 2 : 1;
	if (empty)
		return true;
	if (check->depth == 64)
		return html_wrong(check, "too deep");
	memcpy(check->open[check->depth++], name, sizeof(name));
	if (strcmp(name, "script") == 0 && check->script_seen)
		return html_wrong(check, "a second script");
	check->script_seen |= strcmp(name, "script") == 0;
	return strcmp(name, "style") == 0    ? html_raw(check, "</style>")
	       : strcmp(name, "script") == 0 ? html_raw(check, "</script>")
					     : true;
}

/* NULL: the page is sound; else what is wrong with it. */
static inline const char *html_check(const char *page, size_t bytes)
{
	struct html_check check = {.at = page, .end = page + bytes};
	static const char type[] = "<!DOCTYPE html>\n";
	if (!html_starts(&check, type))
		return "not an HTML document";
	check.at += sizeof(type) - 1;
	while (check.at < check.end && !check.wrong) {
		if (*check.at == '<')
			html_tag(&check);
		else
			html_text(&check, "<");
	}
	if (!check.wrong && check.depth)
		html_wrong(&check, "an element stays open");
	return check.wrong;
}

#endif
