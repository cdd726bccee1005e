/* SPDX-License-Identifier: MIT */
#include "html.h"

#include "fixes.h"
#include "html_support.h"
#include "sha256.h"
#include "timeline_data.h"

TEST(hashes_are_those_of_the_standard)
{
	char text[SHA256_BASE64_BYTES], long_one[119];
	sha256_base64(text, "", 0);
	CHECK_STR(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	sha256_base64(text, "abc", 3);
	CHECK_STR(text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	memset(long_one, 'a', sizeof(long_one));
	sha256_base64(text, long_one, sizeof(long_one));
	CHECK_STR(text, "MeulHDE6XAgiat8Y1KNZz9/Y0ugWsT9K+VL36mWE3Ps=");
}

TEST(the_checker_refuses_what_no_page_may_hold)
{
	static const char *const bad[] = {
		"<html>",
		"<!DOCTYPE html>\n<p>",
		"<!DOCTYPE html>\n<p></b></p>",
		"<!DOCTYPE html>\n<p>a & b</p>",
		"<!DOCTYPE html>\n<p>\xff</p>",
		"<!DOCTYPE html>\n<p onclick=\"x\"></p>",
		"<!DOCTYPE html>\n<p class=x></p>",
		"<!DOCTYPE html>\n<a href=\"http://a/\"></a>",
		"<!DOCTYPE html>\n<img/>",
		"<!DOCTYPE html>\n<svg width=\"nan\"></svg>",
		"<!DOCTYPE html>\n<script></script><script></script>",
		"<!DOCTYPE html>\n<p>\xe2\x80\xae</p>",
	};
	CHECK(html_check("<!DOCTYPE html>\n<p class=\"a\">b &lt; c<br/></p>\n", 46) == NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(html_check(bad[i], strlen(bad[i])) != NULL);
}

TEST(an_empty_recording_is_a_page_that_says_so)
{
	fresh();
	CHECK_STR(plain_page(), NULL);
	CHECK(has("No image operation was recorded"));
	CHECK(has("Nothing over time was recorded"));
	CHECK(has("<dd>exit 0</dd>"));
}

TEST(a_running_process_is_told_as_one)
{
	fresh();
	fake.process.state = WAN_RUN_RUNNING;
	fake.process.live = true;
	fake_add(&fake, fake_operation("jpeg.decode", 5));
	CHECK_STR(plain_page(), NULL);
	CHECK(has("still running"));
}

TEST(findings_come_first_with_number_limit_saving_and_lines_to_copy)
{
	fresh();
	for (unsigned i = 0; i < 3; i++)
		add_sized("jpeg.decode", 700, 4000);
	CHECK_STR(plain_page(), NULL);
	CHECK(has("Slow operations: <code>jpeg.decode</code>"));
	CHECK(has("<dt>number</dt><dd>700 ms</dd>"));
	CHECK(has("<dt>limit</dt><dd>500 ms</dd>"));
	CHECK(has("<dt>predicted saving</dt>"));
	CHECK(has("<pre tabindex=\"0\">"));
	const char *findings = strstr(page.text, "<h2 id=\"h-findings\">");
	const char *timeline = strstr(page.text, "<h2 id=\"h-timeline\">");
	CHECK(findings && timeline && findings < timeline);
}

TEST(names_from_hell_stay_text_in_every_place)
{
	static const char *const names[] = {
		"</script><script>alert(1)</script>",
		"\"'><img src=x onerror=alert(1)>",
		"\xff\xfe\xc3(\x01\x1b[2J",
		"\xe2\x80\xaegnp.exe\xe2\x80\xa6",
		"\xef\xbf\xbf\xef\xbf\xbe",
		"a;b c 12\n]]>--><!--&nbsp;",
		"",
	};
	static const uint64_t values[4] = {1, 2, 3, 4};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fresh();
		const char *name = names[i];
		for (unsigned j = 0; j < 4; j++)
			add_sized(name, 600, 100u << j);
		fake.operations[1].file = name;
		fake.operations[2].status = fake.aggregates[2].status = WAN_OP_FAILED;
		add_event(WAN_RECORD_ACTION, 1, name, name, 2, values);
		add_event(WAN_RECORD_ALERT, 2, name, name, 1, values);
		add_event(WAN_RECORD_PHASE, 3, name, name, 0, values);
		fake.counters[0].kind = WAN_COUNTERS_TRACKER;
		fake.counters[1].kind = WAN_COUNTERS_COVERAGE;
		fake.counters[0].name = fake.counters[1].name = name;
		fake.process.counters_count = 2;
		snprintf(fake.process.header.command, 700, "%s\x1f%s", name, name);
		snprintf(fake.process.header.job, 100, "%s", name);
		const struct html_options options = {.path = name};
		CHECK_STR(write_page(&options), NULL);
		CHECK(!has("<script>alert"));
		CHECK(!has("<img"));
	}
}

TEST(a_name_of_a_hundred_kilobytes_is_cut)
{
	char *name = malloc(100001);
	REQUIRE(name != NULL);
	memset(name, '<', 100000);
	name[100000] = '\0';
	fresh();
	fake_add(&fake, fake_operation(name, 5));
	CHECK_STR(plain_page(), NULL);
	CHECK(page.bytes < 60000);
	free(name);
}

TEST(numbers_without_bound_give_finite_pictures)
{
	static const uint64_t values[4] = {UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX - 1,
					   0x7fffffffffffffffu};
	fresh();
	for (unsigned i = 0; i < 8; i++) {
		struct wan_recording_operation operation = fake_operation("jpeg.decode", 1);
		operation.inside_ns = operation.span_ns = UINT64_MAX - i;
		operation.width_px = operation.height_px = UINT32_MAX >> (4 * i);
		fake_add(&fake, operation);
		add_event(WAN_RECORD_SAMPLE, i, "", "", 0, values);
		add_event(WAN_RECORD_ACTION, i, "cache_limit", "", 9, values);
		add_event(WAN_RECORD_PHASE, i, "job", "sampling", 0, values);
	}
	fake.process.end_ns = UINT64_MAX;
	CHECK_STR(plain_page(), NULL);
}

TEST(one_spike_in_many_samples_is_kept)
{
	static struct wan_process_event events[20000];
	static struct html_timeline timeline;
	struct fake *fakes[] = {&fake};
	struct wan_analysis analysis;
	fresh();
	for (size_t i = 0; i < 20000; i++)
		events[i] = (struct wan_process_event){
			.kind = WAN_RECORD_SAMPLE,
			.time_ns = fake.process.start_ns + i * 100000,
			.realtime_ns = fake.process.start_realtime_ns + i * 100000,
			.name = "",
			.text = "",
			.values = {i == 7777 ? 900u << 20 : 100u << 20, UINT64_MAX, UINT64_MAX,
				   UINT64_MAX},
		};
	fake.process.events = events;
	fake.process.event_count = 20000;
	REQUIRE(fake_analyse(fakes, 1, &config, &analysis) == 0);
	html_timeline_fill(&timeline, &analysis, 100, 2000000000);
	CHECK_EQ(timeline.series[HTML_RSS].count, 20000);
	CHECK(timeline.series[HTML_RSS].peak == 900.0 * 1048576);
	CHECK(timeline.series[HTML_RSS].high[38] == 900.0 * 1048576);
	CHECK(timeline.series[HTML_RSS].low[38] == 100.0 * 1048576);
	CHECK(timeline.series[HTML_RSS].high[39] == 100.0 * 1048576);
	wan_analysis_finish(&analysis);
}

TEST(operations_fill_their_columns_by_time)
{
	static struct html_timeline timeline;
	struct fake *fakes[] = {&fake};
	struct wan_analysis analysis;
	fresh();
	struct wan_recording_operation operation = fake_operation("jpeg.decode", 250);
	operation.start_ns = fake.process.start_ns + 100000000;
	operation.start_realtime_ns = fake.process.start_realtime_ns + 100000000;
	fake_add(&fake, operation);
	REQUIRE(fake_analyse(fakes, 1, &config, &analysis) == 0);
	html_timeline_fill(&timeline, &analysis, 10, 1000000000);
	static const double expected[10] = {0, 1, 1, 0.5};
	for (unsigned i = 0; i < 10; i++)
		CHECK(fabs(timeline.busy[i] - expected[i]) < 1e-9);
	wan_analysis_finish(&analysis);
}

TEST(file_names_in_lines_to_copy_are_quoted_for_a_shell)
{
	struct wan_finding finding = {.advice = wan_advice(WAN_ADVICE_FAILED),
				      .operation = "jpeg.decode"};
	char fix[512];
	REQUIRE(html_fix(fix, sizeof(fix), &finding, "a.wprof"));
	CHECK_STR(strchr(fix, '\n') + 1, "wanprof dump -f csv --op jpeg.decode a.wprof");
	REQUIRE(html_fix(fix, sizeof(fix), &finding, "it's; rm -rf ~"));
	CHECK_STR(strchr(fix, '\n') + 1,
		  "wanprof dump -f csv --op jpeg.decode 'it'\\''s; rm -rf ~'");
	REQUIRE(html_fix(fix, sizeof(fix), &finding, "-x"));
	CHECK_STR(strchr(fix, '\n') + 1, "wanprof dump -f csv --op jpeg.decode ./-x");
	CHECK(!html_fix(fix, sizeof(fix), &finding, "a\nb"));
	CHECK(!html_fix(fix, sizeof(fix), &finding, "\xff"));
	CHECK(!html_fix(fix, sizeof(fix), &finding, NULL));
}

TEST(a_writer_that_fails_is_told)
{
	struct fake *fakes[] = {&fake};
	struct wan_analysis analysis;
	const struct html_options options = {.path = "a.wprof"};
	int closed = -1;
	fresh();
	REQUIRE(fake_analyse(fakes, 1, &config, &analysis) == 0);
	CHECK(html_report_write(&analysis, &options, wan_json_write_fd, &closed) < 0);
	wan_analysis_finish(&analysis);
}

TAP_MAIN
