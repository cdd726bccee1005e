/* SPDX-License-Identifier: MIT */
/* Between the files of gate. */
#ifndef WAN_TOOLS_GATE_PARTS_H
#define WAN_TOOLS_GATE_PARTS_H

#include "gate_verdict.h"

/* 0, -ENOMEM. */
int gate_say(struct gate_texts *texts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The verdict becomes this one unless it is worse already: 1 before 2 before 3. */
void gate_raise(struct gate_report *report, enum gate_exit verdict);
int gate_judge_comparison(struct gate_report *report);
int gate_recommend(struct gate_report *report);

#endif
