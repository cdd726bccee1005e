/* SPDX-License-Identifier: MIT */
/* Asks the Pillow and torch of this machine, through oracle.py. */
#ifndef WAN_TESTS_IMAGE_ORACLE_H
#define WAN_TESTS_IMAGE_ORACLE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wan/image.h"

struct oracle {
	pid_t pid;
	FILE *to, *from;
};

struct oracle_answer {
	uint32_t width, height;
	size_t count;
	uint8_t *bytes;  /* freed by the caller */
	char error[256]; /* empty: there is an answer */
};

static inline bool oracle_start(struct oracle *oracle)
{
	int in[2], out[2];
	const char *folder = getenv("WAN_TEST_DATA");
	char script[4096];
	snprintf(script, sizeof(script), "%s/../oracle.py", folder ? folder : ".");
	if (pipe(in) < 0 || pipe(out) < 0)
		return false;
	(void)signal(SIGPIPE, SIG_IGN);
	oracle->pid = fork();
	if (oracle->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
		execl("/usr/bin/python3", "python3", script, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	oracle->to = fdopen(in[1], "wb");
	oracle->from = fdopen(out[0], "rb");
	return oracle->pid > 0 && oracle->to && oracle->from;
}

static inline void oracle_stop(struct oracle *oracle)
{
	fclose(oracle->to);
	fclose(oracle->from);
	waitpid(oracle->pid, NULL, 0);
}

/* A question with count bytes behind it. */
static inline struct oracle_answer oracle_ask(struct oracle *oracle, const char *question,
					      const void *bytes, size_t count)
{
	struct oracle_answer answer = {.width = 0};
	char line[512] = "";
	fprintf(oracle->to, "%s\n", question);
	fwrite(bytes, 1, count, oracle->to);
	fflush(oracle->to);
	if (!fgets(line, sizeof(line), oracle->from)) {
		snprintf(answer.error, sizeof(answer.error), "there is no python3 with Pillow");
		return answer;
	}
	if (sscanf(line, "%u %u %zu", &answer.width, &answer.height, &answer.count) != 3) {
		snprintf(answer.error, sizeof(answer.error), "%.250s", line);
		answer.error[strcspn(answer.error, "\n")] = '\0';
		return answer;
	}
	answer.bytes = malloc(answer.count + 1);
	if (!answer.bytes || fread(answer.bytes, 1, answer.count, oracle->from) != answer.count)
		snprintf(answer.error, sizeof(answer.error), "the answer is cut off");
	return answer;
}

/* Pillow's name of a format, NULL when it has none. */
static inline const char *oracle_mode(enum wan_pixel_format format)
{
	switch (format) {
	case WAN_PIXEL_GRAY8:
		return "L";
	case WAN_PIXEL_GRAYA8:
		return "LA";
	case WAN_PIXEL_RGB8:
		return "RGB";
	case WAN_PIXEL_RGBA8:
		return "RGBA";
	case WAN_PIXEL_CMYK8:
		return "CMYK";
	default:
		return NULL;
	}
}

#endif
