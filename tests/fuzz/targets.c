/* SPDX-License-Identifier: MIT */
/* A file of targets: every one that is taken can be written and is read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct targets targets;
	struct wan_error error = {0};
	if (targets_init(&targets))
		abort();
	size_t before = targets.count;
	int rc = targets_parse(&targets, "fuzz", (const char *)data, size, &error);
	if (rc && (targets.count != before || !error.reason[0] || !error.object[0]))
		abort();
	for (size_t i = before; i < targets.count; i++) {
		const struct target *target = &targets.items[i];
		char line[TARGET_LINE_BYTES];
		target_line(target, line);
		if (target->low > target->high || !line[0] || strlen(line) >= sizeof(line))
			abort();
		targets_find(&targets, target->subject, target->metric, target->name, NULL, NULL);
	}
	targets_finish(&targets);
	return 0;
}
