# SPDX-License-Identifier: MIT
import wanrt
with wanrt.phase("decode"):
    start = wanrt.load("start.jpg")
for step in wanrt.track(range(20), desc="sampling"):
    pass
