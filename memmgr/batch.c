/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "gpu.h"
#include "macros.h"
#include "state.h"
#include "str.h"

/*
 * The first failure halves. The sizes after it fall by this, and what is between a good and a
 * failing size is divided by its geometric middle: with six sizes tried, the best one is then at
 * least 90 % of what fits wherever that is a quarter of the maximum or more (81 % down to a tenth
 * of it).
 */
enum { STEEPER_PCT = 44 };

static void set_size(struct wan_batch_rule *rule, uint32_t size)
{
	rule->size = WAN_CLAMP(size, rule->minimum, rule->maximum);
	rule->clean = 0;
}

void wan_batch_rule_scale(struct wan_batch_rule *rule, double factor)
{
	uint32_t size = (uint32_t)((double)rule->size * factor);
	if (WAN_MAX(size, rule->minimum) < rule->size)
		set_size(rule, size);
}

void wan_batch_rule_shrink(struct wan_batch_rule *rule, uint32_t items)
{
	uint32_t size = rule->size - WAN_MIN(items, rule->size);
	if (rule->shrunk)
		return;
	rule->shrunk = true;
	if (WAN_MAX(size, rule->minimum) < rule->size)
		set_size(rule, size);
}

void wan_batch_rule_failed(struct wan_batch_rule *rule, uint32_t items)
{
	uint32_t tried = items ? items : rule->size;
	bool first = !rule->failed;
	if (first || tried < rule->failed)
		rule->failed = tried;
	rule->gpu_halved = rule->shrunk = false;
	if (rule->good >= tried)
		rule->good = 0; /* what went well no longer does */
	uint32_t next = rule->good;
	if (!next)
		next = first ? tried / 2 : (uint32_t)(((uint64_t)tried * STEEPER_PCT + 50) / 100);
	set_size(rule, WAN_MIN(next, rule->size));
}

/* The geometric middle of two sizes, between them. */
static uint32_t between(uint32_t good, uint32_t failed)
{
	uint64_t product = (uint64_t)good * failed, low = good, high = failed;
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;
		if (middle * middle > product)
			high = middle;
		else
			low = middle;
	}
	uint64_t nearest = high * high - product < product - low * low ? high : low;
	return (uint32_t)WAN_CLAMP(nearest, (uint64_t)good + 1, (uint64_t)failed - 1);
}

void wan_batch_rule_clean(struct wan_batch_rule *rule, uint32_t items, bool calm)
{
	rule->gpu_halved = rule->shrunk = false;
	if (rule->failed && items >= rule->failed)
		rule->failed = 0; /* it fits now */
	rule->good = WAN_MAX(rule->good, items);
	if (!calm) {
		rule->clean = 0;
		return;
	}
	rule->clean++;
	if (rule->clean < WAN_BATCH_CLEAN_TO_GROW || rule->size >= rule->maximum)
		return;
	if (!rule->failed || rule->failed <= rule->size) {
		set_size(rule, rule->size + WAN_MAX(1, rule->size / 10));
	} else if (rule->failed - rule->size > 1) {
		set_size(rule, between(rule->size, rule->failed));
	} else if (rule->clean >= WAN_BATCH_CLEAN_TO_FORGET) {
		rule->failed = 0;
	}
}

void wan_batch_rule_gpu(struct wan_batch_rule *rule, double used_pct, double threshold_pct)
{
	if (used_pct <= threshold_pct || rule->gpu_halved)
		return;
	set_size(rule, rule->size / 2);
	rule->gpu_halved = true;
}

int wan_memory_overlay(void *defaults, size_t bytes, const void *given, size_t given_bytes)
{
	if (given_bytes < sizeof(size_t))
		return -EINVAL;
	for (size_t i = bytes; i < given_bytes; i++)
		if (((const char *)given)[i])
			return -EINVAL;
	memcpy(defaults, given, WAN_MIN(bytes, given_bytes));
	return 0;
}

void wan_batch_options_init(struct wan_batch_options *options)
{
	*options = (struct wan_batch_options){
		.struct_size = sizeof(*options),
		.name = "batch",
		.minimum = 1,
		.maximum = 100,
		.device = -1,
	};
}

/* The batch as a reclaimer, asked after caches: it gives what it is done with, and takes as many
 * items less next time as are missing. */
static uint64_t reclaim_batch(void *context, enum wan_memory_level level, uint64_t want_bytes)
{
	struct wan_batch *batch = context;
	struct wan_memory *memory = batch->memory;
	uint64_t freed = batch->release ? batch->release(batch->context, want_bytes) : 0;
	struct wan_memory_action action = {.what = "batch", .level = level};
	if (freed >= want_bytes || !batch->item_bytes)
		return freed;
	uint64_t less = (want_bytes - freed + batch->item_bytes - 1) / batch->item_bytes;
	wan_mutex_lock(&memory->batch_lock);
	action.batch_before = batch->rule.size;
	wan_batch_rule_shrink(&batch->rule, (uint32_t)WAN_MIN(less, (uint64_t)UINT32_MAX));
	action.batch_after = batch->rule.size;
	wan_mutex_unlock(&memory->batch_lock);
	if (action.batch_before == action.batch_after)
		return freed;
	action.asked_bytes = want_bytes;
	action.freed_bytes = freed;
	action.time_ns = memory->now_ns();
	wan_str_format(action.reason, sizeof(action.reason), "%s: memory is asked for elsewhere",
		       batch->name);
	wan_memory_record(memory, &action);
	return freed;
}

