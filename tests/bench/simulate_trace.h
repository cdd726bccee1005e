/* SPDX-License-Identifier: MIT */
/*
 * A trace of accesses, one a line: `key`, `key,size`, `key,size,cost` or `key,size,cost,scan`,
 * separated by commas, spaces or tabs. key: any word; size: bytes; cost: microseconds to make the
 * value; scan: 1 when the caller could have known that this is one of many looked at once. The
 * first line decides which fields there are. The size of a key is the first one given, so that all
 * policies and the offline optimum see the same objects. Empty lines and lines from # on are
 * skipped.
 */
#ifndef WAN_BENCH_SIMULATE_TRACE_H
#define WAN_BENCH_SIMULATE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_NEVER UINT32_MAX

struct trace_access {
	uint32_t key;
	uint32_t next; /* access of the same key, TRACE_NEVER: none */
	uint64_t cost_ns;
	bool scan;
};

struct trace {
	struct trace_access *accesses;
	uint64_t *bytes; /* by key */
	uint32_t count, keys;
	unsigned fields; /* of a line: 1..4 */
	uint64_t footprint_bytes;
};

/* Names of keys: open addressing by 64-bit hash, twice as many places as keys at least. */
struct trace_names {
	uint64_t *hashes;
	uint32_t *keys;
	uint32_t places;
};

static void *trace_alloc(void *block, size_t count, size_t bytes)
{
	block = realloc(block, count * bytes);
	if (!block) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return block;
}

static uint32_t *trace_place(const struct trace_names *names, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & (names->places - 1);
	while (names->keys[at] != TRACE_NEVER && names->hashes[at] != hash)
		at = (at + 1) & (names->places - 1);
	names->hashes[at] = hash;
	return &names->keys[at];
}

static void trace_names_grow(struct trace_names *names)
{
	struct trace_names old = *names;
	names->places = old.places ? old.places * 4 : 1 << 16;
	names->hashes = trace_alloc(NULL, names->places, sizeof(*names->hashes));
	names->keys = trace_alloc(NULL, names->places, sizeof(*names->keys));
	memset(names->keys, 0xff, names->places * sizeof(*names->keys));
	for (uint32_t i = 0; i < old.places; i++) {
		if (old.keys[i] != TRACE_NEVER)
			*trace_place(names, old.hashes[i]) = old.keys[i];
	}
	free(old.hashes);
	free(old.keys);
}

static uint64_t trace_hash(const char *word)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, then mixed: low bits choose the place */
	for (; *word; word++)
		hash = (hash ^ (unsigned char)*word) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

/* Splits a line in place. Returns the number of words, at most 4. */
static unsigned trace_split(char *line, char *words[4])
{
	unsigned count = 0;
	line[strcspn(line, "#\r\n")] = '\0';
	for (char *word = strtok(line, ", \t"); word && count < 4; word = strtok(NULL, ", \t"))
		words[count++] = word;
	return count;
}

static void trace_add(struct trace *trace, uint32_t *capacity, struct trace_names *names,
		      char *words[4], unsigned count, uint64_t unit_bytes)
{
	if (trace->keys >= names->places / 2) {
		trace_names_grow(names);
		trace->bytes = trace_alloc(trace->bytes, names->places, sizeof(uint64_t));
	}
	if (trace->count == *capacity) {
		*capacity = *capacity ? *capacity * 2 : 1 << 16;
		trace->accesses = trace_alloc(trace->accesses, *capacity, sizeof(*trace->accesses));
	}
	uint32_t *key = trace_place(names, trace_hash(words[0]));
	if (*key == TRACE_NEVER) {
		*key = trace->keys++;
		trace->bytes[*key] = count > 1 ? strtoull(words[1], NULL, 10) : unit_bytes;
		trace->footprint_bytes += trace->bytes[*key];
	}
	trace->accesses[trace->count++] = (struct trace_access){
		.key = *key,
		.cost_ns = count > 2 ? (uint64_t)(strtod(words[2], NULL) * 1000) : 0,
		.scan = count > 3 && words[3][0] == '1',
	};
}

static void trace_link(struct trace *trace)
{
	uint32_t *next = trace_alloc(NULL, trace->keys + 1, sizeof(*next));
	memset(next, 0xff, trace->keys * sizeof(*next));
	for (uint32_t i = trace->count; i-- > 0;) {
		trace->accesses[i].next = next[trace->accesses[i].key];
		next[trace->accesses[i].key] = i;
	}
	free(next);
}

static void trace_read(FILE *file, uint64_t unit_bytes, struct trace *ret_trace)
{
	struct trace_names names = {0};
	uint32_t capacity = 0;
	char line[4096], *words[4];
	*ret_trace = (struct trace){0};
	while (fgets(line, sizeof(line), file)) {
		unsigned count = trace_split(line, words);
		if (count && !ret_trace->fields)
			ret_trace->fields = count;
		if (count)
			trace_add(ret_trace, &capacity, &names, words, count, unit_bytes);
	}
	free(names.hashes);
	free(names.keys);
	trace_link(ret_trace);
}

static inline bool trace_has_sizes(const struct trace *trace)
{
	return trace->fields > 1;
}

static inline bool trace_has_costs(const struct trace *trace)
{
	return trace->fields > 2;
}

/* What finding it saves: time when costs are known, else one miss. */
static inline double trace_worth(const struct trace *trace, uint32_t access)
{
	return trace_has_costs(trace) ? (double)trace->accesses[access].cost_ns : 1;
}

#endif
