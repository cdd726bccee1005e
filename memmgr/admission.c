/* SPDX-License-Identifier: MIT */
/*
 * Ask before allocating. A reservation stands for memory that is not in anybody's usage yet:
 *	need (read) + reserved + asked <= line (two points under the warning level)
 * at every level. Usage is read again after each MiB, so figures are never older than that.
 */
#include "admission.h"

#include <errno.h>

#include "clock.h"
#include "fork.h"
#include "log.h"
#include "memory.h"
#include "state.h"
#include "str.h"
#include "thread.h"
#include "units.h"

enum {
	ABOVE_LINE_SHARE = 4,  /* others hold the memory: a quarter of the rest may be in flight */
	CREDIT_SHARE = 20,     /* at most this part of the limit is granted on credit, */
	SLACK_SHARE = 64,      /* while usage is no more than this part above the line */
	EVICTIONS_AT_ONCE = 4, /* then others take what comes, and waiting is better */
	LOOK_AGAIN_NS = 2000000,    /* a waiter looks this often for what nobody announces */
	OTHERS_FOR_NS = 1000000000, /* another thread asked this lately: it is at work */
};

/* What this thread has reserved of one manager: it waits for others, never for itself. */
static __thread struct {
	uint32_t of; /* id of that manager */
	uint64_t bytes;
} mine __attribute__((tls_model("initial-exec")));

void wan_admission_begin(struct wan_memory *memory)
{
	uintptr_t room = ((uintptr_t)memory->admission_room + 63) & ~(uintptr_t)63;
	static uint32_t managers;
	memory->admission = (struct wan_admission *)room;
	memory->admission->id = wan_add_relaxed(&managers, 1) + 1;
	wan_cond_init(&memory->given_back);
}

void wan_admission_forget(struct wan_memory *memory)
{
	struct wan_admission *admission = memory->admission;
	uint64_t kept = mine.of == admission->id ? mine.bytes : 0;
	uint64_t granted = wan_load_relaxed(&admission->granted_bytes);
	wan_store_relaxed(&admission->returned_bytes, granted - WAN_MIN(kept, granted));
	wan_store_relaxed(&admission->waiters, 0);
	wan_cond_init(&memory->given_back);
}

static void note_mine(const struct wan_memory *memory, uint64_t bytes)
{
	if (wan_unlikely(mine.of != memory->admission->id)) {
		mine.of = memory->admission->id;
		mine.bytes = 0;
	}
	mine.bytes += bytes;
}

static bool take_below_line(struct wan_memory *memory, uint64_t bytes)
{
	return wan_admission_take(memory->admission, bytes,
				  wan_load_relaxed(&memory->admission->line_left_bytes));
}

static int64_t share_above_line(struct wan_memory *memory)
{
	return (int64_t)(wan_load_relaxed(&memory->admission->headroom_bytes) / ABOVE_LINE_SHARE);
}

/* What reclaimers would have to give for bytes to stay within left_bytes. */
static uint64_t missing(struct wan_memory *memory, uint64_t bytes, int64_t left_bytes)
{
	uint64_t reserved = wan_admission_reserved(memory->admission);
	double short_of = (double)reserved + (double)bytes - (double)left_bytes;
	return short_of <= 0 ? 0 : short_of >= 0x1p63 ? INT64_MAX : (uint64_t)short_of;
}

/* What could be granted just now. */
static uint64_t grantable(struct wan_memory *memory)
{
	int64_t line_left = wan_load_relaxed(&memory->admission->line_left_bytes);
	int64_t left = WAN_MAX(line_left, share_above_line(memory));
	uint64_t reserved = wan_admission_reserved(memory->admission);
	return left > 0 && (uint64_t)left > reserved ? (uint64_t)left - reserved : 0;
}

/* One question and how far it has come. */
struct asking {
	struct wan_memory *memory;
	uint64_t bytes, deadline_ns, began_ns;
	bool nested; /* by a reclaimer: nobody is asked to give, nothing is waited for */
	bool may_evict;
	uint64_t evicted_bytes;
	uint64_t limit_bytes; /* of the limiting level */
};

/* Reads the sources; acts first if a step was crossed. */
static void look(struct asking *asking)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_refresh(asking->memory, &look, &verdict);
	if (!asking->nested && wan_memory_step(asking->memory, &look, &verdict, false))
		wan_memory_refresh(asking->memory, &look, &verdict);
	asking->limit_bytes = verdict.limiting < 0 ? 0 : look.levels[verdict.limiting].limit_bytes;
}

