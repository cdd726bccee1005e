/* SPDX-License-Identifier: MIT */
/* Runs as lines of text: see history_runs.h for the form. */
#include "history_runs.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "log.h"
#include "macros.h"
#include "str.h"

#define SECONDS_MOST 1e9 /* thirty years */

/* --- words of a line --- */

/* The next word, with quotes and escapes taken away, into to. 1, 0 (no more), -EBADMSG. */
static int next_word(const char **at, char *to, size_t bytes)
{
	const char *c = *at + strspn(*at, " \t\r");
	size_t used = 0;
	bool quoted = false;
	if (!*c || *c == '#')
		return 0;
	for (; *c && (quoted || !strchr(" \t\r", *c)); c++) {
		unsigned value = (unsigned char)*c;
		if (*c == '"') {
			quoted = !quoted;
			continue;
		}
		if (*c == '\\' && quoted && (c[1] == '"' || c[1] == '\\'))
			value = (unsigned char)*++c;
		else if (*c == '\\' && quoted && c[1] == 'x' && sscanf(c + 2, "%2x", &value) == 1 &&
			 value && c[2] && c[3])
			c += 3;
		if (used + 1 >= bytes)
			return -EBADMSG;
		to[used++] = (char)value;
	}
	to[used] = '\0';
	*at = c;
	return quoted ? -EBADMSG : 1;
}

static bool parse_seconds(const char *text, double *ret)
{
	double value;
	if (wan_parse_double(text, &value) || !(value >= 0 && value <= SECONDS_MOST))
		return false;
	*ret = value;
	return true;
}

static bool parse_count(const char *text, uint64_t *ret)
{
	uint64_t value;
	if (wan_parse_u64(text, &value) || value > 1000000000000u)
		return false;
	*ret = value;
	return true;
}

/* "NAME:SECONDS" or "NAME:SECONDS:STEPS". */
static int parse_phase(struct history_run *run, char *text)
{
	double seconds;
	uint64_t steps = 0;
	char *colon = strchr(text, ':');
	if (!colon || colon == text)
		return -EBADMSG;
	*colon = '\0';
	char *second = strchr(colon + 1, ':');
	if (second)
		*second = '\0';
	if (!parse_seconds(colon + 1, &seconds) || (second && !parse_count(second + 1, &steps)))
		return -EBADMSG;
	return history_add_phase(run, text, seconds, steps);
}

static int parse_share(struct history_run *run, char *text)
{
	double share;
	char *colon = strchr(text, ':');
	if (!colon || colon == text || !parse_seconds(colon + 1, &share))
		return -EBADMSG;
	*colon = '\0';
	for (size_t i = 0; i < run->phase_count; i++)
		if (strcmp(run->phases[i].name, text) == 0) {
			run->phases[i].share = share;
			return 0;
		}
	int rc = history_add_phase(run, text, NAN, 0);
	if (rc == 0)
		run->phases[run->phase_count - 1].share = share;
	return rc;
}

/* "NAME@HH:MM:SS": what matters is how long they span; they come in order and may pass midnight. */
static int parse_stamp(struct history_run *run, const char *text)
{
	unsigned hours, minutes, seconds;
	const char *at = strchr(text, '@');
	if (!at || sscanf(at + 1, "%2u:%2u:%2u", &hours, &minutes, &seconds) != 3 || hours > 23 ||
	    minutes > 59 || seconds > 60)
		return -EBADMSG;
	double now = hours * 3600.0 + minutes * 60.0 + seconds;
	if (isnan(run->first_stamp_s))
		run->first_stamp_s = now;
	double span = now - run->first_stamp_s;
	run->span_s = fmax(isnan(run->span_s) ? 0 : run->span_s, span < 0 ? span + 86400 : span);
	return 0;
}

static int parse_status(struct history_run *run, const char *text)
{
	static const char *const names[] = {"ok", "failed", "unknown", "unfinished"};
	static const int values[] = {1, 0, -1, -1};
	for (unsigned i = 0; i < WAN_COUNT_OF(names); i++)
		if (strcmp(text, names[i]) == 0) {
			run->succeeded = values[i];
			run->unfinished = i == 3;
			return 0;
		}
	return -EBADMSG;
}

