/* SPDX-License-Identifier: MIT */
/* Threads, memory, speed, chunks: every row of the requirements' tables, and the bounds. */
#include "advise.h"

#include "config.h"
#include "macros.h"
#include "made_machine.h"
#include "tap.h"
#include "wan/memory.h"

/* Processors of the table: cores, threads, what to allot. */
TEST(every_processor_of_the_table_gets_its_threads)
{
	static const struct {
		unsigned cores, logical, least, most;
	} rows[] = {
		{64, 128, 64, 96}, {16, 32, 16, 24}, {8, 16, 8, 12},
		{12, 20, 12, 16},  {6, 12, 6, 8},    {6, 6, 4, 6},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++) {
		struct machine machine = make(rows[i].cores, rows[i].logical, 16, 0);
		struct thread_advice advice = threads_advise(&machine);
		CHECK_EQ(advice.least, rows[i].least);
		CHECK_EQ(advice.most, rows[i].most);
		CHECK(advice.recommended >= advice.least && advice.recommended <= advice.most);
		for (unsigned threads = rows[i].least; threads <= rows[i].most; threads++)
			CHECK_EQ(threads_judge(threads, advice.cores, advice.logical),
				 ALLOTMENT_OPTIMAL);
	}
}

TEST(threads_are_judged_strictly_beyond_the_bounds)
{
	CHECK_EQ(threads_judge(4, 8, 16), ALLOTMENT_OPTIMAL); /* 0.5 x 8 */
	CHECK_EQ(threads_judge(3.999, 8, 16), ALLOTMENT_UNDER);
	CHECK_EQ(threads_judge(12, 8, 10), ALLOTMENT_OPTIMAL); /* 1.2 x 10 */
	CHECK_EQ(threads_judge(12.001, 8, 10), ALLOTMENT_OVER);
	CHECK_EQ(threads_judge(4, 0, 16), ALLOTMENT_UNKNOWN);
}

TEST(threads_do_not_exceed_what_a_container_grants)
{
	struct machine machine = make(16, 32, 64, 0);
	machine.cpu_quota = 1.5;
	struct thread_advice advice = threads_advise(&machine);
	CHECK(advice.capped);
	CHECK_EQ(advice.recommended, 1);
	CHECK_EQ(advice.most, 1);
	CHECK_EQ(threads_judge(16, advice.cores, advice.logical), ALLOTMENT_OVER);
	CHECK_EQ(threads_judge(1, advice.cores, advice.logical), ALLOTMENT_OPTIMAL);
	machine.cpu_quota = 20; /* between cores and hardware threads */
	advice = threads_advise(&machine);
	CHECK_EQ(advice.recommended, 16);
	CHECK_EQ(advice.most, 20);
	machine.cpu_quota = 0.3;
	CHECK_EQ(threads_advise(&machine).recommended, 1);
	struct machine unknown = {.memory_limit_bytes = MACHINE_UNLIMITED};
	CHECK_EQ(threads_advise(&unknown).recommended, 0);
}

TEST(every_memory_of_the_table_gets_its_share)
{
	static const double rows[][3] = {
		{128, 32, 64}, {64, 16, 32}, {32, 8, 16}, {16, 4, 8}, {8, 2, 4}};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++) {
		struct range range = memory_advise(rows[i][0], rows[i][0]);
		CHECK_NEAR(range.low, rows[i][1], 1e-9);
		CHECK_NEAR(range.high, rows[i][2], 1e-9);
		CHECK_EQ(memory_judge(range.low, rows[i][0]), ALLOTMENT_OPTIMAL);
		CHECK_EQ(memory_judge(range.high, rows[i][0]), ALLOTMENT_OPTIMAL);
	}
	CHECK_NEAR(memory_advise(64, 20).high, 18, 1e-9);
	struct range full = memory_advise(64, 4);
	CHECK(full.low > full.high);
	CHECK_EQ(memory_judge(9, 10), ALLOTMENT_OPTIMAL);
	CHECK_EQ(memory_judge(9.001, 10), ALLOTMENT_OVER);
	CHECK_EQ(memory_judge(1, 10), ALLOTMENT_OPTIMAL);
	CHECK_EQ(memory_judge(0.999, 10), ALLOTMENT_UNDER);
	CHECK_EQ(memory_judge(1, 0), ALLOTMENT_UNKNOWN);
}

