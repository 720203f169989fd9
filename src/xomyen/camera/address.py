"""Camera addresses: user and password are taken out of a URL, and never shown."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from xomyen.terms.errors import InvalidConfiguration

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}

# Rather too much than too little is hidden: a password typed by a person may hold a slash.
_USER_INFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s\"'<>]*@")
_HOST_AND_PORT = re.compile(r"([A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.%]*\])(:\d*)?")
_SECRET_FIELD = re.compile(r"(?i)\b(pass(?:word|wd)?|pwd|secret|token|auth|apikey|api_key)=[^&\s/;,\"']*")


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of a camera; its text form shows neither."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Address:
    """A URL without user information, taken apart as far as a connection needs it."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """Host and port for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def redact(text: str) -> str:
    """The text without user information and passwords in any URL it holds."""
    return _SECRET_FIELD.sub(r"\1=…", _USER_INFO.sub(r"\1", text))


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """The URL without its user information, and what that was (percent-decoded), if anything.

    A password with an unescaped ``@`` or ``/`` in it, as people type them, is accepted.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        return url.strip(), None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        length = authority.rindex("@")
    elif "@" in rest and not _HOST_AND_PORT.fullmatch(authority):
        length = rest.rindex("@")  # the password has a slash in it
    else:
        return url.strip(), None
    user_info, place = rest[:length], rest[length + 1 :]
    user, _, password = user_info.partition(":")
    return f"{scheme}://{place}", Credentials(unquote(user), unquote(password))


def parse_address(url: str) -> Address:
    """An ``rtsp`` or ``rtsps`` URL (RFC 2326 §3.2) without user information, taken apart.

    Raises InvalidConfiguration when it is not one.
    """
    bare, _ = split_credentials(url)
    try:
        parts = urlsplit(bare)
        port = parts.port
    except ValueError:
        raise InvalidConfiguration(f"{redact(url)!r} is not a URL.") from None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        raise InvalidConfiguration(f"{redact(url)!r} is not a camera address: write rtsp://HOST[:PORT]/PATH.")
    if re.search(r"[\x00-\x20\x7f]", bare):
        raise InvalidConfiguration(f"{redact(url)!r} has a space or control character in it.")
    return Address(urlunsplit(parts), scheme, parts.hostname, port or DEFAULT_PORTS[scheme])
