/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>

#include "str.h"
#include "tap.h"
#include "wan/status.h"

static struct wan_config config, before;

static uint64_t u64_of(const struct wan_key_info *key)
{
	uint64_t value;
	memcpy(&value, (char *)&config + key->offset, sizeof(value));
	return value;
}

static double double_of(const struct wan_key_info *key)
{
	double value;
	memcpy(&value, (char *)&config + key->offset, sizeof(value));
	return value;
}

static bool whole(const struct wan_key_info *key)
{
	return key->type == WAN_KEY_U64 || key->type == WAN_KEY_BYTES || key->type == WAN_KEY_NS;
}

static bool fraction(const struct wan_key_info *key)
{
	return key->type == WAN_KEY_PCT || key->type == WAN_KEY_DOUBLE;
}

TEST(defaults_are_those_of_the_requirements)
{
	wan_config_defaults(&config);
	CHECK_EQ(config.cache_limit_bytes, 256ull << 20);
	CHECK_EQ(config.cache_entries, 50);
	CHECK_EQ(config.cache_idle_ns, 3600ull * 1000000000);
	CHECK_NEAR(config.cache_auto_percent, 20, 0);
	CHECK_NEAR(config.memory_warning_pct, 75, 0);
	CHECK_NEAR(config.memory_critical_pct, 85, 0);
	CHECK_NEAR(config.memory_emergency_pct, 95, 0);
	CHECK_NEAR(config.memory_gpu_pct, 80, 0);
	CHECK_EQ(config.profile_slow_ns, 500000000);
	CHECK_EQ(config.profile_memory_bytes, 100ull << 20);
	CHECK_NEAR(config.profile_cpu_pct, 80, 0);
	CHECK_EQ(config.progress_latency_ns, 100000000);
	CHECK_EQ(config.progress_memory_bytes, 500ull << 20);
	CHECK_EQ(config.progress_queue, 100);
	CHECK_NEAR(config.progress_rate, 0.5, 0);
	CHECK_STR(config.memory_rules, "default");
	CHECK_STR(config.record_path, "");
	CHECK(config.profile_enabled && !config.cache_auto);
}

TEST(every_default_reads_back_as_itself)
{
	const struct wan_key_info *key;
	wan_config_defaults(&before);
	wan_config_defaults(&config);
	for (unsigned i = 0; (key = wan_key_info(i)); i++) {
		char text[4096];
		wan_config_format(&before, key, text, sizeof(text));
		CHECK_STR(key->default_text, text);
		if (!CHECK_EQ(wan_config_set(&config, key->name, text, NULL), 0))
			printf("# key: %s = %s\n", key->name, text);
	}
	CHECK_MEM(&config, &before, sizeof(config));
	CHECK(wan_key_info(WAN_CONFIG_KEY_COUNT) == NULL);
	CHECK(wan_key_info(WAN_CONFIG_KEY_COUNT - 1) != NULL);
}

TEST(every_key_has_a_help_and_a_sound_range)
{
	const struct wan_key_info *key;
	for (unsigned i = 0; (key = wan_key_info(i)); i++) {
		CHECK(key->help && key->help[0]);
		CHECK(wan_key_find(key->name, NULL) == key);
		if (whole(key)) /* exact as doubles, and below 2^63 */
			CHECK(key->high < 9.2e18 && (double)(uint64_t)key->high == key->high);
		if (key->type == WAN_KEY_TEXT)
			CHECK(key->high >= 2 && key->high <= 4096);
		if (key->type == WAN_KEY_CHOICE)
			CHECK(key->choices && strchr(key->choices, '|') &&
			      strstr(key->choices, key->default_text));
	}
}

static void text_of(const struct wan_key_info *key, double value, int step, char *to, size_t bytes)
{
	long long number = (long long)value + step;
	if (whole(key))
		snprintf(to, bytes, "%lld%s", number, key->type == WAN_KEY_NS ? "ns" : "");
	else
		snprintf(to, bytes, "%.9f", value + step * 0.000001);
}