TEST(every_card_of_the_table_gets_its_share)
{
	static const double rows[][3] = {{16, 14, 15}, {12, 10, 11}, {8, 6, 7}, {6, 4, 5}};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++) {
		struct range range = vram_advise(rows[i][0]);
		CHECK_NEAR(range.low, rows[i][1], 1e-9);
		CHECK_NEAR(range.high, rows[i][2], 1e-9);
		CHECK_EQ(vram_judge(range.low, rows[i][0]), ALLOTMENT_OPTIMAL);
		CHECK_EQ(vram_judge(range.high, rows[i][0]), ALLOTMENT_OPTIMAL);
	}
	for (double total = 0.5; total <= 200; total += 0.5) {
		struct range range = vram_advise(total);
		CHECK(range.low <= range.high);
		CHECK_EQ(vram_judge(range.low, total), ALLOTMENT_OPTIMAL);
		CHECK_EQ(vram_judge(range.high, total), ALLOTMENT_OPTIMAL);
	}
	CHECK_EQ(vram_judge(9.5, 10), ALLOTMENT_OPTIMAL);
	CHECK_EQ(vram_judge(9.501, 10), ALLOTMENT_OVER);
	CHECK_EQ(vram_judge(5, 10), ALLOTMENT_OPTIMAL);
	CHECK_EQ(vram_judge(4.999, 10), ALLOTMENT_UNDER);
	CHECK_EQ(vram_judge(4, 0), ALLOTMENT_NO_GPU);
	CHECK_NEAR(vram_advise(0).high, 0, 0);
}

/* The whole grid: five sizes, four qualities, four modes. */
TEST(the_speed_model_gives_every_figure_of_the_grid)
{
	static const unsigned sizes[][2] = {
		{3840, 2160}, {1920, 1080}, {1280, 720}, {854, 480}, {640, 360}};
	static const double rows[][QUALITIES] = {{1.125, 2.25, 3.75, 7.5},
						 {4.5, 9, 15, 30},
						 {10.125, 20.25, 33.75, 67.5},
						 {22.76, 45.53, 75.88, 151.76},
						 {40.5, 81, 135, 270}};
	static const double modes[SPEED_MODES] = {1, 2.0 / 3, 0.3, 0.2};
	for (unsigned size = 0; size < WAN_COUNT_OF(sizes); size++)
		for (unsigned quality = 0; quality < QUALITIES; quality++)
			for (unsigned mode = 0; mode < SPEED_MODES; mode++) {
				struct speed_setup setup = {sizes[size][0], sizes[size][1],
							    (enum quality)quality,
							    (enum speed_mode)mode};
				double fps = speed_model(&setup, 0);
				CHECK_NEAR(fps, rows[size][quality] * modes[mode], 0.006);
				CHECK_NEAR(speed_model(&setup, speed_base(&setup, 7)), 7, 1e-9);
			}
}

static struct speed_advice optimise(unsigned width_px, unsigned height_px, enum quality quality,
				    enum speed_mode mode, double target_fps)
{
	struct speed_setup setup = {width_px, height_px, quality, mode};
	return speed_advise(&setup, target_fps, 0);
}

static void check_setup(const struct speed_advice *advice, unsigned width_px, enum quality quality,
			double fps)
{
	CHECK_EQ(advice->setup.width_px, width_px);
	CHECK_EQ(advice->setup.quality, quality);
	CHECK_NEAR(advice->after_fps, fps, 0.006);
}

TEST(quality_goes_before_size)
{
	struct speed_advice advice = optimise(3840, 2160, QUALITY_ULTRA, SPEED_GPU_PARALLEL, 5);
	check_setup(&advice, 3840, QUALITY_LOW, 7.5);
	CHECK(advice.reached && advice.changed);
	advice = optimise(3840, 2160, QUALITY_ULTRA, SPEED_CPU, 5);
	check_setup(&advice, 1920, QUALITY_LOW, 6);
	CHECK(advice.reached);
}

TEST(a_setup_that_reaches_the_target_is_left_alone)
{
	struct speed_advice advice = optimise(1920, 1080, QUALITY_HIGH, SPEED_GPU_PARALLEL, 5);
	check_setup(&advice, 1920, QUALITY_HIGH, 9);
	CHECK(advice.reached && !advice.changed);
	advice = optimise(1920, 1080, QUALITY_HIGH, SPEED_GPU_PARALLEL, 9); /* at the target */
	CHECK(advice.reached && !advice.changed);
	advice = optimise(1920, 1080, QUALITY_HIGH, SPEED_GPU_PARALLEL, 9.01);
	check_setup(&advice, 1920, QUALITY_MEDIUM, 15);
}

TEST(nothing_is_ever_enlarged_or_made_better)
{
	/* Below the ladder, and slower than asked: there is nothing left. */
	struct speed_advice advice = optimise(320, 240, QUALITY_LOW, SPEED_CPU, 1000);
	check_setup(&advice, 320, QUALITY_LOW, 162);
	CHECK(!advice.reached && !advice.changed);
	advice = optimise(1000, 1000, QUALITY_LOW, SPEED_CPU, 20); /* between two steps */
	CHECK_EQ(advice.setup.width_px, 854);
	advice = optimise(1080, 1920, QUALITY_ULTRA, SPEED_CPU, 10); /* upright stays upright */
	CHECK_EQ(advice.setup.width_px, 720);
	CHECK_EQ(advice.setup.height_px, 1280);
	for (unsigned width = 16; width < 5000; width += 77)
		for (unsigned mode = 0; mode < SPEED_MODES; mode++) {
			advice = optimise(width, width / 2 + 1, QUALITY_MEDIUM,
					  (enum speed_mode)mode, 60);
			CHECK((uint64_t)advice.setup.width_px * advice.setup.height_px <=
			      (uint64_t)width * (width / 2 + 1));
			CHECK(advice.setup.quality >= QUALITY_MEDIUM);
			CHECK(advice.after_fps >= advice.before_fps);
		}
}

