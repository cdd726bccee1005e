/* SPDX-License-Identifier: MIT */
/* Command line and list file of wan-startend. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "startend.h"

#define LIST_LINES_MAX 1000000

static const char help_text[] =
	"Usage: wan-startend --start A [--end B] --size WxH -o DIR [options]\n"
	"       wan-startend --list PAIRS.tsv --size WxH -o DIR [options]\n"
	"\n"
	"Validates the start and end image of a WAN clip and their pair, makes thumbnails, fits "
	"them\n"
	"to the size and writes what a WAN pipeline consumes: fitted PNG and float32 tensor "
	"(.npy).\n"
	"\n"
	"  --start FILE       first image (PNG or JPEG)\n"
	"  --end FILE         last image; optional\n"
	"  --list FILE        many pairs: START<tab>END[<tab>NAME] a line; END may be -\n"
	"  --size WxH         size of the clip, multiples of 16 (832x480, 1280x720, ...)\n"
	"  -o, --output DIR   where to write; made when missing\n"
	"  --fit HOW          cover (default), stretch, contain\n"
	"  --filter NAME      lanczos (default), bicubic, bilinear\n"
	"  --thumbnail PX     longest side of the thumbnails, default 256\n"
	"  --json FILE        profile of this run as JSON, - for standard output\n"
	"  --strict           exit 1 when there are warnings\n"
	"  --force            replace files that exist\n"
	"  -q, --quiet        only errors\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, 1 warnings under --strict, 64 usage, 65 bad image, 66 missing,\n"
	"73 cannot write, 75 no memory, 128 + N interrupted by signal N.\n";

enum {
	OPT_START = 256,
	OPT_END,
	OPT_LIST,
	OPT_SIZE,
	OPT_FIT,
	OPT_FILTER,
	OPT_THUMBNAIL,
	OPT_JSON,
	OPT_STRICT,
	OPT_FORCE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"start", required_argument, NULL, OPT_START},
	{"end", required_argument, NULL, OPT_END},
	{"list", required_argument, NULL, OPT_LIST},
	{"size", required_argument, NULL, OPT_SIZE},
	{"output", required_argument, NULL, 'o'},
	{"fit", required_argument, NULL, OPT_FIT},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"thumbnail", required_argument, NULL, OPT_THUMBNAIL},
	{"json", required_argument, NULL, OPT_JSON},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"force", no_argument, NULL, OPT_FORCE},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int usage(const char *object, const char *reason)
{
	startend_say("%s: %s; see wan-startend --help", object, reason);
	return STARTEND_USAGE + 1;
}

static bool parse_number(const char *text, char stop, uint32_t low, uint32_t high, uint32_t *ret,
			 const char **ret_rest)
{
	char *rest;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &rest, 10);
	if (errno || value < low || value > high || *rest != stop)
		return false;
	*ret = (uint32_t)value;
	if (ret_rest)
		*ret_rest = rest + 1;
	return true;
}

static bool parse_size(const char *text, struct startend_options *options)
{
	const char *rest;
	return parse_number(text, 'x', 16, 16384, &options->width_px, &rest) &&
	       parse_number(rest, '\0', 16, 16384, &options->height_px, NULL);
}

static bool parse_choice(const char *text, const char *const *names, size_t count, unsigned *ret)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (unsigned)i;
			return true;
		}
	return false;
}

/* The option whose name shares the longest beginning with what was written. */
static const char *nearest_option(const char *text)
{
	const char *best = NULL;
	size_t best_length = 0;
	for (const struct option *option = long_options; option->name; option++) {
		size_t length = 0;
		while (text[length] && option->name[length] == text[length])
			length++;
		if (length > best_length) {
			best_length = length;
			best = option->name;
		}
	}
	return best;
}

