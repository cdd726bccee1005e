/* SPDX-License-Identifier: MIT */
/* The pairs of wan-startend, and the list file they may come from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "startend.h"

#define LIST_LINES_MAX 1000000

bool startend_add_pair(struct startend_options *options, const char *start, const char *end,
		       const char *name)
{
	size_t count = options->pair_count;
	if ((count & (count + 1)) == 0 || !options->pairs) {
		struct startend_pair *pairs =
			realloc(options->pairs, (2 * count + 2) * sizeof(*pairs));
		if (!pairs)
			return false;
		options->pairs = pairs;
	}
	struct startend_pair *pair = &options->pairs[count];
	*pair = (struct startend_pair){
		.start = strdup(start), .end = end ? strdup(end) : NULL, .name = strdup(name)};
	options->pair_count = count + 1;
	return pair->start && (pair->end || !end) && pair->name;
}

void startend_finish(struct startend_options *options)
{
	for (size_t i = 0; i < options->pair_count; i++) {
		free(options->pairs[i].start);
		free(options->pairs[i].end);
		free(options->pairs[i].name);
	}
	free(options->pairs);
	*options = (struct startend_options){0};
}

static int list_error(const char *path, unsigned line, const char *reason)
{
	startend_say("%s:%u: %s; a line is START<tab>END[<tab>NAME]", path, line, reason);
	return STARTEND_USAGE;
}

static int read_line(const char *path, unsigned number, char *text,
		     struct startend_options *options)
{
	text[strcspn(text, "\r")] = '\0';
	if (*text == '\0' || *text == '#')
		return 0;
	char *rest = text;
	const char *start = strsep(&rest, "\t");
	const char *end = rest ? strsep(&rest, "\t") : NULL;
	const char *name = rest ? strsep(&rest, "\t") : NULL;
	if (!*start)
		return list_error(path, number, "has no start image");
	if (rest)
		return list_error(path, number, "has more than three columns");
	if (name && (!*name || strchr(name, '/') || *name == '.'))
		return list_error(path, number, "has a name that is no plain file name");
	char made[24];
	if (!name) {
		snprintf(made, sizeof(made), "pair-%04zu", options->pair_count + 1);
		name = made;
	}
	if (end && (!*end || strcmp(end, "-") == 0))
		end = NULL;
	if (!startend_add_pair(options, start, end, name)) {
		startend_say("%s: out of memory", path);
		return STARTEND_NO_MEMORY;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct startend_pair *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

/* Two pairs of one name would replace each other's files. */
static int check_names(const char *path, const struct startend_options *options)
{
	const struct startend_pair **sorted = malloc(options->pair_count * sizeof(*sorted));
	if (!sorted) {
		startend_say("%s: out of memory", path);
		return STARTEND_NO_MEMORY;
	}
	int status = 0;
	for (size_t i = 0; i < options->pair_count; i++)
		sorted[i] = &options->pairs[i];
	qsort(sorted, options->pair_count, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < options->pair_count && status == 0; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
			startend_say("%s: two pairs have the name %s; give each a name of its own",
				     path, sorted[i]->name);
			status = STARTEND_USAGE;
		}
	free(sorted);
	return status;
}

/* One line without its end. Length, -1 at the end, -2 when it does not fit. */
static long next_line(FILE *file, char *text, size_t size)
{
	size_t length = 0;
	int byte;
	while ((byte = getc(file)) != EOF && byte != '\n') {
		if (length + 1 >= size)
			return -2;
		text[length++] = (char)byte;
	}
	text[length] = '\0';
	return byte == EOF && length == 0 ? -1 : (long)length;
}

int startend_read_list(const char *path, struct startend_options *options)
{
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		startend_say("%s: is not a regular file", path);
		return STARTEND_MISSING;
	}
	FILE *file = fopen(path, "re");
	if (!file) {
		startend_say("%s: cannot be opened: %s", path, strerror(errno));
		return STARTEND_MISSING;
	}
	char text[3 * 4096];
	int status = 0;
	for (unsigned number = 1; status == 0; number++) {
		long length = next_line(file, text, sizeof(text));
		if (length == -1)
			break;
		if (length < 0)
			status = list_error(path, number, "is too long");
		else if (strlen(text) < (size_t)length)
			status =
				list_error(path, number, "has a byte of value 0, so it is no text");
		else if (number > LIST_LINES_MAX)
			status = list_error(path, number, "is beyond the last line that is read");
		else
			status = read_line(path, number, text, options);
	}
	if (status == 0 && ferror(file)) {
		startend_say("%s: cannot be read: %s", path, strerror(errno));
		status = STARTEND_MISSING;
	}
	fclose(file);
	if (status == 0 && options->pair_count == 0) {
		startend_say("%s: names no pair", path);
		status = STARTEND_USAGE;
	}
	return status ? status : check_names(path, options);
}
