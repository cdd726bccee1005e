/* SPDX-License-Identifier: MIT */
#include "wan/status.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

const char *wan_version(void)
{
	return WAN_VERSION_TEXT;
}

/* Where this library means more than libc's sentence says, or something else. */
static const char *own_text(int number)
{
	switch (number) {
	case 0:
		return "success";
	case EBADMSG:
		return "the content is not valid";
	case EDEADLK:
		return "waiting here would wait for ever";
	case EDQUOT:
	case ENOSPC:
		return "no space left";
	case EFBIG:
		return "larger than the limit allows";
	case EALREADY:
		return "already under way";
	case ENOENT:
		return "not found";
	case ENOMEM:
		return "not enough memory";
	case ENOSYS:
		return "not available on this machine";
	case ENOTSUP:
		return "not supported";
	case ERANGE:
		return "outside the allowed range";
	case ESTALE:
		return "gone or replaced meanwhile";
	case ETIMEDOUT:
		return "took longer than allowed";
	default:
		return NULL;
	}
}

const char *wan_strerror(int code)
{
	if (code == INT_MIN)
		return "unknown error";
	int number = code < 0 ? -code : code;
	const char *text = own_text(number);
	if (!text)
		text = strerrordesc_np(number); /* static text, no locale, any thread */
	return text ? text : "unknown error";
}
