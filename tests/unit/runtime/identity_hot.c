/* SPDX-License-Identifier: MIT */
#include "identity_hot.h"

#include <pthread.h>

#include "atomics.h"
#include "tap.h"

static struct wan_hot_answers hot;

static struct wan_key key(uint64_t a, uint64_t b)
{
	return (struct wan_key){{a, b}};
}

TEST(an_answer_is_found_until_its_time_or_the_next_event)
{
	struct wan_key token;
	uint32_t file = 0;
	REQUIRE_EQ(wan_hot_init(&hot, 16), 0);
	CHECK(!wan_hot_find(&hot, key(0, 0), 0, &token, &file)); /* empty is no answer */
	wan_hot_publish(&hot, key(3, 4), key(5, 6), 7, 1000);
	REQUIRE(wan_hot_find(&hot, key(3, 4), 999, &token, &file));
	CHECK_EQ(token.words[0], 5);
	CHECK_EQ(token.words[1], 6);
	CHECK_EQ(file, 7);
	CHECK(!wan_hot_find(&hot, key(3, 4), 1000, &token, &file));
	CHECK(!wan_hot_find(&hot, key(3, 5), 0, &token, &file));
	CHECK(!wan_hot_find(&hot, key(19, 4), 0, &token, &file)); /* the same place */
	wan_hot_forget(&hot);
	CHECK(!wan_hot_find(&hot, key(3, 4), 0, &token, &file));
	wan_hot_publish(&hot, key(19, 4), key(8, 9), 1, 1000);
	CHECK(!wan_hot_find(&hot, key(3, 4), 0, &token, &file));
	CHECK(wan_hot_find(&hot, key(19, 4), 0, &token, &file));
	wan_hot_finish(&hot);
}

static uint32_t stop;            /* atomic */
static uint64_t found, mixed_up; /* atomic */

static void *read_always(void *unused)
{
	struct wan_key token;
	uint32_t file;
	while (!wan_load_relaxed(&stop)) {
		if (!wan_hot_find(&hot, key(1, 1), 0, &token, &file))
			continue;
		wan_add_relaxed(&found, 1);
		if (token.words[0] != token.words[1] || (uint32_t)token.words[0] != file)
			wan_add_relaxed(&mixed_up, 1);
	}
	return NULL;
}

TEST(an_answer_is_never_a_mixture)
{
	pthread_t threads[2];
	REQUIRE_EQ(wan_hot_init(&hot, 1), 0);
	for (int i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, read_always, NULL), 0);
	for (uint64_t i = 1; i < 300000 || wan_load_relaxed(&found) < 1000; i++) {
		wan_hot_publish(&hot, key(1, i % 3 ? 1 : 2), key(i, i), (uint32_t)i, UINT64_MAX);
		if (i % 1000 == 0)
			wan_hot_forget(&hot);
	}
	wan_store_relaxed(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(mixed_up, 0);
	wan_hot_finish(&hot);
}

TAP_MAIN
