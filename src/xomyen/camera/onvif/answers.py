"""What devices answer, as values: pure functions of XML elements."""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from xomyen.camera.address import split_credentials
from xomyen.camera.onvif.soap import MEDIA, PTZ
from xomyen.camera.onvif.xml import Element, one_line
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import VideoCodec

_CODECS = {"H264": VideoCodec.H264, "H265": VideoCodec.H265}
_MOST_PROFILES = 128
_MOST_PRESETS = 256
_LONGEST_TOKEN = 64  # ONVIF Core Specification, tt:ReferenceToken
_STREAM_SCHEMES = ("rtsp", "rtsps")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device says it is."""

    manufacturer: str
    model: str
    firmware: str
    serial: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile: one stream, as it is set."""

    token: str
    name: str
    codec: VideoCodec | None  # None: one that is not recorded
    width: int  # pixels
    height: int
    frame_rate: float | None
    bit_rate: int | None  # bits per second
    ptz: bool


@dataclass(frozen=True, slots=True)
class Preset:
    token: str
    name: str


def read_time(answer: Element) -> int | None:
    """The device's clock in nanoseconds UTC from GetSystemDateAndTimeResponse; None when it does not tell."""
    moment = answer.first("SystemDateAndTime", "UTCDateTime")
    if moment is None:
        return None
    parts = [
        moment.text(*path)
        for path in (
            ("Date", "Year"), ("Date", "Month"), ("Date", "Day"),
            ("Time", "Hour"), ("Time", "Minute"), ("Time", "Second"),
        )
    ]  # fmt: skip
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts)
        return int(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()) * NS_PER_SECOND
    except (ValueError, OverflowError):
        return None


def read_services(answer: Element) -> dict[str, str]:
    """The address of each service by its namespace, from GetServicesResponse."""
    return {service.text("Namespace"): service.text("XAddr") for service in answer.all("Service")}


def read_capabilities(answer: Element) -> dict[str, str]:
    """The same from GetCapabilitiesResponse, for devices that know no better."""
    found = {
        namespace: answer.text("Capabilities", name, "XAddr") for name, namespace in (("Media", MEDIA), ("PTZ", PTZ))
    }
    return {namespace: address for namespace, address in found.items() if address}


def read_identity(answer: Element) -> Identity:
    """From GetDeviceInformationResponse."""
    return Identity(
        manufacturer=answer.text("Manufacturer"),
        model=answer.text("Model"),
        firmware=answer.text("FirmwareVersion"),
        serial=answer.text("SerialNumber"),
    )


def read_profiles(answer: Element) -> list[Profile]:
    """From GetProfilesResponse of either media service; those with video alone."""
    found = []
    for element in answer.all("Profiles")[:_MOST_PROFILES]:
        token = _token(element)
        # Media 2 has configurations in an element of their own, with shorter names.
        configurations = element.first("Configurations") or element
        encoder = configurations.first("VideoEncoder") or configurations.first("VideoEncoderConfiguration")
        if not token or encoder is None:
            continue
        kilobits = _number(encoder.text("RateControl", "BitrateLimit"))
        found.append(
            Profile(
                token=token,
                name=element.text("Name")[:100],
                codec=_CODECS.get(encoder.text("Encoding").upper().replace(".", "")),
                width=round(_number(encoder.text("Resolution", "Width")) or 0),
                height=round(_number(encoder.text("Resolution", "Height")) or 0),
                frame_rate=_number(encoder.text("RateControl", "FrameRateLimit")),
                bit_rate=round(kilobits * 1000) if kilobits is not None else None,
                ptz=any(configurations.first(name) is not None for name in ("PTZ", "PTZConfiguration")),
            )
        )
    return found


def read_stream_url(answer: Element, host: str) -> str:
    """The RTSP address from GetStreamUriResponse, without user and password; empty when there is none.

    Its host is `host`, at which the device was asked, whatever the device says.
    """
    url = answer.text("MediaUri", "Uri") or answer.text("Uri")
    bare, _ = split_credentials(url)
    try:
        parts = urlsplit(bare)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in _STREAM_SCHEMES or not parts.hostname or " " in bare:
        return ""
    place = f"[{host}]" if ":" in host else host
    return urlunsplit(parts._replace(netloc=f"{place}:{port}" if port else place))


def read_presets(answer: Element) -> list[Preset]:
    """From GetPresetsResponse."""
    presets = answer.all("Preset")[:_MOST_PRESETS]
    return [Preset(_token(element), element.text("Name")[:100]) for element in presets if _token(element)]


def _token(element: Element) -> str:
    token = one_line(element.attributes.get("token", ""))
    return token if len(token) <= _LONGEST_TOKEN else ""


def _number(text: str) -> float | None:
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number) and 0 <= number < 1e9:
            return number
    return None
