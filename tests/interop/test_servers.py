"""Recording from RTSP servers nobody here wrote: GStreamer's and VLC's. Every picture is counted and decoded."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.collecting_sink import CollectingSink
from tests.interop.gstreamer import Servers, gstreamer_servers
from tests.interop.packages import need_vlc
from tests.interop.receiving import (
    FRAME_TICKS,
    PICTURES,
    Received,
    assert_recorded,
    assert_whole,
    collect,
    receive,
    steps,
)
from tests.sample_video import H264_B_FRAMES, decode_all, make_video

from xomyen.camera.errors import CameraTimeout, CodecNotSupported, StreamNotFound, WrongPassword
from xomyen.camera.ingest import Ingest
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.camera.open import open_source
from xomyen.camera.probe import probe
from xomyen.terms.words import GapReason, VideoCodec

PATHS = {
    "/h264": (VideoCodec.H264, False),
    "/h264-b": (VideoCodec.H264, True),
    "/h264-in-band": (VideoCodec.H264, True),
    "/h264-slices": (VideoCodec.H264, False),
    "/h264-audio": (VideoCodec.H264, True),
    "/h265": (VideoCodec.H265, False),
    "/h265-b": (VideoCodec.H265, True),
}  # codec, and whether there are B-frames
pytestmark = pytest.mark.timeout(300)
OVER_UDP = "/h264-b"
RECORDED = ("/h264-audio", "/h265-b")


@pytest.fixture(scope="module")
def gstreamer() -> Iterator[Servers]:
    with gstreamer_servers() as (servers, _):
        yield servers


@pytest.fixture(scope="module")
def received(gstreamer: Servers, tmp_path_factory: pytest.TempPathFactory) -> Received:
    # By UDP the server's goodbye may overtake its last pictures.
    wanted = {f"rtsp://{gstreamer.open}{path}": PICTURES for path in PATHS}
    wanted[f"rtsp+udp://{gstreamer.open}{OVER_UDP}"] = PICTURES - 25
    recorded = [f"rtsp://{gstreamer.open}{path}" for path in RECORDED]
    return receive(wanted, recorded, tmp_path_factory.mktemp("recorded"))


@pytest.mark.parametrize("path", PATHS)
def test_every_picture_of_gstreamers_server_arrives(
    gstreamer: Servers, received: Received, tmp_path: Path, path: str
) -> None:
    assert_whole(received.collected[f"rtsp://{gstreamer.open}{path}"], *PATHS[path], tmp_path)


def test_gstreamers_server_is_recorded_over_udp_as_well(gstreamer: Servers, received: Received, tmp_path: Path) -> None:
    sink = received.collected[f"rtsp+udp://{gstreamer.open}{OVER_UDP}"]
    assert_whole(sink, VideoCodec.H264, True, tmp_path, PICTURES - 25)


async def test_a_server_that_freezes_is_given_up_over_udp() -> None:
    sink = CollectingSink()
    with gstreamer_servers() as (servers, pid):
        async with LibavSource(f"rtsp+udp://{servers.open}/h264", None, None, sink, LibavPool(), silence_s=1) as source:
            await sink.until(lambda s: len(s.units) > 5)
            os.kill(pid, signal.SIGSTOP)
            await sink.until(lambda s: bool(s.closings))
            assert isinstance(source.fault, CameraTimeout)
    assert sink.closings[0][0] is GapReason.CAMERA_SILENT


@pytest.mark.parametrize("scheme", ["rtsp", "rtsp+udp"])
@pytest.mark.parametrize("method", ["digest", "basic"])
async def test_gstreamers_server_lets_the_right_password_in(gstreamer: Servers, scheme: str, method: str) -> None:
    url = f"{scheme}://{getattr(gstreamer, method)}/h264"
    sink = await collect(url, 5, "lan", "mật khẩu")
    assert len(sink.units) >= 5


@pytest.mark.parametrize("method", ["digest", "basic"])
async def test_gstreamers_server_keeps_the_wrong_password_out(gstreamer: Servers, method: str) -> None:
    sink = await collect(f"rtsp://{getattr(gstreamer, method)}/h264", 1, "lan", "mat khau")
    assert sink.units == []
    assert sink.closings[0][0] is GapReason.REFUSED
    assert "mat khau" not in sink.closings[0][1]


async def test_probing_gstreamers_server_tells_what_it_sends(gstreamer: Servers) -> None:
    found = await probe(f"rtsp://{gstreamer.open}/h264-audio", measure_s=2)
    assert found.codec is VideoCodec.H264
    assert (found.width, found.height) == (320, 192)
    assert found.frame_rate == 25
    assert found.gop_frames == 25
    assert found.gop_s == 1
    assert found.b_frames
    assert found.audio_offered
    assert "GStreamer" in found.server
    assert found.bit_rate is not None
    assert 20_000 < found.bit_rate < 2_000_000


async def test_probing_gstreamers_server_tells_what_is_wrong(gstreamer: Servers) -> None:
    with pytest.raises(StreamNotFound):
        await probe(f"rtsp://{gstreamer.open}/none")
    with pytest.raises(CodecNotSupported, match="VP8"):
        await probe(f"rtsp://{gstreamer.open}/vp8")
    with pytest.raises(WrongPassword):
        await probe(f"rtsp://{gstreamer.digest}/h264", "lan", "wrong")


@pytest.mark.parametrize("path", RECORDED)
def test_what_is_recorded_from_gstreamer_is_whole_and_proven(gstreamer: Servers, received: Received, path: str) -> None:
    assert_recorded(received.recorded[f"rtsp://{gstreamer.open}{path}"], b_frames=True)


@pytest.fixture(scope="module")
def vlc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """VLC's RTSP server playing two minutes of pictures with B-frames and sound; it refuses to run as root."""
    need_vlc()
    tmp_path = tmp_path_factory.mktemp("vlc")
    video = make_video(tmp_path / "video.mp4", *H264_B_FRAMES, seconds=120)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["vlc", "-I", "dummy", "--no-dbus", "--quiet", "--rtsp-host=127.0.0.1", f"file://{video}"]
    command += ["--sout", f"#rtp{{sdp=rtsp://127.0.0.1:{port}/street}}", "--sout-keep"]
    home = tmp_path / "home"
    home.mkdir()
    if os.geteuid() == 0:
        closed = [path for path in tmp_path.parents if path.is_relative_to(tempfile.gettempdir())]
        for path in (home, tmp_path, *(path for path in closed if str(path) != tempfile.gettempdir())):
            path.chmod(0o755)
        os.chown(home, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}/street"
    server.kill()
    server.wait()


