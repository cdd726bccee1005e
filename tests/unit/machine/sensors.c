/* SPDX-License-Identifier: MIT */
/* Heat, power and use: from trees of kernel files, and against what a tier is meant for. */
#include "machine_sensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis.h"
#include "sensors.h"
#include "macros.h"
#include "tap.h"

static char root[] = "/tmp/wan-sensors-XXXXXX";
static struct sensors files;
static struct sensors_reading now;

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void clear(void)
{
	char command[128];
	sensors_close(&files);
	snprintf(command, sizeof(command), "rm -rf %s/*", root);
	if (system(command) != 0)
		abort();
}

static void start(void)
{
	static bool made;
	if (!made && !mkdtemp(root))
		abort();
	made = true;
}

TEST(a_machine_without_sensors_tells_nothing)
{
	start();
	sensors_open(&files, root);
	sensors_read(&files, 1000000000, &now);
	CHECK(isnan(now.cpu_celsius) && isnan(now.cpu_watts) && isnan(now.throttled));
	CHECK(isnan(now.mhz) && isnan(now.most_mhz) && isnan(now.disk_percent));
	CHECK(isnan(now.cpus_percent));
	clear();
}

TEST(the_hottest_processor_sensor_counts_and_no_other_device)
{
	start();
	put("sys/class/hwmon/hwmon0/name", "nvme\n");
	put("sys/class/hwmon/hwmon0/temp1_input", "99000\n");
	put("sys/class/hwmon/hwmon1/name", "coretemp\n");
	put("sys/class/hwmon/hwmon1/temp1_input", "61000\n");
	put("sys/class/hwmon/hwmon1/temp2_input", "84900\n");
	put("sys/class/hwmon/hwmon1/temp3_input", "255000\n"); /* not connected */
	put("sys/class/hwmon/hwmon1/temp4_input", "-5000\n");
	sensors_open(&files, root);
	sensors_read(&files, 1, &now);
	CHECK(fabs(now.cpu_celsius - 84.9) < 1e-6);
	put("sys/class/hwmon/hwmon1/temp2_input", "70000\n");
	sensors_read(&files, 2, &now); /* through the same descriptor */
	CHECK(fabs(now.cpu_celsius - 70) < 1e-6);
	clear();
	put("sys/class/thermal/thermal_zone0/type", "acpitz\n");
	put("sys/class/thermal/thermal_zone0/temp", "99000\n");
	put("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n");
	put("sys/class/thermal/thermal_zone1/temp", "55000\n");
	sensors_open(&files, root);
	sensors_read(&files, 1, &now);
	CHECK(fabs(now.cpu_celsius - 55) < 1e-6);
	clear();
}

TEST(power_is_of_packages_and_survives_the_end_of_the_counter)
{
	start();
	put("sys/class/powercap/intel-rapl:0/name", "package-0\n");
	put("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "200000000\n");
	put("sys/class/powercap/intel-rapl:0/energy_uj", "100000000\n");
	put("sys/class/powercap/intel-rapl:0:0/name", "core\n");
	put("sys/class/powercap/intel-rapl:0:0/energy_uj", "1\n");
	put("sys/class/powercap/intel-rapl:1/name", "psys\n");
	put("sys/class/powercap/intel-rapl:1/energy_uj", "1\n");
	sensors_open(&files, root);
	sensors_read(&files, 1000000000, &now);
	CHECK(isnan(now.cpu_watts));
	put("sys/class/powercap/intel-rapl:0/energy_uj", "165000000\n");
	sensors_read(&files, 2000000000, &now);
	CHECK(fabs(now.cpu_watts - 65) < 1e-6);
	put("sys/class/powercap/intel-rapl:0/energy_uj", "5000000\n");
	sensors_read(&files, 4000000000, &now);
	CHECK(fabs(now.cpu_watts - 20) < 1e-6);
	clear();
}

TEST(throttling_counts_from_the_start_and_once_a_package)
{
	start();
	for (int cpu = 0; cpu < 4; cpu++) {
		char name[96];
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/topology/"
			 "physical_package_id",
			 cpu);
		put(name, "0\n");
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/thermal_throttle/"
			 "package_throttle_count",
			 cpu);
		put(name, "7\n");
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/cpufreq/"
			 "scaling_cur_freq",
			 cpu);
		put(name, cpu % 2 ? "2000000\n" : "4000000\n");
	}
	put("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "5000000\n");
	put("sys/devices/system/cpu/cpufreq/boost", "1\n");
	sensors_open(&files, root);
	sensors_read(&files, 1, &now);
	CHECK(now.throttled == 0 && now.mhz == 3000 && now.most_mhz == 5000);
	for (int cpu = 0; cpu < 4; cpu++) {
		char name[96];
		snprintf(name, sizeof(name),
			 "sys/devices/system/cpu/cpu%d/thermal_throttle/"
			 "package_throttle_count",
			 cpu);
		put(name, "10\n");
	}
	sensors_read(&files, 2, &now);
	CHECK(now.throttled == 3);
	clear();
}

