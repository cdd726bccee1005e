/* SPDX-License-Identifier: MIT */
/*
 * What a hit (pin and release) costs, beside one clock read and beside two other caches in the same
 * run: a mutex, hash table and list (naive_cache.h), and OpenImageIO's ImageCache when its program
 * is given. All loops take turns, 15 rounds; ratios count, nanoseconds depend on the machine.
 *
 *	bench-cache [bench-cache-oiio]
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_bench.h"
#include "figures.h"
#include "naive_cache.h"

enum { ROUNDS = 15, HITS = 200000, KEYS = 50, THREADS = 16, ORDER = 4096, NAME_BYTES = 64 };

static struct wan_key keys[THREADS][KEYS];
static char names[KEYS][NAME_BYTES];
static uint8_t order[ORDER]; /* zipf(0.99) over KEYS, the same for all caches */
static volatile uint64_t sink;

/* Bound by the loop's own multiplications only where the clock is. */
static void loop_clock(void *context, unsigned number, unsigned count)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += wan_ticks();
	sink = sum;
}

static inline void hit_ours(struct wan_cache *cache, struct wan_key key)
{
	struct wan_pin *pin;
	if (wan_cache_pin(cache, key, &pin) < 0)
		exit(1);
	wan_pin_release(pin);
}

static void loop_ours(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		hit_ours(cache, keys[number][order[i % ORDER]]);
}

static void loop_ours_same(void *cache, unsigned number, unsigned count)
{
	loop_ours(cache, 0, count);
}

static void loop_ours_named(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		hit_ours(cache, wan_key_of(names[order[i % ORDER]], NAME_BYTES));
}

static void loop_ours_newest(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		hit_ours(cache, keys[0][0]);
}

static inline void hit_naive(struct naive_cache *cache, struct wan_key key)
{
	struct naive_entry *entry = naive_pin(cache, key.words);
	if (!entry)
		exit(1);
	naive_release(cache, entry);
}

static void loop_naive(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		hit_naive(cache, keys[number][order[i % ORDER]]);
}

static void loop_naive_same(void *cache, unsigned number, unsigned count)
{
	loop_naive(cache, 0, count);
}

static void loop_naive_named(void *cache, unsigned number, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct naive_entry *entry =
			naive_pin_name(cache, names[order[i % ORDER]], NAME_BYTES);
		if (!entry)
			exit(1);
		naive_release(cache, entry);
	}
}

/* OpenImageIO runs in a program of its own: one question, one answer in ns, for each round. */
static struct {
	FILE *to, *from;
	pid_t pid;
} peer;

static double ask_peer(void *question, unsigned count)
{
	double ns = 0;
	fprintf(peer.to, "%s %u\n", (const char *)question, count);
	fflush(peer.to);
	if (fscanf(peer.from, "%lf", &ns) != 1)
		exit(1);
	return ns;
}

