/* SPDX-License-Identifier: MIT */
/*
 * What the time line shows, in columns: of each series the smallest and the largest value that fell
 * into a column, so that no peak is lost however many samples there are. Pure.
 */
#ifndef WAN_TOOLS_HTML_TIMELINE_DATA_H
#define WAN_TOOLS_HTML_TIMELINE_DATA_H

#include "analysis.h"

#define HTML_COLUMNS_MAX 400

struct html_series {
	double low[HTML_COLUMNS_MAX], high[HTML_COLUMNS_MAX];
	bool known[HTML_COLUMNS_MAX], high_first[HTML_COLUMNS_MAX];
	double peak; /* of all; meaningful with any */
	uint64_t count;
};

enum html_timeline_series {
	HTML_RSS,      /* bytes */
	HTML_CGROUP,   /* bytes */
	HTML_GPU,      /* bytes */
	HTML_HOST,     /* percent of the machine's memory */
	HTML_LIMIT,    /* percent of the cgroup's limit */
	HTML_GPU_PCT,  /* percent of the GPU's memory */
	HTML_CPU_USE,  /* percent of all processors together */
	HTML_GPU_USE,  /* percent of the busiest GPU's time */
	HTML_CPU_HEAT, /* degrees C, the hottest */
	HTML_GPU_HEAT, /* degrees C, the hottest */
	HTML_SERIES_COUNT,
};

struct html_timeline {
	uint64_t start_ns, span_ns; /* realtime */
	unsigned columns;
	struct html_series series[HTML_SERIES_COUNT];
	double busy[HTML_COLUMNS_MAX + 1]; /* operations under way at a time, mean of the column */
	double busy_peak;
	uint64_t limit_bytes, gpu_bytes; /* 0: not known */
};

/* span_ns 0: that of the analysis. */
void html_timeline_fill(struct html_timeline *timeline, const struct wan_analysis *analysis,
			unsigned columns, uint64_t span_ns);
/* Realtime of a monotonic moment of a process. */
uint64_t html_realtime_ns(const struct wan_process *process, uint64_t time_ns);

#endif
