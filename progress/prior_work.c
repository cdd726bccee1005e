/* SPDX-License-Identifier: MIT */
/* The size of a job out of its command line, as the common generators of pictures spell it. */
#include <string.h>

#include "macros.h"
#include "prior.h"

/* The words of a command, one after the other. */
static const char *next_word(const char *at, size_t *ret_length)
{
	at += strspn(at, " \t\n\x1f=");
	*ret_length = strcspn(at, " \t\n\x1f=");
	return at;
}

/* Digits up to 1 000 000; 0: none. *at moves behind them. */
static double number(const char **at, const char *end)
{
	uint32_t value = 0;
	for (; *at < end && **at >= '0' && **at <= '9' && value < 1000000; (*at)++)
		value = value * 10 + (uint32_t)(**at - '0');
	return value;
}

static bool is_option(const char *word, size_t length, const char *const *names)
{
	size_t dashes = 0;
	while (dashes < length && word[dashes] == '-')
		dashes++;
	for (; dashes && *names; names++) {
		size_t bytes = strlen(*names), i = 0;
		if (length - dashes != bytes)
			continue;
		while (i < bytes && ((*names)[i] == word[dashes + i] ||
				     ((*names)[i] == '_' && word[dashes + i] == '-')))
			i++;
		if (i == bytes)
			return true;
	}
	return false;
}

double wan_prior_work(const char *command)
{
	static const char *const sizes[] = {"size", "resolution", NULL};
	static const char *const widths[] = {"width", "W", NULL};
	static const char *const heights[] = {"height", "H", NULL};
	static const char *const counts[] = {"frame_num", "num_frames", "frames", "video_length",
					     NULL};
	double width = 0, height = 0, frames = 0;
	size_t length, value_length;
	if (!command)
		return 0;
	for (const char *word = next_word(command, &length); length;
	     word = next_word(word + length, &length)) {
		const char *value = next_word(word + length, &value_length);
		const char *end = value + value_length;
		if (is_option(word, length, sizes)) {
			double first = number(&value, end);
			if (value < end && strchr("*xX,:", *value)) {
				value++;
				width = first;
				height = number(&value, end);
			}
		} else if (is_option(word, length, widths)) {
			width = number(&value, end);
		} else if (is_option(word, length, heights)) {
			height = number(&value, end);
		} else if (is_option(word, length, counts)) {
			frames = number(&value, end);
		}
	}
	double megapixels = width * height * 1e-6;
	return megapixels * (frames > 0 ? frames : 1);
}