static bool add_pair(struct startend_options *options, const char *start, const char *end,
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
	if (!add_pair(options, start, end, name)) {
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

struct raw_options {
	const char *start, *end, *list;
	bool has_size;
};

static int take_option(int code, struct startend_options *options, struct raw_options *raw)
{
	static const char *const fits[] = {"stretch", "cover", "contain"};
	static const char *const filters[] = {"lanczos", "bicubic", "bilinear"};
	unsigned choice;
	switch (code) {
	case OPT_START:
		raw->start = optarg;
		return 0;
	case OPT_END:
		raw->end = optarg;
		return 0;
	case OPT_LIST:
		raw->list = optarg;
		return 0;
	case OPT_SIZE:
		raw->has_size = true;
		return parse_size(optarg, options)
			       ? 0
			       : usage(optarg,
				       "is no size; write WIDTHxHEIGHT, for example 832x480");
	case 'o':
		options->folder = optarg;
		return 0;
	case OPT_FIT:
		if (!parse_choice(optarg, fits, 3, &choice))
			return usage(optarg, "is no way to fit; use cover, stretch or contain");
		options->fit = (enum wan_fit)choice;
		return 0;
	case OPT_FILTER:
		if (!parse_choice(optarg, filters, 3, &choice))
			return usage(optarg, "is no filter; use lanczos, bicubic or bilinear");
		options->filter = (enum wan_filter)choice;
		return 0;
	case OPT_THUMBNAIL:
		return parse_number(optarg, '\0', 16, 4096, &options->thumbnail_px, NULL)
			       ? 0
			       : usage(optarg, "is no thumbnail size of 16 to 4096 pixels");
	case OPT_JSON:
		options->json_path = optarg;
		return 0;
	case OPT_STRICT:
		options->strict = true;
		return 0;
	case OPT_FORCE:
		options->force = true;
		return 0;
	default:
		options->quiet = true;
		return 0;
	}
}

/* What getopt_long() did not take: code ':' or '?', and optopt. */
static int bad_option(int code, char **argv)
{
	const char *text = argv[optind > 0 ? optind - 1 : 0];
	char letter[3] = {'-', (char)optopt, '\0'};
	if (optopt > 0 && optopt < OPT_START && strncmp(text, "--", 2) != 0)
		text = letter; /* it may stand in the middle of several */
	if (code == ':')
		return usage(text, "needs an argument");
	if (optopt >= OPT_START || (optopt > 0 && strncmp(text, "--", 2) == 0))
		return usage(text, "takes no value");
	const char *near = strncmp(text, "--", 2) == 0 ? nearest_option(text + 2) : NULL;
	char reason[96];
	if (near)
		snprintf(reason, sizeof(reason), "is no usable option; did you mean --%s?", near);
	else
		snprintf(reason, sizeof(reason), "is no usable option");
	return usage(text, reason);
}

int startend_parse(int argc, char **argv, struct startend_options *ret_options)
{
	struct raw_options raw = {0};
	*ret_options = (struct startend_options){
		.thumbnail_px = 256, .fit = WAN_FIT_COVER, .filter = WAN_FILTER_LANCZOS};
	opterr = 0;
	for (int code; (code = getopt_long(argc, argv, ":o:q", long_options, NULL)) != -1;) {
		if (code == OPT_HELP) {
			fputs(help_text, stdout);
			return 1;
		}
		if (code == OPT_VERSION) {
			printf("wan-startend %s\n", wan_version());
			return 1;
		}
		int ended = code == '?' || code == ':' ? bad_option(code, argv)
						       : take_option(code, ret_options, &raw);
		if (ended)
			return ended;
	}
	if (optind < argc)
		return usage(argv[optind],
			     "is not expected here; images are given by --start and --end");
	if (!raw.start == !raw.list)
		return usage("arguments", raw.start ? "give --start or --list, not both"
						    : "give --start FILE or --list FILE");
	if (raw.list && raw.end)
		return usage("--end", "belongs to --start; a list names its own end images");
	if (!raw.has_size)
		return usage("arguments", "give --size WIDTHxHEIGHT");
	if (ret_options->width_px % 16 || ret_options->height_px % 16)
		return usage("--size",
			     "must be multiples of 16: WAN pipelines reject or cut others "
			     "(832x480 and 1280x720 are fine, 854x480 is not)");
	if (!ret_options->folder || !*ret_options->folder)
		return usage("arguments", "give -o DIR, where the results go");
	/* Nothing but the document goes to standard output then. */
	if (ret_options->json_path && strcmp(ret_options->json_path, "-") == 0)
		ret_options->quiet = true;
	if (raw.list) {
		int status = startend_read_list(raw.list, ret_options);
		return status ? status + 1 : 0;
	}
	return add_pair(ret_options, raw.start, raw.end, "") ? 0 : STARTEND_NO_MEMORY + 1;
}
