"""Fuzzes by hand: ``python -m tests.fuzz --seconds 600 [--target NAME] [--seed N]``; PYTHONPATH must hold src.

Input that breaks a parser is written to tests/fuzz/found/, from where the tests replay it for ever.
"""

import argparse
import hashlib
import random
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

FOUND = Path(__file__).with_name("found")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    names = arguments.target or sorted(TARGETS)
    broken = 0
    print(f"seed {arguments.seed}")
    for name in names:
        target, seeds = TARGETS[name], TARGETS[name].seeds()
        chance = random.Random(f"{arguments.seed}-{name}")
        end = time.monotonic() + arguments.seconds / len(names)
        count = 0
        while time.monotonic() < end:
            data = mutated(seeds, chance)
            count += 1
            try:
                target.run(data)
            except Exception:  # noqa: BLE001 - that is what is looked for
                broken += 1
                path = FOUND / f"{name}.{hashlib.sha256(data).hexdigest()[:12]}"
                FOUND.mkdir(exist_ok=True)
                path.write_bytes(data)
                print(f"{path}\n{traceback.format_exc()}")
                break
        print(f"{name}: {count} inputs")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
