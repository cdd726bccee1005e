/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <pthread.h>

static struct wan_recorder *make(uint64_t capacity)
{
	struct wan_recorder *recorder = NULL;
	if (wan_recorder_create(support_config(capacity), WAN_ROLE_LINKED, NULL, &recorder) != 0)
		return NULL;
	return recorder;
}

static uint64_t total(struct wan_recorder *recorder)
{
	struct wan_recording *recording = support_look(recorder);
	if (!recording)
		return UINT64_MAX;
	const struct wan_process *process = wan_recording_process(recording, 0);
	uint64_t count = process->total_operations;
	support_print_damage(recording);
	count += process->damage_count * 1000000000;
	wan_recording_close(recording);
	return count;
}

static void *append_ten(void *recorder)
{
	return support_append(recorder, 0, 10) ? recorder : NULL;
}

TEST(ten_thousand_short_threads_share_a_few_lanes)
{
	struct wan_recorder *recorder = make(4096);
	REQUIRE(recorder != NULL);
	unsigned bad = 0;
	for (unsigned i = 0; i < 10000; i++) {
		pthread_t thread;
		void *result = NULL;
		bad += pthread_create(&thread, NULL, append_ten, recorder) != 0;
		pthread_join(thread, &result);
		bad += result != recorder;
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(total(recorder), 100000);
	CHECK_EQ(wan_recorder_header(recorder)->dropped, 0);
	/* one lane of 4 units, and 4096 records in 18 chunks */
	CHECK(wan_recorder_header(recorder)->units <= 2 * 4 + 18);
	wan_recorder_destroy(recorder);
}

struct crowd {
	struct wan_recorder *recorder;
	pthread_barrier_t barrier;
	unsigned refused; /* atomic */
};

static void *stand_in_crowd(void *argument)
{
	struct crowd *crowd = argument;
	if (!support_append(crowd->recorder, 0, 3))
		wan_add_relaxed(&crowd->refused, 1);
	pthread_barrier_wait(&crowd->barrier);
	return NULL;
}

TEST(threads_beyond_the_lanes_are_counted_as_dropped)
{
	enum { COUNT = 1030 };
	static pthread_t threads[COUNT];
	struct crowd crowd = {.recorder = make(4096)};
	pthread_attr_t attributes;
	REQUIRE(crowd.recorder != NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	pthread_barrier_init(&crowd.barrier, NULL, COUNT + 1);
	unsigned started = 0;
	for (; started < COUNT; started++)
		if (pthread_create(&threads[started], &attributes, stand_in_crowd, &crowd) != 0)
			break;
	if (started < COUNT) {
		printf("# only %u threads can be started here\n", started);
		exit(0); /* the started ones wait for ever */
	}
	pthread_barrier_wait(&crowd.barrier);
	for (unsigned i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(crowd.refused, COUNT - 1024);
	CHECK_EQ(wan_recorder_header(crowd.recorder)->dropped, COUNT - 1024);
	CHECK_EQ(total(crowd.recorder), 1024 * 3);
	CHECK(support_append(crowd.recorder, 0, 5)); /* lanes came back */
	CHECK_EQ(total(crowd.recorder), 1024 * 3 + 5);
	wan_recorder_destroy(crowd.recorder);
}

static pthread_key_t late_key;
static struct wan_recorder *late_recorder;
static unsigned late_rounds;

/* A destructor of the program that still decodes while the thread ends. */
static void late_work(void *value)
{
	support_append(late_recorder, 0, 1);
	if (++late_rounds < 3)
		pthread_setspecific(late_key, value);
}

static void *work_late(void *recorder)
{
	support_append(recorder, 0, 1);
	pthread_setspecific(late_key, recorder);
	return NULL;
}

TEST(destructors_of_a_thread_may_still_record)
{
#if defined(__SANITIZE_THREAD__)
	SKIP("the thread sanitizer has left the thread by then");
#endif
	late_recorder = make(4096);
	REQUIRE(late_recorder != NULL);
	REQUIRE_EQ(pthread_key_create(&late_key, late_work), 0);
	pthread_t thread;
	for (unsigned i = 0; i < 50; i++) {
		late_rounds = 0;
		REQUIRE_EQ(pthread_create(&thread, NULL, work_late, late_recorder), 0);
		pthread_join(thread, NULL);
	}
	CHECK_EQ(total(late_recorder), 50 * 4);
	struct wan_recording *recording = support_look(late_recorder);
	REQUIRE(recording != NULL);
	CHECK(wan_recorder_header(late_recorder)->units < 60);
	wan_recording_close(recording);
	pthread_key_delete(late_key);
	wan_recorder_destroy(late_recorder);
}

TEST(two_recorders_in_turn_use_one_lane_each)
{
	struct wan_recorder *one = make(256), *two = make(256);
	REQUIRE(one && two);
	for (unsigned i = 0; i < 5000; i++) {
		support_append(one, i, 1);
		support_append(two, i, 2);
	}
	CHECK_EQ(total(one), 5000);
	CHECK_EQ(total(two), 10000);
	CHECK(wan_recorder_header(one)->units < 16);
	wan_recorder_destroy(one);
	CHECK(support_append(two, 0, 1));
	CHECK_EQ(total(two), 10001);
	wan_recorder_destroy(two);
}

struct reader_race {
	struct wan_recorder *recorder;
	unsigned stop;
};

static void *write_until_told(void *argument)
{
	struct reader_race *race = argument;
	while (!wan_load_relaxed(&race->stop))
		support_append(race->recorder, 0, 1000);
	return NULL;
}

TEST(snapshots_of_busy_threads_are_consistent)
{
	struct reader_race race = {.recorder = make(256)};
	pthread_t threads[2];
	REQUIRE(race.recorder != NULL);
	for (unsigned i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, write_until_told, &race), 0);
	uint64_t before = 0, looks = 0;
	while (total(race.recorder) < 100000)
		usleep(1000);
	for (unsigned i = 0; i < 60; i++) {
		struct wan_recording *recording = support_look(race.recorder);
		REQUIRE(recording != NULL);
		const struct wan_process *process = wan_recording_process(recording, 0);
		uint64_t pixels = 0;
		for (size_t k = 0; k < process->aggregate_count; k++)
			pixels += process->aggregates[k].pixels;
		/* each thread writes 0..999 again and again: the sum lies between two rows */
		uint64_t rows = process->total_operations / 1000, row = 640ull * 1000 * 999 / 2;
		CHECK(pixels + 2 * row >= rows * row && pixels <= (rows + 1) * row);
		CHECK(process->total_operations >= before);
		CHECK_EQ(process->damage_count, 0);
		before = process->total_operations;
		looks += process->skipped > 0;
		wan_recording_close(recording);
	}
	CHECK_EQ(looks, 60); /* the rings had gone round each time */
	wan_store_relaxed(&race.stop, 1);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(total(race.recorder) % 1000, 0);
	wan_recorder_destroy(race.recorder);
}

TEST(a_lane_of_a_destroyed_recorder_is_not_used_again)
{
	struct wan_recorder *recorder = make(256);
	REQUIRE(recorder != NULL);
	CHECK(support_append(recorder, 0, 1));
	CHECK(wan_lane_current != NULL);
	wan_recorder_destroy(recorder);
	CHECK(wan_lane_current == NULL);
	recorder = make(256);
	REQUIRE(recorder != NULL);
	CHECK(support_append(recorder, 0, 2));
	CHECK_EQ(total(recorder), 2);
	wan_recorder_destroy(recorder);
}

TAP_MAIN
