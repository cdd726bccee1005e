/* SPDX-License-Identifier: MIT */
/* Making and ending a recorder, and the one of the process. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "attach.h"
#include "clock.h"
#include "fork.h"
#include "hash.h"
#include "heap_mark.h"
#include "str.h"
#include "sys.h"
#include "thread.h"

/* A folder that answers slowly must not hold a program up for longer. */
#define BUILD_WAIT_NS 2000000000u

static struct wan_recorder *process_recorder; /* release; acquire in wan_recorder_process() */
static uint64_t building_since_ns;            /* try-lock of making its file; 0: nobody does */
static uint32_t building_thread;
static uint32_t no_file; /* no file could be made: hooks must not try again each time */

/* Guests close or redirect low descriptors; ours goes where few look. */
static int move_up(int fd)
{
	static const int floors[] = {512, 256, 64};
	for (size_t i = 0; i < WAN_COUNT_OF(floors); i++) {
		int moved = fcntl(fd, F_DUPFD_CLOEXEC, floors[i]);
		if (moved < 0)
			continue;
		close(fd); /* for wan_sys it is still the one descriptor that was opened */
		return moved;
	}
	return fd;
}

/* 32 hexadecimal digits are taken as they are, any other text by its hash. */
static void parse_run_id(const char *text, uint8_t to[16])
{
	struct wan_hash128 hash = wan_hash128(text, strlen(text), 0);
	unsigned count = 0;
	memset(to, 0, 16);
	if (!text[0])
		return;
	for (; count < 32; count++) {
		char c = text[count];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
							: 16;
		if (digit == 16)
			break;
		to[count / 2] = (uint8_t)(to[count / 2] << 4 | digit);
	}
	if (count != 32 || text[32])
		memcpy(to, &hash, 16);
}

static struct wan_recorder *allocate(const struct wan_config *config, uint32_t role)
{
	struct wan_recorder *recorder =
		wan_sys->mmap(NULL, sizeof(*recorder), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (recorder == MAP_FAILED)
		return NULL;
	uint64_t most = WAN_RECORD_MAX_UNITS - 8 -
			WAN_RECORD_LANES * (WAN_RECORD_LANE_UNITS + 1); /* every lane has a chunk */
	uint64_t chunks = config->record_capacity / WAN_RECORD_CHUNK_RECORDS + 2;
	recorder->fd = -1;
	recorder->role = role;
	recorder->chunk_limit = (uint32_t)WAN_MIN(chunks, most);
	recorder->capacity =
		WAN_MIN(config->record_capacity,
			(uint64_t)(recorder->chunk_limit - 1) * WAN_RECORD_CHUNK_RECORDS);
	recorder->keep_files = config->record_keep_files;
	recorder->keep_bytes = config->record_keep_bytes;
	recorder->estimate_ns = config->record_estimate_ns;
	parse_run_id(config->record_run_id, recorder->run_id);
	wan_str_copy(recorder->job, sizeof(recorder->job), config->record_job);
	wan_str_copy(recorder->record_path, sizeof(recorder->record_path), config->record_path);
	return recorder;
}

/* What the limits allow, or less when the address space is short. */
static int map_range(struct wan_recorder *recorder)
{
	uint64_t units = recorder->chunk_limit + WAN_RECORD_LANES * (WAN_RECORD_LANE_UNITS + 1);
	uint64_t bytes = WAN_RECORD_UNITS_AT + units * WAN_RECORD_UNIT;
	for (; bytes >= WAN_RECORD_INITIAL; bytes = bytes / 4 / WAN_RECORD_PAGE * WAN_RECORD_PAGE) {
		int flags =
			recorder->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
		char *map =
			wan_sys->mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, recorder->fd, 0);
		if (map == MAP_FAILED)
			continue;
		recorder->map = map;
		recorder->map_bytes = bytes;
		recorder->header = (struct wan_record_header *)map;
		return 0;
	}
	return -ENOMEM;
}

/* A child keeps the addresses of its parent: strings and counter blocks move into the new file. */
static int map_again(struct wan_recorder *recorder)
{
	uint64_t used = recorder->header->strings_used;
	uint64_t bytes = WAN_RECORD_STRINGS_AT + WAN_MIN(used, WAN_RECORD_STRINGS_BYTES);
	int error = wan_pwrite_full(recorder->fd, recorder->map, bytes, 0);
	if (error)
		return error;
	void *map = wan_sys->mmap(recorder->map, recorder->map_bytes, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, recorder->fd, 0);
	return map == MAP_FAILED ? -errno : 0;
}

static int adopt(struct wan_recorder *recorder, int fd)
{
	struct stat file;
	recorder->fd = move_up(fd);
	if (wan_sys->fstat(recorder->fd, &file) != 0)
		return -errno;
	recorder->device = file.st_dev;
	recorder->inode = file.st_ino;
	recorder->no_fallocate = false;
	recorder->write_first = wan_space_is_disk(recorder->fd);
	recorder->no_growth = 0;
	recorder->file_bytes = 0;
	int error = wan_space_reserve(recorder, 0, WAN_RECORD_INITIAL);
	if (error)
		return error;
	recorder->file_bytes = WAN_RECORD_INITIAL;
	wan_space_write_first(recorder, 0, WAN_RECORD_PREFAULT);
	return 0;
}

