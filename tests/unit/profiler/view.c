/* SPDX-License-Identifier: MIT */
#include "view.h"

#include "support.h"
#include "tap.h"

static struct fake fake, other, parent;
static struct wan_view view;

static void make(const char *glob)
{
	struct wan_view_source source = {.process = &fake.process, .until_ns = UINT64_MAX};
	CHECK_EQ(wan_view_init(&view, &source, 1, glob), 0);
}

TEST(records_of_all_processes_stand_in_order_of_start)
{
	fake_init(&fake);
	fake_init(&other);
	other.process.start_realtime_ns += 500000;
	for (int i = 0; i < 3; i++) {
		fake_add(&fake, fake_operation("a", 1));
		fake_add(&other, fake_operation("b", 1));
	}
	struct wan_view_source sources[] = {{.process = &fake.process, .until_ns = UINT64_MAX},
					    {.process = &other.process, .until_ns = UINT64_MAX}};
	REQUIRE_EQ(wan_view_init(&view, sources, 2, NULL), 0);
	REQUIRE_EQ(view.operation_count, 6);
	for (size_t i = 0; i < 6; i++)
		CHECK_STR(view.operations[i].record->name, i % 2 ? "b" : "a");
	wan_view_finish(&view);
}

TEST(a_glob_chooses_operations)
{
	fake_init(&fake);
	fake_add(&fake, fake_operation("jpeg.decode", 1));
	fake_add(&fake, fake_operation("png.decode", 1));
	fake_add(&fake, fake_operation("jpeg.encode", 1));
	make("jpeg.*");
	CHECK_EQ(view.operation_count, 2);
	wan_view_finish(&view);
	make("*.decode");
	CHECK_EQ(view.operation_count, 2);
	wan_view_finish(&view);
}

TEST(a_window_chooses_by_start)
{
	fake_init(&fake);
	for (int i = 0; i < 5; i++)
		fake_add(&fake, fake_operation("a", 1));
	struct wan_view_source source = {.process = &fake.process,
					 .since_ns = fake.operations[1].start_ns,
					 .until_ns = fake.operations[3].start_ns};
	REQUIRE_EQ(wan_view_init(&view, &source, 1, NULL), 0);
	CHECK_EQ(view.operation_count, 3);
	wan_view_finish(&view);
}

static void add_open(void)
{
	fake.inflight[0].operation = fake_operation("png.decode", 40);
	fake.inflight[0].operation.status = 255;
	fake.inflight[0].operation.start_ns = fake.process.start_ns;
	fake.process.inflight_count = 1;
}

TEST(the_open_operation_of_a_live_process_is_in_flight)
{
	fake_init(&fake);
	fake.process.live = true;
	fake.process.state = WAN_RUN_RUNNING;
	add_open();
	make(NULL);
	CHECK_EQ(view.in_flight_count, 1);
	CHECK_EQ(view.operation_count, 0);
	wan_view_finish(&view);
}

TEST(the_open_operation_of_a_process_that_gave_up_has_failed)
{
	fake_init(&fake);
	fake.process.header.exit_status = 1;
	add_open();
	make(NULL);
	REQUIRE_EQ(view.operation_count, 1);
	CHECK(view.operations[0].unfinished);
	CHECK_EQ(view.operations[0].status, WAN_OP_FAILED);
	wan_view_finish(&view);
}

TEST(an_open_decode_that_delivered_all_rows_is_ok)
{
	static const struct {
		const char *name;
		uint32_t rows, height;
		uint8_t status;
	} cases[] = {{"png.decode", 100, 100, WAN_OP_OK},
		     {"png.decode", 99, 100, WAN_OP_FAILED},
		     {"png.decode", 0, 0, WAN_OP_FAILED},
		     {"png.encode", 100, 100, WAN_OP_FAILED}};
	for (size_t i = 0; i < 4; i++) {
		fake_init(&fake);
		fake.process.header.exit_status = 1;
		add_open();
		fake.inflight[0].operation.name = cases[i].name;
		fake.inflight[0].operation.width_px = fake.inflight[0].operation.height_px =
			cases[i].height;
		fake.inflight[0].rows_done = cases[i].rows;
		make(NULL);
		REQUIRE_EQ(view.operation_count, 1);
		CHECK(view.operations[0].unfinished);
		CHECK_EQ(view.operations[0].status, cases[i].status);
		wan_view_finish(&view);
	}
	fake.inflight[0].rows_done = 0;
}

TEST(the_open_operation_of_a_killed_process_is_aborted)
{
	static const uint32_t states[] = {WAN_RUN_SIGNALLED, WAN_RUN_KILLED_FOR_MEMORY,
					  WAN_RUN_UNKNOWN};
	for (int i = 0; i < 3; i++) {
		fake_init(&fake);
		fake.process.state = states[i];
		add_open();
		make(NULL);
		REQUIRE_EQ(view.operation_count, 1);
		CHECK_EQ(view.operations[0].status, WAN_OP_ABORTED);
		wan_view_finish(&view);
	}
}

TEST(the_parent_speaks_for_the_outcome_and_its_first_child_is_the_program)
{
	fake_init(&parent);
	fake_init(&fake);
	fake_init(&other);
	parent.process.header.role = WAN_ROLE_PARENT;
	parent.process.header.pid = 50;
	other.process.header.parent_pid = 100; /* a grandchild that started "earlier" */
	other.process.start_realtime_ns -= 1000;
	fake.process.header.parent_pid = 50;
	struct wan_view_source sources[] = {{.process = &other.process, .until_ns = UINT64_MAX},
					    {.process = &fake.process, .until_ns = UINT64_MAX},
					    {.process = &parent.process, .until_ns = UINT64_MAX}};
	REQUIRE_EQ(wan_view_init(&view, sources, 3, NULL), 0);
	CHECK(view.main == &fake.process);
	CHECK(view.parent == &parent.process);
	CHECK(wan_view_outcome(&view) == &parent.process);
	wan_view_finish(&view);
}

TEST(a_view_of_nothing_is_empty)
{
	uint64_t start, end;
	REQUIRE_EQ(wan_view_init(&view, NULL, 0, NULL), 0);
	CHECK(!view.main && !wan_view_outcome(&view));
	wan_view_span(&view, &start, &end);
	CHECK_EQ(end - start, 0);
	wan_view_finish(&view);
}

TEST(two_runs_a_day_apart_took_the_sum_of_both)
{
	static struct fake runs[3];
	struct wan_view_source sources[3];
	unsigned count;
	for (int i = 0; i < 3; i++) {
		fake_init(&runs[i]); /* ten seconds each */
		runs[i].process.header.run_id[0] = i ? 2 : 1;
		sources[i] = (struct wan_view_source){.process = &runs[i].process,
						      .until_ns = UINT64_MAX};
	}
	runs[1].process.start_realtime_ns += 86400000000000u;
	runs[2].process.start_realtime_ns = runs[1].process.start_realtime_ns + 5000000000u;
	REQUIRE_EQ(wan_view_init(&view, sources, 3, NULL), 0);
	CHECK_EQ(wan_view_run_ns(&view, &count), 25000000000u);
	CHECK_EQ(count, 2);
	wan_view_finish(&view);
}

TAP_MAIN
