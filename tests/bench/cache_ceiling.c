/* SPDX-License-Identifier: MIT */
/*
 * The ceiling against memory itself: 8 threads load pictures into pool buffers, hold pins at
 *random, fail, lie about sizes, and destroy slowly, while the limit moves. What lives is counted
 *where it is made and unmade, and the resident memory of the process is sampled.
 *
 *	bench-cache_ceiling [SECONDS]		60 by default
 *
 * Predicted: 0 bytes over, growth of the resident memory within 1.05 x ceiling + 4 MB.
 */
#include <errno.h>
#include <unistd.h>

#include "atomics.h"
#include "buffer.h"
#include "cache_bench.h"
#include "figures.h"
#include "procfs.h"

enum { THREADS = 8, PINS = 2, KEYS = 240, SIDE_MAX = 560 };

/* Pins, loads, values being destroyed, each at its largest, and what the lower limit throws out fit
 * even below that: so whatever is loaded is charged, and has to have its place. */
static const uint64_t high_bytes = 64 * WAN_MIB, low_bytes = 56 * WAN_MIB;
_Static_assert((PINS + 3) * THREADS * ((SIDE_MAX * SIDE_MAX * 3 + 4096) * 9 / 8 + 4096) <
		       (56 - 8) * 1024 * 1024,
	       "all that is held has room");

static uint64_t live_bytes, live_peak, over_bytes, over_stats, wrong, loads, failures, lies;
static uint64_t limit_now, moves; /* odd while the limit is being moved */
static bool stop;

struct picture {
	uint64_t key, counted_bytes;
	struct wan_image *image;
};

struct worker {
	pthread_t thread;
	struct wan_cache *cache;
	uint64_t random, wanted, moves_at_ask;
};

static uint64_t random_below(struct worker *worker, uint64_t bound)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return (worker->random >> 11) % bound;
}

static uint32_t side_of(uint64_t key)
{
	return (uint32_t)(20 + key * 7919 % (SIDE_MAX - 20));
}

static size_t mapped_bytes_of(uint32_t side)
{
	return ((size_t)side * side * 3 * 9 / 8 + 4095) / 4096 * 4096 + sizeof(struct picture);
}

static void destroy_picture(void *data)
{
	struct picture *picture = data;
	uint64_t bytes = picture->counted_bytes;
	void *other = malloc(1000); /* a destructor may allocate, and take its time */
	if (picture->key % 64 == 0)
		usleep(500);
	picture->key = UINT64_MAX;
	wan_image_unref(picture->image);
	free(other);
	free(picture);
	wan_sub_relaxed(&live_bytes, bytes);
}

static void count_live(struct worker *worker, uint64_t bytes)
{
	uint64_t live = wan_add_acq_rel(&live_bytes, bytes) + bytes;
	uint64_t limit = wan_load_acquire(&limit_now);
	wan_max_relaxed(&live_peak, live);
	if (live > high_bytes)
		wan_max_relaxed(&over_bytes, live - high_bytes);
	/* Asked for after the last move of the limit, which has not moved since. */
	uint64_t then = worker->moves_at_ask;
	if (live > limit && then % 2 == 0 && then == wan_load_acquire(&moves))
		wan_max_relaxed(&over_bytes, live - limit);
}

static int load(void *context, struct wan_value *ret_value)
{
	struct worker *worker = context;
	uint32_t side = side_of(worker->wanted);
	uint64_t choice = random_below(worker, 16);
	wan_add_relaxed(&loads, 1);
	if (choice == 0) {
		wan_add_relaxed(&failures, 1);
		return -EIO;
	}
	struct picture *picture = malloc(sizeof(*picture));
	if (!picture)
		return -ENOMEM;
	/* One in 16 says less than it makes: what it said is counted, the rest is its own affair.
	 */
	bool lies_now = choice == 1;
	uint32_t real = lies_now && side + 40 < SIDE_MAX ? side + 40 : side;
	if (wan_image_create(WAN_PIXEL_RGB8, real, real, &picture->image) < 0)
		exit(1);
	picture->key = worker->wanted;
	picture->counted_bytes = picture->image->mapped_bytes;
	if (lies_now) {
		wan_add_relaxed(&lies, 1);
		picture->counted_bytes = 0;
	}
	count_live(worker, picture->counted_bytes);
	memset(wan_image_pixels_mut(picture->image), 1, (size_t)real * real * 3);
	*ret_value = (struct wan_value){.data = picture,
					.bytes = picture->image->mapped_bytes + sizeof(*picture),
					.destroy = destroy_picture};
	return 0;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct wan_pin *pins[PINS] = {0};
	uint64_t keys[PINS] = {0};
	while (!wan_load_relaxed(&stop)) {
		unsigned which = (unsigned)random_below(worker, PINS);
		if (pins[which]) {
			const struct picture *picture = wan_pin_data(pins[which]);
			if (picture->key != keys[which])
				wan_add_relaxed(&wrong, 1);
			wan_pin_release(pins[which]);
			pins[which] = NULL;
		}
		/* Half of the requests go to a tenth of the keys. */
		worker->wanted = random_below(worker, random_below(worker, 2) ? KEYS : KEYS / 10);
		keys[which] = worker->wanted;
		worker->moves_at_ask = wan_load_acquire(&moves);
		int rc = wan_cache_get_or_compute(worker->cache, bench_key(worker->wanted),
						  mapped_bytes_of(side_of(worker->wanted)), load,
						  worker, &pins[which], NULL);
		if (rc < 0 && rc != -EIO)
			wan_add_relaxed(&wrong, 1);
	}
	for (unsigned i = 0; i < PINS; i++)
		wan_pin_release(pins[i]);
	return NULL;
}

