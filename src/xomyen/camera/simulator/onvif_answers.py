"""What the simulated ONVIF device answers to each question, as XML."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from xomyen.camera.onvif.soap import DEVICE, MEDIA, MEDIA2, PTZ, escape
from xomyen.camera.onvif.xml import Element
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import VideoCodec

if TYPE_CHECKING:
    from xomyen.camera.simulator.onvif import SimulatedDevice

MANUFACTURER, MODEL, FIRMWARE = "Xóm Yên", "Simulated dome", "1.2.3"
_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_PERIOD = re.compile(r"PT(\d+(?:\.\d+)?)S")


@dataclass(frozen=True, slots=True)
class SimulatedProfile:
    """A stream that the device offers."""

    token: str
    name: str
    url: str  # as the device names it
    codec: VideoCodec = VideoCodec.H264
    width: int = 1920
    height: int = 1080
    frame_rate: int = 25
    bit_rate: int = 4_000_000
    ptz: bool = False


def _wrapped(body: str, header: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{_ENVELOPE}" xmlns:tt="{_SCHEMA}" '
        f'xmlns:tds="{DEVICE}" xmlns:trt="{MEDIA}" xmlns:tr2="{MEDIA2}" xmlns:tptz="{PTZ}" '
        'xmlns:ter="http://www.onvif.org/ver10/error" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f"{header}<e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


def fault(code: str, reason: str) -> bytes:
    """A SOAP fault; `code` is the subcode."""
    return _wrapped(
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value>"
        f"<e:Subcode><e:Value>{code}</e:Value></e:Subcode></e:Code>"
        f'<e:Reason><e:Text xml:lang="en">{escape(reason)}</e:Text></e:Reason></e:Fault>'
    )


def matches(message: str, number: int, address: str) -> bytes:
    """The answer to a Probe of WS-Discovery."""
    scopes = "onvif://www.onvif.org/name/S%C3%A2n%20ch%E1%BB%A3 onvif://www.onvif.org/hardware/Dome"
    return _wrapped(
        "<d:ProbeMatches><d:ProbeMatch>"
        f"<a:EndpointReference><a:Address>urn:uuid:{UUID(int=number)}</a:Address></a:EndpointReference>"
        f"<d:Types>NetworkVideoTransmitter</d:Types><d:Scopes>{scopes}</d:Scopes>"
        f"<d:XAddrs>{escape(address)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
        "</d:ProbeMatch></d:ProbeMatches>",
        f"<e:Header><a:RelatesTo>{message}</a:RelatesTo></e:Header>",
    )


def answer_to(device: "SimulatedDevice", question: Element) -> bytes:
    """The answer to one question, or a fault."""
    answering = _ANSWERS.get(question.name)
    if answering is None or (device.old and question.name == "GetServices"):
        return fault("ter:ActionNotSupported", f"{question.name} is not implemented")
    content = answering(device, question)
    if content is None:
        return fault("ter:InvalidArgVal", "no such profile or preset")
    prefix, body = content
    return _wrapped(f"<{prefix}:{question.name}Response>{body}</{prefix}:{question.name}Response>")


Answered = tuple[str, str] | None


def _time(device: "SimulatedDevice", _question: Element) -> Answered:
    now = datetime.fromtimestamp(device.told_wall_ns() // NS_PER_SECOND, UTC)
    return "tds", (
        "<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
        f"<tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime>"
    )


def _services(device: "SimulatedDevice", _question: Element) -> Answered:
    there = {DEVICE: "device_service", MEDIA: "media_service", MEDIA2: "media2_service"}
    if any(profile.ptz for profile in device.profiles):
        there[PTZ] = "ptz_service"
    return "tds", "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace>"
        f"<tds:XAddr>{device.believed}/onvif/{path}</tds:XAddr></tds:Service>"
        for namespace, path in there.items()
    )


def _capabilities(device: "SimulatedDevice", _question: Element) -> Answered:
    services = {"Media": "media_service"}
    if any(profile.ptz for profile in device.profiles):
        services["PTZ"] = "ptz_service"
    told = "".join(
        f"<tt:{name}><tt:XAddr>{device.believed}/onvif/{path}</tt:XAddr></tt:{name}>" for name, path in services.items()
    )
    return "tds", f"<tds:Capabilities>{told}</tds:Capabilities>"


def _identity(device: "SimulatedDevice", _question: Element) -> Answered:
    return "tds", (
        f"<tds:Manufacturer>{MANUFACTURER}</tds:Manufacturer><tds:Model>{MODEL}</tds:Model>"
        f"<tds:FirmwareVersion>{FIRMWARE}</tds:FirmwareVersion><tds:SerialNumber>SIM-{device.port}</tds:SerialNumber>"
    )


def _profiles(device: "SimulatedDevice", question: Element) -> Answered:
    if question.first("Type") is not None:
        return "tr2", "".join(_profile(profile, "tr2", new=True) for profile in device.profiles)
    return "trt", "".join(_profile(profile, "trt", new=False) for profile in device.profiles)


def _profile(profile: SimulatedProfile, prefix: str, new: bool) -> str:
    """A profile as the second media service tells it, or the first."""
    encoder, ptz = ("tr2:VideoEncoder", "tr2:PTZ") if new else ("tt:VideoEncoderConfiguration", "tt:PTZConfiguration")
    codec = "H265" if profile.codec is VideoCodec.H265 else "H264"
    body = (
        f"<{encoder}><tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{profile.width}</tt:Width>"
        f"<tt:Height>{profile.height}</tt:Height></tt:Resolution><tt:RateControl>"
        f"<tt:FrameRateLimit>{profile.frame_rate}</tt:FrameRateLimit>"
        f"<tt:BitrateLimit>{profile.bit_rate // 1000}</tt:BitrateLimit></tt:RateControl></{encoder}>"
        + (f"<{ptz}><tt:NodeToken>1</tt:NodeToken></{ptz}>" if profile.ptz else "")
    )
    if new:
        return (
            f'<tr2:Profiles token="{escape(profile.token)}"><tr2:Name>{escape(profile.name)}</tr2:Name>'
            f"<tr2:Configurations>{body}</tr2:Configurations></tr2:Profiles>"
        )
    name = f"<tt:Name>{escape(profile.name)}</tt:Name>"
    return f'<{prefix}:Profiles token="{escape(profile.token)}">{name}{body}</{prefix}:Profiles>'


def _stream_url(device: "SimulatedDevice", question: Element) -> Answered:
    token = question.text("ProfileToken")
    profile = next((one for one in device.profiles if one.token == token), None)
    if profile is None:
        return None
    if question.first("Protocol") is not None:
        return "tr2", f"<tr2:Uri>{escape(profile.url)}</tr2:Uri>"
    return "trt", f"<trt:MediaUri><tt:Uri>{escape(profile.url)}</tt:Uri></trt:MediaUri>"


def _steered(answer: Callable[["SimulatedDevice", Element], str | None]) -> Callable[..., Answered]:
    """Only for profiles that can be steered."""

    def answering(device: "SimulatedDevice", question: Element) -> Answered:
        token = question.text("ProfileToken")
        if not any(profile.ptz and profile.token == token for profile in device.profiles):
            return None
        body = answer(device, question)
        return None if body is None else ("tptz", body)

    return answering


@_steered
def _move(device: "SimulatedDevice", question: Element) -> str | None:
    def speed(element: str, axis: str) -> float:
        found = question.first("Velocity", element)
        return float(found.attributes.get(axis, "0")) if found is not None else 0.0

    period = _PERIOD.fullmatch(question.text("Timeout"))
    device.ptz.move(
        speed("PanTilt", "x"), speed("PanTilt", "y"), speed("Zoom", "x"), float(period[1]) if period else None
    )
    return ""


@_steered
def _stop(device: "SimulatedDevice", _question: Element) -> str | None:
    device.ptz.stop()
    return ""


@_steered
def _presets(device: "SimulatedDevice", _question: Element) -> str | None:
    return "".join(
        f'<tptz:Preset token="{escape(token)}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>'
        for token, (name, *_) in device.ptz.presets.items()
    )


@_steered
def _set_preset(device: "SimulatedDevice", question: Element) -> str | None:
    token = question.text("PresetToken")
    if token and token not in device.ptz.presets:
        return None
    return f"<tptz:PresetToken>{device.ptz.keep(question.text('PresetName'), token)}</tptz:PresetToken>"


@_steered
def _go_to(device: "SimulatedDevice", question: Element) -> str | None:
    return "" if device.ptz.go_to(question.text("PresetToken")) else None


@_steered
def _remove_preset(device: "SimulatedDevice", question: Element) -> str | None:
    return "" if device.ptz.presets.pop(question.text("PresetToken"), None) else None


_ANSWERS: dict[str, Callable[["SimulatedDevice", Element], Answered]] = {
    "GetSystemDateAndTime": _time,
    "GetServices": _services,
    "GetCapabilities": _capabilities,
    "GetDeviceInformation": _identity,
    "GetProfiles": _profiles,
    "GetStreamUri": _stream_url,
    "ContinuousMove": _move,
    "Stop": _stop,
    "GetPresets": _presets,
    "SetPreset": _set_preset,
    "GotoPreset": _go_to,
    "RemovePreset": _remove_preset,
}
