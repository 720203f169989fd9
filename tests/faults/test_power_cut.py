"""Simulated power cuts: whatever was acknowledged is there afterwards, byte for byte, and nothing else is claimed."""

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.machine import VOLUME, Machine
from tests.faults.model_disk import ModelDisk, PowerCut
from tests.footage import CAMERA, NODE, OTHER

from xomyen.recording.chains import load_chains
from xomyen.recording.check import check
from xomyen.recording.disk import LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.policy import RecorderSettings
from xomyen.recording.recovery import Recovery, Signer
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_segment
from xomyen.terms.words import SegmentState, StreamName

CUTS = int(os.environ.get("XOMYEN_POWER_CUTS", "400"))


def _run(machine: Machine) -> None:
    """Until the power fails."""
    chance = machine.chance
    for feeder in machine.feeders:
        feeder.open()
    while True:
        what = chance.random()
        if what < 0.6:
            feeder = chance.choice(machine.feeders)
            machine.clock.advance(120_000_000)
            feeder.feed(chance.choice((1, 3, 6, 6, 6)), machine.clock.wall_ns())
        elif what < 0.8:
            machine.write()
        elif what < 0.95:
            machine.writer.sync(1, machine)
        else:
            machine.checkpoint()


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """The index of a thousand cuts need not wear out a disk."""
    root = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    yield root
    shutil.rmtree(root)


def _cut_and_recover(root: Path, seed: int) -> int:
    chance = random.Random(seed)
    (root / "video").mkdir(parents=True)
    (root / "video" / "xomyen-volume.json").write_text(f'{{"version":1,"volume":"{VOLUME}"}}')
    disk = ModelDisk(chance, cut_at=chance.randrange(2, 160))
    disk.folders.update((str(root), str(root / "video")))
    disk.sync_volume(1)
    settings = RecorderSettings(segment_seconds=2.0, checkpoint_seconds=0.8)
    machine = Machine(root, chance, disk, settings)
    with pytest.raises(PowerCut):
        _run(machine)
    machine.index.close()
    promised = _segments(root)
    disk.after_the_cut(root / "video")

    index = Index(str(root / "index.sqlite"))
    index.open()
    signer = Signer(NODE, machine.key, machine.clock)
    recovery = Recovery(index, LocalDisk(), signer, load_chains(index), _quiet, same_boot=False)
    report = recovery.run(VOLUME, machine.path)
    index.close()
    assert not report.short
    assert not report.missing

    found = _segments(root)
    for segment in promised.values():
        after = found[segment.id]
        assert after.state is not SegmentState.OPEN
        assert after.bytes >= segment.bytes
        assert after.frames >= segment.frames
    for segment in found.values():
        file = read_segment(segment.path)
        content = Path(segment.path).read_bytes()
        bytes_kept = file.header_bytes + b"".join(content[f.offset : f.offset + f.size] for f in file.fragments)
        assert machine.given[segment.id].startswith(bytes_kept)
    with IndexReader(root / "index.sqlite") as reader:
        result = check(reader, machine.key.public, hashes=True)
    assert result.findings == []
    return len(promised)


def _segments(root: Path) -> dict[str, Segment]:
    with IndexReader(root / "index.sqlite") as reader:
        return {s.id: s for camera in (CAMERA, OTHER) for s in reader.all_segments(camera, StreamName.MAIN)}


def _quiet(what: str, done: int, total: int) -> None: ...


@pytest.mark.parametrize("tenth", range(10))
def test_nothing_acknowledged_is_lost_when_the_power_fails(memory: Path, tenth: int) -> None:
    promised = 0
    for seed in range(tenth * CUTS // 10, (tenth + 1) * CUTS // 10):
        root = memory / str(seed)
        root.mkdir()
        try:
            promised += _cut_and_recover(root, seed)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        shutil.rmtree(root)
    assert promised > 0


def test_the_model_itself_loses_what_was_not_synced() -> None:
    lost = 0
    for seed in range(50):
        chance = random.Random(seed)
        disk = ModelDisk(chance)
        disk.folders.add("/v")
        disk.sync_volume(1)
        number = disk.create("/v/a")
        disk.writev(number, [bytes([7]) * 4096])
        lost += disk._survivor(disk.files["/v/a"]) != bytes([7]) * 4096
        disk.sync_file(number)
        assert disk._survivor(disk.files["/v/a"]) == bytes([7]) * 4096
    assert 10 < lost < 50