TEST(use_of_processors_and_disks_is_that_of_the_interval)
{
	start();
	put("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n");
	put("proc/diskstats", "7 0 loop0 1 1 1 1 1 1 1 1 0 900 1\n"
			      "259 0 nvme0n1 1 1 1 1 1 1 1 1 0 1000 1 0 0 0 0\n"
			      "8 0 sda 1 1 1 1 1 1 1 1 0 50 1\nnonsense\n");
	sensors_open(&files, root);
	sensors_read(&files, 1000000000, &now);
	CHECK(isnan(now.cpus_percent) && isnan(now.disk_percent));
	put("proc/stat", "cpu  160 0 115 820 5 0 0 0 0 0\ncpu0 1 1 1 1\n");
	put("proc/diskstats", "7 0 loop0 1 1 1 1 1 1 1 1 0 1900 1\n"
			      "259 0 nvme0n1 1 1 1 1 1 1 1 1 0 1250 1 0 0 0 0\n"
			      "8 0 sda 1 1 1 1 1 1 1 1 0 40 1\n");
	sensors_read(&files, 2000000000, &now);
	CHECK(fabs(now.cpus_percent - 75) < 1e-6);
	CHECK(fabs(now.disk_percent - 25) < 1e-6);
	clear();
	rmdir(root);
}

static struct wan_process_event events[64];
static struct wan_process process = {.events = events};
static struct wan_view_source source = {.process = &process, .until_ns = UINT64_MAX};
static const struct wan_view view = {.sources = &source, .source_count = 1};
static struct wan_sensors seen;
static struct wan_sensors_judged judged[WAN_TARGETS];

static void sample(double celsius, double gpu_celsius, unsigned reasons, double cpus, double gpu)
{
	size_t i = process.event_count;
	uint64_t gpu_percent = (uint64_t)(gpu * 100), cpus_percent = (uint64_t)(cpus * 100);
	events[i] = (struct wan_process_event){
		.kind = WAN_RECORD_SAMPLE,
		.time_ns = 1000000 * (i + 1),
		.values = {1, UINT64_MAX, UINT64_MAX, 8000 | 100u << 16 | gpu_percent << 48}};
	events[i + 1] = (struct wan_process_event){
		.kind = WAN_RECORD_SENSORS,
		.time_ns = events[i].time_ns + 1,
		.values = {(uint64_t)(celsius * 10 + 2731) | (uint64_t)(gpu_celsius * 10 + 2731)
								     << 16,
			   UINT64_MAX, (uint64_t)reasons << 32 | UINT32_MAX,
			   UINT32_MAX | (uint64_t)UINT16_MAX << 32 | cpus_percent << 48}};
	process.event_count += 2;
}

static enum wan_target_verdict verdict(enum wan_sensors_target target, const char *tier)
{
	wan_sensors_of(&view, &seen);
	wan_sensors_judge(&seen, tier, judged);
	return judged[target].verdict;
}

