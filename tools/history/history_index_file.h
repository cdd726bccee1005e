/* SPDX-License-Identifier: MIT */
/* The file of the index; history_index_sqlite.c, or history_index_none.c in builds without SQLite.
 */
#ifndef WAN_TOOLS_HISTORY_INDEX_FILE_H
#define WAN_TOOLS_HISTORY_INDEX_FILE_H

#include "history_index.h"

/* Fills the entries and index->database; what went wrong is said in index->remark. 0, -ENOMEM. */
int history_file_open(struct history_index *index, const char *folder);
/* All entries that changed, or none of them. */
bool history_file_save(struct history_index *index);
void history_file_close(struct history_index *index);

#endif
