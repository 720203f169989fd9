"""When a source reads what waits in its socket, and what it makes of it when it could not."""

import asyncio

from tests.recorders import until
from tests.rtsp_camera import RtspCamera
from tests.rtsp_playing import playing, with_pictures
from tests.stream_sinks import RememberingSink

from xomyen.camera import rtsp_source
from xomyen.camera.ingest import BUFFER_BYTES, Ingest
from xomyen.camera.rtsp_source import RtspSource
from xomyen.terms.buffers import BufferPool, Lease


async def test_a_node_that_had_no_turn_for_long_takes_no_camera_for_silent_whose_pictures_wait(monkeypatch):
    monkeypatch.setattr(rtsp_source, "SILENCE_S", 0.5)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    monkeypatch.setattr(rtsp_source, "PROMPT_S", 0.0)
    monkeypatch.setattr("xomyen.camera.ingest.TICK_S", 3600)  # nobody reads
    async with RtspCamera() as camera, playing(camera.url) as (_, sink):
        await sink.until(with_pictures(100))
        assert sink.ends == []


async def test_no_camera_is_silent_whose_pictures_wait_because_the_disk_has_all_buffers(monkeypatch):
    monkeypatch.setattr(rtsp_source, "SILENCE_S", 0.5)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    monkeypatch.setattr(rtsp_source, "PROMPT_S", 0.0)
    monkeypatch.setattr("xomyen.camera.ingest.TICK_S", 3600)  # nobody reads, nor knows yet that no buffer is free
    pool, sink = TellingPool(BUFFER_BYTES, 1), RememberingSink()
    async with (
        RtspCamera() as camera,
        Ingest(pool=pool) as ingest,
        RtspSource(camera.url, None, None, sink, ingest, jitter=lambda: 0.0) as source,
    ):
        await sink.until(with_pictures(20))
        lease = pool.take()
        assert lease is not None
        await pool.refused.wait()
        lease.release()
        source.watch(True)
        await sink.until(with_pictures(len(sink.units) + 20))
        assert (sink.ends, source.sessions, source.fault) == ([], 1, None)


class TellingPool(BufferPool):
    """Tells when somebody was given no buffer."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.refused = asyncio.Event()

    def take(self) -> Lease | None:
        lease = super().take()
        if lease is None:
            self.refused.set()
        return lease


async def test_a_watched_stream_is_read_at_once_and_an_unwatched_one_on_the_tick(monkeypatch):
    monkeypatch.setattr(rtsp_source, "PROMPT_S", 0.0)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    async with RtspCamera(frame_s=0.01) as camera, playing(camera.url) as (source, sink):
        await sink.until(with_pictures(40))
        before = sink.batches, len(sink.units)
        await sink.until(with_pictures(before[1] + 80))
        on_tick = (len(sink.units) - before[1]) / (sink.batches - before[0])
        source.watch(True)
        before = sink.batches, len(sink.units)
        await sink.until(with_pictures(before[1] + 80))
        watched = (len(sink.units) - before[1]) / (sink.batches - before[0])
    assert on_tick > 2 * watched


async def test_when_a_disk_keeps_the_buffers_bytes_wait_in_the_socket_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr("xomyen.camera.ingest.SHARE", 2)
    async with RtspCamera(frame_s=0.01, body=30_000) as camera, playing(camera.url) as (source, sink):
        sink.keep = True
        await sink.until(lambda sink: len(sink.kept) == 2)
        reader = source._play._reader
        await until(lambda: reader.held_back)
        count, starved = len(sink.units), reader.starved
        await until(lambda: reader.starved > starved + 3)  # so often it would have read
        assert len(sink.kept) == 2
        assert len(sink.units) == count
        sink.keep = False
        for lease in sink.kept:
            lease.release()
        await sink.until(with_pictures(count + 100))
    assert sink.lost_packets == 0
    assert [unit.pts for unit in sink.units] == [sink.units[0].pts + 3600 * i for i in range(len(sink.units))]
