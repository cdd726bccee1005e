/* SPDX-License-Identifier: MIT */
/* What is wrong with the images, and what a pipeline, or each of them, makes of them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "startend_told.h"

static int look_at(struct told_image *image, const char *path)
{
	struct wan_error error = {0};
	*image = (struct told_image){.path = path};
	int r = wan_image_validate_file(path, NULL, &image->info, &image->verdict, &error);
	if (r < 0) {
		startend_complain(&error);
		return startend_status(r);
	}
	return wan_image_describe(path, &image->info, &image->metadata) < 0 ? STARTEND_BAD_IMAGE
									    : 0;
}

/* Of one pipeline. Exit status. */
static int tell(struct told_pair *pair, enum wan_pipeline pipeline,
		const struct startend_options *options, struct told_pipeline *ret)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	struct wan_size target = {options->width_px, options->height_px};
	*ret = (struct told_pipeline){.info = info};
	int r = wan_explain(pipeline, &pair->start.info, pair->has_end ? &pair->end.info : NULL,
			    target, options->upright, &ret->explained);
	if (r < 0)
		return r;
	ret->asked = options->frames ? options->frames : info->frames;
	ret->count_answer = wan_frame_count(pipeline, ret->asked, &ret->frames);
	if (ret->count_answer < 0)
		return ret->count_answer;
	return wan_latent_size(pipeline, ret->explained.start.output, ret->frames, &ret->latent);
}

static int tell_all(struct told_pair *pair, const struct startend_options *options)
{
	for (int i = 0; i < WAN_PIPELINES; i++) {
		if (options->has_pipeline && i != (int)options->pipeline)
			continue;
		struct told_pipeline *told = &pair->pipelines[pair->pipeline_count];
		int r = tell(pair, (enum wan_pipeline)i, options, told);
		if (r == -ERANGE && !options->has_pipeline)
			told->impossible = true;
		else if (r == -ERANGE) {
			startend_say("%s: %s makes no frames of %ux%u: the ratio is too extreme; "
				     "crop it first",
				     pair->start.path, told->info->name, pair->start.info.width_px,
				     pair->start.info.height_px);
			return STARTEND_BAD_IMAGE;
		} else if (r < 0) {
			startend_say("%s: cannot be explained: %s", pair->start.path,
				     wan_strerror(r));
			return startend_status(r);
		}
		pair->pipeline_count++;
	}
	return 0;
}

static bool has_size(const struct told_image *image)
{
	return image->info.width_px && image->info.height_px;
}

static int explain_pair(const struct startend_options *options, const struct startend_pair *given,
			struct told_pair *pair)
{
	*pair = (struct told_pair){.name = given->name, .has_end = given->end != NULL};
	int status = look_at(&pair->start, given->start);
	if (status == 0 && given->end)
		status = look_at(&pair->end, given->end);
	if (status)
		return status;
	/* Of an image that cannot be decoded here the geometry may still be of interest. */
	if (has_size(&pair->start) && (!pair->has_end || has_size(&pair->end))) {
		int r = wan_image_validate_pair(
			&pair->start.info, pair->has_end ? &pair->end.info : NULL, &pair->verdict);
		status = r < 0 ? startend_status(r) : tell_all(pair, options);
	}
	return status;
}

static uint32_t warnings_of(const struct told_pair *pair, const struct startend_options *options)
{
	struct wan_verdict together = pair->verdict;
	if (options->has_pipeline)
		startend_drop_framing(&together);
	uint32_t count =
		startend_count_warnings(&pair->start.verdict) + startend_count_warnings(&together);
	if (pair->has_end)
		count += startend_count_warnings(&pair->end.verdict);
	if (options->has_pipeline && pair->pipeline_count)
		count += startend_count_warnings(&pair->pipelines[0].explained.verdict);
	return count;
}

static int refuse_unusable(const struct told_pair *pair)
{
	int status = 0;
	if (!pair->start.verdict.valid)
		status = startend_refuse(pair->start.path, &pair->start.verdict);
	if (pair->has_end && !pair->end.verdict.valid)
		status = startend_refuse(pair->end.path, &pair->end.verdict);
	return status;
}

static int open_document(const struct startend_options *options, struct startend_json *json)
{
	*json = (struct startend_json){.file = NULL};
	if (!options->json_path || options->folder) /* then it is the profile of the work */
		return 0;
	bool to_stdout = strcmp(options->json_path, "-") == 0;
	/* "x": a file that came since it was looked for is not replaced either. */
	json->file = to_stdout ? stdout : fopen(options->json_path, options->force ? "we" : "wxe");
	if (!json->file) {
		startend_say("%s: cannot be written: %s%s", options->json_path, strerror(errno),
			     errno == EEXIST ? "; use --force to replace it" : "");
		return STARTEND_CANNOT_WRITE;
	}
	startend_json_open(json, NULL, '{');
	startend_json_text(json, "schema", "wanrt-explanation");
	startend_json_number(json, "schema_version", 1);
	startend_json_open(json, "pairs", '[');
	return 0;
}

static int close_document(const struct startend_options *options, struct startend_json *json)
{
	if (!json->file)
		return 0;
	startend_json_close(json, ']');
	startend_json_close(json, '}');
	bool failed = ferror(json->file) || fflush(json->file);
	if (json->file != stdout)
		failed = fclose(json->file) || failed;
	if (!failed || json->file == stdout)
		return 0; /* standard output is looked at when the program ends */
	startend_say("%s: cannot be written: %s", options->json_path, strerror(errno));
	(void)unlink(options->json_path);
	return STARTEND_CANNOT_WRITE;
}

int startend_explain(const struct startend_options *options)
{
	struct startend_json json;
	struct told_pair *pair = malloc(sizeof(*pair));
	if (!pair) {
		startend_say("out of memory");
		return STARTEND_NO_MEMORY;
	}
	uint32_t warnings = 0;
	int status = open_document(options, &json);
	bool go_on = status == 0;
	for (size_t i = 0; i < options->pair_count && go_on; i++) {
		int one = explain_pair(options, &options->pairs[i], pair);
		if (one == 0) {
			if (json.file)
				startend_told_json(&json, pair);
			if (!options->quiet)
				startend_told_text(pair, options->has_pipeline);
			warnings += warnings_of(pair, options);
			one = refuse_unusable(pair);
		}
		status = status ? status : one;
	}
	free(pair);
	int closed = go_on ? close_document(options, &json) : 0;
	status = status ? status : closed;
	return status == 0 && options->strict && warnings ? STARTEND_WARNINGS : status;
}
