/* SPDX-License-Identifier: MIT */
/*
 * NVTX: ranges that a program names for NVIDIA's tools become operations. NVTX is compiled into the
 * program and asks the library that NVTX_INJECTION64_PATH names (wanprof run sets it, unless
 * another tool did) for InitializeInjectionNvtx2(), which puts our functions into its tables. A
 * range pushed and popped belongs to its thread; one started may be ended by another.
 */
#include <string.h>

#include "cuda_call.h"
#include "nvtx_name.h"
#include "preload.h"
#include "recorder.h"
#include "str.h"
#include "wan/profile.h"

enum {
	MODULE_CORE = 1,
	MODULE_CORE2 = 5,
	TABLE_CALLBACKS = 1,
	MESSAGE_ASCII = 1,
	MESSAGE_WIDE = 2,
	MESSAGE_REGISTERED = 3,
	DEPTH = 32,    /* ranges open in a thread; deeper ones are not seen */
	STARTED = 256, /* ranges open in the process that any thread may end */
	DOMAINS = 32,
	NAMES_PLAIN = 64,  /* different names until digits do not count: a thread has 250 sums */
	NAMES_MOST = 2048, /* and until all further ones are "other" */
	SHOWN = 4,         /* how deep ranges are shown in flight */
	LONG_NS = 1000000, /* worth a record, as for calls */
	RECORDS = 4096,    /* of a thread; then all go to the sums */
};

/* nvtxEventAttributes_t */
struct attributes {
	uint16_t version, bytes;
	uint32_t category;
	int32_t color_type;
	uint32_t color;
	int32_t payload_type, reserved;
	uint64_t payload;
	int32_t message_type;
	union {
		const char *ascii;
		const wchar_t *wide;
		uintptr_t registered;
	} message;
};

struct range {
	uint64_t start_ticks;
	uint16_t name;
	bool nested;
	struct wan_record_inflight *slot;
	int64_t memory_bytes, outer_peak; /* of the thread on the device */
};

static struct thread {
	uint32_t thread; /* of the lane */
	uint32_t depth, records;
	struct range ranges[DEPTH];
} threads[WAN_RECORD_LANES];

/* id: 0 free, 1 being written; else generation << 16 | slot + 2. */
static struct {
	uint64_t id;
	struct range range;
} started[STARTED];
static uint64_t started_count;

static char domains[DOMAINS][64];
static uint32_t domain_count, names_seen;

static struct thread *thread_of(struct wan_lane *lane)
{
	struct thread *thread = &threads[lane->shared->index % WAN_RECORD_LANES];
	if (wan_unlikely(thread->thread != lane->thread)) {
		*thread = (struct thread){.thread = lane->thread};
	}
	return thread;
}

static struct wan_lane *lane_now(void)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	return recorder ? wan_lane_get(recorder) : NULL;
}

static uint16_t name_id(const char *domain, const char *message)
{
	char text[WAN_NVTX_NAME_BYTES];
	struct wan_recorder *recorder = wan_preload_recorder();
	if (!message || !recorder)
		return 0;
	bool many = wan_load_relaxed(&names_seen) >= NAMES_PLAIN;
	wan_nvtx_name(text, sizeof(text), domain, message, many);
	uint64_t before = wan_load_relaxed(&recorder->header->strings_used);
	if (wan_load_relaxed(&names_seen) >= NAMES_MOST)
		return 0;
	uint16_t id = wan_recorder_string(recorder, text[0] ? text : "range");
	if (wan_load_relaxed(&recorder->header->strings_used) != before)
		wan_add_relaxed(&names_seen, 1);
	return id;
}

static uint16_t wide_id(const char *domain, const wchar_t *message)
{
	char text[WAN_NVTX_NAME_BYTES];
	if (!message)
		return 0;
	wan_nvtx_narrow(text, sizeof(text), message);
	return name_id(domain, text);
}

static uint16_t attributes_id(const char *domain, const struct attributes *attributes)
{
	if (!attributes || attributes->bytes < sizeof(*attributes))
		return 0;
	switch (attributes->message_type) {
	case MESSAGE_ASCII:
		return name_id(domain, attributes->message.ascii);
	case MESSAGE_WIDE:
		return wide_id(domain, attributes->message.wide);
	case MESSAGE_REGISTERED: /* a handle of ours: the id */
		return (uint16_t)attributes->message.registered;
	default:
		return name_id(domain, "range");
	}
}