async def until_pictures(url: str, pictures: int) -> CollectingSink:
    """As `collect`, but a server that is still starting may refuse at first."""
    sink = CollectingSink()
    async with Ingest() as ingest, open_source(url, None, None, sink, ingest, LibavPool()):
        await sink.until(lambda s: len(s.units) >= pictures)
    return sink


async def test_vlcs_server_which_knows_no_tcp_is_said_to_need_udp(vlc: str) -> None:
    sink = CollectingSink()
    async with Ingest() as ingest, open_source(f"rtsp://{vlc}", None, None, sink, ingest, LibavPool()):
        await sink.until(
            lambda s: bool(s.closings) and s.closings[-1][0] is GapReason.REFUSED and "461" in s.closings[-1][1]
        )
    assert "rtsp+udp" in sink.closings[-1][1]


async def test_vlcs_server_is_recorded_over_udp(vlc: str, tmp_path: Path) -> None:
    sink = await until_pictures(f"rtsp+udp://{vlc}", 50)
    assert sink.configs[0].codec is VideoCodec.H264
    assert sink.keys[0]
    sink.check_times()
    assert sink.pts != sorted(sink.pts)
    # VLC sends the first P picture after its own start with the time of the next one; and the last pictures
    # may lack some that are shown before them.
    ordered = sorted(sink.pts)[8:-4]
    assert steps(ordered) == {FRAME_TICKS}
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == len(sink.units)
