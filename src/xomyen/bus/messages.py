"""What travels on the bus. Every message carries a version; newer readers accept older messages."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from xomyen.terms.words import CameraState, ClockState, GapReason, SegmentState, StreamName, VideoCodec

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]

MASK_UNITS = 10_000  # the whole width, and the whole height, of a picture of any size
MOST_MASKS = 16  # of one camera
MOST_CORNERS = 32  # of one mask
_Units = Annotated[int, Field(ge=0, le=MASK_UNITS, strict=True)]
Mask = Annotated[tuple[tuple[_Units, _Units], ...], Field(min_length=3, max_length=MOST_CORNERS)]
"""A polygon by its corners (x, y); counted from the picture's upper left."""


class Message(BaseModel):
    """Unknown fields are ignored, so that an older reader lives with a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version: Literal[1] = 1


class FragmentNotice(Message):
    """A fragment is in the file at this place; the file is the truth, the notice may be lost."""

    segment: Id
    run: Id
    path: str  # absolute, on the node
    header_bytes: int  # the segment's ftyp + moov come before this offset
    offset: int
    size: int
    first_dts: int  # ticks of the run's media time
    duration: int  # ticks
    key: bool  # starts with a keyframe
    wall_ns: int  # wall time of the first picture, by the segment's mapping
    written_ns: int  # node's clock when the write ended


class SegmentEvent(Message):
    id: Id
    camera: Id
    stream: StreamName
    segment: Id
    run: Id
    sequence: int
    state: SegmentState
    start_ns: int
    end_ns: int
    bytes: int
    frames: int
    lost_packets: int
    clock_state: ClockState
    clock_offset_ns: int | None
    seal: str  # hex SHA-256 of the final statement


class GapEvent(Message):
    id: Id
    camera: Id
    stream: StreamName
    gap: Id
    start_ns: int
    end_ns: int | None
    reason: GapReason
    detail: str


class CameraEvent(Message):
    """A stream's state; the newest one per camera and stream is what is so now."""

    id: Id
    camera: Id
    stream: StreamName
    state: CameraState
    since_ns: int
    reason: GapReason | None = None
    detail: str = ""
    codec: VideoCodec | None = None
    codec_string: str = ""
    width: int = 0
    height: int = 0


class ChainEvent(Message):
    """The head of a stream's chain of seals, so that cutting off its end can be found."""

    id: Id
    camera: Id
    stream: StreamName
    sequence: int
    segment: Id
    seal: str
    at_ns: int


