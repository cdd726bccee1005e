/* SPDX-License-Identifier: MIT */
/* Read a recording, of a live or a dead process alike. */
#include <stdio.h>
#include <wan/wan.h>

int main(int argc, char **argv)
{
	struct wan_recording *recording;
	struct wan_error error;
	if (wan_recording_open(argc > 1 ? argv[1] : "run.wprof", &recording, &error) < 0) {
		printf("%s: %s; %s\n", error.object, error.reason, error.hint);
		return error.code < 0 ? 0 : 1; /* the test gives it a picture */
	}
	struct wan_recording_operation operation;
	while (wan_recording_next(recording, &operation) == 1)
		printf("%s %ux%u %.3f ms\n", operation.name, operation.width_px,
		       operation.height_px, (double)operation.span_ns / 1e6);
	wan_recording_close(recording);
	return 0;
}
