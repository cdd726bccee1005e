/* SPDX-License-Identifier: MIT */
/* Tiers and levels: every row of the requirements' tables, and the bounds between them. */
#include "requirements.h"

#include "macros.h"
#include "made_machine.h"
#include "tap.h"

/* Tier detection: each bound belongs to it. */
TEST(tiers_begin_at_their_bounds)
{
	static const struct {
		double vram_gb, ram_gb;
		unsigned cpus;
		enum machine_tier tier;
	} rows[] = {
		{6, 16, 1, MACHINE_TIER_HIGH_END},       {5.999, 16, 8, MACHINE_TIER_MID_RANGE},
		{6, 15.999, 8, MACHINE_TIER_MID_RANGE},  {4, 12, 1, MACHINE_TIER_MID_RANGE},
		{3.999, 64, 4, MACHINE_TIER_BUDGET},     {4, 11.999, 4, MACHINE_TIER_BUDGET},
		{0, 8, 4, MACHINE_TIER_BUDGET},          {0, 7.999, 64, MACHINE_TIER_MINIMAL},
		{0, 64, 3, MACHINE_TIER_MINIMAL},        {24, 8, 3, MACHINE_TIER_MINIMAL},
		{24, 8, 4, MACHINE_TIER_BUDGET},         {0, 0, 0, MACHINE_TIER_MINIMAL},
		{141, 2048, 256, MACHINE_TIER_HIGH_END},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++)
		CHECK_EQ(machine_tier(rows[i].vram_gb, rows[i].ram_gb, rows[i].cpus), rows[i].tier);
}

TEST(a_tier_is_set_up_as_the_requirements_say)
{
	static const struct {
		unsigned width, height, offered;
		enum quality quality;
		bool gpu, parallel;
	} rows[MACHINE_TIERS] = {
		[MACHINE_TIER_HIGH_END] = {1920, 1080, 1920, QUALITY_HIGH, true, true},
		[MACHINE_TIER_MID_RANGE] = {1280, 720, 1280, QUALITY_MEDIUM, true, true},
		[MACHINE_TIER_BUDGET] = {1280, 720, 1280, QUALITY_MEDIUM, false, true},
		[MACHINE_TIER_MINIMAL] = {854, 480, 832, QUALITY_LOW, false, false},
	};
	for (unsigned i = 0; i < MACHINE_TIERS; i++) {
		const struct tier_setup *setup = tier_setup((enum machine_tier)i);
		CHECK_EQ(setup->width_px, rows[i].width);
		CHECK_EQ(setup->height_px, rows[i].height);
		CHECK_EQ(setup->offered_width_px, rows[i].offered);
		CHECK_EQ(setup->offered_width_px % 16, 0);
		CHECK_EQ(setup->quality, rows[i].quality);
		CHECK(setup->gpu == rows[i].gpu && setup->parallel == rows[i].parallel);
	}
}

TEST(tiers_have_names_that_lead_back)
{
	static const char *const names[] = {"minimal", "budget", "mid-range", "high-end"};
	enum machine_tier tier;
	for (unsigned i = 0; i < MACHINE_TIERS; i++) {
		CHECK_STR(machine_tier_name((enum machine_tier)i), names[i]);
		CHECK(machine_tier_find(names[i], &tier) && tier == i);
	}
	CHECK(!machine_tier_find("ultra", &tier));
	CHECK_STR(machine_tier_name((enum machine_tier)99), "unknown");
}

/* What machines and cards of a size report, in MiB. */
TEST(a_nominal_size_counts_although_a_part_of_it_is_kept)
{
	static const struct {
		uint64_t mib;
		double gb;
	} rows[] = {
		{15900, 16},             /* a desktop of 16 GB */
		{15258, 16},             /* 16 * 10^9 bytes, as containers write it */
		{15237, 15237 / 1024.0}, /* 7 % and a bit below 16 */
		{15000, 15000 / 1024.0}, /* "15 GB" of a cloud is no 16 */
		{7780, 8},
		{11500, 12},
		{6144, 6},
		{5754, 6},   /* a card with error correction */
		{16376, 16}, /* RTX 4080 */
		{4096, 4},
		{3700, 3700 / 1024.0},
		{24564, 24},
		{143771, 143771 / 1024.0},
		{0, 0},
		{2000 * 1024, 2000},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++)
		CHECK_NEAR(machine_nominal_gb(rows[i].mib << 20), rows[i].gb, 1e-9);
}

