"""The recorder's parts without threads, so that one random number generator decides what happens when."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.footage import CAMERA, NODE, OTHER, Feeder, footage

from xomyen.proof.keys import SigningKey
from xomyen.recording.coverage import Coverage
from xomyen.recording.disk import Disk
from xomyen.recording.earlier_process import EarlierProcess
from xomyen.recording.index import Index
from xomyen.recording.jobs import CheckpointJob, FragmentJob, Job
from xomyen.recording.open_segment import OpenSegment, StreamChain
from xomyen.recording.policy import RecorderSettings, StreamPolicy
from xomyen.recording.sink import RecordingSink
from xomyen.recording.volume_writer import VolumeWriter
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import ManualClock
from xomyen.terms.words import ClockState, StreamName

VOLUME = "01890000-0000-7000-8000-00000000aaaa"


class Machine:
    """Two cameras, one volume; it is what its sinks see of the recorder and of the volume."""

    node = NODE
    backlog = 0
    clock_state = ClockState.SYNCHRONISED

    def __init__(self, root: Path, chance: random.Random, disk: Disk, settings: RecorderSettings) -> None:
        self.id = VOLUME
        self.path = str(root / "video")
        self.paused = ""
        self.clock = ManualClock()
        self.began_ns = self.clock.wall_ns()
        self.settings = settings
        self.chance = chance
        self.disk = disk
        self.key = SigningKey.load_or_create(NodeFolder(root).signing_key)
        self.index = Index(str(root / "index.sqlite"))
        self.index.open()
        with self.index.transaction():
            self.index.put_volume(VOLUME, self.path, 0)
        EarlierProcess().load(self.index, self.clock.wall_ns())
        self.writer = VolumeWriter(
            disk,
            self.key,
            self.clock,
            on_trouble=self.on_trouble,
            on_abandoned=self.on_abandoned,
            on_fatal=self.on_fatal,
        )
        self.jobs: list[Job] = []
        self.given: dict[str, bytearray] = {}  # segment id: header and fragments as handed to the writer
        chains = [StreamChain(), StreamChain()]
        self.sinks = [
            RecordingSink(
                camera,
                StreamName.MAIN,
                StreamPolicy(),
                self,
                Coverage(camera, StreamName.MAIN, self.clock, self.post, lambda event: None, recorded=True),
                chain,
            )
            for camera, chain in zip((CAMERA, OTHER), chains, strict=True)
        ]
        self.feeders = [Feeder(self.sinks[0], footage(gop=10)), Feeder(self.sinks[1], footage(b_frames=2, gop=25))]

    # What a sink sees of its host and its volume.
    def choose_volume(self, policy: StreamPolicy) -> "Machine | None":
        return None if self.paused else self

    def check_clock(self) -> None: ...

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        if isinstance(job, FragmentJob):
            segment: OpenSegment = job.segment
            content = self.given.setdefault(segment.note.segment, bytearray(segment.header))
            content += b"".join(job.parts)

    # What the writer and the streams' coverage see of the index.
    def commit(self, work: Callable[[Index], None]) -> None:
        with self.index.transaction():
            work(self.index)

    def post(self, work: Callable[[Index], None]) -> None:
        """Gaps and states of cameras; not looked at unless a test says so."""

    # What happens to the machine; a test says what else.
    def on_trouble(self, segment: OpenSegment, error: OSError) -> None:
        raise AssertionError(error)

    def on_abandoned(self, segment: OpenSegment, error: OSError) -> None:
        raise AssertionError(error)

    def on_fatal(self, why: str) -> None:
        raise AssertionError(why)

    def write(self) -> None:
        """What the writing thread does with what waits."""
        jobs, self.jobs = self.jobs, []
        self.writer.process(jobs)

    def checkpoint(self) -> None:
        """Somebody asks for a seal of one stream's footage."""
        if found := self.chance.choice(self.sinks).checkpoint_segment():
            self.submit(CheckpointJob(found[1], None))
