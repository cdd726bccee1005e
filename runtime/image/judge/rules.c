/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "macros.h"
#include "rules.h"
#include "str.h"

static const struct {
	struct wan_rule rule;
	const char *message;
} rules[] = {
#define WAN_RULE(id, severity, limit, about, message, suggestion)                                  \
	[WAN_RULE_##id] = {{#id, WAN_SEVERITY_##severity, limit, about, suggestion}, message},
#include "rules.def"
#undef WAN_RULE
};

_Static_assert(WAN_COUNT_OF(rules) == WAN_RULE_COUNT, "one row a rule");

const struct wan_rule *wan_rule(uint32_t number)
{
	return number < WAN_RULE_COUNT ? &rules[number].rule : NULL;
}

void wan_verdict_init(struct wan_verdict *verdict)
{
	*verdict = (struct wan_verdict){.valid = true};
}

struct wan_issue *wan_verdict_add(struct wan_verdict *verdict, enum wan_rule_number number,
				  double value)
{
	const struct wan_rule *rule = &rules[number].rule;
	if (verdict->issue_count == WAN_ISSUES_MAX)
		return NULL;
	struct wan_issue *issue = &verdict->issues[verdict->issue_count++];
	*issue = (struct wan_issue){
		.id = rule->id, .severity = rule->severity, .value = value, .limit = rule->limit};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(issue->message, sizeof(issue->message), rules[number].message, value,
		       rule->limit);
#pragma GCC diagnostic pop
	(void)wan_str_copy(issue->suggestion, sizeof(issue->suggestion), rule->suggestion);
	if (rule->severity == WAN_SEVERITY_ERROR)
		verdict->valid = false;
	return issue;
}

void wan_issue_detail(struct wan_issue *issue, const char *format, ...)
{
	if (!issue)
		return;
	size_t used = strlen(issue->message);
	(void)snprintf(issue->message + used, sizeof(issue->message) - used, ": ");
	used = strlen(issue->message);
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(issue->message + used, sizeof(issue->message) - used, format, arguments);
	va_end(arguments);
}
