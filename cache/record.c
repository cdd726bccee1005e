/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"
#include "fork.h"
#include "macros.h"
#include "sys.h"

enum {
	RECORDS_IN_CHUNK = 16,
	STAMPS_MIN = 512, /* one page */
};

/* Chunks are kept for ever: the threads of a process come and go, their number stays bounded. */
struct chunk {
	struct chunk *next;
	struct wan_record *records;
};

static struct wan_mutex lock = WAN_MUTEX_INITIALIZER(WAN_RANK_READERS);
static struct wan_record *pool;  /* lock: no thread, no cache */
static struct chunk *chunks;     /* lock */
static pthread_key_t thread_key; /* its value: the first of the thread's records */
static bool thread_key_made;
static pthread_once_t once = PTHREAD_ONCE_INIT;

__thread struct wan_record *wan_record_current __attribute__((tls_model("initial-exec")));

/* A name of this thread that nobody else has while it lives, and that survives a fork. */
static uintptr_t self(void)
{
	return (uintptr_t)&wan_record_current;
}

/* Slots that were never needed are closed: see wan_pins_search(). */
static void close_slots(struct wan_record *record)
{
	record->slots_used = 1;
	for (uint32_t i = 1; i <= WAN_RECORD_SLOTS; i++)
		record->slots[i] = WAN_SLOT_CLOSED;
}

/* Mapped, so that pages of stamps that nobody needs can be given back under their writer. */
static void free_stamps(struct wan_record *record)
{
	if (record->stamp_count)
		wan_sys->munmap(record->stamps, record->stamp_count * sizeof(*record->stamps));
	record->stamps = NULL;
	record->stamp_count = 0;
}

static void to_pool_locked(struct wan_record *record) WAN_REQUIRES(&lock)
{
	free_stamps(record);
	wan_free(record->notes);
	memset(record, 0, sizeof(*record));
	close_slots(record);
	record->next_of_mine = pool;
	pool = record;
}

static void end_thread(void *first)
{
	wan_mutex_lock(&lock);
	for (struct wan_record *record = first, *next; record; record = next) {
		next = record->next_of_mine;
		record->next_of_mine = NULL;
		if (wan_load_relaxed(&record->cache)) {
			/* release: whoever sees that it has no thread sees all the thread wrote */
			wan_store_release(&record->owner, 0);
		} else {
			to_pool_locked(record);
		}
	}
	wan_mutex_unlock(&lock);
	wan_record_current = NULL; /* a later destructor of this thread may come back to a cache */
}

/* In a forked child the other threads are gone without having said so. Their pins stay. */
static void end_other_threads(void)
{
	wan_mutex_init(&lock, WAN_RANK_READERS);
	for (const struct chunk *chunk = chunks; chunk; chunk = chunk->next) {
		for (unsigned i = 0; i < RECORDS_IN_CHUNK; i++) {
			struct wan_record *record = &chunk->records[i];
			if (record->owner && record->owner != self())
				wan_store_release(&record->owner, 0);
		}
	}
}

static void begin(void)
{
	thread_key_made = pthread_key_create(&thread_key, end_thread) == 0 &&
			  wan_fork_on_child(end_other_threads) == 0;
}

/* As for the slots: what records point to is no leak. */
extern void __lsan_register_root_region(const void *from, size_t bytes) __attribute__((weak));

