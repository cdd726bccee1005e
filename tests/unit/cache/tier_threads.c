/* SPDX-License-Identifier: MIT */
/* Cold forms, threads that want them, and a worker that makes them. */
#include <pthread.h>

#include "things.h"

static struct wan_cache *the_cache;

static void wait_a_little(void)
{
	usleep(30000);
}

static uint32_t hits_of_threads; /* atomic */

static void *get_three(void *argument)
{
	struct wan_pin *pin;
	uint64_t number = 3;
	bool plain = argument != NULL;
	int rc = plain ? wan_cache_pin(the_cache, key_of(3), &pin)
		       : wan_cache_get_or_compute(the_cache, key_of(3), SIZE, compute, &number,
						  &pin, NULL);
	if (rc == 0 && ((struct thing *)wan_pin_data(pin))->number == 3)
		wan_add_relaxed(&hits_of_threads, 1);
	if (rc == 0)
		wan_pin_release(pin);
	return NULL;
}

TEST(one_of_many_threads_thaws)
{
	for (int failing = 0; failing < 2; failing++) {
		struct wan_cache *cache = the_cache = begin();
		fill(cache, 1, 24);
		during_thaw = wait_a_little;
		thaw_error = failing ? -ENOMEM : 0;
		hits_of_threads = 0;
		pthread_t threads[8];
		for (uintptr_t i = 0; i < 8; i++)
			REQUIRE_EQ(pthread_create(&threads[i], NULL, get_three,
						  i % 2 ? &the_cache : NULL),
				   0);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		if (failing) { /* those who can compute have it; pins may come too late */
			CHECK(hits_of_threads >= 4);
			CHECK_EQ(thawed, 0);
			CHECK_EQ(computed, 25);
		} else {
			CHECK_EQ(hits_of_threads, 8);
			CHECK_EQ(thawed, 1);
			CHECK_EQ(computed, 24);
		}
		end(cache);
	}
}

struct worker {
	uint32_t stop; /* atomic */
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	while (!wan_load_relaxed(&worker->stop))
		wan_cache_background(the_cache, 100000);
	return NULL;
}

static void *use(void *argument)
{
	uint64_t state = (uintptr_t)argument * 7919 + 1;
	for (int i = 0; i < 3000; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		uint64_t number = 1 + (state >> 33) % 60;
		struct wan_pin *pin;
		switch ((state >> 50) % 16) {
		case 0:
			if (i % 8 == 0)
				wan_cache_remove(the_cache, key_of(number));
			break;
		case 1:
			if (i % 64 == 0)
				wan_cache_trim(the_cache, 8 * WEIGHT(SIZE));
			break;
		default:
			if (wan_cache_get_or_compute(the_cache, key_of(number), SIZE, compute,
						     &number, &pin, NULL) == 0) {
				if (((struct thing *)wan_pin_data(pin))->number != number)
					abort();
				wan_pin_release(pin);
			}
		}
	}
	return NULL;
}

TEST(threads_and_the_worker_keep_the_sums)
{
	struct wan_cache *cache = the_cache = begin();
	struct worker worker = {0};
	fill(cache, 1, 24);
	pthread_t users[8], helper;
	REQUIRE_EQ(pthread_create(&helper, NULL, work, &worker), 0);
	for (uintptr_t i = 0; i < 8; i++)
		REQUIRE_EQ(pthread_create(&users[i], NULL, use, (void *)i), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(users[i], NULL);
	wan_store_relaxed(&worker.stop, 1);
	pthread_join(helper, NULL);
	struct wan_cache_stats stats = stats_of(cache);
	printf("# %llu frozen, %llu thawed, %llu computed\n", (unsigned long long)frozen,
	       (unsigned long long)thawed, (unsigned long long)computed);
	CHECK(stats.used_bytes <= stats.limit_bytes);
	CHECK_EQ(stats.cold_hits, thawed);
	CHECK(thawed > 0);
	end(cache);
}

TAP_MAIN
