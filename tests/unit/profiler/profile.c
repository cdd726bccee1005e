/* SPDX-License-Identifier: MIT */
/* Start, stop, results and the written document: what the acceptance list asks of the profiler. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "fault.h"
#include "json_check.h"
#include "macros.h"
#include "profile.h"
#include "tap.h"

static struct wan_config config;
static struct wan_recorder *recorder;
static struct wan_profile *profile;
static struct wan_profile_results results;
static char folder[] = "/tmp/wan-profile-XXXXXX";

static void begin(const char *rules, bool active)
{
	wan_config_defaults(&config);
	strcpy(config.profile_rules, rules);
	CHECK_EQ(wan_recorder_create(&config, WAN_ROLE_LINKED, NULL, &recorder), 0);
	struct wan_profile_options options = {.struct_size = sizeof(options),
					      .config = &config,
					      .recorder = recorder,
					      .active = active};
	CHECK_EQ(wan_profile_create(&options, &profile), 0);
}

static void end(void)
{
	wan_profile_destroy(profile);
	wan_recorder_destroy(recorder);
}

static bool look(void)
{
	memset(&results, 0, sizeof(results));
	results.struct_size = sizeof(results);
	return CHECK_EQ(wan_profile_results(profile, &results), 0);
}

static void sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&time, NULL);
}

static void operate(const char *name, uint32_t width, uint32_t height, long ms)
{
	struct wan_op op;
	wan_op_begin(profile, &op, name);
	wan_op_set_image(&op, width, height, 3, 8, 1024);
	if (ms)
		sleep_ms(ms);
	wan_op_end(&op, WAN_OP_OK);
}

static bool says(const char (*lines)[192], uint32_t count, const char *what)
{
	for (uint32_t i = 0; i < count; i++)
		if (strstr(lines[i], what))
			return true;
	return false;
}

static bool bottleneck(const char *what)
{
	return says(results.bottlenecks, results.bottleneck_count, what);
}

static bool recommendation(const char *what)
{
	return says(results.recommendations, results.recommendation_count, what);
}

TEST(start_makes_it_active_and_stop_inactive_with_results)
{
	begin("classic", false);
	CHECK(!wan_profile_active(profile));
	CHECK_EQ(wan_profile_start(profile), 0);
	CHECK(wan_profile_active(profile));
	CHECK_EQ(wan_profile_start(profile), -EALREADY);
	operate("a", 10, 10, 0);
	CHECK_EQ(wan_profile_stop(profile), 0);
	CHECK(!wan_profile_active(profile));
	CHECK_EQ(wan_profile_stop(profile), -EALREADY);
	operate("a", 10, 10, 0); /* not recorded any more */
	if (look())
		CHECK_EQ(results.total_operations, 1);
	end();
}

TEST(one_operation_is_one_record_with_its_time)
{
	begin("classic", false);
	CHECK_EQ(wan_profile_start(profile), 0);
	operate("image_validation", 512, 512, 10);
	if (look()) {
		CHECK_EQ(results.total_operations, 1);
		CHECK(results.total_time_ms > 10);
		CHECK_NEAR(results.average_time_ms, results.total_time_ms, 1e-9);
	}
	end();
}

TEST(start_forgets_what_was_before)
{
	begin("classic", true);
	for (int i = 0; i < 1000; i++)
		operate("before", 10, 10, 0);
	CHECK_EQ(wan_profile_start(profile), 0);
	for (int i = 0; i < 10; i++)
		operate("after", 10, 10, 0);
	if (look())
		CHECK_EQ(results.total_operations, 10);
	CHECK_EQ(wan_profile_stop(profile), 0);
	CHECK_EQ(wan_profile_start(profile), 0);
	operate("again", 10, 10, 0);
	if (look())
		CHECK_EQ(results.total_operations, 1);
	CHECK_EQ(wan_profile_stop(profile), 0);
	if (look())
		CHECK_EQ(results.total_operations, 1);
	end();
}

