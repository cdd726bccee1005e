/* SPDX-License-Identifier: MIT */
/*
 * The text of targets: a line each, words between blanks, '#' begins a comment.
 *
 *	[tier=high-end group=clip-720p*]	the lines below are for such runs; [] for all
 *	operation jpeg.* time_ms < 300 hard
 *	run       *      cpu_percent 70..85
 */
#include "targets_parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "json_input.h"
#include "log.h"
#include "macros.h"
#include "str.h"

enum { WORDS_MAX = 8, LINE_BYTES = 1024 };

struct parsing {
	struct targets *targets;
	const char *name; /* of the text */
	struct wan_error *error;
	unsigned line, file;
	size_t first; /* of this text */
	char filters[TARGET_FILTERS][TARGET_TEXT_BYTES];
};

static int refuse(struct parsing *parsing, int code, const char *hint, const char *reason)
{
	char object[256];
	wan_str_format(object, sizeof(object), "%s, line %u", parsing->name, parsing->line);
	return wan_error_set(parsing->error, code, object, hint, "%s", reason);
}

static int refuse_word(struct parsing *parsing, const char *what, const char *word,
		       const char *const *names, size_t count)
{
	char reason[200], hint[200] = "see TARGETS in wanprof-gate(1)";
	const char *nearest = names ? wan_str_nearest(word, names, count) : NULL;
	wan_str_format(reason, sizeof(reason), "\"%s\" is no %s", word, what);
	if (nearest)
		wan_str_format(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	return refuse(parsing, -EBADMSG, hint, reason);
}

static int subject_of(struct parsing *parsing, const char *word, enum target_subject *ret_subject)
{
	const char *names[TARGET_ALL + 1];
	for (int i = 0; i <= TARGET_ALL; i++) {
		names[i] = target_subject_name(i);
		if (strcmp(names[i], word) == 0) {
			*ret_subject = i;
			return 0;
		}
	}
	return refuse_word(parsing, "subject (operation, concurrent, batch, phase, run, all)", word,
			   names, WAN_COUNT_OF(names));
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

static int metric_of(struct parsing *parsing, const char *word, struct target *target)
{
	static const char *const subjects[] = {
#define TARGET_METRIC(name, subjects, unit, what) subjects,
#include "target_metrics.def"
#undef TARGET_METRIC
	};
	const char *names[TARGET_METRICS];
	for (int i = 0; i < TARGET_METRICS; i++) {
		names[i] = target_metric_name(i);
		if (strcmp(names[i], word) != 0)
			continue;
		target->metric = i;
		if (has_word(subjects[i], target_subject_name(target->subject)))
			return 0;
		char reason[200];
		wan_str_format(reason, sizeof(reason), "%s is a figure of: %s; not of %s", word,
			       subjects[i], target_subject_name(target->subject));
		return refuse(parsing, -EBADMSG, "see TARGETS in wanprof-gate(1)", reason);
	}
	return refuse_word(parsing, "figure", word, names, WAN_COUNT_OF(names));
}

static int number_of(struct parsing *parsing, const char *word, double *ret_number)
{
	if (wan_parse_double(word, ret_number) || !isfinite(*ret_number))
		return refuse_word(parsing, "number", word, NULL, 0);
	return 0;
}

/* "70..85": both ends meet. */
static int range_of(struct parsing *parsing, char *word, struct target *target)
{
	char *dots = strstr(word, "..");
	if (!dots)
		return refuse_word(parsing, "condition (< N, <= N, > N, >= N, N..N, any)", word,
				   NULL, 0);
	*dots = '\0';
	int rc = number_of(parsing, word, &target->low);
	return rc ? rc : number_of(parsing, dots + 2, &target->high);
}

/* The words of a condition; *ret_used: how many there were. */
static int condition_of(struct parsing *parsing, char **words, size_t count, struct target *target,
			size_t *ret_used)
{
	const char *sign = words[0];
	target->low = -INFINITY;
	target->high = INFINITY;
	*ret_used = 1;
	if (strcmp(sign, "any") == 0)
		return 0;
	if (sign[0] != '<' && sign[0] != '>')
		return range_of(parsing, words[0], target);
	if ((sign[1] && strcmp(sign + 1, "=") != 0) || count < 2)
		return refuse(parsing, -EBADMSG, "write it as \"< 2000\", with a blank between",
			      "a number is missing after the sign");
	*ret_used = 2;
	bool open = !sign[1];
	if (sign[0] == '<')
		target->high_open = open;
	else
		target->low_open = open;
	return number_of(parsing, words[1], sign[0] == '<' ? &target->high : &target->low);
}

static bool same_key(const struct target *a, const struct target *b)
{
	return a->subject == b->subject && a->metric == b->metric &&
	       strcmp(a->name, b->name) == 0 &&
	       memcmp(a->filters, b->filters, sizeof(a->filters)) == 0;
}

static bool same_limits(const struct target *a, const struct target *b)
{
	return a->low >= b->low && a->low <= b->low && a->high >= b->high && a->high <= b->high &&
	       a->low_open == b->low_open && a->high_open == b->high_open;
}

/* Does a allow what b refuses? */
static bool weaker(const struct target *a, const struct target *b)
{
	return a->high > b->high || a->low < b->low;
}

static int check_against(struct parsing *parsing, const struct target *added,
			 const struct target *other)
{
	char reason[200];
	if (same_limits(added, other) && added->hard == other->hard)
		return 0;
	const struct target *hard = added->hard ? added : other;
	const struct target *soft = added->hard ? other : added;
	if (added->hard != other->hard && weaker(hard, soft))
		wan_str_format(reason, sizeof(reason),
			       "contradicts line %u: the hard target is weaker than the soft one",
			       other->line);
	else
		wan_str_format(reason, sizeof(reason),
			       "contradicts line %u, which gives the same target another value",
			       other->line);
	return refuse(parsing, -EINVAL, "keep one of the two lines", reason);
}

static int check(struct parsing *parsing, const struct target *target)
{
	if (target->low > target->high ||
	    (target->low >= target->high && (target->low_open || target->high_open)))
		return refuse(parsing, -EINVAL, "write the smaller number first",
			      "the least value is above the greatest");
	if (target->subject == TARGET_ALL &&
	    (strcmp(target->name, "*") != 0 || target->high < INFINITY ||
	     target->low == -INFINITY || target->hard))
		return refuse(parsing, -EBADMSG, "write \"all * success_percent >= 80\"",
			      "a rate has the name * and a least value");
	for (size_t i = parsing->first; i < parsing->targets->count; i++) {
		const struct target *other = &parsing->targets->items[i];
		int rc = same_key(target, other) ? check_against(parsing, target, other) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int add(struct parsing *parsing, const struct target *target)
{
	struct targets *targets = parsing->targets;
	if (targets->count == TARGETS_MAX)
		return refuse(parsing, -EFBIG, "use globs in the names", "more than 4096 targets");
	if (wan_array_reserve(&targets->items, &targets->capacity, targets->count + 1,
			      sizeof(*target)))
		return refuse(parsing, -ENOMEM, "", "memory ran out");
	targets->items[targets->count++] = *target;
	return 0;
}

/* subject name figure condition [hard] */
static int target_of(struct parsing *parsing, char **words, size_t count)
{
	struct target target = {.line = parsing->line, .file = parsing->file};
	size_t used;
	if (count < 4)
		return refuse(parsing, -EBADMSG,
			      "write \"operation jpeg.* time_ms < 300\"; see TARGETS in "
			      "wanprof-gate(1)",
			      "words are missing: SUBJECT NAME FIGURE CONDITION");
	int rc = subject_of(parsing, words[0], &target.subject);
	if (!rc && !wan_str_copy(target.name, sizeof(target.name), words[1]))
		rc = refuse(parsing, -EBADMSG, "use a glob", "the name is too long");
	if (!rc)
		rc = metric_of(parsing, words[2], &target);
	if (!rc)
		rc = condition_of(parsing, words + 3, count - 3, &target, &used);
	if (rc)
		return rc;
	if (count > 3 + used) {
		target.hard = strcmp(words[3 + used], "hard") == 0;
		if (!target.hard || count > 4 + used)
			return refuse_word(parsing, "part of a target; only \"hard\" may follow",
					   words[3 + used + target.hard], NULL, 0);
	}
	memcpy(target.filters, parsing->filters, sizeof(target.filters));
	rc = check(parsing, &target);
	return rc ? rc : add(parsing, &target);
}

/* [tier=high-end group=clip-*] */
static int section_of(struct parsing *parsing, char *line)
{
	char *end = strchr(line, ']');
	if (!end || end[1 + strspn(end + 1, " \t\r")])
		return refuse(parsing, -EBADMSG, "write \"[tier=high-end]\"",
			      "a line that begins with [ ends with ]");
	*end = '\0';
	memset(parsing->filters, 0, sizeof(parsing->filters));
	for (char *next = line + 1, *word; (word = strsep(&next, " \t"));) {
		char *equals = strchr(word, '=');
		if (!word[0])
			continue;
		if (equals)
			*equals = '\0';
		int filter = target_filter_find(word);
		if (!equals || !equals[1] || filter < 0)
			return refuse_word(parsing, "filter (tier=, group=, cpu=, gpu=, ram_gb=)",
					   word, NULL, 0);
		/* Blanks separate, so '_' stands for one: "gpu=*RTX_4080*" */
		for (char *at = equals + 1; *at; at++)
			*at = *at == '_' && filter != TARGET_FILTER_GROUP ? '?' : *at;
		if (!wan_str_copy(parsing->filters[filter], TARGET_TEXT_BYTES, equals + 1))
			return refuse(parsing, -EBADMSG, "use a glob", "the filter is too long");
	}
	return 0;
}

static int line_of(struct parsing *parsing, const char *from, size_t bytes)
{
	char line[LINE_BYTES], *words[WORDS_MAX + 1];
	size_t count = 0;
	if (bytes >= sizeof(line))
		return refuse(parsing, -EBADMSG, "a target is a short line",
			      "the line is longer than 1023 bytes");
	memcpy(line, from, bytes);
	line[bytes] = '\0';
	if (strlen(line) != bytes)
		return refuse(parsing, -EBADMSG, "name a text file", "it has a NUL: not a text");
	line[strcspn(line, "#")] = '\0';
	char *start = line + strspn(line, " \t\r");
	if (start[0] == '[')
		return section_of(parsing, start);
	for (char *next = start, *word; (word = strsep(&next, " \t\r"));)
		if (word[0] && count <= WORDS_MAX)
			words[count++] = word;
	return count ? target_of(parsing, words, WAN_MIN(count, (size_t)WORDS_MAX)) : 0;
}

int targets_parse(struct targets *targets, const char *name, const char *text, size_t bytes,
		  struct wan_error *reterr_error)
{
	struct parsing parsing = {
		.targets = targets,
		.name = name,
		.error = reterr_error,
		.file = targets->files,
		.first = targets->count,
	};
	int rc = 0;
	if (bytes > TARGETS_BYTES_MAX)
		return wan_error_set(reterr_error, -EFBIG, name, "name a file of targets",
				     "larger than 1 MiB");
	for (const char *at = text, *end = text + bytes; at < end && !rc;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		parsing.line++;
		rc = line_of(&parsing, at, (size_t)(stop - at));
		at = stop + 1;
	}
	if (rc)
		targets->count = parsing.first;
	else
		targets->files++;
	return rc;
}

int targets_load(struct targets *targets, const char *path, struct wan_error *reterr_error)
{
	wan_cleanup(wan_freep) char *text = NULL;
	size_t bytes;
	char shipped[4096];
	const char *folder = getenv("WANPROF_TARGETS");
	int rc = json_input_text(path, &text, &bytes, reterr_error);
	if (rc == -ENOENT && !strchr(path, '/')) {
		wan_str_format(shipped, sizeof(shipped), "%s/%s.targets",
			       folder ? folder : WANPROF_TARGETS_FOLDER, path);
		rc = json_input_text(shipped, &text, &bytes, NULL);
	}
	if (rc == -ENOENT)
		return wan_error_set(reterr_error, rc, path,
				     "name a file, or a shipped list: tiers, variants, "
				     "installation, allocation, generation",
				     "no such file of targets");
	if (rc == -ENODATA)
		return wan_error_set(reterr_error, rc, path,
				     "write a target a line; see TARGETS "
				     "in wanprof-gate(1)",
				     "no targets: it is empty");
	return rc ? rc : targets_parse(targets, path, text, bytes, reterr_error);
}
