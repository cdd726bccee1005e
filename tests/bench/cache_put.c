/* SPDX-License-Identifier: MIT */
/*
 * What it costs to store a value into a full cache (one eviction each), without the value itself:
 * alone, and beside a thread that hits all the time; with the naive baseline in the same run.
 * Then the cost of a hit by size of the picture, and single flight with 8 threads.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "cache_bench.h"
#include "figures.h"
#include "naive_cache.h"

enum { PUTS = 5000, ROUNDS = 11, HITS = 100000 };

/* One kind of cache behind two calls. */
struct kind {
	const char *name;
	void (*put)(void *cache, struct wan_key key);
	void (*hit)(void *cache, struct wan_key key);
	void *cache;
};

static void put_ours(void *cache, struct wan_key key)
{
	bench_put(cache, key, 100);
}

static void hit_ours(void *cache, struct wan_key key)
{
	struct wan_pin *pin;
	if (wan_cache_pin(cache, key, &pin) == 0)
		wan_pin_release(pin);
}

static void put_naive(void *cache, struct wan_key key)
{
	naive_put(cache, key.words, cache, 100, NULL);
}

static void hit_naive(void *cache, struct wan_key key)
{
	struct naive_entry *entry = naive_pin(cache, key.words);
	if (entry)
		naive_release(cache, entry);
}

struct hitter {
	const struct kind *kind;
	bool stop;
	uint64_t number; /* of the newest entry, to hit what is there */
	uint64_t hits, spent_ns;
};

static void *hit_on(void *argument)
{
	struct hitter *hitter = argument;
	uint64_t start_ns = wan_now_ns(), hits = 0;
	while (!wan_load_relaxed(&hitter->stop)) {
		uint64_t newest = wan_load_relaxed(&hitter->number);
		for (unsigned i = 0; i < 20; i++)
			hitter->kind->hit(hitter->kind->cache, bench_key(newest - i));
		hits += 20;
	}
	hitter->hits = hits;
	hitter->spent_ns = wan_now_ns() - start_ns;
	return NULL;
}

struct result {
	double mean[ROUNDS], all[ROUNDS * PUTS], hit_ns;
	double barrier[ROUNDS]; /* of the same round, beside the same thread */
	double above[ROUNDS];   /* mean less one barrier */
};

/* What one membarrier costs beside a thread that runs: the price of an eviction beside hits. */
static double barrier_now(void)
{
	enum { CALLS = 300 };
	uint64_t start_ns = wan_now_ns();
	for (unsigned i = 0; i < CALLS; i++)
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	return (double)(wan_now_ns() - start_ns) / CALLS;
}

static double ns_per_tick, read_ns;

static void begin_hits(pthread_t *thread, struct hitter *hitter)
{
	if (pthread_create(thread, NULL, hit_on, hitter))
		exit(1);
	figures_stay_on(*thread, 1);
	usleep(2000);
}

static void put_round(const struct kind *kind, uint64_t *number, bool beside, unsigned round,
		      struct result *result)
{
	struct hitter hitter = {.kind = kind, .number = *number - 1};
	pthread_t thread;
	double sum = 0, *each = result->all + (size_t)round * PUTS;
	if (beside)
		begin_hits(&thread, &hitter);
	for (unsigned i = 0; i < PUTS; i++) {
		uint64_t start = wan_ticks();
		kind->put(kind->cache, bench_key(*number));
		each[i] = (double)(wan_ticks() - start) * ns_per_tick - read_ns;
		sum += each[i];
		wan_store_relaxed(&hitter.number, (*number)++);
	}
	result->mean[round] = sum / PUTS;
	if (beside) {
		result->barrier[round] = barrier_now();
		result->above[round] = result->mean[round] - result->barrier[round];
		wan_store_relaxed(&hitter.stop, true);
		pthread_join(thread, NULL);
		result->hit_ns = (double)hitter.spent_ns / (double)hitter.hits;
	}
}