TEST(start_is_exact_to_the_operation_every_time)
{
	begin("classic", true);
	for (int round = 0; round < 50; round++) {
		operate("before", 10, 10, 0);
		CHECK_EQ(wan_profile_start(profile), 0);
		operate("after", 10, 10, 0);
		if (look())
			CHECK_EQ(results.total_operations, 1);
		CHECK_EQ(wan_profile_stop(profile), 0);
	}
	end();
}

TEST(a_profile_that_was_never_started_covers_the_whole_recording)
{
	begin("classic", true);
	operate("a", 10, 10, 0);
	operate("a", 10, 10, 0);
	if (look())
		CHECK_EQ(results.total_operations, 2);
	CHECK_EQ(wan_profile_stop(profile), 0);
	if (look())
		CHECK_EQ(results.total_operations, 2);
	end();
}

TEST(an_operation_of_600_ms_is_a_slow_operation)
{
	begin("classic", true);
	operate("fit", 64, 64, 600);
	if (look()) {
		CHECK(bottleneck("Slow operations: 1 "));
		CHECK(!bottleneck("Memory-intensive"));
	}
	end();
}

TEST(much_memory_and_much_cpu_are_found)
{
	struct wan_op op;
	begin("classic", true);
	wan_op_begin(profile, &op, "big");
	wan_op_add_memory(&op, 150 * (int64_t)WAN_MIB, 150 * WAN_MIB);
	wan_op_end(&op, WAN_OP_OK);
	bool alone = false;
	for (int i = 0; i < 5000 && !alone; i++) { /* until one has the processor to itself */
		uint64_t from_ns = wan_now_ns(), cpu_ns = wan_thread_cpu_ns();
		wan_op_begin_large(profile, &op, "busy");
		for (uint64_t until = from_ns + 4000000; wan_now_ns() < until;)
			;
		wan_op_end(&op, WAN_OP_OK);
		alone = wan_thread_cpu_ns() - cpu_ns > (wan_now_ns() - from_ns) * 95 / 100;
	}
	if (look()) {
		CHECK(bottleneck("Memory-intensive operations: 1 "));
		CHECK(bottleneck("CPU-intensive operations"));
		CHECK(recommendation("streaming"));
	}
	end();
}

TEST(large_images_that_take_more_than_three_times_as_long_scale_poorly)
{
	begin("classic", true);
	operate("small", 640, 480, 0);
	operate("large", 4000, 3000, 40);
	if (look())
		CHECK(bottleneck("Poor scaling"));
	end();
}

TEST(validations_repetition_and_thumbnails_are_advised_on)
{
	begin("classic", true);
	for (int i = 0; i < 3; i++)
		operate("image_validation", 512, 512, 0);
	operate("thumbnail_256x256", 256, 256, 120);
	if (look()) {
		CHECK(recommendation("caching validation"));
		CHECK(recommendation("result caching"));
		CHECK(recommendation("faster resampling"));
	}
	end();
}

static char *read_all(const char *path, size_t *ret_bytes)
{
	static char text[4 * 1024 * 1024];
	FILE *from = fopen(path, "rb");
	*ret_bytes = from ? fread(text, 1, sizeof(text) - 1, from) : 0;
	text[*ret_bytes] = '\0';
	if (from)
		fclose(from);
	return text;
}

TEST(the_document_is_json_and_its_total_is_the_number_of_metrics)
{
	char path[128], needle[64];
	size_t bytes;
	begin("classic", true);
	for (int i = 0; i < 5; i++)
		operate("image_validation", 512, 512, 0);
	snprintf(path, sizeof(path), "%s/profile.json", folder);
	REQUIRE_EQ(wan_profile_write_json(profile, path, false, NULL), 0);
	const char *text = read_all(path, &bytes);
	CHECK(json_is_valid(text, bytes));
	CHECK(strstr(text, "\"summary\": {"));
	snprintf(needle, sizeof(needle), "\"total_operations\": 5,");
	CHECK(strstr(text, needle));
	unsigned count = 0;
	const char *nested = strstr(text, "\"nested_metrics\"");
	for (const char *at = strstr(text, "\"metrics\": ["); at && at < nested; count++)
		at = strstr(at + 1, "\"operation_name\"");
	CHECK_EQ(count - 1, 5);
	end();
}

