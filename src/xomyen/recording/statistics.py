"""What can be seen of the recorder, and the events it leaves for the bus."""

from dataclasses import dataclass
from typing import NamedTuple

from xomyen.bus.messages import Alarm, CameraEvent
from xomyen.recording.volume import VolumeStatistics
from xomyen.terms.words import StreamName


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event that waits for the bus. `id` is the NATS message id."""

    number: int
    id: str
    kind: str
    payload: bytes


class StreamStatistics(NamedTuple):
    """What can be seen of a stream."""

    camera: str
    stream: StreamName
    state: CameraEvent
    frames: int
    lost_packets: int
    dropped_frames: int
    watched: bool
    long_gop: bool


class RecorderStatistics(NamedTuple):
    """What can be seen of the recorder."""

    volumes: list[VolumeStatistics]
    refused_volumes: dict[str, str]  # path and why
    streams: list[StreamStatistics]
    commits: int
    alarms: tuple[Alarm, ...]
