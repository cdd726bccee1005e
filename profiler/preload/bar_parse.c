/* SPDX-License-Identifier: MIT */
#include "bar_parse.h"

#include <string.h>

#include "macros.h"
#include "wan/progress.h"

enum {
	TRIES = 8,       /* places at which a bar may begin */
	RICH_GLYPHS = 8, /* of rich's bar; a ruled line is not followed by numbers */
	PERCENT = 100,
	AMOUNT_MOST = INT32_MAX,
};

struct reader {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool take_text(struct reader *reader, const char *text)
{
	size_t bytes = strlen(text);
	if ((size_t)(reader->end - reader->at) < bytes || memcmp(reader->at, text, bytes) != 0)
		return false;
	reader->at += bytes;
	return true;
}

static void skip_spaces(struct reader *reader)
{
	while (take(reader, ' '))
		;
}

/* A count as bars print it: "9", "0.5", "1.23G". */
struct number {
	double value;
	unsigned digits;
	bool dotted, scaled;
};

static bool take_digits(struct reader *reader, struct number *ret_number)
{
	struct number number = {.value = 0};
	double place = 1;
	for (; reader->at < reader->end; reader->at++) {
		char c = *reader->at;
		if (c == '.' && !number.dotted && number.digits) {
			number.dotted = true;
		} else if (is_digit(c)) {
			number.digits++;
			place = number.dotted ? place / 10 : place;
			number.value = number.dotted ? number.value + place * (c - '0')
						     : number.value * 10 + (c - '0');
		} else {
			break;
		}
	}
	*ret_number = number;
	return number.digits > 0 && number.digits <= 18;
}

static const char scale_letters[] = "kMGTPE";

/* tqdm rounds to three digits before it puts a letter: "1.23k", "12.3M", "123G". */
static bool take_scale(struct reader *reader, struct number *number)
{
	const char *letter = reader->at < reader->end
				     ? memchr(scale_letters, *reader->at, sizeof(scale_letters) - 1)
				     : NULL;
	if (number->digits != 3 || !letter)
		return false;
	for (const char *l = scale_letters; l <= letter; l++)
		number->value *= 1000;
	number->scaled = true;
	reader->at++;
	return true;
}

static bool take_number(struct reader *reader, struct number *ret_number)
{
	if (!take_digits(reader, ret_number))
		return false;
	take_scale(reader, ret_number);
	return ret_number->value < 9e18;
}

/* "n/total". */
static bool take_share(struct reader *reader, struct number *done, struct number *total)
{
	return take_number(reader, done) && take(reader, '/') && take_number(reader, total) &&
	       total->value > 0;
}

/* "1:02:03", "01:23", also with days, "1 day, 2:03:04"; "?" when it is not known. */
static bool take_time(struct reader *reader, uint64_t *ret_seconds)
{
	uint64_t seconds = 0, part = 0;
	unsigned parts = 0, digits = 0;
	*ret_seconds = UINT64_MAX;
	if (take(reader, '?'))
		return true;
	for (; reader->at < reader->end; reader->at++) {
		char c = *reader->at;
		if (is_digit(c) && ++digits <= 9) {
			part = part * 10 + (uint64_t)(c - '0');
		} else if (c == ':' && digits && ++parts <= 3) {
			seconds = (seconds + part) * 60;
			part = digits = 0;
		} else {
			break;
		}
	}
	if (!parts || !digits)
		return false;
	*ret_seconds = seconds + part;
	return true;
}

static void set_unit(struct wan_bar_text *bar, const char *unit, size_t bytes)
{
	while (bytes && *unit == ' ')
		unit++, bytes--;
	while (bytes && unit[bytes - 1] == ' ')
		bytes--;
	bytes = WAN_MIN(bytes, sizeof(bar->unit) - 1);
	memcpy(bar->unit, unit, bytes);
	bar->unit[bytes] = '\0';
	bool is_bytes = strcmp(bar->unit, "B") == 0 || strcmp(bar->unit, "iB") == 0 ||
			strcmp(bar->unit, "b") == 0 || strcmp(bar->unit, "bytes") == 0;
	bar->amount |= is_bytes;
}

/*
 * The unit in "4.2it/s", "9.10s/it", "?it/s", "120MB/s". Leaves it at what follows; false when it
 * was cut off.
 */
static bool take_rate(struct reader *reader, const char **ret_unit, size_t *ret_bytes)
{
	struct number number = {.value = 0};
	skip_spaces(reader);
	if (!take(reader, '?') && !take_digits(reader, &number))
		return false;
	const char *from = reader->at;
	while (reader->at < reader->end && *reader->at != ',' && *reader->at != ']')
		reader->at++;
	size_t bytes = (size_t)(reader->at - from);
	if (bytes > 2 && memcmp(from, "s/", 2) == 0) {
		*ret_unit = from + 2;
		*ret_bytes = bytes - 2;
		return true;
	}
	if (bytes < 3 || memcmp(from + bytes - 2, "/s", 2) != 0)
		return false;
	*ret_unit = from;
	*ret_bytes = bytes - 2;
	return true;
}

/* "MB" of a rate may be millions of "B", and "key" no thousands of "ey": the count decides. */
static bool may_have_scale(const char *unit, size_t bytes)
{
	return bytes > 1 && memchr(scale_letters, *unit, sizeof(scale_letters) - 1);
}

static void set_name(struct wan_bar_text *bar, const char *from, const char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (from < to && (to[-1] == ' ' || to[-1] == ':'))
		to--;
	bar->name = from;
	bar->name_bytes = (size_t)(to - from);
}

static void set_share(struct wan_bar_text *bar, struct number done, struct number total)
{
	bar->done = (uint64_t)done.value;
	bar->total = (uint64_t)total.value;
	if (total.dotted && !total.scaled && (double)bar->total < total.value)
		bar->total++; /* a total of 2.5 ends with a third step */
	bar->amount = done.scaled || total.scaled || done.dotted || total.dotted;
}

/* What is printed as percent must be what the numbers say; both are rounded. */
static bool agrees(unsigned percent, struct number done, struct number total)
{
	double exact = PERCENT * done.value / total.value;
	double slack = done.scaled || total.scaled ? 1.6 : 1.01;
	return exact < percent + slack && exact > percent - slack;
}

/* "[01:23<01:40,  9.1s/it, loss=0.3]" behind "n/total ". */
static bool take_stats(struct reader *reader, struct wan_bar_text *bar)
{
	const char *unit = "it";
	size_t bytes = 2;
	uint64_t left_s;
	set_unit(bar, unit, bytes);
	if (!take(reader, '['))
		return false;
	if (reader->at == reader->end)
		return true; /* cut by the width of the terminal */
	if (!take_time(reader, &bar->elapsed_s))
		return false;
	if (take(reader, '<') && take_time(reader, &left_s) && take(reader, ','))
		take_rate(reader, &unit, &bytes);
	bool scaled =
		may_have_scale(unit, bytes) && (bar->amount || (bytes == 2 && unit[1] == 'B'));
	set_unit(bar, unit + scaled, bytes - scaled);
	return true;
}

/* " 45%|####     | 9/20 [...", " 45% 9/20 [...", " 45% (9 of 20) |###": from behind the '%'. */
static bool take_after_percent(struct reader reader, unsigned percent, struct wan_bar_text *bar)
{
	struct number done, total;
	struct reader at = reader;
	if (take_text(&at, " (") && take_number(&at, &done) && take_text(&at, " of ") &&
	    take_number(&at, &total) && total.value > 0 && take_text(&at, ") |") &&
	    agrees(percent, done, total)) {
		set_share(bar, done, total);
		set_unit(bar, "it", 2);
		return true;
	}
	if (take(&reader, '|')) {
		for (;; reader.at++) { /* a bar may be drawn with any characters */
			reader.at = memchr(reader.at, '|', (size_t)(reader.end - reader.at));
			if (!reader.at)
				return false;
			at = (struct reader){reader.at + 1, reader.end};
			if (take(&at, ' ') && take_share(&at, &done, &total) && take(&at, ' '))
				break;
		}
	} else {
		at = reader;
		if (!take(&at, ' ') || !take_share(&at, &done, &total) || !take(&at, ' '))
			return false;
	}
	set_share(bar, done, total);
	return agrees(percent, done, total) && take_stats(&at, bar);
}

/* Up to three digits before the '%'. False: none, or more than 100. */
static bool percent_before(const char *text, const char *sign, const char **ret_from,
			   unsigned *ret_percent)
{
	const char *from = sign;
	unsigned percent = 0;
	while (from > text && sign - from < 3 && is_digit(from[-1]))
		from--;
	for (const char *c = from; c < sign; c++)
		percent = percent * 10 + (unsigned)(*c - '0');
	*ret_from = from;
	*ret_percent = percent;
	return from < sign && percent <= PERCENT && (from == text || from[-1] == ' ');
}

static bool parse_percent(const char *text, const char *end, struct wan_bar_text *bar)
{
	const char *sign = text, *from;
	unsigned percent;
	for (unsigned i = 0; i < TRIES; i++, sign++) {
		sign = memchr(sign, '%', (size_t)(end - sign));
		if (!sign)
			return false;
		if (!percent_before(text, sign, &from, &percent))
			continue;
		if (take_after_percent((struct reader){sign + 1, end}, percent, bar)) {
			set_name(bar, text, from);
			return true;
		}
	}
	return false;
}

/* The count before " [" of "desc: 9it [00:02, 4.2it/s]", given the unit that the rate has. */
static bool count_before(const char *text, const char *end, const char *unit, size_t bytes,
			 struct wan_bar_text *bar)
{
	if ((size_t)(end - text) <= bytes || memcmp(end - bytes, unit, bytes) != 0)
		return false;
	const char *stop = end - bytes, *from = stop;
	if (from > text && memchr(scale_letters, from[-1], sizeof(scale_letters) - 1))
		from--;
	while (from > text && (is_digit(from[-1]) || from[-1] == '.'))
		from--;
	struct reader reader = {from, stop};
	struct number number;
	if (!take_number(&reader, &number) || reader.at != stop || (from > text && from[-1] != ' '))
		return false;
	bar->done = (uint64_t)number.value;
	bar->amount = number.scaled || number.dotted;
	set_name(bar, text, from);
	set_unit(bar, unit, bytes);
	return true;
}

static bool parse_unknown_total(const char *text, const char *end, struct wan_bar_text *bar)
{
	const char *bracket = text, *unit;
	size_t bytes;
	for (unsigned i = 0; i < TRIES; i++, bracket++) {
		bracket = memchr(bracket, '[', (size_t)(end - bracket));
		if (!bracket)
			return false;
		struct reader reader = {bracket + 1, end};
		if (bracket - text < 2 || bracket[-1] != ' ' ||
		    !take_time(&reader, &bar->elapsed_s) || !take(&reader, ',') ||
		    !take_rate(&reader, &unit, &bytes) || !bytes)
			continue;
		if (may_have_scale(unit, bytes) &&
		    count_before(text, bracket - 1, unit + 1, bytes - 1, bar))
			return true;
		if (count_before(text, bracket - 1, unit, bytes, bar))
			return true;
	}
	return false;
}

/* stable-diffusion.cpp: "  |=====>     | 3/20 - 4.50s/it". */
static bool parse_plain(const char *text, const char *end, struct wan_bar_text *bar)
{
	struct reader reader = {text, end};
	struct number done, total;
	const char *unit;
	size_t bytes;
	skip_spaces(&reader);
	if (!take(&reader, '|'))
		return false;
	while (reader.at < end && (*reader.at == '=' || *reader.at == '>' || *reader.at == ' '))
		reader.at++;
	if (!take_text(&reader, "| ") || !take_share(&reader, &done, &total) ||
	    !take_text(&reader, " - ") || !take_rate(&reader, &unit, &bytes))
		return false;
	set_share(bar, done, total);
	set_unit(bar, "it", 2); /* whatever the rate is told in */
	set_name(bar, text, text);
	return done.value <= total.value;
}

/* A third of a column wide, full, or half: U+2501, U+2578, U+257A. */
static bool take_glyph(struct reader *reader)
{
	return take_text(reader, "\xe2\x94\x81") || take_text(reader, "\xe2\x95\xb8") ||
	       take_text(reader, "\xe2\x95\xba");
}

/* "n/total" or "n/total MB" among the words behind rich's bar; else "NN%". */
static bool take_rich_numbers(struct reader reader, struct wan_bar_text *bar)
{
	struct number done, total;
	bool found = false;
	for (unsigned i = 0; i < TRIES && reader.at < reader.end; i++) {
		skip_spaces(&reader);
		struct reader at = reader;
		if (take_share(&at, &done, &total) && (at.at == at.end || *at.at == ' ')) {
			set_share(bar, done, total);
			bool is_bytes =
				take(&at, ' ') && at.at < at.end && memchr("kKMGTb", *at.at, 6);
			if (is_bytes && *at.at != 'b') { /* "12.3/45.6 MB": as thousandths */
				bar->done = (uint64_t)WAN_MIN(done.value * 1000, AMOUNT_MOST);
				bar->total = (uint64_t)WAN_MIN(total.value * 1000, AMOUNT_MOST);
			}
			bar->amount |= is_bytes;
			set_unit(bar, is_bytes ? "" : "step", is_bytes ? 0 : 4);
			return true;
		}
		at = reader;
		if (!found && take_digits(&at, &done) && !done.dotted && done.value <= PERCENT &&
		    take(&at, '%')) {
			bar->done = (uint64_t)done.value;
			bar->total = PERCENT;
			bar->amount = true;
			set_unit(bar, "%", 1);
			found = true;
		}
		while (reader.at < reader.end && *reader.at != ' ')
			reader.at++;
	}
	return found;
}

static bool parse_rich(const char *text, const char *end, struct wan_bar_text *bar)
{
	struct reader reader = {memchr(text, '\xe2', (size_t)(end - text)), end};
	const char *from = reader.at;
	unsigned glyphs = 0;
	if (!from)
		return false;
	while (take_glyph(&reader))
		glyphs++;
	if (glyphs < RICH_GLYPHS || !take(&reader, ' ') || !take_rich_numbers(reader, bar))
		return false;
	set_name(bar, text, from);
	return true;
}

/* tqdm's bars end with a bracket, unless the terminal was too narrow. */
static bool is_followed(const char *text, size_t bytes)
{
	const char *last = memrchr(text, ']', bytes);
	for (const char *c = last ? last + 1 : text + bytes; c < text + bytes; c++)
		if (*c != ' ')
			return true;
	return false;
}

bool wan_bar_parse(const char *text, size_t bytes, struct wan_bar_text *ret_bar)
{
	const char *end = text + bytes;
	struct wan_bar_text bar = {.elapsed_s = UINT64_MAX};
	bool found = parse_percent(text, end, &bar);
	if (!found) {
		bar = (struct wan_bar_text){.elapsed_s = UINT64_MAX};
		found = parse_unknown_total(text, end, &bar) || parse_plain(text, end, &bar) ||
			parse_rich(text, end, &bar);
	}
	bar.followed = found && is_followed(text, bytes);
	if (found)
		*ret_bar = bar;
	return found;
}

/* Looked for in this order, in lower case. Bars that say nothing of it are the generation itself:
 * that is what one waits for. */
static const struct {
	const char *word;
	enum wan_phase phase;
} words[] = {
	{"loading", WAN_PHASE_MODEL_LOADING},
	{"fetching", WAN_PHASE_MODEL_LOADING},
	{"download", WAN_PHASE_MODEL_LOADING},
	{"shard", WAN_PHASE_MODEL_LOADING},
	{".safetensors", WAN_PHASE_MODEL_LOADING},
	{".gguf", WAN_PHASE_MODEL_LOADING},
	{".bin", WAN_PHASE_MODEL_LOADING},
	{".pth", WAN_PHASE_MODEL_LOADING},
	{".ckpt", WAN_PHASE_MODEL_LOADING},
	{"initiali", WAN_PHASE_INITIALIZATION},
	{"warm", WAN_PHASE_INITIALIZATION},
	{"compil", WAN_PHASE_INITIALIZATION},
	{"decod", WAN_PHASE_POSTPROCESSING},
	{"postprocess", WAN_PHASE_POSTPROCESSING},
	{"upscal", WAN_PHASE_POSTPROCESSING},
	{"interpolat", WAN_PHASE_POSTPROCESSING},
	{"saving", WAN_PHASE_ENCODING},
	{"writing", WAN_PHASE_ENCODING},
	{"export", WAN_PHASE_ENCODING},
	{"encoding video", WAN_PHASE_ENCODING},
	{"frame_index", WAN_PHASE_ENCODING},
	{"muxing", WAN_PHASE_ENCODING},
	{"encod", WAN_PHASE_PREPROCESSING},
	{"preprocess", WAN_PHASE_PREPROCESSING},
	{"tokeniz", WAN_PHASE_PREPROCESSING},
	{"resiz", WAN_PHASE_PREPROCESSING},
};

unsigned wan_bar_phase(const char *name, size_t bytes)
{
	char low[64];
	bytes = WAN_MIN(bytes, sizeof(low) - 1);
	for (size_t i = 0; i < bytes; i++)
		low[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32)
			 : name[i]                        ? name[i]
							  : ' ';
	low[bytes] = '\0';
	for (size_t i = 0; i < WAN_COUNT_OF(words); i++)
		if (strstr(low, words[i].word))
			return words[i].phase;
	return WAN_PHASE_GENERATION;
}
