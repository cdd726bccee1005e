/* SPDX-License-Identifier: MIT */
/*
 * Command line of wan-startend: one table of options, from which parsing and help come. A new
 * option is a row, its function, and a line in the manual.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "startend.h"

#define WORDS_MAX 2 /* images given without an option */

struct parse {
	struct startend_options *options;
	const char *start, *end, *list;
	const char *words[WORDS_MAX];
	int word_count;
	bool has_size, has_fit, has_filter, convert;
};

static int usage(const char *object, const char *reason)
{
	startend_say("%s: %s; see wan-startend --help", object, reason);
	return STARTEND_USAGE + 1;
}

static int take_start(struct parse *parse, const char *value)
{
	parse->start = value;
	return 0;
}

static int take_end(struct parse *parse, const char *value)
{
	parse->end = value;
	return 0;
}

static int take_list(struct parse *parse, const char *value)
{
	parse->list = value;
	return 0;
}

static int take_size(struct parse *parse, const char *value)
{
	struct startend_options *options = parse->options;
	parse->has_size = true;
	return startend_parse_size(value, &options->width_px, &options->height_px)
		       ? 0
		       : usage(value, "is no size; write WIDTHxHEIGHT, for example 832x480");
}

static int take_output(struct parse *parse, const char *value)
{
	parse->options->folder = value;
	return *value ? 0 : usage("arguments", "give -o DIR, where the results go");
}

static int take_pipeline(struct parse *parse, const char *value)
{
	if (wan_pipeline_find(value, &parse->options->pipeline) < 0)
		return usage(value, "is no pipeline; wan-startend --list-pipelines names them");
	parse->options->has_pipeline = true;
	return 0;
}

static int take_explain(struct parse *parse, const char *value)
{
	(void)value;
	parse->options->explain = true;
	return 0;
}

static int take_frames(struct parse *parse, const char *value)
{
	return startend_parse_number(value, 1, 100000, &parse->options->frames)
		       ? 0
		       : usage(value, "is no number of frames of 1 to 100000");
}

static int take_fit(struct parse *parse, const char *value)
{
	static const char *const fits[] = {"stretch", "cover", "contain"};
	unsigned choice;
	if (!startend_parse_choice(value, fits, 3, &choice))
		return usage(value, "is no way to fit; use cover, stretch or contain");
	parse->options->fit = (enum wan_fit)choice;
	parse->has_fit = true;
	return 0;
}

static int take_filter(struct parse *parse, const char *value)
{
	static const char *const filters[] = {"lanczos", "bicubic", "bilinear"};
	unsigned choice;
	if (!startend_parse_choice(value, filters, 3, &choice))
		return usage(value, "is no filter; use lanczos, bicubic or bilinear");
	parse->options->filter = (enum wan_filter)choice;
	parse->has_filter = true;
	return 0;
}

static int take_alpha(struct parse *parse, const char *value)
{
	if (!startend_parse_alpha(value, &parse->options->alpha))
		return usage(value, "is no way to treat alpha; use drop, white, black, #rrggbb, "
				    "keep or refuse");
	parse->options->has_alpha = true;
	return 0;
}

static int take_exif(struct parse *parse, const char *value)
{
	static const char *const ways[] = {"as-pipeline", "apply", "ignore"};
	unsigned choice;
	if (!startend_parse_choice(value, ways, 3, &choice))
		return usage(value, "is no way to treat orientation; use apply or ignore");
	parse->options->upright = (enum wan_upright)choice;
	return 0;
}

static int take_thumbnail(struct parse *parse, const char *value)
{
	return startend_parse_number(value, 16, 4096, &parse->options->thumbnail_px)
		       ? 0
		       : usage(value, "is no thumbnail size of 16 to 4096 pixels");
}

static int take_format(struct parse *parse, const char *value)
{
	static const char *const formats[] = {"png", "jpeg", "raw"};
	unsigned choice;
	if (!startend_parse_choice(value, formats, 3, &choice))
		return usage(value, "is no format to write; use png, jpeg or raw");
	parse->options->format = (enum startend_format)choice;
	return 0;
}

static int take_quality(struct parse *parse, const char *value)
{
	return startend_parse_number(value, 1, 100, &parse->options->quality)
		       ? 0
		       : usage(value, "is no JPEG quality of 1 to 100");
}

static int take_stack(struct parse *parse, const char *value)
{
	(void)value;
	parse->options->stack = true;
	return 0;
}

