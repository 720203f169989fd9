"""The systemd unit: systemd itself reads it without a word, and finds little that the service may do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "xomyen.service"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    # The program need not be installed where the unit expects it.
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text()))
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystm=strict"))
    assert "ProtectSystm" in analyze("verify", unit).stderr


@pytest.mark.parametrize("weaker", ["", "\nProtectSystem=no\nNoNewPrivileges=no\nSystemCallFilter=\n"])
def test_the_services_exposure_is_small(tmp_path: Path, weaker: str) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("\n[Install]", f"{weaker}\n[Install]"))
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=20", unit)
    assert (done.returncode == 0) == (weaker == ""), done.stdout
