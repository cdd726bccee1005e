# SPDX-License-Identifier: MIT
"""A generation as programs of others print it: a start image, a bar of steps, frames written.

The step of the number in STUCK never ends; at that in DIES somebody kills it."""
import os
import signal
import sys
import threading
import time

from PIL import Image

TOTAL = int(os.environ.get("STEPS", "12"))


def bar(done, began):
    rate = done / max(time.monotonic() - began, 1e-6)
    sys.stderr.write(f"\rsampling: {100 * done // TOTAL:3d}%|{'#' * (20 * done // TOTAL):20s}| "
                     f"{done}/{TOTAL} [00:00<00:00, {rate:5.2f}step/s]")
    sys.stderr.flush()


start = Image.open("start.jpg").resize((208, 120))
began = time.monotonic()
for step in range(TOTAL + 1):
    bar(step, began)
    if str(step) == os.environ.get("DIES"):
        os.kill(os.getpid(), signal.SIGKILL)
    if str(step) == os.environ.get("STUCK"):
        threading.Event().wait()
    time.sleep(float(os.environ.get("STEP_S", "0.02")))
sys.stderr.write("\n")
start.save("frame.png")
