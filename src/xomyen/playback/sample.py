"""A coded picture's place in a file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded picture; times in ticks of the run's media time."""

    offset: int
    size: int  # bytes
    dts: int
    pts: int
    key: bool
