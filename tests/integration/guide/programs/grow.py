# SPDX-License-Identifier: MIT
"""Works in steps, and forgets to let go of what each of them made; --let-go: does not forget."""
import sys
import time

kept = []
for step in range(1, 41):
    made = bytearray(b"x") * (1 << 20)
    if "--let-go" not in sys.argv:
        kept.append(made)
    time.sleep(0.005)
    sys.stderr.write(f"\rframes: {step * 100 // 40:3d}%|####| {step}/40 [00:00<00:00, 9.9it/s]")
sys.stderr.write("\n")
