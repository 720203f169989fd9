"""Files, web cameras and RTMP through libav processes: real sockets, real processes, every picture counted."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from tests.collecting_sink import CollectingSink
from tests.sample_video import H264_B_FRAMES, H264_PLAIN, H265_B_FRAMES, decode_all, expected_times, make_video

from xomyen.camera.errors import (
    CameraTimeout,
    CodecNotSupported,
    ConnectionRefused,
    NotRtsp,
    StreamNotFound,
    WrongPassword,
)
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.camera.source import Batch
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.words import GapReason, VideoCodec

FFMPEG_NAME = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {
        "h264.mp4": make_video(folder / "h264.mp4", *H264_B_FRAMES),
        "h265.mp4": make_video(folder / "h265.mp4", *H265_B_FRAMES, seconds=2),
        "h264.ts": make_video(folder / "h264.ts", *H264_B_FRAMES),
        "h265.mkv": make_video(folder / "h265.mkv", *H265_B_FRAMES, seconds=2),
        "plain.flv": make_video(folder / "plain.flv", *H264_B_FRAMES, "-ar", "44100"),
        "motion.avi": make_video(folder / "motion.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
        "vp8.webm": make_video(folder / "vp8.webm", "-c:v", "libvpx", "-c:a", "libvorbis", seconds=1),
        "plain.mp4": make_video(folder / "plain.mp4", *H264_PLAIN, seconds=1),
    }


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mp4", VideoCodec.H264),
        ("h264.ts", VideoCodec.H264),
        ("plain.flv", VideoCodec.H264),
        ("h265.mp4", VideoCodec.H265),
        ("h265.mkv", VideoCodec.H265),
    ],
)
async def test_every_picture_of_a_file_comes_with_its_own_times(
    videos: dict[str, Path], tmp_path: Path, name: str, codec: VideoCodec
) -> None:
    path = videos[name]
    expected = expected_times(path)
    sink = CollectingSink()
    async with LibavSource(f"file://{path}#once", None, None, sink, LibavPool()):
        await sink.until(lambda s: bool(s.closings))
    assert sink.configs[0].codec is codec
    assert (sink.configs[0].width, sink.configs[0].height) == (320, 180)
    assert len(sink.units) == len(expected)
    assert sink.keys == [key for _, _, key in expected]
    first = sink.pts[0]
    for pts, dts, row in zip(sink.pts, sink.dts, expected, strict=True):
        # Matroska rounds to milliseconds, and has no decoding times.
        assert abs(pts - first - row[0]) <= 90
        assert row[1] is None or path.suffix == ".mkv" or dts - first == row[1]
    assert sink.pts != sink.dts
    sink.check_times()
    assert decode_all(sink.configs[0].parameter_sets, sink.units, FFMPEG_NAME[codec], tmp_path) == len(expected)
    assert sink.closings[0][0] is GapReason.NETWORK


async def test_a_file_begins_again_without_a_break_in_time(videos: dict[str, Path]) -> None:
    path = videos["h264.mp4"]
    frames = len(expected_times(path))
    sink = CollectingSink()
    async with LibavSource(f"file://{path}", None, None, sink, LibavPool()):
        await sink.until(lambda s: len(s.units) > frames + 30)
    assert len(sink.configs) == 1
    assert sink.closings == []
    sink.check_times()
    assert {b - a for a, b in zip(sink.dts, sink.dts[1:], strict=False)} == {3600}
    # The last few may lack pictures that are shown before them and come after them.
    assert sorted(sink.pts)[:-4] == list(range(7200, 7200 + 3600 * (len(sink.pts) - 4), 3600))
    assert sink.units[frames : frames + 20] == sink.units[:20]


async def test_a_file_is_played_at_its_own_speed(videos: dict[str, Path]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{videos['h264.mp4']}#once", None, None, sink, LibavPool()):
        await sink.until(lambda s: bool(s.closings))
    # A batch ends when its last picture is due, so wall time between batches is media time between them, at least.
    assert sink.arrived_ns[-1] - sink.arrived_ns[0] >= 2_000_000_000


async def test_while_watched_each_picture_comes_at_once(videos: dict[str, Path]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{videos['h264.mp4']}", None, None, sink, LibavPool()) as source:
        await sink.until(lambda s: len(s.units) > 25)
        batched = sink.batches
        assert batched <= 15
        source.watch(True)
        units = len(sink.units)
        await sink.until(lambda s: len(s.units) > units + 25)
        assert sink.batches - batched >= 20
        source.watch(False)
        await sink.until(lambda s: s.batches > 40)


async def test_motion_jpeg_becomes_h264(videos: dict[str, Path], tmp_path: Path) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{videos['motion.avi']}#once", None, None, sink, LibavPool()):
        await sink.until(lambda s: bool(s.closings))
    assert sink.configs[0].codec is VideoCodec.H264
    assert sink.configs[0].max_reorder == 0
    assert len(sink.units) == 75
    assert sink.pts == sink.dts == [3600 * index for index in range(75)]
    assert [index for index, key in enumerate(sink.keys) if key] == [0, 50]
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == 75


async def test_video_that_cannot_be_recorded_is_refused_by_name(videos: dict[str, Path]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"file://{videos['vp8.webm']}", None, None, sink, LibavPool()) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, CodecNotSupported)
    assert sink.closings[0][0] is GapReason.REFUSED
    assert "vp8" in sink.closings[0][1]


async def test_files_that_are_missing_or_no_video_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("nothing to see here\n" * 1000)
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/text.mp4\n")
    for name in ("none.mp4", "text.mp4", "list.m3u8"):
        sink = CollectingSink()
        async with LibavSource(f"file://{tmp_path}/{name}", None, None, sink, LibavPool()) as source:
            await sink.until(lambda s: bool(s.closings))
        assert isinstance(source.fault, StreamNotFound) == (name == "none.mp4")


@pytest.mark.parametrize(
    "url", ["file://relative.mp4", "gopher://camera/1", "http:///no-host", "concat:a|b", "", "rtsp://c/1"]
)
def test_addresses_of_other_kinds_are_refused(url: str) -> None:
    with pytest.raises(InvalidConfiguration):
        LibavSource(url, None, None, CollectingSink(), LibavPool())


class WebCamera(BaseHTTPRequestHandler):
    """Serves /motion (multipart JPEG, for as long as asked), /silent (headers, then nothing) and files."""

    files: dict[str, Path]
    pictures: list[bytes]
    user = b64encode(b"lan:p@ss w/rd").decode()

    def do_GET(self) -> None:
        if self.path.startswith("/secret") and self.headers.get("Authorization") != f"Basic {self.user}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with contextlib.suppress(ConnectionError):
            if self.path.endswith("/motion"):
                self._motion()
            elif self.path == "/silent":
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                threading.Event().wait(20)
            elif (path := self.files.get(self.path[1:])) is not None:
                self.send_response(200)
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                self.wfile.write(path.read_bytes())
            else:
                self.send_error(404)

    def _motion(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for picture in self.pictures * 40:
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
            self.wfile.write(picture + b"\r\n")
            self.wfile.flush()
            threading.Event().wait(0.04)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def web_camera(videos: dict[str, Path], tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "jpegs"
    folder.mkdir()
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(videos["motion.avi"]), "-c", "copy", f"{folder}/%03d.jpg"], check=True
    )
    handler = type(
        "Handler", (WebCamera,), {"files": videos, "pictures": [p.read_bytes() for p in sorted(folder.iterdir())]}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


async def test_a_web_camera_with_a_password_is_recorded(web_camera: str, tmp_path: Path) -> None:
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/secret/motion", "lan", "p@ss w/rd", sink, LibavPool()):
        await sink.until(lambda s: len(s.units) > 60)
    assert sink.configs[0].codec_string.startswith("avc1.")
    assert sink.keys[0]
    sink.check_times()
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == len(sink.units)


async def test_a_wrong_password_is_said_without_showing_it(web_camera: str) -> None:
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/secret/motion", "lan", "hunter2", sink, LibavPool()) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, WrongPassword)
    assert sink.closings[0][0] is GapReason.REFUSED
    assert "hunter2" not in sink.closings[0][1]


async def test_a_stream_over_http_keeps_its_b_frames(web_camera: str, videos: dict[str, Path]) -> None:
    expected = expected_times(videos["h264.mp4"])
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/h264.mp4", None, None, sink, LibavPool()) as source:
        await sink.until(lambda s: bool(s.closings))
        assert source.audio_offered
    first = sink.pts[0]
    times = [(pts - first, dts - first, key) for pts, dts, key in zip(sink.pts, sink.dts, sink.keys, strict=True)]
    assert times == expected


async def test_a_missing_page_and_a_closed_port_are_told_apart(web_camera: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for address, kind in (
        (f"http://{web_camera}/none", StreamNotFound),
        (f"http://127.0.0.1:{port}/", ConnectionRefused),
    ):
        sink = CollectingSink()
        async with LibavSource(address, None, None, sink, LibavPool()) as source:
            await sink.until(lambda s: bool(s.closings))
        assert isinstance(source.fault, kind)


async def test_a_server_that_says_nothing_is_given_up(web_camera: str) -> None:
    sink = CollectingSink()
    address = f"http://{web_camera}/silent"
    async with LibavSource(address, None, None, sink, LibavPool(), silence_s=1, open_s=1) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, CameraTimeout)


async def test_a_port_that_does_not_speak_rtsp_is_said_to_be_none(web_camera: str) -> None:
    sink = CollectingSink()
    async with LibavSource(f"rtsp+udp://{web_camera}/1", None, None, sink, LibavPool(), silence_s=3) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, NotRtsp)


async def test_rtmp_is_recorded(videos: dict[str, Path], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"rtmp://127.0.0.1:{port}/live/1"
    server = subprocess.Popen(
        [
            "ffmpeg",
            "-v",
            "error",
            "-re",
            "-i",
            str(videos["plain.flv"]),
            "-c",
            "copy",
            "-f",
            "flv",
            "-listen",
            "1",
            address,
        ]
    )
    try:
        sink = CollectingSink()
        async with LibavSource(address, None, None, sink, LibavPool()):
            await sink.until(lambda s: len(s.units) >= 60)
    finally:
        server.kill()
        server.wait()
    sink.check_times()
    assert sink.pts != sink.dts
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == len(sink.units)


async def test_a_process_that_dies_is_started_again_and_its_cameras_say_why(videos: dict[str, Path]) -> None:
    pool = LibavPool()
    sinks = [CollectingSink() for _ in range(3)]
    address = f"file://{videos['h264.mp4']}"
    async with contextlib.AsyncExitStack() as stack:
        for sink in sinks:
            await stack.enter_async_context(LibavSource(address, None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) > 5)
        (pid,) = pool.process_ids
        os.kill(pid, signal.SIGKILL)
        for sink in sinks:
            await sink.until(lambda s: len(s.configs) == 2 and len(s.units) > s.config_at[1])
            assert sink.closings[0][0] is GapReason.NODE_STOPPED
        assert pool.process_ids != [pid]
    assert pool.process_ids == []


async def test_streams_are_shared_out_among_processes(videos: dict[str, Path]) -> None:
    pool = LibavPool(streams_per_process=2)
    sinks = [CollectingSink() for _ in range(5)]
    async with contextlib.AsyncExitStack() as stack:
        for sink in sinks:
            await stack.enter_async_context(LibavSource(f"file://{videos['plain.mp4']}", None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) > 5)
        assert len(pool.process_ids) == 3
    assert pool.process_ids == []


async def test_a_password_is_in_no_process_list(web_camera: str) -> None:
    pool = LibavPool()
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/secret/motion", "lan", "p@ss w/rd", sink, pool):
        await sink.until(lambda s: len(s.units) > 5)
        for pid in pool.process_ids:
            for name in ("cmdline", "environ"):
                shown = Path(f"/proc/{pid}/{name}").read_bytes()
                assert b"p@ss" not in shown
                assert b"p%40ss" not in shown
                assert web_camera.encode() not in shown


async def test_removing_one_stream_leaves_the_others_alone(videos: dict[str, Path]) -> None:
    pool = LibavPool()
    kept, removed = CollectingSink(), CollectingSink()
    address = f"file://{videos['h264.mp4']}"
    async with LibavSource(address, None, None, kept, pool):
        async with LibavSource(address, None, None, removed, pool):
            await removed.until(lambda s: len(s.units) > 5)
        count, before = len(removed.units), len(kept.units)
        await kept.until(lambda s: len(s.units) > before + 30)
        assert len(removed.units) == count
    assert kept.closings == []
    assert {b - a for a, b in zip(kept.dts, kept.dts[1:], strict=False)} == {3600}


class FaultySink(CollectingSink):
    """Fails once in a way that nobody foresaw."""

    faults = 1

    def write(self, batch: Batch) -> None:
        if self.faults:
            self.faults -= 1
            raise struct.error("no such thing was foreseen")
        super().write(batch)


async def test_pictures_that_cannot_be_taken_begin_that_stream_anew_and_leave_the_others_alone(
    videos: dict[str, Path],
) -> None:
    pool = LibavPool()
    good, faulty = CollectingSink(), FaultySink()
    address = f"file://{videos['h264.mp4']}"
    async with LibavSource(address, None, None, good, pool), LibavSource(address, None, None, faulty, pool):
        await faulty.until(lambda s: len(s.units) > 5)
        before = len(good.units)
        await good.until(lambda s: len(s.units) > before + 10)
    assert good.closings == []
    assert len(faulty.closings) == 1
    assert {b - a for a, b in zip(good.dts, good.dts[1:], strict=False)} == {3600}


async def test_new_parameter_sets_in_mid_stream_are_announced(tmp_path: Path) -> None:
    small, large = tmp_path / "a.ts", tmp_path / "b.ts"
    for path, size in ((small, (320, 192)), (large, (640, 352))):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for index in range(20):
                picture = np.full((size[1], size[0], 3), index * 9, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    sink = CollectingSink()
    async with LibavSource(f"file://{joined}#once", None, None, sink, LibavPool()):
        await sink.until(lambda s: bool(s.closings))
    assert [(config.width, config.height) for config in sink.configs] == [(320, 192), (640, 352)]
    assert sink.config_at == [0, 20]
    assert len(sink.units) == 40
    sink.check_times()


async def test_the_processes_end_when_the_node_is_killed(videos: dict[str, Path]) -> None:
    program = (
        "import asyncio, sys\n"
        "from tests.collecting_sink import CollectingSink\n"
        "from xomyen.camera.libav import LibavPool, LibavSource\n"
        "async def main():\n"
        "    pool, sink = LibavPool(), CollectingSink()\n"
        f"    async with LibavSource('file://{videos['h264.mp4']}', None, None, sink, pool):\n"
        "        await sink.until(lambda s: len(s.units) > 5)\n"
        "        print(*pool.process_ids, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    node = await asyncio.create_subprocess_exec(
        os.sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"},
    )  # fmt: skip
    assert node.stdout is not None
    child = int(await node.stdout.readline())
    node.kill()
    await node.wait()
    async with asyncio.timeout(30):
        while _runs(child):
            await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
