/* SPDX-License-Identifier: MIT */
/*
 * Cold forms for the simulator: their sizes and times are parameters, and time is made up. Clocks
 * read through wan_sys stand where they are but for what freezing and thawing take.
 */
#ifndef WAN_TESTS_BENCH_SIMULATE_COLD_H
#define WAN_TESTS_BENCH_SIMULATE_COLD_H

#include <errno.h>
#include <stdio.h>

#include "sys.h"
#include "wan/cache.h"

/* Of each call, beside what is proportional to the bytes. */
#define COLD_FIXED_NS 5000u

static struct cold_model {
	double ratio, thaw_ns_per_byte, freeze_ns_per_byte; /* ratio 0: no cold forms */
	uint64_t now_ns, thaw_ns, freeze_ns;
	uint64_t bytes; /* of forms held */
} cold_model;
static struct wan_sys cold_sys;
static uint64_t payload_bytes;
static void gone(void *data);

static int cold_clock(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	ret->tv_sec = (time_t)(cold_model.now_ns / 1000000000u);
	ret->tv_nsec = (long)(cold_model.now_ns % 1000000000u);
	return 0;
}

static uint64_t cold_form_bytes(const void *data)
{
	return (uint64_t)((double)(uintptr_t)data / cold_model.ratio);
}

static void cold_gone(void *data)
{
	cold_model.bytes -= cold_form_bytes(data);
}

static int cold_freeze(void *data, uint64_t bytes_max, struct wan_value *ret_cold)
{
	uint64_t bytes = cold_form_bytes(data);
	uint64_t took =
		(uint64_t)((double)(uintptr_t)data * cold_model.freeze_ns_per_byte) + COLD_FIXED_NS;
	cold_model.now_ns += took;
	cold_model.freeze_ns += took;
	if (bytes > bytes_max)
		return -E2BIG;
	cold_model.bytes += bytes;
	*ret_cold = (struct wan_value){.data = data, .bytes = bytes, .destroy = cold_gone};
	return 0;
}

static int cold_thaw(void *data, struct wan_value *ret_value)
{
	uint64_t took =
		(uint64_t)((double)(uintptr_t)data * cold_model.thaw_ns_per_byte) + COLD_FIXED_NS;
	cold_model.now_ns += took;
	cold_model.thaw_ns += took;
	payload_bytes += (uintptr_t)data;
	*ret_value = (struct wan_value){.data = data, .bytes = (uintptr_t)data, .destroy = gone};
	return 0;
}

static const struct wan_cold_ops cold_ops = {.freeze = cold_freeze, .thaw = cold_thaw};

/* "3,0.17,0.8": how many times smaller, ns for a byte to thaw, to freeze. */
static bool cold_parse(const char *text)
{
	return sscanf(text, "%lf,%lf,%lf", &cold_model.ratio, &cold_model.thaw_ns_per_byte,
		      &cold_model.freeze_ns_per_byte) == 3 &&
	       cold_model.ratio > 1;
}

static void cold_begin(void)
{
	cold_sys = wan_sys_real;
	cold_sys.clock_gettime = cold_clock;
	wan_sys = &cold_sys;
	cold_model.now_ns = 1000000000;
	cold_model.thaw_ns = cold_model.freeze_ns = 0;
}

#endif
