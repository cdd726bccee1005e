/* SPDX-License-Identifier: MIT */
/*
 * A program that tracks what it is told to, one command a line on stdin, and answers each with "."
 * on stdout: begin TOTAL UNIT NAME, update DONE, phase NUMBER, own NAME, device DONE, one-off MS,
 * expect MS, end, complete, steps COUNT EVERY_MS. Jobs are a stack: end
 * ends the latest. NAME goes to the end of the line; "\xNN" in it is that byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wan/wan.h"

#define JOBS 64

static struct wan_tracker *jobs[JOBS];
static unsigned count;

static void decode(char *text)
{
	char *to = text;
	for (char *from = text; *from; from++) {
		unsigned byte;
		if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void pause_ms(unsigned long ms)
{
	struct timespec time = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

static void begin(struct wan_runtime *runtime, const char *arguments)
{
	char unit[64], name[512] = "";
	unsigned long long total;
	if (count == JOBS || sscanf(arguments, "%llu %63s %511[^\n]", &total, unit, name) < 2)
		exit(2);
	decode(name);
	if (wan_progress_begin(wan_runtime_progress(runtime), name, total,
			       strcmp(unit, "-") == 0 ? NULL : unit, &jobs[count++]) < 0)
		exit(3);
}

static void do_steps(struct wan_tracker *job, const char *arguments)
{
	unsigned long steps = 0, every_ms = 0;
	sscanf(arguments, "%lu %lu", &steps, &every_ms);
	for (unsigned long i = 1; i <= steps; i++) {
		pause_ms(every_ms);
		wan_progress_update(job, i);
	}
}

static void obey(struct wan_runtime *runtime, char *line)
{
	char *rest = line + strcspn(line, " ");
	struct wan_tracker *job = count ? jobs[count - 1] : NULL;
	if (*rest)
		*rest++ = '\0';
	unsigned long long number = strtoull(rest, NULL, 10);
	if (strcmp(line, "begin") == 0)
		begin(runtime, rest);
	else if (strcmp(line, "update") == 0)
		wan_progress_update(job, number);
	else if (strcmp(line, "phase") == 0)
		wan_progress_phase(job, (enum wan_phase)number);
	else if (strcmp(line, "own") == 0)
		decode(rest), wan_progress_phase_named(job, rest);
	else if (strcmp(line, "device") == 0)
		wan_progress_device_done(job, number);
	else if (strcmp(line, "one-off") == 0)
		wan_progress_one_off(job, number * 1000000);
	else if (strcmp(line, "expect") == 0)
		wan_progress_expect(job, number * 1000000);
	else if (strcmp(line, "end") == 0 && count)
		wan_progress_end(jobs[--count]);
	else if (strcmp(line, "complete") == 0 && count)
		wan_progress_complete(jobs[--count]);
	else if (strcmp(line, "steps") == 0)
		do_steps(job, rest);
	else
		exit(4);
}

int main(void)
{
	struct wan_runtime *runtime;
	char line[1024];
	if (wan_runtime_create(NULL, &runtime, NULL) < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		obey(runtime, line);
		if (write(STDOUT_FILENO, ".", 1) != 1)
			return 5;
	}
	wan_runtime_unref(runtime);
	return 0;
}
