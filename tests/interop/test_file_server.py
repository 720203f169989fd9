"""Recording over TCP from the RTSP file server of aio-rtsp-toolkit. Every picture is counted and decoded."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.receiving import PICTURES, Received, assert_recorded, assert_whole, receive
from tests.sample_video import H264_PLAIN, H265_PLAIN, make_video

from xomyen.camera.errors import StreamNotFound
from xomyen.camera.probe import probe
from xomyen.terms.words import VideoCodec

# The server gives pictures that are shown earlier than the one sent before them a wrong time: no B-frames here.
SLICES = ("-slices", "4", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M")
VIDEOS = {
    "h264.mp4": (VideoCodec.H264, H264_PLAIN),
    "h264.mkv": (VideoCodec.H264, H264_PLAIN),
    "h264-slices.mp4": (VideoCodec.H264, (*H264_PLAIN, *SLICES)),
    "h265.mp4": (VideoCodec.H265, H265_PLAIN),
    "h265.mkv": (VideoCodec.H265, H265_PLAIN),
}
pytestmark = pytest.mark.timeout(300)
RECORDED = ("h264-slices.mp4", "h265.mp4")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    for name, (_, codec) in VIDEOS.items():
        make_video(folder / name, *codec, seconds=PICTURES // 25, size="320x192")
    script = Path(__file__).with_name("file_server.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield f"rtsp://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def received(server: str, tmp_path_factory: pytest.TempPathFactory) -> Received:
    wanted = {once(server, name): PICTURES for name in VIDEOS}
    return receive(wanted, [once(server, name) for name in RECORDED], tmp_path_factory.mktemp("recorded"))


def once(server: str, name: str) -> str:
    """The address at which the server plays a file once, and not again and again."""
    return f"{server}/{name}/play_count_1"


@pytest.mark.parametrize("name", VIDEOS)
def test_every_picture_of_the_file_servers_arrives(server: str, received: Received, tmp_path: Path, name: str) -> None:
    assert_whole(received.collected[once(server, name)], VIDEOS[name][0], False, tmp_path)


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_from_the_file_server_is_whole_and_proven(server: str, received: Received, name: str) -> None:
    assert_recorded(received.recorded[once(server, name)], b_frames=False)


async def test_probing_the_file_server_tells_what_it_sends(server: str) -> None:
    names = ("h264.mkv", "h265.mp4")
    probed = await asyncio.gather(*(probe(f"{server}/{name}/play_count_3", measure_s=6) for name in names))
    for name, found in zip(names, probed, strict=True):
        assert found.codec is VIDEOS[name][0]
        assert (found.width, found.height) == (320, 192)
        assert (found.frame_rate, found.gop_frames, found.gop_s) == (25, 25, 1)
        assert not found.b_frames
        assert found.audio_offered
        assert found.lost_packets == 0
        # Both clocks are this machine's.
        assert found.clock_offset_ns == pytest.approx(0, abs=60 * 10**9)


async def test_a_file_that_is_not_there_is_said_so(server: str) -> None:
    with pytest.raises(StreamNotFound):
        await probe(f"{server}/none.mp4")
