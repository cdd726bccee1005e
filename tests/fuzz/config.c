/* SPDX-License-Identifier: MIT */
/* A configuration file: any text gives a configuration within its ranges, or an error with a
 * reason. */
#include <stdlib.h>
#include <string.h>

#include "config_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	static struct wan_config config;
	enum wan_origin origins[WAN_CONFIG_KEY_COUNT] = {0};
	struct wan_error error = {0};
	wan_config_defaults(&config);
	int r = wan_config_apply_text(&config, text, "fuzz.conf", WAN_ORIGIN_PROJECT_FILE, origins,
				      &error);
	free(text);
	if (r < 0 && (error.code != r || !error.object[0] || !error.reason[0]))
		abort();
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		const struct wan_key_info *key = wan_key_info(i);
		char value[4200];
		wan_config_format(&config, key, value, sizeof(value));
		if (key->type != WAN_KEY_TEXT &&
		    wan_config_set(&config, key->name, value, NULL) < 0)
			abort(); /* what is in force must be acceptable */
	}
	return 0;
}
