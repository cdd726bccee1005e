/* SPDX-License-Identifier: MIT */
#include "eta.h"

#include "str.h"
#include "wan/progress.h"

double wan_eta_percent(uint64_t done, uint64_t total)
{
	if (!total)
		return 0;
	return done >= total ? 100 : (double)done * 100 / (double)total;
}

uint64_t wan_eta_ns(uint64_t elapsed_ns, uint64_t done, uint64_t total)
{
	if (!total)
		return UINT64_MAX;
	if (done >= total)
		return 0;
	if (!done)
		return UINT64_MAX;
	double left = (double)elapsed_ns * (double)(total - done) / (double)done;
	return left >= 0x1p63 ? UINT64_MAX : (uint64_t)left;
}

const char *wan_progress_duration_text(char *to, size_t to_bytes, int64_t seconds)
{
	long long s = seconds;
	if (s <= 0)
		wan_str_format(to, to_bytes, "0s");
	else if (s < 60)
		wan_str_format(to, to_bytes, "%llds", s);
	else if (s < 3600)
		wan_str_format(to, to_bytes, "%lldm %llds", s / 60, s % 60);
	else
		wan_str_format(to, to_bytes, "%lldh %lldm", s / 3600, s % 3600 / 60);
	return to;
}
