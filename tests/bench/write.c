/* SPDX-License-Identifier: MIT */
/*
 * What the write hook costs: LD_PRELOAD=libwanrt-preload.so bench-write. The C library's own
 * __write() and the hooked write() to /dev/null take turns in one process. Predicted: 2 ns for a
 * call and a test of its size, 3 ns more for the search of a return in 80 bytes, 40 ns in 4 KiB;
 * 1 us for a bar that is drawn.
 * bench-write INSTRUCTIONS WHAT: that many writes of one kind, for callgrind.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "figures.h"

enum { ROUNDS = 101, WRITES = 2000 };

extern ssize_t __write(int fd, const void *bytes, size_t count);

static char text[80], lines[4096], web[4096], data[1 << 20], bar[160];
static const struct kind {
	const char *name;
	const char *bytes;
	size_t count;
	double most; /* ns that the hook may add */
} kinds[] = {
	{"80 bytes of text", text, sizeof(text), 10},
	{"4 KiB of text", lines, sizeof(lines), 100},
	{"4 KiB of lines with returns", web, sizeof(web), 100},
	{"1 MiB of data", data, sizeof(data), 10},
	{"a bar of 100 bytes, drawn again", bar, 100, 2000},
};

static void fill(void)
{
	memset(text, 'a', sizeof(text));
	memset(lines, 'a', sizeof(lines));
	memset(web, 'a', sizeof(web));
	for (size_t i = 0; i < sizeof(web); i += 64)
		memcpy(web + i, "\r\n", 2);
	memset(data, '\r', sizeof(data));
	memset(bar, ' ', sizeof(bar));
	static const char drawn[] = "\rdesc:  45%|##########################"
				    "                            | 9/20 [01:23<01:40,  9.1s/it]";
	memcpy(bar, drawn, sizeof(drawn) - 1);
}

static double ns_of(ssize_t (*function)(int, const void *, size_t), int fd, const struct kind *kind)
{
	uint64_t begin = wan_now_ns();
	for (unsigned i = 0; i < WRITES; i++)
		if (function(fd, kind->bytes, kind->count) < 0)
			exit(1);
	return (double)(wan_now_ns() - begin) / WRITES;
}

int main(int argc, char **argv)
{
	int fd = open("/dev/null", O_WRONLY);
	fill();
	if (argc > 2) {
		const struct kind *kind = &kinds[atoi(argv[2])];
		for (int i = 0; i < atoi(argv[1]); i++)
			if (write(fd, kind->bytes, kind->count) < 0)
				return 1;
		return 0;
	}
	printf("%-36s %10s %10s %10s %8s %8s\n", "write to /dev/null", "bare ns", "hooked ns",
	       "more ns", "ratio", "at most");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		double bare[ROUNDS], hooked[ROUNDS], more[ROUNDS];
		for (unsigned i = 0; i < ROUNDS; i++) {
			bare[i] = ns_of(__write, fd, &kinds[k]);
			hooked[i] = ns_of(write, fd, &kinds[k]);
			more[i] = hooked[i] - bare[i];
		}
		double b = figures_percentile(bare, ROUNDS, 0.5);
		double h = figures_percentile(hooked, ROUNDS, 0.5);
		printf("%-36s %10.1f %10.1f %10.1f %8.3f %8.0f\n", kinds[k].name, b, h,
		       figures_percentile(more, ROUNDS, 0.5), h / b, kinds[k].most);
	}
	return 0;
}