TEST(a_measured_speed_replaces_the_base)
{
	struct machine machine = make(16, 32, 64, 24);
	struct advise advise;
	struct advise_request request = {
		.measured = {.fps = 2, .frames = 120, .seconds = 60},
	};
	advise_for(&machine, &request, &advise);
	CHECK(advise.measured);
	CHECK_NEAR(advise.speed.before_fps, 2, 1e-9);
	CHECK_NEAR(advise.model_fps, 9, 1e-9);
	CHECK_EQ(advise.speed.setup.quality, QUALITY_LOW); /* 2 > 3.33 > 6.67 */
	CHECK_NEAR(advise.speed.after_fps, 2 / 0.6 * 2, 1e-9);
	request.measured.fps = NAN;
	advise_for(&machine, &request, &advise);
	CHECK(!advise.measured);
	CHECK_NEAR(advise.speed.before_fps, 9, 1e-9);
}

TEST(sizes_of_the_ladder_are_offered_as_the_model_can_make_them)
{
	struct machine machine = make(2, 2, 4, 0);
	struct advise advise;
	struct advise_request request = {.width_px = 1280, .height_px = 720, .target_fps = 20};
	advise_for(&machine, &request, &advise);
	CHECK_EQ(advise.speed.setup.width_px, 854);
	CHECK_EQ(advise.offered_width_px, 832);
	CHECK_EQ(advise.offered_height_px, 480);
}

/* The rule with true frame bytes; literally it says 100 whatever there is. */
TEST(chunks_follow_memory_and_true_frame_bytes)
{
	const uint64_t frame = 1920 * 1080 * 3;
	CHECK_NEAR((double)GIB / (double)frame, 172.6, 0.05);
	CHECK_EQ(wan_memory_chunk_frames(16 * GIB, 2 * GIB, frame), 100);
	CHECK_EQ(wan_memory_chunk_frames(2 * GIB + GIB / 2, 2 * GIB, frame), 60);
	CHECK_EQ(wan_memory_chunk_frames(2 * GIB + GIB / 2, 2 * GIB, frame * 4), 15);
	struct machine machine = make(16, 32, 64, 24);
	struct advise advise;
	struct advise_request request = {.frames = 100};
	advise_for(&machine, &request, &advise);
	CHECK_EQ(advise.chunks[0].frame_bytes, frame);
	CHECK_EQ(advise.chunks[0].chunks, 1); /* whole at once */
	request.frames = 0;
	advise_for(&machine, &request, &advise);
	CHECK_EQ(advise.frames, 120);
	CHECK_EQ(advise.chunks[0].chunks, 2);
	request.memory_gb = 0.5; /* the limit that the requirements name and never use */
	advise_for(&machine, &request, &advise);
	CHECK(advise.chunks[1].frames >= 10 && advise.chunks[1].frames < 100);
	request.memory_gb = 0.001;
	advise_for(&machine, &request, &advise);
	CHECK_EQ(advise.chunks[1].frames, 0);
}

/* Each line is accepted by the configuration it is meant for. */
TEST(recommended_lines_are_valid_configuration)
{
	static const double memories[] = {0.05, 0.5, 4, 64, 2048};
	static struct wan_config config;
	for (size_t i = 0; i < WAN_COUNT_OF(memories); i++) {
		struct machine machine = make(8, 16, memories[i], 8);
		struct advise advise;
		struct advise_request request = {.memory_gb = memories[i] / 2, .vram_gb = 7};
		machine.disk.free_bytes = 100 << 20;
		advise_for(&machine, &request, &advise);
		CHECK_EQ(advise.line_count, 5);
		for (unsigned line = 0; line < advise.line_count; line++) {
			char key[64];
			struct wan_error error;
			const char *text = advise.lines[line].text, *equal = strstr(text, " = ");
			REQUIRE(equal);
			snprintf(key, sizeof(key), "%.*s", (int)(equal - text), text);
			wan_config_defaults(&config);
			CHECK_EQ(wan_config_set(&config, key, equal + 3, &error), 0);
		}
	}
}

TEST(a_machine_of_which_nothing_is_known_gets_no_made_up_advice)
{
	struct machine machine = {.memory_limit_bytes = MACHINE_UNLIMITED, .disk.rotational = -1};
	struct advise advise;
	struct advise_request request = {.threads = 8, .memory_gb = 4, .vram_gb = 4};
	advise_for(&machine, &request, &advise);
	CHECK_EQ(advise.threads_judged, ALLOTMENT_UNKNOWN);
	CHECK_EQ(advise.memory_judged, ALLOTMENT_UNKNOWN);
	CHECK_EQ(advise.vram_judged, ALLOTMENT_NO_GPU);
	CHECK_EQ(advise.threads.recommended, 0);
}

TAP_MAIN