TEST(the_machine_that_was_called_mid_range_is_high_end_by_the_rule)
{
	/* RTX 3060 with 12 GB beside a nominal 16 GB: it meets the rule if 16 GB count as 16. */
	struct machine machine = make(6, 12, 15.5, 12);
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_HIGH_END);
	machine.memory_bytes = 14 * GIB;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_MID_RANGE);
}

TEST(limits_of_containers_count_and_cards_are_not_added_up)
{
	struct machine machine = make(32, 64, 256, 5);
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_MID_RANGE);
	machine.gpus.count = 2; /* twice 5 GB is no card of 10 */
	machine.gpus.gpu[1].total_bytes = 5 * GIB;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_MID_RANGE);
	machine.gpus.gpu[1].total_bytes = 24 * GIB;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_HIGH_END);
	machine.memory_limit_bytes = 8 * GIB;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_BUDGET);
	machine.cpu_quota = 3.9;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_MINIMAL);
	machine.cpu_quota = 4;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_BUDGET);
	machine.usable = 2;
	CHECK_EQ(machine_tier_of(&machine), MACHINE_TIER_MINIMAL);
}

/* Model loading and generation per tier, with the frame rates as recomputed. */
static const struct {
	enum machine_tier tier;
	bool gpu;
	const char *name;
	double load[2], ram, vram, small[2], large[2], fps[2], cpu[2], card[2], io;
} expected_rows[] = {
	{MACHINE_TIER_HIGH_END,
	 true,
	 "High-End",
	 {15, 30},
	 16,
	 12,
	 {30, 60},
	 {60, 120},
	 {2, 4},
	 {70, 85},
	 {85, 95},
	 80},
	{MACHINE_TIER_MID_RANGE,
	 true,
	 "Mid-Range",
	 {30, 60},
	 12,
	 8,
	 {60, 120},
	 {120, 240},
	 {1, 2},
	 {75, 90},
	 {80, 90},
	 85},
	{MACHINE_TIER_BUDGET,
	 true,
	 "Budget",
	 {60, 120},
	 8,
	 6,
	 {120, 300},
	 {240, 600},
	 {0.4, 1},
	 {80, 95},
	 {75, 85},
	 90},
	{MACHINE_TIER_MINIMAL,
	 true,
	 "Minimum",
	 {120, 180},
	 6,
	 4,
	 {300, 600},
	 {600, 1200},
	 {0.2, 0.4},
	 {85, 100},
	 {70, 80},
	 95},
	{MACHINE_TIER_MINIMAL,
	 false,
	 "CPU-Only",
	 {180, 300},
	 8,
	 0,
	 {600, 1800},
	 {1200, 3600},
	 {120.0 / 1800, 0.2},
	 {0, 0},
	 {0, 0},
	 0},
	{MACHINE_TIER_BUDGET,
	 false,
	 "CPU-Only",
	 {180, 300},
	 8,
	 0,
	 {600, 1800},
	 {1200, 3600},
	 {120.0 / 1800, 0.2},
	 {0, 0},
	 {0, 0},
	 0},
};

TEST(expectations_are_those_of_the_requirements)
{
	for (size_t i = 0; i < WAN_COUNT_OF(expected_rows); i++) {
		const struct tier_expectation *row =
			tier_expectation(expected_rows[i].tier, expected_rows[i].gpu);
		struct range fps = tier_frames_per_s(row->clip_720_s);
		CHECK_STR(row->name, expected_rows[i].name);
		CHECK_NEAR(row->load_s.low, expected_rows[i].load[0], 0);
		CHECK_NEAR(row->load_s.high, expected_rows[i].load[1], 0);
		CHECK_NEAR(row->memory_gb, expected_rows[i].ram, 0);
		CHECK_NEAR(row->vram_gb, expected_rows[i].vram, 0);
		CHECK_NEAR(row->clip_720_s.low, expected_rows[i].small[0], 0);
		CHECK_NEAR(row->clip_720_s.high, expected_rows[i].small[1], 0);
		CHECK_NEAR(row->clip_1080_s.low, expected_rows[i].large[0], 0);
		CHECK_NEAR(row->clip_1080_s.high, expected_rows[i].large[1], 0);
		CHECK_NEAR(fps.low, expected_rows[i].fps[0], 1e-9);
		CHECK_NEAR(fps.high, expected_rows[i].fps[1], 1e-9);
		CHECK_NEAR(row->cpu_pct.low, expected_rows[i].cpu[0], 0);
		CHECK_NEAR(row->cpu_pct.high, expected_rows[i].cpu[1], 0);
		CHECK_NEAR(row->gpu_pct.low, expected_rows[i].card[0], 0);
		CHECK_NEAR(row->gpu_pct.high, expected_rows[i].card[1], 0);
		CHECK_NEAR(row->io_pct, expected_rows[i].io, 0);
	}
}

