/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "atomics.h"
#include "fork.h"
#include "lock.h"
#include "macros.h"
#include "pool.h"
#include "sys.h"
#include "wan/image.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(at, bytes)   __asan_poison_memory_region((at), (bytes))
#define UNPOISON(at, bytes) __asan_unpoison_memory_region((at), (bytes))
#else
#define POISON(at, bytes)   ((void)(at), (void)(bytes))
#define UNPOISON(at, bytes) ((void)(at), (void)(bytes))
#endif

/* Eight classes in each doubling from one page on; 2^46 bytes is the end of the address space. */
#define PAGE         ((size_t)4096)
#define PAGE_LOG2    12
#define LARGEST_LOG2 46
#define CLASS_COUNT  (8 * (LARGEST_LOG2 - PAGE_LOG2) + 8)
/* A larger idle buffer is taken up to this many classes above: at most a quarter is unused. */
#define CLASS_REACH 2
/* Default of pool.idle. */
#define IDLE_DEFAULT_BYTES (64 * WAN_MIB)

/* Set aside for the next wan_pool_get() of this thread. */
static __thread struct {
	void *buffer;
	size_t mapped;
} held __attribute__((tls_model("initial-exec")));

/* Lives in the first bytes of an idle buffer: recycling then needs no allocation of its own. */
struct idle {
	struct idle *class_next, *class_prev; /* newest first */
	struct idle *age_next, *age_prev;     /* newest first, all classes */
	size_t mapped;
	unsigned class_index;
};

struct idle_list {
	struct idle *first, *last;
};

static struct {
	struct wan_mutex lock; /* rank WAN_RANK_POOL; never held across mmap or munmap */
	struct idle *classes[CLASS_COUNT]; /* lock */
	struct idle_list age;              /* lock */
	uint64_t idle_bytes;               /* lock */
	uint64_t idle_limit;               /* lock */
	uint64_t mapped_bytes;             /* relaxed */
	uint64_t reused, fresh, trimmed;   /* relaxed counters */
	uint32_t fork_hooked;              /* set once */
} pool = {
	.lock = WAN_MUTEX_INITIALIZER(WAN_RANK_POOL),
	.idle_limit = IDLE_DEFAULT_BYTES,
};

/* The smallest class that holds bytes; CLASS_COUNT when none does. Of whole pages, since several
 * small classes have the same number of them: a buffer must be found where it was put. */
static unsigned class_of(size_t bytes)
{
	if (bytes <= PAGE)
		return 0;
	if (bytes > (size_t)1 << LARGEST_LOG2)
		return CLASS_COUNT;
	bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
	unsigned log2 =
		63 - (unsigned)__builtin_clzll(bytes - 1); /* 2^log2 < bytes <= 2^(log2+1) */
	size_t step = (size_t)1 << log2 >> 3;
	size_t eighths = (bytes - ((size_t)1 << log2) + step - 1) / step; /* 1 to 8 */
	return (log2 - PAGE_LOG2) * 8 + (unsigned)eighths;
}

