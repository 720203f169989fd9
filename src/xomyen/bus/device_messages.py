"""What is asked of the node about devices on its networks: probing, discovery, pan, tilt and zoom."""

from typing import Annotated, Literal

from pydantic import Field

from xomyen.bus.messages import Id, Message
from xomyen.terms.words import VideoCodec

MOST_ADDRESSES = 1024
"""Addresses of one scan: a /22."""
MOST_GUARDED = 5000
"""Hosts in one list of a probe."""
LOCK_S = 30.0
"""How long the right to steer a camera lasts after its holder's last command."""

Url = Annotated[str, Field(min_length=1, max_length=2000)]
User = Annotated[str, Field(max_length=200)]
Sealed = Annotated[str, Field(max_length=1024)]
Hosts = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=253)], ...], Field(max_length=MOST_GUARDED)]
JobKind = Literal["probe", "discover"]
JobPhase = Literal["running", "done", "failed", "stopped"]
Step = Literal["waiting", "connecting", "measuring", "showing", "listening", "scanning", "asking", "ended"]


class Credentials(Message):
    """User and password at a device; the password as base64 sealed to the node's key, see config.key.

    With `camera`, and without a user of their own, those of this camera of the node's configuration are meant. They
    are used only at the host of that camera's own address.
    """

    user: User = ""
    sealed_password: Sealed = ""
    camera: Id | None = None


class ProbeWanted(Message):
    """Request of device.probe: looks at one stream. Answered at once with the JobState of the work that began."""

    url: Url  # without user and password
    credentials: Credentials = Credentials()
    seconds: Annotated[float, Field(ge=1, le=30)] = 6.0  # how long to measure
    keyframe_s: Annotated[float, Field(ge=1, le=60)] = 20.0  # how long to wait for a keyframe
    still_width: Annotated[int, Field(ge=64, le=1280)] = 640  # pixels, at most
    still: bool = True  # False: only what the stream is like
    watch_s: Annotated[float, Field(ge=0, le=60)] = 0.0  # how long stills follow one another once it was measured
    guarded: Hosts = ()
    """Hosts of cameras on this node, without ports: no still is made of what turns out to come from one of them."""
    guarded_elsewhere: Hosts = ()  # the same of cameras on other nodes, whose names may mean nothing here


class StreamSeen(Message):
    """What a stream is like, as measured; see xomyen.camera.probe."""

    url: str
    codec: VideoCodec
    codec_string: str  # RFC 6381
    width: int  # pixels
    height: int
    frame_rate: float | None  # pictures per second
    gop_frames: int | None  # pictures from keyframe to keyframe; None when only one keyframe came
    gop_s: float | None
    bit_rate: int | None  # bits per second
    b_frames: bool
    clock_offset_ns: int | None  # the camera's own clock minus the node's; None when it does not tell
    server: str  # what the camera calls itself; may be empty
    audio_offered: bool  # it is never recorded
    lost_packets: int
    measured_s: float


class DiscoverWanted(Message):
    """Request of device.discover. Answered at once with the JobState of the work that began."""

    multicast: bool = True  # WS-Discovery on the node's networks
    addresses: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=64)] = ()
    """Further addresses to try: 192.168.1.20, 192.168.1.0/24, 192.168.1.20-192.168.1.40; MOST_ADDRESSES in all."""
    credentials: Credentials = Credentials()  # to ask what is found for its identity and streams
    seconds: Annotated[float, Field(ge=0.2, le=15)] = 4.0  # how long to listen for answers to the multicast


class ProfileFound(Message):
    """A media profile of a device: one stream it offers."""

    token: str
    name: str = ""
    codec: VideoCodec | None = None  # None: one that is not recorded, such as JPEG
    width: int = 0  # pixels
    height: int = 0
    frame_rate: float | None = None  # pictures per second, as set; not measured
    bit_rate: int | None = None  # bits per second, as set
    url: str = ""  # RTSP, without user and password; empty when the device gave none
    ptz: bool = False  # can be steered


class DeviceFound(Message):
    """A device at one address."""

    address: str  # IP address
    onvif_url: str = ""  # of its ONVIF device service; empty when it answers RTSP only
    rtsp_ports: tuple[int, ...] = ()
    how: tuple[Literal["multicast", "scan"], ...] = ()
    name: str = ""  # as it announces itself; unproven
    hardware: str = ""  # likewise
    manufacturer: str = ""  # this and what follows is told only to those with user and password
    model: str = ""
    serial: str = ""
    firmware: str = ""
    clock_offset_ns: int | None = None  # the device's clock minus the node's
    profiles: tuple[ProfileFound, ...] = ()
    fault: str = ""  # code of why it told no more, such as camera_wrong_password
    message: str = ""  # the same in English


