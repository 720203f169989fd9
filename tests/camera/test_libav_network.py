"""Web cameras and RTMP through libav processes, what does not answer, and passwords, which are shown nowhere."""

import contextlib
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.collecting_sink import CollectingSink
from tests.sample_video import decode_all, expected_times

from xomyen.camera.errors import CameraTimeout, ConnectionRefused, NotRtsp, StreamNotFound, WrongPassword
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.terms.words import GapReason


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


@pytest.fixture(scope="module")
def web_camera(video: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("jpegs")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(video("motion.avi")), "-c", "copy", f"{folder}/%03d.jpg"], check=True
    )
    pictures = [path.read_bytes() for path in sorted(folder.iterdir())]
    handler = type("Handler", (WebCamera,), {"files": {"h264.mp4": video("h264.mp4")}, "pictures": pictures})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


async def test_a_web_camera_with_a_password_is_recorded(web_camera: str, tmp_path: Path) -> None:
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/secret/motion", "lan", "p@ss w/rd", sink, LibavPool()):
        await sink.until(lambda s: len(s.units) > 30)
    assert sink.configs[0].codec_string.startswith("avc1.")
    assert sink.keys[0]
    sink.check_times()
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == len(sink.units)


async def test_a_wrong_password_is_said_without_showing_it(web_camera: str, capfd: pytest.CaptureFixture[str]) -> None:
    sink = CollectingSink()
    async with LibavSource(f"http://{web_camera}/secret/motion", "lan", "hunter2", sink, LibavPool()) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, WrongPassword)
    assert sink.closings[0][0] is GapReason.REFUSED
    assert "hunter2" not in sink.closings[0][1]
    assert "hunter2" not in "".join(capfd.readouterr())  # the libav process writes to the same terminal


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


async def test_a_stream_over_http_keeps_its_b_frames(web_camera: str, video: Callable[[str], Path]) -> None:
    expected = expected_times(video("h264.mp4"))
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
    async with LibavSource(f"rtsp+udp://{web_camera}/1", None, None, sink, LibavPool(), silence_s=60) as source:
        await sink.until(lambda s: bool(s.closings))
    assert isinstance(source.fault, NotRtsp)


async def test_rtmp_is_recorded(video: Callable[[str], Path], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"rtmp://127.0.0.1:{port}/live/1"
    server = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-re", "-i", str(video("plain.flv")), "-c", "copy", "-f", "flv",
         "-listen", "1", address]
    )  # fmt: skip
    try:
        sink = CollectingSink()
        async with LibavSource(address, None, None, sink, LibavPool()):
            await sink.until(lambda s: len(s.units) >= 40)
    finally:
        server.kill()
        server.wait()
    sink.check_times()
    assert sink.pts != sink.dts
    assert decode_all(sink.configs[0].parameter_sets, sink.units, "h264", tmp_path) == len(sink.units)
