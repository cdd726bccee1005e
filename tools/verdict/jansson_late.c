/* SPDX-License-Identifier: MIT */
#include "jansson_late.h"

#include "dyn.h"
#include "macros.h"

const struct jansson_late *jansson_late(void)
{
	static const char *const sonames[] = {"libjansson.so.4", NULL};
	static const struct wan_dyn_symbol symbols[] = {
#define CALL(name) {"json_" #name, offsetof(struct jansson_late, name), true},
#include "jansson_late.def"
#undef CALL
	};
	static const struct wan_dyn_library library = {.sonames = sonames,
						       .override_environment = "WAN_JANSSON",
						       .symbols = symbols,
						       .symbol_count = WAN_COUNT_OF(symbols)};
	static struct jansson_late table;
	if (!table.loadb && wan_dyn_load(&library, &table, false, NULL))
		return NULL;
	return &table;
}
