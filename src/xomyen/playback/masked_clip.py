"""Clips with private zones blackened: the pictures of a clip made anew, group by group, in one fragmented MP4."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from xomyen.playback.clip import Clip
from xomyen.playback.clip_cut import Source
from xomyen.playback.errors import Busy
from xomyen.playback.masks import Masks
from xomyen.playback.transcode import PastTranscoder, Shown
from xomyen.recording.segment_file import Fragment
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND

LONGEST_NS = 15 * 60 * NS_PER_SECOND  # of a masked clip; a node makes them about as fast as they play
_GREATEST_HEIGHT = 1080  # pixels
_LEAST_TICKS = 2 * TICKS_PER_SECOND  # of one part: shorter groups of pictures are joined
_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class _Part:
    """Whole groups of pictures of one segment, and which of these pictures are made anew."""

    source: Source
    fragments: tuple[Fragment, ...]
    shown: Shown


def _parts(clip: Clip, from_ns: int, to_ns: int) -> Iterator[_Part]:
    origin = clip.taken[0].source.times.ticks(clip.first_ns)
    number = 0
    for taken in clip.taken:
        times, file = taken.source.times, taken.source.file
        lead = max(0, times.start_ticks - file.first_dts)
        first, to, last = times.ticks(from_ns), times.ticks(to_ns), times.ticks(clip.end_ns)
        for fragments in _joined(file.fragments[taken.first : taken.end]):
            end = fragments[-1].first_dts + fragments[-1].duration + lead
            if end > first:
                yield _Part(taken.source, fragments, Shown(min(end, last), first, to, origin, number, _GREATEST_HEIGHT))
                number += 1


def _joined(fragments: list[Fragment]) -> Iterator[tuple[Fragment, ...]]:
    """Whole groups of pictures, joined until each lasts long enough to be worth a job of its own."""
    begin = 0
    for number, fragment in enumerate(fragments):
        if fragment.key and fragment.first_dts - fragments[begin].first_dts >= _LEAST_TICKS:
            yield tuple(fragments[begin:number])
            begin = number
    yield tuple(fragments[begin:])


async def masked_chunks(
    transcoder: PastTranscoder, clip: Clip, from_ns: int, to_ns: int, masks: Masks
) -> AsyncGenerator[bytes, None]:
    """The clip of the pictures shown in [from, to), with the masks black: header, then one fragment for each part.

    Raises Busy before the first byte, later it waits; NotDecodable, NoFootage.
    """
    begun = False
    for part in _parts(clip, from_ns, to_ns):
        while True:
            try:
                made = await transcoder.part(part.source.segment, part.source.file, part.fragments, part.shown, masks)
                break
            except Busy:
                if not begun:
                    raise
                await asyncio.sleep(_AGAIN_S)
        yield made.fragment if begun else made.header + made.fragment
        begun = True
