"""The systemd units: systemd itself reads them without a word, and finds little that the services may do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = [DEPLOY / "xomyen.service", DEPLOY / "xomyen-centre.service"]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("shipped", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path, shipped: Path) -> None:
    unit = tmp_path / shipped.name
    # The program need not be installed where the unit expects it.
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", shipped.read_text()))
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystm=strict"))
    assert "ProtectSystm" in analyze("verify", unit).stderr


def allowed(unit: str) -> set[str]:
    """The system calls that a unit's filter lets through: its lines one after the other, as systemd.exec(5) has it."""
    found: set[str] = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.+)$", unit):
        names = set(line.removeprefix("~").split())
        while groups := {name for name in names if name.startswith("@")}:
            told = (analyze("syscall-filter", "--no-pager", group).stdout for group in groups)
            names = (names - groups) | {word for text in told for word in re.findall(r"(?m)^ +(@?[\w-]+)", text)}
        found = found - names if line.startswith("~") else found | names
    return found


def test_the_recorder_may_call_what_its_parts_call() -> None:
    unit = UNITS[0].read_text()
    # The clock's state; decoders give way; files may be many; parts end with their starter.
    assert allowed(unit) >= {"adjtimex", "setpriority", "prlimit64", "prctl"}
    assert "setpriority" not in allowed(unit.replace("SystemCallFilter=setpriority", ""))
    assert not allowed(unit) & {"settimeofday", "mount", "reboot", "ptrace", "setuid", "chroot", "init_module", "bpf"}


@pytest.mark.parametrize("shipped", UNITS, ids=lambda path: path.name)
@pytest.mark.parametrize("weaker", ["", "\nProtectSystem=no\nNoNewPrivileges=no\nSystemCallFilter=\n"])
def test_the_services_exposure_is_small(tmp_path: Path, weaker: str, shipped: Path) -> None:
    unit = tmp_path / shipped.name
    unit.write_text(shipped.read_text().replace("\n[Install]", f"{weaker}\n[Install]"))
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=20", unit)
    assert (done.returncode == 0) == (weaker == ""), done.stdout