static void move_limit(struct wan_cache *cache, uint64_t bytes)
{
	wan_add_acq_rel(&moves, 1);
	if (bytes > wan_load_relaxed(&limit_now))
		wan_store_release(&limit_now, bytes);
	if (wan_cache_set_limits(cache, bytes, 0) < 0)
		exit(1);
	wan_store_release(&limit_now, bytes);
	wan_add_acq_rel(&moves, 1);
}

static uint64_t resident_bytes(void)
{
	uint64_t bytes = 0;
	if (wan_procfs_rss_bytes((int)getpid(), &bytes) < 0)
		exit(1);
	return bytes;
}

static void tell(struct wan_cache *cache, double seconds, uint64_t growth)
{
	char name[64], text[96];
	double allowed_mb = 1.05 * (double)high_bytes / WAN_MIB + 4,
	       grown_mb = (double)growth / WAN_MIB;
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(cache, &stats);
	uint64_t over = over_bytes > over_stats ? over_bytes : over_stats;
	figures_head();
	snprintf(name, sizeof(name), "bytes over the ceiling, 8 threads, %.0f s", seconds);
	snprintf(text, sizeof(text), "%llu (peak %.1f of %.0f MB)", (unsigned long long)over,
		 (double)live_peak / WAN_MIB, (double)high_bytes / WAN_MIB);
	figures_line(name, "0", "0", WANT_AT_MOST, 0, (double)over, text);
	snprintf(text, sizeof(text), "%.1f MB (1.05 x + 4: %.1f)", grown_mb, allowed_mb);
	figures_line("growth of the resident memory", "<= 1.05 x + 4 MB", "<= 1.05 x + 4 MB",
		     WANT_AT_MOST, allowed_mb, grown_mb, text);
	printf("  %llu loads, %llu failed, %llu lied, %llu hits, %llu evictions, %llu passed "
	       "through, %llu moves of the limit, %llu wrong results\n",
	       (unsigned long long)loads, (unsigned long long)failures, (unsigned long long)lies,
	       (unsigned long long)stats.hits, (unsigned long long)stats.evictions,
	       (unsigned long long)stats.passed_through, (unsigned long long)moves / 2,
	       (unsigned long long)wrong);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 60;
	static struct worker workers[THREADS];
	wan_pool_set_idle_limit(0); /* what is idle would not be the cache's */
	struct wan_cache *cache = bench_cache(high_bytes, 1000, WAN_CACHE_LRU);
	limit_now = high_bytes;
	uint64_t before = resident_bytes(), most = before, end_ns;
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] =
			(struct worker){.cache = cache, .random = (i + 1) * 0x9e3779b97f4a7c15u};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 1;
	}
	end_ns = wan_now_ns() + (uint64_t)(seconds * 1e9);
	for (uint64_t turn = 0; wan_now_ns() < end_ns; turn++) {
		struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
		wan_cache_stats(cache, &stats);
		if (stats.used_bytes > stats.limit_bytes + stats.debt_bytes)
			wan_max_relaxed(&over_stats, stats.used_bytes - stats.limit_bytes);
		uint64_t resident = resident_bytes();
		most = resident > most ? resident : most;
		if (turn % 50 == 49)
			move_limit(cache, turn % 100 == 99 ? high_bytes : low_bytes);
		usleep(1000);
	}
	wan_store_relaxed(&stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	tell(cache, seconds, most - before);
	wan_cache_destroy(cache);
	if (live_bytes)
		printf("  %llu bytes were never destroyed\n", (unsigned long long)live_bytes);
	return over_bytes || over_stats || wrong || live_bytes;
}
