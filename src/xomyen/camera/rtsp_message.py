"""RTSP 1.0 messages (RFC 2326 §4–§7): bytes in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass

from xomyen.camera.errors import MalformedStream, NotRtsp

MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 128 * 1024  # with the head less than a receive buffer


@dataclass(frozen=True, slots=True)
class Message:
    """What a response and a request have in common: header fields in order, names in lower case, and a body."""

    fields: tuple[tuple[str, str], ...]
    body: bytes

    def get(self, name: str) -> str:
        """The first field of that name (lower case), or an empty text."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every field of that name (lower case), in order."""
        return [value for key, value in self.fields if key == name]

    @property
    def sequence(self) -> int | None:
        """The CSeq (RFC 2326 §12.17), or None when it is missing or not a number."""
        text = self.get("cseq").split(" ")[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request that the camera sends to us, such as REDIRECT."""

    method: str
    url: str


def parse_message(data: bytes | bytearray | memoryview) -> tuple[Response | Request, int] | None:
    """The message at the start of the data and its length in bytes, or None when more bytes are needed.

    Lines may end with LF alone. Raises NotRtsp when the first line is not RTSP and MalformedStream
    when the message is too long or its length cannot be read.
    """
    head = bytes(data[:MAX_HEAD_BYTES])
    end, body_at = _end_of_head(head)
    if end < 0:
        _check_first_line(head)
        if len(head) >= MAX_HEAD_BYTES:
            raise MalformedStream("An RTSP message has no end.")
        return None
    lines = head[:end].decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    fields = tuple(_fields(lines[1:]))
    length = _content_length(fields)
    if len(data) < body_at + length:
        _check_first_line(head)
        return None
    return _message(lines[0], fields, bytes(data[body_at : body_at + length])), body_at + length


def _end_of_head(head: bytes) -> tuple[int, int]:
    full, bare = head.find(b"\r\n\r\n"), head.find(b"\n\n")
    if full >= 0 and (bare < 0 or full < bare):
        return full, full + 4
    return bare, bare + 2


def _check_first_line(head: bytes) -> None:
    line = head.split(b"\n", 1)[0][:256]
    known = line[:5] == b"RTSP/"[: len(line)]
    request = line.replace(b"_", b"").split(b" ")[0][:32].isalpha() and line[:4] != b"HTTP"
    if not (known or request):
        raise NotRtsp("The answer is not RTSP.")


def _fields(lines: Iterable[str]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    return fields


def _content_length(fields: Iterable[tuple[str, str]]) -> int:
    for name, value in fields:
        if name == "content-length":
            if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) > MAX_BODY_BYTES:
                raise MalformedStream("An RTSP message has an impossible length.")
            return int(value)
    return 0


def _message(first: str, fields: tuple[tuple[str, str], ...], body: bytes) -> Response | Request:
    words = first.strip().split(" ", 2)
    if words[0].startswith("RTSP/") and len(words) > 1 and len(words[1]) == 3 and words[1].isdigit():
        return Response(fields, body, int(words[1]), words[2] if len(words) > 2 else "")
    if len(words) == 3 and words[2].startswith("RTSP/"):
        return Request(fields, body, words[0], words[1])
    raise NotRtsp("The answer is not RTSP.")


def format_request(method: str, url: str, sequence: int, fields: Iterable[tuple[str, str]]) -> bytes:
    """A request as bytes; line breaks in values are refused, because they would start a new field."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", *(f"{name}: {value}" for name, value in fields)]
    if any("\r" in line or "\n" in line for line in lines):
        raise MalformedStream("A value for an RTSP request has a line break in it.")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def format_response(status: int, reason: str, sequence: int | None, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """An answer to a request of the camera."""
    lines = [f"RTSP/1.0 {status} {reason}", *([f"CSeq: {sequence}"] if sequence is not None else [])]
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
