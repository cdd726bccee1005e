/* SPDX-License-Identifier: MIT */
/* The table of rules.def, and how a verdict is filled from it. */
#ifndef WAN_IMAGE_RULES_H
#define WAN_IMAGE_RULES_H

#include "wan/frame.h"

enum wan_rule_number {
#define WAN_RULE(id, severity, limit, about, message, suggestion) WAN_RULE_##id,
#include "rules.def"
#undef WAN_RULE
	WAN_RULE_COUNT
};

/* An empty verdict: valid. */
void wan_verdict_init(struct wan_verdict *verdict);
/* Adds what the rule says of that value; NULL when the verdict is full. Keeps the order of the
 * table when rules are added in it. */
struct wan_issue *wan_verdict_add(struct wan_verdict *verdict, enum wan_rule_number rule,
				  double value);
/* Appends ": ..." to the message of an issue, which may be NULL. */
void wan_issue_detail(struct wan_issue *issue, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
