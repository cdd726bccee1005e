/* SPDX-License-Identifier: MIT */
/*
 * What keeping an entry is worth, learnt from when keys are used again.
 *
 * Keys are put into groups by how often and at what mean interval they were used. For each group
 * two counts are kept by age (accesses since the last use, four steps an octave): how many keys
 * reached that age, and how many were used at it. They give the chance of the next use over time,
 * and from it the worth of an entry now: the largest, over all moments to keep it until, of
 *
 *	chance of a use until then / (mean time kept + time to fill the room again)
 *
 * which is the index of Gittins for a thing that pays once. It is high before a loop comes round,
 * falls with age for what is used in bursts (so the order becomes LRU), and is flat for what is
 * popular (LFU). The time to fill the room again keeps a large entry of short life from pushing out
 * many small ones of long life: their room would stay empty after it. Pure, no clock, no memory.
 */
#ifndef WAN_CACHE_LEARN_H
#define WAN_CACHE_LEARN_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAN_LEARN_AGES = 75,   /* 0: age 1; the last one has no end */
	WAN_LEARN_GROUPS = 15, /* seen once; 7 intervals, used twice; the same, used more often */
	WAN_LEARN_LEVELS = 8,  /* of the time to fill the room again: 0, 1, 4, ... 4096 accesses */
};

struct wan_learn {
	float uses[WAN_LEARN_GROUPS][WAN_LEARN_AGES];
	float reached[WAN_LEARN_GROUPS][WAN_LEARN_AGES];
	float all_uses[WAN_LEARN_AGES], all_reached[WAN_LEARN_AGES];
	float worth[WAN_LEARN_LEVELS][WAN_LEARN_GROUPS][WAN_LEARN_AGES];
	uint8_t stale[WAN_LEARN_LEVELS][WAN_LEARN_GROUPS]; /* counts changed since worth was made */
	bool wanted[WAN_LEARN_LEVELS];                     /* somebody asked for this level */
	uint32_t turn;                                     /* which to look at next */
	uint32_t uses_since_halving;
};

void wan_learn_init(struct wan_learn *learn);

/* The first age, in accesses, of a step; UINT32_MAX beyond the last. */
uint32_t wan_learn_age_begins(uint32_t step);
uint32_t wan_learn_group(uint32_t uses, float mean_interval);
uint32_t wan_learn_level(double accesses_to_fill);

/* A key of that group was used at, or got as old as, that age. */
void wan_learn_use(struct wan_learn *learn, uint32_t group, uint32_t age);
void wan_learn_reach(struct wan_learn *learn, uint32_t group, uint32_t age);

/* Expected uses for each access it is kept; above 0, at most 1. */
float wan_learn_worth(struct wan_learn *learn, uint32_t group, uint32_t age, uint32_t level);
/* Brings one table up to date. Cost: about a microsecond. */
void wan_learn_step(struct wan_learn *learn);

#endif