TEST(every_number_is_exact_at_both_ends_of_its_range)
{
	const struct wan_key_info *key;
	char text[64];
	for (unsigned i = 0; (key = wan_key_info(i)); i++) {
		if (!whole(key) && !fraction(key))
			continue;
		wan_config_defaults(&config);
		for (int end = 0; end < 2; end++) {
			double limit = end ? key->high : key->low;
			text_of(key, limit, 0, text, sizeof(text));
			if (!CHECK_EQ(wan_config_set(&config, key->name, text, NULL), 0))
				printf("# key: %s = %s\n", key->name, text);
			if (whole(key))
				CHECK_EQ(u64_of(key), (uint64_t)limit);
			else
				CHECK_NEAR(double_of(key), limit, 0);
			if (!end && limit == 0)
				continue; /* below is not a number of this type at all */
			before = config;
			text_of(key, limit, end ? 1 : -1, text, sizeof(text));
			if (!CHECK_EQ(wan_config_set(&config, key->name, text, NULL), -ERANGE))
				printf("# key: %s = %s\n", key->name, text);
			CHECK_MEM(&config, &before, sizeof(config));
		}
	}
}

TEST(bad_values_leave_the_configuration_alone)
{
	static const char *const bad[][2] = {
		{"cache.limit", "lots"},
		{"cache.limit", ""},
		{"cache.limit", "-1M"},
		{"cache.entries", "5.5"},
		{"cache.entries", "50 "},
		{"cache.idle", "3600"},
		{"memory.warning", "nan"},
		{"memory.warning", "75%%"},
		{"memory.warning", "%"},
		{"progress.rate", "0,5"},
		{"cache.auto", "maybe"},
		{"cache.auto", "TRUE "},
		{"memory.rules", "clas"},
		{"memory.rules", ""},
		{"memory.rules", "|"},
		{"memory.rules", "default|classic"},
		{"progress.rules", "default"},
		{"memory.warning", "1234567890123456789012345678901234567890"},
	};
	struct wan_error error;
	wan_config_defaults(&config);
	wan_config_defaults(&before);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!CHECK_EQ(wan_config_set(&config, bad[i][0], bad[i][1], &error), -EBADMSG))
			printf("# key: %s = \"%s\"\n", bad[i][0], bad[i][1]);
		CHECK_EQ(error.code, -EBADMSG);
		CHECK_STR(error.object, bad[i][0]);
		CHECK(error.reason[0] && error.hint[0]);
	}
	CHECK_EQ(wan_config_set(&config, "cache.limit", NULL, &error), -EBADMSG);
	CHECK_MEM(&config, &before, sizeof(config));
}

TEST(an_error_says_what_may_be_written)
{
	struct wan_error error;
	CHECK_EQ(wan_config_set(&config, "progress.interval", "9s", &error), -ERANGE);
	CHECK_STR(error.reason, "\"9s\" is outside the allowed range");
	CHECK_STR(error.hint, "write a value from 100ms to 5s, such as 1s");
	CHECK_EQ(wan_config_set(&config, "progress.rules", "x", &error), -EBADMSG);
	CHECK_STR(error.hint, "write one of classed|classic");
	CHECK_EQ(wan_config_set(&config, "cache.limit", "1", &error), -ERANGE);
	CHECK_STR(error.hint, "write a value from 1M to 1024G, such as 256M");
}

TEST(an_unknown_key_names_the_nearest)
{
	struct wan_error error;
	CHECK_EQ(wan_config_set(&config, "cache.limt", "1M", &error), -ENOENT);
	CHECK_STR(error.hint, "did you mean cache.limit?");
	CHECK_EQ(wan_config_set(&config, "zzzzzzzzzzzz", "1M", &error), -ENOENT);
	CHECK_STR(error.hint, "wanprof config lists the keys");
	CHECK_EQ(wan_config_set(&config, NULL, "1M", &error), -ENOENT);
	CHECK_EQ(wan_config_set(&config, "cache.limt", "1M", NULL), -ENOENT);
	const char *nearest = "untouched";
	CHECK(wan_key_find("cache.limit", &nearest) != NULL);
	CHECK_STR(nearest, "untouched");
}

