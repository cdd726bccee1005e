/* SPDX-License-Identifier: MIT */
#include "sqlite_late.h"

#include "dyn.h"
#include "macros.h"

const struct sqlite_late *sqlite_late(void)
{
	static const char *const sonames[] = {"libsqlite3.so.0", NULL};
	static const struct wan_dyn_symbol symbols[] = {
#define CALL(name) {"sqlite3_" #name, offsetof(struct sqlite_late, name), true},
#include "sqlite_late.def"
#undef CALL
	};
	static const struct wan_dyn_library library = {.sonames = sonames,
						       .override_environment = "WAN_SQLITE",
						       .symbols = symbols,
						       .symbol_count = WAN_COUNT_OF(symbols)};
	static struct sqlite_late table;
	if (!table.open_v2 && wan_dyn_load(&library, &table, false, NULL))
		return NULL;
	return &table;
}
