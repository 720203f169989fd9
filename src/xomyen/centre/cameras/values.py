"""What values of cameras and nodes must look like."""

import math
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

SCHEMES = ("rtsp", "rtsps", "rtsp+udp", "rtmp", "rtmps", "http", "https")
"""Of streams that are entered here; files are given to a node on its own machine alone."""
MOST_MASKS = 16
MOST_CORNERS = 32
# Nothing that ends or adds a word of a content security policy.
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?")
_UNREADABLE = re.compile(r"[\x00-\x20\x7f]")


def names_origin(value: str) -> bool:
    """Whether this is http(s)://host[:port] in plain letters, and nothing more."""
    try:
        return urlsplit(value).port != 0 and _ORIGIN.fullmatch(value) is not None
    except ValueError:
        return False


def is_origin(value: str) -> None:
    """Raises ValidationError unless this is http(s)://host[:port] and nothing more."""
    if not names_origin(value):
        raise ValidationError(_("Write the address as https://name:port, with nothing after it."))


def are_masks(value: Any) -> None:
    """Raises ValidationError unless this is a list of polygons with corners [x, y] between 0 and 1."""
    if not isinstance(value, list) or len(value) > MOST_MASKS:
        raise ValidationError(_("Masks are a list of at most %(most)s polygons."), params={"most": MOST_MASKS})
    for polygon in value:
        if not isinstance(polygon, list) or not 3 <= len(polygon) <= MOST_CORNERS:
            raise ValidationError(_("A mask has 3 to %(most)s corners."), params={"most": MOST_CORNERS})
        for corner in polygon:
            if not (isinstance(corner, list) and len(corner) == 2 and all(_is_part(one) for one in corner)):
                raise ValidationError(_("Each corner of a mask is two numbers between 0 and 1."))
        if _area(polygon) < 1e-6:
            raise ValidationError(_("A mask must cover something: its corners lie on one line."))


def _is_part(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


def _area(polygon: list[list[float]]) -> float:
    """Shoelace formula."""
    following = [*polygon[1:], polygon[0]]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, following, strict=True))) / 2


_SECRET = re.compile(r"((?:passw(?:or)?d|pwd|pass)(?:=|%3D))[^&?#/;\s]+", re.IGNORECASE)
_PLACE = re.compile(r"([A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.%]*\])(:\d*)?")
HIDDEN = "•••"


def without_secrets(text: str) -> str:
    """A stream's address with passwords hidden: before the machine, or in query or path, where some want them."""
    return _SECRET.sub(rf"\1{HIDDEN}", _without_password(text))


def _without_password(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # As recorders read it (`camera.address.split_credentials`): a password may hold a slash or an @ of its own.
    if "@" not in rest or ("@" not in place and _PLACE.fullmatch(place)):
        return text
    end = (place if "@" in place else rest).rindex("@")
    user, colon, _password = rest[:end].partition(":")
    return scheme + mark + user + (colon and colon + HIDDEN) + rest[end:]


def hosts_of(*addresses: str) -> frozenset[str]:
    """The machines that addresses lead to, without those that are empty; what cannot be read stands for itself."""
    return frozenset(_host(text.strip()) for text in addresses if text.strip())


def _host(text: str) -> str:
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or text
    except ValueError:
        return text


def urls_in_force(config: dict[str, Any] | None) -> list[str]:
    """The streams that a node reads by a configuration that it told."""
    return [(config.get(part) or {}).get("url", "") for part in ("main", "sub")] if config else []


_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|localhost|[\w-]+(\.[\w-]+)+)(:\d{1,5})?")


def without_user(text: str) -> str:
    """A stream's address as it was typed, without user and password.

    Where it cannot be told what is password and what is path, only the beginning is left.
    """
    scheme, mark, rest = text.partition("://")
    if "@" not in rest:
        return text
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" not in place:
        return text if _HOST.fullmatch(place) else scheme + mark
    found = rest[place.rindex("@") + 1 :]
    return scheme + mark + (found if "@" not in found else "")


def onvif_without_user(text: str) -> str:
    """Likewise of an ONVIF address, which may lack its http://."""
    return without_user(text) if "://" in text else without_user(f"http://{text}").removeprefix("http://")


def stream_parts(text: str) -> tuple[str, str, str]:
    """A stream's address without what it holds of user and password, then these two.

    Raises ValidationError for what no node would take.
    """
    text = text.strip()
    if not text:
        return "", "", ""
    if HIDDEN in text:
        raise ValidationError(_("The address hides a password. Write it whole, with the password in it."))
    if _UNREADABLE.search(text):
        raise ValidationError(_("The address holds blanks or control characters."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValidationError(_("Not a valid stream address.")) from error
    if parts.scheme not in SCHEMES or port == 0:
        raise ValidationError(_("The address begins with rtsp://, as in rtsp://192.168.1.64:554/stream1."))
    if not parts.hostname:
        raise ValidationError(_("The address names no camera: write its IP address or name after ://."))
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=place).geturl(), unquote(parts.username or ""), unquote(parts.password or "")
