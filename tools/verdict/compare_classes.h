/* SPDX-License-Identifier: MIT */
/* The operations of a run by what may be compared: name, library and image size. */
#ifndef WAN_TOOLS_COMPARE_CLASSES_H
#define WAN_TOOLS_COMPARE_CLASSES_H

#include "run_facts.h"

struct run_class {
	const char *name, *library; /* "" for none; borrowed */
	uint32_t width_px, height_px;
	size_t first, count; /* in times_ms, in order of start; 0: only the mean is known */
	double median_ms, total_ms;
	double peak_mb; /* NAN: not known */
};

struct run_classes {
	struct run_class *items; /* sorted by compare_class */
	double *times_ms;
	size_t count;
	double total_ms;
};

int run_classes_init(struct run_classes *classes, const struct run_facts *run); /* 0, -ENOMEM */
void run_classes_finish(struct run_classes *classes);
/* Order by name, library, size. */
int compare_class(const struct run_class *a, const struct run_class *b);
int compare_class_kind(const struct run_class *a, const struct run_class *b);
/* NULL: that run has none such. */
const struct run_class *run_classes_find(const struct run_classes *classes,
					 const struct run_class *like);

#endif