static void range_begin(struct range *range, struct wan_lane *lane, uint16_t name, bool shown)
{
	struct wan_cuda_thread *cuda = lane->calls;
	*range = (struct range){.name = name, .nested = lane->depth > 0 || lane->foreign_open};
	if (cuda) {
		range->memory_bytes = cuda->memory_bytes;
		range->outer_peak = cuda->memory_peak;
		cuda->memory_peak = cuda->memory_bytes;
	}
	if (shown) {
		range->slot = wan_lane_enter(lane);
		range->slot->name = name;
		range->slot->library = WAN_LIBRARY_NVTX;
	}
	range->start_ticks = wan_ticks();
	if (shown)
		wan_store_release(&range->slot->start_ticks, range->start_ticks);
}

static void add_sum(struct wan_lane *lane, const struct wan_record_operation *record)
{
	struct wan_record_aggregate *sum =
		wan_lane_sum(lane, record->name, WAN_LIBRARY_NVTX, WAN_OP_OK, record->flags, false);
	uint64_t ns = record->span_ticks * lane->recorder->ns_per_tick_32 >> 32;
	if (!sum) {
		wan_lane_drop(lane);
		return;
	}
	wan_sum_add(sum, record->span_ticks, wan_histogram_bucket(ns), 0);
	if (record->memory_kib != WAN_MEMORY_UNKNOWN)
		wan_sum_memory(sum, record->memory_kib, record->peak_kib);
}

/* memory: the range was the thread's own, so the device memory of its calls is known. */
static void range_end(struct range *range, struct wan_lane *lane, bool memory)
{
	uint64_t span = wan_ticks() - range->start_ticks;
	struct wan_cuda_thread *cuda = memory ? lane->calls : NULL;
	struct wan_record_operation record = {
		.start_ticks = range->start_ticks,
		.span_ticks = span,
		.inside = UINT16_MAX,
		.thread = lane->thread,
		.cpu_us = WAN_CPU_UNKNOWN,
		.file_bytes = WAN_BYTES_UNKNOWN,
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.name = range->name,
		.library = WAN_LIBRARY_NVTX,
		.kind_status = (uint8_t)(WAN_RECORD_OPERATION << 4 | WAN_OP_OK),
		.flags = range->nested ? WAN_FLAG_CHILD : 0,
	};
	if (range->slot)
		wan_lane_leave(lane, range->slot);
	if (cuda) {
		int64_t net = (cuda->memory_bytes - range->memory_bytes) / 1024;
		int64_t peak = (cuda->memory_peak - range->memory_bytes) / 1024;
		record.memory_kib = (int32_t)WAN_CLAMP(net, -INT32_MAX, INT32_MAX);
		record.peak_kib = (uint32_t)WAN_CLAMP(peak, 0, (int64_t)UINT32_MAX - 1);
		cuda->memory_peak = WAN_MAX(cuda->memory_peak, range->outer_peak);
	}
	uint64_t ns = (uint64_t)((__uint128_t)span * lane->recorder->ns_per_tick_32 >> 32);
	if (ns >= LONG_NS && thread_of(lane)->records++ < RECORDS)
		wan_lane_append(lane, &record);
	else
		add_sum(lane, &record);
}

static int push(uint16_t name)
{
	struct wan_lane *lane = lane_now();
	if (!lane)
		return -1;
	struct thread *thread = thread_of(lane);
	uint32_t depth = thread->depth++;
	if (depth < DEPTH)
		range_begin(&thread->ranges[depth], lane, name, depth < SHOWN);
	return (int)depth;
}

static int pop(void)
{
	struct wan_lane *lane = lane_now();
	struct thread *thread = lane ? thread_of(lane) : NULL;
	if (!thread || !thread->depth)
		return -1;
	uint32_t depth = --thread->depth;
	if (depth < DEPTH)
		range_end(&thread->ranges[depth], lane, true);
	return (int)depth;
}

static uint64_t start(uint16_t name)
{
	struct wan_lane *lane = lane_now();
	uint64_t count = wan_add_relaxed(&started_count, 1) + 1;
	for (unsigned i = 0; lane && i < STARTED; i++) {
		unsigned at = (unsigned)(count + i) % STARTED;
		uint64_t none = 0;
		if (!wan_cas_acq_rel(&started[at].id, &none, 1))
			continue;
		range_begin(&started[at].range, lane, name, false);
		started[at].range.nested = true; /* beside what the thread does */
		wan_store_release(&started[at].id, count << 16 | (at + 2));
		return count << 16 | (at + 2);
	}
	return count << 16; /* no room: not seen */
}

