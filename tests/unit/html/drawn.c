/* SPDX-License-Identifier: MIT */
/* Lines over time, the comparison with a baseline, and the largest page there is. */
#include "html_support.h"

/* A look at the process and what the sensors said of the machine; negative: unknown. */
static void add_sensed(double ms, double cpu_celsius, double gpu_celsius, double cpus, double gpu)
{
	uint64_t unknown = UINT16_MAX;
	uint64_t heat = cpu_celsius < 0 ? unknown : (uint64_t)(cpu_celsius * 10 + 2731);
	uint64_t gpu_heat = gpu_celsius < 0 ? unknown : (uint64_t)(gpu_celsius * 10 + 2731);
	uint64_t cpus_part = cpus < 0 ? unknown : (uint64_t)(cpus * 100);
	uint64_t gpu_part = gpu < 0 ? unknown : (uint64_t)(gpu * 100);
	const uint64_t sample[4] = {100 << 20, UINT64_MAX, UINT64_MAX, 5000 | gpu_part << 48};
	const uint64_t sensors[4] = {heat | gpu_heat << 16, UINT64_MAX, UINT64_MAX,
				     UINT32_MAX | unknown << 32 | cpus_part << 48};
	add_event(WAN_RECORD_SAMPLE, ms, "", "", 0, sample);
	add_event(WAN_RECORD_SENSORS, ms, "", "", 0, sensors);
}

TEST(heat_and_use_are_lines_with_limits_and_a_table)
{
	fresh();
	of_tier(4);
	for (unsigned i = 0; i < 6; i++)
		add_sensed(1000 * i, 80 + 2 * i, 70, 75, 60);
	CHECK_STR(plain_page(), NULL);
	CHECK(has(">temperature</text>"));
	CHECK(has(">use of the machine</text>"));
	CHECK(has("limit: processors 85 \xc2\xb0\x43, GPU 83 \xc2\xb0\x43"));
	CHECK(has("class=\"lim\""));
	CHECK(has("processors, at most 75 % and 90 \xc2\xb0\x43"));
	CHECK(has("GPU, at most 60 % and 70 \xc2\xb0\x43"));
	CHECK(!has("not drawn"));
	CHECK(has("what is asked of the tier high-end"));
	CHECK(row_has(page.text, "hottest processor", ">above</span>"));
	CHECK(row_has(page.text, "hottest GPU", ">met</span>"));
	CHECK(row_has(page.text, "mean use of the processors", ">met</span>"));
	CHECK(row_has(page.text, "mean use of the busiest GPU", ">below</td>"));
	CHECK(row_has(page.text, "processors slowed down by heat, times", ">unknown</span>"));
}

TEST(a_value_alone_is_a_dot)
{
	fresh();
	add_sensed(1000, 60, -1, -1, -1);
	CHECK_STR(plain_page(), NULL);
	const char *line = strstr(page.text, "<path class=\"l5\" d=\"M");
	REQUIRE(line != NULL);
	line = strstr(line + 1, "<path class=\"l5\" d=\"M"); /* behind that of the legend */
	REQUIRE(line != NULL);
	CHECK(strncmp(strchr(strstr(line, " d="), 'h'), "h0.1\"/>", 7) == 0);
}

TEST(what_no_sensor_told_is_not_drawn_but_said)
{
	fresh();
	for (unsigned i = 0; i < 6; i++)
		add_sensed(1000 * i, 60, -1, -1, -1);
	CHECK_STR(plain_page(), NULL);
	CHECK(has(">temperature</text>"));
	CHECK(!has(">use of the machine</text>"));
	CHECK(has("limit: processors 85 \xc2\xb0\x43</text>"));
	CHECK(has("Not known, so not drawn: use of the processors, use of GPUs, "
		  "temperature of GPUs."));
	CHECK(has("a machine of unknown tier"));
	CHECK(has("tier not known"));
	fresh();
	add_sized("jpeg.decode", 20, 640);
	CHECK_STR(plain_page(), NULL);
	CHECK(!has(">temperature</text>"));
	CHECK(!has("class=\"lim\""));
	CHECK(!has("what is asked of"));
	CHECK(has("Not known, so not drawn: use of the processors, use of GPUs, temperature of "
		  "the processors, temperature of GPUs."));
}

