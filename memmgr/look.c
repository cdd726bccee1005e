/* SPDX-License-Identifier: MIT */
#include "look.h"

#include "level.h"
#include "macros.h"
#include "str.h"

static void add_level(struct wan_look *look, const char *name, uint64_t need, uint64_t limit)
{
	struct wan_level_reading *level = &look->levels[look->count++];
	wan_str_copy(level->name, sizeof(level->name), name);
	level->need_bytes = need;
	level->limit_bytes = limit;
	level->covered = false;
}

static int read_host(const struct wan_memory_sources *sources,
		     const struct wan_look_request *request, struct wan_look *look)
{
	const struct wan_light light = {request->now_ns, request->line_pct};
	return request->light && sources->host_lightly
		       ? sources->host_lightly(sources->context, &light, &look->total_bytes,
					       &look->available_bytes)
		       : sources->host(sources->context, &look->total_bytes,
				       &look->available_bytes);
}

static int read_cgroups(const struct wan_memory_sources *sources,
			const struct wan_look_request *request, struct wan_look *look)
{
	const struct wan_light light = {request->now_ns, request->line_pct};
	struct wan_level_reading *levels = look->levels + look->count;
	return request->light && sources->cgroups_lightly
		       ? sources->cgroups_lightly(sources->context, &light, look->total_bytes,
						  levels, WAN_CGROUP_LEVELS_MAX)
		       : sources->cgroups(sources->context, look->total_bytes, levels,
					  WAN_CGROUP_LEVELS_MAX);
}

void wan_look_read(const struct wan_memory_sources *sources, const struct wan_look_request *request,
		   struct wan_look *ret_look)
{
	struct wan_look *look = ret_look;
	look->time_ns = request->now_ns;
	look->light = request->light;
	look->count = 0;
	look->total_bytes = look->available_bytes = look->rss_bytes = 0;

	if (read_host(sources, request, look) < 0)
		look->total_bytes = look->available_bytes = 0;
	else
		add_level(look, "host", look->total_bytes - look->available_bytes,
			  look->total_bytes);
	if (sources->cgroups) {
		int found = read_cgroups(sources, request, look);
		look->count += found > 0 ? (uint32_t)found : 0;
	}
	if (request->rss_bytes)
		look->rss_bytes = request->rss_bytes;
	else if (sources->process && sources->process(sources->context, &look->rss_bytes) < 0)
		look->rss_bytes = 0;
	if (request->process_cap_bytes && look->rss_bytes)
		add_level(look, "process", look->rss_bytes, request->process_cap_bytes);
}

void wan_look_judge(const struct wan_look *look, double line_pct,
		    struct wan_look_verdict *ret_verdict)
{
	struct wan_look_verdict verdict = {
		.deciding = -1,
		.tightest = -1,
		.limiting = -1,
		.cgroup = -1,
		.headroom_bytes = UINT64_MAX,
		.line_left_bytes = INT64_MAX,
	};
	uint64_t cgroup_headroom = UINT64_MAX;
	for (uint32_t i = 0; i < look->count; i++) {
		const struct wan_level_reading *level = &look->levels[i];
		uint64_t headroom =
			level->limit_bytes - WAN_MIN(level->need_bytes, level->limit_bytes);
		double percent = wan_level_percent(level->need_bytes, level->limit_bytes);
		int64_t line_left = (int64_t)((double)level->limit_bytes * line_pct / 100 -
					      (double)level->need_bytes);
		if (verdict.deciding < 0 || percent > verdict.percent) {
			verdict.deciding = (int)i;
			verdict.percent = percent;
		}
		if (verdict.tightest < 0 || headroom < verdict.headroom_bytes) {
			verdict.tightest = (int)i;
			verdict.headroom_bytes = headroom;
		}
		if (verdict.limiting < 0 || line_left < verdict.line_left_bytes) {
			verdict.limiting = (int)i;
			verdict.line_left_bytes = line_left;
		}
		if (wan_str_starts(level->name, "cgroup ") && headroom < cgroup_headroom) {
			verdict.cgroup = (int)i;
			cgroup_headroom = headroom;
		}
	}
	*ret_verdict = verdict;
}

uint64_t wan_look_calm_ns(const struct wan_look *look, double step_pct)
{
	/* First touch of pages on all cores of a machine as small as ours; larger machines have
	 * more to fill. */
	const double bytes_per_ns = 4;
	double calm = look->count ? 0x1p62 : 0;
	for (uint32_t i = 0; i < look->count; i++) {
		const struct wan_level_reading *level = &look->levels[i];
		double limit = (double)level->limit_bytes, need = (double)level->need_bytes;
		if (need > limit * 0.75 || need >= limit * step_pct / 100)
			return 0;
		if (!level->covered)
			calm = WAN_MIN(calm, (limit * step_pct / 100 - need) / bytes_per_ns);
	}
	return (uint64_t)calm;
}