/* Evicts for want_bytes and reads again. False: it cannot be ours to give, or nothing came. */
static bool evict(struct asking *asking, uint64_t want_bytes)
{
	struct wan_memory *memory = asking->memory;
	struct wan_look look;
	struct wan_look_verdict verdict;
	if (asking->nested || !asking->may_evict)
		return false;
	/* Others have more than all of it: emptying the cache would not help. */
	if (want_bytes > wan_memory_could_give(memory))
		return false;
	wan_mutex_lock(&memory->lock);
	enum wan_memory_level level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	bool others_did;
	uint64_t freed =
		wan_memory_reclaim_or_wait(memory, level, want_bytes, INT32_MAX, &others_did);
	if (!freed && !others_did)
		return false;
	asking->evicted_bytes += WAN_MIN(freed, UINT64_MAX - asking->evicted_bytes);
	int64_t before = wan_load_relaxed(&memory->admission->line_left_bytes);
	wan_memory_refresh(memory, &look, &verdict);
	asking->limit_bytes = verdict.limiting < 0 ? 0 : look.levels[verdict.limiting].limit_bytes;
	int64_t after = wan_load_relaxed(&memory->admission->line_left_bytes);
	/* both may be anything: no level at all can be read any more */
	uint64_t seen = after > before ? (uint64_t)after - (uint64_t)before : 0;
	uint64_t credit = wan_load_relaxed(&memory->credit_bytes) + (freed - WAN_MIN(freed, seen));
	wan_store_relaxed(&memory->credit_bytes,
			  WAN_MIN(credit, asking->limit_bytes / CREDIT_SHARE));
	return true;
}

/* Enough was dropped, but an allocator has it: then it is made to give it to the kernel. */
static void purge(struct asking *asking, uint64_t dropped_bytes, uint64_t want_bytes)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	if (dropped_bytes < want_bytes)
		return;
	wan_memory_give_pages_back();
	wan_store_relaxed(&asking->memory->credit_bytes, 0);
	wan_memory_refresh(asking->memory, &look, &verdict);
}

/*
 * What was dropped and is with the allocator serves the next allocation: it need not go to the
 * kernel and be faulted in again, which takes ten times as long as using it. Where another thread's
 * arena has it, usage rises; then the pages do go back.
 */
static bool take_on_credit(struct asking *asking)
{
	struct wan_memory *memory = asking->memory;
	struct wan_admission *admission = memory->admission;
	uint64_t credit = wan_load_relaxed(&memory->credit_bytes);
	int64_t line_left = wan_load_relaxed(&admission->line_left_bytes), left;
	if (!credit || line_left < -(int64_t)(asking->limit_bytes / SLACK_SHARE))
		return false;
	uint64_t short_of = missing(memory, asking->bytes, line_left);
	if (short_of > credit || __builtin_add_overflow(line_left, (int64_t)credit, &left) ||
	    !wan_admission_take(admission, asking->bytes, left))
		return false;
	/* All that is asked for will come out of what was dropped, not only what is missing: else
	 * the difference adds up to an image that nobody dropped. Two threads at once may spend it
	 * twice: that shows in usage, and ends it. */
	wan_store_relaxed(&memory->credit_bytes, credit - WAN_MIN(asking->bytes, credit));
	return true;
}

/* Takes bytes below the line, or (share) of the part of the rest above it, making room for them. */
static bool take_with_room(struct asking *asking, bool above_line)
{
	struct wan_memory *memory = asking->memory;
	struct wan_admission *admission = memory->admission;
	for (unsigned tries = 0;; tries++) {
		int64_t left = above_line ? share_above_line(memory)
					  : wan_load_relaxed(&admission->line_left_bytes);
		if (wan_admission_take(admission, asking->bytes, left))
			return true;
		if (!above_line && take_on_credit(asking))
			return true;
		uint64_t want = missing(memory, asking->bytes, left);
		if (tries == EVICTIONS_AT_ONCE || want >= INT64_MAX / ABOVE_LINE_SHARE)
			return false;
		uint64_t before = asking->evicted_bytes;
		want = above_line ? want * ABOVE_LINE_SHARE : want;
		if (!evict(asking, want))
			return false;
		left = above_line ? share_above_line(memory)
				  : wan_load_relaxed(&admission->line_left_bytes);
		if (!above_line && take_on_credit(asking))
			return true;
		if (missing(memory, asking->bytes, left))
			purge(asking, asking->evicted_bytes - before, want);
	}
}

static bool take(struct asking *asking)
{
	return take_with_room(asking, false) ||
	       wan_admission_take(asking->memory->admission, asking->bytes,
				  share_above_line(asking->memory)) ||
	       take_with_room(asking, true);
}

