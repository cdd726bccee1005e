/* SPDX-License-Identifier: MIT */
/*
 * What a request for a picture costs when it is there already, and where that time goes.
 *
 * Predicted: the sum is what the parts are: one system call that asks for the length of the queue
 * (the floor: getppid), two hashes of the path's and the key's bytes, one look-up and one pin. A
 * stat instead costs several times the system call. Target: each stage at most 1 us in all.
 *
 *	bench-identity [PICTURE.png]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "identity_state.h"
#include "instance.h"
#include "key.h"
#include "load.h"
#include "log.h"

enum { ROUNDS = 9, TIMES = 20000 };

static const char *path;
static struct wan_runtime *runtime;
static struct wan_sight sight;
static struct wan_key key;
static volatile uint64_t sink;

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median of rounds, in ns a call. */
static double measure(void (*call)(void))
{
	double rounds[ROUNDS];
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t start_ns = wan_now_ns();
		for (int i = 0; i < TIMES; i++)
			call();
		rounds[r] = (double)(wan_now_ns() - start_ns) / TIMES;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_double);
	return rounds[ROUNDS / 2];
}

static void call_getppid(void)
{
	sink += (uint64_t)getppid();
}

static void call_pending(void)
{
	sink += wan_identity_pending(runtime->identity);
}

static void call_stat(void)
{
	struct stat info;
	sink += (uint64_t)stat(path, &info);
}

static void call_hash(void)
{
	sink += wan_key_hash(WAN_DOMAIN_PATH, path, strlen(path)).words[0];
}

static void call_look(void)
{
	struct wan_sight seen;
	sink += (uint64_t)wan_identity_look(runtime->identity, path, &seen);
}

static void call_key(void)
{
	static const uint32_t numbers[7] = {1, 2, 3};
	struct wan_key_builder builder;
	wan_key_begin(&builder, "decode");
	wan_key_add(&builder, "file", &sight.token, sizeof(sight.token));
	wan_key_add(&builder, "decode", numbers, sizeof(numbers));
	sink += wan_key_end(&builder).words[0];
}

static void call_key_of(void)
{
	static const char text[64] =
		"a key of sixty-four bytes, as a program may have it already ...";
	sink += wan_key_of(text, sizeof(text)).words[0];
}

static void call_contains(void)
{
	sink += wan_cache_contains(runtime->cache, key);
}

static void call_pin(void)
{
	struct wan_pin *pin = NULL;
	if (wan_cache_pin(runtime->cache, key, &pin) == 0)
		wan_pin_release(pin);
}

static void release(int code, struct wan_pin *pin)
{
	if (code < 0) {
		printf("error %d\n", code);
		exit(1);
	}
	wan_pin_release(pin);
}

static void call_load(void)
{
	struct wan_pin *pin = NULL;
	int r = wan_load(runtime, path, NULL, &pin, NULL, NULL);
	release(r, pin);
}

static void call_thumbnail(void)
{
	struct wan_pin *pin = NULL;
	int r = wan_thumbnail(runtime, path, 150, 150, &pin, NULL, NULL);
	release(r, pin);
}

static void call_fit(void)
{
	struct wan_pin *pin = NULL;
	int r = wan_fit(runtime, path, 160, 128, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL,
			NULL);
	release(r, pin);
}

static void call_tensor(void)
{
	struct wan_pin *pin = NULL;
	int r = wan_tensor(runtime, path, 160, 128, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL,
			   NULL);
	release(r, pin);
}

static void call_validate(void)
{
	release(wan_validate(runtime, path, NULL, NULL, NULL, NULL), NULL);
}

static void *load_often(void *unused)
{
	for (int i = 0; i < TIMES * ROUNDS; i++)
		call_load();
	return NULL;
}

/* ns a call and thread, of count threads at once. */
static double measure_threads(int count)
{
	pthread_t threads[8];
	uint64_t start_ns = wan_now_ns();
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, load_often, NULL) != 0)
			exit(1);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return (double)(wan_now_ns() - start_ns) / (TIMES * ROUNDS);
}

static struct wan_runtime *make(const char *mode)
{
	const struct wan_setting settings[] = {{"cache.identity", mode}, {"record.path", "off"}};
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 2;
	options.ignore_files = true;
	struct wan_runtime *made = NULL;
	struct wan_error error = {0};
	if (wan_runtime_create(&options, &made, &error) < 0) {
		printf("%s: %s\n", error.object, error.reason);
		exit(1);
	}
	return made;
}

static void print_parts(void)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} parts[] = {{"system call (getppid)", call_getppid},
		     {"length of the queue", call_pending},
		     {"stat of the path", call_stat},
		     {"hash of the path", call_hash},
		     {"identity in all", call_look},
		     {"key of a stage", call_key},
		     {"wan_key_of, 64 bytes", call_key_of},
		     {"wan_cache_contains", call_contains},
		     {"pin and release", call_pin}};
	printf("%-28s %8s\n", "part", "ns");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		printf("%-28s %8.1f\n", parts[i].name, measure(parts[i].call));
}

static void print_stages(const char *mode)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} stages[] = {{"wan_load", call_load},
		      {"wan_thumbnail", call_thumbnail},
		      {"wan_fit", call_fit},
		      {"wan_tensor", call_tensor},
		      {"wan_validate", call_validate}};
	double floor_ns = measure(call_getppid);
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		double ns = measure(stages[i].call);
		printf("%-8s %-20s %8.1f %8.1fx %8s\n", mode, stages[i].name, ns, ns / floor_ns,
		       ns <= 1000 ? "yes" : "no");
	}
	double one_ns = measure_threads(1), two_ns = measure_threads(2);
	printf("%-8s %-20s %8.1f %8.1fx %8s (one thread: %.1f)\n", mode, "wan_load, 2 threads",
	       two_ns, two_ns / floor_ns, two_ns <= 1000 ? "yes" : "no", one_ns);
}

int main(int argc, char **argv)
{
	path = argc > 1 ? realpath(argv[1], NULL) : realpath("tests/golden/pattern.png", NULL);
	if (!path) {
		printf("usage: bench-identity PICTURE\n");
		return 64;
	}
	static const char *const modes[] = {"inotify", "stat", "strict"};
	for (size_t i = 0; i < 3; i++) {
		runtime = make(modes[i]);
		call_load();
		if (wan_identity_look(runtime->identity, path, &sight) < 0)
			return 1;
		struct wan_stage stage;
		wan_stage_begin(&stage, runtime, "image_validation", NULL);
		call_validate();
		if (wan_stage_add_file(&stage, path) < 0 || !wan_stage_is_cached(&stage))
			return 1;
		key = stage.key;
		if (i == 0) {
			print_parts();
			printf("\n%-8s %-20s %8s %9s %8s\n", "identity", "cached repeat", "ns",
			       "getppid", "<= 1 us");
		}
		print_stages(modes[i]);
		wan_runtime_unref(runtime);
	}
	return 0;
}
