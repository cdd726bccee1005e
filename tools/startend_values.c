/* SPDX-License-Identifier: MIT */
/* Values of the options of wan-startend. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "startend.h"

static bool number_until(const char *text, char stop, uint32_t low, uint32_t high, uint32_t *ret,
			 const char **ret_rest)
{
	char *rest;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &rest, 10);
	if (errno || value < low || value > high || *rest != stop)
		return false;
	*ret = (uint32_t)value;
	if (ret_rest)
		*ret_rest = rest + 1;
	return true;
}

bool startend_parse_number(const char *text, uint32_t low, uint32_t high, uint32_t *ret_number)
{
	return number_until(text, '\0', low, high, ret_number, NULL);
}

bool startend_parse_size(const char *text, uint32_t *ret_width_px, uint32_t *ret_height_px)
{
	const char *rest;
	return number_until(text, 'x', 16, 16384, ret_width_px, &rest) &&
	       number_until(rest, '\0', 16, 16384, ret_height_px, NULL);
}

bool startend_parse_choice(const char *text, const char *const *names, size_t count,
			   unsigned *ret_index)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret_index = (unsigned)i;
			return true;
		}
	return false;
}

bool startend_parse_alpha(const char *text, enum wan_alpha_policy *ret_alpha)
{
	static const char *const names[] = {"keep", "drop", "white", "black", "refuse"};
	static const enum wan_alpha_policy policies[] = {
		WAN_ALPHA_KEEP, WAN_ALPHA_DROP, WAN_ALPHA_WHITE, WAN_ALPHA_BLACK, WAN_ALPHA_REFUSE};
	unsigned choice;
	if (startend_parse_choice(text, names, sizeof(names) / sizeof(names[0]), &choice)) {
		*ret_alpha = policies[choice];
		return true;
	}
	if (text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return false;
	unsigned long color = strtoul(text + 1, NULL, 16);
	*ret_alpha = WAN_ALPHA_OVER(color >> 16, color >> 8, color);
	return true;
}