static size_t class_bytes(unsigned index)
{
	if (index == 0)
		return PAGE;
	size_t base = PAGE << ((index - 1) / 8);
	size_t bytes = base + base / 8 * ((index - 1) % 8 + 1);
	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

size_t wan_pool_class_bytes(size_t bytes)
{
	unsigned index = class_of(bytes);
	return index < CLASS_COUNT ? class_bytes(index) : 0;
}

static void unlink_locked(struct idle *idle) WAN_REQUIRES(&pool.lock)
{
	if (idle->class_prev)
		idle->class_prev->class_next = idle->class_next;
	else
		pool.classes[idle->class_index] = idle->class_next;
	if (idle->class_next)
		idle->class_next->class_prev = idle->class_prev;

	if (idle->age_prev)
		idle->age_prev->age_next = idle->age_next;
	else
		pool.age.first = idle->age_next;
	if (idle->age_next)
		idle->age_next->age_prev = idle->age_prev;
	else
		pool.age.last = idle->age_prev;
	pool.idle_bytes -= idle->mapped;
}

static void link_locked(struct idle *idle) WAN_REQUIRES(&pool.lock)
{
	idle->class_prev = NULL;
	idle->class_next = pool.classes[idle->class_index];
	if (idle->class_next)
		idle->class_next->class_prev = idle;
	pool.classes[idle->class_index] = idle;

	idle->age_prev = NULL;
	idle->age_next = pool.age.first;
	if (idle->age_next)
		idle->age_next->age_prev = idle;
	else
		pool.age.last = idle;
	pool.age.first = idle;
	pool.idle_bytes += idle->mapped;
}

/* Takes the oldest buffers off the lists until at most keep_bytes are idle; the caller unmaps them.
 */
static struct idle *take_oldest_locked(uint64_t keep_bytes) WAN_REQUIRES(&pool.lock)
{
	struct idle *taken = NULL;
	while (pool.idle_bytes > keep_bytes && pool.age.last) {
		struct idle *idle = pool.age.last;
		unlink_locked(idle);
		idle->class_next = taken;
		taken = idle;
	}
	return taken;
}

static void unmap(void *buffer, size_t mapped)
{
	UNPOISON(buffer, mapped);
	int kept_errno = errno;
	/* Refused only when the kernel cannot split a mapping; the pages at least can go then. */
	if (wan_sys->munmap(buffer, mapped) != 0) {
		(void)wan_sys->madvise(buffer, mapped, MADV_DONTNEED);
		errno = kept_errno;
	}
	wan_sub_relaxed(&pool.mapped_bytes, mapped);
	wan_add_relaxed(&pool.trimmed, 1);
}

static uint64_t unmap_all(struct idle *taken)
{
	uint64_t bytes = 0;
	while (taken) {
		struct idle *next = taken->class_next;
		bytes += taken->mapped;
		unmap(taken, taken->mapped);
		taken = next;
	}
	return bytes;
}

/* Another thread may have held the lock at the fork: the child forgets the idle buffers (they stay
 * shared with the parent until one side writes) and starts with clean lists. */
static void forget_idle_in_child(void) WAN_NO_ANALYSIS
{
	wan_mutex_init(&pool.lock, WAN_RANK_POOL);
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		pool.classes[i] = NULL;
	pool.age = (struct idle_list){NULL, NULL};
	wan_sub_relaxed(&pool.mapped_bytes, pool.idle_bytes);
	pool.idle_bytes = 0;
}

static void *get_idle(unsigned index, size_t *ret_mapped)
{
	unsigned end = WAN_MIN(index + CLASS_REACH + 1, (unsigned)CLASS_COUNT);
	struct idle *found = NULL;

	wan_mutex_lock(&pool.lock);
	for (; index < end && !found; index++)
		found = pool.classes[index];
	if (found)
		unlink_locked(found);
	wan_mutex_unlock(&pool.lock);
	if (!found)
		return NULL;

	*ret_mapped = found->mapped;
	UNPOISON(found, *ret_mapped);
	wan_add_relaxed(&pool.reused, 1);
	return found;
}

static void *map_fresh(size_t bytes)
{
	void *buffer = wan_sys->mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return buffer == MAP_FAILED ? NULL : buffer;
}

uint64_t wan_pool_hold(size_t bytes)
{
	unsigned index = class_of(bytes);
	if (!held.buffer && index < CLASS_COUNT)
		held.buffer = get_idle(index, &held.mapped);
	return held.buffer ? held.mapped : 0;
}

void wan_pool_unhold(void)
{
	void *buffer = held.buffer;
	held.buffer = NULL;
	wan_pool_put(buffer, held.mapped);
}

static void *take_held(unsigned index, size_t *ret_mapped)
{
	unsigned held_index = held.buffer ? class_of(held.mapped) : CLASS_COUNT;
	if (held_index < index || held_index > index + CLASS_REACH)
		return NULL;
	void *buffer = held.buffer;
	held.buffer = NULL;
	*ret_mapped = held.mapped;
	return buffer;
}

void *wan_pool_get(size_t bytes, size_t *ret_mapped)
{
	unsigned index = class_of(bytes);
	if (index >= CLASS_COUNT)
		return NULL;
	void *recycled = take_held(index, ret_mapped);
	if (recycled)
		return recycled;
	if (!wan_load_relaxed(&pool.fork_hooked) && !wan_swap_acq_rel(&pool.fork_hooked, 1))
		(void)wan_fork_on_child(forget_idle_in_child);

	void *buffer = get_idle(index, ret_mapped);
	if (buffer)
		return buffer;

	size_t mapped = class_bytes(index);
	buffer = map_fresh(mapped);
	if (!buffer && wan_pool_trim(0) > 0)
		buffer = map_fresh(mapped);
	if (!buffer)
		return NULL;
	wan_add_relaxed(&pool.mapped_bytes, mapped);
	wan_add_relaxed(&pool.fresh, 1);
	*ret_mapped = mapped;
	return buffer;
}

void wan_pool_put(void *buffer, size_t mapped)
{
	if (!buffer)
		return;

	struct idle *idle = buffer;
	struct idle *taken = NULL;
	bool kept = false;
	idle->mapped = mapped;
	idle->class_index = class_of(mapped);

	wan_mutex_lock(&pool.lock);
	if (mapped <= pool.idle_limit) {
		taken = take_oldest_locked(pool.idle_limit - mapped);
		/* Poisoned before others can see it: only the list node stays readable. */
		POISON((char *)buffer + sizeof(*idle), mapped - sizeof(*idle));
		link_locked(idle);
		kept = true;
	}
	wan_mutex_unlock(&pool.lock);

	unmap_all(taken);
	if (!kept)
		unmap(buffer, mapped);
}

void wan_pool_stats(struct wan_pool_stats *ret_stats)
{
	wan_mutex_lock(&pool.lock);
	uint64_t idle = pool.idle_bytes;
	uint64_t mapped = wan_load_relaxed(&pool.mapped_bytes);
	wan_mutex_unlock(&pool.lock);

	*ret_stats = (struct wan_pool_stats){
		.mapped_bytes = mapped,
		.idle_bytes = idle,
		.in_use_bytes = mapped > idle ? mapped - idle : 0,
		.reused = wan_load_relaxed(&pool.reused),
		.fresh = wan_load_relaxed(&pool.fresh),
		.trimmed = wan_load_relaxed(&pool.trimmed),
	};
}

/* A large buffer takes the kernel a millisecond: a part of it is back within a few microseconds,
 * for who waits for any memory at all. */
static void give_first_pages(struct idle *idle)
{
	enum { FIRST = 65536 };
	if (idle && idle->mapped > FIRST)
		(void)wan_sys->madvise((char *)idle + idle->mapped - FIRST, FIRST, MADV_DONTNEED);
}

uint64_t wan_pool_trim(uint64_t keep_bytes)
{
	wan_mutex_lock(&pool.lock);
	struct idle *taken = take_oldest_locked(keep_bytes);
	wan_mutex_unlock(&pool.lock);
	give_first_pages(taken);
	return unmap_all(taken);
}

void wan_pool_set_idle_limit(uint64_t idle_bytes)
{
	wan_mutex_lock(&pool.lock);
	pool.idle_limit = idle_bytes;
	struct idle *taken = take_oldest_locked(idle_bytes);
	wan_mutex_unlock(&pool.lock);
	unmap_all(taken);
}

void wan_pool_check(void)
{
	wan_mutex_lock(&pool.lock);
	uint64_t by_age = 0, by_class = 0;
	const struct idle *before = NULL;
	for (struct idle *idle = pool.age.first; idle; idle = idle->age_next) {
		assert(idle->age_prev == before);
		assert(class_bytes(idle->class_index) == idle->mapped);
		by_age += idle->mapped;
		before = idle;
	}
	assert(pool.age.last == before);
	for (unsigned i = 0; i < CLASS_COUNT; i++) {
		for (struct idle *idle = pool.classes[i]; idle; idle = idle->class_next) {
			assert(idle->class_index == i);
			by_class += idle->mapped;
		}
	}
	assert(by_age == pool.idle_bytes && by_class == pool.idle_bytes);
	assert(pool.idle_bytes <= wan_load_relaxed(&pool.mapped_bytes));
	(void)by_class;
	(void)by_age;
	(void)before;
	wan_mutex_unlock(&pool.lock);
}
