/* SPDX-License-Identifier: MIT */
/* What the files of the default rule set share. */
#ifndef WAN_PROFILER_JUDGE_H
#define WAN_PROFILER_JUDGE_H

#include "findings.h"

static inline double wan_judge_mb(uint64_t bytes)
{
	return (double)bytes / (double)WAN_MIB;
}

static inline double wan_judge_ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* A finding about a row; NULL: no memory. row NULL: about the whole run. */
struct wan_finding *wan_judge_add(struct wan_findings *findings, enum wan_advice_id id,
				  const struct wan_row *row, uint64_t count);
/* Value, limit, one step more severe above twice the limit, and the line of text. 0, -ENOMEM. */
int wan_judge_put(struct wan_finding *finding, double value, double limit, const char *unit);
/* " (start.png, 5760x4320)" of the operation that stands for the finding. */
void wan_judge_describe(char *to, size_t bytes, const struct wan_finding_input *input,
			const struct wan_recording_operation *record);
/* Bytes of the file for each pixel; 0 when not known. */
double wan_judge_density(const struct wan_recording_operation *record);

/* Where inputs come from and what is made of them: findings_source.c. */
int wan_judge_repeated(struct wan_findings *findings, const struct wan_finding_input *input,
		       const struct wan_row *row);
int wan_judge_progressive(struct wan_findings *findings, const struct wan_finding_input *input,
			  const struct wan_row *row);
int wan_judge_png(struct wan_findings *findings, const struct wan_finding_input *input,
		  const struct wan_row *row);
/* Sizes that go in and come out: findings_size.c. */
int wan_judge_sizes(struct wan_findings *findings, const struct wan_finding_input *input);
/* Programs started again and again: findings_run.c. */
int wan_judge_run(struct wan_findings *findings, const struct wan_finding_input *input);
/* Calls of CUDA, device by device: findings_cuda.c. */
int wan_judge_cuda(struct wan_findings *findings, const struct wan_finding_input *input);
/* Heat, throttling, overload of the machine: findings_sensors.c. */
int wan_judge_sensors(struct wan_findings *findings, const struct wan_finding_input *input);

#endif
