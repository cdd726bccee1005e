/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "macros.h"
#include "state.h"
#include "str.h"

enum { GPU_CALM_PCT = 65 }; /* below this a batch on the GPU may grow */

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

void wan_batch_rule_failed(struct wan_batch_rule *rule, uint32_t items)
{
	uint32_t tried = items ? items : rule->size;
	if (!rule->failed || tried < rule->failed)
		rule->failed = tried;
	rule->gpu_halved = false;
	if (rule->good >= tried)
		rule->good = 0; /* what went well no longer does */
	set_size(rule,
		 WAN_MIN(WAN_MAX(tried / 2, rule->good), WAN_MAX(rule->size / 2, rule->good)));
}

void wan_batch_rule_clean(struct wan_batch_rule *rule, uint32_t items, bool calm)
{
	rule->gpu_halved = false;
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
		set_size(rule, rule->size + (rule->failed - rule->size) / 2);
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

void wan_batch_options_init(struct wan_batch_options *options)
{
	*options = (struct wan_batch_options){
		.struct_size = sizeof(*options),
		.name = "batch",
		.minimum = 1,
		.maximum = 100,
	};
}

int wan_batch_create(struct wan_memory *memory, const struct wan_batch_options *options,
		     struct wan_batch **ret_batch)
{
	if (!memory || !options || !ret_batch || options->struct_size < sizeof(*options) ||
	    !options->minimum || options->minimum > options->maximum)
		return -EINVAL;
	struct wan_batch *batch = wan_calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	batch->memory = memory;
	batch->on_gpu = options->on_gpu;
	batch->rule = (struct wan_batch_rule){
		.minimum = options->minimum,
		.maximum = options->maximum,
		.size = options->maximum,
	};
	wan_str_copy(batch->name, sizeof(batch->name), options->name ? options->name : "batch");
	if (options->on_gpu && memory->sources.gpu_current) {
		int device = memory->sources.gpu_current(memory->sources.context);
		if (device >= 0 && device < WAN_GPU_DEVICES_MAX)
			wan_or_relaxed(&memory->gpu_mask, (uint64_t)1 << device);
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
	wan_mutex_lock(&memory->batch_lock);
	struct wan_batch **link = &memory->batches;
	while (*link && *link != batch)
		link = &(*link)->next;
	if (*link)
		*link = batch->next;
	wan_mutex_unlock(&memory->batch_lock);
	wan_free(batch);
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

static bool calm(struct wan_memory *memory, bool on_gpu)
{
	wan_mutex_lock(&memory->lock);
	bool host = memory->level.level == WAN_MEMORY_NORMAL;
	double gpu = wan_level_percent(memory->state.gpu_used_bytes, memory->state.gpu_total_bytes);
	bool known = memory->state.gpu_known;
	wan_mutex_unlock(&memory->lock);
	return host && (!on_gpu || !known || gpu < GPU_CALM_PCT);
}

void wan_batch_report(struct wan_batch *batch, uint32_t items, bool failed_for_memory)
{
	if (!batch)
		return;
	struct wan_memory *memory = batch->memory;
	bool may_grow = !failed_for_memory && calm(memory, batch->on_gpu);
	wan_mutex_lock(&memory->batch_lock);
	if (failed_for_memory)
		wan_batch_rule_failed(&batch->rule, items);
	else
		wan_batch_rule_clean(&batch->rule, items, may_grow);
	wan_mutex_unlock(&memory->batch_lock);
}

/* Applies one change to the batches and tells the smallest size before and after. */
static void change_batches(struct wan_memory *memory, bool gpu_only, double factor, double gpu_pct,
			   uint32_t *ret_before, uint32_t *ret_after)
{
	uint32_t before = UINT32_MAX, after = UINT32_MAX;
	wan_mutex_lock(&memory->batch_lock);
	for (struct wan_batch *batch = memory->batches; batch; batch = batch->next) {
		if (gpu_only && !batch->on_gpu)
			continue;
		before = WAN_MIN(before, batch->rule.size);
		if (gpu_only)
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
	change_batches(memory, false, factor, 0, ret_before, ret_after);
}

void wan_memory_gpu_batches(struct wan_memory *memory, double used_pct, uint32_t *ret_before,
			    uint32_t *ret_after)
{
	change_batches(memory, true, 1, used_pct, ret_before, ret_after);
}
