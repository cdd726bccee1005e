/* SPDX-License-Identifier: MIT */
/*
 * Keys of cached values. Each part is hashed together with the state so far, its name and its
 * length, so that no two lists of parts flow into each other. The seed is secret and made anew in
 * each process: nobody can prepare two files that collide.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "alloc.h"
#include "atomics.h"
#include "cleanup.h"
#include "clock.h"
#include "hash.h"
#include "sys.h"
#include "wan/cache.h"

enum {
	STATE_LOW,
	STATE_HIGH,
};

static uint64_t secret_seed(void)
{
	static uint64_t seed; /* 0: not made yet; every thread makes the same */
	uint64_t known = wan_load_relaxed(&seed);
	if (known != 0)
		return known;
	/* 16 random bytes that the kernel gives each program at its start. */
	const void *random = (const void *)getauxval(AT_RANDOM);
	known = random ? wan_hash64(random, 16, 0x77616e6b6579ull) | 1 : 1;
	wan_store_relaxed(&seed, known);
	return known;
}

/* state = hash of (state, name, kind and length of the part, hash of its bytes). */
static void mix(struct wan_key_builder *builder, const char *name, uint64_t kind, const void *bytes,
		size_t count)
{
	uint64_t seed = secret_seed();
	struct wan_hash128 part = wan_hash128(bytes, count, seed);
	struct wan_hash128 named = wan_hash128(name, strlen(name), seed);
	uint64_t words[8] = {
		builder->state[STATE_LOW],
		builder->state[STATE_HIGH],
		named.low,
		named.high,
		part.low,
		part.high,
		count,
		kind,
	};
	struct wan_hash128 mixed = wan_hash128(words, sizeof(words), seed);
	builder->state[STATE_LOW] = mixed.low;
	builder->state[STATE_HIGH] = mixed.high;
	builder->length += count;
}

void wan_key_begin(struct wan_key_builder *builder, const char *operation)
{
	memset(builder, 0, sizeof(*builder));
	operation = operation ? operation : "";
	mix(builder, "operation", 0, operation, strlen(operation));
}

void wan_key_add(struct wan_key_builder *builder, const char *name, const void *bytes, size_t count)
{
	mix(builder, name ? name : "", 1, bytes ? bytes : "", bytes ? count : 0);
}

void wan_key_add_u64(struct wan_key_builder *builder, const char *name, uint64_t value)
{
	mix(builder, name ? name : "", 2, &value, sizeof(value));
}

void wan_key_add_text(struct wan_key_builder *builder, const char *name, const char *text)
{
	/* No text and empty text are different parts. */
	mix(builder, name ? name : "", text ? 3 : 4, text ? text : "", text ? strlen(text) : 0);
}

/* Time stamps move in steps of a clock tick (4 ms, 10 ms on slow kernels): a file changed twice
 * within one step keeps its stamp, so for such a fresh file the bytes count too. */
#define FRESH_NS  ((uint64_t)50 * 1000 * 1000)
#define FRESH_MAX ((uint64_t)64 * 1024 * 1024)
#define PIECE     ((size_t)64 * 1024)

static uint64_t time_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static int mix_content(struct wan_key_builder *builder, const char *path)
{
	wan_cleanup(wan_freep) uint8_t *piece = wan_malloc(PIECE);
	if (!piece)
		return -ENOMEM;
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t got = wan_read_full(fd, piece, PIECE);
		if (got < 0)
			return (int)got;
		if (got == 0)
			return 0;
		mix(builder, "content", 5, piece, (size_t)got);
	}
}

int wan_key_add_file(struct wan_key_builder *builder, const char *path)
{
	struct stat stat;
	if (!path)
		return -EINVAL;
	if (wan_sys->stat(path, &stat) != 0)
		return -errno;
	uint64_t words[5] = {
		(uint64_t)stat.st_dev,  (uint64_t)stat.st_ino,  (uint64_t)stat.st_size,
		time_ns(&stat.st_mtim), time_ns(&stat.st_ctim),
	};
	struct wan_key_builder with_file = *builder;
	mix(&with_file, "file", 6, words, sizeof(words));

	uint64_t now = wan_realtime_ns();
	bool fresh = now < words[3] + FRESH_NS || now < words[4] + FRESH_NS;
	if (fresh && S_ISREG(stat.st_mode) && (uint64_t)stat.st_size <= FRESH_MAX) {
		int error = mix_content(&with_file, path);
		if (error < 0)
			return error;
	}
	*builder = with_file;
	return 0;
}

struct wan_key wan_key_end(struct wan_key_builder *builder)
{
	mix(builder, "end", 7, &builder->length, sizeof(builder->length));
	return (struct wan_key){{builder->state[STATE_LOW], builder->state[STATE_HIGH]}};
}
