"""Reads recorded footage without blocking the event loop, each storage volume in threads of its own."""

import asyncio
from collections.abc import Sequence

from xomyen.playback.footage import FileShelf, Recorded, segments_between
from xomyen.playback.lane import Lane, VolumeLanes
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Segment
from xomyen.terms.words import StreamName


class FootageReader:
    """Finds segments in the index and reads their files' tables."""

    def __init__(self, shelf: FileShelf, lookups: Lane, volumes: VolumeLanes) -> None:
        """`lookups` are the threads that ask the index."""
        self.lookups = lookups
        self.volumes = volumes
        self._shelf = shelf

    async def read(self, segment: Segment) -> Recorded | None:
        """The segment's fragments, or None when its file cannot be read. Raises Busy."""
        return await self.volumes.of(segment.volume).run(self._shelf.read, segment)

    async def between(
        self, index: IndexReader, camera: str, stream: StreamName, from_ns: int, to_ns: int
    ) -> list[Recorded]:
        """What can be read of the range, by start. Raises Busy."""
        segments = await self.lookups.run(segments_between, index, camera, stream, from_ns, to_ns)
        by_volume: dict[str, list[Segment]] = {}
        for segment in segments:
            by_volume.setdefault(segment.volume, []).append(segment)
        read = await asyncio.gather(
            *(self.volumes.of(volume).run(self._read_all, there) for volume, there in by_volume.items())
        )
        found = {recorded.segment.id: recorded for there in read for recorded in there}
        return [found[segment.id] for segment in segments if segment.id in found]

    def _read_all(self, segments: Sequence[Segment]) -> list[Recorded]:
        return [recorded for segment in segments if (recorded := self._shelf.read(segment)) is not None]
