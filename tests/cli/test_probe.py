"""camera probe: what a camera sends, or in one line what is wrong with it, each with its own exit code."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running_node import xomyen
from tests.sample_video import H265_B_FRAMES, make_video
from tests.simulated import small_simulator

from xomyen.camera.simulator import FaultKind, Protection

PASSWORD = "mật khẩu/@bí mật"


async def probed(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """Runs the command beside a camera that this loop serves; what it wrote to the two outputs."""
    done = await asyncio.to_thread(lambda: xomyen("camera", "probe", *arguments, code=code))
    assert PASSWORD not in done.stdout + done.stderr
    assert "%40b" not in done.stdout + done.stderr
    if code:
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def web_port() -> Iterator[int]:
    """Answers every connection as a web server does."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


async def test_a_camera_is_measured() -> None:
    async with small_simulator() as simulator:
        shown, _ = await probed(simulator.url(1), "--json", "--seconds", "3")
    found = json.loads(shown)
    assert found["codec"] == "h264"
    assert (found["width"], found["height"]) == (640, 360)
    assert found["frame_rate"] == 25
    assert (found["gop_frames"], found["gop_s"]) == (25, 1)
    assert 100_000 < found["bit_rate"] < 3_000_000
    assert not found["b_frames"]
    assert not found["audio_offered"]
    assert found["lost_packets"] == 0


async def test_the_same_is_told_in_words() -> None:
    async with small_simulator() as simulator:
        shown, _ = await probed(simulator.url(1), "--seconds", "2")
    for words in ("H.264 (avc1.", "640 × 360", "25 a second", "25 pictures, 1 s", "Mbit/s", "not offered"):
        assert words in shown


async def test_the_cameras_own_clock_is_compared() -> None:
    async with small_simulator() as simulator:
        await simulator.fault(1, FaultKind.WRONG_CLOCK, offset_s=-3600)
        shown, _ = await probed(simulator.url(1), "--json")
    assert abs(json.loads(shown)["clock_offset_ns"] + 3600 * 10**9) < 600 * 10**9


async def test_a_password_in_the_address_or_a_file_opens_the_camera_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    async with small_simulator(protection=Protection("lan", PASSWORD)) as simulator:
        url = simulator.url(1)
        inside = url.replace("//", "//lan:m%E1%BA%ADt%20kh%E1%BA%A9u%2F%40b%C3%AD%20m%E1%BA%ADt@")
        shown, _ = await probed(inside, "--json", "--seconds", "1")
        assert json.loads(shown)["url"] == url
        await probed(url, "--user", "lan", "--password-file", file, "--seconds", "1")


async def test_a_wrong_password_is_23() -> None:
    async with small_simulator(protection=Protection("lan", "another")) as simulator:
        _, error = await probed(simulator.url(1).replace("//", "//lan:wrong-one@"), code=23)
        assert "password" in error
        assert "wrong-one" not in error
        await probed(simulator.url(1), code=23)


async def test_a_closed_port_is_21() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for scheme in ("rtsp", "rtsp+udp", "http"):
        _, error = await probed(f"{scheme}://127.0.0.1:{port}/1", code=21)
        assert "refuses the connection" in error


async def test_an_unknown_host_is_22() -> None:
    _, error = await probed("rtsp://no-such-camera.invalid/1", code=22)
    assert "no-such-camera.invalid" in error


async def test_an_unknown_path_is_24() -> None:
    async with small_simulator() as simulator:
        await probed(simulator.url(1) + "/nothing", code=24)


async def test_a_port_that_does_not_speak_rtsp_is_25(web_port: int) -> None:
    for scheme in ("rtsp", "rtsp+udp"):
        await probed(f"{scheme}://127.0.0.1:{web_port}/1", code=25)


async def test_a_codec_that_cannot_be_recorded_is_26(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.webm", "-c:v", "libvpx", "-c:a", "libvorbis", seconds=1)
    _, error = await probed(f"file://{video}", code=26)
    assert "vp8" in error


async def test_no_keyframe_in_time_is_27() -> None:
    async with small_simulator() as simulator:
        await simulator.fault(1, FaultKind.STALL)
        await probed(simulator.url(1), "--keyframe-within", "1", code=27)


async def test_no_answer_is_28(silent_port: int) -> None:
    await probed(f"rtsp://127.0.0.1:{silent_port}/1", code=28)


async def test_what_is_no_camera_address_is_2() -> None:
    for url in ("gopher://camera/1", "camera", "rtsp://", "rtsp://lan:" + "x" * 3 + "@[::1/1"):
        await probed(url, code=2)


async def test_a_file_is_measured_like_a_camera(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mp4", *H265_B_FRAMES)
    shown, _ = await probed(f"file://{video}", "--json", "--seconds", "2")
    found = json.loads(shown)
    assert found["codec"] == "h265"
    assert found["b_frames"]
    assert found["audio_offered"]
    assert found["gop_frames"] == 25
