/* SPDX-License-Identifier: MIT */
/* What the tests of findings share: one process made up by hand, judged by a rule set. */
#ifndef WAN_TESTS_PROFILER_FINDINGS_SUPPORT_H
#define WAN_TESTS_PROFILER_FINDINGS_SUPPORT_H

#include "findings.h"
#include "support.h"
#include "tap.h"

static struct fake fake;
static struct wan_config config;
static struct wan_analysis analysis;

static inline void begin(const char *rules)
{
	fake_init(&fake);
	wan_config_defaults(&config);
	strcpy(config.profile_rules, rules);
}

static inline const struct wan_finding *find(const char *id)
{
	struct fake *one = &fake;
	static struct wan_finding found;
	const struct wan_finding *finding;
	if (!CHECK_EQ(fake_analyse(&one, 1, &config, &analysis), 0))
		return NULL;
	finding = fake_finding(&analysis, id);
	if (finding)
		found = *finding;
	wan_analysis_finish(&analysis);
	return finding ? &found : NULL;
}

static inline void add(const char *name, double ms)
{
	fake_add(&fake, fake_operation(name, ms));
}

#endif