TEST(a_baseline_of_another_machine_is_said_and_decides_nothing)
{
	struct run_facts now, was;
	fresh();
	add_sized("jpeg.decode", 20, 640);
	facts_of(&was, "Processor A", 10);
	facts_of(&now, "Processor B", 20);
	const struct html_options options = {.path = "a.wprof", .now = &now, .baseline = &was};
	CHECK_STR(write_page(&options), NULL);
	CHECK(has("Not comparable:"));
	CHECK(has("Processor A, 8 processors, 16 GB"));
	CHECK(!has(">slower</span>"));
	was.machine.cpu_model = "Processor B";
	CHECK_STR(write_page(&options), NULL);
	CHECK(!has("Not comparable:"));
	CHECK(has(">slower</span>"));
}

TEST(memory_and_phases_are_compared_as_times_are)
{
	struct run_facts now, was;
	struct run_phase before[] = {{.name = "loading", .duration_ms = 100},
				     {.name = "<b>gone</b>", .duration_ms = 50}};
	struct run_phase after[] = {{.name = "loading", .duration_ms = 150},
				    {.name = "appeared", .duration_ms = 70}};
	fresh();
	add_sized("jpeg.decode", 20, 640);
	facts_of(&was, "Processor A", 10);
	facts_of(&now, "Processor A", 10);
	const struct html_options options = {.path = "a.wprof", .now = &now, .baseline = &was};
	CHECK_STR(write_page(&options), NULL);
	CHECK(!has("Peak memory of operations"));
	CHECK(!has("largest resident memory"));
	for (unsigned i = 0; i < 20; i++) {
		was.operations[i].peak_mb = 100;
		now.operations[i].peak_mb = 200;
	}
	was.rss_peak_mb = 300;
	now.rss_peak_mb = 330;
	was.phases = before;
	now.phases = after;
	was.phase_count = now.phase_count = 2;
	CHECK_STR(write_page(&options), NULL);
	CHECK(has("largest resident memory"));
	CHECK(row_has(page.text, "largest resident memory", "+10 %"));
	const char *memory = strstr(page.text, "Peak memory of operations");
	CHECK(row_has(memory, "jpeg.decode", ">100 MB<"));
	CHECK(row_has(memory, "jpeg.decode", ">200 MB<"));
	CHECK(row_has(memory, "jpeg.decode", "+100 %"));
	CHECK(row_has(memory, "jpeg.decode", ">grown</span>"));
	CHECK(row_has(page.text, "loading", "+50 %"));
	CHECK(row_has(page.text, "appeared", ">70.0 ms<"));
	CHECK(row_has(page.text, "&lt;b&gt;gone&lt;/b&gt;", ">50.0 ms<"));
	now.machine.cpu_model = "Processor B";
	CHECK_STR(write_page(&options), NULL);
	CHECK(has("Peak memory of operations"));
	CHECK(!has(">grown</span>"));
}

enum { COUNT = 100000, KINDS = 12, EVENTS = 12000, PHASES = 60 };
static const char *const names[KINDS] = {
	"a.decode", "b.decode",          "c.decode",          "d.decode", "e.encode",
	"f.encode", "thumbnail_256x256", "thumbnail_512x512", "fit",      "normalise",
	"stack",    "image_validation"};
static const char *const jobs[] = {"one", "two", "three", "four", "five", "six", "seven"};
static uint64_t random_bits = 1;

static uint64_t next_random(void)
{
	random_bits = random_bits * 6364136223846793005u + 1442695040888963407u;
	return random_bits;
}

static void fill_operations(struct wan_recording_operation *operations)
{
	for (size_t i = 0; i < KINDS; i++)
		fake.aggregates[i] = (struct wan_process_aggregate){
			.name = names[i], .library = "libjpeg", .count = COUNT / KINDS};
	fake.process.aggregate_count = KINDS;
	for (size_t i = 0; i < COUNT; i++) {
		uint64_t random = next_random();
		operations[i] = fake_operation(names[i % KINDS], 1);
		operations[i].width_px = 64 + (random >> 40) % 4000;
		operations[i].height_px = 64 + (random >> 50) % 4000;
		operations[i].inside_ns = operations[i].span_ns =
			1000 + (random >> 20) % ((uint64_t)operations[i].width_px * 5000);
		operations[i].start_ns = fake.process.start_ns + i * 100000;
		operations[i].start_realtime_ns = fake.process.start_realtime_ns + i * 100000;
	}
	fake.process.operations = operations;
	fake.process.operation_count = fake.process.total_operations = COUNT;
}

