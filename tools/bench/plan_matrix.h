/* SPDX-License-Identifier: MIT */
/* Parts of a plan: the disturbances and the configurations. Pure. */
#ifndef WAN_TOOLS_BENCH_PLAN_MATRIX_H
#define WAN_TOOLS_BENCH_PLAN_MATRIX_H

#include "bench_plan.h"

void bench_plan_stress(struct bench_plan *plan, const struct bench_request *request);
void bench_plan_matrix(struct bench_plan *plan, const struct bench_request *request);

/* The pictures that many are made of: the first size asked for, or else this. */
struct bench_size bench_plan_size(const struct bench_request *request, unsigned width_px,
				  unsigned height_px);
/* For these: one more case, its words, and a picture it needs (returned: the picture's words). */
struct bench_case *bench_plan_add(struct bench_plan *plan, enum bench_group group,
				  double expected_ms);
void bench_case_word(struct bench_case *to, const char *word);
void bench_case_number(struct bench_case *to, uint64_t number);
const char *bench_case_source(struct bench_case *to, struct bench_size size, const char *content,
			      const char *format, unsigned seed);

#endif