/* Whether another thread has asked of late: only then is somebody there to release a pin. */
static bool others_at_work(struct wan_memory *memory)
{
	struct wan_admission *admission = memory->admission;
	uint32_t self = wan_thread_id();
	uint64_t now_ns = wan_now_ns();
	uint32_t before = wan_load_relaxed(&admission->asking_thread);
	if (before != self) {
		wan_store_relaxed(&admission->asking_thread, self);
		if (before)
			wan_store_relaxed(&admission->switched_ns, now_ns);
	}
	uint64_t switched_ns = wan_load_relaxed(&admission->switched_ns);
	return switched_ns && wan_elapsed(switched_ns, now_ns) < OTHERS_FOR_NS;
}

/* What other threads will give back: their reservations, and what they have pinned. */
static uint64_t awaited(struct wan_memory *memory)
{
	const struct wan_memory_limits *limits = &memory->limits;
	uint64_t reserved = wan_admission_reserved(memory->admission);
	uint64_t own = mine.of == memory->admission->id ? WAN_MIN(mine.bytes, reserved) : 0;
	uint64_t others = reserved - own;
	if (limits->cache_pinned && others_at_work(memory))
		others += limits->cache_pinned(limits->context);
	return others;
}

static bool will_fit(struct wan_memory *memory, uint64_t bytes, uint64_t awaited_bytes)
{
	return awaited_bytes > 0 && bytes <= grantable(memory) + awaited_bytes;
}

/* Until something is given back, or it is time to look whether somebody else's need has fallen. */
static void wait_a_little(struct asking *asking)
{
	struct wan_memory *memory = asking->memory;
	uint64_t until_ns = WAN_MIN(asking->deadline_ns, wan_now_ns() + LOOK_AGAIN_NS);
	wan_mutex_lock(&memory->lock);
	wan_add_relaxed(&memory->admission->waiters, 1);
	wan_cond_wait(&memory->given_back, &memory->lock, until_ns);
	wan_sub_relaxed(&memory->admission->waiters, 1);
	wan_mutex_unlock(&memory->lock);
}

static enum wan_memory_outcome ask_slowly(struct asking *asking, uint64_t *ret_awaited_bytes)
{
	struct wan_memory *memory = asking->memory;
	asking->nested = wan_memory_reclaiming(memory);
	(void)others_at_work(memory);
	for (;;) {
		look(asking);
		if (take(asking))
			return asking->evicted_bytes ? WAN_MEMORY_GRANTED_AFTER_EVICTION
						     : WAN_MEMORY_GRANTED;
		*ret_awaited_bytes = asking->nested ? 0 : awaited(memory);
		if (!will_fit(memory, asking->bytes, *ret_awaited_bytes))
			return WAN_MEMORY_REFUSED;
		if (wan_now_ns() >= asking->deadline_ns)
			return WAN_MEMORY_WAIT;
		wait_a_little(asking);
	}
}

static void limiting_level(struct wan_memory *memory, char *to, size_t room)
{
	wan_mutex_lock(&memory->lock);
	wan_str_copy(to, room, memory->limiting);
	wan_mutex_unlock(&memory->lock);
}

uint64_t wan_memory_grantable(struct wan_memory *memory, char limiting[WAN_LEVEL_NAME_MAX])
{
	limiting_level(memory, limiting, WAN_LEVEL_NAME_MAX);
	return grantable(memory);
}

static int refuse(struct wan_memory *memory, enum wan_memory_outcome outcome, uint64_t bytes,
		  uint64_t awaited_bytes, struct wan_error *reterr_error)
{
	char asked[32], free_now[32], left[32], later[32], name[WAN_LEVEL_NAME_MAX];
	limiting_level(memory, name, sizeof(name));
	wan_format_bytes(asked, sizeof(asked), bytes);
	wan_format_bytes(free_now, sizeof(free_now), grantable(memory));
	wan_format_bytes(left, sizeof(left), wan_load_relaxed(&memory->admission->headroom_bytes));
	if (outcome == WAN_MEMORY_REFUSED)
		return wan_error_set(reterr_error, -ENOMEM, name,
				     "free memory there, raise its limit, or decode a smaller size",
				     "%s do not fit: %s may be taken now, %s are left before the "
				     "limit",
				     asked, free_now, left);
	wan_format_bytes(later, sizeof(later), awaited_bytes);
	return wan_error_set(reterr_error, -EAGAIN, name,
			     "wait longer, use fewer threads, or release what is pinned",
			     "%s do not fit yet: %s may be taken now, other threads hold %s", asked,
			     free_now, later);
}

/* Fills as much as the caller's version knows. */
static void answer_with(struct wan_memory_answer *to, const struct wan_memory_answer *answer)
{
	size_t bytes = to ? to->struct_size : 0;
	if (bytes < sizeof(bytes))
		return;
	__builtin_memcpy(to, answer, WAN_MIN(bytes, sizeof(*answer)));
	to->struct_size = bytes;
}