/* In turn a phase, a sample and its sensors; now and then an action or an alert instead. */
static void fill_events(struct wan_process_event *events)
{
	for (size_t i = 0; i < EVENTS; i++) {
		uint64_t random = next_random();
		uint64_t since_ns = i * 10000000000u / EVENTS, mib = 1 << 20;
		events[i] = (struct wan_process_event){
			.kind = i % 3 == 0 ? WAN_RECORD_PHASE : WAN_RECORD_SAMPLE,
			.time_ns = fake.process.start_ns + since_ns,
			.realtime_ns = fake.process.start_realtime_ns + since_ns,
			.name = i % 3 == 0 ? jobs[i % 7] : "",
			.text = "a phase of its own",
			.values = {(random >> 50) * mib, (random >> 48) * mib, (random >> 47) * mib,
				   (random >> 52) % 10000 | (random >> 51) % 10000 << 48},
		};
		if (i % 3 == 2) { /* of the sample before it */
			events[i].kind = WAN_RECORD_SENSORS;
			events[i].time_ns = events[i - 1].time_ns;
			events[i].realtime_ns = events[i - 1].realtime_ns;
			events[i].values[0] = (2731 + (random >> 54)) | (2731 + (random >> 55))
										<< 16;
			events[i].values[3] = (random >> 51) % 10000 << 48;
		}
		if (i % 3 == 0) {
			events[i].values[0] = since_ns;
			events[i].values[1] = 700000;
		}
		if (i % 100 == 1)
			events[i] = (struct wan_process_event){
				.kind = i % 200 == 1 ? WAN_RECORD_ACTION : WAN_RECORD_ALERT,
				.time_ns = events[i].time_ns,
				.realtime_ns = events[i].realtime_ns,
				.name = "cache_limit",
				.text = "warning: cgroup at 83 %",
				.values = {1 << 20, 1 << 20, 3 << 20, 2 << 20},
			};
	}
	fake.process.events = events;
	fake.process.event_count = EVENTS;
}

static void fill_counters(void)
{
	enum { MEMORY_LIMIT = 6, GPU_LARGEST = 10 };
	for (size_t i = 0; i < 7; i++) {
		fake.counters[i].kind = WAN_COUNTERS_TRACKER;
		fake.counters[i].name = jobs[i];
	}
	fake.process.counters_count = 7;
	of_tier(4);
	fake.counters[7].words[MEMORY_LIMIT] = (uint64_t)20 << 30;
	fake.counters[7].words[GPU_LARGEST] = (uint64_t)40 << 30;
}

static void fill_facts(struct run_facts facts[2])
{
	static struct run_phase phases[PHASES];
	facts_of(&facts[0], "Processor A", 10);
	facts_of(&facts[1], "Processor A", 10);
	for (unsigned i = 0; i < PHASES; i++)
		phases[i] = (struct run_phase){.name = "a phase of its own", .duration_ms = i};
	facts[0].phases = facts[1].phases = phases;
	facts[0].phase_count = facts[1].phase_count = PHASES;
}

/* As many as a recording holds, of every size, with all that can be drawn. */
TEST(a_page_of_very_many_operations_stays_small)
{
	struct run_facts facts[2];
	struct wan_analysis before;
	struct fake *fakes[] = {&fake};
	const struct html_options options = {.path = "a.wprof",
					     .now = &facts[0],
					     .baseline = &facts[1],
					     .baseline_analysis = &before};
	struct wan_recording_operation *operations = calloc(COUNT, sizeof(*operations));
	struct wan_process_event *events = calloc(EVENTS, sizeof(*events));
	REQUIRE(operations && events);
	fresh();
	fill_operations(operations);
	fill_events(events);
	fill_counters();
	fill_facts(facts);
	REQUIRE(fake_analyse(fakes, 1, &config, &before) == 0);
	CHECK_STR(write_page(&options), NULL);
	wan_analysis_finish(&before);
	CHECK(has("time ~ Mpx"));
	CHECK(has(">temperature</text>"));
	CHECK(has(">use of the machine</text>"));
	CHECK(has("GPU memory, at most"));
	CHECK(has("Limit of the control group"));
	CHECK(has("RSS of the baseline"));
	CHECK(page.bytes > 50000);
	CHECK(page.bytes < 300000);
	printf("# %zu bytes\n", page.bytes);
	free(operations);
	free(events);
}

TAP_MAIN
