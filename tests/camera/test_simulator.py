"""The simulated cameras, read by the product's own client and by libav."""

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from tests.collecting_sink import CollectingSink
from tests.picture import NoMarkError, read_mark
from tests.simulated import SMALL, decoded, marks, small_simulator
from tests.waiting import until

from xomyen.camera.ingest import Ingest
from xomyen.camera.rtsp_source import RtspSource
from xomyen.camera.simulator import Picturing, Protection, Scheme, Simulator, demo_clip, display
from xomyen.camera.simulator.certificate import server_context
from xomyen.camera.simulator.scenes import place, read_scenes
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.words import StreamName, VideoCodec


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with Ingest() as made:
        yield made


async def _collect(
    simulator: Simulator, ingest: Ingest, count: int, url: str = "", user: str | None = None, password: str = ""
) -> CollectingSink:
    sink = CollectingSink()
    async with RtspSource(url or simulator.url(1), user, password, sink, ingest):
        await sink.until(lambda s: len(s.units) >= count)
    return sink


async def test_every_picture_carries_the_next_counter_and_the_true_time(ingest: Ingest) -> None:
    async with small_simulator() as simulator:
        begin_ns = time.time_ns()
        sink = await _collect(simulator, ingest, 40)
        end_ns = time.time_ns()
    assert sink.lost_packets == 0
    assert sink.keys[0]
    frames = decoded(sink.units, sink.configs[0].parameter_sets, VideoCodec.H264)
    seen = marks(frames)
    counters = [m.counter for m in seen]
    assert counters == list(range(counters[0], counters[0] + len(counters)))
    assert not seen[0].looped
    assert begin_ns - 1e9 < seen[0].wall_ns(begin_ns) < seen[-1].wall_ns(end_ns) <= end_ns
    assert {b - a for a, b in zip(sink.pts, sink.pts[1:], strict=False)} == {3600}


async def test_ffmpeg_reads_main_and_sub_streams_of_every_camera() -> None:
    async with small_simulator(3) as simulator:
        wanted = ((1, StreamName.MAIN), (2, StreamName.SUB), (3, StreamName.MAIN))
        read = (asyncio.to_thread(_read_with_libav, simulator.url(*which), 20) for which in wanted)
        for frames in await asyncio.gather(*read):
            counters = [m.counter for m in marks(frames)]
            assert counters == list(range(counters[0], counters[0] + 20))


def _read_with_libav(url: str, count: int, options: dict[str, str] | None = None) -> list[av.VideoFrame]:
    frames: list[av.VideoFrame] = []
    with av.open(url, options={"rtsp_transport": "tcp", **(options or {})}, timeout=60) as container:
        for frame in container.decode(video=0):
            frames.append(frame)
            if len(frames) == count:
                break
    return frames


async def test_cameras_show_their_own_names_and_differ(ingest: Ingest) -> None:
    async with small_simulator(2, names=["C01 Vào xã", "C02 Ra xã"]) as simulator:
        sinks = await asyncio.gather(*(_collect(simulator, ingest, 1, simulator.url(camera)) for camera in (1, 2)))
    pictures = []
    for sink in sinks:
        frame = decoded(sink.units[:1], sink.configs[0].parameter_sets, VideoCodec.H264)[0]
        pictures.append(frame.to_ndarray(format="gray").astype(int))
    name, rest = np.s_[:16, 240:420], np.s_[60:]
    assert (pictures[0][name] != pictures[1][name]).any()
    assert np.abs(pictures[0][rest] - pictures[1][rest]).mean() > 5


def test_twenty_five_cameras_look_at_twenty_five_places() -> None:
    scenes = read_scenes(demo_clip())
    shown = [place(scenes, variant) for variant in range(25)]
    assert len({(id(scene), view) for scene, view in shown}) == 25
    assert all(a is not b for (a, _), (b, _) in pairwise(shown))


def test_a_name_too_long_for_the_display_is_cut_between_words() -> None:
    where = display.layout(640, 360)
    whole, cut = display.blank_band(where), display.blank_band(where)
    display.draw_name(whole, where, "C04")
    display.draw_name(cut, where, "C04 Hướng chợ")
    assert (whole == cut).all()
    assert whole.max() == display.WHITE


@pytest.mark.parametrize("codec", [VideoCodec.H265, VideoCodec.H264])
async def test_pictures_sent_out_of_order_and_h265_carry_a_looped_counter(ingest: Ingest, codec: VideoCodec) -> None:
    main = Picturing(640, 360, 25, 600_000, gop_s=1.0, seconds=2, codec=codec, b_frames=2)
    async with small_simulator(main=main, sub=None) as simulator:
        sink = await _collect(simulator, ingest, 60)
    assert sink.configs[0].codec is codec
    assert any(pts > dts for pts, dts in zip(sink.pts, sink.dts, strict=True))
    sink.check_times()
    seen = marks(decoded(sink.units, sink.configs[0].parameter_sets, codec))
    assert all(m.looped for m in seen)
    # The last pictures may lack those shown before them.
    counters = [m.counter for m in seen][:-4]
    assert counters == [(counters[0] + i) % main.count for i in range(len(counters))]


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_a_password_is_asked_for(ingest: Ingest, scheme: Scheme) -> None:
    async with small_simulator(protection=Protection("xem", "mật khẩu", scheme)) as simulator:
        sink = await _collect(simulator, ingest, 5, user="xem", password="mật khẩu")
        assert len(sink.units) >= 5
        wrong = CollectingSink()
        async with RtspSource(simulator.url(), "xem", "sai", wrong, ingest):
            await wrong.until(lambda s: bool(s.closings))
        assert not wrong.units


