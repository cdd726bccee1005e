/* SPDX-License-Identifier: MIT */
/* What --explain has found out, on its way to text or JSON. */
#ifndef WAN_TOOLS_STARTEND_TOLD_H
#define WAN_TOOLS_STARTEND_TOLD_H

#include "startend.h"

struct told_image {
	const char *path;
	struct wan_image_info info;
	struct wan_image_metadata metadata;
	struct wan_verdict verdict;
};

struct told_pipeline {
	const struct wan_pipeline_info *info;
	bool impossible; /* no frames of such an image */
	struct wan_explanation explained;
	uint32_t asked, frames;
	int count_answer; /* of wan_frame_count() */
	struct wan_latent latent;
};

struct told_pair {
	const char *name;
	bool has_end;
	struct told_image start, end;
	struct wan_verdict verdict; /* of the pair */
	struct told_pipeline pipelines[WAN_PIPELINES];
	int pipeline_count; /* 0: the size of an image is not known */
};

const char *startend_filter_name(enum wan_filter filter);
/* One pipeline in full, or a line for each. */
void startend_told_text(const struct told_pair *pair, bool one);
void startend_told_json(struct startend_json *json, const struct told_pair *pair);

#endif