int wan_recorder_build(struct wan_recorder *recorder, const struct wan_place *place, int fd)
{
	uint64_t begin_ns = wan_now_ns();
	int error = fd < 0 ? 0 : adopt(recorder, fd);
	if (!error && !recorder->map)
		error = map_range(recorder);
	else if (!error && fd >= 0)
		error = map_again(recorder);
	if (error) {
		if (fd >= 0)
			wan_sys->close(recorder->fd);
		recorder->fd = -1;
		return error;
	}
	if (fd < 0)
		recorder->file_bytes = recorder->map_bytes;
	wan_space_prefault(recorder, 0, WAN_RECORD_PREFAULT);
	wan_lanes_prepare();
	wan_header_fill(recorder, place);
	recorder->header->overhead_start_us = (uint32_t)((wan_now_ns() - begin_ns) / 1000);
	wan_recorder_register(recorder);
	wan_store_release(&recorder->state, WAN_RECORDER_READY);
	return 0;
}

static void discard(struct wan_recorder *recorder)
{
	int saved = errno;
	wan_recorder_unregister(recorder);
	wan_store_release(&recorder->state, WAN_RECORDER_DEAD);
	if (wan_lane_current && wan_lane_current->recorder == recorder)
		wan_lane_current = NULL;
	if (recorder->fd >= 0)
		wan_sys->close(recorder->fd);
	if (recorder->map)
		wan_sys->munmap(recorder->map, recorder->map_bytes);
	wan_sys->munmap(recorder, sizeof(*recorder));
	errno = saved;
}

int wan_recorder_create(const struct wan_config *config, uint32_t role, const char *path,
			struct wan_recorder **ret_recorder)
{
	struct wan_place place;
	struct wan_recorder *recorder = allocate(config, role);
	if (!recorder)
		return -ENOMEM;
	wan_place_self(&place);
	int fd = -1;
	if (path) {
		if (!wan_str_copy(recorder->path, sizeof(recorder->path), path)) {
			discard(recorder);
			return -ENAMETOOLONG;
		}
		fd = wan_place_create_exact(path);
	}
	int error = path && fd < 0 ? fd : wan_recorder_build(recorder, &place, fd);
	if (error) {
		if (fd >= 0)
			wan_sys->unlink(path);
		discard(recorder);
		return error;
	}
	*ret_recorder = recorder;
	return 0;
}

static void finish_file(struct wan_recorder *recorder)
{
	struct wan_record_header *header = recorder->header;
	if (wan_load_acquire(&recorder->state) != WAN_RECORDER_READY)
		return;
	if (wan_load_acquire(&header->state) == WAN_RUN_RUNNING && !recorder->is_process)
		wan_recorder_set_outcome(recorder, WAN_RUN_EXITED, 0, 0);
	else
		wan_header_anchor(recorder, 0);
}

/* Threads that go on may still have a pointer to their lane. Then the private block stays mapped
 * and only gives its pages back: such a pointer leads to zeros, which belong to no recorder. */
static bool lanes_are_held(const struct wan_recorder *recorder)
{
	for (size_t i = 0; i < WAN_MIN(recorder->lane_count, WAN_RECORD_LANES); i++)
		if (wan_load_relaxed(&recorder->lanes[i].recorder) &&
		    &recorder->lanes[i] != wan_lane_current)
			return true;
	return false;
}

void wan_recorder_destroy(struct wan_recorder *recorder)
{
	if (!recorder)
		return;
	int saved = errno;
	finish_file(recorder);
	if (!recorder->is_process) {
		wan_recorder_unregister(recorder);
		wan_store_release(&recorder->state, WAN_RECORDER_DEAD);
		bool held = lanes_are_held(recorder);
		if (wan_lane_current && wan_lane_current->recorder == recorder)
			wan_lane_current = NULL;
		if (recorder->fd >= 0)
			wan_sys->close(recorder->fd);
		wan_sys->munmap(recorder->map, recorder->map_bytes);
		if (held)
			wan_sys->madvise(recorder, sizeof(*recorder), MADV_DONTNEED);
		else
			wan_sys->munmap(recorder, sizeof(*recorder));
	}
	errno = saved;
}

const char *wan_recorder_path(const struct wan_recorder *recorder)
{
	return recorder && recorder->path[0] ? recorder->path : NULL;
}

struct wan_record_header *wan_recorder_header(struct wan_recorder *recorder)
{
	return recorder->header;
}

