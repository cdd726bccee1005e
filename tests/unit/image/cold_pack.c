/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cold_pack.h"
#include "cpu.h"
#include "tap.h"

enum { MOST = 300, ROOM = 1024 };

struct rows {
	uint8_t row[ROOM], above[ROOM], packed[ROOM], line[ROOM];
	size_t packed_bytes;
};

static uint32_t random_word(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* count samples that differ by less than range from those above. */
static void make(struct rows *rows, size_t count, unsigned range)
{
	memset(rows, 0, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		rows->above[i] = (uint8_t)random_word();
		rows->row[i] = (uint8_t)(rows->above[i] + random_word() % range - range / 2);
	}
	memcpy(rows->line, rows->above, sizeof(rows->line));
	rows->packed_bytes = wan_pack_row(rows->row, rows->above, count, rows->packed);
}

TEST(rows_of_any_length_and_noise_come_back_at_every_level_of_vector_code)
{
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		bool same = true;
		for (size_t count = 1; same && count <= MOST; count++) {
			for (unsigned range = 1; same && range <= 256; range *= 2) {
				struct rows rows;
				make(&rows, count, range);
				size_t taken =
					wan_unpack_row(rows.packed, rows.packed + rows.packed_bytes,
						       rows.line, count);
				same = CHECK_EQ(taken, rows.packed_bytes) &&
				       CHECK_MEM(rows.line, rows.row, count) &&
				       CHECK_MEM(rows.above, rows.row, count) &&
				       CHECK(taken <= wan_pack_bound(count));
			}
		}
	}
	wan_cpu_limit(WAN_CPU_AVX512);
}

TEST(a_row_takes_the_bits_that_its_differences_need)
{
	static const struct {
		unsigned range, bits;
	} cases[] = {{1, 0}, {2, 1}, {4, 2}, {16, 4}, {128, 7}, {256, 8}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rows rows;
		make(&rows, 256, cases[i].range);
		size_t most = 8 + (size_t)256 * cases[i].bits / 8;
		CHECK(rows.packed_bytes <= most && rows.packed_bytes + 16 > most);
	}
}

TEST(a_row_that_is_cut_off_anywhere_is_refused)
{
	struct rows rows;
	make(&rows, 200, 32);
	for (size_t count = 0; count < rows.packed_bytes; count++)
		CHECK_EQ(wan_unpack_row(rows.packed, rows.packed + count, rows.line, 200), 0);
}

/* In a block that ends where it must, so that a sanitizer sees one byte too far. */
TEST(any_bytes_are_taken_or_refused_without_harm)
{
	unsigned taken = 0, refused = 0;
	for (int round = 0; round < 3000; round++) {
		size_t count = 1 + random_word() % MOST, bytes = random_word() % 700;
		uint8_t *in = malloc(bytes + WAN_PACK_SLACK);
		uint8_t *line = calloc(1, wan_pack_line_bytes(count));
		REQUIRE(in && line);
		for (size_t i = 0; i < bytes + WAN_PACK_SLACK; i++)
			in[i] = (uint8_t)random_word();
		wan_cpu_limit(round % 2 ? WAN_CPU_BASE : WAN_CPU_AVX512);
		size_t got = wan_unpack_row(in, in + bytes, line, count);
		CHECK(got <= bytes);
		taken += got > 0;
		refused += got == 0;
		free(in);
		free(line);
	}
	wan_cpu_limit(WAN_CPU_AVX512);
	CHECK(taken > 100 && refused > 100);
}

TAP_MAIN
