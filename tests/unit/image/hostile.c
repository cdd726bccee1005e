/* SPDX-License-Identifier: MIT */
/*
 * Every file of the corpus, whole, cut and with flipped bits, on the way a picture takes: probe,
 * verdict, decode, thumbnail, framing. What one of them says, the others say too.
 */
#include <dirent.h>
#include <errno.h>

#include "files.h"
#include "tap.h"
#include "wan/frame.h"
#include "wan/validate.h"

static struct tally {
	unsigned files, decoded, refused, warned;
} tally;

/* A file that gave no pixels says so first; one that did, says nothing of the kind. */
static bool is_about_the_file(const struct wan_verdict *verdict)
{
	static const char *const ids[] = {"unsupported_format", "not_decoded", "corrupted_file",
					  "truncated_file", "beyond_limits"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (verdict->issue_count && strcmp(verdict->issues[0].id, ids[i]) == 0)
			return true;
	return false;
}

static void check_verdict(const struct wan_verdict *verdict)
{
	bool error = false;
	CHECK(verdict->issue_count <= WAN_ISSUES_MAX);
	for (uint32_t i = 0; i < verdict->issue_count; i++) {
		const struct wan_issue *issue = &verdict->issues[i];
		CHECK(issue->id[0] && issue->message[0]);
		CHECK(i == 0 || issue->severity <= verdict->issues[i - 1].severity);
		error = error || issue->severity == WAN_SEVERITY_ERROR;
	}
	CHECK_EQ(verdict->valid, !error);
}

static void use_pixels(const struct wan_image *image)
{
	struct wan_image_view view;
	struct wan_image *small = NULL, *framed = NULL;
	struct wan_framing framing;
	wan_image_view(image, &view);
	CHECK(view.width_px > 0 && view.height_px > 0);
	CHECK_EQ(wan_image_thumbnail(image, 40, 40, &small), 0);
	wan_image_unref(small);
	struct wan_size size = {view.width_px, view.height_px}, target = {64, 48};
	for (int pipeline = 0; pipeline < WAN_PIPELINES; pipeline++) {
		framed = NULL;
		int r = wan_frame((enum wan_pipeline)pipeline, size, target, &framing);
		CHECK(r == 0 || r == -ERANGE);
		if (r == 0)
			CHECK_EQ(wan_image_frame(image, &framing, &framed), 0);
		wan_image_unref(framed);
	}
}

static void look_at(const uint8_t *bytes, size_t count)
{
	static char path[300];
	struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
	struct wan_verdict verdict;
	struct wan_error error = {0};
	struct wan_image *image = NULL;
	struct wan_decode_options options;
	if (!path[0])
		snprintf(path, sizeof(path), "%s", in_test_folder("hostile"));
	bytes_write(path, bytes, count);
	tally.files++;
	REQUIRE_EQ(wan_image_validate_file(path, NULL, &info, &verdict, &error), 0);
	check_verdict(&verdict);
	wan_decode_options_init(&options);
	int r = wan_image_decode(path, &options, &image, &error);
	CHECK_EQ(r < 0, is_about_the_file(&verdict));
	if (r < 0) {
		CHECK(error.code == r && error.reason[0]);
		CHECK(!verdict.valid);
		tally.refused++;
		return;
	}
	struct wan_image_view view;
	wan_image_view(image, &view);
	tally.decoded++;
	tally.warned += view.warnings > 0;
	if ((uint64_t)view.width_px * view.height_px <= 1 << 20)
		use_pixels(image);
	wan_image_unref(image);
}

static void look_at_variants(struct bytes *file)
{
	static const unsigned cuts[] = {5, 25, 50, 75, 95};
	look_at(file->at, file->count);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		look_at(file->at, file->count * cuts[i] / 100);
	for (size_t i = 1; i < 8; i++) {
		uint8_t *byte = &file->at[file->count * i / 8];
		*byte ^= 0x10;
		look_at(file->at, file->count);
		*byte ^= 0x10;
	}
}

TEST(hostile_files_get_a_verdict_and_never_a_wrong_frame)
{
	const char *data = getenv("WAN_TEST_DATA");
	char place[256], path[600];
	snprintf(place, sizeof(place), "%s/../../../fuzz/corpus/image_probe",
		 data ? data : "tests/unit/image/data");
	DIR *folder = opendir(place);
	REQUIRE(folder != NULL);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", place, entry->d_name);
		struct bytes file = bytes_read(path);
		if (file.count > 0)
			look_at_variants(&file);
		bytes_free(&file);
	}
	closedir(folder);
	printf("# %u files: %u decoded (%u with warnings), %u refused\n", tally.files,
	       tally.decoded, tally.warned, tally.refused);
	CHECK(tally.files > 500 && tally.decoded > 50 && tally.refused > 200);
}

TAP_MAIN