static void tell_puts(uint64_t entries, bool beside, struct result *ours, struct result *naive)
{
	char name[64], measured[96], target[48] = "printed";
	double mean = figures_percentile(ours->mean, ROUNDS, 0.5);
	double above = beside ? figures_percentile(ours->above, ROUNDS, 0.5) : mean;
	enum figures_want want = entries <= 1000 ? WANT_AT_MOST : WANT_NOTHING;
	if (want == WANT_AT_MOST)
		snprintf(target, sizeof(target), beside ? "<= 1.5 us + 1 mb" : "<= 1 us");
	snprintf(name, sizeof(name), "insert + evict, %llu entries%s", (unsigned long long)entries,
		 beside ? ", beside hits" : "");
	snprintf(measured, sizeof(measured), "mean %.0f, p99 %.0f ns (naive %.0f, %.0f)", mean,
		 figures_percentile(ours->all, ROUNDS * PUTS, 0.99),
		 figures_percentile(naive->mean, ROUNDS, 0.5),
		 figures_percentile(naive->all, ROUNDS * PUTS, 0.99));
	figures_line(name, beside ? "0.5 us + 1 mb" : "0.2-0.9 us", target, want,
		     beside ? 1500 : 1000, above, measured);
	if (beside)
		printf("  one membarrier (mb) in the same rounds %.0f ns, the rest of a put %.0f "
		       "ns; the "
		       "other thread: one look-up in %.0f ns (naive %.0f)\n",
		       figures_percentile(ours->barrier, ROUNDS, 0.5), above, ours->hit_ns,
		       naive->hit_ns);
}

static void puts_of(uint64_t entries, bool beside)
{
	static struct result results[2];
	static struct naive_cache naive;
	struct wan_cache *cache = bench_cache(1024 * WAN_MIB, entries, WAN_CACHE_LRU);
	naive_init(&naive, 1024 * WAN_MIB, entries);
	struct kind kinds[2] = {{"ours", put_ours, hit_ours, cache},
				{"naive", put_naive, hit_naive, &naive}};
	uint64_t numbers[2] = {0, 0};
	for (unsigned which = 0; which < 2; which++) {
		while (numbers[which] < entries + 1000)
			kinds[which].put(kinds[which].cache, bench_key(numbers[which]++));
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned which = 0; which < 2; which++)
			put_round(&kinds[which], &numbers[which], beside, round, &results[which]);
	}
	tell_puts(entries, beside, &results[0], &results[1]);
	naive_finish(&naive);
	wan_cache_destroy(cache);
}

static void loop_two(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		hit_ours(cache, bench_key(i & 1));
}

static void hits_by_size(void)
{
	static const unsigned sides[] = {64, 256, 1024, 4096};
	enum { SIDES = sizeof(sides) / sizeof(*sides) };
	static struct figures_loop loops[SIDES];
	double least = 1e9, most = 0;
	char measured[80];
	for (unsigned i = 0; i < SIDES; i++) {
		struct wan_cache *cache = bench_cache(1024 * WAN_MIB, 10, WAN_CACHE_LRU);
		for (uint64_t key = 0; key < 2; key++)
			bench_put(cache, bench_key(key), (uint64_t)sides[i] * sides[i] * 3);
		loops[i] = (struct figures_loop){
			.run = loop_two, .context = cache, .threads = 1, .count = HITS};
	}
	figures_measure(loops, SIDES, 11);
	for (unsigned i = 0; i < SIDES; i++) {
		least = loops[i].ns < least ? loops[i].ns : least;
		most = loops[i].ns > most ? loops[i].ns : most;
		wan_cache_destroy(loops[i].context);
	}
	snprintf(measured, sizeof(measured), "%.1f %.1f %.1f %.1f ns", loops[0].ns, loops[1].ns,
		 loops[2].ns, loops[3].ns);
	figures_line("hit, RGB pictures of side 64 256 1024 4096", "one figure", "<= 5 % apart",
		     WANT_AT_MOST, 1.05, most / least, measured);
}

int main(void)
{
	static const uint64_t sizes[] = {50, 1000, 100000};
	bench_start_threads();
	figures_stay_on(pthread_self(), 0);
	ns_per_tick = wan_clock_ns_per_tick();
	uint64_t start = wan_ticks(), end = start;
	for (unsigned i = 0; i < 1000; i++)
		end = wan_ticks();
	read_ns = (double)(end - start) * ns_per_tick / 1000;
	figures_head();
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		puts_of(sizes[i], false);
	for (unsigned i = 0; i < 3; i++)
		puts_of(sizes[i], true);
	hits_by_size();
	return 0;
}