/* A file in the configured place, or memory: statistics of a linked program work either way. */
static int build_process(struct wan_recorder *recorder)
{
	struct wan_place place;
	wan_place_self(&place);
	recorder->path[0] = '\0';
	int fd = wan_place_create(&place, recorder->record_path, recorder->path);
	if (fd >= 0 && wan_recorder_build(recorder, &place, fd) == 0) {
		if (wan_place_is_default(recorder->record_path))
			wan_place_tidy(recorder->keep_files, recorder->keep_bytes);
		return 0;
	}
	if (fd >= 0)
		wan_sys->unlink(recorder->path); /* it holds nothing */
	recorder->path[0] = '\0';
	if (recorder->must_be_file)
		return -ENOENT;
	return wan_recorder_build(recorder, &place, -1);
}

static bool build_begin(void)
{
	uint64_t nobody = 0;
	if (!wan_cas_acq_rel(&building_since_ns, &nobody, wan_now_ns()))
		return false;
	wan_store_relaxed(&building_thread, wan_thread_id());
	return true;
}

static void build_end(void)
{
	uint32_t own = wan_thread_id();
	wan_store_release(&building_since_ns, 0);
	wan_cas_acq_rel(&building_thread, &own, 0); /* unless the next maker is there already */
	syscall(SYS_futex, &building_thread, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/*
 * Late comers lose nothing while another thread makes the file, which takes 1 ms, unless the folder
 * answers slowly: then only for BUILD_WAIT_NS since that thread began. False: go on without. At
 * once when the maker is this thread, interrupted by a signal. They sleep: sixty of them polling
 * would keep the processor from the maker.
 */
static bool build_wait(uint64_t *since_ns)
{
	uint64_t now_ns = wan_now_ns();
	uint64_t began_ns = wan_load_relaxed(&building_since_ns);
	uint32_t maker = wan_load_relaxed(&building_thread);
	*since_ns = *since_ns ? *since_ns : now_ns;
	if (maker == wan_thread_id() ||
	    wan_elapsed(began_ns ? began_ns : *since_ns, now_ns) > BUILD_WAIT_NS)
		return false;
	if (maker) {
		const struct timespec most = {.tv_sec = BUILD_WAIT_NS / 1000000000};
		syscall(SYS_futex, &building_thread, FUTEX_WAIT_PRIVATE, maker, &most, NULL, 0);
	} else {
		sched_yield();
	}
	return true;
}

bool wan_recorder_usable(struct wan_recorder *recorder)
{
	uint32_t state = wan_load_acquire(&recorder->state);
	if (wan_likely(state == WAN_RECORDER_READY))
		return true;
	int saved = errno;
	uint64_t since_ns = 0;
	do {
		state = wan_load_acquire(&recorder->state);
		if (state == WAN_RECORDER_FORKED && build_begin()) {
			if (wan_cas_acq_rel(&recorder->state, &state, WAN_RECORDER_BUILDING))
				wan_store_release(&recorder->state, build_process(recorder) == 0
									    ? WAN_RECORDER_READY
									    : WAN_RECORDER_DEAD);
			build_end();
			state = wan_load_acquire(&recorder->state);
		}
	} while ((state == WAN_RECORDER_FORKED || state == WAN_RECORDER_BUILDING) &&
		 build_wait(&since_ns));
	errno = saved;
	return state == WAN_RECORDER_READY;
}

static struct wan_recorder *make_process(const struct wan_config *config, uint32_t role,
					 bool must_be_file)
{
	struct wan_recorder *recorder = allocate(config, role);
	if (!recorder)
		return NULL;
	recorder->is_process = true;
	recorder->must_be_file = must_be_file;
	if (build_process(recorder) != 0) {
		wan_store_relaxed(&no_file, 1);
		discard(recorder);
		return NULL;
	}
	wan_store_release(&process_recorder, recorder);
	return recorder;
}

struct wan_recorder *wan_recorder_process(const struct wan_config *config, uint32_t role,
					  bool must_be_file)
{
	/* pairs with the release store in make_process() */
	struct wan_recorder *recorder = wan_load_acquire(&process_recorder);
	if (wan_unlikely(config->record_heap))
		wan_heap_marks_on = true;
	if (!recorder && role != WAN_ROLE_PRELOADED) {
		const struct wan_record_share *share = wan_record_share_find();
		recorder = share ? share->recorder() : NULL;
		if (recorder)
			wan_lanes_prepare();
	}
	if (!recorder && must_be_file && wan_load_relaxed(&no_file))
		return NULL;
	int saved = errno;
	uint64_t since_ns = 0;
	while (!recorder) {
		if (build_begin()) {
			recorder = wan_load_acquire(&process_recorder);
			if (!recorder)
				recorder = make_process(config, role, must_be_file);
			build_end();
			break;
		}
		if (!build_wait(&since_ns))
			break;
		recorder = wan_load_acquire(&process_recorder);
	}
	errno = saved;
	if (recorder && !must_be_file) /* someone can use memory: so may a forked child's */
		wan_store_relaxed(&recorder->must_be_file, false);
	if (!recorder || !wan_recorder_usable(recorder))
		return NULL;
	return must_be_file && recorder->fd < 0 ? NULL : recorder;
}

void wan_recorder_forget_busy(void)
{
	wan_store_relaxed(&building_since_ns, 0);
	wan_store_relaxed(&building_thread, 0);
	wan_store_relaxed(&no_file, 0);
}
