/* SPDX-License-Identifier: MIT */
/*
 * Keys of cached values. Each part is hashed together with the state so far, its name and its
 * length, so that no two lists of parts flow into each other. The seed is secret and made anew in
 * each process: nobody can prepare two files that collide.
 */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

#define XXH_INLINE_ALL /* no call and no symbol of another name: a key is made for each request */
#include <xxhash.h>

#include "alloc.h"
#include "atomics.h"
#include "cleanup.h"
#include "clock.h"
#include "macros.h"
#include "sys.h"

enum part_kind {
	PART_OPERATION,
	PART_BYTES,
	PART_NUMBER,
	PART_TEXT,
	PART_NO_TEXT,
	PART_CONTENT,
	PART_FILE,
	PART_END,
	PART_HASHED = 16, /* flag: too long for the frame, so its hash stands for it */
};

/* What is mixed into the state at once: XXH3 is fastest up to 240 bytes. */
#define FRAME_NAME 40
#define FRAME_PART 64
struct frame {
	uint64_t state[2];
	uint64_t lengths; /* of the name and of the part: they are not terminated */
	uint64_t kind;
	uint8_t bytes[FRAME_NAME + FRAME_PART];
};

static uint64_t make_seed(uint64_t *seed)
{
	/* 16 random bytes that the kernel gives each program at its start. */
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t made = random ? XXH3_64bits_withSeed(random, 16, 0x77616e6b6579ull) | 1 : 1;
	wan_store_relaxed(seed, made); /* every thread makes the same */
	return made;
}

static inline uint64_t secret_seed(enum wan_key_domain domain)
{
	static uint64_t seed; /* 0: not made yet */
	uint64_t known = wan_load_relaxed(&seed);
	if (wan_unlikely(known == 0))
		known = make_seed(&seed);
	return known + (uint64_t)domain * 0x9e3779b97f4a7c15u;
}

static struct wan_key key_from(XXH128_hash_t hash)
{
	return (struct wan_key){{hash.low64, hash.high64}};
}

struct wan_key wan_key_hash(enum wan_key_domain domain, const void *bytes, size_t count)
{
	return key_from(XXH3_128bits_withSeed(count ? bytes : "", count, secret_seed(domain)));
}

struct wan_key wan_key_of(const void *bytes, size_t count)
{
	count = bytes ? count : 0;
	return key_from(
		XXH3_128bits_withSeed(count ? bytes : "", count, secret_seed(WAN_DOMAIN_BYTES)));
}

/* Appends bytes, or their hash when they are longer than the room for them. */
static size_t frame_put(struct frame *frame, size_t at, const void *bytes, size_t count,
			size_t room, unsigned hashed_bit)
{
	if (wan_likely(count <= room)) {
		memcpy(frame->bytes + at, bytes, count);
		return at + count;
	}
	struct wan_key hash = wan_key_hash(WAN_DOMAIN_PARTS, bytes, count);
	frame->kind |= (uint64_t)PART_HASHED << hashed_bit;
	memcpy(frame->bytes + at, &hash, sizeof(hash));
	return at + sizeof(hash);
}

/* state = hash of (state, kind and length of the part, its name, its bytes). */
static void mix(struct wan_key_builder *builder, const char *name, enum part_kind kind,
		const void *bytes, size_t count)
{
	size_t name_length = strlen(name);
	struct frame frame;
	frame.state[0] = builder->state[0];
	frame.state[1] = builder->state[1];
	frame.lengths = (uint64_t)name_length << 48 ^ count; /* names are short, objects < 2^48 */
	frame.kind = kind;
	size_t end = frame_put(&frame, 0, name, name_length, FRAME_NAME, 0);
	end = frame_put(&frame, end, bytes, count, FRAME_PART, 1);
	struct wan_key mixed =
		wan_key_hash(WAN_DOMAIN_PARTS, &frame, offsetof(struct frame, bytes) + end);
	builder->state[0] = mixed.words[0];
	builder->state[1] = mixed.words[1];
	builder->length++;
}

void wan_key_begin(struct wan_key_builder *builder, const char *operation)
{
	memset(builder, 0, sizeof(*builder));
	operation = operation ? operation : "";
	mix(builder, "", PART_OPERATION, operation, strlen(operation));
}

void wan_key_add(struct wan_key_builder *builder, const char *name, const void *bytes, size_t count)
{
	mix(builder, name ? name : "", PART_BYTES, bytes ? bytes : "", bytes ? count : 0);
}