TEST(heat_is_judged_at_its_limit)
{
	process.event_count = 0;
	sample(84.9, 82.9, 1 | 4, 50, 50); /* idle, power cap: no heat */
	CHECK_EQ(verdict(WAN_TARGET_CPU_HEAT, NULL), WAN_TARGET_MET);
	CHECK_EQ(verdict(WAN_TARGET_GPU_HEAT, NULL), WAN_TARGET_MET);
	CHECK_EQ(verdict(WAN_TARGET_GPU_THROTTLED, NULL), WAN_TARGET_MET);
	CHECK_EQ(verdict(WAN_TARGET_CPU_THROTTLED, NULL), WAN_TARGET_UNKNOWN);
	sample(85, 83, 0x40, 50, 50);
	CHECK_EQ(verdict(WAN_TARGET_CPU_HEAT, NULL), WAN_TARGET_ABOVE);
	CHECK_EQ(verdict(WAN_TARGET_GPU_HEAT, NULL), WAN_TARGET_ABOVE);
	CHECK_EQ(verdict(WAN_TARGET_GPU_THROTTLED, NULL), WAN_TARGET_ABOVE);
}

TEST(figures_beside_a_limit_keep_the_decimals_that_tell_the_side)
{
	static const struct {
		double value, low, high;
		const char *text;
	} rows[] = {{62.3, NAN, 85, "62"},    {84.6, NAN, 85, "84.6"}, {85, NAN, 85, "85"},
		    {85.04, 70, 85, "85.04"}, {69.8, 70, 85, "69.8"},  {70, 70, 85, "70"},
		    {12.34, NAN, NAN, "12"}};
	for (size_t i = 0; i < WAN_COUNT_OF(rows); i++) {
		char text[32];
		struct wan_sensors_judged one = {
			.value = rows[i].value, .low = rows[i].low, .high = rows[i].high};
		wan_sensors_text(&one, text, sizeof(text));
		CHECK_STR(text, rows[i].text);
	}
}

TEST(use_is_judged_by_every_row_of_the_requirements)
{
	static const struct {
		const char *tier;
		double cpu_low, cpu_high, gpu_low, gpu_high, other;
	} rows[] = {{"high-end", 70, 85, 85, 95, 80},
		    {"mid-range", 75, 90, 80, 90, 85},
		    {"budget", 80, 95, 75, 85, 90},
		    {"minimal", 85, 100, 70, 80, 95}};
	for (size_t i = 0; i < 4; i++) {
		const double cpu[] = {rows[i].cpu_low - 0.1, rows[i].cpu_low, rows[i].cpu_high,
				      rows[i].cpu_high + 0.1};
		const double gpu[] = {rows[i].gpu_low - 0.1, rows[i].gpu_low, rows[i].gpu_high,
				      rows[i].gpu_high + 0.1};
		const enum wan_target_verdict expected[] = {WAN_TARGET_BELOW, WAN_TARGET_MET,
							    WAN_TARGET_MET, WAN_TARGET_ABOVE};
		for (size_t k = 0; k < 4; k++) {
			process.event_count = 0;
			for (unsigned n = 0; n < WAN_SENSORS_LEAST; n++)
				sample(50, 50, 0, cpu[k], gpu[k]);
			CHECK_EQ(verdict(WAN_TARGET_CPU_USE, rows[i].tier), expected[k]);
			CHECK_EQ(verdict(WAN_TARGET_GPU_USE, rows[i].tier), expected[k]);
			CHECK(judged[WAN_TARGET_MEMORY_USE].high == rows[i].other);
			CHECK(judged[WAN_TARGET_DISK_USE].high == rows[i].other);
		}
		/* 80 %: at the limit of high-end, below that of the others */
		CHECK_EQ(verdict(WAN_TARGET_MEMORY_USE, rows[i].tier),
			 i == 0 ? WAN_TARGET_ABOVE : WAN_TARGET_MET);
	}
	CHECK_EQ(verdict(WAN_TARGET_CPU_USE, NULL), WAN_TARGET_UNKNOWN);
	process.event_count = 2;
	CHECK_EQ(verdict(WAN_TARGET_CPU_USE, "high-end"), WAN_TARGET_UNKNOWN);
}

TAP_MAIN
