/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <errno.h>
#include <stdbool.h>

#include "macros.h"
#include "str.h"

struct unit {
	const char *name; /* lower case */
	uint64_t size;
};

/* value in billionths: whole number and up to nine digits after the point, exactly. */
struct decimal {
	uint64_t whole, billionths;
	bool fraction;
};

/* Returns the text after the number, NULL when there is none. *ret_fits: whole fits 64 bits. */
static const char *parse_decimal(const char *text, struct decimal *ret_decimal, bool *ret_fits)
{
	struct decimal decimal = {0};
	const char *start = text;
	*ret_fits = true;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(decimal.whole, 10, &decimal.whole) ||
		    __builtin_add_overflow(decimal.whole, (uint64_t)(*text - '0'), &decimal.whole))
			*ret_fits = false;
	if (text == start)
		return NULL;
	if (*text == '.') {
		uint64_t place = 100000000;
		decimal.fraction = true;
		for (start = ++text; *text >= '0' && *text <= '9'; text++, place /= 10)
			decimal.billionths += place * (uint64_t)(*text - '0');
		if (text == start)
			return NULL;
	}
	*ret_decimal = decimal;
	return text;
}

static bool same_ignoring_case(const char *text, const char *lower)
{
	for (; *text && *lower; text++, lower++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
		if (c != *lower)
			return false;
	}
	return !*text && !*lower;
}

static int parse_with_unit(const char *text, const struct unit *units, size_t count,
			   uint64_t *ret_value)
{
	struct decimal decimal;
	bool fits;
	if (!text)
		return -EBADMSG;
	const char *rest = parse_decimal(text, &decimal, &fits);
	if (!rest)
		return -EBADMSG;
	while (*rest == ' ')
		rest++;
	for (size_t i = 0; i < count; i++) {
		if (!same_ignoring_case(rest, units[i].name))
			continue;
		if (decimal.fraction && units[i].size == 1)
			return -EBADMSG; /* half a byte, half a nanosecond */
		__uint128_t value = (__uint128_t)decimal.whole * units[i].size +
				    (__uint128_t)decimal.billionths * units[i].size / 1000000000;
		if (!fits || value > UINT64_MAX)
			return -ERANGE;
		*ret_value = (uint64_t)value;
		return 0;
	}
	return -EBADMSG;
}

int wan_parse_bytes(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"b", 1},
		{"k", WAN_KIB},
		{"kb", WAN_KIB},
		{"kib", WAN_KIB},
		{"m", WAN_MIB},
		{"mb", WAN_MIB},
		{"mib", WAN_MIB},
		{"g", WAN_MIB << 10},
		{"gb", WAN_MIB << 10},
		{"gib", WAN_MIB << 10},
		{"t", WAN_MIB << 20},
		{"tb", WAN_MIB << 20},
		{"tib", WAN_MIB << 20},
	};
	return parse_with_unit(text, units, WAN_COUNT_OF(units), ret_bytes);
}

int wan_parse_duration_ns(const char *text, uint64_t default_unit_ns, uint64_t *ret_ns)
{
	const struct unit units[] = {
		{"ns", 1},
		{"us", 1000},
		{"ms", 1000000},
		{"s", 1000000000},
		{"min", 60ull * 1000000000},
		{"h", 3600ull * 1000000000},
		{"", default_unit_ns},
	};
	size_t count = WAN_COUNT_OF(units);
	/* Without a default unit a plain number says too little; only zero needs no unit. */
	if (!default_unit_ns && !wan_str_equal(text, "0"))
		count--;
	return parse_with_unit(text, units, count, ret_ns);
}

/* value / unit with three significant digits at least, by integers: printf would ask the locale. */
static const char *format_scaled(char *to, size_t to_bytes, uint64_t value, uint64_t unit,
				 const char *name)
{
	unsigned places = value / unit >= 100 ? 0 : value / unit >= 10 ? 1 : 2;
	uint64_t ten = places == 2 ? 100 : places == 1 ? 10 : 1;
	uint64_t rounded = (uint64_t)(((__uint128_t)value * ten + unit / 2) / unit);
	if (places == 0)
		wan_str_format(to, to_bytes, "%llu %s", (unsigned long long)rounded, name);
	else
		wan_str_format(to, to_bytes, "%llu.%0*llu %s", (unsigned long long)(rounded / ten),
			       (int)places, (unsigned long long)(rounded % ten), name);
	return to;
}

const char *wan_format_bytes(char *to, size_t to_bytes, uint64_t bytes)
{
	static const char *const names[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
	unsigned power = 0;
	while (power + 1 < WAN_COUNT_OF(names) && bytes >> 10 * (power + 1))
		power++;
	if (power == 0) {
		wan_str_format(to, to_bytes, "%llu B", (unsigned long long)bytes);
		return to;
	}
	return format_scaled(to, to_bytes, bytes, (uint64_t)1 << 10 * power, names[power]);
}

const char *wan_format_duration(char *to, size_t to_bytes, uint64_t ns)
{
	uint64_t seconds = ns / 1000000000 + (ns % 1000000000 >= 500000000);
	if (ns < 1000)
		wan_str_format(to, to_bytes, "%llu ns", (unsigned long long)ns);
	else if (ns < 1000000)
		return format_scaled(to, to_bytes, ns, 1000, "us");
	else if (ns < 1000000000)
		return format_scaled(to, to_bytes, ns, 1000000, "ms");
	else if (ns < 60 * 1000000000ull)
		return format_scaled(to, to_bytes, ns, 1000000000, "s");
	else if (seconds < 3600)
		wan_str_format(to, to_bytes, "%llu min %02llu s",
			       (unsigned long long)(seconds / 60),
			       (unsigned long long)(seconds % 60));
	else
		wan_str_format(to, to_bytes, "%llu h %02llu min",
			       (unsigned long long)(seconds / 3600),
			       (unsigned long long)(seconds % 3600 / 60));
	return to;
}
