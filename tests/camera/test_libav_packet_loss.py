"""Losses that libavformat logs count for the thread they happened in; its messages go nowhere."""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import av.error
import av.logging
import pytest

from xomyen.camera.libav.packet_loss import LostPackets, listen_to_libav
from xomyen.camera.libav.reader import Reader
from xomyen.camera.libav.wire import Kind, Start, decode_units


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """This process listens as one that reads cameras does, for the length of a test."""
    loggers = [logging.getLogger(name) for name in ("libav", "libav.rtsp")]
    before = [(one, one.level, list(one.filters)) for one in loggers]
    listen_to_libav()
    yield
    av.logging.set_level(None)
    av.logging.set_skip_repeated(True)
    for one, level, filters in before:
        one.setLevel(level)
        one.filters[:] = filters


def missed(packets: int) -> None:
    """What the demuxer says when it gives packets up (FFmpeg, libavformat/rtpdec.c)."""
    av.logging.log(av.logging.WARNING, "rtsp", f"RTP: missed {packets} packets\n")


def test_cameras_that_lose_as_much_at_the_same_time_count_each_for_itself() -> None:
    turns = threading.Barrier(3, timeout=60)

    def read(rounds: int) -> int:
        lost = LostPackets()
        lost.count_here()
        for at in range(30):
            turns.wait()
            if at < rounds:
                missed(3)
        return lost.total

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(read, [30, 20, 0])) == [90, 60, 0]


@pytest.mark.parametrize(
    ("said", "packets"),
    [(1, 1), (2999, 2999), (3000, 1), (65534, 1), (0, 1)],
)
def test_a_camera_that_begins_to_count_anew_did_not_lose_what_lies_between(said: int, packets: int) -> None:
    lost = LostPackets()
    lost.count_here()
    missed(said)
    assert lost.total == packets


def test_packets_that_come_too_late_are_not_counted_again_and_a_flood_of_them_leaves_nothing_behind() -> None:
    lost = LostPackets()
    lost.count_here()
    missed(2)
    before = sys.getallocatedblocks()
    for _ in range(20_000):
        av.logging.log(av.logging.WARNING, "rtsp", "RTP: dropping old packet received too late\n")
        av.logging.log(av.logging.WARNING, "rtsp", "jitter buffer full\n")
    assert sys.getallocatedblocks() - before < 5_000
    assert lost.total == 2


def test_messages_which_quote_passwords_are_neither_shown_nor_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for address in (f"rtsp://lan:hunter2@127.0.0.1:{port}/1", f"http://lan:hunter2@127.0.0.1:{port}/hunter2.mp4"):
        errors, _ = av.logging.get_last_error()
        with pytest.raises(av.error.FFmpegError):
            av.open(address, options={"rtsp_transport": "udp"})
        assert av.logging.get_last_error()[0] > errors, "libav had something to say"
    for name in ("rtsp", "http", ""):
        av.logging.log(av.logging.ERROR, name, "http://lan:hunter2@camera/ does not answer\n")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_what_is_lost_after_the_last_picture_is_told_before_the_end(video: Callable[[str], Path]) -> None:
    told: list[tuple[Kind, int, int]] = []
    ended = threading.Event()

    def send(kind: Kind, number: int, parts: list[bytes]) -> None:
        if kind is Kind.BATCH:
            units = decode_units(memoryview(b"".join(parts)))
            told.append((kind, len(units.sizes), units.lost_packets))
            if units.sizes:  # sent by the reader's own thread, because it is watched
                missed(2)
        elif kind is Kind.CLOSED:
            told.append((kind, 0, 0))
            ended.set()

    reader = Reader(1, Start(f"file://{video('plain.mp4')}#once", None, None, 10.0, 10.0), send)
    reader.watch(True)
    thread = threading.Thread(target=reader.run)
    thread.start()
    assert ended.wait(60)
    reader.stop()
    thread.join(60)
    pictures = [(Kind.BATCH, 1, 2)] * 24
    assert told[:27] == [(Kind.BATCH, 1, 0), *pictures, (Kind.BATCH, 0, 2), (Kind.CLOSED, 0, 0)]
