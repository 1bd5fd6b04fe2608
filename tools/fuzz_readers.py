"""Damage every format again and again: each input has to end in a correct read or in the package's own error.

python tools/fuzz_readers.py [INPUTS] [SEED]    default 100,000 inputs over all formats; 1 if any ends otherwise

Memory is limited to 4 GB and each input to 20 seconds, so that a hang or a huge allocation is a failure too.
"""

from __future__ import annotations

import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from formats import FORMATS, attempt


def main(inputs: int, seed: int) -> int:
    """Run the inputs, print what came of them, return 1 if any ended in something else."""
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError("20 s")))
    names, counts, bad, started = list(FORMATS), Counter(), [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(inputs):
            name = names[number % len(names)]
            signal.alarm(20)
            try:
                counts[name, attempt(name, Path(folder), seed + number) == "read"] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                bad.append((name, seed + number, repr(error)[:300], traceback.format_exc().splitlines()[-3:]))
            signal.alarm(0)
            if len(bad) >= 20:
                break
    for name in names:
        print(f"{name:<20} read {counts[name, True]:>6,}   refused {counts[name, False]:>6,}")
    print(f"{number + 1:,} inputs in {time.monotonic() - started:.0f} s, {len(bad)} ended in something else")
    for one in bad:
        print(*one, sep="\n  ")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
