/* SPDX-License-Identifier: MIT */
/* wan-startend: what its parts share. */
#ifndef WAN_TOOLS_STARTEND_H
#define WAN_TOOLS_STARTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wan/wan.h"

enum startend_exit {
	STARTEND_DONE = 0,
	STARTEND_WARNINGS = 1, /* under --strict */
	STARTEND_USAGE = 64,
	STARTEND_BAD_IMAGE = 65,
	STARTEND_MISSING = 66,
	STARTEND_CANNOT_WRITE = 73,
	STARTEND_NO_MEMORY = 75,
};

enum {
	STARTEND_BATCH_MOST = 100,
	STARTEND_PATH_BYTES = 20480, /* more than folder and name: the kernel judges the length */
};

struct startend_pair {
	char *start, *end; /* end may be NULL: it is optional */
	char *name;        /* file name prefix; "" for a single pair */
};

enum startend_format { STARTEND_PNG, STARTEND_JPEG, STARTEND_RAW };

struct startend_options {
	struct startend_pair *pairs;
	size_t pair_count;
	const char *folder;                         /* NULL: nothing is written */
	const char *json_path;                      /* NULL: none */
	uint32_t width_px, height_px, thumbnail_px; /* 0 x 0: the pipeline's usual size */
	enum wan_fit fit;
	enum wan_filter filter;
	bool has_pipeline;
	enum wan_pipeline pipeline;
	bool explain;
	uint32_t frames; /* asked for; 0: the pipeline's usual number */
	bool has_alpha;
	enum wan_alpha_policy alpha;
	enum wan_upright upright;
	enum startend_format format;
	uint32_t quality;
	uint32_t batch_most;     /* pairs prepared before they are written */
	bool batch_auto;         /* as many as fit, preferably ten or more */
	bool stack, safetensors; /* write the conditioning stack; in which files tensors are */
	enum wan_tensor_type type;
	const char *convert_from, *convert_to; /* NULL: no conversion */
	bool strict, force, quiet;
};

/* 0 (go on), or an exit status + 1 when the program is to end (help, version, usage). */
int startend_parse(int argc, char **argv, struct startend_options *ret_options);
void startend_finish(struct startend_options *options);
/* One more pair, copied. false: out of memory. */
bool startend_add_pair(struct startend_options *options, const char *start, const char *end,
		       const char *name);
/* The pairs of a TSV file: START<tab>END[<tab>NAME]; # begins a comment line. Exit status, 0 =
 * fine. */
int startend_read_list(const char *path, struct startend_options *options);

/* Values of options; false when the text is none. */
bool startend_parse_number(const char *text, uint32_t low, uint32_t high, uint32_t *ret_number);
bool startend_parse_size(const char *text, uint32_t *ret_width_px, uint32_t *ret_height_px);
bool startend_parse_choice(const char *text, const char *const *names, size_t count,
			   unsigned *ret_index);
/* drop, white, black, #rrggbb, keep, refuse */
bool startend_parse_alpha(const char *text, enum wan_alpha_policy *ret_alpha);

/* All pairs, written. Exit status. */
int startend_process(const struct startend_options *options, struct wan_runtime *runtime);
/* What the results of a pair take in memory until they are written. Pure. */
uint64_t startend_pair_bytes(const struct startend_options *options);
/* Before any work: the folder is made, and can be written. Exit status. */
int startend_check_folder(const char *folder);
/* What we have written and the disk has not counts as memory until it has: when that is short, we
 * write no faster than the disk does. */
void startend_let_disk_catch_up(const char *folder);
/* All pairs, told. Exit status. */
int startend_explain(const struct startend_options *options);
/* The tables of pipelines and of rules, on standard output. */
void startend_list_pipelines(void);
void startend_list_rules(void);
/* One image into another format. Exit status. */
int startend_convert(const struct startend_options *options);

/* How a picture is brought to frames: as the pipeline does, or as --fit says. start is the framing
 * of the start image when this is the end image, else NULL. 0, -EOPNOTSUPP (no end image), -ERANGE.
 */
int startend_framing(const struct startend_options *options, const struct wan_image_info *info,
		     const struct wan_framing *start, struct wan_framing *ret_framing);
/* Whether files are turned upright as their EXIF says. */
bool startend_turns(const struct startend_options *options);
/* Frames in the format of --format, tensors and thumbnails. Exit status. */
int startend_write_image(const struct startend_options *options, struct wan_runtime *runtime,
			 struct wan_image *image, const char *path);
/* ".npy" or ".safetensors". */
const char *startend_tensor_suffix(const struct startend_options *options);
/* Why no stack can be made as asked; NULL: it can. */
const char *startend_check_stack(const struct startend_options *options);
/* Stack and mask are STEMstack.npy, STEMmask.npy or STEMstack.safetensors. Exit status. */
int startend_check_stack_outputs(const struct startend_options *options, const char *stem);
/* From the images' tensors; end may be NULL. Exit status. */
int startend_write_stack(const struct startend_options *options, struct wan_runtime *runtime,
			 const struct wan_image *start, const struct wan_image *end,
			 const char *stem);
int startend_write_tensor(const struct startend_options *options, struct wan_runtime *runtime,
			  struct wan_image *image, const char *path);
int startend_write_png(const struct startend_options *options, struct wan_runtime *runtime,
		       struct wan_image *image, const char *path);
/* Plain bytes under a temporary name, then moved. Exit status. */
int startend_write_raw(const struct wan_image_view *view, const char *path, bool force);

/* Exit status of a negative errno. */
int startend_status(int code);
/* One line "wan-startend: ..." on stderr, made harmless for a terminal. */
void startend_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "wan-startend: OBJECT: REASON; HINT". */
void startend_complain(const struct wan_error *error);
/* A name on standard output, made harmless for a terminal. */
void startend_print_path(const char *path);
/* One line an issue on standard output. */
void startend_print_issues(const struct wan_verdict *verdict);
/* Out of the verdict of a pair: what one pipeline says about framing is more exact than a list of
 * all. */
void startend_drop_framing(struct wan_verdict *verdict);
/* The image cannot be used: its first error on stderr. Exit status. */
int startend_refuse(const char *path, const struct wan_verdict *verdict);
uint32_t startend_count_warnings(const struct wan_verdict *verdict);

/* A JSON document, pretty, escaped, without NaN. name is NULL inside arrays. */
struct startend_json {
	FILE *file;
	unsigned depth;
	bool has_item;
};
void startend_json_open(struct startend_json *json, const char *name, char bracket);
void startend_json_close(struct startend_json *json, char bracket);
void startend_json_text(struct startend_json *json, const char *name, const char *text);
void startend_json_number(struct startend_json *json, const char *name, double value);
void startend_json_bool(struct startend_json *json, const char *name, bool value);

#endif
