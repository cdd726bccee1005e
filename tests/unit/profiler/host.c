/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "macros.h"
#include "tap.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static struct wan_host clean(void)
{
	return (struct wan_host){
		.known = true,
		.load_per_cpu = WAN_HOST_LOAD_CLEAN,
		.cpus = 4,
		.total_bytes = 16 * GIB,
		.limit_bytes = UINT64_MAX,
		.available_bytes = 16 * GIB / WAN_HOST_MEMORY_SHARE,
		.record_free_bytes = WAN_HOST_DISK_CLEAN_BYTES,
		.work_free_bytes = UINT64_MAX,
		.gpu_used_bytes = WAN_HOST_GPU_CLEAN_BYTES,
		.gpu_read_after_ns = WAN_HOST_GPU_SOON_NS,
		.gpu_model = "",
	};
}

TEST(a_machine_at_the_limits_is_clean)
{
	struct wan_host host = clean();
	char text[256] = "x";
	CHECK(!wan_host_unclean(&host, text, sizeof(text)));
	CHECK_STR(text, "");
}

TEST(what_was_in_use_is_named_with_its_number)
{
	struct wan_host host = clean();
	char text[256];
	host.gpu_used_bytes = 3 * GIB + 100 * MIB;
	CHECK(wan_host_unclean(&host, text, sizeof(text)));
	CHECK(strstr(text, "GPU memory held by others: 3.1"));
	host.load_per_cpu = 1.25;
	host.record_free_bytes = 100 * MIB;
	host.available_bytes = 1 * GIB;
	CHECK(wan_host_unclean(&host, text, sizeof(text)));
	CHECK(strstr(text, "; other load: 1.25 per processor; free disk: 100"));
	CHECK(strstr(text, "available memory: 1"));
}

TEST(a_late_answer_about_the_gpu_is_not_held_against_others)
{
	struct wan_host host = clean();
	char text[256];
	host.gpu_used_bytes = 20 * GIB;
	host.gpu_read_after_ns = WAN_HOST_GPU_SOON_NS + 1;
	CHECK(!wan_host_unclean(&host, text, sizeof(text)));
}

TEST(the_tightest_limit_says_what_little_memory_is)
{
	struct wan_host host = clean();
	char text[256];
	host.limit_bytes = 2 * GIB;
	host.available_bytes = 300 * MIB;
	CHECK(!wan_host_unclean(&host, text, sizeof(text)));
	host.available_bytes = 100 * MIB;
	CHECK(wan_host_unclean(&host, text, sizeof(text)));
}

TEST(nothing_known_is_nothing_said)
{
	struct wan_host host;
	struct wan_view view = {0};
	char text[256];
	wan_host_of(&view, &host);
	CHECK(!host.known && !host.ended);
	CHECK(!host.tier);
	CHECK(!wan_host_unclean(&host, text, sizeof(text)));
}

/* The words of the parent's block, by their places in schema.def. */
TEST(the_block_of_the_parent_is_read)
{
	struct wan_process_counters block = {.kind = WAN_COUNTERS_HOST, .name = "host"};
	struct wan_process process = {.counters = &block, .counters_count = 1};
	struct wan_view_source source = {.process = &process, .until_ns = UINT64_MAX};
	struct wan_view view = {.sources = &source, .source_count = 1, .parent = &process};
	struct wan_host host;
	block.words[0] = 1;
	block.words[1] = 3000;
	block.words[2] = 4;
	block.words[9] = 5 * GIB;
	block.words[13] = 4;
	wan_host_of(&view, &host);
	CHECK(host.known && !host.ended);
	CHECK_NEAR(host.load_per_cpu, 0.75, 1e-9);
	CHECK_EQ(host.gpu_used_bytes, 5 * GIB);
	CHECK_STR(host.tier, "high-end");
	CHECK_STR(host.gpu_model, "");
	block.words[20] = 1;
	block.words[22] = 7;
	block.words[13] = 99; /* of a newer version */
	wan_host_of(&view, &host);
	CHECK(host.ended);
	CHECK_EQ(host.read_bytes, 7);
	CHECK(!host.tier);
	block.words[0] = 0; /* killed before it was written */
	wan_host_of(&view, &host);
	CHECK(!host.known);
}
TAP_MAIN
