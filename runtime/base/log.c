/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "atomics.h"
#include "clock.h"
#include "macros.h"
#include "str.h"

#define WINDOW_NS           (60ull * 1000000000)
#define MESSAGES_PER_WINDOW 10
#define MESSAGE_BYTES       512

/* One cause of messages. Lock-free, so that any state of any thread (and a fork) may log; a race
 * at the turn of a window can let a message more through, never corrupt. */
struct cause {
	const char *format; /* claimed once by compare-and-swap */
	uint64_t window_start_ns;
	uint32_t seen; /* in this window */
};
static struct cause causes[64];
static struct cause others; /* when all slots are taken */

typedef void (*log_callback)(void *context, enum wan_log_level level, const char *text);
static log_callback callback;
static void *callback_context;

void wan_set_log(log_callback new_callback, void *context)
{
	callback_context = context;
	wan_store_release(&callback, new_callback); /* pairs with the acquire in wan_log() */
}

static struct cause *find_cause(const char *format)
{
	size_t start = ((uintptr_t)format >> 3) % WAN_COUNT_OF(causes);
	for (size_t i = 0; i < WAN_COUNT_OF(causes); i++) {
		struct cause *cause = &causes[(start + i) % WAN_COUNT_OF(causes)];
		const char *owner = wan_load_relaxed(&cause->format);
		if (!owner && wan_cas_acq_rel(&cause->format, &owner, format))
			return cause;
		if (owner == format)
			return cause;
	}
	return &others;
}

/* *ret_dropped: messages of the window before that were only counted. */
static bool admit(struct cause *cause, uint32_t *ret_dropped)
{
	uint64_t now_ns = wan_now_ns();
	uint64_t start_ns = wan_load_relaxed(&cause->window_start_ns);
	*ret_dropped = 0;
	if ((!start_ns || wan_elapsed(start_ns, now_ns) >= WINDOW_NS) &&
	    wan_cas_acq_rel(&cause->window_start_ns, &start_ns, now_ns ? now_ns : 1)) {
		uint32_t seen = wan_swap_acq_rel(&cause->seen, 0);
		*ret_dropped = seen > MESSAGES_PER_WINDOW ? seen - MESSAGES_PER_WINDOW : 0;
	}
	return wan_add_relaxed(&cause->seen, 1) < MESSAGES_PER_WINDOW;
}

void wan_log(enum wan_log_level level, const char *format, ...)
{
	char raw[MESSAGE_BYTES], text[MESSAGE_BYTES];
	uint32_t dropped;
	log_callback call = wan_load_acquire(&callback);
	if (!call)
		return;
	int saved = errno;
	if (admit(find_cause(format), &dropped)) {
		va_list arguments;
		va_start(arguments, format);
		int length = vsnprintf(raw, sizeof(raw), format, arguments);
		va_end(arguments);
		if (length < 0)
			raw[0] = '\0';
		wan_str_printable(text, sizeof(text), raw);
		if (dropped) {
			wan_str_copy(raw, sizeof(raw), text);
			wan_str_format(text, sizeof(text),
				       "(%u more like the next were not shown) %s", dropped, raw);
		}
		call(callback_context, level, text);
	}
	errno = saved;
}

int wan_error_set(struct wan_error *error, int code, const char *object, const char *hint,
		  const char *reason_format, ...)
{
	struct wan_error made = {.code = code};
	char raw[sizeof(made.reason)];
	if (!error)
		return code;
	va_list arguments;
	va_start(arguments, reason_format);
	if (vsnprintf(raw, sizeof(raw), reason_format, arguments) < 0)
		raw[0] = '\0';
	va_end(arguments);
	/* Names come from outside and end on terminals. Built apart: object may lie in *error. */
	wan_str_printable(made.object, sizeof(made.object), object ? object : "");
	wan_str_printable(made.reason, sizeof(made.reason), raw);
	wan_str_printable(made.hint, sizeof(made.hint), hint ? hint : "");
	*error = made;
	return code;
}
