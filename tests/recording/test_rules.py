"""The document names a test for each of the recorder's rules, and these tests exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_rule_has_tests_that_exist() -> None:
    table = (ROOT / "docs" / "recording.md").read_text("utf-8").partition("## Rules and their tests")[2]
    rows = re.findall(r"^\| (\d+) [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 33))
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def test_(\w+)", file.read_text("utf-8"))
    }
    for number, tests in rows:
        named = re.findall(r"`(\w+)`", tests)
        assert named
        assert set(named) <= known, f"rule {number}: {sorted(set(named) - known)}"
