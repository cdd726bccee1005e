/* SPDX-License-Identifier: MIT */
#include "identity_table.h"

#include <sys/inotify.h>

#include "alloc.h"
#include "tap.h"

static struct wan_identity_table table;
static int unwatched[64];
static unsigned unwatched_count;

static void unwatch(void *context, int wd)
{
	unwatched[unwatched_count++ % 64] = wd;
}

static struct wan_key name(uint64_t number)
{
	return (struct wan_key){{number * 0x9e3779b97f4a7c15u, number}};
}

static void begin(uint32_t paths)
{
	unwatched_count = 0;
	if (wan_identity_table_init(&table, paths, unwatch, NULL) < 0)
		abort();
}

static struct wan_file_keys *apply(int wd, uint32_t mask, const char *text)
{
	struct {
		struct inotify_event event;
		char name[32];
	} one = {.event = {.wd = wd, .mask = mask, .len = text ? sizeof(one.name) : 0}};
	if (text)
		strcpy(one.name, text);
	struct wan_file_keys *gone = NULL;
	wan_identity_apply(&table, &one.event, &gone);
	return gone;
}

/* A path that depends on a folder (wd 1, in which "name" matters) and on a file (wd 2). */
static struct wan_known_path *make_path(uint64_t number)
{
	bool made;
	uint16_t steps[2] = {(uint16_t)wan_watch_for(&table, 1, &made),
			     (uint16_t)wan_watch_for(&table, (int)number, &made)};
	table.watches[steps[0]].names |= wan_name_bit("name");
	struct wan_known_path *path = wan_path_take(&table, name(number));
	wan_path_set_steps(&table, path, steps, 2);
	uint32_t file = wan_file_for(&table, 1, number);
	wan_path_set_file(&table, path, file);
	table.files[file].watch = steps[1];
	table.watches[steps[1]].file = file;
	path->events = wan_watch_events(&table, path->steps, 2);
	return path;
}

TEST(what_happens_on_the_way_makes_a_path_stale)
{
	begin(8);
	struct wan_known_path *path = make_path(2);
	CHECK(wan_path_is_current(&table, path));
	apply(1, IN_CREATE, "name");
	CHECK(!wan_path_is_current(&table, path));
	path = make_path(3);
	apply(1, IN_ATTRIB, "name"); /* of a child: its own watch tells */
	apply(99, IN_MODIFY, NULL);  /* removed long ago */
	CHECK(wan_path_is_current(&table, path));
	apply(1, IN_ATTRIB, NULL);
	CHECK(!wan_path_is_current(&table, path));
	path = make_path(4);
	apply(4, IN_MODIFY, NULL);
	CHECK(!wan_path_is_current(&table, path));
	CHECK(table.files[path->file].modified);
	path = make_path(5);
	apply(-1, IN_Q_OVERFLOW, NULL);
	CHECK(!wan_path_is_current(&table, path));
	wan_identity_table_finish(&table);
}

TEST(a_name_nobody_depends_on_changes_nothing)
{
	begin(8);
	struct wan_known_path *path = make_path(2);
	unsigned stale = 0;
	for (int i = 0; i < 64; i++) {
		char text[24];
		snprintf(text, sizeof(text), "other%d", i);
		if (wan_name_bit(text) == wan_name_bit("name"))
			continue;
		apply(1, IN_CREATE, text);
		stale += !wan_path_is_current(&table, path);
	}
	CHECK_EQ(stale, 0);
	wan_identity_table_finish(&table);
}

TEST(a_watch_the_kernel_dropped_is_void_but_held)
{
	begin(8);
	struct wan_known_path *path = make_path(2);
	uint64_t forgotten = table.forgotten;
	apply(2, IN_IGNORED, NULL);
	CHECK_EQ(table.forgotten, forgotten + 1);
	CHECK(!wan_path_is_current(&table, path));
	CHECK_EQ(table.files[path->file].watch, WAN_NONE);
	wan_path_drop(&table, path);
	CHECK_EQ(unwatched_count, 1); /* the folder; the other is gone already */
	CHECK_EQ(unwatched[0], 1);
	CHECK_EQ(table.watch_count, 0);
	CHECK_EQ(table.path_count, 0);
	wan_identity_table_finish(&table);
}

TEST(a_slot_used_again_never_looks_unchanged)
{
	begin(1);
	uint64_t events[20];
	for (int i = 0; i < 20; i++) {
		struct wan_known_path *path = make_path((uint64_t)i + 2);
		events[i] = path->events;
		for (int j = 0; j < i; j++)
			CHECK(events[j] != events[i]);
		wan_path_drop(&table, path);
	}
	wan_identity_table_finish(&table);
}

TEST(the_least_used_path_makes_room)
{
	begin(4);
	for (uint64_t i = 2; i < 6; i++)
		make_path(i);
	CHECK(wan_path_find(&table, name(2)) != NULL); /* used: 3 is the least now */
	make_path(6);
	CHECK(wan_path_find(&table, name(2)) != NULL);
	CHECK(wan_path_find(&table, name(3)) == NULL);
	CHECK_EQ(table.path_count, 4);
	CHECK_EQ(table.watch_count, 5);
	for (uint64_t i = 100; i < 200; i++)
		make_path(i);
	CHECK_EQ(table.path_count, 4);
	CHECK_EQ(table.watch_count, 5);
	wan_identity_table_finish(&table);
}

TEST(keys_of_a_written_or_deleted_file_are_handed_out_once)
{
	begin(4);
	const uint32_t masks[] = {IN_MODIFY, IN_CLOSE_WRITE, IN_DELETE_SELF};
	for (unsigned i = 0; i < 3; i++) {
		struct wan_known_path *path = make_path(i + 2);
		struct wan_file_keys *keys = wan_malloc(sizeof(*keys));
		REQUIRE(keys != NULL);
		*keys = (struct wan_file_keys){.count = 0};
		table.files[path->file].keys = keys;
		CHECK(apply((int)i + 2, IN_ATTRIB, NULL) == NULL);
		CHECK(apply((int)i + 2, masks[i], NULL) == keys);
		CHECK(apply((int)i + 2, masks[i], NULL) == NULL);
		wan_free(keys);
	}
	wan_identity_table_finish(&table);
}

TAP_MAIN
