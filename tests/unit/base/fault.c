/* SPDX-License-Identifier: MIT */
/* The fault table itself (tests/fault): a test that cannot find a fault proves nothing. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "alloc.h"
#include "clock.h"
#include "sys.h"
#include "tap.h"

TEST(the_chosen_call_fails_and_no_other)
{
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_MALLOC, 2, ENOMEM, false);
	void *first = wan_malloc(1), *second = wan_malloc(1), *third = wan_malloc(1);
	CHECK(first && !second && third);
	CHECK_EQ(wan_fault_calls(WAN_FAULT_MALLOC), 3);
	CHECK_EQ(wan_fault_injected(), 1);
	CHECK_EQ(wan_fault_balance().blocks, 2);
	wan_free(first);
	wan_free(third);
	wan_fault_arm(WAN_FAULT_MALLOC, 2, ENOMEM, true);
	first = wan_malloc(1);
	CHECK(first && !wan_malloc(1) && !wan_malloc(1));
	wan_free(first);
	CHECK_EQ(wan_fault_balance().blocks, 0);
	wan_fault_remove();
	CHECK(wan_sys == &wan_sys_real);
}

TEST(mappings_and_descriptors_are_counted)
{
	wan_fault_install();
	void *block = wan_sys->mmap(NULL, 5000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = wan_sys->open("/dev/null", O_RDONLY, 0);
	CHECK_EQ(wan_fault_balance().descriptors, 1);
	CHECK(wan_fault_balance().mapped_bytes >= 5000);
	wan_sys->munmap(block, 5000);
	wan_sys->close(fd);
	CHECK_EQ(wan_fault_balance().descriptors, 0);
	CHECK_EQ(wan_fault_balance().mapped_bytes, 0);
	wan_fault_arm(WAN_FAULT_OPEN, 1, EMFILE, false);
	errno = 0;
	CHECK_EQ(wan_sys->open("/dev/null", O_RDONLY, 0), -1);
	CHECK_EQ(errno, EMFILE);
	wan_fault_remove();
}

static int runs;

static void careful(void *context)
{
	runs++;
	void *a = wan_malloc(8), *b = a ? wan_calloc(2, 4) : NULL;
	wan_free(b);
	wan_free(a);
}

TEST(a_sweep_fails_every_call_once_and_for_ever)
{
	runs = 0;
	CHECK_EQ(wan_fault_sweep(careful, NULL), 4); /* malloc and calloc, each twice */
	CHECK(runs > 4);
}

static void *lost[8]; /* by the two scenarios below */
static unsigned lost_count;

static void careless(void *context)
{
	void *a = wan_malloc(8), *b = wan_calloc(2, 4);
	if (!b) {
		lost[lost_count++] = a;
		return;
	}
	wan_free(b);
	wan_free(a);
}

static void always_leaks(void *context)
{
	lost[lost_count++] = wan_malloc(8);
}

TEST(a_sweep_finds_a_leak)
{
	CHECK_EQ(wan_fault_sweep(careless, NULL), -1);
	CHECK_EQ(lost_count, 1); /* it stops at the first */
	CHECK_EQ(wan_fault_sweep(always_leaks, NULL), -1);
	CHECK_EQ(lost_count, 3);
	while (lost_count)
		wan_free(lost[--lost_count]);
}

TEST(clocks_can_be_stepped)
{
	wan_fault_install();
	uint64_t before_ns = wan_now_ns();
	wan_fault_step_clock(5000000000);
	CHECK(wan_now_ns() >= before_ns + 5000000000);
	wan_fault_step_clock(INT64_MIN / 2);
	CHECK_EQ(wan_now_ns(), 0);
	wan_fault_remove();
	CHECK(wan_now_ns() >= before_ns);
}

TEST(every_kind_has_a_name)
{
	for (int kind = 0; kind < WAN_FAULT_KINDS; kind++)
		CHECK(wan_fault_name(kind) != NULL);
	CHECK_STR(wan_fault_name(WAN_FAULT_KINDS), "unknown");
}

TAP_MAIN
