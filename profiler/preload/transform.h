/* SPDX-License-Identifier: MIT */
/*
 * A lossless JPEG transform has two codec objects and is one operation: the reading one carries it,
 * the writing one adds the time of its calls.
 */
#ifndef WAN_PRELOAD_TRANSFORM_H
#define WAN_PRELOAD_TRANSFORM_H

#include "object_state.h"

/* Finds the transform open on this thread. False: there is none. */
bool wan_transform_join(struct wan_object *writer);
/* Hands the time of the writer's calls so far to the reader, while its operation lasts. */
void wan_transform_give(struct wan_object *writer);

#endif
