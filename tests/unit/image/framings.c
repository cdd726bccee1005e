/* SPDX-License-Identifier: MIT */
/* Prints the framing of each line "PIPELINE W H TARGET_W TARGET_H" of standard input, for
 * test_framings.py. A pipeline of "NAME:end" takes the target as size of the frames, "last" is the
 * documented function of diffusers, "size" searches the size that stays, "count" counts frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wan/frame.h"

static void print_framing(const struct wan_framing *f)
{
	printf("%u %u %u %u %u %u %u %u %u %u %u %u %u %u %.9g %.9g %.9g\n", f->output.width_px,
	       f->output.height_px, f->crop.x_px, f->crop.y_px, f->crop.width_px, f->crop.height_px,
	       f->scaled.width_px, f->scaled.height_px, f->window.x_px, f->window.y_px,
	       f->window.width_px, f->window.height_px, f->place_x_px, f->place_y_px,
	       f->squeeze_pct, f->lost_pct, f->padded_pct);
}

static void answer(char *name, struct wan_size source, struct wan_size target)
{
	struct wan_framing f;
	struct wan_size size;
	enum wan_pipeline pipeline = WAN_PIPELINE_A14B;
	uint32_t frames;
	char *end = strstr(name, ":");
	if (end)
		*end++ = '\0';
	bool last = strcmp(name, "last") == 0;
	if (!last && wan_pipeline_find(name, &pipeline) < 0)
		abort();
	int r;
	if (end && strcmp(end, "count") == 0) {
		r = wan_frame_count(pipeline, source.width_px, &frames);
		printf("%d %u\n", r, frames);
		return;
	}
	if (end && strcmp(end, "size") == 0) {
		r = wan_unsqueezed_size(pipeline, source, target, &size);
		r < 0 ? printf("error %d\n", r) : printf("%u %u\n", size.width_px, size.height_px);
		return;
	}
	r = last  ? wan_frame_documented_last(source, target, &f)
	    : end ? wan_frame_end(pipeline, source, target, &f)
		  : wan_frame(pipeline, source, target, &f);
	r < 0 ? (void)printf("error %d\n", r) : print_framing(&f);
}

int main(void)
{
	char name[64];
	struct wan_size source, target;
	while (scanf("%63s %u %u %u %u", name, &source.width_px, &source.height_px,
		     &target.width_px, &target.height_px) == 5)
		answer(name, source, target);
	return 0;
}
