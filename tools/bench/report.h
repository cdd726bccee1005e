/* SPDX-License-Identifier: MIT */
/* A benchmark told: to people, and as JSON of schema wanrt-bench. */
#ifndef WAN_TOOLS_BENCH_REPORT_H
#define WAN_TOOLS_BENCH_REPORT_H

#include <stdio.h>

#include "result.h"

void bench_report_text(FILE *to, const struct bench_report *report);
/* The matrix alone: rows sorted, best, advice. ram_gb 0: unknown. */
void bench_matrix_text(FILE *to, const struct bench_row *rows, size_t count, double ram_gb);
/* 0, negative errno of writing. */
int bench_report_json(int fd, const struct bench_report *report);

#endif
