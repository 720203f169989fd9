"""Recorded groups of pictures re-encoded on demand, masked, or for browsers that cannot play H.265."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from xomyen.playback.decode import decoded, decoder_for
from xomyen.playback.encode import Coded, FragmentEncoder
from xomyen.playback.errors import NotDecodable
from xomyen.playback.footage import Group, samples_in
from xomyen.playback.lane import VolumeLanes
from xomyen.playback.mask_paint import MaskPainter
from xomyen.playback.masks import Masks
from xomyen.playback.pool import DecoderPool
from xomyen.playback.sample import Sample
from xomyen.recording.segment_file import SegmentFileError
from xomyen.terms.errors import NoFootage

_KEPT_BYTES = 48 << 20

_Key = tuple[str, int, int, Masks]  # segment, from byte, to byte


@dataclass(frozen=True, slots=True)
class TranscodedGroup:
    """A group of pictures as H.264 on the same media time as the original."""

    header: bytes  # ftyp + moov
    fragment: bytes  # moof + mdat


def encode_group(
    path: str, sample_entry: bytes, samples: Sequence[Sample], end_pts: int, masks: Masks
) -> TranscodedGroup:
    """Runs in a decoder process. Raises NotDecodable, OSError."""
    decoder = decoder_for(sample_entry)
    encoder, painter = FragmentEncoder(), MaskPainter(masks)
    pictures: list[Coded] = []
    begins = {sample.pts for sample in samples if sample.key}
    first = min(sample.pts for sample in samples if sample.key)
    for frame in decoded(decoder, path, samples):
        if frame.pts is None or frame.pts < first:
            continue  # shown before the keyframe: it belongs to the group before
        pictures += encoder.encode(painter.paint(frame), not pictures or frame.pts in begins)
    if not pictures:
        raise NotDecodable("The decoder makes no picture of what was recorded there.")
    return TranscodedGroup(encoder.header, encoder.fragment(pictures, end_pts))


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
        try:
            lane = self._volumes.of(group.segment.volume)
            samples = await lane.run(samples_in, group.recorded.file, group.fragments)
            made = await self._pool.run(
                encode_group,
                group.segment.path,
                group.recorded.file.header.sample_entry,
                samples,
                group.end_dts + group.recorded.lead,
                masks,
            )
        except FileNotFoundError as error:
            raise NoFootage("This footage was deleted a moment ago.") from error
        except (OSError, SegmentFileError) as error:
            raise NotDecodable("The recording cannot be read.") from error
        self._bytes += len(made.fragment)
        self._forget()
        return made

    def _forget(self) -> None:
        for key, made in tuple(self._made.items()):
            if self._bytes <= self._kept_bytes:
                return
            if made.done() and not made.cancelled() and made.exception() is None:
                self._bytes -= len(made.result().fragment)
                del self._made[key]