int history_parse_date(const char *text, uint64_t *ret_realtime_ns)
{
	struct tm tm = {0};
	int used = 0, more = 0;
	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3)
		return -EBADMSG;
	if (text[used] == 'T' || text[used] == ' ') {
		if (sscanf(text + used + 1, "%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &more) != 2)
			return -EBADMSG;
		used += 1 + more;
		if (text[used] == ':') {
			if (sscanf(text + used + 1, "%2d%n", &tm.tm_sec, &more) != 1)
				return -EBADMSG;
			used += 1 + more;
		}
	}
	if ((text[used] == 'Z' && text[used + 1]) || (text[used] && text[used] != 'Z') ||
	    tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EBADMSG;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_realtime_ns = (uint64_t)timegm(&tm) * 1000000000u;
	return 0;
}

/* --- one line --- */

struct text_key {
	const char *name;
	size_t offset;
};
#define TEXT_KEY(name_)                                                                            \
	{                                                                                          \
#name_, offsetof(struct history_run, name_)                                        \
	}
static const struct text_key text_keys[] = {
	TEXT_KEY(key),  TEXT_KEY(label),   TEXT_KEY(file),    TEXT_KEY(machine),
	TEXT_KEY(tier), TEXT_KEY(unclean), TEXT_KEY(verdict),
};
static const struct {
	const char *name;
	size_t offset;
} number_keys[] =
	{
		{"total", offsetof(struct history_run, total_s)},
		{"estimate", offsetof(struct history_run, estimate_s)},
		{"s_per_step", offsetof(struct history_run, s_per_step)},
		{"output_mb", offsetof(struct history_run, output_mb)},
		{"read_mb", offsetof(struct history_run, read_mb)},
		{"span", offsetof(struct history_run, span_s)},
},
  count_keys[] = {
	  {"steps", offsetof(struct history_run, steps)},
	  {"items", offsetof(struct history_run, items)},
	  {"at", offsetof(struct history_run, started_ns)},
};

static int set_value(struct history_run *run, const char *name, char *value)
{
	for (size_t i = 0; i < WAN_COUNT_OF(text_keys); i++)
		if (strcmp(name, text_keys[i].name) == 0)
			return history_set_text((char **)((char *)run + text_keys[i].offset),
						value);
	for (size_t i = 0; i < WAN_COUNT_OF(number_keys); i++)
		if (strcmp(name, number_keys[i].name) == 0)
			return parse_seconds(value, (double *)((char *)run + number_keys[i].offset))
				       ? 0
				       : -EBADMSG;
	for (size_t i = 0; i < WAN_COUNT_OF(count_keys); i++)
		if (strcmp(name, count_keys[i].name) == 0) {
			uint64_t *to = (uint64_t *)((char *)run + count_keys[i].offset);
			bool time = to == &run->started_ns;
			return (time ? wan_parse_u64(value, to) == 0 : parse_count(value, to))
				       ? 0
				       : -EBADMSG;
		}
	if (strcmp(name, "date") == 0)
		return history_parse_date(value, &run->started_ns);
	if (strcmp(name, "status") == 0)
		return parse_status(run, value);
	if (strcmp(name, "phase") == 0)
		return parse_phase(run, value);
	if (strcmp(name, "share") == 0)
		return parse_share(run, value);
	if (strcmp(name, "stamp") == 0)
		return parse_stamp(run, value);
	return -ENOENT;
}

static int parse_values(struct history_run *run, const char *at, char *word, char *reason,
			size_t bytes)
{
	int rc;
	while ((rc = next_word(&at, word, HISTORY_LINE_MOST)) == 1) {
		char *equals = strchr(word, '=');
		if (!equals) {
			wan_str_format(reason, bytes, "\"%.60s\" is no KEY=VALUE", word);
			return -EBADMSG;
		}
		*equals = '\0';
		rc = set_value(run, word, equals + 1);
		if (rc == -ENOMEM)
			return rc;
		if (rc) {
			wan_str_format(reason, bytes,
				       rc == -ENOENT  ? "there is no key \"%.60s\""
				       : rc == -E2BIG ? "too many phases at \"%.60s\""
						      : "the value of \"%.60s\" is not one",
				       word);
			return -EBADMSG;
		}
	}
	if (rc < 0)
		wan_str_format(reason, bytes, "a quote is not closed");
	return rc;
}

static int add_declared(struct history_runs *runs, struct history_run *run)
{
	int rc = wan_array_reserve(&runs->declared, &runs->declared_capacity,
				   runs->declared_count + 1, sizeof(*runs->declared));
	if (rc)
		history_run_finish(run);
	else
		runs->declared[runs->declared_count++] = *run;
	return rc;
}

int history_parse_line(struct history_runs *runs, const char *line, char *reason, size_t bytes)
{
	const char *at = line;
	struct history_run run;
	if (strlen(line) >= HISTORY_LINE_MOST) {
		wan_str_format(reason, bytes, "the line is longer than %u bytes",
			       HISTORY_LINE_MOST);
		return -EBADMSG;
	}
	char *word = wan_malloc(HISTORY_LINE_MOST);
	if (!word)
		return -ENOMEM;
	history_run_init(&run);
	int rc = next_word(&at, word, HISTORY_LINE_MOST);
	bool declares = rc == 1 && strcmp(word, "job") == 0;
	bool wanted = declares || (rc == 1 && strcmp(word, "run") == 0);
	if (rc == 1 && !wanted) {
		wan_str_format(reason, bytes, "\"%.60s\" is neither run nor job", word);
		rc = -EBADMSG;
	} else if (rc == 1) {
		rc = next_word(&at, word, HISTORY_LINE_MOST);
		if (rc != 1 || !word[0]) {
			wan_str_format(reason, bytes, "the name of the job is missing");
			rc = -EBADMSG;
		}
		if (rc == 1)
			rc = history_set_text(&run.job, word);
		if (rc == 0)
			rc = parse_values(&run, at, word, reason, bytes);
		if (rc == 0 && !declares && !run.unfinished && isnan(run.total_s)) {
			wan_str_format(reason, bytes, "a run needs total=SECONDS");
			rc = -EBADMSG;
		}
		if (rc == 0) {
			wan_free(word);
			return declares ? add_declared(runs, &run) : history_runs_add(runs, &run);
		}
	} else if (rc < 0) {
		wan_str_format(reason, bytes, "a quote is not closed");
	}
	wan_free(word);
	history_run_finish(&run);
	return rc;
}

int history_parse_list(struct history_runs *runs, const char *name, const char *text, size_t bytes,
		       struct wan_error *reterr_error)
{
	char reason[160] = "", object[256];
	size_t number = 0;
	char *line = wan_malloc(HISTORY_LINE_MOST + 1);
	int rc = line ? 0 : -ENOMEM;
	bool begun = false;
	for (size_t at = 0, length; rc == 0 && at < bytes; at += length + 1) {
		const char *end = memchr(text + at, '\n', bytes - at);
		length = end ? (size_t)(end - (text + at)) : bytes - at;
		size_t kept = WAN_MIN(length, (size_t)HISTORY_LINE_MOST);
		memcpy(line, text + at, kept);
		line[kept] = '\0';
		number++;
		if (kept && line[kept - 1] == '\r')
			line[--kept] = '\0';
		if (strlen(line) != kept) {
			wan_str_copy(reason, sizeof(reason), "a byte of value 0 is in it");
			rc = -EBADMSG;
		} else if (begun) {
			rc = history_parse_line(runs, line, reason, sizeof(reason));
		} else if (strcmp(line, HISTORY_MAGIC) == 0) {
			begun = true;
		} else {
			bool ours = wan_str_starts(line, "wanrt-runs ");
			wan_str_copy(reason, sizeof(reason),
				     ours ? "made by a newer version"
					  : "not a list of runs: it does not begin with "
					    "\"" HISTORY_MAGIC "\"");
			rc = ours ? -ENOTSUP : -EBADMSG;
		}
	}
	if (rc == 0 && !begun) {
		wan_str_copy(reason, sizeof(reason), "is empty");
		rc = -EBADMSG;
	}
	wan_free(line);
	if (!rc)
		return 0;
	wan_str_format(object, sizeof(object), "%.200s, line %zu", name, number);
	return wan_error_set(reterr_error, rc, object, "see LISTS OF RUNS in wanprof-history(1)",
			     "%s", rc == -ENOMEM ? "out of memory" : reason);
}

/* --- writing --- */

struct writer {
	char *text;
	size_t used;
	bool full;
};

static void put(struct writer *to, const char *text, size_t bytes)
{
	if (to->used + bytes + 1 >= HISTORY_LINE_MOST) {
		to->full = true;
		return;
	}
	memcpy(to->text + to->used, text, bytes);
	to->used += bytes;
	to->text[to->used] = '\0';
}

/* At most as much of a value as leaves room for the others. */
static void put_value(struct writer *to, const char *value)
{
	char escape[8];
	put(to, "\"", 1);
	for (size_t i = 0; value[i] && i < 1024; i++) {
		unsigned char c = (unsigned char)value[i];
		if (c == '"' || c == '\\')
			put(to, c == '"' ? "\\\"" : "\\\\", 2);
		else if (c < 0x20 || c == 0x7f)
			put(to, escape, wan_str_format(escape, sizeof(escape), "\\x%02x", c));
		else
			put(to, value + i, 1);
	}
	put(to, "\"", 1);
}

static void put_text(struct writer *to, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	put(to, " ", 1);
	put(to, name, strlen(name));
	put(to, "=", 1);
	put_value(to, value);
}

/* The decimal point whatever the locale: wanprof sets none. */
static void put_number(struct writer *to, const char *name, double value)
{
	char text[64];
	if (!isnan(value))
		put(to, text, wan_str_format(text, sizeof(text), " %s=%.9g", name, value));
}

static void put_count(struct writer *to, const char *name, uint64_t value)
{
	char text[64];
	if (value)
		put(to, text, wan_str_format(text, sizeof(text), " %s=%" PRIu64, name, value));
}

static void put_phase(struct writer *to, const struct history_phase *phase)
{
	char name[128], value[192];
	wan_str_copy(name, sizeof(name), phase->name);
	for (char *c = name; *c; c++)
		*c = *c == ':' ? '.' : *c; /* a colon ends the name */
	if (!isnan(phase->seconds)) {
		size_t used = wan_str_format(value, sizeof(value), "%s:%.9g", name, phase->seconds);
		if (phase->steps)
			wan_str_format(value + used, sizeof(value) - used, ":%" PRIu64,
				       phase->steps);
		put_text(to, "phase", value);
	}
	if (!isnan(phase->share)) {
		wan_str_format(value, sizeof(value), "%s:%.9g", name, phase->share);
		put_text(to, "share", value);
	}
}

char *history_format_line(const struct history_run *run, bool declared)
{
	struct writer to = {.text = wan_malloc(HISTORY_LINE_MOST)};
	if (!to.text)
		return NULL;
	put(&to, declared ? "job " : "run ", 4);
	put_value(&to, run->job);
	for (size_t i = 0; i < WAN_COUNT_OF(number_keys); i++)
		put_number(&to, number_keys[i].name,
			   *(const double *)((const char *)run + number_keys[i].offset));
	for (size_t i = 0; i < WAN_COUNT_OF(count_keys); i++)
		put_count(&to, count_keys[i].name,
			  *(const uint64_t *)((const char *)run + count_keys[i].offset));
	if (!declared)
		put_text(&to, "status",
			 run->succeeded > 0    ? "ok"
			 : run->succeeded == 0 ? "failed"
			 : run->unfinished     ? "unfinished"
					       : "unknown");
	for (size_t i = 0; i < WAN_COUNT_OF(text_keys); i++)
		put_text(&to, text_keys[i].name,
			 *(char *const *)((const char *)run + text_keys[i].offset));
	for (size_t i = 0; i < run->phase_count; i++) {
		size_t before = to.used;
		put_phase(&to, &run->phases[i]);
		if (to.full) { /* the phases that do not fit are dropped whole */
			to.text[before] = '\0';
			break;
		}
	}
	return to.text;
}
