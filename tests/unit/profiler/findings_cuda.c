/* SPDX-License-Identifier: MIT */
/* Findings on CUDA calls, each at its limit and above. */
#include "findings.h"

#include "findings_support.h"
#include "layout.h"
#include "tap.h"

/* Words of a block, by schema.def. */
enum {
	DEVICE_PEAK = 1,
	PINNED_PEAK = 5,
	ALLOCATED = 6,
	ALLOCATIONS = 7,
	FREES = 8,
	OUT_OF_MEMORY = 12,
	ENQUEUED = 16,
	MOST_BEHIND = 19,
	WAITS = 20,
	WAIT_TIME = 21,
	LONGEST_WAIT = 22,
};

#define SECOND 1000000000u

/* A process of ten seconds with one device. */
static uint64_t *device(void)
{
	begin("default");
	fake.counters[0] =
		(struct wan_process_counters){.kind = WAN_COUNTERS_CUDA, .name = "device 0"};
	fake.process.counters_count = 1;
	return fake.counters[0].words;
}

static void copies(const char *name, double seconds)
{
	struct wan_recording_operation operation = fake_operation(name, seconds * 1000);
	operation.library = "cuda";
	operation.file_bytes = 64 << 20;
	operation.child = true;
	fake_add(&fake, operation);
}

TEST(an_allocation_that_found_no_memory_is_told)
{
	uint64_t *words = device();
	CHECK(!find("gpu-out-of-memory"));
	words[OUT_OF_MEMORY] = 2;
	words[ALLOCATIONS] = 8;
	words[DEVICE_PEAK] = 3 << 20;
	const struct wan_finding *finding = find("gpu-out-of-memory");
	REQUIRE(finding);
	CHECK_EQ(finding->severity, WAN_FINDING_HIGH);
	CHECK_EQ(finding->count, 2);
	CHECK(strstr(finding->evidence, "2 of 10 allocations"));
	CHECK(strstr(finding->evidence, "3.0 MB"));
	CHECK_STR(finding->operation, "device 0");
	CHECK(finding->saving_ms < 0);
}

TEST(waits_after_each_step_are_told_and_waits_for_much_work_are_not)
{
	uint64_t *words = device();
	words[WAITS] = 1000;
	words[ENQUEUED] = 2000;
	words[WAIT_TIME] = 5ull * SECOND;
	CHECK(!find("gpu-waits")); /* half of the time: at the limit */
	words[WAIT_TIME]++;
	CHECK(find("gpu-waits"));
	words[WAIT_TIME] = 6ull * SECOND;
	const struct wan_finding *finding = find("gpu-waits");
	REQUIRE(finding);
	CHECK_NEAR(finding->value, 60, 1e-9);
	CHECK_NEAR(finding->limit, 50, 0);
	CHECK(finding->saving_ms < 0);
	words[ENQUEUED] = 2001;
	CHECK(!find("gpu-waits"));
	words[ENQUEUED] = 2000;
	words[WAITS] = 99; /* few */
	CHECK(!find("gpu-waits"));
}

TEST(memory_that_is_allocated_anew_is_told_and_a_model_that_stays_is_not)
{
	uint64_t *words = device();
	words[ALLOCATIONS] = 2000;
	words[FREES] = 2000;
	words[ENQUEUED] = 2000;
	CHECK(!find("gpu-allocation-churn"));
	words[ENQUEUED] = 1000;
	const struct wan_finding *finding = find("gpu-allocation-churn");
	REQUIRE(finding);
	CHECK_NEAR(finding->value, 2, 1e-9);
	words[FREES] = 1799;
	CHECK(!find("gpu-allocation-churn"));
	words[FREES] = 1800;
	CHECK(find("gpu-allocation-churn"));
}

TEST(copies_without_page_locked_memory_are_told)
{
	uint64_t *words = device();
	copies("cuda.memcpy_h2d", 0.6);
	copies("cuda.memcpy_d2h_async", 0.4);
	copies("cuda.memcpy_d2d", 5);        /* does not leave the device */
	CHECK(!find("gpu-pageable-copies")); /* a tenth: at the limit */
	copies("cuda.memcpy_d2h", 0.5);
	const struct wan_finding *finding = find("gpu-pageable-copies");
	REQUIRE(finding);
	CHECK_NEAR(finding->value, 15, 1e-9);
	CHECK_EQ(finding->count, 3);
	words[PINNED_PEAK] = 4096;
	CHECK(!find("gpu-pageable-copies"));
}

TEST(a_full_device_is_told_where_its_size_is_known)
{
	enum { KNOWN = 0, GPU_LARGEST = 10 };
	uint64_t *words = device();
	words[DEVICE_PEAK] = 901;
	CHECK(!find("gpu-nearly-full"));
	static struct fake parent;
	struct fake *both[] = {&fake, &parent};
	fake_init(&parent);
	parent.process.header.role = WAN_ROLE_PARENT;
	parent.process.header.pid = 99;
	parent.counters[0] =
		(struct wan_process_counters){.kind = WAN_COUNTERS_HOST, .name = "host"};
	parent.counters[0].words[KNOWN] = 1;
	parent.counters[0].words[GPU_LARGEST] = 1000;
	parent.process.counters_count = 1;
	REQUIRE(fake_analyse(both, 2, &config, &analysis) == 0);
	const struct wan_finding *finding = fake_finding(&analysis, "gpu-nearly-full");
	if (CHECK(finding))
		CHECK_NEAR(finding->value, 90.1, 1e-9);
	wan_analysis_finish(&analysis);
	words[DEVICE_PEAK] = 900;
	REQUIRE(fake_analyse(both, 2, &config, &analysis) == 0);
	CHECK(!fake_finding(&analysis, "gpu-nearly-full"));
	wan_analysis_finish(&analysis);
}

TAP_MAIN
