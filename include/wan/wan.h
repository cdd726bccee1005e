/* SPDX-License-Identifier: MIT */
/** Everything. */
#ifndef WAN_WAN_H
#define WAN_WAN_H

#include "wan/status.h"
#include "wan/config.h"
#include "wan/image.h"
#include "wan/frame.h"
#include "wan/validate.h"
#include "wan/stack.h"
#include "wan/cache.h"
#include "wan/memory.h"
#include "wan/progress.h"
#include "wan/profile.h"
#include "wan/recording.h"
#include "wan/runtime.h"
#include "wan/leak.h"
#include "wan/clip.h"

#endif
