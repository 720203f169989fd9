"""Identifiers: UUID version 7 as text, so that ids sort by the time they were made (RFC 9562 §5.7)."""

import os
import re
from collections.abc import Callable

from xomyen.terms.time import Clock, SystemClock

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id(clock: Clock | None = None, random: Callable[[int], bytes] = os.urandom) -> str:
    """A new UUIDv7 in its canonical text form: 48 bits of Unix milliseconds, 74 random bits."""
    wall_ms = (clock or SystemClock()).wall_ns() // 1_000_000
    tail = int.from_bytes(random(10), "big")
    value = (wall_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (tail >> 64 & 0xFFF) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Whether the text is a canonical UUID; only such text may become part of a path or a subject."""
    return _ID.fullmatch(text) is not None
