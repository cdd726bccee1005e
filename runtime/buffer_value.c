/* SPDX-License-Identifier: MIT */
/* Buffers of the pixel pool for values of the program's own. */
#include <errno.h>
#include <sys/mman.h>

#include "instance.h"
#include "load.h"
#include "log.h"
#include "pool.h"
#include "sys.h"

/* Before the data; keeps them aligned as vector instructions like it. */
struct head {
	size_t mapped;
	uint64_t magic;
	char fill[48];
};

#define MAGIC 0x726566667562574eull
_Static_assert(sizeof(struct head) == 64, "data are aligned");

/* Until it is written to it shows in nobody's usage, and the next who asks would be told that it is
 * free: so its pages are there before the reservation goes back. */
static void make_resident(char *buffer, size_t bytes)
{
	int kept_errno = errno;
	if (wan_sys->madvise(buffer, bytes, MADV_POPULATE_WRITE) != 0)
		for (size_t at = 0; at < bytes; at += 4096)
			*(volatile char *)(buffer + at) = 0;
	errno = kept_errno;
}

int wan_buffer_create(struct wan_runtime *runtime, uint64_t bytes, void **ret_data,
		      struct wan_error *reterr_error)
{
	static const char name[] = "a buffer";
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !ret_data || !bytes || bytes > INT64_MAX / 2)
		return wan_error_set(reterr_error, -EINVAL, name, "",
				     "no runtime, no place for the result, or no size");
	struct wan_load_grant grant;
	uint64_t whole = bytes + sizeof(struct head), charge = wan_buffer_charge(bytes);
	int r = wan_load_grant(runtime, name, whole, charge, &grant, reterr_error);
	struct head *head = NULL;
	size_t mapped = 0;
	if (r == 0) {
		head = wan_pool_get(whole, &mapped);
		if (!head)
			r = wan_error_set(reterr_error, -ENOMEM, name, "", "out of memory");
	}
	if (head && grant.reserved_bytes)
		make_resident((char *)head, mapped);
	wan_load_grant_end(&grant);
	if (r < 0)
		return r;
	head->mapped = mapped;
	head->magic = MAGIC;
	*ret_data = head + 1;
	return 0;
}

void wan_buffer_destroy(void *data)
{
	if (!data)
		return;
	struct head *head = (struct head *)data - 1;
	if (head->magic != MAGIC) {
		wan_log(WAN_LOG_ERROR, "wan_buffer_destroy: this is no buffer, or was given back");
		return;
	}
	head->magic = 0;
	wan_pool_put(head, head->mapped);
}

uint64_t wan_buffer_charge(uint64_t bytes)
{
	return wan_pool_class_bytes(bytes + sizeof(struct head));
}
