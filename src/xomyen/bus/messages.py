"""What travels on the bus. Every message carries a version; newer readers accept older messages."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from xomyen.terms.words import CameraState, ClockState, GapReason, SegmentState, StreamName, VideoCodec

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]


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
    action: Literal["sign_in", "live", "past", "still", "clip", "export", "timeline", "refused"]
    cameras: tuple[Id, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    purpose: str = ""
    address: str = ""
    detail: str = ""


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


class CameraRecord(Message):
    """A configuration with the revision it was read at, for compare-and-set."""

    revision: int
    config: CameraConfig


class CameraStatus(Message):
    """Configuration and state together, as `camera list` and the web show it. No secrets."""

    config: CameraConfig
    streams: dict[StreamName, CameraEvent]


class ErrorReply(Message):
    """Any service's answer when it refuses."""

    error: str  # code of a XomyenError
    message: str
    field: str = ""
