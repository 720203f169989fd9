"""The buffers on lease: the pool is whole again whatever happened."""

import asyncio
import socket
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rtp_packetiser import Packetiser
from tests.rtsp_camera import PPS, SPS
from tests.stream_sinks import RememberingSink

from xomyen.camera.codec_config import codec_config
from xomyen.camera.depacketiser import Depacketiser
from xomyen.camera.errors import CameraFault
from xomyen.camera.ingest import MOST_AT_ONCE, SHARE, Ingest, Reader
from xomyen.camera.nal_shape import nal_shape
from xomyen.terms.buffers import BufferPool
from xomyen.terms.words import VideoCodec


class Deaf:
    """Takes what stands between the pictures and does nothing with it."""

    def rtcp(self, packet: bytes) -> None: ...

    def rtsp(self, message: object) -> None: ...


class Camera:
    """A reader with the camera's end of its socket in the test's hand."""

    def __init__(self, ingest: Ingest) -> None:
        self.sink = RememberingSink()
        self.far, self.near = socket.socketpair()
        self.far.setblocking(False)
        self.near.setblocking(False)
        self.packetiser = Packetiser(VideoCodec.H264, mtu=500)
        self.faults: list[CameraFault] = []
        self.frames = 0
        self.gone = False
        depacketiser = Depacketiser(
            nal_shape(VideoCodec.H264, False),
            0,
            96,
            self.sink,
            Deaf(),
            lambda sets: codec_config(VideoCodec.H264, sets),
            (SPS, PPS),
        )
        self.reader = Reader(ingest, self.near, depacketiser, "test", self.faults.append)

    def send(self, count: int) -> None:
        for _ in range(0 if self.gone else count):
            unit = (b"\x65" if self.frames % 5 == 0 else b"\x41") + bytes(1200)
            self.far.send(b"".join(self.packetiser.packets([unit], 3600 * self.frames)))
            self.frames += 1

    def garbage(self) -> None:
        if not self.gone:
            self.far.send(bytes(100))

    def hang_up(self) -> None:
        if not self.gone:
            self.far.shutdown(socket.SHUT_WR)
            self.gone = True

    def close(self) -> None:
        self.reader.close()
        self.near.close()
        self.far.close()


ACTIONS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["send", "poll", "poll", "keep", "release", "garbage", "hang up"])),
    max_size=40,
)


@given(ACTIONS)
@settings(max_examples=60, deadline=None)
def test_the_pool_is_whole_again_after_any_sequence(actions):
    async def run() -> None:
        pool = BufferPool(16 * 1024, 4)
        async with Ingest(pool=pool) as ingest:
            cameras = [Camera(ingest) for _ in range(3)]
            for camera in cameras:
                camera.reader.open()
            for index, action in actions:
                camera = cameras[index]
                if action == "send":
                    camera.send(2)
                elif action == "poll":
                    camera.reader.poll()
                elif action == "keep":
                    camera.sink.keep = True
                elif action == "release":
                    while camera.sink.kept:
                        camera.sink.kept.pop().release()
                elif action == "garbage":
                    camera.garbage()
                else:
                    camera.hang_up()
                assert pool.made <= 4
                # A kept lease may be held twice when one read gave two batches.
                kept = {id(lease) for other in cameras for lease in other.sink.kept}
                assert pool.out == len(kept)
            for camera in cameras:
                camera.reader.poll()
                camera.close()
                while camera.sink.kept:
                    camera.sink.kept.pop().release()
            assert pool.out == 0
            assert len({id(lease) for lease in pool.free}) == len(pool.free) == pool.made

    asyncio.run(run())


async def test_many_small_nal_units_that_came_with_the_answer_to_play_are_read():
    async with Ingest() as ingest:
        camera = Camera(ingest)
        slices = [b"\x65" + bytes([index]) for index in range(60)]
        camera.packetiser.aggregate = True
        camera.reader.open(b"".join(camera.packetiser.packets(slices, 0)))
        camera.frames += 1
        camera.send(1)
        camera.hang_up()
        await camera.sink.until(lambda sink: bool(sink.units))
        assert camera.sink.units[0].data == b"".join(b"\0\0\0\2" + unit for unit in slices)
        camera.close()


async def test_when_the_pool_is_empty_the_bytes_wait_and_then_come_whole():
    async with Ingest(pool=BufferPool(64 * 1024, 1)) as ingest:
        holder, waiter = Camera(ingest), Camera(ingest)
        for camera in (holder, waiter):
            camera.reader.open()
        holder.sink.keep = True
        holder.send(12)
        await holder.sink.until(lambda sink: bool(sink.kept))
        waiter.send(12)
        waiter.reader.poll()
        assert waiter.reader.starved
        assert waiter.reader.held_back
        assert waiter.sink.units == []
        holder.sink.kept.pop().release()
        holder.sink.keep = False
        await waiter.sink.until(lambda sink: len(sink.units) >= 11)
        assert waiter.sink.lost_packets == 0
        assert not waiter.reader.held_back
        holder.close()
        waiter.close()
    assert ingest.pool.out == 0


async def test_a_stream_that_keeps_its_buffers_leaves_the_others_theirs():
    async with Ingest() as ingest:
        greedy, other = Camera(ingest), Camera(ingest)
        greedy.sink.keep = True
        for camera in (greedy, other):
            camera.reader.open()
        for _ in range(40):
            greedy.send(1)
            greedy.reader.poll()
        assert len({id(lease) for lease in greedy.sink.kept}) == SHARE
        other.send(12)
        await other.sink.until(lambda sink: len(sink.units) >= 11)
        for lease in greedy.sink.kept:
            lease.release()
        await greedy.sink.until(lambda sink: len(sink.units) >= 39)
        for camera in (greedy, other):
            camera.close()
        for lease in greedy.sink.kept[SHARE:]:
            lease.release()
    assert ingest.pool.out == 0


def test_buffers_come_back_from_other_threads():
    pool = BufferPool(1024, 8)

    def borrow() -> None:
        for _ in range(2000):
            lease = pool.take()
            if lease is not None:
                lease.retain()
                lease.release()
                lease.release()

    threads = [threading.Thread(target=borrow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pool.out == 0
    assert len({id(lease) for lease in pool.free}) == len(pool.free) <= 8


async def test_every_stream_is_read_on_the_tick():
    async with Ingest() as ingest:
        cameras = [Camera(ingest) for _ in range(12)]
        for camera in cameras:
            camera.reader.open()
            camera.reader.prompt(False)
            camera.send(12)
        for camera in cameras:
            await camera.sink.until(lambda sink: len(sink.units) >= 11)
            camera.close()
    assert ingest.pool.out == 0


class Flood:
    """A socket that is never empty: packets of a channel that nobody asked for."""

    def recv_into(self, view: memoryview) -> int:
        packet = b"$\x09" + (1020).to_bytes(2, "big") + bytes(1020)
        view[:] = packet * (len(view) // len(packet))
        return len(view)


async def test_a_camera_that_floods_lets_the_others_have_their_turn():
    async with Ingest(pool=BufferPool(16 * 1024, 4)) as ingest:
        camera = Camera(ingest)
        camera.reader.open()
        camera.reader.prompt(False)
        camera.reader._socket = Flood()
        camera.reader.poll()
        assert MOST_AT_ONCE <= camera.reader.received_bytes < 2 * MOST_AT_ONCE
        camera.reader._socket = camera.near
        camera.close()
