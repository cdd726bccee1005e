/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/wait.h>

#include "fault.h"
#include "pool.h"
#include "sample.h"
#include "tap.h"

static struct wan_pool_stats stats_now(void)
{
	struct wan_pool_stats stats;
	wan_pool_check();
	wan_pool_stats(&stats);
	CHECK_EQ(stats.mapped_bytes, stats.idle_bytes + stats.in_use_bytes);
	return stats;
}

static void start(void)
{
	wan_pool_set_idle_limit(64 << 20);
	(void)wan_pool_trim(0);
}

TEST(a_returned_buffer_is_used_again)
{
	size_t mapped, again;
	start();
	struct wan_pool_stats before = stats_now();
	uint8_t *first = wan_pool_get(2764800, &mapped);
	REQUIRE(first != NULL);
	first[2764799] = 1;
	wan_pool_put(first, mapped);
	uint8_t *second = wan_pool_get(2764800, &again);
	CHECK(second == first);
	CHECK_EQ(again, mapped);
	struct wan_pool_stats after = stats_now();
	CHECK_EQ(after.fresh - before.fresh, 1);
	CHECK_EQ(after.reused - before.reused, 1);
	CHECK_EQ(after.in_use_bytes - before.in_use_bytes, mapped);
	wan_pool_put(second, again);
	CHECK_EQ(stats_now().idle_bytes, mapped);
}

TEST(small_buffers_of_any_size_are_used_again)
{
	start();
	for (size_t bytes = 1; bytes <= 300000; bytes += bytes < 70000 ? 509 : 4093) {
		size_t mapped, again;
		(void)wan_pool_trim(0);
		void *first = wan_pool_get(bytes, &mapped);
		REQUIRE(first != NULL);
		wan_pool_put(first, mapped);
		struct wan_pool_stats before = stats_now();
		void *second = wan_pool_get(bytes, &again);
		struct wan_pool_stats after = stats_now();
		if (after.reused != before.reused + 1) {
			CHECK_EQ(bytes, 0); /* of this size are mapped anew */
			return;
		}
		wan_pool_put(second, again);
	}
}

TEST(classes_waste_at_most_an_eighth_and_hold_what_is_asked)
{
	for (size_t bytes = 1; bytes < (size_t)1 << 40; bytes = bytes * 17 / 16 + 1) {
		size_t mapped = wan_pool_class_bytes(bytes);
		if (mapped < bytes || mapped % 4096 != 0 || mapped > bytes + bytes / 8 + 4096 ||
		    wan_pool_class_bytes(mapped) != mapped) {
			printf("# %zu: %zu\n", bytes, mapped);
			CHECK(false);
			return;
		}
	}
	CHECK_EQ(wan_pool_class_bytes(SIZE_MAX), 0);
	CHECK_EQ(wan_pool_class_bytes(0), 4096);
}

TEST(a_buffer_serves_only_requests_of_about_its_size)
{
	size_t mapped, other;
	start();
	void *large = wan_pool_get(1 << 20, &mapped);
	wan_pool_put(large, mapped);
	void *much_smaller = wan_pool_get(300000, &other);
	CHECK(much_smaller != large);
	wan_pool_put(much_smaller, other);
	void *little_smaller = wan_pool_get(900000, &other);
	CHECK(little_smaller == large);
	CHECK_EQ(other, mapped);
	wan_pool_put(little_smaller, other);
}

TEST(idle_buffers_stay_within_the_limit_and_the_oldest_go)
{
	void *buffers[10];
	size_t mapped[10];
	start();
	wan_pool_set_idle_limit(4 << 20);
	for (int i = 0; i < 10; i++)
		buffers[i] = wan_pool_get(1 << 20, &mapped[i]);
	for (int i = 0; i < 10; i++) {
		wan_pool_put(buffers[i], mapped[i]);
		CHECK(stats_now().idle_bytes <= 4 << 20);
	}
	CHECK_EQ(stats_now().idle_bytes, 4 << 20);
	size_t again;
	void *newest = wan_pool_get(1 << 20, &again);
	CHECK(newest == buffers[9]);
	wan_pool_put(newest, again);
	wan_pool_set_idle_limit(1 << 20);
	CHECK_EQ(stats_now().idle_bytes, 1 << 20);
	wan_pool_set_idle_limit(0);
	CHECK_EQ(stats_now().idle_bytes, 0);
	void *unkept = wan_pool_get(1 << 20, &again);
	wan_pool_put(unkept, again);
	CHECK_EQ(stats_now().idle_bytes, 0);
}