class AccessEvent(Message):
    """Somebody used a ticket."""

    id: Id
    at_ns: int
    ticket: str  # jti
    issuer: str  # key id
    subject: str
    action: Literal["issued", "sign_in", "live", "past", "still", "clip", "export", "timeline", "refused"]
    cameras: tuple[Id, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    purpose: str = ""
    address: str = ""
    detail: str = ""


class NodeEvent(Message):
    """Something happened to the node itself: a part of it ended or came back."""

    id: Id
    at_ns: int
    part: str  # bus | recorder | gateway | devices | node
    what: Literal["started", "ended", "stopped"]
    detail: str = ""


class Alarm(Message):
    """Something that somebody must look at and that is not over: a disk, the clock, footage that cannot be deleted."""

    code: str  # what kind, see docs/api.md
    path: str = ""  # the volume it is about
    since_ns: int
    text: str  # English, one sentence


class AlarmEvent(Message):
    """An alarm began, says something else, or is over."""

    id: Id
    at_ns: int
    code: str  # as in Alarm
    path: str = ""
    over: bool = False
    text: str  # what it said last


class StandingAlarms(Message):
    """Plain notice of all alarms that stand now; sent when one comes, changes or goes."""

    alarms: tuple[Alarm, ...]


class StreamConfig(BaseModel):
    """One stream of a camera as configured. `url` never holds a user or password."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str
    record: bool = True  # False: read only while somebody watches


class CameraConfig(BaseModel):
    """A camera as the node's configuration has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1
    id: Id
    name: Annotated[str, Field(min_length=1, max_length=100)]
    enabled: bool = True
    site: Annotated[str, Field(max_length=200)] = ""  # shown above the name; free text on a node without a centre
    main: StreamConfig
    sub: StreamConfig | None = None
    user: Annotated[str, Field(max_length=200)] = ""
    sealed_password: str = ""  # base64; sealed to the node's key, see xomyen.node.secrets
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    retention_bytes: Annotated[int, Field(ge=1)] | None = None
    volume: str | None = None  # volume id; None: the node chooses
    order: int = 0  # where it stands on the wall
    # Blackened in every picture, live or past, for those whose ticket says so.
    masks: Annotated[tuple[Mask, ...], Field(max_length=MOST_MASKS)] = ()


class CameraRecord(Message):
    """A configuration with the revision it was read at, for compare-and-set."""

    revision: int
    config: CameraConfig
    removed_ns: int | None = None  # when it was taken out; None: it is in force


class CameraStatus(Message):
    """Configuration and state together, as `camera list` and the web show it. No secrets."""

    config: CameraConfig
    streams: dict[StreamName, CameraEvent]


class ErrorReply(Message):
    """Any service's answer when it refuses."""

    error: str  # code of a XomyenError
    message: str
    field: str = ""


class CameraList(Message):
    """Answer of config.list, in the order of the wall, and of config.removed, the newest removal first."""

    cameras: tuple[CameraRecord, ...]


class CameraWanted(Message):
    """Request of config.get: a name, an id, or the unique beginning of a name."""

    camera: str
    removed: bool = False  # also one that was taken out: its footage is still there


class ConfigPut(Message):
    """Request of config.put; revision 0 adds a camera. Answered with its CameraRecord."""

    config: CameraConfig
    revision: Annotated[int, Field(ge=0)] = 0


class ConfigRemove(Message):
    """Request of config.remove, by id."""

    camera: Id
    revision: Annotated[int, Field(ge=1)]


class ConfigRemoved(Message):
    """Answer of config.remove."""

    camera: Id
    revision: int


class SecretsKey(Message):
    """Answer of config.key: the node's X25519 public key, raw, in base64."""

    public: str


class RecorderState(Message):
    """Answer of recorder.state: the newest state of every stream, and what the recorder has to say of itself."""

    streams: tuple[CameraEvent, ...]
    problems: tuple[str, ...] = ()  # English, one sentence each
    alarms: tuple[Alarm, ...] = ()


class StreamWanted(Message):
    """Request of recorder.checkpoint: seals what is on disk of the stream's open segment, then answers."""

    camera: Id
    stream: StreamName


class CheckpointDone(Message):
    """Answer of recorder.checkpoint; `segment` is None when nothing is being written."""

    segment: Id | None
    bytes: int = 0
    end_ns: int = 0


class HoldWanted(Message):
    """Request of recorder.hold: retention leaves this footage alone until `until_ns`."""

    camera: Id
    start_ns: int
    end_ns: int
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    who: Annotated[str, Field(min_length=1, max_length=200)]
    until_ns: int


class HoldDone(Message):
    """Answer of recorder.hold and request of recorder.release."""

    hold: Id


class SubjectEnded(Message):
    """What was issued to a subject up to a second counts no longer. Both times by the issuer's clock."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]
    issued_upto_s: Annotated[int, Field(ge=0, le=2**40)]
    expires_s: Annotated[int, Field(ge=0, le=2**40)]  # by then the last such ticket has run out


class AccessEnded(Message):
    """Request of access.end; answered once it is on the node's disk. Told twice, it means the same."""

    ended: Annotated[tuple[SubjectEnded, ...], Field(max_length=1000)]


class Statistics(Message):
    """Answer of recorder.statistics: Prometheus text exposition of the process's own values."""

    text: str


class PartHealth(Message):
    """One process of the node, as its supervisor sees it."""

    name: str  # bus | recorder | gateway | devices
    running: bool
    pid: int | None
    since_ns: int
    restarts: int
    detail: str = ""  # how it ended last, in English


class NodeHealth(Message):
    """Answer of node.health."""

    node: Id
    parts: tuple[PartHealth, ...]