async def test_ffmpeg_answers_digest() -> None:
    async with small_simulator(protection=Protection("xem", "secret")) as simulator:
        url = simulator.url().replace("rtsp://", "rtsp://xem:secret@")
        assert len(await asyncio.to_thread(_read_with_libav, url, 5)) == 5


async def test_a_stale_nonce_is_said_to_be_stale() -> None:
    protection = Protection("xem", "secret", nonce_life_s=-1)
    async with small_simulator(protection=protection) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        challenge = await _ask(reader, writer, simulator.url(), "")
        nonce = challenge.split('nonce="')[1].split('"')[0]

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        first, second = md5("xem:Simulated camera:secret"), md5(f"DESCRIBE:{simulator.url()}")
        answer = f'Digest username="xem", nonce="{nonce}", uri="{simulator.url()}", '
        answer += f'response="{md5(f"{first}:{nonce}:{second}")}"'
        assert "stale=true" in await _ask(reader, writer, simulator.url(), f"Authorization: {answer}\r\n")
        writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str, headers: str) -> str:
    writer.write(f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n{headers}\r\n".encode())
    return (await reader.readuntil(b"\r\n\r\n")).decode()


async def test_rtsps_serves_pictures_behind_tls() -> None:
    context, pem = server_context()
    async with small_simulator(tls=context) as simulator:
        trust = ssl.create_default_context(cadata=pem.decode())
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, ssl=trust)
        assert simulator.url().startswith("rtsps://")
        assert "200 OK" in await _ask(reader, writer, simulator.url(), "")
        writer.close()
        frames = await asyncio.to_thread(_read_with_libav, simulator.url(), 10)
        assert len({m.counter for m in marks(frames)}) == 10


async def test_sound_is_offered_on_request_and_never_sent_unless_set_up(ingest: Ingest) -> None:
    async with small_simulator(audio=True) as simulator:
        sink = await _collect(simulator, ingest, 5)
        assert len(sink.units) >= 5
        assert simulator.audio_set_ups == 0
        await asyncio.to_thread(_read_with_libav, simulator.url(), 5)
    assert simulator.audio_set_ups == 1


async def test_a_session_of_which_nothing_is_heard_ends() -> None:
    async with small_simulator(session_timeout_s=0.5) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        url = simulator.url()
        writer.write(
            f"SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n".encode()
        )
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "timeout=" in answer
        await reader.read()
        assert simulator.sessions_timed_out == 1
        writer.close()


async def test_a_keep_alive_holds_a_session(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xomyen.camera.rtsp_source.UPKEEP_S", 0.1)
    async with small_simulator(session_timeout_s=2, get_parameter=False) as simulator:
        sink = await _collect(simulator, ingest, 90)
        assert len(sink.configs) == 1
        assert simulator.sessions_timed_out == 0
        assert simulator.requests["OPTIONS"] >= 3  # one of them begins the session


async def test_absolute_control_addresses_are_understood(ingest: Ingest) -> None:
    async with small_simulator(absolute_control=True) as simulator:
        assert len((await _collect(simulator, ingest, 5)).units) >= 5


async def test_a_slow_receiver_loses_pictures_and_disturbs_nobody(ingest: Ingest) -> None:
    main = Picturing(640, 360, 25, 24_000_000, gop_s=1.0, seconds=2)
    async with small_simulator(main=main, sub=None, most_pending=200_000) as simulator:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        slow.connect(("127.0.0.1", simulator.port))
        reader, writer = await asyncio.open_connection(sock=slow, limit=1024)
        session = ""
        for method, target in (("SETUP", "/trackID=0"), ("PLAY", "")):
            writer.write(
                f"{method} {simulator.url()}{target} RTSP/1.0\r\nCSeq: 1\r\n{session}"
                "Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n".encode()
            )
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            session = f"Session: {answer.split('Session: ')[1].split(';')[0]}\r\n"
        sink = CollectingSink()
        async with RtspSource(simulator.url(), None, None, sink, ingest):
            await until(lambda: simulator.dropped_pictures > 0, 90)
            so_far = len(sink.units)
            await sink.until(lambda s: len(s.units) > so_far + 25)
        assert sink.lost_packets == 0
        writer.close()


def test_a_picture_without_a_mark_or_with_a_spoilt_one_is_refused() -> None:
    with pytest.raises(NoMarkError):
        read_mark(np.full((360, 640), 90, np.uint8))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"width": 320}, "640"), ({"fps": 60}, "1 to 31"), ({"gop_s": 3.0, "seconds": 10}, "whole groups")],
)
def test_pictures_that_cannot_be_made_are_refused(arguments: dict[str, float], word: str) -> None:
    with pytest.raises(InvalidConfiguration, match=word):
        Picturing(**arguments)


async def test_a_loop_is_encoded_once_and_a_damaged_one_anew(tmp_path: Path) -> None:
    calls: list[int] = []
    for expected in (SMALL.count, 0, SMALL.count):
        calls.clear()
        async with small_simulator(sub=None, cache=tmp_path, progress=lambda done, _total: calls.append(done)):
            assert (calls[-1] if calls else 0) == expected
        if not expected:
            kept = next(tmp_path.glob("*.loop"))
            data = bytearray(kept.read_bytes())
            data[len(data) // 2] ^= 1
            kept.write_bytes(data)
