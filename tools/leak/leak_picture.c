/* SPDX-License-Identifier: MIT */
#include "leak_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return count ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
}

/* Of the changes from one reading to the next: how far they are apart. */
static double roughness(const struct wan_leak_reading *readings, size_t count)
{
	double changes[WAN_LEAK_READINGS_MAX];
	for (size_t i = 0; i + 1 < count; i++)
		changes[i] = readings[i + 1].bytes - readings[i].bytes;
	double middle = median(changes, count - 1);
	for (size_t i = 0; i + 1 < count; i++)
		changes[i] = fabs(changes[i] - middle);
	return median(changes, count - 1);
}

/* Pixels of the largest picture in the iteration that ends with each reading. */
static bool pictures(const struct wan_process *process, const struct leak_readings *cut,
		     double *pixels)
{
	for (size_t i = 0; i < cut->count; i++)
		pixels[i] = 0;
	for (size_t k = 0; k < process->operation_count; k++) {
		const struct wan_recording_operation *operation = &process->operations[k];
		uint64_t end = operation->start_ns + operation->span_ns;
		size_t at = 0;
		while (at < cut->count && cut->events[at]->time_ns < end)
			at++;
		if (at < cut->count && !(operation->flags & WAN_FLAG_CHILD))
			pixels[at] = fmax(pixels[at],
					  (double)operation->width_px * operation->height_px);
	}
	for (size_t i = 1; i < cut->count; i++)
		if (pixels[i] == 0)
			return false;
	return true;
}

/*
 * A loop over different pictures holds the latest one at its end, small or large, which hides what
 * is added. Where readings follow the size, so many bytes a pixel (median over neighbours) are
 * taken off, if that makes them half as rough at least.
 */
void leak_take_picture_off(const struct wan_process *process, const struct leak_readings *cut,
			   struct wan_leak_reading *readings, struct leak_report *report)
{
	enum { NEAR = 3, MOST_PER_PIXEL = 64 };
	double pixels[WAN_LEAK_READINGS_MAX], ratios[WAN_LEAK_READINGS_MAX * NEAR];
	struct wan_leak_reading less[WAN_LEAK_READINGS_MAX];
	size_t count = cut->count, found = 0;
	if (count <= WAN_LEAK_LEAST || count > WAN_LEAK_READINGS_MAX ||
	    !pictures(process, cut, pixels))
		return;
	for (size_t i = 1; i < count; i++)
		for (size_t k = i + 1; k < count && k <= i + NEAR; k++)
			if (fabs(pixels[k] - pixels[i]) > 0.05 * pixels[i])
				ratios[found++] = (readings[k].bytes - readings[i].bytes) /
						  (pixels[k] - pixels[i]);
	double each = median(ratios, found);
	if (found < NEAR || each <= 0 || each > MOST_PER_PIXEL)
		return;
	for (size_t i = 0; i < count; i++)
		less[i] = (struct wan_leak_reading){readings[i].at,
						    readings[i].bytes - each * pixels[i]};
	if (roughness(less, count) > roughness(readings, count) / 2)
		return;
	memcpy(readings, less, count * sizeof(*less));
	wan_str_format(report->note, sizeof(report->note),
		       "%.1f bytes a pixel taken off for the picture held at the time", each);
}