static bool start_peer(const char *program)
{
	int to[2], from[2];
	if (!program || access(program, X_OK) < 0 || pipe(to) < 0 || pipe(from) < 0)
		return false;
	peer.pid = fork();
	if (peer.pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		close(from[0]);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	peer.to = fdopen(to[1], "w");
	peer.from = fdopen(from[0], "r");
	return peer.pid > 0 && peer.to && peer.from;
}

static void stop_peer(void)
{
	fclose(peer.to);
	fclose(peer.from);
	waitpid(peer.pid, NULL, 0);
}

enum {
	CLOCK,
	OURS,
	NAMED,
	NEWEST,
	AUTO,
	NAIVE,
	NAIVE_NAMED,
	OURS_2,
	OURS_2_SAME,
	NAIVE_2,
	NAIVE_2_SAME,
	OURS_16,
	OIIO,
	OIIO_NAMED,
	OIIO_NEWEST,
	OIIO_2,
	OIIO_2_SAME,
	LOOPS
};

static struct figures_loop loops[LOOPS];

static void told(int which, const char *name, const char *predicted, const char *target_text,
		 enum figures_want want, double target, double value, const char *more)
{
	char measured[80];
	snprintf(measured, sizeof(measured), "%.1f ns%s", loops[which].ns, more);
	figures_line(name, predicted, target_text, want, target, value, measured);
}

static void ratio(const char *name, int slow, int fast, const char *predicted, double at_least)
{
	char measured[80], target[32];
	double by = figures_ratio(&loops[slow], &loops[fast], ROUNDS);
	snprintf(measured, sizeof(measured), "%.1f x (%.1f ns)", by, loops[slow].ns);
	snprintf(target, sizeof(target), ">= %.1f x", at_least);
	figures_line(name, predicted, target, WANT_AT_LEAST, at_least, by, measured);
}

static void tell_one_thread(bool with_peer)
{
	char more[48];
	double clocks = figures_ratio(&loops[OURS], &loops[CLOCK], ROUNDS);
	told(CLOCK, "one rdtsc read", "9.5 ns", "-", WANT_NOTHING, 0, 0, "");
	snprintf(more, sizeof(more), ", %.2f x rdtsc", clocks);
	told(OURS, "hit, prepared key", "10-12 ns", "<= 1.3 x rdtsc", WANT_AT_MOST, 1.3, clocks,
	     more);
	told(NAMED, "hit, 64-byte string key", "14-16 ns", "<= 16 ns", WANT_AT_MOST, 16,
	     loops[NAMED].ns, "");
	told(NEWEST, "hit, the newest again, one thread uses the cache", "3-4 ns", "<= 4 ns",
	     WANT_AT_MOST, 4, loops[NEWEST].ns, "");
	told(AUTO, "hit, policy auto", "2-4 ns", "<= 4 ns", WANT_AT_MOST, 4, loops[AUTO].ns, "");
	ratio("mutex+list / ours, prepared keys", NAIVE, OURS, "2.5-3", 3.5);
	ratio("mutex+list, 64-byte keys / ours, prepared keys", NAIVE_NAMED, OURS, "3.5-4", 3.5);
	ratio("mutex+list / ours, 64-byte string keys", NAIVE_NAMED, NAMED, "2.5-3", 3.5);
	if (with_peer) {
		ratio("OpenImageIO / ours, handle, prepared key", OIIO, OURS, "4-5", 4);
		ratio("OpenImageIO / ours, by name, string key", OIIO_NAMED, NAMED, "3.5-4", 4);
		ratio("OpenImageIO / ours, the newest again", OIIO_NEWEST, NEWEST, "10", 4);
	} else {
		printf("OpenImageIO: not measured (its program was not given or not built)\n");
	}
}

static void tell_threads(bool with_peer, bool sixteen)
{
	char more[48];
	double apart = figures_ratio(&loops[OURS_2], &loops[OURS], ROUNDS);
	double same = figures_ratio(&loops[OURS_2_SAME], &loops[OURS], ROUNDS);
	snprintf(more, sizeof(more), ", %.2f x one thread", apart);
	told(OURS_2, "hit, 2 threads, different keys", "1.0-1.1 x", "<= 1.25 x", WANT_AT_MOST, 1.25,
	     apart, more);
	snprintf(more, sizeof(more), ", %.2f x one thread", same);
	told(OURS_2_SAME, "hit, 2 threads, the same keys", "1.0-2.2 x", "<= 2 x", WANT_AT_MOST, 2,
	     same, more);
	ratio("mutex+list / ours, 2 threads, different keys", NAIVE_2, OURS_2, "8-20", 8);
	ratio("mutex+list / ours, 2 threads, the same keys", NAIVE_2_SAME, OURS_2_SAME, "8-20", 8);
	if (with_peer) {
		ratio("OpenImageIO / ours, 2 threads, different keys", OIIO_2, OURS_2, "9-17", 8);
		ratio("OpenImageIO / ours, 2 threads, the same keys", OIIO_2_SAME, OURS_2_SAME,
		      "9-17", 8);
	}
	if (!sixteen) {
		printf("hit, 16 threads: not measured (%ld processors here)\n",
		       sysconf(_SC_NPROCESSORS_ONLN));
		return;
	}
	double many = figures_ratio(&loops[OURS_16], &loops[OURS], ROUNDS);
	snprintf(more, sizeof(more), ", %.2f x one thread", many);
	told(OURS_16, "hit, 16 threads, different keys", "1.0-1.3 x", "<= 1.3 x", WANT_AT_MOST, 1.3,
	     many, more);
}

static void make_order(void)
{
	double weights[KEYS], sum = 0;
	uint64_t random = 1;
	for (unsigned i = 0; i < KEYS; i++)
		sum += weights[i] = 1 / pow(i + 1, 0.99);
	for (unsigned i = 0; i < ORDER; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		double drawn = (double)(random >> 11) * 0x1p-53 * sum;
		unsigned key = 0;
		while (key + 1 < KEYS && drawn > weights[key])
			drawn -= weights[key++];
		order[i] = (uint8_t)key;
	}
	for (unsigned i = 0; i < KEYS; i++) {
		memset(names[i], 'a', NAME_BYTES);
		snprintf(names[i], NAME_BYTES, "/home/somebody/pictures/holiday/%u.jpg", i);
		for (unsigned thread = 0; thread < THREADS; thread++)
			keys[thread][i] = bench_key(thread * KEYS + i);
	}
}

static void fill(struct wan_cache *ours, struct naive_cache *naive)
{
	for (unsigned i = 0; i < THREADS * KEYS; i++) {
		bench_put(ours, keys[i / KEYS][i % KEYS], 1000);
		if (naive)
			naive_put(naive, keys[i / KEYS][i % KEYS].words, ours, 1000, NULL);
	}
	for (unsigned i = 0; i < KEYS; i++) {
		uint64_t key[2];
		bench_put(ours, wan_key_of(names[i], NAME_BYTES), 1000);
		if (!naive)
			continue;
		naive_key_of(names[i], NAME_BYTES, key);
		naive_put(naive, key, ours, 1000, NULL);
		(*naive_place(naive, key))->name = names[i];
	}
}

static struct figures_loop loop(void (*run)(void *, unsigned, unsigned), void *context,
				unsigned threads)
{
	return (struct figures_loop){
		.run = run, .context = context, .threads = threads, .count = HITS};
}

static struct figures_loop question(const char *text)
{
	return (struct figures_loop){.ask = ask_peer, .context = (void *)text, .count = HITS};
}

int main(int argc, char **argv)
{
	static struct naive_cache naive;
	signal(SIGPIPE, SIG_IGN);
	bool with_peer = start_peer(argc > 1 ? argv[1] : NULL);
	bool sixteen = sysconf(_SC_NPROCESSORS_ONLN) >= THREADS;
	bench_start_threads();
	make_order();
	struct wan_cache *lru = bench_cache(1024 * WAN_MIB, 2000, WAN_CACHE_LRU);
	struct wan_cache *alone = bench_cache(1024 * WAN_MIB, 2000, WAN_CACHE_LRU);
	struct wan_cache *adaptive = bench_cache(1024 * WAN_MIB, 2000, WAN_CACHE_AUTO);
	naive_init(&naive, 1024 * WAN_MIB, 2000);
	fill(lru, &naive);
	fill(alone, NULL);
	fill(adaptive, NULL);

	loops[CLOCK] = loop(loop_clock, NULL, 1);
	loops[OURS] = loop(loop_ours, lru, 1);
	loops[NAMED] = loop(loop_ours_named, lru, 1);
	loops[NEWEST] = loop(loop_ours_newest, alone, 1);
	loops[AUTO] = loop(loop_ours, adaptive, 1);
	loops[NAIVE] = loop(loop_naive, &naive, 1);
	loops[NAIVE_NAMED] = loop(loop_naive_named, &naive, 1);
	loops[OURS_2] = loop(loop_ours, lru, 2);
	loops[OURS_2_SAME] = loop(loop_ours_same, lru, 2);
	loops[NAIVE_2] = loop(loop_naive, &naive, 2);
	loops[NAIVE_2_SAME] = loop(loop_naive_same, &naive, 2);
	loops[OURS_16] = loop(loop_ours, lru, sixteen ? THREADS : 1);
	loops[OIIO] = question("handle 1 same");
	loops[OIIO_NAMED] = question("name 1 same");
	loops[OIIO_NEWEST] = question("handle 1 newest");
	loops[OIIO_2] = question("handle 2 apart");
	loops[OIIO_2_SAME] = question("handle 2 same");
	figures_measure(loops, with_peer ? LOOPS : OIIO, ROUNDS);

	figures_head();
	tell_one_thread(with_peer);
	tell_threads(with_peer, sixteen);
	if (with_peer)
		stop_peer();
	naive_finish(&naive);
	wan_cache_destroy(lru);
	wan_cache_destroy(alone);
	wan_cache_destroy(adaptive);
	return 0;
}
