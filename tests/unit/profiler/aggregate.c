/* SPDX-License-Identifier: MIT */
#include "aggregate.h"

#include "support.h"
#include "tap.h"

static struct fake fake, other;
static struct wan_view view;
static struct wan_rows rows;

static void make(size_t count)
{
	struct wan_view_source sources[2] = {
		{.process = &fake.process, .until_ns = UINT64_MAX},
		{.process = &other.process, .until_ns = UINT64_MAX},
	};
	CHECK_EQ(wan_view_init(&view, sources, count, NULL), 0);
	CHECK_EQ(wan_rows_init(&rows, &view, WAN_ROWS_MERGED), 0);
}

static void finish(void)
{
	wan_rows_finish(&rows);
	wan_view_finish(&view);
}

TEST(operations_of_one_kind_make_one_row_with_exact_percentiles)
{
	fake_init(&fake);
	for (int i = 100; i >= 1; i--)
		fake_add(&fake, fake_operation("jpeg.decode", i));
	make(1);
	REQUIRE_EQ(rows.count, 1);
	CHECK_EQ(rows.items[0].count, 100);
	CHECK_EQ(rows.items[0].records, 100);
	CHECK(rows.items[0].exact_percentiles);
	CHECK_EQ(rows.items[0].min_ns, 1000000);
	CHECK_EQ(rows.items[0].max_ns, 100000000);
	CHECK_EQ(rows.items[0].p50_ns, 51000000);
	CHECK_EQ(rows.items[0].p90_ns, 91000000);
	CHECK_EQ(rows.items[0].p99_ns, 100000000);
	CHECK_EQ(rows.items[0].inside_ns, 5050000000u);
	CHECK_EQ(rows.total_operations, 100);
	CHECK_EQ(rows.total_inside_ns, 5050000000u);
	finish();
}

TEST(name_library_outcome_and_nesting_tell_rows_apart)
{
	fake_init(&fake);
	struct wan_recording_operation operation = fake_operation("jpeg.decode", 1);
	fake_add(&fake, operation);
	operation.library = "turbojpeg";
	fake_add(&fake, operation);
	operation.status = WAN_OP_FAILED;
	fake_add(&fake, operation);
	operation.child = true;
	fake_add(&fake, operation);
	operation.name = "png.decode";
	fake_add(&fake, operation);
	make(1);
	CHECK_EQ(rows.count, 5);
	for (size_t i = 0; i < rows.count; i++)
		CHECK_EQ(rows.items[i].records, 1);
	CHECK_EQ(rows.total_operations, 3);
	CHECK_EQ(rows.nested_operations, 2);
	finish();
}

TEST(options_tell_rows_apart_only_where_asked_for)
{
	static const uint16_t sets[] = {0, WAN_FLAG_PROGRESSIVE, WAN_FLAG_SCALED, WAN_FLAG_LOSSLESS,
					WAN_FLAG_PROGRESSIVE | WAN_FLAG_PEAK_UPPER_BOUND};
	fake_init(&fake);
	for (size_t i = 0; i < 5; i++) {
		struct wan_recording_operation operation = fake_operation("jpeg.decode", 1);
		operation.flags = sets[i];
		fake_add(&fake, operation);
	}
	make(1);
	REQUIRE_EQ(rows.count, 1);
	CHECK_EQ(rows.items[0].records, 5);
	CHECK_EQ(rows.items[0].progressive, 2);
	wan_rows_finish(&rows);
	REQUIRE_EQ(wan_rows_init(&rows, &view, WAN_ROWS_OPTIONS), 0);
	REQUIRE_EQ(rows.count, 4);
	for (size_t i = 0; i < 4; i++) {
		bool progressive = rows.items[i].flags == WAN_FLAG_PROGRESSIVE;
		CHECK_EQ(rows.items[i].count, progressive ? 2 : 1);
		CHECK_EQ(rows.items[i].records, rows.items[i].count);
		CHECK(rows.items[i].exact_percentiles);
	}
	CHECK_EQ(rows.total_operations, 5);
	finish();
}

TEST(the_dearest_kind_comes_first)
{
	fake_init(&fake);
	fake_add(&fake, fake_operation("cheap", 1));
	fake_add(&fake, fake_operation("dear", 2));
	fake_add(&fake, fake_operation("cheap", 1.5));
	make(1);
	REQUIRE_EQ(rows.count, 2);
	CHECK_STR(rows.items[0].name, "cheap"); /* 2.5 ms in all */
	finish();
}

