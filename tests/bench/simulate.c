/* SPDX-License-Identifier: MIT */
/*
 * Replays a trace through the real cache, any policy and any ceiling, and prints what it saved.
 * README.md of this folder tells the input and the options.
 */
#include <errno.h>
#include <getopt.h>
#include <time.h>

#include "simulate_cold.h"
#include "simulate_offline.h"
#include "wan/cache.h"

enum { SIZES_MAX = 16, POLICIES = 4 };

static const char *const policy_names[POLICIES] = {"lru", "auto", "gdsf", "s3fifo"};

struct settings {
	uint64_t limits[SIZES_MAX]; /* bytes */
	double shares[SIZES_MAX];   /* per cent of the footprint, where the limit is 0 */
	unsigned sizes;
	bool policies[POLICIES];
	bool hints, offline, strict;
	uint64_t entry_limit, unit_bytes;
};

struct outcome {
	double hits, worth, bytes; /* found; bytes: of what was found */
	uint64_t payload_peak_bytes, overhead_peak_bytes, entries, evictions;
	double ns_each;
	struct wan_cache_stats cold;
};

/* Values take no memory: the pointer is the size. */
static void gone(void *data)
{
	payload_bytes -= (uintptr_t)data;
}

struct making {
	uint64_t bytes, cost_ns;
	uint32_t flags;
};

static int make(void *context, struct wan_value *ret_value)
{
	const struct making *making = context;
	*ret_value = (struct wan_value){
		.data = (void *)(uintptr_t)making->bytes, /* NOLINT: a number, never followed */
		.bytes = making->bytes,
		.destroy = gone,
		.flags = making->flags,
		.cost_ns = making->cost_ns,
		.cold = cold_model.ratio > 0 ? &cold_ops : NULL,
	};
	payload_bytes += making->bytes;
	return 0;
}

static struct wan_key key_of(uint32_t number)
{
	uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15u;
	return (struct wan_key){{mixed ^ mixed >> 31, mixed * 0xbf58476d1ce4e5b9u}};
}

/* With costs as a program does: get or compute, priced in advance. Without: a computation would be
 * measured, so the value is put, of unknown cost. */
static bool access_one(struct wan_cache *cache, const struct trace *trace,
		       const struct trace_access *access, bool hints)
{
	struct making making = {trace->bytes[access->key], access->cost_ns,
				hints && access->scan ? WAN_CACHE_SCAN : 0};
	struct wan_key key = key_of(access->key);
	struct wan_pin *pin = NULL;
	bool hit = false;
	if (trace_has_costs(trace)) {
		if (wan_cache_get_or_compute(cache, key, making.bytes, make, &making, &pin, &hit) <
		    0)
			return false;
		wan_pin_release(pin);
		return hit;
	}
	if (wan_cache_pin(cache, key, &pin) == 0) {
		wan_pin_release(pin);
		return true;
	}
	struct wan_value value;
	make(&making, &value);
	if (wan_cache_put(cache, key, &value) < 0)
		gone(value.data);
	return false;
}

static struct wan_cache *make_cache(const struct settings *settings, unsigned policy,
				    uint64_t limit_bytes)
{
	struct wan_cache_options options;
	struct wan_cache *cache = NULL;
	wan_cache_options_init(&options);
	options.policy = (enum wan_cache_policy)policy;
	options.limit_bytes = limit_bytes;
	options.entry_limit = settings->entry_limit;
	options.idle_ns = 0;
	int rc = wan_cache_create(&options, &cache);
	if (rc < 0) {
		fprintf(stderr, "policy %s: %s\n", policy_names[policy], strerror(-rc));
		exit(1);
	}
	return cache;
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct outcome run_once(const struct settings *settings, const struct trace *trace,
			       unsigned policy, uint64_t limit_bytes)
{
	struct outcome outcome = {0};
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_cache *cache = make_cache(settings, policy, limit_bytes);
	uint64_t start_ns = now_ns();
	payload_bytes = 0;
	if (cold_model.ratio > 0)
		cold_begin();
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct trace_access *access = &trace->accesses[i];
		uint64_t thawed_ns = cold_model.thaw_ns;
		if (access_one(cache, trace, access, settings->hints)) {
			outcome.hits++;
			outcome.worth += trace_worth(trace, i);
			/* A thaw is time not saved. */
			if (trace_has_costs(trace))
				outcome.worth -= (double)(cold_model.thaw_ns - thawed_ns) *
						 trace_worth(trace, i) /
						 (double)(access->cost_ns ? access->cost_ns : 1);
			outcome.bytes += (double)trace->bytes[access->key];
		}
		if (cold_model.ratio > 0)
			wan_cache_background(cache, UINT64_MAX);
		if (payload_bytes + cold_model.bytes > outcome.payload_peak_bytes)
			outcome.payload_peak_bytes = payload_bytes + cold_model.bytes;
		if (i % 256 && i + 1 < trace->count)
			continue;
		wan_cache_stats(cache, &stats);
		uint64_t overhead = stats.used_bytes - payload_bytes - cold_model.bytes;
		if (overhead > outcome.overhead_peak_bytes)
			outcome.overhead_peak_bytes = overhead;
		if (stats.entries > outcome.entries)
			outcome.entries = stats.entries;
	}
	outcome.ns_each = (double)(now_ns() - start_ns) / trace->count;
	outcome.evictions = stats.evictions;
	outcome.cold = stats;
	wan_cache_destroy(cache);
	return outcome;
}

