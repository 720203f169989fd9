"""Cuts a clip out of a run: which samples are listed, which are shown, which fragments are taken along."""

import os
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from xomyen.playback.clip_header import Bools, Edit, Int64s, SampleTable
from xomyen.playback.clip_times import SegmentTimes
from xomyen.playback.file_bytes import open_shared
from xomyen.recording.mp4 import BoxError, MovieFragment, parse_moof
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import Fragment, SegmentFile, SegmentFileError

_MOOF_HEAD, _MOOF_ROW = 128, 16  # bytes: what the recorder's own moofs have at most

# Columns of the table of fragments; the place is that of the fragment when all are laid one behind the other.
_SOURCE, _NUMBER, _FIRST_SAMPLE, _PLACE, _SIZE = range(5)

# How VLC is kept in step where it shows what is hidden.
_FEW_HIDDEN = 10  # it begins to drop at the twelfth late picture
_FAST_TICKS = 900  # 10 ms a picture


@dataclass(frozen=True, slots=True)
class Source:
    """A segment of the run with what its file says."""

    segment: Segment
    file: SegmentFile
    times: SegmentTimes


@dataclass(frozen=True, slots=True)
class TakenFragments:
    """Fragments `first` up to `end` (numbered from 0) of a source; `offset` is that of the first in the payload."""

    source: Source
    first: int
    end: int
    offset: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What a clip is made of."""

    table: SampleTable
    edit: Edit
    taken: tuple[TakenFragments, ...]
    payload: int  # bytes
    frames: int  # pictures shown
    first_ns: int  # presentation time of the first picture shown
    last_ns: int  # of the last
    end_ns: int  # when the last ends


class RunCutter:
    """Gathers the samples of a run's segments, then cuts at the pictures shown in [from, to)."""

    def __init__(self, from_ns: int, to_ns: int) -> None:
        self._from_ns = from_ns
        self._to_ns = to_ns
        self._sources: list[Source] = []
        self._fragments: list[tuple[int, int, int, int, int]] = []
        self._dts: list[int] = []
        self._pts: list[int] = []
        self._sizes: list[int] = []
        self._places: list[int] = []
        self._end = 0
        self._keys: list[bool] = []
        self._shown: list[Bools] = []
        self._last_duration = 0

    def add(self, segment: Segment, file: SegmentFile, fragments: list[Fragment]) -> None:
        """Takes in these fragments of the run's next segment. Raises FileNotFoundError, SegmentFileError."""
        if not fragments:
            return
        first = len(self._pts)
        descriptor = open_shared(segment.path)
        try:
            for number, fragment in enumerate(fragments):
                moof = _read_moof(descriptor, fragment, segment.path)
                self._fragments.append((len(self._sources), number, len(self._pts), self._end, fragment.size))
                self._take(moof)
                self._end += fragment.size
        finally:
            os.close(descriptor)
        times = SegmentTimes.of(segment, file, self._pts[first])
        here = np.array(self._pts[first:], dtype=np.int64)
        self._shown.append((here >= times.ticks(self._from_ns)) & (here < times.ticks(self._to_ns)))
        self._sources.append(Source(segment, file, times))

    def _take(self, moof: MovieFragment) -> None:
        dts = moof.dts()
        self._dts += dts
        self._pts += [time + offset for time, offset in zip(dts, moof.offsets, strict=True)]
        self._sizes += moof.sizes
        self._places += accumulate(moof.sizes[:-1], initial=self._end + moof.data_offset)
        self._keys += moof.keys
        self._last_duration = moof.durations[-1]

    def cut(self) -> Cut | None:
        """The cut, or None when the run shows no picture in the range."""
        shown = np.concatenate(self._shown) if self._shown else np.zeros(0, dtype=np.bool_)
        if not shown.any():
            return None
        pts = np.array(self._pts, dtype=np.int64)
        keys = np.array(self._keys, dtype=np.bool_)
        # The last keyframe shown no later than the first picture. Pictures that refer across a keyframe are
        # shown before it (ISO/IEC 14496-15 §9.5), so this one is enough to decode all that is shown.
        before = np.flatnonzero(keys & (pts <= pts[shown].min()))
        start = int(before[-1]) if len(before) else int(np.flatnonzero(keys)[0])
        shown[:start] = False
        shown &= pts >= pts[start]
        if not shown.any():
            return None
        end = int(np.flatnonzero(shown)[-1]) + 1
        # Pictures shown before the keyframe that starts the clip cannot be decoded, and none needs them.
        listed = np.arange(start, end)
        return self._cut(pts, keys, shown, listed[pts[listed] >= pts[start]])

    def _cut(self, pts: Int64s, keys: Bools, marks: Bools, listed: Int64s) -> Cut:
        """Lists the samples of these numbers, of which those with a mark are shown."""
        shown = np.flatnonzero(marks)
        first, last = int(shown[np.argmin(pts[shown])]), int(shown[np.argmax(pts[shown])])
        dts, sizes, places = (np.array(values, dtype=np.int64) for values in (self._dts, self._sizes, self._places))
        fragments = np.array(self._fragments, dtype=np.int64)
        start, end = int(listed[0]), int(listed[-1]) + 1
        low = int(np.searchsorted(fragments[:, _FIRST_SAMPLE], start, "right")) - 1
        high = int(np.searchsorted(fragments[:, _FIRST_SAMPLE], end, "left"))
        used = fragments[low:high]
        used[:, _PLACE] -= used[0, _PLACE]
        duration = int(dts[end] - dts[end - 1]) if end < len(dts) else self._last_duration
        clip_dts, clip_pts, edit_start = _clip_times(dts[listed], pts[listed], marks[listed])
        times = self._source_of(last).times
        shown_end = self._end_of(pts, last, duration, times.ticks(self._to_ns))
        edit = Edit(edit_start, shown_end - int(pts[first]))
        # The media lasts to the end of what is shown, although decoding runs ahead of it.
        duration = max(duration, edit.start + edit.length - int(clip_dts[-1]))
        at, lengths = places[listed] - self._fragments[low][_PLACE], sizes[listed]
        chunk_starts = np.flatnonzero(np.append(True, at[1:] != at[:-1] + lengths[:-1]))
        chunk_samples = np.diff(chunk_starts, append=len(at))
        table = SampleTable(clip_dts, clip_pts, lengths, keys[listed], duration, at[chunk_starts], chunk_samples)
        return Cut(
            table=table,
            edit=edit,
            taken=self._taken(used),
            payload=int(used[:, _SIZE].sum()),
            # All between the first and the last: a clock set back puts others between those asked for.
            frames=int(np.count_nonzero((pts[listed] >= pts[first]) & (pts[listed] <= pts[last]))),
            first_ns=self._source_of(first).times.wall_ns(int(pts[first])),
            last_ns=times.wall_ns(int(pts[last])),
            end_ns=times.wall_ns(shown_end),
        )

    def _end_of(self, pts: Int64s, last: int, duration: int, to_ticks: int) -> int:
        """When the last picture gives way to the next; across a loss, no later than the range's end."""
        usual = int(pts[last]) + duration
        later = pts[pts > pts[last]]
        return min(int(later.min()), max(to_ticks, usual)) if len(later) else usual

    def _source_of(self, sample: int) -> Source:
        row = bisect_right(self._fragments, sample, key=lambda fragment: fragment[_FIRST_SAMPLE]) - 1
        return self._sources[self._fragments[row][_SOURCE]]

    def _taken(self, used: Int64s) -> tuple[TakenFragments, ...]:
        found = []
        for source in np.unique(used[:, _SOURCE]):
            rows = np.flatnonzero(used[:, _SOURCE] == source)
            numbers = used[rows, _NUMBER]
            found.append(
                TakenFragments(
                    self._sources[int(source)], int(numbers[0]), int(numbers[-1]) + 1, int(used[rows[0], _PLACE])
                )
            )
        return tuple(found)