static int take_tensors(struct parse *parse, const char *value)
{
	static const char *const formats[] = {"npy", "safetensors"};
	unsigned choice;
	if (!startend_parse_choice(value, formats, 2, &choice))
		return usage(value, "is no format of tensors; use npy or safetensors");
	parse->options->safetensors = choice == 1;
	return 0;
}

static int take_dtype(struct parse *parse, const char *value)
{
	static const char *const types[] = {"float32", "float16", "bfloat16"};
	unsigned choice;
	if (!startend_parse_choice(value, types, 3, &choice))
		return usage(value, "is no type of tensors; use float32, float16 or bfloat16");
	parse->options->type = (enum wan_tensor_type)choice;
	return 0;
}

static int take_convert(struct parse *parse, const char *value)
{
	(void)value;
	parse->convert = true;
	return 0;
}

static int take_json(struct parse *parse, const char *value)
{
	parse->options->json_path = value;
	return 0;
}

static int take_batch(struct parse *parse, const char *value)
{
	parse->options->batch_auto = strcmp(value, "auto") == 0;
	if (parse->options->batch_auto) {
		parse->options->batch_most = STARTEND_BATCH_MOST;
		return 0;
	}
	return startend_parse_number(value, 1, STARTEND_BATCH_MOST, &parse->options->batch_most)
		       ? 0
		       : usage(value, "is no number of pairs of 1 to 100, nor auto");
}

static int take_strict(struct parse *parse, const char *value)
{
	(void)value;
	parse->options->strict = true;
	return 0;
}

static int take_force(struct parse *parse, const char *value)
{
	(void)value;
	parse->options->force = true;
	return 0;
}

static int take_quiet(struct parse *parse, const char *value)
{
	(void)value;
	parse->options->quiet = true;
	return 0;
}

static int list_pipelines(struct parse *parse, const char *value)
{
	(void)parse, (void)value;
	startend_list_pipelines();
	return 1;
}

static int list_rules(struct parse *parse, const char *value)
{
	(void)parse, (void)value;
	startend_list_rules();
	return 1;
}

static int take_version(struct parse *parse, const char *value)
{
	(void)parse, (void)value;
	printf("wan-startend %s\n", wan_version());
	return 1;
}

static int take_help(struct parse *parse, const char *value);