/* The ceiling asked for is one of payload: the cache's own is raised by what metadata takes, which
 * the run before has shown. A small excess of payload is taken off again. */
static struct outcome run(const struct settings *settings, const struct trace *trace,
			  unsigned policy, uint64_t limit_bytes)
{
	struct outcome outcome = run_once(settings, trace, policy, limit_bytes);
	uint64_t ceiling_bytes = limit_bytes;
	for (unsigned turn = 0; turn < 4 && !settings->strict; turn++) {
		if (outcome.payload_peak_bytes > limit_bytes)
			ceiling_bytes -= outcome.payload_peak_bytes - limit_bytes;
		else if (turn == 0 || ceiling_bytes < limit_bytes + outcome.overhead_peak_bytes)
			ceiling_bytes = limit_bytes + outcome.overhead_peak_bytes;
		else
			break;
		outcome = run_once(settings, trace, policy, ceiling_bytes);
	}
	return outcome;
}

static void print_outcome(const struct trace *trace, unsigned policy, uint64_t limit_bytes,
			  const struct outcome *outcome, const struct offline *offline)
{
	double all_worth = 0, all_bytes = 0;
	for (uint32_t i = 0; i < trace->count; i++) {
		all_worth += trace_worth(trace, i);
		all_bytes += (double)trace->bytes[trace->accesses[i].key];
	}
	printf("%-7s %14llu %8llu  %6.2f  %6.2f  %6.2f", policy_names[policy],
	       (unsigned long long)limit_bytes, (unsigned long long)outcome->entries,
	       100 * outcome->hits / trace->count, 100 * outcome->bytes / all_bytes,
	       100 * outcome->worth / all_worth);
	if (offline)
		printf("   %6.3f  %6.3f", offline->best > 0 ? outcome->worth / offline->best : 1,
		       offline->bound > 0 ? outcome->worth / offline->bound : 1);
	printf("   %5.2f %8.0f\n",
	       100.0 * (double)outcome->overhead_peak_bytes / (double)limit_bytes,
	       outcome->ns_each);
	if (cold_model.ratio > 0)
		printf("        cold: %llu hits, %llu made, %llu held for %.1f %% of the ceiling; "
		       "freezing took %.2f %% of all cost; %s\n",
		       (unsigned long long)outcome->cold.cold_hits,
		       (unsigned long long)outcome->cold.cold_made,
		       (unsigned long long)outcome->cold.cold_entries,
		       100.0 * (double)outcome->cold.cold_bytes / (double)limit_bytes,
		       100 * (double)cold_model.freeze_ns / all_worth,
		       wan_cold_reason_text(outcome->cold.cold_reason));
}

static void replay(const struct settings *settings, const struct trace *trace)
{
	printf("%u accesses, %u keys, %llu bytes; saved: %s\n", trace->count, trace->keys,
	       (unsigned long long)trace->footprint_bytes,
	       trace_has_costs(trace) ? "time" : "misses");
	printf("policy         ceiling  entries   hit %%  byte %%  saved%%%s   meta%%  ns/each\n",
	       settings->offline ? "   / best / bound" : "");
	for (unsigned i = 0; i < settings->sizes; i++) {
		uint64_t limit_bytes = settings->limits[i];
		struct offline offline;
		if (!limit_bytes)
			limit_bytes = (uint64_t)((double)trace->footprint_bytes *
						 settings->shares[i] / 100);
		if (!trace_has_sizes(trace)) /* whole objects */
			limit_bytes -= limit_bytes % settings->unit_bytes;
		if (!limit_bytes)
			limit_bytes = settings->unit_bytes;
		if (settings->offline) {
			offline = offline_of(trace, limit_bytes);
			printf("offline %14llu                            best %.0f bound %.0f\n",
			       (unsigned long long)limit_bytes, offline.best, offline.bound);
		}
		for (unsigned policy = 0; policy < POLICIES; policy++) {
			if (!settings->policies[policy])
				continue;
			struct outcome outcome = run(settings, trace, policy, limit_bytes);
			print_outcome(trace, policy, limit_bytes, &outcome,
				      settings->offline ? &offline : NULL);
		}
	}
}

