"""The list of components names what the locks name, with hashes."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_locked_component_is_listed_with_its_hashes_and_tools_are_not() -> None:
    done = subprocess.run([ROOT / "scripts/make-sbom"], capture_output=True, text=True, timeout=100, check=True)
    made = json.loads(done.stdout)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["purl"] for one in made["components"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==([^ ]+)", lock, re.M)
    assert len(locked) > 50
    assert {f"pkg:pypi/{name.replace('_', '-').replace('.', '-')}@{version}" for name, version in locked} <= listed
    package = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    for name, version in package["dependencies"].items():
        assert f"pkg:npm/{name.replace('@', '%40')}@{version}" in listed
    assert not any("pkg:npm/vite@" in purl for purl in listed)
    for one in made["components"]:
        assert one.get("hashes") or one["externalReferences"][0]["hashes"], one["name"]
