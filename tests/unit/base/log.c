/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>

#include "fault.h"
#include "tap.h"

static char last[1024];
static enum wan_log_level last_level;
static unsigned messages;

static void keep(void *context, enum wan_log_level level, const char *text)
{
	snprintf(last, sizeof(last), "%s", text);
	last_level = level;
	messages += context == &messages;
	errno = EIO; /* a careless callback */
}

static void complain(int number)
{
	wan_log(WAN_LOG_WARNING, "number %d", number);
}

TEST(without_a_callback_messages_vanish)
{
	complain(1);
	CHECK_EQ(messages, 0);
}

TEST(a_message_reaches_the_callback_on_one_line)
{
	wan_set_log(keep, &messages);
	errno = ERANGE;
	wan_log(WAN_LOG_ERROR, "file %s: %s", "a\nb\x1b[31m", "bad");
	CHECK_EQ(errno, ERANGE);
	CHECK_EQ(messages, 1);
	CHECK_EQ(last_level, WAN_LOG_ERROR);
	CHECK_STR(last, "file a\\x0ab\\x1b[31m: bad");
	wan_set_log(NULL, NULL);
}

TEST(at_most_ten_a_minute_of_one_cause_are_shown)
{
	wan_fault_install();
	wan_set_log(keep, &messages);
	messages = 0;
	for (int i = 0; i < 25; i++)
		complain(i);
	CHECK_EQ(messages, 10);
	CHECK_STR(last, "number 9");
	wan_log(WAN_LOG_INFO, "another cause");
	CHECK_EQ(messages, 11);
	wan_fault_step_clock(61ll * 1000000000);
	complain(25);
	CHECK_STR(last, "(15 more like the next were not shown) number 25");
	complain(26);
	CHECK_STR(last, "number 26");
	wan_set_log(NULL, NULL);
	wan_fault_remove();
}

TEST(a_long_message_is_cut)
{
	char text[2000];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	wan_set_log(keep, &messages);
	wan_log(WAN_LOG_DEBUG, "%s", text);
	CHECK(strlen(last) > 400 && strlen(last) < 520);
	wan_set_log(NULL, NULL);
}

TEST(more_causes_than_places_share_one_limit)
{
	static char formats[200][8];
	wan_set_log(keep, &messages);
	messages = 0;
	for (int i = 0; i < 200; i++) {
		const char *format = strcpy(formats[i], "full");
		(wan_log)(WAN_LOG_INFO, format, 0);
	}
	CHECK(messages >= 10 && messages < 80);
	wan_set_log(NULL, NULL);
}

TEST(an_error_names_object_reason_and_hint)
{
	struct wan_error error;
	CHECK_EQ(wan_error_set(&error, -EBADMSG, "a\tb.png", "look at it", "line %d", 3), -EBADMSG);
	CHECK_EQ(error.code, -EBADMSG);
	CHECK_STR(error.object, "a\\x09b.png");
	CHECK_STR(error.reason, "line 3");
	CHECK_STR(error.hint, "look at it");
	CHECK_EQ(wan_error_set(NULL, -ENOENT, "x", NULL, "gone"), -ENOENT);
	CHECK_EQ(wan_error_set(&error, -EIO, NULL, NULL, "no object"), -EIO);
	CHECK_STR(error.object, "");
	CHECK_STR(error.hint, "");
}

TEST(an_error_may_be_built_from_itself)
{
	struct wan_error error;
	int code = wan_error_set(&error, -EIO, "disk", "wait", "inner");
	code = wan_error_set(&error, code, error.object, error.hint, "outer: %s", error.reason);
	CHECK_EQ(code, -EIO);
	CHECK_STR(error.object, "disk");
	CHECK_STR(error.reason, "outer: inner");
	CHECK_STR(error.hint, "wait");
}

TAP_MAIN
