/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macros.h"
#include "tap.h"

static char folder[64];

static void enter_empty_folder(void)
{
	strcpy(folder, "/tmp/wan-config-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		abort();
	char config[96];
	snprintf(config, sizeof(config), "%s/xdg", folder);
	mkdir(config, 0700);
	setenv("XDG_CONFIG_HOME", config, 1);
	strcat(config, "/wanrt");
	mkdir(config, 0700);
	unsetenv("WAN_CACHE_LIMIT");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
}

static enum wan_origin origin_of(const enum wan_origin *origins, const char *name)
{
	const struct wan_key_info *info = wan_key_find(name, NULL);
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++)
		if (wan_key_info(i) == info)
			return origins[i];
	return (enum wan_origin) - 1;
}

TEST(environment_beats_project_file_beats_xdg_file_beats_default)
{
	enter_empty_folder();
	struct wan_config config;
	enum wan_origin origins[WAN_CONFIG_KEY_COUNT];
	REQUIRE_EQ(wan_config_load(&config, NULL, origins, NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(origin_of(origins, "cache.limit"), WAN_ORIGIN_DEFAULT);

	write_file("xdg/wanrt/wanrt.conf", "cache.limit = 100M\ncache.entries = 7\n");
	REQUIRE_EQ(wan_config_load(&config, NULL, origins, NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 100 * WAN_MIB);
	CHECK_EQ(origin_of(origins, "cache.limit"), WAN_ORIGIN_XDG_FILE);

	write_file("wanrt.conf", "# project\n[cache]\nlimit = 90M ; not part of the number\n");
	CHECK_EQ(wan_config_load(&config, NULL, origins, NULL), -EBADMSG);
	write_file("wanrt.conf", "# project\r\n[cache]\r\n\tlimit =  90M \r\n");
	REQUIRE_EQ(wan_config_load(&config, NULL, origins, NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 90 * WAN_MIB);
	CHECK_EQ(config.cache_entries, 7);
	CHECK_EQ(origin_of(origins, "cache.limit"), WAN_ORIGIN_PROJECT_FILE);

	setenv("WAN_CACHE_LIMIT", "80M", 1);
	REQUIRE_EQ(wan_config_load(&config, NULL, origins, NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 80 * WAN_MIB);
	CHECK_EQ(origin_of(origins, "cache.limit"), WAN_ORIGIN_ENVIRONMENT);
	CHECK_EQ(origin_of(origins, "cache.entries"), WAN_ORIGIN_XDG_FILE);

	const struct wan_config_sources none = {.ignore_files = true, .ignore_environment = true};
	REQUIRE_EQ(wan_config_load(&config, &none, origins, NULL), 0);
	CHECK_EQ(config.cache_limit_bytes, 256 * WAN_MIB);
}

TEST(an_unknown_key_names_file_line_and_the_nearest_key)
{
	enter_empty_folder();
	struct wan_config config;
	struct wan_error error = {0};
	write_file("wanrt.conf", "\n\ncache.limt = 1M\n");
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -ENOENT);
	CHECK_STR(error.object, "wanrt.conf:3");
	CHECK(strstr(error.hint, "cache.limit") != NULL);
}

TEST(hostile_files_give_an_error_or_nothing)
{
	struct wan_config config;
	struct wan_error error = {0};
	enter_empty_folder();
	CHECK_EQ(mkfifo("wanrt.conf", 0600), 0);
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), 0);
	unlink("wanrt.conf");
	CHECK_EQ(mkdir("wanrt.conf", 0700), 0);
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), 0);
	rmdir("wanrt.conf");

	write_file("wanrt.conf", "cache.limit\n");
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -EBADMSG);
	write_file("wanrt.conf", "[cache\nlimit=1M\n");
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -EBADMSG);
	write_file("wanrt.conf", "[]\n=\n");
	CHECK(wan_config_load(&config, NULL, NULL, &error) < 0);
	write_file("wanrt.conf", "cache.limit = 0\n");
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -ERANGE);
	int fd = open("wanrt.conf", O_WRONLY | O_TRUNC);
	CHECK_EQ(write(fd, "cache.limit = 2M\n\0x", 19), 19);
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -EBADMSG);
	CHECK_EQ(ftruncate(fd, 70000), 0);
	close(fd);
	CHECK_EQ(wan_config_load(&config, NULL, NULL, &error), -EFBIG);
}

TAP_MAIN
