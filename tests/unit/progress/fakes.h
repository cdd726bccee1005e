/* SPDX-License-Identifier: MIT */
/* A clock and resources that do what a test says. */
#ifndef WAN_TESTS_PROGRESS_FAKES_H
#define WAN_TESTS_PROGRESS_FAKES_H

#include <stdint.h>
#include <string.h>

#include "progress.h"
#include "state.h"

#define SECOND 1000000000ull
#define MS     1000000ull

static uint64_t fake_now_ns = 1000 * SECOND;
static double fake_memory_mb, fake_cpu_percent;
static uint64_t fake_words[64], fake_monitor_words[64];
static uint32_t fake_words_asked;

static inline uint64_t fake_clock(void)
{
	return __atomic_load_n(&fake_now_ns, __ATOMIC_RELAXED);
}

static inline void fake_pass(uint64_t ns)
{
	__atomic_fetch_add(&fake_now_ns, ns, __ATOMIC_RELAXED);
}

static inline void fake_resources(void *context, double *ret_memory_mb, double *ret_cpu_percent)
{
	*ret_memory_mb = fake_memory_mb;
	*ret_cpu_percent = fake_cpu_percent;
}

/* The same words for every name, as a recording with one place left would give. */
static inline uint64_t *fake_counters(void *context, const char *name)
{
	__atomic_fetch_add(&fake_words_asked, 1, __ATOMIC_RELAXED);
	return fake_words;
}

/* Latencies of the one block, and the latest phase that was left. */
static uint32_t fake_counts[WAN_RECORD_LATENCY_BUCKETS];
static struct wan_progress_stretch fake_stretch;
static char fake_stretch_text[64];
static uint32_t fake_stretches;

static inline uint32_t *fake_latencies(void *context, uint64_t *words, uint32_t shift)
{
	words[WAN_TRACKER_HISTOGRAM] = 5;
	return words == fake_words ? fake_counts : NULL;
}

static inline uint64_t fake_string_id(void *context, const char *text)
{
	return strcmp(text, "no room") == 0 ? 0 : 70 + strlen(text);
}

static inline void fake_on_phase(void *context, const struct wan_progress_stretch *stretch)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* jobs end in many threads */
	pthread_mutex_lock(&lock);
	fake_stretch = *stretch;
	strcpy(fake_stretch_text, stretch->text);
	fake_stretches++;
	pthread_mutex_unlock(&lock);
}

/* What earlier jobs teach; NULL: nothing. */
static int (*fake_prior)(void *context, const char *name, uint64_t total, struct wan_prior *prior);

/* A monitor with a clock of ours; rules NULL: classed. */
static inline struct wan_progress *fake_monitor(const char *rules)
{
	static struct wan_config config;
	struct wan_progress *progress = NULL;
	wan_config_defaults(&config);
	if (rules) {
		strcpy(config.progress_rules, rules);
		strcpy(config.progress_sampling,
		       strcmp(rules, "classic") == 0 ? "classic" : "budget");
	}
	memset(fake_words, 0, sizeof(fake_words));
	memset(fake_monitor_words, 0, sizeof(fake_monitor_words));
	fake_memory_mb = fake_cpu_percent = 0;
	fake_words_asked = fake_stretches = 0;
	struct wan_progress_options options = {
		.struct_size = sizeof(options),
		.config = &config,
		.now_ns = fake_clock,
		.resources = fake_resources,
		.counters = fake_counters,
		.latencies = fake_latencies,
		.string_id = fake_string_id,
		.on_phase = fake_on_phase,
		.monitor_words = fake_monitor_words,
		.prior = fake_prior,
	};
	return wan_progress_create(&options, &progress) == 0 ? progress : NULL;
}

/* Counts alerts by type; register with wan_progress_on_alert(progress, count_alert, &counter). */
struct alert_counter {
	uint32_t types[WAN_ALERT_TYPES];
	struct wan_alert last;
};

static inline void count_alert(void *context, const struct wan_alert *alert)
{
	struct alert_counter *counter = context;
	counter->types[alert->type]++;
	counter->last = *alert;
}

static inline uint32_t alerts_of(const struct alert_counter *counter)
{
	uint32_t count = 0;
	for (unsigned i = 0; i < WAN_ALERT_TYPES; i++)
		count += counter->types[i];
	return count;
}

#endif
