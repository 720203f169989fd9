"""How long the centre's pages and API take: a province on PostgreSQL, a commune on SQLite."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import percentile
from bench.result import ROOT, Result


@dataclass(frozen=True)
class Size:
    """How much there is, and how often each address is asked."""

    cameras: int
    nodes: int
    units: int
    users: int
    times: int


PROVINCE = Size(5000, 200, 3355, 500, 40)
COMMUNE = Size(250, 5, 40, 60, 40)
SMALL = Size(50, 2, 10, 5, 3)


def pages(province: Size, commune: Size) -> list[Result]:
    """The slowest address of each, by its 95th percentile, one request after the other."""
    from tests.postgresql import start_postgresql

    return [
        _line("a province on PostgreSQL", province, 0.3, {"XOMYEN_CENTRE_DATABASE": start_postgresql()}),
        _line("a commune on SQLite", commune, 0.1, {}),
    ]


def _line(what: str, size: Size, most_s: float, environment: dict[str, str]) -> Result:
    with tempfile.TemporaryDirectory(prefix="xomyen-bench-") as folder:
        times = _times(Path(folder), size, environment)
    slow = {address: percentile(one["passed"], 0.95) for address, one in times.items()}
    slowest = sorted(slow, key=lambda address: slow[address], reverse=True)
    worst = slowest[0]
    holding = sum(value <= most_s for value in slow.values())
    return Result(
        f"pages and API calls of {what}: {size.cameras:,} cameras, {size.nodes} nodes, {size.units:,} units, "
        f"{size.users} users",
        f"p95 of each at most {1000 * most_s:.0f} ms",
        f"{holding} of {len(slow)} addresses; the slowest, {_plain(worst)}: p95 {1000 * slow[worst]:.0f} ms, of which"
        f" the web's processes compute {1000 * times[worst]['processor']:.0f} ms",
        holding == len(slow),
        {
            "p95_ms": {_plain(address): round(1000 * slow[address], 1) for address in slowest},
            "processor_ms": {_plain(address): round(1000 * times[address]["processor"], 1) for address in slowest},
        },
    )


def _plain(address: str) -> str:
    """The address without ids."""
    return "/".join("…" if len(part) == 36 else part for part in address.split("/"))


def _times(folder: Path, size: Size, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    numbers = [size.cameras, size.nodes, size.units, size.users, size.times]
    command = [sys.executable, "-m", "bench.centre_pages", str(folder), *map(str, numbers)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XOMYEN_", "DJANGO_"))}
    done = subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found
