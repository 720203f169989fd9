"""What was recorded and what is missing, at the resolution a screen can show."""

from collections.abc import Iterable
from dataclasses import dataclass

from xomyen.playback.footage import Recorded
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import InvalidRange
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import GapReason, StreamName

LONGEST_NS = 400 * 86_400 * NS_PER_SECOND
KEYFRAMES_UP_TO_NS = 600 * NS_PER_SECOND
DEFAULT_COLUMNS = 2000

# Rows are found by when they start. One that began before the range may reach into it: it is among the last few that
# did, as rows of one stream overlap only where the clock was set back.
_LAST_FEW = 16
_ROWS = """
WITH own AS (SELECT id FROM stream WHERE camera = ? AND name = ?)
SELECT {columns} FROM {table} WHERE stream = (SELECT id FROM own) AND start_ns < ? AND {end} > ?
AND start_ns >= IFNULL((SELECT start_ns FROM {table} WHERE stream = (SELECT id FROM own) AND start_ns <= ?
                        ORDER BY start_ns DESC LIMIT 1 OFFSET {few}), 0)
ORDER BY start_ns
"""
_SPANS = _ROWS.format(columns="start_ns, end_ns", table="span", end="end_ns", few=_LAST_FEW)
_GAPS = _ROWS.format(
    columns="start_ns, end_ns, reason, detail", table="gap", end="IFNULL(end_ns, 9223372036854775807)", few=_LAST_FEW
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From here to there, ns; no end means that it lasts."""

    start_ns: int
    end_ns: int | None


@dataclass(frozen=True, slots=True)
class Missing(Stretch):
    """A gap with its reason; of several short ones the longest one's."""

    reason: GapReason
    detail: str
    missing_ns: int | None  # without footage: less than the whole where several gaps became one; None while it lasts


@dataclass(frozen=True, slots=True)
class Timeline:
    from_ns: int
    to_ns: int
    spans: list[Stretch]
    gaps: list[Missing]
    holds: list[Stretch]
    keyframes_ns: list[int] | None  # None: the window is too long for them
    first_ns: int | None  # oldest footage of the stream


def check_range(from_ns: int, to_ns: int, now_ns: int, longest_ns: int) -> None:
    """Raises InvalidRange for a range that is reversed, begins in the future or is too long."""
    if from_ns >= to_ns:
        raise InvalidRange("The range is empty or reversed: `from` must lie before `to`.")
    if from_ns > now_ns:
        raise InvalidRange("The range lies in the future: nothing can have been recorded there yet.")
    if to_ns - from_ns > longest_ns:
        raise InvalidRange(
            f"The range is too long: ask for at most {_spoken(longest_ns)} at once.",
            longest_seconds=longest_ns // NS_PER_SECOND,
        )


def _spoken(length_ns: int) -> str:
    seconds = length_ns // NS_PER_SECOND
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"


def timeline(
    index: IndexReader,
    recorded: Iterable[Recorded] | None,
    camera: str,
    stream: StreamName,
    from_ns: int,
    to_ns: int,
    resolution_ns: int | None = None,
) -> Timeline:
    """The timeline of one stream; spans and gaps nearer to each other than the resolution are merged.

    No gap is left out: one shorter than the resolution lies on a span that runs over it.
    Keyframes are those of `recorded`, the range's segments; None: they are not listed.
    Waits for SQLite: call it in a thread.
    """
    merge_ns = (to_ns - from_ns) // DEFAULT_COLUMNS if resolution_ns is None else resolution_ns
    spans = index.query(_SPANS, camera, stream, to_ns, from_ns, from_ns)
    gaps = index.query(_GAPS, camera, stream, to_ns, from_ns, from_ns)
    holds = [Stretch(hold.start_ns, hold.end_ns) for hold in index.holds(camera, from_ns, to_ns)]
    return Timeline(
        from_ns,
        to_ns,
        merge_spans(spans, merge_ns),
        merge_gaps(gaps, merge_ns),
        holds,
        None if recorded is None else keyframes(recorded, from_ns, to_ns),
        index.first_ns(camera, stream),
    )


def merge_spans(rows: Iterable[tuple[int, int]], merge_ns: int) -> list[Stretch]:
    """Rows by start; those that overlap, touch, or lie less than `merge_ns` apart become one."""
    merged: list[Stretch] = []
    begin: int | None = None
    end = 0
    for start_ns, end_ns in rows:
        if begin is None:
            begin, end = start_ns, end_ns
        elif start_ns - end <= merge_ns:
            end = max(end, end_ns)
        else:
            merged.append(Stretch(begin, end))
            begin, end = start_ns, end_ns
    if begin is not None:
        merged.append(Stretch(begin, end))
    return merged


def merge_gaps(rows: Iterable[tuple[int, int | None, str, str]], merge_ns: int) -> list[Missing]:
    """Rows by start; none is left out, however short, and there are at most a few for each `merge_ns`.

    Gaps as long as the resolution are joined with their neighbours of the same reason. Shorter ones that lie within
    one resolution become one, which is never longer than that: so the footage beside them stays to be seen.
    """
    merged: list[Missing] = []
    longest_ns = -1  # of the short ones that became the last of `merged`; -1: that one is long
    for start_ns, end_ns, reason, detail in rows:
        before = merged[-1] if merged else None
        length_ns = None if end_ns is None else end_ns - start_ns
        gap = Missing(start_ns, end_ns, GapReason(reason), detail, length_ns)
        if length_ns is not None and length_ns < merge_ns:
            if before is not None and longest_ns >= 0 and _end(gap) - before.start_ns <= merge_ns:
                merged[-1] = _joined(before, gap, gap if length_ns > longest_ns else before)
                longest_ns = max(longest_ns, length_ns)
            else:
                merged.append(gap)
                longest_ns = length_ns
        elif (
            before is not None
            and longest_ns < 0
            and before.reason is gap.reason
            and before.end_ns is not None
            and start_ns - before.end_ns <= merge_ns
        ):
            merged[-1] = _joined(before, gap, gap)
        else:
            merged.append(gap)
            longest_ns = -1
    return merged


def _joined(one: Missing, other: Missing, telling: Missing) -> Missing:
    """Both as one, with the reason of `telling`."""
    open_ended = one.end_ns is None or other.end_ns is None
    overlap_ns = max(0, _end(one) - other.start_ns)
    missing_ns = (one.missing_ns or 0) + max(0, (other.missing_ns or 0) - overlap_ns)
    return Missing(
        one.start_ns,
        None if open_ended else max(_end(one), _end(other)),
        telling.reason,
        telling.detail,
        None if open_ended else missing_ns,
    )


def _end(gap: Missing) -> int:
    """Its end; of one that lasts its start, as nothing can lie behind it."""
    return gap.start_ns if gap.end_ns is None else gap.end_ns


def keyframes(recorded: Iterable[Recorded], from_ns: int, to_ns: int) -> list[int]:
    """Wall times of the keyframes in the range."""
    return [
        time_ns
        for one in recorded
        for time_ns in (one.wall_ns(fragment.first_dts) for fragment in one.file.fragments if fragment.key)
        if from_ns <= time_ns < to_ns
    ]
