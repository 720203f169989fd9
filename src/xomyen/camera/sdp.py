"""The session description of a camera (RFC 8866) as far as its video needs it: which track, which codec, where."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urljoin

from xomyen.camera.errors import CodecNotSupported, MalformedStream
from xomyen.terms.words import VideoCodec

_CODECS = {"H264": VideoCodec.H264, "H265": VideoCodec.H265, "HEVC": VideoCodec.H265}


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The one track that is set up. Sound and metadata tracks never are."""

    codec: VideoCodec
    payload_type: int
    control: str  # as written, relative or absolute; may be empty
    session_control: str  # of the whole session, for PLAY; may be empty
    parameter_sets: tuple[bytes, ...]  # NAL units; may be empty when they come in band
    donl: bool  # H.265 decoding order numbers are in the packets (RFC 7798 §7.1)


@dataclass(slots=True)
class _Media:
    kind: str
    payload_types: list[int]
    attributes: list[str]


def parse_sdp(body: bytes) -> VideoTrack:
    """The first video track in a codec that can be recorded.

    Raises MalformedStream when this is no session description, CodecNotSupported when it has no such track.
    """
    session, media = _sections(body)
    names: list[str] = []
    for section in media:
        if section.kind != "video":
            continue
        for payload_type in section.payload_types:
            name, clock = _rtpmap(section, payload_type)
            names.append(name)
            codec = _CODECS.get(name.upper())
            if codec is None or clock != 90_000:
                continue
            fields = _fmtp(section, payload_type)
            if codec is VideoCodec.H264 and fields.get("packetization-mode") == "2":
                names[-1] = "H264 in interleaved packetisation"
                continue
            donl = codec is VideoCodec.H265 and fields.get("sprop-max-don-diff", "0").strip() not in ("", "0")
            return VideoTrack(
                codec,
                payload_type,
                _control(section.attributes),
                _control(session),
                _parameter_sets(codec, fields),
                donl,
            )
    if not names:
        raise CodecNotSupported("The camera offers no video track.")
    shown = ", ".join(dict.fromkeys(name[:32] for name in names))
    raise CodecNotSupported(f"The camera sends {shown}; H264 and H265 can be recorded.")


def offers_audio(body: bytes) -> bool:
    """Whether the camera would send sound too; it is never asked to."""
    return any(section.kind == "audio" for section in _sections(body)[1])


def _sections(body: bytes) -> tuple[list[str], list[_Media]]:
    session: list[str] = []
    media: list[_Media] = []
    known = False
    for line in body.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        kind, equals, value = line.strip().partition("=")
        if not equals or len(kind) != 1:
            continue
        known = known or kind in "vmso"
        if kind == "m":
            words = value.split()
            types = [int(word) for word in words[3:] if word.isascii() and word.isdigit() and len(word) < 4]
            media.append(_Media(words[0].lower() if words else "", types, []))
        elif kind == "a":
            (media[-1].attributes if media else session).append(value)
    if not known:
        raise MalformedStream("The camera's session description cannot be read.")
    return session, media


_STATIC = {26: ("JPEG", 90_000), 32: ("MPV", 90_000), 33: ("MP2T", 90_000)}


def _rtpmap(section: _Media, payload_type: int) -> tuple[str, int]:
    for attribute in section.attributes:
        if attribute.lower().startswith("rtpmap:"):
            words = attribute[7:].split()
            if len(words) > 1 and words[0] == str(payload_type):
                name, _, clock = words[1].partition("/")
                rate = clock.split("/")[0]
                return name, int(rate) if rate.isascii() and rate.isdigit() and len(rate) < 10 else 0
    return _STATIC.get(payload_type, (f"payload type {payload_type}", 0))


def _fmtp(section: _Media, payload_type: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    for attribute in section.attributes:
        head, _, rest = attribute.partition(" ")
        if head.lower() == f"fmtp:{payload_type}":
            for item in rest.split(";"):
                name, _, value = item.strip().partition("=")
                fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _parameter_sets(codec: VideoCodec, fields: dict[str, str]) -> tuple[bytes, ...]:
    names = ("sprop-parameter-sets",) if codec is VideoCodec.H264 else ("sprop-vps", "sprop-sps", "sprop-pps")
    sets = []
    for name in names:
        for text in fields.get(name, "").strip('"').split(","):
            try:
                unit = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue  # they will come in band, or never: then no run is opened
            # Some cameras put a start code in front.
            unit = unit.removeprefix(b"\0\0\0\1").removeprefix(b"\0\0\1")
            if unit and _is_parameter_set(codec, unit):
                sets.append(unit)
    return tuple(dict.fromkeys(sets))


def _is_parameter_set(codec: VideoCodec, unit: bytes) -> bool:
    return unit[0] & 31 in (7, 8) if codec is VideoCodec.H264 else len(unit) > 2 and unit[0] >> 1 & 63 in (32, 33, 34)


def _control(attributes: list[str]) -> str:
    return next((a[8:].strip() for a in attributes if a.lower().startswith("control:")), "")


def control_url(base: str, control: str) -> str:
    """The URL of a track or of the whole session (RFC 2326 §C.1.1), as cameras mean it.

    A relative control is put behind the base with a slash even where strict URL resolution would
    replace the last path segment or the query: that is what cameras and other clients do.
    """
    if control in ("", "*"):
        return base
    if "://" in control and control.partition("://")[0].lower() in ("rtsp", "rtsps", "rtspu"):
        return control
    if control.startswith("?"):
        return base + control
    if control.startswith("/"):
        scheme, _, rest = base.partition("://")  # urljoin does not know the scheme
        try:
            return scheme + urljoin("http://" + rest, control).removeprefix("http")
        except ValueError:
            raise MalformedStream("The camera's session description names a track at no address.") from None
    return base + ("" if base.endswith("/") else "/") + control
