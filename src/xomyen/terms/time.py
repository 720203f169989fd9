"""Time: one injected clock, UTC nanoseconds inside, ISO-8601 outside.

A name that holds a time says its unit: ``_ns`` is nanoseconds since the Unix epoch (UTC) or a
length in nanoseconds, ``_ticks`` is 90 kHz media time (RFC 3551 §5).
"""

import re
import time
from datetime import UTC, datetime
from typing import Protocol

from xomyen.terms.errors import InvalidTime

TICKS_PER_SECOND = 90_000
NS_PER_SECOND = 1_000_000_000

_RELATIVE = re.compile(r"([+-]?)(\d{1,15}(?:\.\d{1,15})?)(ms|s|m|h|d)")
_UNIT_NS = {
    "ms": 1_000_000,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "h": 3600 * NS_PER_SECOND,
    "d": 86_400 * NS_PER_SECOND,
}


_FARTHEST_NS = 2**62  # the year 2116; the index holds 64 bits


class Clock(Protocol):
    """Where code gets the time from; passed in, so that tests own it."""

    def wall_ns(self) -> int:
        """UTC now, nanoseconds since the Unix epoch. May step."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never steps."""
        ...


class SystemClock:
    """The machine's own clock."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, wall_ns: int = 1_700_000_000 * NS_PER_SECOND) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = 0

    def wall_ns(self) -> int:
        return self._wall_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def advance(self, length_ns: int) -> None:
        """Both clocks go on by the length."""
        self._wall_ns += length_ns
        self._monotonic_ns += length_ns

    def step_wall(self, length_ns: int) -> None:
        """Only the wall clock jumps, as when a machine's clock is set."""
        self._wall_ns += length_ns


def ticks_to_ns(ticks: int) -> int:
    """90 kHz ticks as nanoseconds, rounded to the nearest."""
    return (ticks * 100_000 + 4) // 9


def ns_to_ticks(length_ns: int) -> int:
    """Nanoseconds as 90 kHz ticks, rounded to the nearest."""
    return (length_ns * 9 + 50_000) // 100_000


def format_utc(wall_ns: int) -> str:
    """ISO-8601 in UTC with milliseconds: ``2026-11-21T07:00:00.040Z``; the part below is cut."""
    moment = datetime.fromtimestamp(wall_ns // NS_PER_SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{wall_ns % NS_PER_SECOND // 1_000_000:03d}Z"


def parse_time(text: str, now_ns: int) -> int:
    """A moment a person typed, in UTC nanoseconds.

    Accepts ISO-8601 with an offset or Z, ``now``, or a length relative to now (``-10m``, ``-2.5h``).
    Raises InvalidTime for anything else; a local time without an offset is refused, not guessed.
    """
    text = text.strip()
    moment_ns = _moment_ns(text, now_ns)
    if abs(moment_ns) > _FARTHEST_NS:
        raise InvalidTime(text, "it lies too far away")
    return moment_ns


def _moment_ns(text: str, now_ns: int) -> int:
    if text == "now":
        return now_ns
    if relative := _RELATIVE.fullmatch(text):
        sign = -1 if relative[1] == "-" else 1
        return now_ns + sign * round(float(relative[2]) * _UNIT_NS[relative[3]])
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InvalidTime(text, "it has no offset: end it with Z or +07:00")
        # Microseconds are integers here, so that no nanosecond is lost to floating point.
        whole = moment.astimezone(UTC).replace(microsecond=0)
        return int(whole.timestamp()) * NS_PER_SECOND + moment.microsecond * 1000
    except (ValueError, OverflowError) as error:
        raise InvalidTime(text, "write it as 2026-11-21T22:41:07+07:00, or -10m") from error