TEST(an_existing_file_stays_unless_overwriting_is_asked_for)
{
	char path[128];
	struct wan_error error = {0};
	struct stat file;
	begin("default", true);
	snprintf(path, sizeof(path), "%s/kept.json", folder);
	FILE *kept = fopen(path, "w");
	REQUIRE(kept);
	fputs("mine", kept);
	fclose(kept);
	CHECK_EQ(wan_profile_write_json(profile, path, false, &error), -EEXIST);
	CHECK(error.reason[0] && error.hint[0]);
	CHECK_EQ(stat(path, &file), 0);
	CHECK_EQ(file.st_size, 4);
	CHECK_EQ(wan_profile_write_json(profile, path, true, &error), 0);
	CHECK_EQ(stat(path, &file), 0);
	CHECK(file.st_size > 1000);
	end();
}

TEST(a_full_disk_leaves_nothing_half_written)
{
	char path[128], command[256];
	begin("default", true);
	operate("a", 10, 10, 0);
	snprintf(path, sizeof(path), "%s/full.json", folder);
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_WRITE, 1, ENOSPC, true);
	CHECK_EQ(wan_profile_write_json(profile, path, false, NULL), -ENOSPC);
	wan_fault_remove();
	snprintf(command, sizeof(command), "ls %s | grep -q full", folder);
	CHECK(system(command) != 0);
	CHECK_EQ(wan_profile_write_json(profile, "/nowhere/x.json", false, NULL), -ENOENT);
	CHECK_EQ(wan_profile_write_json(profile, "", false, NULL), -EINVAL);
	end();
}

TEST(older_and_shorter_result_structs_are_served)
{
	struct {
		size_t struct_size;
		uint64_t total_operations;
		uint64_t canary;
	} old = {.struct_size = 2 * sizeof(size_t), .canary = 42};
	begin("default", true);
	operate("a", 10, 10, 0);
	CHECK_EQ(wan_profile_results(profile, (struct wan_profile_results *)&old), 0);
	CHECK_EQ(old.total_operations, 1);
	CHECK_EQ(old.canary, 42);
	old.struct_size = 0;
	CHECK_EQ(wan_profile_results(profile, (struct wan_profile_results *)&old), -EINVAL);
	CHECK_EQ(wan_profile_results(NULL, &results), -EINVAL);
	end();
}

static void scenario(void *unused)
{
	struct wan_profile_options options = {
		.struct_size = sizeof(options), .config = &config, .recorder = recorder};
	struct wan_profile *one = NULL;
	char path[128];
	snprintf(path, sizeof(path), "%s/fault.json", folder);
	if (wan_profile_create(&options, &one) == 0) {
		int started = wan_profile_start(one);
		CHECK(started == 0 || !wan_profile_active(one));
		results.struct_size = sizeof(results);
		int rc = wan_profile_results(one, &results);
		CHECK(rc <= 0);
		rc = wan_profile_write_json(one, path, true, NULL);
		CHECK(rc <= 0);
		rc = wan_profile_stop(one);
		CHECK(rc <= 0);
	}
	wan_profile_destroy(one);
	(void)unused;
}

TEST(every_failing_allocation_and_call_is_an_ordinary_result)
{
	begin("default", true);
	for (int i = 0; i < 5; i++)
		operate("a", 10 * (unsigned)i, 10, 0);
	CHECK(wan_fault_sweep(scenario, NULL) > 0);
	end();
}

TEST(clean_up)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

__attribute__((constructor)) static void make_folder(void)
{
	if (!mkdtemp(folder))
		abort();
}

TAP_MAIN