TEST(units_percent_signs_and_words_are_understood)
{
	CHECK_EQ(wan_config_set(&config, "cache.limit", "64 MB", NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 64ull << 20);
	CHECK_EQ(wan_config_set(&config, "memory.warning", "70%", NULL), 0);
	CHECK_NEAR(config.memory_warning_pct, 70, 0);
	CHECK_EQ(wan_config_set(&config, "cache.auto", "yes", NULL), 0);
	CHECK(config.cache_auto);
	CHECK_EQ(wan_config_set(&config, "cache.auto", "off", NULL), 0);
	CHECK(!config.cache_auto);
	CHECK_EQ(wan_config_set(&config, "profile.slow", "0", NULL), 0);
	CHECK_EQ(config.profile_slow_ns, 0);
	CHECK_EQ(wan_config_set(&config, "memory.rules", "classic", NULL), 0);
	CHECK_STR(config.memory_rules, "classic");
}

TEST(text_fits_its_maximum_exactly)
{
	char text[200];
	memset(text, 'j', sizeof(text));
	text[128] = '\0';
	CHECK_EQ(wan_config_set(&config, "record.job", text, NULL), -ERANGE);
	text[127] = '\0';
	CHECK_EQ(wan_config_set(&config, "record.job", text, NULL), 0);
	CHECK_STR(config.record_job, text);
	CHECK_EQ(wan_config_set(&config, "record.job", "", NULL), 0);
	CHECK_STR(config.record_job, "");
}

TEST(formats_choose_the_largest_exact_unit)
{
	char text[64];
	wan_config_set(&config, "cache.limit", "1536M", NULL);
	wan_config_format(&config, wan_key_find("cache.limit", NULL), text, sizeof(text));
	CHECK_STR(text, "1536M");
	wan_config_set(&config, "cache.idle", "90s", NULL);
	wan_config_format(&config, wan_key_find("cache.idle", NULL), text, sizeof(text));
	CHECK_STR(text, "90s");
	wan_config_set(&config, "progress.rate", "0.125", NULL);
	wan_config_format(&config, wan_key_find("progress.rate", NULL), text, sizeof(text));
	CHECK_STR(text, "0.125");
	wan_config_set(&config, "memory.process_cap", "0", NULL);
	wan_config_format(&config, wan_key_find("memory.process_cap", NULL), text, sizeof(text));
	CHECK_STR(text, "0");
}

static char logged[1024];

static void keep_log(void *context, enum wan_log_level level, const char *text)
{
	snprintf(logged, sizeof(logged), "%s", text);
}

TEST(the_environment_sets_keys_and_a_bad_value_is_skipped)
{
	enum wan_origin origins[WAN_CONFIG_KEY_COUNT] = {0};
	wan_config_defaults(&config);
	setenv("WAN_CACHE_LIMIT", "128M", 1);
	setenv("WAN_RECORD_KEEP_FILES", "7", 1);
	setenv("WAN_CACHE_ENTRIES", "none", 1);
	setenv("WAN_CACHE_IDLE", "", 1);
	setenv("WAN_RECORD_JOB", "", 1);
	setenv("WAN_UNRELATED", "1", 1);
	wan_set_log(keep_log, NULL);
	wan_config_environment(&config, origins);
	wan_set_log(NULL, NULL);
	CHECK_EQ(config.cache_limit_bytes, 128ull << 20);
	CHECK_EQ(config.record_keep_files, 7);
	CHECK_EQ(config.cache_entries, 50);
	CHECK_EQ(config.cache_idle_ns, 3600ull * 1000000000);
	CHECK_EQ(origins[WAN_CONFIG_cache_limit_bytes], WAN_ORIGIN_ENVIRONMENT);
	CHECK_EQ(origins[WAN_CONFIG_record_keep_files], WAN_ORIGIN_ENVIRONMENT);
	CHECK_EQ(origins[WAN_CONFIG_record_job], WAN_ORIGIN_ENVIRONMENT);
	CHECK_EQ(origins[WAN_CONFIG_cache_entries], WAN_ORIGIN_DEFAULT);
	CHECK_EQ(origins[WAN_CONFIG_cache_idle_ns], WAN_ORIGIN_DEFAULT);
	CHECK(wan_str_starts(logged, "WAN_CACHE_ENTRIES: \"none\" is not a value of this key"));
	wan_config_environment(&config, NULL);
	CHECK_EQ(config.cache_limit_bytes, 128ull << 20);
}

TAP_MAIN
