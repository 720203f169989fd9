"""A still at any instant: the picture that was shown then, as JPEG."""

from collections import OrderedDict
from dataclasses import dataclass

from xomyen.playback.decode import picture
from xomyen.playback.errors import NotDecodable
from xomyen.playback.footage import Recorded, samples_in
from xomyen.playback.footage_reader import FootageReader
from xomyen.playback.masks import Masks, masks_name
from xomyen.playback.pool import DecoderPool
from xomyen.playback.sample import Sample
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import SegmentFileError
from xomyen.terms.errors import NoFootage
from xomyen.terms.time import format_utc
from xomyen.terms.words import StreamName

_KEPT_BYTES = 32 << 20
_MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Shot:
    """Which picture it is, and what has to be decoded for it."""

    segment: Segment
    sample_entry: bytes
    samples: tuple[Sample, ...]  # from the keyframe on, in decoding order
    pts: int  # of the picture, ticks of the run's media time
    wall_ns: int  # when it was shown


@dataclass(frozen=True, slots=True)
class Still:
    jpeg: bytes
    wall_ns: int
    etag: str


def _shot_in(recorded: Recorded, at_ns: int, keyframe_only: bool) -> Shot | None:
    """The picture of this segment shown at the instant, or the last keyframe until then. Waits for the file."""
    file, lead = recorded.file, recorded.lead
    target = recorded.shown_pts(at_ns)
    if target >= file.end_dts + lead:
        return None
    keys = [number for number, fragment in enumerate(file.fragments) if fragment.key]
    begins = [number for number in keys if file.fragments[number].first_dts + lead <= target]
    if not begins:
        return None
    begin = begins[-1]
    end = next((number for number in keys if number > begin), len(file.fragments))
    try:
        samples = samples_in(file, file.fragments[begin : begin + 1 if keyframe_only else end])
    except (OSError, SegmentFileError):
        return None
    if keyframe_only:
        samples = samples[:1]
    pts = max((sample.pts for sample in samples if sample.pts <= target), default=samples[0].pts)
    needed = next(number for number, sample in enumerate(samples) if sample.pts == pts)
    return Shot(
        recorded.segment, file.header.sample_entry, tuple(samples[: needed + 1]), pts, recorded.times.wall_ns(pts)
    )


class Stills:
    """Makes stills in decoder processes and keeps the newest ones made."""

    def __init__(self, pool: DecoderPool, footage: FootageReader, kept_bytes: int = _KEPT_BYTES) -> None:
        self._pool = pool
        self._footage = footage
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._stills: OrderedDict[str, Still] = OrderedDict()

    async def at(
        self,
        index: IndexReader,
        camera: str,
        stream: StreamName,
        at_ns: int,
        width: int | None,
        masks: Masks,
        keyframe_only: bool = False,
    ) -> Still:
        """The picture shown at this instant, at most `width` pixels wide, with the masks black.

        Raises NoFootage, NotDecodable, Busy.
        """
        shot = await self._find(index, camera, stream, at_ns, keyframe_only)
        made = (shot.segment.id, shot.pts, width or 0, *([masks_name(masks)] if masks else []))
        key = f'"{"-".join(map(str, made))}"'
        known = self._stills.get(key)
        if known is not None:
            self._stills.move_to_end(key)
            return known
        try:
            jpeg = await self._pool.run(
                picture, shot.segment.path, shot.sample_entry, shot.samples, shot.pts, width, masks
            )
        except FileNotFoundError as error:
            raise NoFootage(f"Nothing was recorded at {format_utc(at_ns)} any more.") from error
        except OSError as error:
            raise NotDecodable("The recording cannot be read.") from error
        still = Still(jpeg, shot.wall_ns, key)
        self._keep(key, still)
        return still

    async def _find(self, index: IndexReader, camera: str, stream: StreamName, at_ns: int, keyframe_only: bool) -> Shot:
        if at_ns % _MILLISECOND_NS == 0:
            # Times in the interface are cut to milliseconds; the picture that begins within this one is meant.
            at_ns += _MILLISECOND_NS - 1
        here = await self._footage.between(index, camera, stream, at_ns, at_ns + 1)
        for recorded in sorted(here, key=lambda one: (one.segment.start_ns, one.segment.sequence), reverse=True):
            lane = self._footage.volumes.of(recorded.segment.volume)
            shot = await lane.run(_shot_in, recorded, at_ns, keyframe_only)
            if shot is not None:
                return shot
        raise NoFootage(f"Nothing was recorded at {format_utc(at_ns)}.")

    def _keep(self, key: str, still: Still) -> None:
        if key not in self._stills:
            self._bytes += len(still.jpeg)
        self._stills[key] = still
        while self._bytes > self._kept_bytes:
            _, old = self._stills.popitem(last=False)
            self._bytes -= len(old.jpeg)
