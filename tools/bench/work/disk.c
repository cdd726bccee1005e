/* SPDX-License-Identifier: MIT */
/* A disk that is full: images are refused as a whole, and written again when there is room. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

#define FILES_MAX 1000

static const struct work_source picture = {.width_px = 640,
					   .height_px = 360,
					   .content = BENCH_CONTENT_COMPLEX,
					   .format = WAN_FORMAT_PNG};

static int write_one(unsigned number)
{
	struct wan_encode_options options;
	struct wan_error error = {0};
	struct wan_image *image;
	char path[WORK_PATH];
	int r = work_source_draw(&picture, &image);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/small/image-%u.png", stress.folder, number);
	wan_encode_options_init(&options);
	options.png_level = 1;
	options.overwrite = true;
	r = wan_image_encode(image, path, &options, &error);
	wan_image_unref(image);
	return r;
}

static void wrong(const char *reason, const char *name)
{
	stress.wrong++;
	snprintf(stress.reason, sizeof(stress.reason), "%s%.100s", reason, name);
}

bool stress_fill_disk(void)
{
	int r = 0;
	unsigned written = 0;
	while (written < FILES_MAX && (r = write_one(written)) == 0)
		written++;
	if (r == -ENOSPC && written)
		return true;
	snprintf(stress.reason, sizeof(stress.reason),
		 r ? "the small disk answered: %s" : "the small disk did not get full: %s",
		 r ? wan_strerror(r) : "it is not small");
	return false;
}

/* Files that are there must be whole; the recording is no image. Returns how many. */
static unsigned whole_files(void)
{
	char folder[WORK_PATH], path[WORK_PATH + 256];
	struct dirent *entry;
	unsigned count = 0;
	snprintf(folder, sizeof(folder), "%s/small", stress.folder);
	DIR *all = opendir(folder);
	while (all && (entry = readdir(all))) {
		struct wan_image *image;
		struct wan_error error;
		if (entry->d_name[0] == '.' || strstr(entry->d_name, ".wprof"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (wan_image_decode(path, NULL, &image, &error) < 0) {
			wrong("a half-written file is left: ", entry->d_name);
			continue;
		}
		if (!work_source_equals(&picture, image))
			wrong("a file holds other pixels: ", entry->d_name);
		wan_image_unref(image);
		count++;
	}
	if (all)
		closedir(all);
	return count;
}

void stress_judge_disk(void)
{
	char path[WORK_PATH];
	unsigned before = whole_files();
	if (write_one(FILES_MAX) != -ENOSPC)
		wrong("an image was written to a full disk", "");
	if (whole_files() != before)
		wrong("a refused image left a file", "");
	snprintf(path, sizeof(path), "%s/small/image-0.png", stress.folder);
	if (unlink(path) == 0 && write_one(0) != 0)
		wrong("images are not written again when there is room", "");
}
