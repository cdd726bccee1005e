/* SPDX-License-Identifier: MIT */
/* Without SQLite recordings are read each time, and runs are forgotten with them. */
#include "history_index_file.h"
#include "str.h"

bool history_index_possible(void)
{
	return false;
}

int history_file_open(struct history_index *index, const char *folder)
{
	wan_str_copy(index->remark, sizeof(index->remark),
		     "this build has no SQLite: recordings are read each time, and a run is "
		     "forgotten with its recording");
	return 0;
}

void history_file_save(struct history_index *index)
{
}

void history_file_close(struct history_index *index)
{
}