void wan_key_add_u64(struct wan_key_builder *builder, const char *name, uint64_t value)
{
	mix(builder, name ? name : "", PART_NUMBER, &value, sizeof(value));
}

void wan_key_add_text(struct wan_key_builder *builder, const char *name, const char *text)
{
	/* No text and empty text are different parts. */
	mix(builder, name ? name : "", text ? PART_TEXT : PART_NO_TEXT, text ? text : "",
	    text ? strlen(text) : 0);
}

void wan_key_add_content(struct wan_key_builder *builder, const void *bytes, size_t count)
{
	struct wan_key hash = wan_key_hash(WAN_DOMAIN_CONTENT, bytes, bytes ? count : 0);
	mix(builder, "", PART_CONTENT, &hash, sizeof(hash));
}

#define PIECE ((size_t)256 * 1024) /* read at once: stays in the second-level cache */

static int hash_descriptor(int fd, struct wan_key *ret_hash)
{
	wan_cleanup(wan_freep) uint8_t *piece = wan_malloc(PIECE);
	if (!piece)
		return -ENOMEM;
	XXH3_state_t state;
	XXH3_128bits_reset_withSeed(&state, secret_seed(WAN_DOMAIN_CONTENT));
	for (;;) {
		ssize_t got = wan_read_full(fd, piece, PIECE);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		XXH3_128bits_update(&state, piece, (size_t)got);
	}
	*ret_hash = key_from(XXH3_128bits_digest(&state));
	return 0;
}

int wan_key_hash_file(const char *path, struct wan_key *ret_hash)
{
	/* O_NONBLOCK: opening a FIFO without a writer must not wait. */
	wan_cleanup(wan_fd_closep) int fd =
		wan_sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return -errno;
	struct stat stat;
	if (wan_sys->fstat(fd, &stat) != 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return S_ISDIR(stat.st_mode) ? -EISDIR : -EINVAL;
	return hash_descriptor(fd, ret_hash);
}

int wan_key_add_file_content(struct wan_key_builder *builder, const char *path)
{
	struct wan_key hash;
	int r = path ? wan_key_hash_file(path, &hash) : -EINVAL;
	if (r == 0)
		mix(builder, "", PART_CONTENT, &hash, sizeof(hash));
	return r;
}

static uint64_t time_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

void wan_key_stat_words(const struct stat *stat, uint64_t ret_words[WAN_STAT_WORDS])
{
	ret_words[0] = (uint64_t)stat->st_dev;
	ret_words[1] = (uint64_t)stat->st_ino;
	ret_words[2] = (uint64_t)stat->st_size;
	ret_words[3] = time_ns(&stat->st_mtim);
	ret_words[4] = time_ns(&stat->st_ctim);
}

/* Time stamps move in steps of a clock tick (4 ms, 10 ms on slow kernels); where they are kept in
 * whole seconds, FAT's two are the longest. */
#define STEP_NS        ((uint64_t)50 * 1000 * 1000)
#define COARSE_STEP_NS ((uint64_t)2100 * 1000 * 1000)

bool wan_key_stat_settled(const struct stat *stat, uint64_t now_ns)
{
	/* Every change moves the time of change, which nobody can set; the other may be anything.
	 */
	uint64_t step_ns = stat->st_ctim.tv_nsec == 0 ? COARSE_STEP_NS : STEP_NS;
	return now_ns >= time_ns(&stat->st_ctim) + step_ns;
}

#define FRESH_MAX ((uint64_t)64 * 1024 * 1024) /* larger files are not written within a tick */

int wan_key_add_file(struct wan_key_builder *builder, const char *path)
{
	struct stat stat;
	if (!path)
		return -EINVAL;
	uint64_t now_ns = wan_realtime_ns();
	if (wan_sys->stat(path, &stat) != 0)
		return -errno;
	uint64_t words[WAN_STAT_WORDS];
	wan_key_stat_words(&stat, words);
	struct wan_key_builder with_file = *builder;
	mix(&with_file, "", PART_FILE, words, sizeof(words));

	/* A file changed twice within one step keeps its stamps: its bytes count too. */
	if (!wan_key_stat_settled(&stat, now_ns) && S_ISREG(stat.st_mode) &&
	    (uint64_t)stat.st_size <= FRESH_MAX) {
		int error = wan_key_add_file_content(&with_file, path);
		if (error < 0)
			return error;
	}
	*builder = with_file;
	return 0;
}

struct wan_key wan_key_end(struct wan_key_builder *builder)
{
	mix(builder, "", PART_END, &builder->length, sizeof(builder->length));
	return (struct wan_key){{builder->state[0], builder->state[1]}};
}
