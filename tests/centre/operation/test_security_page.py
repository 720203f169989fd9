"""docs/security.md and docs/asvs.md name tests: each of them exists. The second leaves no requirement out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("security.md", "asvs.md")}
NAMED = sorted({found for page in PAGES.values() for found in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)})
# Sections of OWASP ASVS 5.0.0 and how many requirements of levels 1 and 2 each has; they are numbered from 1 on.
SECTIONS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 "
    "4.2:1 4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 "
    "7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 "
    "10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 "
    "13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 "
    "16.5:3 17.1:1 17.2:4 17.3:2"
)
REQUIREMENTS = [
    f"{section}.{number + 1}"
    for section, count in (one.split(":") for one in SECTIONS.split())
    for number in range(int(count))
]
ROW = re.compile(
    r"^\| ([\d.]+)(?:–([\d.]+))? \| (?:1|2|1–2) \| (met|\*\*partly\*\*|\*\*missing\*\*|n/a) \| (.+?) \| (.+?) \|$", re.M
)


def test_the_pages_name_tests() -> None:
    assert len(NAMED) > 100


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_the_tests_that_the_pages_name_exist(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for name in (name for named, name in NAMED if named == file):
        assert re.search(rf"^(async )?def {name}\(" if name else r"^(async )?def test_", text, re.M), f"{file}::{name}"


def test_every_requirement_of_the_standard_is_answered_once() -> None:
    def place(requirement: str) -> tuple[int, ...]:
        return tuple(map(int, requirement.split(".")))

    answered: list[str] = []
    states: list[str] = []
    for first, last, state, _how, _tests in ROW.findall(PAGES["asvs.md"]):
        within = [one for one in REQUIREMENTS if place(first) <= place(one) <= place(last or first)]
        assert within, first
        answered += within
        states += [state.strip("*")] * len(within)
    assert answered == REQUIREMENTS
    counts = {state: states.count(state) for state in ("met", "partly", "n/a", "missing")}
    told = re.search(r"Of (\d+) requirements (\d+) are met, (\d+) partly, (\d+) do not apply, (\d+)", PAGES["asvs.md"])
    assert told is not None
    assert tuple(map(int, told.groups())) == (len(REQUIREMENTS), *counts.values())