TEST(overwritten_records_leave_counts_and_sums_exact)
{
	fake_init(&fake);
	for (int i = 0; i < 10; i++)
		fake_add(&fake, fake_operation("jpeg.decode", 8));
	fake.process.aggregate_count = 1;
	fake.aggregates[0].count = 1000;
	fake.aggregates[0].inside_ns = 8000000000u;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		if (wan_histogram_edge_ns(i) >= 8000000u) {
			fake.aggregates[0].histogram[i] = 1000;
			break;
		}
	make(1);
	REQUIRE_EQ(rows.count, 1);
	CHECK_EQ(rows.items[0].count, 1000);
	CHECK_EQ(rows.items[0].records, 10);
	CHECK(!rows.items[0].exact_percentiles);
	CHECK_NEAR((double)rows.items[0].p50_ns, 8e6, 4e6);
	CHECK_EQ(rows.total_operations, 1000);
	CHECK_EQ(rows.total_inside_ns, 8000000000u);
	finish();
}

TEST(processes_of_a_family_are_pooled)
{
	fake_init(&fake);
	fake_init(&other);
	fake_add(&fake, fake_operation("jpeg.decode", 1));
	fake_add(&other, fake_operation("jpeg.decode", 3));
	make(2);
	REQUIRE_EQ(rows.count, 1);
	CHECK_EQ(rows.items[0].count, 2);
	CHECK_EQ(rows.items[0].max_ns, 3000000);
	finish();
}

TEST(what_was_there_at_the_start_is_taken_away)
{
	static struct fake before;
	fake_init(&fake);
	fake_init(&before);
	fake_add(&before, fake_operation("jpeg.decode", 5));
	before.operations[0].memory_bytes = 0;
	fake_add(&fake, fake_operation("jpeg.decode", 5));
	fake_add(&fake, fake_operation("jpeg.decode", 7));
	fake.process.aggregate_count = 1; /* the reader gives one sum for both */
	fake.aggregates[0].count = 2;
	fake.aggregates[0].inside_ns = fake.aggregates[0].span_ns = 12000000;
	struct wan_view_source source = {.process = &fake.process,
					 .baseline = &before.process,
					 .since_ns = fake.operations[1].start_ns,
					 .until_ns = UINT64_MAX};
	CHECK_EQ(wan_view_init(&view, &source, 1, NULL), 0);
	CHECK_EQ(wan_rows_init(&rows, &view, WAN_ROWS_MERGED), 0);
	REQUIRE_EQ(rows.count, 1);
	CHECK_EQ(rows.items[0].count, 1);
	CHECK_EQ(rows.items[0].records, 1);
	CHECK_EQ(rows.items[0].inside_ns, 7000000);
	CHECK_EQ(rows.items[0].min_ns, 7000000);
	finish();
}

TEST(unknown_measures_stay_unknown)
{
	fake_init(&fake);
	fake_add(&fake, fake_operation("jpeg.decode", 1));
	make(1);
	CHECK(!rows.memory_known);
	CHECK_EQ(rows.items[0].cpu_known, 0);
	CHECK_EQ(rows.items[0].memory_known, 0);
	CHECK_EQ(rows.items[0].file_known, 0);
	finish();
}

TEST(operations_without_a_name_and_library_do_no_harm)
{
	fake_init(&fake);
	struct wan_recording_operation operation = fake_operation(NULL, 1);
	operation.library = NULL;
	fake_add(&fake, operation);
	make(1);
	REQUIRE_EQ(rows.count, 1);
	CHECK(rows.items[0].unknown_name);
	CHECK_EQ(rows.items[0].records, 1);
	finish();
}

/* The same text in several places, as in the recordings of a family, is one name. */
TEST(records_stay_with_their_kind_by_start_however_many_kinds_there_are)
{
	enum { KINDS = 170, EACH = 3 };
	static char names[EACH][KINDS][32];
	fake_init(&fake);
	for (int i = 0; i < EACH; i++)
		for (int k = 0; k < KINDS; k++) {
			snprintf(names[i][k], sizeof(names[i][k]), "kind_%d", k);
			fake_add(&fake, fake_operation(names[i][k], 1 + k + (EACH - i) * 0.1));
		}
	fake_add(&fake, fake_operation("aggregate_lost", 1));
	fake.process.aggregate_count--;
	make(1);
	REQUIRE_EQ(rows.count, KINDS);
	size_t wrong = 0;
	for (size_t i = 0; i < rows.count; i++) {
		const struct wan_row *row = &rows.items[i];
		const struct wan_view_operation *records = rows.operations + row->first_record;
		wrong += row->records != EACH || !row->exact_percentiles;
		for (size_t j = 0; j < row->records; j++)
			wrong += strcmp(wan_operation_name(records[j].record), row->name) != 0;
		for (size_t j = 1; j < row->records; j++)
			wrong += records[j].record->start_ns <= records[j - 1].record->start_ns;
	}
	CHECK_EQ(wrong, 0);
	CHECK_STR(rows.operations[view.operation_count - 1].record->name, "aggregate_lost");
	finish();
}

TAP_MAIN
