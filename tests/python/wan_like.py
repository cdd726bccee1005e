# SPDX-License-Identifier: MIT
"""What a WAN generation looks like, in seconds instead of minutes: phases, a loop of steps with a
warm-up and a swap of models, a decode by tiles, a file. Argument: steps (8)."""
import os
import sys
import tempfile
import time

import wanrt

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
SWAP_AT = STEPS // 2


@wanrt.profile("text_encode")
def encode(prompt):
    time.sleep(0.01)
    return len(prompt)


@wanrt.profile
def denoise(latent, step):
    if step == SWAP_AT:
        wanrt.one_off(30)  # the other model comes to the device: once, and that may take so long
        time.sleep(0.02)
    time.sleep(0.003)
    return latent + 1


def main():
    with wanrt.phase("load"):
        for shard in wanrt.track(range(3), desc="shards", unit="shard", leave=False):
            time.sleep(0.005)
    with wanrt.phase("encode"):
        latent = encode("a lake in the morning")
    with wanrt.phase("sampling"):
        with wanrt.track(range(STEPS), desc="sampling", unit="step") as bar:
            for step in bar:
                latent = denoise(latent, step)
                wanrt.device_done(step)
                bar.set_postfix(latent=latent)
    with wanrt.phase("decode"):
        for tile in wanrt.track(range(4), desc="tiles", unit="tile"):
            time.sleep(0.002)
    with wanrt.phase("save"), tempfile.TemporaryFile() as file:
        file.write(bytes(1000))
    print(f"done: {latent}, process {os.getpid()}")


if __name__ == "__main__":
    main()
