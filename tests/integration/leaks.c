/* SPDX-License-Identifier: MIT */
/*
 * A program to be tested for leaks: leaks WHAT ITERATIONS
 * clean: memory comes and goes; heap: 1 MB is kept; cache: our cache fills; image: a picture is
 * kept; tracker: as heap, told as steps of a job instead of by the test's own calls
 */
#include <stdlib.h>
#include <string.h>
#include <wan/wan.h>

enum { MIB = 1 << 20 };

static volatile char sink;

static void *block(void)
{
	char *bytes = malloc(MIB);
	if (!bytes)
		exit(2);
	memset(bytes, 1, MIB);
	sink = bytes[MIB / 2];
	return bytes;
}

static void unref(void *image)
{
	wan_image_unref(image);
}

static struct wan_image *image(void)
{
	struct wan_image *made = NULL;
	if (wan_image_create(WAN_PIXEL_RGB8, 640, 360, &made) < 0)
		exit(2);
	return made;
}

static void iterate(struct wan_runtime *runtime, const char *what, int i)
{
	static void *kept[1000];
	free(block());
	if (strcmp(what, "heap") == 0 || strcmp(what, "tracker") == 0)
		kept[i % 1000] = block();
	if (strcmp(what, "image") == 0)
		kept[i % 1000] = image();
	sink = kept[i % 1000] != NULL;
	if (strcmp(what, "cache") == 0) {
		struct wan_value bytes = {.data = block(), .bytes = MIB, .destroy = free};
		struct wan_value picture = {
			.data = image(), .bytes = 640 * 360 * 3, .destroy = unref};
		int key = 2 * i, other = key + 1;
		struct wan_cache *cache = wan_runtime_cache(runtime);
		if (wan_cache_put(cache, wan_key_of(&key, sizeof(key)), &bytes) < 0 ||
		    wan_cache_put(cache, wan_key_of(&other, sizeof(other)), &picture) < 0)
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct wan_leak leak;
	struct wan_runtime *runtime = wan_runtime_default();
	const char *what = argc > 2 ? argv[1] : "clean";
	int count = argc > 2 ? atoi(argv[2]) : 10;
	struct wan_tracker *tracker = NULL;
	if (!runtime)
		return 2;
	if (strcmp(what, "tracker") == 0) {
		if (wan_progress_begin(wan_runtime_progress(runtime), "frames", (uint64_t)count,
				       "frame", &tracker) < 0)
			return 2;
	} else if (wan_leak_begin(&leak, runtime, NULL, what) < 0) {
		return 2;
	}
	for (int i = 0; i < count; i++) {
		iterate(runtime, what, i);
		if (tracker)
			wan_progress_update(tracker, (uint64_t)i + 1);
		else
			wan_leak_iteration(&leak);
	}
	wan_progress_end(tracker);
	return 0;
}
