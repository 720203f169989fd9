"""Results of the bench: collected, printed, kept as JSON and as a table for people."""

import json
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measure import machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
TABLE = ROOT / "docs" / "performance-measured.md"


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    what: str
    must: str
    measured: str
    holds: bool
    details: dict[str, Any] = field(default_factory=dict)


_MACHINE = "Machine: "


def keep(results: list[Result], command: str) -> Path:
    """Writes bench/results/<time>.json, and each result into its line of docs; other lines stay as they are there."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    record = {
        "at": now.isoformat(timespec="seconds"),
        "command": command,
        "commit": commit.strip(),
        "machine": machine(),
        "results": [asdict(r) for r in results],
    }
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    TABLE.write_text(_table(TABLE.read_text() if TABLE.exists() else "", record))
    return path


def _table(before: str, record: dict[str, Any]) -> str:
    """The table as it was, which a clone brings along, with the record's results in their lines."""
    rows: dict[str, str] = {}
    for line in before.splitlines():
        if line.startswith("| ") and not line.startswith(("| what |", "| --- |")):
            rows[line.split(" | ")[0].removeprefix("| ")] = line
    for result in record["results"]:
        rows[result["what"]] = (
            f"| {result['what']} | {result['must']} | {result['measured']} | {'yes' if result['holds'] else '**no**'}"
            f" | {record['at']}, {record['commit']}, `{record['command']}` |"
        )
    machines = [line for line in before.splitlines() if line.startswith(_MACHINE)]
    this = _MACHINE + ", ".join(f"{name} {value}" for name, value in record["machine"].items())
    lines = ["<!-- written by `python -m bench`; do not edit -->", ""]
    lines += ["| what | must | measured | holds | when, commit, command |", "| --- | --- | --- | --- | --- |"]
    lines += [*rows.values(), "", *dict.fromkeys([*machines, this]), ""]
    return "\n".join(lines)
