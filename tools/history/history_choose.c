/* SPDX-License-Identifier: MIT */
#include "history_choose.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "str.h"
#include "units.h"

static bool wants(const struct history_choice *choice, const struct history_run *run, bool declared)
{
	if (choice->job && !wan_str_glob(choice->job, run->job))
		return false;
	if (declared)
		return true;
	if (choice->tier && !wan_str_equal(choice->tier, run->tier))
		return false;
	return run->started_ns >= choice->since_ns;
}

static size_t keep(const struct history_choice *choice, struct history_run *items, size_t count,
		   bool declared)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (wants(choice, &items[i], declared))
			items[kept++] = items[i];
		else
			history_run_finish(&items[i]);
	return kept;
}

int history_choose(struct history_runs *runs, const struct history_choice *choice)
{
	runs->count = keep(choice, runs->items, runs->count, false);
	runs->declared_count = keep(choice, runs->declared, runs->declared_count, true);
	if (!choice->last || !runs->count)
		return 0;
	/* how many of the same job come behind each */
	bool *drop = wan_calloc(runs->count, sizeof(*drop));
	size_t kept = 0;
	if (!drop)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++) {
		size_t later = 0;
		for (size_t j = i + 1; j < runs->count && later < choice->last; j++)
			later += strcmp(runs->items[i].job, runs->items[j].job) == 0;
		drop[i] = later >= choice->last;
	}
	for (size_t i = 0; i < runs->count; i++)
		if (drop[i])
			history_run_finish(&runs->items[i]);
		else
			runs->items[kept++] = runs->items[i];
	runs->count = kept;
	wan_free(drop);
	return 0;
}

int history_parse_since(const char *text, uint64_t now_ns, uint64_t *ret_since_ns)
{
	char number[32];
	uint64_t stretch_ns, days;
	size_t bytes = strlen(text);
	if (history_parse_date(text, ret_since_ns) == 0)
		return 0;
	if (bytes > 1 && bytes < sizeof(number) && text[bytes - 1] == 'd') {
		wan_str_format(number, sizeof(number), "%.*s", (int)bytes - 1, text);
		if (wan_parse_u64(number, &days) || days > 100000)
			return -EBADMSG;
		stretch_ns = days * 86400 * 1000000000u;
	} else if (wan_parse_duration_ns(text, 1000000000, &stretch_ns)) {
		return -EBADMSG;
	}
	*ret_since_ns = now_ns > stretch_ns ? now_ns - stretch_ns : 0;
	return 0;
}