class JobWanted(Message):
    """Request of device.job and device.stop."""

    job: Id
    skip: Annotated[int, Field(ge=0)] = 0  # devices that the one who asks has already


class JobState(Message):
    """Answer of device.probe, .discover, .job and .stop: how far it has come and what was found until now."""

    job: Id
    kind: JobKind
    phase: JobPhase
    step: Step
    done: int = 0  # of `total`: milliseconds of measuring, or addresses looked at
    total: int = 0
    fault: str = ""  # code of why it failed
    message: str = ""  # the same in English
    seen: StreamSeen | None = None
    still: str = ""  # base64 of a JPEG of the newest keyframe; there as soon as it is made
    reached: str = ""  # the IP address that the stream comes from in fact; empty while, or where, nobody knows
    withheld: bool = True  # no guarded camera has been ruled out there; a node that cannot compare leaves it so
    devices: tuple[DeviceFound, ...] = ()  # those after `skip`, some of them
    found: int = 0  # devices in all until now


class PtzDevice(Message):
    """The camera to steer: its ONVIF address and the media profile that has PTZ."""

    onvif_url: Url
    profile: Annotated[str, Field(min_length=1, max_length=64)]
    credentials: Credentials = Credentials()


class Steerer(Message):
    """Who steers. The one who asks says it: the centre knows its people, the node only keeps the lock."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(min_length=1, max_length=200)]  # told to others who want to steer
    priority: Annotated[int, Field(ge=0, le=100)] = 0  # a higher one may take the lock


class PtzLook(Message):
    """Only says who holds the lock; asks nothing of the camera."""

    do: Literal["look"] = "look"


class PtzHold(Message):
    """Takes the lock, or renews it, without moving."""

    do: Literal["hold"] = "hold"


class PtzRelease(Message):
    """Gives the lock back; a movement ends."""

    do: Literal["release"] = "release"


class PtzMove(Message):
    """Moves until stopped, but no longer than `seconds`; send again to go on. Speeds are shares of the greatest."""

    do: Literal["move"] = "move"
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0  # to the right
    tilt: Annotated[float, Field(ge=-1, le=1)] = 0.0  # upwards
    zoom: Annotated[float, Field(ge=-1, le=1)] = 0.0  # nearer
    seconds: Annotated[float, Field(ge=0.1, le=10)] = 1.0


class PtzStop(Message):
    """Ends a movement."""

    do: Literal["stop"] = "stop"


class PtzPresets(Message):
    """Lists the presets; needs no lock."""

    do: Literal["presets"] = "presets"


class PtzGoto(Message):
    """Goes to a preset."""

    do: Literal["goto"] = "goto"
    preset: Annotated[str, Field(min_length=1, max_length=64)]


class PtzSetPreset(Message):
    """Keeps where the camera looks now, as a new preset or in place of one."""

    do: Literal["set_preset"] = "set_preset"
    name: Annotated[str, Field(min_length=1, max_length=64)]
    preset: Annotated[str, Field(max_length=64)] = ""  # token of the one to replace


class PtzRemovePreset(Message):
    """Forgets a preset."""

    do: Literal["remove_preset"] = "remove_preset"
    preset: Annotated[str, Field(min_length=1, max_length=64)]


PtzCommand = Annotated[
    PtzLook | PtzHold | PtzRelease | PtzMove | PtzStop | PtzPresets | PtzGoto | PtzSetPreset | PtzRemovePreset,
    Field(discriminator="do"),
]


class PtzWanted(Message):
    """Request of device.ptz. Refused with code ptz_held while somebody of at least this priority steers."""

    device: PtzDevice
    who: Steerer
    command: PtzCommand


class PtzLock(Message):
    """Who may steer a camera, until when."""

    holder: str  # Steerer.id
    name: str
    priority: int
    until_ns: int


class Preset(Message):
    token: str
    name: str = ""


class PtzState(Message):
    """Answer of device.ptz."""

    lock: PtzLock | None = None  # None: nobody steers
    presets: tuple[Preset, ...] | None = None  # where they were asked for, set or removed