/* Eleven measured rows: frames per second are 120 over the seconds, in parallel is faster. */
TEST(measured_machines_agree_with_themselves)
{
	static const double gains[MACHINE_TIERS][2] = {
		[MACHINE_TIER_HIGH_END] = {1.48, 1.59},
		[MACHINE_TIER_MID_RANGE] = {1.42, 1.51},
		[MACHINE_TIER_BUDGET] = {0, 1.50},
	};
	unsigned rows = 0;
	CHECK(!tier_measured(MACHINE_TIER_MINIMAL));
	for (unsigned i = MACHINE_TIER_BUDGET; i < MACHINE_TIERS; i++) {
		const struct measured_machine *machine = tier_measured((enum machine_tier)i);
		for (unsigned mode = 0; mode < SPEED_MODES; mode++) {
			if (machine->mode[mode].seconds <= 0)
				continue;
			rows++;
			CHECK_NEAR(120 / machine->mode[mode].seconds, machine->mode[mode].fps,
				   0.05);
		}
		if (machine->mode[SPEED_GPU].seconds > 0)
			CHECK_NEAR(machine->mode[SPEED_GPU].seconds /
					   machine->mode[SPEED_GPU_PARALLEL].seconds,
				   gains[i][0], 0.005);
		CHECK_NEAR(machine->mode[SPEED_CPU].seconds /
				   machine->mode[SPEED_CPU_PARALLEL].seconds,
			   gains[i][1], 0.005);
		CHECK(machine->quality_gpu > machine->quality_cpu);
	}
	CHECK_EQ(rows, 11);
}

TEST(the_level_of_a_machine_is_the_highest_it_meets_whole)
{
	struct machine machine = make(8, 16, 31.2, 8);
	CHECK_EQ(level_judge(&machine).level, LEVEL_OPTIMAL);
	CHECK_EQ(level_judge(&machine).lacks, 0);
	machine.physical_cores = 6;
	machine.gpus.gpu[0].total_bytes = 4 * GIB;
	machine.memory_bytes = 31 * GIB;
	CHECK_EQ(level_judge(&machine).level, LEVEL_RECOMMENDED);
	CHECK_EQ(level_judge(&machine).lacks, LACKS_CORES | LACKS_GPU);
	machine.disk.rotational = 1;
	CHECK_EQ(level_judge(&machine).level, LEVEL_MINIMUM);
	CHECK_EQ(level_judge(&machine).lacks, LACKS_FAST_DISK);
	machine.disk.free_bytes = 40 * GIB;
	machine.gpus = (struct machine_gpus){.state = MACHINE_GPU_NONE};
	CHECK_EQ(level_judge(&machine).lacks, LACKS_FAST_DISK | LACKS_STORAGE | LACKS_GPU);
	machine.memory_bytes = 7 * GIB;
	CHECK_EQ(level_judge(&machine).level, LEVEL_BELOW);
	CHECK_EQ(level_judge(&machine).lacks, LACKS_MEMORY);
	machine.cpu_quota = 2;
	CHECK_EQ(level_judge(&machine).lacks, LACKS_MEMORY | LACKS_CORES);
}

TEST(what_is_unknown_is_not_called_missing)
{
	struct machine nothing = {.memory_limit_bytes = MACHINE_UNLIMITED, .disk.rotational = -1};
	struct level_judgement judged = level_judge(&nothing);
	CHECK_EQ(judged.level, LEVEL_BELOW);
	CHECK_EQ(judged.lacks, 0);
	CHECK_EQ(judged.unknown, LACKS_CORES | LACKS_MEMORY | LACKS_STORAGE);
	/* The kind of a virtual machine's disk is hidden: that alone bars from nothing. */
	struct machine machine = make(16, 32, 64, 24);
	machine.disk.rotational = -1;
	CHECK_EQ(level_judge(&machine).level, LEVEL_OPTIMAL);
}

TAP_MAIN