static int ask(struct wan_memory *memory, uint64_t bytes, uint64_t wait_ns, bool may_evict,
	       struct wan_memory_answer *ret_answer, struct wan_error *reterr_error)
{
	uint64_t now_ns = wan_now_ns();
	struct asking asking = {
		.memory = memory,
		.bytes = bytes,
		.began_ns = now_ns,
		.deadline_ns = now_ns + WAN_MIN(wait_ns, UINT64_MAX - now_ns),
		.may_evict = may_evict,
	};
	wan_memory_forget_after_fork(memory);
	uint64_t awaited_bytes = 0;
	enum wan_memory_outcome outcome = ask_slowly(&asking, &awaited_bytes);
	bool granted = outcome <= WAN_MEMORY_GRANTED_AFTER_EVICTION;
	if (granted)
		note_mine(memory, bytes);
	if (ret_answer) {
		struct wan_memory_answer answer = {
			.outcome = outcome,
			.grantable_bytes = grantable(memory),
			.headroom_bytes = wan_load_relaxed(&memory->admission->headroom_bytes),
			.evicted_bytes = asking.evicted_bytes,
			.awaited_bytes = awaited_bytes,
			.waited_ns = wan_elapsed(asking.began_ns, wan_now_ns()),
		};
		limiting_level(memory, answer.limiting, sizeof(answer.limiting));
		answer_with(ret_answer, &answer);
	}
	return granted ? 0 : refuse(memory, outcome, bytes, awaited_bytes, reterr_error);
}

/* Below the line, and no look is due. */
static inline bool take_quickly(struct wan_memory *memory, uint64_t bytes)
{
	struct wan_admission *admission = memory->admission;
	uint64_t unread = wan_load_relaxed(&admission->granted_bytes) -
			  wan_load_relaxed(&admission->read_at_bytes);
	if (bytes >= WAN_MIB || unread >= WAN_MIB - bytes || !take_below_line(memory, bytes))
		return false;
	note_mine(memory, bytes);
	return true;
}

int wan_memory_ask(struct wan_memory *memory, const struct wan_memory_request *given,
		   struct wan_memory_answer *ret_answer, struct wan_error *reterr_error)
{
	struct wan_memory_request request = {.struct_size = sizeof(request)};
	if (!memory || !given || given->struct_size < sizeof(size_t))
		return wan_error_set(reterr_error, -EINVAL, "memory", "",
				     "a manager or a request is missing");
	const char *bytes = (const char *)given;
	for (size_t i = sizeof(request); i < given->struct_size; i++)
		if (bytes[i])
			return wan_error_set(reterr_error, -EINVAL, "memory", "",
					     "the request is made for another version");
	__builtin_memcpy(&request, given, WAN_MIN(given->struct_size, sizeof(request)));
	if (take_quickly(memory, request.bytes)) {
		struct wan_memory_answer answer = {.outcome = WAN_MEMORY_GRANTED};
		answer.headroom_bytes = wan_load_relaxed(&memory->admission->headroom_bytes);
		answer.grantable_bytes = grantable(memory);
		answer_with(ret_answer, &answer);
		return 0;
	}
	return ask(memory, request.bytes, request.wait_ns, !request.keep_cached, ret_answer,
		   reterr_error);
}

bool wan_memory_try(struct wan_memory *memory, uint64_t bytes)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	if (take_quickly(memory, bytes))
		return true;
	wan_memory_refresh(memory, &look, &verdict);
	if (!take_below_line(memory, bytes))
		return false;
	note_mine(memory, bytes);
	return true;
}

int wan_memory_reserve(struct wan_memory *memory, uint64_t bytes, struct wan_error *reterr_error)
{
	if (wan_unlikely(!memory))
		return wan_error_set(reterr_error, -EINVAL, "memory", "", "no manager was given");
	if (wan_likely(take_quickly(memory, bytes)))
		return 0;
	int r = ask(memory, bytes, memory->wait_ns, true, NULL, reterr_error);
	if (r != -EAGAIN)
		return r;
	if (reterr_error)
		reterr_error->code = -ENOMEM;
	return -ENOMEM;
}

void wan_memory_unreserve(struct wan_memory *memory, uint64_t bytes)
{
	if (!memory)
		return;
	uint64_t back = wan_admission_return(memory->admission, bytes);
	if (wan_likely(mine.of == memory->admission->id))
		mine.bytes -= WAN_MIN(mine.bytes, back);
	if (wan_unlikely(back < bytes))
		wan_log(WAN_LOG_ERROR, "memory: more was given back than was reserved");
	if (wan_likely(!wan_load_relaxed(&memory->admission->waiters)))
		return;
	wan_mutex_lock(&memory->lock);
	wan_cond_wake_all(&memory->given_back);
	wan_mutex_unlock(&memory->lock);
}