/* Returns of take: 0 (go on), an exit status + 1. */
static const struct row {
	const char *name, *argument; /* NULL: takes none */
	int letter;                  /* 0: none */
	int (*take)(struct parse *parse, const char *value);
	const char *help;
} rows[] = {
	{"start", "FILE", 0, take_start, "first image (PNG or JPEG)"},
	{"end", "FILE", 0, take_end, "last image; optional"},
	{"list", "FILE", 0, take_list, "many pairs: START<tab>END[<tab>NAME] a line; END may be -"},
	{"size", "WxH", 0, take_size, "size of the clip, multiples of 16 (832x480, 1280x720, ...)"},
	{"output", "DIR", 'o', take_output, "where to write; made when missing"},
	{"pipeline", "NAME", 0, take_pipeline,
	 "size, cut and filter as that program has them; without -o: only tell"},
	{"explain", NULL, 0, take_explain, "tell what becomes of the images: --explain A [B]"},
	{"frames", "N", 0, take_frames, "frames of the clip asked for; default: the pipeline's"},
	{"stack", NULL, 0, take_stack, "write the conditioning stack of the clip and its mask too"},
	{"dtype", "NAME", 0, take_dtype, "of tensors: float32 (default), float16, bfloat16"},
	{"tensors", "FORMAT", 0, take_tensors, "npy (default) or safetensors"},
	{"fit", "HOW", 0, take_fit, "cover (default), stretch, contain"},
	{"filter", "NAME", 0, take_filter, "lanczos (default), bicubic, bilinear"},
	{"alpha", "HOW", 0, take_alpha,
	 "drop (default), white, black, #rrggbb, refuse; keep with --convert"},
	{"exif", "HOW", 0, take_exif,
	 "apply or ignore the camera's orientation; default: as the pipeline does"},
	{"thumbnail", "PX", 0, take_thumbnail, "longest side of the thumbnails, default 256"},
	{"format", "NAME", 0, take_format, "of the frames: png (default), jpeg, raw (bytes R G B)"},
	{"quality", "N", 0, take_quality, "of JPEG, 1 to 100, default 90"},
	{"convert", NULL, 0, take_convert,
	 "only another format: --convert IN OUT.png, .jpg, .rgb or .npy"},
	{"json", "FILE", 0, take_json,
	 "profile of this run, or what --explain tells, as JSON; - for standard output"},
	{"batch", "N", 0, take_batch,
	 "pairs prepared before they are written: auto (as many as fit) or at most N; 4"},
	{"strict", NULL, 0, take_strict, "exit 1 when there are warnings"},
	{"force", NULL, 0, take_force, "replace files that exist"},
	{"quiet", NULL, 'q', take_quiet, "only errors"},
	{"list-pipelines", NULL, 0, list_pipelines, "name the pipelines, and end"},
	{"list-rules", NULL, 0, list_rules, "name what images are judged by, and end"},
	{"help", NULL, 0, take_help, "print this"},
	{"version", NULL, 0, take_version, "print the version"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int take_help(struct parse *parse, const char *value)
{
	(void)parse, (void)value;
	puts("Usage: wan-startend --start A [--end B] --size WxH -o DIR [options]\n"
	     "       wan-startend --list PAIRS.tsv --size WxH -o DIR [options]\n"
	     "       wan-startend [--pipeline NAME] --explain A [B] [--size WxH]\n"
	     "       wan-startend --convert IN OUT\n"
	     "\n"
	     "Validates the start and end image of a WAN clip and their pair, makes thumbnails, "
	     "fits them\n"
	     "to the size, or as a pipeline frames them, and writes what a pipeline consumes: "
	     "fitted PNG\n"
	     "and float32 tensor (.npy).\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[32] = "";
		if (rows[i].letter)
			snprintf(left, sizeof(left), "-%c, ", rows[i].letter);
		size_t used = strlen(left);
		snprintf(left + used, sizeof(left) - used, "--%s%s%s", rows[i].name,
			 rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		printf("  %-18s %s\n", left, rows[i].help);
	}
	puts("\nExit status: 0 done, 1 warnings under --strict, 64 usage, 65 bad image, 66 "
	     "missing,\n"
	     "73 cannot write, 75 no memory, 128 + N interrupted by signal N.");
	return 1;
}

/* The option whose name shares the longest beginning with what was written. */
static const char *nearest_option(const char *text)
{
	const char *best = NULL;
	size_t best_length = 0;
	for (size_t i = 0; i < ROWS; i++) {
		size_t length = 0;
		while (text[length] && rows[i].name[length] == text[length])
			length++;
		if (length > best_length) {
			best_length = length;
			best = rows[i].name;
		}
	}
	return best;
}

/* What getopt_long() did not take: code ':' or '?', and optopt. */
static int bad_option(int code, char **argv)
{
	const char *text = argv[optind > 0 ? optind - 1 : 0];
	char letter[3] = {'-', (char)optopt, '\0'};
	bool is_long = strncmp(text, "--", 2) == 0;
	if (optopt > 0 && optopt < 256 && !is_long)
		text = letter; /* it may stand in the middle of several */
	if (code == ':')
		return usage(text, "needs an argument");
	if (optopt >= 256 || (optopt > 0 && is_long))
		return usage(text, "takes no value");
	const char *near = is_long ? nearest_option(text + 2) : NULL;
	char reason[96];
	if (near)
		snprintf(reason, sizeof(reason), "is no usable option; did you mean --%s?", near);
	else
		snprintf(reason, sizeof(reason), "is no usable option");
	return usage(text, reason);
}

/* Options in any order, with images between them. */
static int take_all(int argc, char **argv, struct parse *parse)
{
	struct option long_options[ROWS + 1] = {{NULL, 0, NULL, 0}};
	for (size_t i = 0; i < ROWS; i++)
		long_options[i] = (struct option){
			rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
			rows[i].letter ? rows[i].letter : 256 + (int)i};
	opterr = 0;
	for (int code; (code = getopt_long(argc, argv, "-:o:q", long_options, NULL)) != -1;) {
		if (code == '?' || code == ':')
			return bad_option(code, argv);
		if (code == 1) {
			if (parse->word_count == WORDS_MAX)
				return usage(optarg, "is one image too many");
			parse->words[parse->word_count++] = optarg;
			continue;
		}
		for (size_t i = 0; i < ROWS; i++) {
			if (code != rows[i].letter && code != 256 + (int)i)
				continue;
			int ended = rows[i].take(parse, optarg);
			if (ended)
				return ended;
			break;
		}
	}
	for (; optind < argc; optind++) { /* behind -- */
		if (parse->word_count == WORDS_MAX)
			return usage(argv[optind], "is one image too many");
		parse->words[parse->word_count++] = argv[optind];
	}
	return 0;
}

static int check_convert(struct parse *parse)
{
	struct startend_options *options = parse->options;
	if (parse->word_count != 2)
		return usage("--convert", "give two names: --convert IN OUT");
	if (parse->start || parse->end || parse->list || parse->has_size || options->folder ||
	    options->has_pipeline || options->explain || parse->has_fit)
		return usage("--convert", "changes the format only; the size is that of the image");
	if (parse->has_filter || options->stack || options->frames || options->safetensors ||
	    options->type != WAN_TENSOR_F32 || options->format != STARTEND_PNG)
		return usage("--convert", "takes no options of frames, tensors or a stack; the end "
					  "of OUT names the format");
	options->convert_from = parse->words[0];
	options->convert_to = parse->words[1];
	return 0;
}

static int check_images(struct parse *parse)
{
	if (parse->word_count && !parse->options->explain)
		return usage(parse->words[0],
			     "is not expected here; images are given by --start and --end");
	if (parse->word_count && (parse->start || parse->end || parse->list))
		return usage(parse->words[0], "is one image too many beside --start or --list");
	if (parse->word_count) {
		parse->start = parse->words[0];
		parse->end = parse->word_count > 1 ? parse->words[1] : NULL;
	}
	if (!parse->start == !parse->list)
		return usage("arguments", parse->start ? "give --start or --list, not both"
						       : "give --start FILE or --list FILE");
	if (parse->list && parse->end)
		return usage("--end", "belongs to --start; a list names its own end images");
	return 0;
}

static int check_size(struct parse *parse)
{
	struct startend_options *options = parse->options;
	if (options->has_pipeline && (parse->has_fit || parse->has_filter))
		return usage(parse->has_fit ? "--fit" : "--filter",
			     "does not go with --pipeline, which decides about it");
	if (options->has_alpha && options->alpha == WAN_ALPHA_KEEP)
		return usage("--alpha", "keep: frames have no alpha; use drop, a colour or refuse");
	if (options->has_pipeline || !options->folder)
		return 0;
	if (!parse->has_size)
		return usage("arguments", "give --size WIDTHxHEIGHT, or --pipeline NAME");
	if (options->width_px % 16 || options->height_px % 16)
		return usage("--size",
			     "must be multiples of 16: WAN pipelines reject or cut others "
			     "(832x480 and 1280x720 are fine, 854x480 is not)");
	return 0;
}

static int check(struct parse *parse)
{
	struct startend_options *options = parse->options;
	if (parse->convert)
		return check_convert(parse);
	int ended = check_images(parse);
	if (ended)
		return ended;
	if (!options->folder && options->has_pipeline)
		options->explain = true;
	if (!options->folder && !options->explain)
		return parse->has_size ? usage("arguments", "give -o DIR, where the results go")
				       : usage("arguments", "give --size WIDTHxHEIGHT and -o DIR, "
							    "or --explain");
	ended = check_size(parse);
	if (ended)
		return ended;
	const char *reason = options->stack ? startend_check_stack(options) : NULL;
	if (reason)
		return usage("--stack", reason);
	if (options->stack && !options->folder)
		return usage("--stack", "give -o DIR, where it goes");
	if (parse->list) {
		int status = startend_read_list(parse->list, options);
		return status ? status + 1 : 0;
	}
	return startend_add_pair(options, parse->start, parse->end, "") ? 0
									: STARTEND_NO_MEMORY + 1;
}

int startend_parse(int argc, char **argv, struct startend_options *ret_options)
{
	*ret_options = (struct startend_options){.thumbnail_px = 256,
						 .fit = WAN_FIT_COVER,
						 .filter = WAN_FILTER_LANCZOS,
						 .alpha = WAN_ALPHA_DROP,
						 .quality = 90,
						 .batch_most = 4};
	struct parse parse = {.options = ret_options};
	int ended = take_all(argc, argv, &parse);
	if (ended)
		return ended;
	/* Nothing but the document goes to standard output then. */
	if (ret_options->json_path && strcmp(ret_options->json_path, "-") == 0)
		ret_options->quiet = true;
	return check(&parse);
}
