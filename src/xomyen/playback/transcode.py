"""Recorded groups of pictures re-encoded on demand, masked, or for browsers that cannot play H.265."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from xomyen.playback.decode import decoded, decoder_for
from xomyen.playback.encode import GREATEST_HEIGHT, Coded, FragmentEncoder
from xomyen.playback.errors import NotDecodable
from xomyen.playback.footage import Group, samples_in
from xomyen.playback.lane import VolumeLanes
from xomyen.playback.mask_paint import MaskPainter
from xomyen.playback.masks import Masks
from xomyen.playback.pool import DecoderPool
from xomyen.playback.sample import Sample
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import Fragment, SegmentFile, SegmentFileError
from xomyen.terms.errors import NoFootage

_KEPT_BYTES = 48 << 20

_Key = tuple[str, int, int, Masks]  # segment, from byte, to byte


@dataclass(frozen=True, slots=True)
class TranscodedGroup:
    """A group of pictures as H.264 on the same media time as the original."""

    header: bytes  # ftyp + moov
    fragment: bytes  # moof + mdat


@dataclass(frozen=True, slots=True)
class Shown:
    """What is made of the pictures of a group; times are presentation times in ticks of the run's media time."""

    end: int  # when the last picture gives way to what follows
    first: int = 0  # pictures before are not made
    to: int = 1 << 62  # nor those from here on
    origin: int = 0  # where the time of what is made begins
    number: int = 0  # fragments that stand before this one in its file
    greatest_height: int = GREATEST_HEIGHT  # pixels


def encode_group(
    path: str, sample_entry: bytes, samples: Sequence[Sample], shown: Shown, masks: Masks
) -> TranscodedGroup:
    """Runs in a decoder process. Raises NotDecodable, OSError."""
    decoder = decoder_for(sample_entry)
    encoder, painter = FragmentEncoder(shown.greatest_height, shown.number), MaskPainter(masks)
    pictures: list[Coded] = []
    begins = {sample.pts for sample in samples if sample.key}
    # What is shown before the keyframe belongs to the group before.
    first = max(shown.first, min(sample.pts for sample in samples if sample.key))
    for frame in decoded(decoder, path, samples):
        if frame.pts is None or not first <= frame.pts < shown.to:
            continue
        key = not pictures or frame.pts in begins
        frame.pts = max(0, frame.pts - shown.origin)
        pictures += encoder.encode(painter.paint(frame), key)
    if not pictures:
        raise NotDecodable("The decoder makes no picture of what was recorded there.")
    return TranscodedGroup(encoder.header, encoder.fragment(pictures, shown.end - shown.origin))


class PastTranscoder:
    """Re-encodes groups in a few processes and keeps the newest ones made."""

    def __init__(self, pool: DecoderPool, volumes: VolumeLanes, kept_bytes: int = _KEPT_BYTES) -> None:
        self._pool = pool
        self._volumes = volumes
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._made: OrderedDict[_Key, asyncio.Future[TranscodedGroup]] = OrderedDict()

    async def group(self, group: Group, masks: Masks) -> TranscodedGroup:
        """The group as H.264 with the masks black; whoever asks for the same at once waits for the same work.

        Raises Busy, NotDecodable, NoFootage.
        """
        key = (group.segment.id, group.offset, group.end, masks)
        known = self._made.get(key)
        if known is None:
            known = asyncio.ensure_future(self._make(group, masks))
            known.add_done_callback(lambda made: self._settled(key, made))
            self._made[key] = known
        self._made.move_to_end(key)
        return await asyncio.shield(known)

    def _settled(self, key: _Key, made: asyncio.Future[TranscodedGroup]) -> None:
        """What failed is not kept: whoever asks next has it tried again."""
        if made.cancelled() or made.exception() is not None:
            del self._made[key]

    async def _make(self, group: Group, masks: Masks) -> TranscodedGroup:
        shown = Shown(group.end_dts + group.recorded.lead)
        made = await self.part(group.segment, group.recorded.file, group.fragments, shown, masks)
        self._bytes += len(made.fragment)
        self._forget()
        return made

    async def part(
        self, segment: Segment, file: SegmentFile, fragments: Sequence[Fragment], shown: Shown, masks: Masks
    ) -> TranscodedGroup:
        """These fragments of a segment, of which the first starts with a keyframe, as H.264; not kept.

        Raises Busy, NotDecodable, NoFootage.
        """
        try:
            samples = await self._volumes.of(segment.volume).run(samples_in, file, fragments)
            return await self._pool.run(encode_group, segment.path, file.header.sample_entry, samples, shown, masks)
        except FileNotFoundError as error:
            raise NoFootage("This footage was deleted a moment ago.") from error
        except (OSError, SegmentFileError) as error:
            raise NotDecodable("The recording cannot be read.") from error

    def _forget(self) -> None:
        for key, made in tuple(self._made.items()):
            if self._bytes <= self._kept_bytes:
                return
            if made.done() and not made.cancelled() and made.exception() is None:
                self._bytes -= len(made.result().fragment)
                del self._made[key]
