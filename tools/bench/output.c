/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "wanprof.h"

int bench_output_write(const struct bench_output *choice, const void *data)
{
	struct wanprof_output output;
	struct wan_error error;
	if (wanprof_output_open(&output, choice->path, choice->force, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	bool failed;
	if (choice->json) {
		failed = choice->document(output.fd, data) < 0;
	} else {
		FILE *to = fdopen(dup(output.fd), "w");
		if (to)
			choice->text(to, data);
		failed = !to || fclose(to) != 0;
	}
	if (failed) {
		wanprof_say("%s: could not be written (disk full?)",
			    choice->path ? choice->path : "standard output");
		wanprof_output_abandon(&output);
		return WANPROF_NO_OUTPUT;
	}
	if (wanprof_output_commit(&output, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	return WANPROF_OK;
}
