"""Faults of the disk in any order: every moment is in a file that verifies, or in a gap that says why not."""

import contextlib
import errno
import os
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.faults.faulty_disk import feeders
from tests.faults.machine import VOLUME, Machine
from tests.footage import CAMERA, OTHER
from tests.recorders import make_recorder

from xomyen.recording.check import check
from xomyen.recording.disk import LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.jobs import RetryJob
from xomyen.recording.open_segment import OpenSegment
from xomyen.recording.policy import RecorderSettings
from xomyen.recording.volume_writer import OF_THE_VOLUME
from xomyen.terms.buffers import Bytes
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import StreamName

RUNS = int(os.environ.get("XOMYEN_DISK_FAULTS", "60"))
STEP_NS = NS_PER_SECOND // 5


class AnyFault(LocalDisk):
    """Takes some bytes of a write or none, has no room, loses what it was given: by lot, while `faulty`."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self.faulty = 0.0  # how likely a call fails
        self.full = False
        self._bad: set[int] = set()  # descriptors of files that take nothing more
        self.lost: set[int] = set()  # of files whose bytes are lost; told once, by their sync
        self.in_use: set[int] = set()

    def heal(self) -> None:
        self.faulty, self.full = 0.0, False
        self._bad.clear()

    def _fails(self) -> bool:
        return self._chance.random() < self.faulty

    def create(self, path: str) -> int:
        if self.full or self._fails():
            raise OSError(errno.ENOSPC if self.full else errno.EIO, "it cannot be made")
        return self._used(super().create(path))

    def _used(self, descriptor: int) -> int:
        self.in_use.add(descriptor)
        return descriptor

    def open(self, path: str) -> int:
        if self._fails():
            raise OSError(errno.EIO, "Input/output error")
        return self._used(super().open(path))

    def close(self, descriptor: int) -> None:
        self._bad.discard(descriptor)
        self.lost.discard(descriptor)
        self.in_use.remove(descriptor)
        super().close(descriptor)

    def writev(self, descriptor: int, parts: Sequence[Bytes]) -> int:
        if descriptor in self._bad:
            raise OSError(errno.EIO, "Input/output error")
        if self.full or self._fails():
            data = b"".join(parts)
            taken = super().writev(descriptor, [data[: self._chance.randrange(len(data))]])
            what = "full" if self.full else self._chance.choice(("bad", "lost", "short"))
            if what == "bad":
                self._bad.add(descriptor)
            elif what == "lost":
                self.lost.add(descriptor)
                return taken
            elif what == "short":
                return taken
            raise OSError(errno.ENOSPC if self.full else errno.EIO, what)
        return super().writev(descriptor, parts)

    def truncate(self, descriptor: int, size: int) -> None:
        if descriptor in self._bad and self._fails():
            raise OSError(errno.EIO, "Input/output error")
        super().truncate(descriptor, size)

    def sync_volume(self, descriptor: int) -> None:
        if self.lost or self._fails():
            raise OSError(errno.EIO, "Input/output error")

    def sync_file(self, descriptor: int) -> None:
        if descriptor in self.lost or descriptor in self._bad:
            self.lost.discard(descriptor)
            raise OSError(errno.EIO, "Input/output error")

    def sync_folder(self, path: str) -> None: ...


class Killed(BaseException):
    """Not an Exception, so that no code under test can go on."""


class Faulty(Machine):
    """Its volume pauses and resumes as `Volume` says, and its coverage is put on record."""

    disk: AnyFault

    def __init__(self, root: Path, chance: random.Random, disk: AnyFault, settings: RecorderSettings) -> None:
        self.kill_in: int | None = None  # commits of syncs
        self.lost_a_seal = False  # in the run that is killed within a sync
        self._syncing = False
        super().__init__(root, chance, disk, settings)
        for feeder in self.feeders:
            feeder.open()

    def commit(self, work: Callable[[Index], None]) -> None:
        super().commit(work)
        if self._syncing and self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in <= 0:
                raise Killed

    def post(self, work: Callable[[Index], None]) -> None:
        super().commit(work)

    def sync(self) -> None:
        self._syncing = True
        self.writer.sync(1, self)
        self._syncing = False

    def on_trouble(self, segment: OpenSegment, error: OSError) -> None:
        if error.errno in OF_THE_VOLUME:
            self.paused = "full"

    def on_abandoned(self, segment: OpenSegment, error: OSError) -> None:
        self.lost_a_seal |= self.kill_in is not None and segment.final is not None

    def play(self) -> None:
        """A fifth of a second of both cameras."""
        self.clock.advance(STEP_NS)
        for feeder in self.feeders:
            feeder.feed(5, self.clock.wall_ns())

    def retry(self) -> None:
        self.submit(RetryJob(resume=bool(self.paused)))
        self.write()
        if not self.writer.unsealed and not self.disk.full:
            self.paused = ""

    def run(self) -> None:
        """Some 20 s in which everything happens that can."""
        for _ in range(200):
            what = self.chance.random()
            if what < 0.6:
                self.play()
            elif what < 0.75:
                self.write()
            elif what < 0.85:
                self.sync()
            elif what < 0.9:
                self.checkpoint()
            elif what < 0.95:
                self.retry()
            else:
                self.disk.heal()
                self.disk.faulty = self.chance.choice((0, 0, 0.02, 0.2, 0.6))
                self.disk.full = self.chance.random() < 0.2

    def end(self) -> None:
        """The disk is well again, pictures come once more, and the recorder stops."""
        self.disk.heal()
        for _ in range(2):
            self.write()
            self.retry()
            self.writer.sync(1, self)
            for _ in range(20):
                self.play()
        for sink in self.sinks:
            sink.end_run()
            sink.coverage.end()
        for _ in range(3):
            self.write()
            self.writer.sync(1, self)
            self.retry()
        self.writer.sync(1, self)


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """Some hundred indexes need not wear out a disk."""
    root = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    yield root
    shutil.rmtree(root)


def _unaccounted(reader: IndexReader, camera: str, begin_ns: int, end_ns: int) -> list[tuple[float, float]]:
    """Seconds since the begin that are in no segment and in no gap."""
    known = [(row.start_ns, row.end_ns) for row in reader.all_segments(camera, StreamName.MAIN)]
    for gap in reader.gaps(camera, StreamName.MAIN, 0, 1 << 62):
        assert gap.end_ns is not None
        known.append((gap.start_ns, gap.end_ns))
    holes = []
    until_ns = begin_ns
    for start_ns, stop_ns in [*sorted(known), (end_ns, end_ns)]:
        if start_ns > until_ns:
            holes.append(((until_ns - begin_ns) / NS_PER_SECOND, (start_ns - begin_ns) / NS_PER_SECOND))
        until_ns = max(until_ns, stop_ns)
    return holes


def _machine(root: Path, seed: int) -> Faulty:
    (root / "video").mkdir()
    (root / "video" / "xomyen-volume.json").write_text(f'{{"version":1,"volume":"{VOLUME}"}}')
    chance = random.Random(seed)
    return Faulty(root, chance, AnyFault(chance), RecorderSettings(segment_seconds=2.0, checkpoint_seconds=0.8))


def _check(root: Path, machine: Faulty) -> None:
    begin_ns, end_ns = machine.began_ns + STEP_NS, machine.clock.wall_ns() - STEP_NS
    with IndexReader(root / "index.sqlite") as reader:
        for camera in (CAMERA, OTHER):
            assert _unaccounted(reader, camera, begin_ns, end_ns) == []
        found = [finding.code for finding in check(reader, machine.key.public, hashes=True).findings]
    # A seal that the disk lost in the sync in which the process died leaves the next without the one it names.
    assert found == [] or (machine.lost_a_seal and set(found) == {"chain_broken"})


async def _stopped(root: Path, machine: Faulty) -> None:
    machine.run()
    machine.end()
    machine.index.close()
    assert machine.disk.in_use == set()


async def _killed(root: Path, machine: Faulty) -> None:
    machine.run()
    await _start_again(root, machine)


async def _killed_in_a_sync(root: Path, machine: Faulty) -> None:
    machine.kill_in = machine.chance.randrange(2, 30)
    with contextlib.suppress(Killed):
        machine.run()
    await _start_again(root, machine)


async def _start_again(root: Path, machine: Faulty) -> None:
    machine.index.close()
    for descriptor in machine.disk.in_use:
        os.close(descriptor)
    machine.clock.advance(10 * NS_PER_SECOND)
    async with make_recorder(root, clock=machine.clock) as recorder:
        both = feeders(recorder)
        for _ in range(15):
            machine.clock.advance(STEP_NS)
            for feeder in both:
                feeder.feed(5, machine.clock.wall_ns())


@pytest.mark.parametrize("how", [_stopped, _killed, _killed_in_a_sync])
@pytest.mark.parametrize("half", range(2))
async def test_whatever_the_disk_does_no_moment_is_without_footage_or_gap(
    memory: Path, half: int, how: Callable[[Path, Faulty], Awaitable[None]]
) -> None:
    dropped = 0
    for seed in range(half * RUNS // 2, (half + 1) * RUNS // 2):
        root = memory / f"{how.__name__}-{seed}"
        root.mkdir()
        machine = _machine(root, seed)
        try:
            await how(root, machine)
            _check(root, machine)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        dropped += machine.writer.dropped_frames
        shutil.rmtree(root)
    assert dropped > 0


async def test_a_seal_from_before_the_start_comes_before_those_that_the_start_makes(tmp_path: Path) -> None:
    machine = _machine(tmp_path, 0)
    machine.play()
    machine.write()
    machine.writer.sync(1, machine)
    machine.disk.lost |= machine.disk.in_use
    machine.play()
    machine.write()
    machine.writer.sync(1, machine)  # both files are abandoned, to be sealed as far as they were promised
    for _ in range(20):
        machine.play()
        machine.write()  # two more are sealed, and not acknowledged yet
    assert machine.writer.sealed_segments == 2
    await _start_again(tmp_path, machine)
    _check(tmp_path, machine)
