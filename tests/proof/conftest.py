"""An export that the tests of verification share."""

import shutil
from pathlib import Path

import pytest
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode
from tests.proof_original import NOW_NS, Original

from xomyen.playback.clip import plan_clips
from xomyen.playback.export import Export, ExportOrder, write_export


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder = tmp_path_factory.mktemp("proof")
    footage = Footage(folder / "video")
    footage.record(*encode(150), checkpoint_after=2)
    order = ExportOrder(
        footage.node, footage.camera, "Cổng chợ", footage.stream, START_NS + 10 * FRAME_NS, START_NS + 140 * FRAME_NS
    )
    export = Export(order, tuple(plan_clips(footage.segments, order.from_ns, order.to_ns)), ())
    write_export(export, footage.key, folder / "export", NOW_NS)
    return Original(folder / "export", footage, export)


@pytest.fixture
def copy(original: Original, tmp_path: Path) -> Path:
    shutil.copytree(original.folder, tmp_path / "copy")
    return tmp_path / "copy"