/* 0: not a number of bytes. */
static uint64_t parse_bytes(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;
	for (const char *u = units; unit && u <= unit; u++)
		value *= 1024;
	return end[unit != NULL] == '\0' && value >= 1 ? (uint64_t)value : 0;
}

static int usage(void)
{
	fputs("usage: bench-simulate [--policy NAME]... [--limit BYTES[K|M|G]]... [--share "
	      "PCT]...\n"
	      "       [--compare] [--offline] [--hints] [--strict] [--entries N] [--unit BYTES]\n"
	      "       [--cold RATIO,THAW_NS_PER_BYTE,FREEZE_NS_PER_BYTE]\n"
	      "       [FILE]      lines of key[,size[,cost_us[,scan]]]; without FILE: stdin\n",
	      stderr);
	return 64;
}

static bool add_policy(struct settings *settings, const char *name)
{
	for (unsigned i = 0; i < POLICIES; i++) {
		if (strcmp(name, policy_names[i]) == 0) {
			settings->policies[i] = true;
			return true;
		}
	}
	return false;
}

static bool add_size(struct settings *settings, uint64_t limit_bytes, double share)
{
	if (settings->sizes == SIZES_MAX || !(limit_bytes || (share > 0 && share <= 100)))
		return false;
	settings->limits[settings->sizes] = limit_bytes;
	settings->shares[settings->sizes++] = share;
	return true;
}

/* What was not said: all policies, the four shares that the literature uses. */
static void fill_in(struct settings *settings, bool compare)
{
	bool any = false;
	for (unsigned i = 0; i < POLICIES; i++)
		any |= settings->policies[i];
	for (unsigned i = 0; i < POLICIES && (compare || !any); i++)
		settings->policies[i] = true;
	static const double shares[] = {1, 5, 10, 25};
	for (unsigned i = 0; i < 4 && !settings->sizes; i++) {
		settings->limits[i] = 0;
		settings->shares[i] = shares[i];
	}
	if (!settings->sizes)
		settings->sizes = 4;
}

static bool parse(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, 'p'},
		{"limit", required_argument, NULL, 'l'},
		{"share", required_argument, NULL, 's'},
		{"entries", required_argument, NULL, 'e'},
		{"unit", required_argument, NULL, 'u'},
		{"compare", no_argument, NULL, 'c'},
		{"offline", no_argument, NULL, 'o'},
		{"hints", no_argument, NULL, 'h'},
		{"strict", no_argument, NULL, 't'},
		{"cold", required_argument, NULL, 'C'},
		{0},
	};
	bool good = true, compare = false;
	for (int letter; good && (letter = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (letter) {
		case 'p':
			good = add_policy(settings, optarg);
			break;
		case 'l':
			good = add_size(settings, parse_bytes(optarg), 0);
			break;
		case 's':
			good = add_size(settings, 0, strtod(optarg, NULL));
			break;
		case 'e':
			settings->entry_limit = strtoull(optarg, NULL, 10);
			break;
		case 'u':
			settings->unit_bytes = parse_bytes(optarg);
			break;
		case 'c':
			compare = settings->offline = true;
			break;
		case 'o':
			settings->offline = true;
			break;
		case 'h':
			settings->hints = true;
			break;
		case 'C':
			good = cold_parse(optarg);
			break;
		case 't':
			settings->strict = true;
			break;
		default:
			good = false;
		}
	}
	fill_in(settings, compare);
	return good && settings->entry_limit && settings->unit_bytes && optind + 1 >= argc;
}

int main(int argc, char **argv)
{
	struct settings settings = {.entry_limit = INT64_MAX, .unit_bytes = 1 << 20};
	struct trace trace;
	if (!parse(argc, argv, &settings))
		return usage();
	FILE *file = optind < argc ? fopen(argv[optind], "r") : stdin;
	if (!file) {
		printf("skipped: %s: %s\n", argv[optind], strerror(errno));
		return 0;
	}
	trace_read(file, settings.unit_bytes, &trace);
	if (file != stdin)
		fclose(file);
	if (!trace.count) {
		puts("skipped: no accesses in the input");
		return 0;
	}
	replay(&settings, &trace);
	free(trace.accesses);
	free(trace.bytes);
	return 0;
}
