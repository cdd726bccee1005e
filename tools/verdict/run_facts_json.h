/* SPDX-License-Identifier: MIT */
#ifndef WAN_TOOLS_RUN_FACTS_JSON_H
#define WAN_TOOLS_RUN_FACTS_JSON_H

#include "json_input.h"
#include "run_facts.h"

/* Facts from the JSON of `wanprof dump`; name stands in messages. 0, -EBADMSG (no such document, or
 * it says what cannot be), -ENOTSUP (newer), -ENOMEM. */
int run_facts_from_json(struct run_facts *ret_facts, const char *name,
			const struct json_value *document, struct wan_error *reterr_error);
/* RFC 3339 in UTC, as dumped, in ns since 1970; 0: it is none. */
uint64_t run_facts_timestamp(const char *text);

#endif
