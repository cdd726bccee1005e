/* SPDX-License-Identifier: MIT */
/* Each allocation and each clock read of a round through the cache fails in turn. */
#include "fault.h"

#include "support.h"

static int compute_eight(void *context, struct wan_value *ret_value)
{
	*ret_value = value_of(8, 100);
	return 0;
}

static void round_trip(void *context)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	struct wan_pin *pins[3] = {0};
	unsigned owned = 0;
	wan_cache_options_init(&options);
	options.limit_bytes = 20 * WEIGHT(100);
	options.entry_limit = 1000;
	gone_count = 0;
	int rc = wan_cache_create(&options, &cache);
	CHECK(rc == 0 || rc == -ENOMEM);
	if (rc < 0)
		return;
	for (uint64_t key = 1; key <= 120; key++) {
		rc = put_of(cache, key, 10);
		owned += rc == 0;
		CHECK(rc == 0 || rc == -ENOMEM);
	}
	struct wan_value value = value_of(7, 50);
	rc = wan_cache_put_pinned(cache, key_of(200), &value, &pins[0]);
	owned += rc == 0;
	CHECK(rc == 0 || rc == -ENOMEM);
	rc = wan_cache_get_or_compute(cache, key_of(201), 100, compute_eight, NULL, &pins[1], NULL);
	owned += rc == 0;
	CHECK(rc == 0 || rc == -ENOMEM);
	if (pins[0])
		CHECK_EQ(wan_cache_weak_lock(cache, wan_cache_weak_from_pin(pins[0]), &pins[2]), 0);
	CHECK(stats_of(cache).used_bytes <= options.limit_bytes);
	SOUND(cache);
	for (unsigned i = 0; i < 3; i++)
		wan_pin_release(pins[i]);
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, owned); /* what was refused stayed ours, the rest went exactly once */
}

TEST(every_failing_call_is_answered_and_leaks_nothing)
{
	wan_fault_install();
	int runs = wan_fault_sweep(round_trip, NULL);
	printf("# %d runs with a fault\n", runs);
	CHECK(runs > 10);
	wan_fault_remove();
}

TEST(without_memory_for_an_entry_nothing_is_computed)
{
	struct wan_pin *pin;
	wan_fault_install();
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	gone_count = 0;
	wan_fault_arm(WAN_FAULT_REALLOC, 1, ENOMEM, true);
	CHECK_EQ(wan_cache_get_or_compute(cache, key_of(1), 0, compute_eight, NULL, &pin, NULL),
		 -ENOMEM);
	CHECK_EQ(put_of(cache, 1, 10), -ENOMEM);
	wan_fault_disarm();
	CHECK_EQ(gone_count, 0);
	CHECK_EQ(put_of(cache, 1, 10), 0);
	SOUND(cache);
	wan_cache_destroy(cache);
	wan_fault_remove();
}

TAP_MAIN