TEST(trimming_gives_back_what_it_says)
{
	void *buffers[4];
	size_t mapped[4];
	start();
	for (int i = 0; i < 4; i++)
		buffers[i] = wan_pool_get(1 << 20, &mapped[i]);
	for (int i = 0; i < 4; i++)
		wan_pool_put(buffers[i], mapped[i]);
	uint64_t before = stats_now().mapped_bytes;
	CHECK_EQ(wan_pool_trim(2 << 20), 2 << 20);
	CHECK_EQ(before - stats_now().mapped_bytes, 2 << 20);
	CHECK_EQ(wan_pool_trim(0), 2 << 20);
	CHECK_EQ(wan_pool_trim(0), 0);
	CHECK_EQ(stats_now().idle_bytes, 0);
}

TEST(a_refused_mapping_is_tried_again_without_the_idle_buffers)
{
	size_t mapped, other;
	start();
	void *idle = wan_pool_get(1 << 20, &mapped);
	wan_pool_put(idle, mapped);
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_MMAP, 1, ENOMEM, false);
	void *buffer = wan_pool_get(50 << 20, &other);
	CHECK(buffer != NULL);
	CHECK_EQ(stats_now().idle_bytes, 0);
	wan_fault_arm(WAN_FAULT_MMAP, 1, ENOMEM, true);
	CHECK(wan_pool_get(50 << 20, &mapped) == NULL);
	struct wan_image *image = NULL;
	CHECK_EQ(wan_image_create(WAN_PIXEL_RGB8, 5000, 5000, &image), -ENOMEM);
	wan_fault_remove();
	wan_pool_put(buffer, other);
	(void)stats_now();
}

static void *churn(void *argument)
{
	uint32_t state = (uint32_t)(uintptr_t)argument;
	uint8_t *buffers[8] = {NULL};
	size_t mapped[8];
	for (int i = 0; i < 4000; i++) {
		state = state * 1664525 + 1013904223;
		unsigned slot = state >> 29;
		size_t bytes = 5000 + (state >> 12 & 0x3ffff);
		if (buffers[slot]) {
			if (buffers[slot][100] != slot)
				abort(); /* somebody else had our buffer */
			wan_pool_put(buffers[slot], mapped[slot]);
		}
		buffers[slot] = wan_pool_get(bytes, &mapped[slot]);
		buffers[slot][100] = (uint8_t)slot;
		if (i % 500 == 0)
			(void)wan_pool_trim(1 << 20);
	}
	for (int i = 0; i < 8; i++)
		if (buffers[i])
			wan_pool_put(buffers[i], mapped[i]);
	return NULL;
}

TEST(a_held_buffer_is_this_threads_next)
{
	size_t mapped, again_mapped, other_mapped;
	start();
	CHECK_EQ(wan_pool_hold(1 << 20), 0); /* nothing is idle */
	void *buffer = wan_pool_get(1 << 20, &mapped);
	wan_pool_put(buffer, mapped);
	CHECK_EQ(wan_pool_hold(1 << 20), mapped);
	CHECK_EQ(wan_pool_hold(1 << 20), mapped); /* one at a time */
	CHECK_EQ(stats_now().idle_bytes, 0);
	void *other = wan_pool_get(4 << 20, &other_mapped); /* does not fit in it */
	CHECK(other != buffer);
	void *again = wan_pool_get(1 << 20, &again_mapped);
	CHECK(again == buffer);
	CHECK_EQ(again_mapped, mapped);
	wan_pool_unhold(); /* was taken */
	CHECK_EQ(stats_now().idle_bytes, 0);
	wan_pool_put(other, other_mapped);
	wan_pool_put(again, again_mapped);
	wan_pool_check();
}

TEST(what_was_held_and_not_taken_is_idle_again)
{
	size_t mapped;
	start();
	void *buffer = wan_pool_get(1 << 20, &mapped);
	wan_pool_put(buffer, mapped);
	CHECK_EQ(wan_pool_hold(1 << 20), mapped);
	wan_pool_unhold();
	CHECK_EQ(stats_now().idle_bytes, mapped);
	wan_pool_check();
}

TEST(threads_never_share_a_buffer)
{
	pthread_t threads[4];
	start();
	uint64_t before = stats_now().in_use_bytes;
	for (uintptr_t i = 0; i < 4; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(stats_now().in_use_bytes, before);
}

TEST(a_forked_child_starts_with_an_empty_idle_list)
{
	size_t mapped;
	start();
	uint8_t *held = wan_pool_get(1 << 20, &mapped);
	size_t idle_mapped;
	void *idle = wan_pool_get(2 << 20, &idle_mapped);
	held[5] = 77;
	wan_pool_put(idle, idle_mapped);
	pid_t child = fork();
	if (child == 0) {
		struct wan_pool_stats stats = stats_now();
		bool right = stats.idle_bytes == 0 && stats.in_use_bytes == mapped && held[5] == 77;
		size_t more;
		void *fresh = wan_pool_get(2 << 20, &more);
		right = right && fresh && fresh != idle;
		wan_pool_put(fresh, more);
		wan_pool_put(held, mapped);
		_exit(right ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(stats_now().idle_bytes, idle_mapped);
	wan_pool_put(held, mapped);
}

TAP_MAIN
