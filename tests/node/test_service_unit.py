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


@pytest.mark.parametrize("shipped", UNITS, ids=lambda path: path.name)
@pytest.mark.parametrize("weaker", ["", "\nProtectSystem=no\nNoNewPrivileges=no\nSystemCallFilter=\n"])
def test_the_services_exposure_is_small(tmp_path: Path, weaker: str, shipped: Path) -> None:
    unit = tmp_path / shipped.name
    unit.write_text(shipped.read_text().replace("\n[Install]", f"{weaker}\n[Install]"))
    done = analyze("security", "--offline=true", "--no-pager", "--threshold=20", unit)
    assert (done.returncode == 0) == (weaker == ""), done.stdout
