"""``python -m bench [LINE...] [--short]``: measures the claims of speed, each with its peer in the same run.

Lines: see LINES. `--short` takes small numbers, to try the harness; its figures prove nothing and are not kept.
"""

import argparse
import sys
import traceback
from collections.abc import Callable

from bench import applying, browser, centre, clip, recording, safety, timelines
from bench.processes import many_files
from bench.result import Result, keep

# name: (full size, small size)
LINES: dict[str, tuple[Callable[[], list[Result]], Callable[[], list[Result]]]] = {
    "cpu-60": (lambda: recording.processor(60, 40), lambda: recording.processor(10, 5)),
    "cpu-200": (lambda: recording.processor(200, 40), lambda: recording.processor(20, 5)),
    "all-at-once": (lambda: recording.all_at_once(250, 60), lambda: recording.all_at_once(50, 8)),
    "memory": (lambda: recording.memory(1, 101, 30), lambda: recording.memory(1, 21, 6)),
    "stalled-disk": (lambda: recording.stalled_disk(50, 40), lambda: recording.stalled_disk(8, 12, 4)),
    "clip": (lambda: clip.ten_minutes(600), lambda: clip.ten_minutes(60)),
    "live": (lambda: browser.live(60), lambda: browser.live(8, 12)),
    "seek": (lambda: browser.seek(100, 120), lambda: browser.seek(8, 30)),
    "kill": (safety.kills, safety.kills),
    "power-cut": (safety.power_cuts, safety.power_cuts),
    "disk-faults": (safety.disk_faults, safety.disk_faults),
    "centre": (
        lambda: centre.pages(centre.PROVINCE, centre.COMMUNE),
        lambda: centre.pages(centre.SMALL, centre.SMALL),
    ),
    "apply": (lambda: applying.saves(25, 50), lambda: applying.saves(2, 3)),
    "timeline": (lambda: timelines.timelines(30, 25), lambda: timelines.timelines(2, 3)),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("lines", nargs="*", help=", ".join(LINES))
    parser.add_argument("--short", action="store_true")
    arguments = parser.parse_args()
    unknown = set(arguments.lines) - set(LINES)
    if unknown:
        parser.error(f"no such line: {', '.join(sorted(unknown))}")
    many_files()
    results: list[Result] = []
    failed: list[str] = []
    for name in arguments.lines or LINES:
        print(f"… {name}", flush=True)
        try:
            found = LINES[name][int(arguments.short)]()
        except Exception:  # noqa: BLE001 - the other lines are still to be measured
            traceback.print_exc()
            failed.append(name)
            continue
        for result in found:
            print(f"{'ok  ' if result.holds else 'MISS'} {result.what}: {result.measured}", flush=True)
        results += found
    if not arguments.short:
        print(keep(results, " ".join(["python", "-m", "bench", *sys.argv[1:]])))
    if failed:
        print(f"not measured: {', '.join(failed)}")
    return 0 if not failed and all(r.holds for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
