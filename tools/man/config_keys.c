/* SPDX-License-Identifier: MIT */
/* Builds wanprof-config.1: the line .\" KEYS of the page given as argument becomes all keys. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WAN_MIB (1024.0 * 1024.0)

static void print_scaled(double value, const double *sizes, const char *const *units, int count)
{
	int i = 0;
	while (i + 1 < count && value < sizes[i])
		i++;
	printf("%.10g%s", value / sizes[i], units[i]);
}

static void print_BYTES(double value)
{
	static const double sizes[] = {1024 * WAN_MIB, WAN_MIB, 1024, 1};
	static const char *const units[] = {"G", "M", "K", ""};
	print_scaled(value, sizes, units, 4);
}

static void print_NS(double value)
{
	static const double sizes[] = {3600e9, 60e9, 1e9, 1e6, 1};
	static const char *const units[] = {"h", "min", "s", "ms", ""};
	print_scaled(value, sizes, units, 5);
}

static void print_BOOL(double value)
{
	printf("%s", value ? "true" : "false");
}

static void print_U64(double value)
{
	printf("%.15g", value);
}

#define print_PCT    print_U64
#define print_DOUBLE print_U64

static void print_TEXT(const char *text)
{
	printf("%s", text[0] ? text : "empty");
}

#define print_CHOICE print_TEXT

#define RANGE_BYTES(low, high)  range(low, high, print_BYTES)
#define RANGE_NS(low, high)     range(low, high, print_NS)
#define RANGE_U64(low, high)    range(low, high, print_U64)
#define RANGE_PCT(low, high)    range(low, high, print_U64)
#define RANGE_DOUBLE(low, high) range(low, high, print_U64)
#define RANGE_BOOL(low, high)   (void)0
#define RANGE_TEXT(low, high)   (void)0
#define RANGE_CHOICE(low, high) printf("; one of %s", high)

static void range(double low, double high, void (*print)(double))
{
	printf("; ");
	print(low);
	printf(" to ");
	print(high);
}

static void print_keys(void)
{
#define WAN_KEY(field, name, type, value, low, high, text)                                         \
	printf(".It Li %s\n%s\n.Pq default: ", name, text);                                        \
	print_##type(value);                                                                       \
	RANGE_##type(low, high);                                                                   \
	putchar('\n');
#include "config_keys.def"
#undef WAN_KEY
}

int main(int argc, char **argv)
{
	char line[1024];
	FILE *page = argc == 2 ? fopen(argv[1], "r") : NULL;
	if (!page)
		return 1;
	while (fgets(line, sizeof(line), page))
		if (strcmp(line, ".\\\" KEYS\n") == 0)
			print_keys();
		else
			fputs(line, stdout);
	return fclose(page) == 0 && fflush(stdout) == 0 ? 0 : 1;
}
