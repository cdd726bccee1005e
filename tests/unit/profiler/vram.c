/* SPDX-License-Identifier: MIT */
#include "vram.h"

#include <string.h>

#include "tap.h"

enum { MIB = 1 << 20, MANY = 1000 };

static struct wan_process process, other;
static struct wan_view_source sources[] = {{.process = &process}, {.process = &other}};
static const struct wan_view view = {.sources = sources, .source_count = 2};
static struct wan_process_event events[MANY];

static struct wan_process_event sample(uint64_t time_ns, const char *device, uint64_t live_mib,
				       uint64_t high_mib)
{
	return (struct wan_process_event){
		.kind = WAN_RECORD_VRAM,
		.time_ns = time_ns,
		.name = device,
		.text = "",
		.values = {live_mib * MIB, high_mib * MIB},
	};
}

static uint64_t peak_mib(const struct wan_vram *vram, uint64_t start_ns, uint64_t end_ns)
{
	return wan_vram_peak(vram, &process, start_ns, end_ns) / MIB;
}

TEST(peak_of_a_stretch_is_what_was_live_then)
{
	struct wan_vram vram;
	events[0] = sample(100, "device 0", 10, 10);
	events[1] = sample(200, "device 0", 50, 50);
	events[2] = sample(300, "device 0", 20, 90);
	process.events = events;
	process.event_count = 3;
	CHECK(wan_vram_init(&vram, &view) == 0);
	CHECK_EQ(peak_mib(&vram, 10, 99), 0);
	CHECK_EQ(peak_mib(&vram, 10, 100), 10);
	CHECK_EQ(peak_mib(&vram, 150, 160), 10); /* no sample inside: it stayed */
	CHECK_EQ(peak_mib(&vram, 150, 250), 50);
	CHECK_EQ(peak_mib(&vram, 250, 300), 90); /* higher between two samples */
	CHECK_EQ(peak_mib(&vram, 300, UINT64_MAX), 20);
	wan_vram_finish(&vram);
}

TEST(the_fullest_device_counts_and_others_are_unknown)
{
	struct wan_vram vram;
	events[0] = sample(100, "device 0", 10, 10);
	events[1] = sample(100, "device 1", 30, 30);
	process.event_count = 2;
	CHECK(wan_vram_init(&vram, &view) == 0);
	CHECK_EQ(peak_mib(&vram, 0, 200), 30);
	CHECK(wan_vram_peak(&vram, &other, 0, 200) == UINT64_MAX);
	wan_vram_finish(&vram);
	process.event_count = 0;
	CHECK(wan_vram_init(&vram, &view) == 0);
	CHECK(wan_vram_peak(&vram, &process, 0, 200) == UINT64_MAX);
	wan_vram_finish(&vram);
}

TEST(long_lines_agree_with_a_plain_search)
{
	struct wan_vram vram;
	uint32_t seed = 1;
	for (unsigned i = 0; i < MANY; i++) {
		seed = seed * 1664525 + 1013904223;
		events[i] = sample(i * 10, "device 0", seed >> 24, (seed >> 24) + (seed & 63));
	}
	process.event_count = MANY;
	CHECK(wan_vram_init(&vram, &view) == 0);
	for (unsigned i = 0; i < 2000; i++) {
		seed = seed * 1664525 + 1013904223;
		uint64_t start = (seed >> 8) % (MANY * 10), end = start + (seed & 0xfff) * 2;
		uint64_t expected = events[start / 10].values[0];
		for (unsigned k = 0; k < MANY; k++)
			if (events[k].time_ns > start && events[k].time_ns <= end &&
			    events[k].values[1] > expected)
				expected = events[k].values[1];
		CHECK_EQ(wan_vram_peak(&vram, &process, start, end), expected);
	}
	wan_vram_finish(&vram);
}

TEST(phases_have_the_peak_of_their_stretches)
{
	struct wan_vram vram;
	struct wan_trackers none = {0};
	events[0] = sample(100, "device 0", 10, 10);
	events[1] = sample(200, "device 0", 70, 70);
	events[2] = (struct wan_process_event){
		.kind = WAN_RECORD_PHASE, .text = "decode", .name = "job", .values = {0, 50}};
	process.event_count = 3;
	CHECK(wan_vram_init(&vram, &view) == 0);
	uint64_t start_ns = wan_process_time_ns(&process, 0);
	uint64_t expected = wan_vram_peak(&vram, &process, start_ns, start_ns + 50);
	CHECK_EQ(wan_vram_phase_peak(&vram, &view, &none, "decode"), expected);
	CHECK(wan_vram_phase_peak(&vram, &view, &none, "encode") == UINT64_MAX);
	wan_vram_finish(&vram);
}

TAP_MAIN