static void end(uint64_t id)
{
	unsigned at = (unsigned)(id & 0xffff) - 2;
	struct wan_lane *lane = lane_now();
	if (!lane || at >= STARTED || !id)
		return;
	struct range range = started[at].range;
	if (wan_cas_acq_rel(&started[at].id, &id, 0))
		range_end(&range, lane, false);
}

static void mark(uint16_t name)
{
	struct wan_lane *lane = lane_now();
	if (!lane)
		return;
	const struct wan_record_operation record = {
		.name = name, .memory_kib = WAN_MEMORY_UNKNOWN, .flags = WAN_FLAG_CHILD};
	add_sum(lane, &record);
}

/* Functions of the core module. */
static void mark_ex(const struct attributes *a)
{
	mark(attributes_id(NULL, a));
}
static void mark_a(const char *message)
{
	mark(name_id(NULL, message));
}
static void mark_w(const wchar_t *message)
{
	mark(wide_id(NULL, message));
}
static uint64_t start_ex(const struct attributes *a)
{
	return start(attributes_id(NULL, a));
}
static uint64_t start_a(const char *message)
{
	return start(name_id(NULL, message));
}
static uint64_t start_w(const wchar_t *message)
{
	return start(wide_id(NULL, message));
}
static int push_ex(const struct attributes *a)
{
	return push(attributes_id(NULL, a));
}
static int push_a(const char *message)
{
	return push(name_id(NULL, message));
}
static int push_w(const wchar_t *message)
{
	return push(wide_id(NULL, message));
}

/* Functions with a domain, whose handle is its name. */
static void domain_mark(const char *domain, const struct attributes *a)
{
	mark(attributes_id(domain, a));
}
static uint64_t domain_start(const char *domain, const struct attributes *a)
{
	return start(attributes_id(domain, a));
}
static void domain_end(const char *domain, uint64_t id)
{
	end(id);
}
static int domain_push(const char *domain, const struct attributes *a)
{
	return push(attributes_id(domain, a));
}
static int domain_pop(const char *domain)
{
	return pop();
}
static uintptr_t register_a(const char *domain, const char *message)
{
	return name_id(domain, message);
}
static uintptr_t register_w(const char *domain, const wchar_t *message)
{
	return wide_id(domain, message);
}
static const char *domain_create_a(const char *name)
{
	uint32_t index = wan_add_relaxed(&domain_count, 1);
	if (index >= DOMAINS || !name)
		return NULL; /* the default one */
	wan_str_copy(domains[index], sizeof(domains[index]), name);
	return domains[index];
}
static const char *domain_create_w(const wchar_t *name)
{
	char text[64];
	if (!name)
		return NULL;
	wan_nvtx_narrow(text, sizeof(text), name);
	return domain_create_a(text);
}

/* Numbers of enum NvtxCallbackIdCore and ...Core2. */
static void *const core[] = {NULL,    mark_ex, mark_a,  mark_w, start_ex, start_a,
			     start_w, end,     push_ex, push_a, push_w,   pop};
static void *const core2[] = {
	NULL, domain_mark, domain_start, domain_end, domain_push, domain_pop,      NULL,
	NULL, NULL,        NULL,         register_a, register_w,  domain_create_a, domain_create_w};

struct callbacks {
	size_t bytes;
	int (*module_functions)(int module, void ****ret_table, unsigned *ret_count);
};

static bool fill(const struct callbacks *callbacks, int module, void *const *ours, unsigned count)
{
	void ***table; /* pointers to the program's pointers to functions */
	unsigned room = 0;
	if (!callbacks->module_functions(module, &table, &room) || !table)
		return false;
	for (unsigned i = 1; i < count && i < room; i++)
		if (ours[i] && table[i])
			*table[i] = ours[i];
	return true;
}

WAN_EXPORT int InitializeInjectionNvtx2(const void *(*table)(uint32_t id));
WAN_EXPORT int InitializeInjectionNvtx2(const void *(*table)(uint32_t id))
{
	const struct callbacks *callbacks = table ? table(TABLE_CALLBACKS) : NULL;
	if (!callbacks || callbacks->bytes < sizeof(*callbacks) || !wan_preload_records())
		return 0; /* NVTX goes on as without a tool */
	bool done = fill(callbacks, MODULE_CORE, core, WAN_COUNT_OF(core));
	return fill(callbacks, MODULE_CORE2, core2, WAN_COUNT_OF(core2)) || done;
}

void wan_nvtx_after_fork(void)
{
	/* Ranges of threads are told apart by the thread's number, which is another one here. */
	for (unsigned i = 0; i < STARTED; i++)
		if (started[i].id)
			started[i].id = 0;
}
