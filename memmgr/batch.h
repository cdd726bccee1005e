/* SPDX-License-Identifier: MIT */
/* How a batch size moves. Pure; the handles around it are in batch.c too. */
#ifndef WAN_MEMMGR_BATCH_H
#define WAN_MEMMGR_BATCH_H

#include <stdbool.h>
#include <stdint.h>

struct wan_batch_rule {
	uint32_t minimum, maximum;
	uint32_t size;   /* advised now */
	uint32_t failed; /* smallest size known to fail; 0: none */
	uint32_t good;   /* largest size that went well since; 0: none */
	uint32_t clean;  /* successes in a row since the size last changed */
	bool gpu_halved; /* and nothing was tried since */
	bool shrunk;     /* the same */
};

enum {
	WAN_BATCH_CLEAN_TO_GROW = 5, /* successes before a step up */
	WAN_BATCH_CLEAN_TO_FORGET =
		50, /* successes just below a failing size before it is retried */
};

/* size x factor, at least minimum; 0 means the minimum. */
void wan_batch_rule_scale(struct wan_batch_rule *rule, double factor);
/* So many items less, at least minimum; again only after something was tried at that size. */
void wan_batch_rule_shrink(struct wan_batch_rule *rule, uint32_t items);
/* items did not fit: remember, halve; a probe above a good size only goes back to that one. */
void wan_batch_rule_failed(struct wan_batch_rule *rule, uint32_t items);
/* items went well; calm: memory allows to grow. */
void wan_batch_rule_clean(struct wan_batch_rule *rule, uint32_t items, bool calm);
/* GPU above its threshold: halve once, and again only after something was tried at that size. */
void wan_batch_rule_gpu(struct wan_batch_rule *rule, double used_pct, double threshold_pct);

#endif
