/* SPDX-License-Identifier: MIT */
/* Advice on threads, memory, graphics memory and speed. Pure; figures are those of the
 * requirements. */
#ifndef WAN_TOOLS_ADVICE_H
#define WAN_TOOLS_ADVICE_H

#include "requirements.h"

enum allotment {
	ALLOTMENT_UNKNOWN, /* what it is compared with is not known */
	ALLOTMENT_UNDER,
	ALLOTMENT_OPTIMAL,
	ALLOTMENT_OVER,
	ALLOTMENT_NO_GPU,
};
const char *allotment_name(enum allotment allotment); /* "under_allocated", ... */

/* Under: fewer than 0.5 x cores; over: more than 1.2 x logical CPUs. 0: unknown. */
enum allotment threads_judge(double threads, double cores, double logical);
/* Over: more than 0.9 x available; under: less than 0.1 x. */
enum allotment memory_judge(double gb, double available_gb);
/* Of the card, 0: there is none. Over: more than 0.95 x total; under: less than 0.5 x. */
enum allotment vram_judge(double gb, double total_gb);

struct thread_advice {
	double cores, logical; /* that count: capped by affinity and quota */
	unsigned least, recommended, most;
	bool capped;
};
/* One thread a core. A range as the requirements give for each processor: up to half as many more
 * where cores run two threads (a third with 6 or 12 cores), down to two thirds where they run one.
 * Never more than may run. */
struct thread_advice threads_advise(const struct machine *machine);
/* 25 to 50 % of what there is, and at most 0.9 x what is left. low > high: too little is left. */
struct range memory_advise(double total_gb, double available_gb);
/* All but 1 to 2 GB, between 0.5 and 0.95 x total. {0, 0} without a card. */
struct range vram_advise(double total_gb);

/* Frames per second by the requirements' model, which is off by up to three times. */
struct speed_setup {
	unsigned width_px, height_px;
	enum quality quality;
	enum speed_mode mode;
};
/* base 0: the model's own (10 with a card, 3 without). */
double speed_model(const struct speed_setup *setup, double base);
/* The base that makes the model give this measured figure. */
double speed_base(const struct speed_setup *setup, double measured_fps);

struct speed_advice {
	struct speed_setup setup; /* what to take; never larger nor better than what was asked */
	double before_fps, after_fps;
	bool reached, changed;
};
/* Leaves a setup that reaches the target alone; else lowers quality, then size down the ladder. */
struct speed_advice speed_advise(const struct speed_setup *asked, double target_fps, double base);

#endif