int wan_batch_create(struct wan_memory *memory, const struct wan_batch_options *given,
		     struct wan_batch **ret_batch)
{
	struct wan_batch_options options;
	wan_batch_options_init(&options);
	if (!memory || !given || !ret_batch ||
	    wan_memory_overlay(&options, sizeof(options), given, given->struct_size) < 0 ||
	    !options.minimum || options.minimum > options.maximum)
		return -EINVAL;
	struct wan_batch *batch = wan_calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	*batch = (struct wan_batch){
		.memory = memory,
		.on_gpu = options.on_gpu,
		.device = options.on_gpu ? wan_gpu_use(memory, options.device) : -1,
		.item_bytes = options.item_bytes,
		.release = options.release,
		.context = options.context,
		.rule = {.minimum = options.minimum,
			 .maximum = options.maximum,
			 .size = options.maximum},
	};
	wan_str_copy(batch->name, sizeof(batch->name), options.name ? options.name : "batch");
	if (batch->release || batch->item_bytes) {
		const struct wan_reclaimer reclaimer = {.name = batch->name,
							.priority = WAN_RECLAIM_BATCH,
							.reclaim = reclaim_batch,
							.context = batch};
		int r = wan_memory_add_reclaimer(memory, &reclaimer);
		if (r < 0) { /* too many of them */
			wan_free(batch);
			return r;
		}
	}
	wan_mutex_lock(&memory->batch_lock);
	batch->next = memory->batches;
	memory->batches = batch;
	wan_mutex_unlock(&memory->batch_lock);
	*ret_batch = batch;
	return 0;
}

void wan_batch_destroy(struct wan_batch *batch)
{
	if (!batch)
		return;
	struct wan_memory *memory = batch->memory;
	if (batch->release || batch->item_bytes)
		wan_memory_remove_reclaimer(memory, batch);
	wan_mutex_lock(&memory->batch_lock);
	struct wan_batch **link = &memory->batches;
	while (*link && *link != batch)
		link = &(*link)->next;
	if (*link)
		*link = batch->next;
	wan_mutex_unlock(&memory->batch_lock);
	wan_free(batch);
}

uint64_t wan_memory_batch_bytes(struct wan_memory *memory)
{
	uint64_t bytes = 0, all;
	wan_mutex_lock(&memory->batch_lock);
	for (struct wan_batch *batch = memory->batches; batch; batch = batch->next) {
		if (!batch->release) /* smaller next time, nothing now */
			continue;
		if (__builtin_mul_overflow(batch->item_bytes, batch->rule.size, &all) ||
		    __builtin_add_overflow(bytes, all, &bytes))
			bytes = UINT64_MAX / 2;
	}
	wan_mutex_unlock(&memory->batch_lock);
	return bytes;
}

uint32_t wan_batch_next(struct wan_batch *batch)
{
	if (!batch)
		return 0;
	wan_mutex_lock(&batch->memory->batch_lock);
	uint32_t size = batch->rule.size;
	wan_mutex_unlock(&batch->memory->batch_lock);
	return size;
}

static bool calm(struct wan_memory *memory, const struct wan_batch *batch)
{
	wan_mutex_lock(&memory->lock);
	bool host = memory->level.level == WAN_MEMORY_NORMAL;
	wan_mutex_unlock(&memory->lock);
	return host && (!batch->on_gpu || wan_gpu_is_calm(memory, batch->device));
}

void wan_batch_report(struct wan_batch *batch, uint32_t items, bool failed_for_memory)
{
	if (!batch)
		return;
	struct wan_memory *memory = batch->memory;
	bool may_grow = !failed_for_memory && calm(memory, batch);
	wan_mutex_lock(&memory->batch_lock);
	if (failed_for_memory)
		wan_batch_rule_failed(&batch->rule, items);
	else
		wan_batch_rule_clean(&batch->rule, items, may_grow);
	wan_mutex_unlock(&memory->batch_lock);
}

/* Applies one change to the batches (of a device, or all: -1) and tells the smallest size before
 * and after. */
static void change_batches(struct wan_memory *memory, int device, double factor, double gpu_pct,
			   uint32_t *ret_before, uint32_t *ret_after)
{
	uint32_t before = UINT32_MAX, after = UINT32_MAX;
	wan_mutex_lock(&memory->batch_lock);
	for (struct wan_batch *batch = memory->batches; batch; batch = batch->next) {
		if (device >= 0 && (!batch->on_gpu || batch->device != device))
			continue;
		before = WAN_MIN(before, batch->rule.size);
		if (device >= 0)
			wan_batch_rule_gpu(&batch->rule, gpu_pct, memory->gpu_pct);
		else
			wan_batch_rule_scale(&batch->rule, factor);
		after = WAN_MIN(after, batch->rule.size);
	}
	wan_mutex_unlock(&memory->batch_lock);
	*ret_before = before == UINT32_MAX ? 0 : before;
	*ret_after = after == UINT32_MAX ? 0 : after;
}

void wan_memory_scale_batches(struct wan_memory *memory, double factor, uint32_t *ret_before,
			      uint32_t *ret_after)
{
	change_batches(memory, -1, factor, 0, ret_before, ret_after);
}

void wan_memory_gpu_batches(struct wan_memory *memory, int device, double used_pct,
			    uint32_t *ret_before, uint32_t *ret_after)
{
	change_batches(memory, device, 1, used_pct, ret_before, ret_after);
}
