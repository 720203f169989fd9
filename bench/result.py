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


def keep(results: list[Result], command: str) -> Path:
    """Writes bench/results/<time>.json, the newest result of every line into docs."""
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
    TABLE.write_text(_table())
    return path


def _table() -> str:
    """The newest result of each line, over all files in bench/results."""
    newest: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        record = json.loads(path.read_text())
        for result in record["results"]:
            newest[result["what"]] = (record, result)
    lines = ["<!-- written by `python -m bench`; do not edit -->", ""]
    lines += ["| what | must | measured | holds | when, commit, command |", "| --- | --- | --- | --- | --- |"]
    for record, result in newest.values():
        lines.append(
            f"| {result['what']} | {result['must']} | {result['measured']} | {'yes' if result['holds'] else '**no**'}"
            f" | {record['at']}, {record['commit']}, `{record['command']}` |"
        )
    about = sorted({json.dumps(record["machine"], ensure_ascii=False) for record, _ in newest.values()})
    lines += ["", "Machine: " + "; ".join(", ".join(f"{k} {v}" for k, v in json.loads(a).items()) for a in about), ""]
    return "\n".join(lines)
