/* SPDX-License-Identifier: MIT */
#include "cuda_memory.h"

#include "atomics.h"

enum { SLOTS = 1 << 15, WINDOW = 64, SHIFT = 64 - 15 };

/*
 * key is the address; 0: free. detail = bytes | device + 1 << 48 | kind << 56. The detail is stored
 * after the key, but nobody can free the address before the call that allocates it has returned.
 */
static struct {
	uintptr_t key;
	uint64_t detail;
} slots[SLOTS];

static unsigned home(uintptr_t address)
{
	return (unsigned)((uint64_t)address * 0x9e3779b97f4a7c15u >> SHIFT);
}

static uint64_t pack(struct wan_cuda_block block)
{
	uint64_t most = ((uint64_t)1 << 48) - 1;
	return (block.bytes < most ? block.bytes : most) |
	       (uint64_t)((block.device + 1) & 0xff) << 48 | (uint64_t)block.kind << 56;
}

static struct wan_cuda_block unpack(uint64_t detail)
{
	return (struct wan_cuda_block){
		.bytes = detail & (((uint64_t)1 << 48) - 1),
		.device = (int32_t)(detail >> 48 & 0xff) - 1,
		.kind = (uint8_t)(detail >> 56),
		.known = true,
	};
}

bool wan_cuda_memory_insert(uintptr_t address, struct wan_cuda_block block)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		unsigned at = (home(address) + i) % SLOTS;
		uintptr_t none = 0;
		if (wan_load_relaxed(&slots[at].key) ||
		    !wan_cas_acq_rel(&slots[at].key, &none, address))
			continue;
		wan_store_release(&slots[at].detail, pack(block));
		return true;
	}
	return false;
}

struct wan_cuda_block wan_cuda_memory_take(uintptr_t address)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		unsigned at = (home(address) + i) % SLOTS;
		if (wan_load_acquire(&slots[at].key) != address)
			continue;
		struct wan_cuda_block block = unpack(wan_load_acquire(&slots[at].detail));
		uintptr_t expected = address;
		if (wan_cas_acq_rel(&slots[at].key, &expected, 0))
			return block;
	}
	return (struct wan_cuda_block){.known = false};
}

void wan_cuda_memory_clear(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (wan_load_relaxed(&slots[i].key))
			wan_store_relaxed(&slots[i].key, 0);
}

void wan_cuda_memory_drop_device(int device, void (*dropped)(struct wan_cuda_block block))
{
	for (unsigned i = 0; i < SLOTS; i++) {
		uintptr_t key = wan_load_acquire(&slots[i].key);
		if (!key)
			continue;
		struct wan_cuda_block block = unpack(wan_load_acquire(&slots[i].detail));
		if (block.device == device && wan_cas_acq_rel(&slots[i].key, &key, 0))
			dropped(block);
	}
}
