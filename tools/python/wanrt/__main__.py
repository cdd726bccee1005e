# SPDX-License-Identifier: MIT
"""python3 -m wanrt: version, and what works on this machine."""
import signal
import sys

import wanrt
from wanrt import _core
from wanrt._core import _wanrt


def version_of(name, attribute="__version__"):
    try:
        module = __import__(name)
    except ImportError:
        return None
    return getattr(module, attribute, "installed")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that has seen enough
    print(f"wanrt {wanrt.__version__}, Python {sys.version.split()[0]}")
    if _wanrt is None:
        from wanrt import _slot
        kept = type(_slot._driver).__name__ if _slot._driver else None
        print(f"  extension  absent ({_core.reason}): no images")
        print("  progress   " + {"_Share": "plain Python, recorded by wanprof run",
                                 "_Library": "plain Python, recorded by libwanrt.so",
                                 None: "not recorded"}[kept])
        return 0
    print(f"  extension  {_wanrt.__file__}")
    pillow, numpy = version_of("PIL"), version_of("numpy")
    print("  Pillow     " + (f"{pillow}: Image.to_pil()" if pillow else
                             "absent: no Image.to_pil(); all else works"))
    print("  numpy      " + (f"{numpy}: numpy.asarray(image)" if numpy else
                             "absent: memoryview(image) shows the same bytes"))
    stats = wanrt.stats()
    cache = stats["cache"]
    print(f"  cache      at most {cache['limit_bytes'] // 1048576} MB, "
          f"{cache['entry_limit']} entries")
    print(f"  recording  {stats['recording'] or 'off'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
