"""An export as the node made it, which tests of verification copy and change."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.numbered_footage import START_NS, Footage

from xomyen.playback.export import Export
from xomyen.proof.keys import PublicKey

NOW_NS = START_NS + 10**12


@dataclass
class Original:
    """The folder of an export, and what it was made of."""

    folder: Path
    footage: Footage
    export: Export

    @property
    def trusted(self) -> list[PublicKey]:
        return [self.footage.key.public]


def clip_of(folder: Path) -> Path:
    return next(folder.glob("*.mp4"))


def record(original: Original) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((original.folder / "manifest.json").read_bytes())["clips"][0]
    return found