static int add_chunk_locked(void) WAN_REQUIRES(&lock)
{
	struct chunk *chunk = wan_malloc(sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	static_assert(WAN_RECORD_BYTES <= 4096, "what the kernel maps is aligned for a record");
	void *mapped = wan_sys->mmap(NULL, RECORDS_IN_CHUNK * sizeof(struct wan_record),
				     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED) {
		wan_free(chunk);
		return -ENOMEM;
	}
	if (__lsan_register_root_region)
		__lsan_register_root_region(mapped, RECORDS_IN_CHUNK * sizeof(struct wan_record));
	*chunk = (struct chunk){.next = chunks, .records = mapped};
	chunks = chunk;
	for (unsigned i = RECORDS_IN_CHUNK; i-- > 0;) {
		close_slots(&chunk->records[i]);
		chunk->records[i].next_of_mine = pool;
		pool = &chunk->records[i];
	}
	return 0;
}

struct wan_record *wan_record_mine(struct wan_cache *cache)
{
	struct wan_record *record = wan_record_current;
	if (record && wan_load_relaxed(&record->cache) == cache)
		return record;
	if (!record) /* not before the first: then there is no key yet, maybe */
		return NULL;
	for (record = pthread_getspecific(thread_key); record; record = record->next_of_mine) {
		if (wan_load_relaxed(&record->cache) == cache) {
			wan_record_current = record;
			return record;
		}
	}
	return NULL;
}

static struct wan_record *orphan_of(struct wan_record *records)
{
	while (records && wan_record_is_live(records))
		records = records->next;
	return records;
}

/* One of this thread's own whose cache is gone, else from the pool. */
static struct wan_record *blank_locked(struct wan_record *first, bool *ret_mine) WAN_REQUIRES(&lock)
{
	for (struct wan_record *record = first; record; record = record->next_of_mine) {
		if (!wan_load_relaxed(&record->cache)) {
			*ret_mine = true;
			return record;
		}
	}
	if (!pool && add_chunk_locked() < 0)
		return NULL;
	struct wan_record *record = pool;
	pool = record->next_of_mine;
	record->next_of_mine = NULL;
	return record;
}

struct wan_record *wan_record_join(struct wan_cache *cache, struct wan_record **records)
{
	struct wan_record *record = wan_record_mine(cache);
	if (record)
		return record;
	pthread_once(&once, begin);
	if (!thread_key_made)
		return NULL;

	struct wan_record *first = pthread_getspecific(thread_key);
	bool mine = false;
	wan_mutex_lock(&lock);
	record = orphan_of(*records);
	if (!record) {
		record = blank_locked(first, &mine);
		if (record) {
			record->next = *records;
			*records = record;
		}
	}
	if (record && !mine) {
		record->next_of_mine = first;
		if (pthread_setspecific(thread_key, record) != 0) {
			/* Nobody would tell its end. It stays with the cache, without a thread. */
			record->next_of_mine = NULL;
			wan_store_relaxed(&record->cache, cache);
			record = NULL;
		}
	}
	if (record) {
		wan_store_relaxed(&record->cache, cache);
		wan_store_release(&record->owner, self());
		wan_record_current = record;
	}
	wan_mutex_unlock(&lock);
	return record;
}

void wan_record_release_all(struct wan_record *records)
{
	wan_mutex_lock(&lock);
	for (struct wan_record *record = records, *next; record; record = next) {
		next = record->next;
		free_stamps(record);
		if (!wan_record_is_live(record)) {
			to_pool_locked(record);
			continue;
		}
		/* Blank again. Its thread may look at the name of its cache at any moment. */
		record->hits = record->saved_ns = record->last = record->epoch_then = 0;
		record->told_hits = record->told_saved_ns = 0;
		record->newest = NULL;
		wan_free(record->notes);
		record->notes = NULL;
		record->second = 0;
		record->next = NULL;
		wan_store_relaxed(&record->cache, NULL);
	}
	wan_mutex_unlock(&lock);
}

int wan_record_reserve(struct wan_record *record, uint32_t count)
{
	if (count <= record->stamp_count)
		return 0;
	size_t want = WAN_MAX((size_t)STAMPS_MIN, (size_t)record->stamp_count * 2);
	while (want < count)
		want *= 2;
	uint64_t *stamps = wan_sys->mmap(NULL, want * sizeof(*stamps), PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stamps == MAP_FAILED)
		return -ENOMEM;
	if (record->stamp_count)
		memcpy(stamps, record->stamps, record->stamp_count * sizeof(*stamps));
	free_stamps(record);
	record->stamps = stamps;
	record->stamp_count = (uint32_t)want;
	return 0;
}

void wan_record_empty(struct wan_record *record)
{
	if (record->stamp_count) /* when the kernel refuses, old stamps stay: they are too old to
				    count */
		(void)wan_sys->madvise(record->stamps,
				       record->stamp_count * sizeof(*record->stamps),
				       MADV_DONTNEED);
}
