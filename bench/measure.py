"""What processes use: CPU time and memory of whole process trees, and the machine they ran on."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU time used so far and memory used now, of processes and all their children."""

    cpu_s: float
    pss_bytes: int
    processes: int
    at: float

    def since(self, earlier: "Usage") -> float:
        """CPU share between two measurements; 1 = one core."""
        return (self.cpu_s - earlier.cpu_s) / (self.at - earlier.at)


def usage(pids: list[int], memory: bool = True) -> Usage:
    """Of these processes and their children, those that ended meanwhile left out."""
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            found[one.pid] = one
    cpu, pss = 0.0, 0
    for process in found.values():
        times = process.cpu_times()
        cpu += times.user + times.system
        if memory:
            pss += pss_bytes(process.pid)
    return Usage(cpu, pss, len(found), time.monotonic())


def pss_bytes(pid: int) -> int:
    """Proportional set size: shared pages are divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def machine() -> dict[str, str]:
    """What the figures belong to."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory_gib": f"{psutil.virtual_memory().total / (1 << 30):.0f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
