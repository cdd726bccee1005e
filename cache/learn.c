/* SPDX-License-Identifier: MIT */
/* Counts by group and age, and the worth made from them. */
#include <string.h>

#include "learn.h"

enum { STEPS = 4 }; /* of an octave */

/* A group of few observations leans on all of them together, as if it had seen that many more. */
#define LEAN 4.0f
/* Before anything is known: of what reaches an age one in twenty is used within its step, which
 * makes worth fall with age, and the order LRU. Weighs as two observations. */
#define FIRST_GUESS        0.05f
#define FIRST_GUESS_WEIGHT 2.0f
/* Old observations weigh half after as many uses. */
#define HALVING 40000

uint32_t wan_learn_age_begins(uint32_t step)
{
	if (step >= WAN_LEARN_AGES)
		return UINT32_MAX;
	if (step < 3)
		return step + 1;
	uint32_t octave = (step - 3) / STEPS;
	return (STEPS + (step - 3) % STEPS) << octave;
}

uint32_t wan_learn_group(uint32_t uses, float mean_interval)
{
	if (uses < 2)
		return 0;
	uint32_t accesses = mean_interval < 1 ? 1 : (uint32_t)mean_interval;
	uint32_t pair = (31 - (uint32_t)__builtin_clz(accesses)) / 2; /* of octaves */
	return 1 + (pair < 6 ? pair : 6) + (uses > 2 ? 7 : 0);
}

uint32_t wan_learn_level(double accesses_to_fill)
{
	uint32_t level = 0;
	for (double border = 0.5; level < WAN_LEARN_LEVELS - 1 && accesses_to_fill >= border;
	     border *= 4)
		level++;
	return level;
}

static float accesses_of_level(uint32_t level)
{
	return level ? (float)(1u << 2 * (level - 1)) : 0;
}

static void mark_stale(struct wan_learn *learn, uint32_t group)
{
	for (uint32_t level = 0; level < WAN_LEARN_LEVELS; level++)
		learn->stale[level][group] = 1;
}

static void halve(struct wan_learn *learn)
{
	for (uint32_t age = 0; age < WAN_LEARN_AGES; age++) {
		learn->all_uses[age] /= 2;
		learn->all_reached[age] /= 2;
		for (uint32_t group = 0; group < WAN_LEARN_GROUPS; group++) {
			learn->uses[group][age] /= 2;
			learn->reached[group][age] /= 2;
		}
	}
}

void wan_learn_use(struct wan_learn *learn, uint32_t group, uint32_t age)
{
	learn->uses[group][age]++;
	learn->all_uses[age]++;
	mark_stale(learn, group);
	if (++learn->uses_since_halving >= HALVING) {
		learn->uses_since_halving = 0;
		halve(learn);
	}
}

void wan_learn_reach(struct wan_learn *learn, uint32_t group, uint32_t age)
{
	learn->reached[group][age]++;
	learn->all_reached[age]++;
	mark_stale(learn, group);
}

/* Over the life of a key of one group, all up to the begin of a step. */
struct life {
	float alive[WAN_LEARN_AGES + 1];
	float used[WAN_LEARN_AGES + 1];
	float time[WAN_LEARN_AGES + 1]; /* mean, until the use or this age */
};

static void live(const struct wan_learn *learn, uint32_t group, struct life *life)
{
	life->alive[0] = 1;
	life->used[0] = life->time[0] = 0;
	for (uint32_t age = 0; age < WAN_LEARN_AGES; age++) {
		float guess = (learn->all_uses[age] + FIRST_GUESS * FIRST_GUESS_WEIGHT) /
			      (learn->all_reached[age] + FIRST_GUESS_WEIGHT);
		float chance = (learn->uses[group][age] + LEAN * guess) /
			       (learn->reached[group][age] + LEAN);
		float used = life->alive[age] * (chance < 0.999f ? chance : 0.999f);
		uint32_t begin = wan_learn_age_begins(age);
		uint32_t width = age + 1 < WAN_LEARN_AGES ? wan_learn_age_begins(age + 1) - begin
							  : begin / STEPS;
		life->used[age + 1] = life->used[age] + used;
		life->alive[age + 1] = life->alive[age] - used;
		life->time[age + 1] = life->time[age] + (life->alive[age] - used / 2) * width;
	}
}

static float slope(const struct life *life, uint32_t from, uint32_t to)
{
	float time = life->time[to] - life->time[from];
	return (life->used[to] - life->used[from]) / (time > 0 ? time : 1e-9f);
}

/* The end that pays most is a corner of the upper hull of all later points of (time, used), and
 * along the hull what pays rises to it and falls behind it. The hull is a stack, its left end on
 * top: going back in age adds a point there and takes off what lies below the line over it. */
static void refresh(struct wan_learn *learn, uint32_t level, uint32_t group)
{
	struct life life;
	uint32_t hull[WAN_LEARN_AGES], count = 0;
	float fill = accesses_of_level(level);
	live(learn, group, &life);
	for (uint32_t age = WAN_LEARN_AGES; age-- > 0;) {
		uint32_t end = age + 1;
		while (count > 1 && slope(&life, end, hull[count - 1]) <=
					    slope(&life, hull[count - 1], hull[count - 2]))
			count--;
		hull[count++] = end;
		float best = 0, time = life.time[age] - life.alive[age] * fill - 1e-9f;
		for (uint32_t i = count; i-- > 0;) {
			float worth =
				(life.used[hull[i]] - life.used[age]) / (life.time[hull[i]] - time);
			if (worth < best)
				break;
			best = worth;
		}
		learn->worth[level][group][age] = best;
	}
	learn->stale[level][group] = 0;
}

void wan_learn_init(struct wan_learn *learn)
{
	memset(learn, 0, sizeof(*learn));
	for (uint32_t level = 0; level < WAN_LEARN_LEVELS; level++) {
		refresh(learn, level, 0);
		for (uint32_t group = 1; group < WAN_LEARN_GROUPS; group++)
			memcpy(learn->worth[level][group], learn->worth[level][0],
			       sizeof(learn->worth[level][0]));
	}
}

float wan_learn_worth(struct wan_learn *learn, uint32_t group, uint32_t age, uint32_t level)
{
	learn->wanted[level] = true;
	return learn->worth[level][group][age];
}

void wan_learn_step(struct wan_learn *learn)
{
	for (uint32_t i = 0; i < WAN_LEARN_LEVELS * WAN_LEARN_GROUPS; i++) {
		uint32_t level = learn->turn / WAN_LEARN_GROUPS;
		uint32_t group = learn->turn % WAN_LEARN_GROUPS;
		learn->turn = (learn->turn + 1) % (WAN_LEARN_LEVELS * WAN_LEARN_GROUPS);
		if (learn->wanted[level] && learn->stale[level][group]) {
			refresh(learn, level, group);
			return;
		}
	}
}
