/* SPDX-License-Identifier: MIT */
/* What each pipeline would make of an image, and the frame that one of them makes. */
#include <stdio.h>
#include <wan/wan.h>

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "start.png";
	struct wan_image_info info;
	struct wan_error error;
	if (wan_image_probe(path, &info, &error) < 0) {
		fprintf(stderr, "%s: %s; %s\n", error.object, error.reason, error.hint);
		return 1;
	}
	struct wan_size source = {info.width_px, info.height_px}, target = {832, 480};
	struct wan_framing framing;
	for (int i = 0; i < WAN_PIPELINES; i++)
		if (wan_frame((enum wan_pipeline)i, source, target, &framing) == 0)
			printf("%-16s %ux%u, %.1f %% wider, %.1f %% cut\n",
			       wan_pipeline_info((enum wan_pipeline)i)->name,
			       framing.output.width_px, framing.output.height_px,
			       framing.squeeze_pct, framing.lost_pct);
	struct wan_image *image = NULL, *frame = NULL;
	int r = wan_image_decode(path, NULL, &image, &error);
	if (r == 0 && wan_frame(WAN_PIPELINE_COMFYUI, source, target, &framing) == 0)
		r = wan_image_frame(image, &framing, &frame);
	wan_image_unref(image);
	wan_image_unref(frame);
	return r < 0;
}