def _clip_times(dts: Int64s, pts: Int64s, shown: Bools) -> tuple[Int64s, Int64s, int]:
    """The clip's own decoding and presentation times, and the presentation time of the first picture shown.

    Pictures that are only decoded take next to no time, those before the first shown at the clip's begin, those
    after the last shown behind it; all distances between shown ones stay.

    - GStreamer's qtdemux (1.22) compares decoding times with the movie's duration, so they stay below it.
    - Chromium would count what follows the last picture into the clip's length, were it longer.
    - A player that ignores edit lists would show for long what it should not show at all.
    - VLC (3.0) takes decoding times before the edit for its begin, then adds the offset to presentation: pictures
      that are shown are not decoded before the edit, or they fall onto one instant. It shows hidden pictures too.
      A few all at once, for which the first shown waits half a picture, lest it be dropped as late. Of many it
      would drop some as late without decoding them, and then has nothing to make the later ones of; so they are
      played fast.
    """
    first_pts, last_pts = int(pts[shown].min()), int(pts[shown].max())
    before, after = np.flatnonzero(pts < first_pts), np.flatnonzero(pts > last_pts)
    usual = int(np.median(np.diff(dts))) if len(dts) > 1 else 0
    apart, edit_start = 1, 0
    if len(before):
        if len(before) > _FEW_HIDDEN:
            apart = max(min(_FAST_TICKS, (last_pts - first_pts - 2 * usual) // len(before)), 1)
        # Decoders may lend the hidden ones the stream's usual duration, which must not reach into the first picture.
        edit_start = apart * len(before) + 2 * usual
    own_pts = pts - first_pts + edit_start
    own_pts[before] = apart * np.argsort(np.argsort(pts[before]))
    if len(after):
        end = int(pts[after].min()) - first_pts + edit_start
        own_pts[after] = end + np.argsort(np.argsort(pts[after]))
    turn = int(np.flatnonzero(shown)[0])  # what is decoded before it is hidden
    pace = np.diff(dts[turn:], prepend=dts[turn])
    pace[after[after >= turn] - turn] = 1
    own_dts = np.arange(len(dts))
    own_dts[turn:] += edit_start - turn
    if apart > 1:
        own_dts[1:turn] += edit_start - turn
    elif len(before):
        own_dts[turn : int(np.flatnonzero(pts == first_pts)[0]) + 1] -= usual // 2
    own_dts[turn:] = np.maximum(own_dts[turn:], dts[turn] - first_pts + np.cumsum(pace))
    return own_dts, own_pts, edit_start


def _read_moof(descriptor: int, fragment: Fragment, path: str) -> MovieFragment:
    data = os.pread(descriptor, min(fragment.size, _MOOF_HEAD + _MOOF_ROW * fragment.samples), fragment.offset)
    length = int.from_bytes(data[:4], "big")
    if len(data) < length <= fragment.size:
        data = os.pread(descriptor, length, fragment.offset)
    try:
        moof = parse_moof(data)
    except BoxError as error:
        raise SegmentFileError(f"The fragment at byte {fragment.offset} of {path} cannot be read: {error}.") from error
    if moof.data_offset < 0 or moof.data_offset + sum(moof.sizes) > fragment.size:
        raise SegmentFileError(f"The samples of the fragment at byte {fragment.offset} of {path} lie outside it.")
    return moof
