/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "atomics.h"
#include "macros.h"
#include "sys.h"

/* Spinning for the rate is bounded by this; afterwards elapsed time alone gives it. */
#define CALIBRATION_NS 200000
/* Two anchors nearer than this say less about the rate than the calibration does. */
#define NEAR_NS 1000000

bool wan_clock_uses_counter;

static struct wan_clock_anchor start_anchor;
static uint32_t state; /* 0: not chosen, 1: being chosen, 2: chosen (release; acquire in init) */

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;
	if (wan_sys->clock_gettime(clock, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t wan_now_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t wan_realtime_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

uint64_t wan_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

#if defined(__x86_64__)
/* The kernel drops "tsc" when it sees the counters of two processors disagree or stop. */
static bool kernel_trusts_tsc(void)
{
	char name[16];
	int fd = wan_sys->open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			       O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ssize_t bytes = wan_read_full(fd, name, sizeof(name));
	wan_sys->close(fd);
	return bytes >= 3 && memcmp(name, "tsc", 3) == 0 && (bytes == 3 || name[3] == '\n');
}

static bool counter_usable(void)
{
	int mode = PR_TSC_ENABLE;
	if (prctl(PR_GET_TSC, &mode) == 0 && mode != PR_TSC_ENABLE)
		return false; /* a sandbox made rdtsc fatal */
	unsigned a, b, c, d;
	/* Leaf 0x80000007, EDX bit 8: the counter keeps its rate in all power states. */
	if (__get_cpuid(0x80000007, &a, &b, &c, &d) && !(d & 1u << 8))
		return false;
	return kernel_trusts_tsc();
}
#elif defined(__aarch64__)
/* The generic timer is architecturally constant, and Linux lets user space read it. */
static bool counter_usable(void)
{
	return true;
}
#else
static bool counter_usable(void)
{
	return false;
}
#endif

__attribute__((constructor)) void wan_clock_init(void)
{
	uint32_t seen = 0;
	if (wan_load_acquire(&state) == 2)
		return;
	if (wan_cas_acq_rel(&state, &seen, 1)) {
		wan_clock_uses_counter = counter_usable();
		wan_clock_anchor(&start_anchor);
		wan_store_release(&state, 2);
		return;
	}
	while (wan_load_acquire(&state) != 2) /* the other thread needs microseconds */
		;
}

void wan_clock_anchor(struct wan_clock_anchor *ret_anchor)
{
	struct wan_clock_anchor best = {0};
	uint64_t best_gap = UINT64_MAX;
	for (int attempt = 0; attempt < 3; attempt++) {
		uint64_t before = wan_ticks();
		uint64_t monotonic_ns = wan_now_ns();
		uint64_t after = wan_ticks();
		uint64_t gap = wan_elapsed(before, after);
		if (attempt > 0 && gap >= best_gap)
			continue; /* interrupted between the reads more than another try was */
		best_gap = gap;
		best.ticks = wan_clock_uses_counter ? before + gap / 2 : monotonic_ns;
		best.monotonic_ns = monotonic_ns;
		best.realtime_ns = wan_realtime_ns();
	}
	*ret_anchor = best;
}

double wan_clock_ns_per_tick(void)
{
	struct wan_clock_anchor now;
	wan_clock_init();
	if (!wan_clock_uses_counter)
		return 1;
	/* The count bounds the loop when CLOCK_MONOTONIC is refused or stands still. */
	for (unsigned spins = 0; spins < 20000; spins++)
		if (wan_elapsed(start_anchor.monotonic_ns, wan_now_ns()) >= CALIBRATION_NS)
			break;
	wan_clock_anchor(&now);
	uint64_t ticks = wan_elapsed(start_anchor.ticks, now.ticks);
	uint64_t ns = wan_elapsed(start_anchor.monotonic_ns, now.monotonic_ns);
	return ticks && ns ? (double)ns / (double)ticks : 1;
}

void wan_clock_scale(const struct wan_clock_anchor *first, const struct wan_clock_anchor *last,
		     struct wan_clock_scale *ret_scale)
{
	uint64_t ticks = wan_elapsed(first->ticks, last->ticks);
	uint64_t ns = wan_elapsed(first->monotonic_ns, last->monotonic_ns);
	ret_scale->base = *first;
	ret_scale->ns_per_tick =
		ns < NEAR_NS || !ticks ? wan_clock_ns_per_tick() : (double)ns / (double)ticks;
}

uint64_t wan_clock_span_ns(const struct wan_clock_scale *scale, uint64_t ticks)
{
	double ns = (double)ticks * scale->ns_per_tick;
	if (!(ns >= 0))
		return 0;
	return ns >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)(ns + 0.5);
}

/* base_ns moved by the distance of ticks from the base, held inside 0..UINT64_MAX. */
static uint64_t moved_ns(const struct wan_clock_scale *scale, uint64_t base_ns, uint64_t ticks)
{
	uint64_t sum;
	if (ticks < scale->base.ticks) {
		uint64_t back_ns = wan_clock_span_ns(scale, scale->base.ticks - ticks);
		return wan_elapsed(back_ns, base_ns);
	}
	if (__builtin_add_overflow(base_ns, wan_clock_span_ns(scale, ticks - scale->base.ticks),
				   &sum))
		return UINT64_MAX;
	return sum;
}

uint64_t wan_clock_monotonic_ns(const struct wan_clock_scale *scale, uint64_t ticks)
{
	return moved_ns(scale, scale->base.monotonic_ns, ticks);
}

uint64_t wan_clock_realtime_ns(const struct wan_clock_scale *scale, uint64_t ticks)
{
	return moved_ns(scale, scale->base.realtime_ns, ticks);
}
