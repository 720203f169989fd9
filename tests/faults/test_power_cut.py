"""Simulated power cuts: whatever was acknowledged is there afterwards, byte for byte, and nothing else is claimed."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.model_disk import ModelDisk, PowerCut
from tests.footage import CAMERA, NODE, OTHER, Feeder, footage

from xomyen.proof.keys import SigningKey
from xomyen.recording.chains import load_chains
from xomyen.recording.check import check
from xomyen.recording.coverage import Coverage
from xomyen.recording.disk import LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.jobs import CheckpointJob, FragmentJob, Job
from xomyen.recording.open_segment import OpenSegment, StreamChain
from xomyen.recording.policy import RecorderSettings, StreamPolicy
from xomyen.recording.recovery import Recovery, Signer
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_segment
from xomyen.recording.sink import RecordingSink
from xomyen.recording.volume_writer import VolumeWriter
from xomyen.terms.time import ManualClock
from xomyen.terms.words import ClockState, SegmentState, StreamName

VOLUME = "01890000-0000-7000-8000-00000000aaaa"
CUTS = int(os.environ.get("XOMYEN_POWER_CUTS", "400"))


class Machine:
    """The recorder's parts without threads, so that one random number generator decides what happens when."""

    node = NODE
    paused = ""
    backlog = 0
    clock_state = ClockState.SYNCHRONISED

    def __init__(self, root: Path, chance: random.Random, cut_at: int) -> None:
        self.id = VOLUME
        self.path = str(root / "video")
        self.clock = ManualClock()
        self.settings = RecorderSettings(segment_seconds=2.0, checkpoint_seconds=0.8)
        self.chance = chance
        self.disk = ModelDisk(chance, cut_at)
        self.disk.folders.update((str(root), self.path))
        self.disk.sync_volume(1)
        self.key = SigningKey.generate()
        self.index = Index(str(root / "index.sqlite"))
        self.index.open()
        with self.index.transaction():
            self.index.put_volume(VOLUME, self.path, 0)
        self.writer = VolumeWriter(
            self.disk, self.key, self.clock, on_trouble=_never, on_abandoned=_never, on_fatal=_never
        )
        self.jobs: list[Job] = []
        self.given: dict[str, bytearray] = {}  # segment id: header and fragments as handed to the writer
        self.seals: set[str] = set()
        chains = [StreamChain(), StreamChain()]
        self.sinks = [
            RecordingSink(
                camera,
                StreamName.MAIN,
                StreamPolicy(),
                self,
                Coverage(camera, StreamName.MAIN, self.clock, lambda work: None, lambda event: None, recorded=True),
                chain,
            )
            for camera, chain in zip((CAMERA, OTHER), chains, strict=True)
        ]
        self.feeders = [Feeder(self.sinks[0], footage(gop=10)), Feeder(self.sinks[1], footage(b_frames=2, gop=25))]

    # What a sink sees of its host and its volume.
    def choose_volume(self, policy: StreamPolicy) -> "Machine":
        return self

    def check_clock(self) -> None: ...

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        if isinstance(job, FragmentJob):
            segment: OpenSegment = job.segment
            content = self.given.setdefault(segment.note.segment, bytearray(segment.header))
            content += b"".join(job.parts)

    def commit(self, work: Callable[[Index], None]) -> None:
        with self.index.transaction():
            work(self.index)

    def run(self) -> None:
        """Until the power fails."""
        for feeder in self.feeders:
            feeder.open()
        while True:
            what = self.chance.random()
            if what < 0.6:
                feeder = self.chance.choice(self.feeders)
                self.clock.advance(120_000_000)
                feeder.feed(self.chance.choice((1, 3, 6, 6, 6)), self.clock.wall_ns())
            elif what < 0.8:
                jobs, self.jobs = self.jobs, []
                self.writer.process(jobs)
            elif what < 0.95:
                self.writer.sync(1, self)
            else:
                sink = self.chance.choice(self.sinks)
                if found := sink.checkpoint_segment():
                    self.submit(CheckpointJob(found[1], None))


def _never(*what: object) -> None:
    raise AssertionError(what)


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
    machine = Machine(root, chance, cut_at=chance.randrange(2, 160))
    with pytest.raises(PowerCut):
        machine.run()
    machine.index.close()
    promised = _segments(root)
    machine.disk.after_the_cut(root / "video")

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
