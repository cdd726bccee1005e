/* SPDX-License-Identifier: MIT */
/*
 * Texts of the recording, each stored once. A private table finds the id of a text that is there;
 * two threads that bring the same text at the same moment agree on the id of the first.
 */
#include "recorder.h"

#include "hash.h"

#define MOST_BYTES 1023
/* The last part is kept for short names without a slash: thousands of file names must not leave
 * operations without theirs. */
#define KEPT_BYTES  16384
#define SHORT_BYTES 64
#define MOST_PROBES 128

static struct wan_record_string *string_at(struct wan_recorder *recorder, uint32_t id)
{
	char *first = recorder->map + WAN_RECORD_STRINGS_AT;
	return (struct wan_record_string *)(first + ((size_t)id - 1) * 4);
}

static bool is_text(struct wan_recorder *recorder, uint32_t id, const char *text, size_t bytes)
{
	struct wan_record_string *string = string_at(recorder, id);
	return wan_load_acquire(&string->bytes) == bytes && memcmp(string->text, text, bytes) == 0;
}

/* Id of the new text, 0 when there is no room. */
static uint32_t store(struct wan_recorder *recorder, const char *text, size_t bytes)
{
	bool is_long = bytes > SHORT_BYTES || memchr(text, '/', bytes);
	uint64_t most = WAN_RECORD_STRINGS_BYTES - (is_long ? KEPT_BYTES : 0);
	uint64_t need = (sizeof(uint16_t) + bytes + 3) / 4 * 4;
	uint64_t at = wan_load_relaxed(&recorder->header->strings_used);
	do {
		if (at > most || need > most - at)
			return 0;
	} while (!wan_cas_acq_rel(&recorder->header->strings_used, &at, at + need));
	uint32_t id = (uint32_t)(at / 4) + 1;
	struct wan_record_string *string = string_at(recorder, id);
	memcpy(string->text, text, bytes);
	wan_store_release(&string->bytes, (uint16_t)bytes); /* the text is whole now */
	return id;
}

uint16_t wan_recorder_string(struct wan_recorder *recorder, const char *text)
{
	if (!recorder || !text || !text[0])
		return 0;
	uint32_t state = wan_load_acquire(&recorder->state);
	if (state != WAN_RECORDER_READY && state != WAN_RECORDER_FORKED)
		return 0;
	size_t bytes = strnlen(text, MOST_BYTES + 1);
	if (bytes > MOST_BYTES)
		for (bytes = MOST_BYTES; bytes && (text[bytes] & 0xc0) == 0x80;)
			bytes--; /* whole characters only */
	uint32_t slot = (uint32_t)wan_hash64(text, bytes, 0) % WAN_RECORD_STRING_HASH;
	uint16_t fresh = 0;
	for (unsigned probe = 0; probe < MOST_PROBES;) {
		uint16_t *at = &recorder->string_ids[(slot + probe) % WAN_RECORD_STRING_HASH];
		/* pairs with the exchange below: the string of an id is whole */
		uint16_t id = wan_load_acquire(at);
		if (!id) {
			if (!fresh)
				fresh = (uint16_t)store(recorder, text, bytes);
			if (!fresh)
				return 0;
			if (wan_cas_acq_rel(at, &id, fresh))
				return fresh;
		}
		if (is_text(recorder, id, text, bytes))
			return id;
		probe++;
	}
	return fresh;
}
