/* SPDX-License-Identifier: MIT */
/* Without SQLite recordings are read each time; the journal keeps what
 * `wanprof run` put there. */
#include "history_index_file.h"
#include "str.h"

bool history_index_in_build(void)
{
	return false;
}

bool history_index_possible(void)
{
	return false;
}

int history_file_open(struct history_index *index, const char *folder)
{
	wan_str_copy(index->remark, sizeof(index->remark),
		     "this build has no SQLite: recordings are read each time");
	return 0;
}

bool history_file_save(struct history_index *index)
{
	return false;
}

void history_file_close(struct history_index *index)
{
}
