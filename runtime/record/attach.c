/* SPDX-License-Identifier: MIT */
#include "attach.h"

#include <dlfcn.h>

#include "recorder.h"

const struct wan_record_share *wan_record_share_find(void)
{
	const struct wan_record_share *share = dlsym(RTLD_DEFAULT, WAN_RECORD_SHARE_SYMBOL);
	if (!share || share->version != WAN_RECORD_SHARE_VERSION ||
	    share->recorder_bytes != sizeof(struct wan_recorder))
		return NULL;
	return share;
}
