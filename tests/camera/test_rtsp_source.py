"""A source plays real sockets, comes back after every kind of end, and says in words what is wrong."""

import asyncio
import socket
import struct
from contextlib import AsyncExitStack

import pytest
from tests.rtp_packetiser import interleaved
from tests.rtsp_camera import PASSWORD, USER, RtspCamera
from tests.rtsp_playing import DIGEST, fault_of, once, playing, status, with_pictures
from tests.stream_sinks import RememberingSink

from xomyen.camera import rtsp_source
from xomyen.camera.errors import (
    CameraBusy,
    CameraTimeout,
    CodecNotSupported,
    ConnectionRefused,
    MalformedStream,
    NoRoute,
    NotRtsp,
    RequestRefused,
    SessionLost,
    StreamNotFound,
    WrongPassword,
)
from xomyen.camera.ingest import Ingest
from xomyen.camera.rtsp_source import RtspSource, pause_s
from xomyen.terms.words import GapReason


async def test_only_the_video_track_is_set_up_and_played_and_the_session_is_torn_down():
    async with RtspCamera() as camera:
        async with playing(camera.url) as (source, sink):
            await sink.until(with_pictures(25))
        await camera.until(lambda camera: "TEARDOWN" in camera.methods())
    assert camera.methods() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert camera.requests[2].url == camera.url + "/trackID=1"
    assert camera.requests[3].url == camera.requests[4].url == camera.url
    assert camera.requests[4].get("session") == "12345678"
    assert source.server == "test camera"
    assert (sink.configs[0].width, sink.configs[0].height) == (320, 180)
    assert [unit.key for unit in sink.units[:21]] == [index % 10 == 0 for index in range(21)]
    assert [unit.pts - sink.units[0].pts for unit in sink.units] == [3600 * index for index in range(len(sink.units))]
    assert sink.lost_packets == 0


@pytest.mark.parametrize(
    ("control", "aggregate", "base", "setup", "play"),
    [
        ("trackID=1", "*", "{}/", "{}/trackID=1", "{}/"),
        ("{}/abs/track1", "{}/abs", None, "{}/abs/track1", "{}/abs"),
        ("track1", "session", None, "{}/track1", "{}/session"),
        ("?video", "", None, "{}?video", "{}"),
    ],
)
async def test_control_urls_lead_to_the_right_track(control, aggregate, base, setup, play):
    async with RtspCamera() as camera:
        camera.sdp_control, camera.session_control = control.format(camera.url), aggregate.format(camera.url)
        camera.content_base = base and base.format(camera.url)
        async with playing(camera.url) as (_, sink):
            await sink.until(with_pictures(1))
    assert [request.url for request in camera.requests[2:4]] == [setup.format(camera.url), play.format(camera.url)]


@pytest.mark.parametrize("challenge", ['Basic realm="cam"', DIGEST.format("abc")])
async def test_a_protected_camera_is_played_with_the_right_password(challenge):
    async with RtspCamera(challenge=challenge) as camera, playing(camera.url, USER, PASSWORD) as (_, sink):
        await sink.until(with_pictures(1))
    assert camera.connections == 1


async def test_a_password_in_the_url_is_used_and_never_sent_as_part_of_it():
    async with RtspCamera(challenge=DIGEST.format("abc")) as camera:
        url = camera.url.replace("//", f"//{USER}:{PASSWORD}@")
        async with playing(url) as (_, sink):
            await sink.until(with_pictures(1))
    assert all(PASSWORD not in request.url for request in camera.requests)


async def test_a_wrong_password_is_said_without_being_shown():
    async with RtspCamera(challenge=DIGEST.format("abc")) as camera:
        fault = await fault_of(camera.url, USER, "wr0ng-Pa55")
    assert isinstance(fault, WrongPassword)
    assert fault.exit_code == 23
    assert fault.gap is GapReason.REFUSED
    assert "wr0ng" not in fault.message
    assert camera.methods().count("DESCRIBE") == 2


async def test_a_stale_nonce_between_requests_is_renewed():
    def renewed(camera: RtspCamera, request: object) -> bytes:
        camera.challenge = DIGEST.format("new")
        return status(401, **{"WWW-Authenticate": DIGEST.format("new") + ", stale=true"})(camera, request)

    async with RtspCamera(challenge=DIGEST.format("old")) as camera:
        camera.answers["SETUP"] = once(renewed)
        async with playing(camera.url, USER, PASSWORD) as (_, sink):
            await sink.until(with_pictures(1))
    assert camera.connections == 1


@pytest.mark.parametrize(
    ("method", "code", "kind"),
    [
        ("DESCRIBE", 404, StreamNotFound),
        ("DESCRIBE", 401, WrongPassword),
        ("DESCRIBE", 403, WrongPassword),
        ("DESCRIBE", 500, RequestRefused),
        ("SETUP", 461, RequestRefused),
        ("SETUP", 503, CameraBusy),
        ("PLAY", 453, CameraBusy),
        ("PLAY", 454, SessionLost),
    ],
)
async def test_each_refusal_has_its_kind(method, code, kind):
    async with RtspCamera(answers={method: status(code)}) as camera:
        assert isinstance(await fault_of(camera.url), kind)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NotRtsp),
        (b"\x15\x03\x01\0\x02\x02\x32", NotRtsp),
        (b"RTSP/1.0 200 OK\r\nContent-Length: zzz\r\n\r\n", MalformedStream),
    ],
)
async def test_what_is_not_rtsp_is_named(answer, kind):
    async with RtspCamera(answers={"OPTIONS": lambda *_: answer}) as camera:
        assert isinstance(await fault_of(camera.url), kind)


@pytest.mark.parametrize(
    ("sdp", "kind"),
    [("v=0\nm=video 0 RTP/AVP 26\n", CodecNotSupported), ("<html>", MalformedStream)],
)
async def test_what_cannot_be_recorded_is_said(sdp, kind):
    async with RtspCamera(sdp=sdp) as camera:
        assert isinstance(await fault_of(camera.url), kind)


async def test_a_closed_port_is_refused_and_an_unknown_name_has_no_route():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        refused = await fault_of(f"rtsp://127.0.0.1:{free.getsockname()[1]}/")
    assert isinstance(refused, ConnectionRefused)
    assert isinstance(await fault_of("rtsp://no-such-camera.invalid/"), NoRoute)


async def test_a_server_that_says_nothing_times_out(monkeypatch):
    monkeypatch.setattr("xomyen.camera.rtsp_session.REQUEST_S", 0.3)
    async with RtspCamera(answers={"OPTIONS": lambda *_: b""}) as camera:
        assert isinstance(await fault_of(camera.url), CameraTimeout)


async def test_a_redirect_is_followed_to_the_other_camera():
    async with (
        RtspCamera() as there,
        RtspCamera(answers={"DESCRIBE": status(302, Location=there.url)}) as here,
        playing(here.url) as (_, sink),
    ):
        await sink.until(with_pictures(1))
    assert there.methods()[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


async def test_a_circle_of_redirects_ends():
    async with RtspCamera() as camera:
        camera.answers["DESCRIBE"] = status(301, Location=camera.url)
        assert isinstance(await fault_of(camera.url), MalformedStream)


async def test_a_redirect_in_the_middle_of_the_pictures_is_followed():
    async with RtspCamera() as there:
        redirect = f"REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\nLocation: {there.url}\r\n\r\n".encode()
        async with RtspCamera(frames=12, after=redirect) as here, playing(here.url) as (_, sink):
            await sink.until(lambda sink: len(sink.configs) == 2 and len(sink.units) > 15)
    assert "PLAY" in there.methods()


async def test_the_source_comes_back_after_the_camera_closes_with_a_new_run():
    async with RtspCamera(frames=20, hang_up=True) as camera, playing(camera.url) as (source, sink):
        await sink.until(lambda sink: len(sink.configs) >= 2 and len(sink.units) >= 30)
        assert source.sessions >= 2
    assert sink.ends[0][0] is GapReason.NETWORK
    assert len([unit for unit in sink.units if unit.run == 1]) == 20


async def test_a_camera_that_answers_the_teardown_and_keeps_the_connection_is_left_at_once(monkeypatch):
    monkeypatch.setattr("xomyen.camera.rtsp_connection.LINGER_S", 3600)
    async with RtspCamera(frame_s=0.001) as camera:
        async with asyncio.timeout(100), playing(camera.url) as (_, sink):
            await sink.until(with_pictures(5))
        assert camera.methods()[-1] == "TEARDOWN"


async def test_who_is_cancelled_while_a_source_ends_is_cancelled():
    async def play(url: str) -> None:
        async with playing(url) as (_, sink):
            await sink.until(with_pictures(1))
        await asyncio.sleep(3600)

    # The camera answers the TEARDOWN with nothing, so that the end takes a moment.
    async with RtspCamera(answers={"TEARDOWN": lambda *_: b""}) as camera:
        task = asyncio.create_task(play(camera.url))
        await camera.until(lambda camera: "TEARDOWN" in camera.methods())
        task.cancel()
        await asyncio.wait({task}, timeout=60)
        assert task.cancelled()


async def test_garbage_between_the_pictures_ends_only_that_session():
    async with RtspCamera(frames=15, after=b"\0\1\2" * 40) as camera, RtspCamera() as other:
        sinks = [RememberingSink(), RememberingSink()]
        async with AsyncExitStack() as stack:
            ingest = await stack.enter_async_context(Ingest())
            for sink, url in zip(sinks, [camera.url, other.url], strict=True):
                await stack.enter_async_context(RtspSource(url, None, None, sink, ingest, jitter=lambda: 0.0))
            await sinks[0].until(lambda sink: len(sink.configs) >= 2)
            await sinks[1].until(with_pictures(len(sinks[1].units) + 20))
    assert sinks[0].ends[0][0] is GapReason.REFUSED
    assert sinks[1].ends == []
    assert len(sinks[1].configs) == 1


async def test_silence_ends_the_session(monkeypatch):
    monkeypatch.setattr(rtsp_source, "SILENCE_S", 0.5)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.2)
    async with RtspCamera(frames=12) as camera, playing(camera.url) as (_, sink):
        await sink.until(lambda sink: len(sink.configs) >= 2)
    assert sink.ends[0][0] is GapReason.CAMERA_SILENT


async def test_a_stream_without_keyframes_is_said_but_not_ended(monkeypatch):
    monkeypatch.setattr(rtsp_source, "KEYFRAME_S", 0.3)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    without_sets = RtspCamera(sdp="v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
    async with without_sets as camera, playing(camera.url) as (source, sink):
        await sink.until(lambda sink: bool(sink.ends))
        await asyncio.sleep(0.5)
        assert source.sessions == 1
    assert sink.ends == [(GapReason.CAMERA_SILENT, "Connected, waiting for a keyframe.")]


async def test_the_session_is_kept_alive_the_way_the_camera_allows(monkeypatch):
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)

    async def kept_alive(public: str, method: str) -> None:
        async with RtspCamera(public=public, session="77;timeout=2") as camera, playing(camera.url) as (_, sink):
            await camera.until(lambda camera: camera.methods()[4:].count(method) >= 2)
            await sink.until(with_pictures(len(sink.units) + 10))
            assert sink.ends == []
        assert camera.requests[4].get("session") == "77"

    await asyncio.gather(
        kept_alive("OPTIONS, GET_PARAMETER", "GET_PARAMETER"),
        kept_alive("OPTIONS, PLAY", "OPTIONS"),
        kept_alive("", "OPTIONS"),
    )


async def test_a_keep_alive_that_the_camera_does_not_know_is_replaced(monkeypatch):
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    unknowing = RtspCamera(session="77;timeout=2", answers={"GET_PARAMETER": status(501)})
    async with unknowing as camera, playing(camera.url) as (_, sink):
        await camera.until(lambda camera: camera.methods()[4:].count("OPTIONS") >= 2)
        assert sink.ends == []
    assert camera.methods().count("GET_PARAMETER") == 1


async def test_a_forgotten_session_is_begun_anew(monkeypatch):
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    forgetful = RtspCamera(session="77;timeout=2", answers={"GET_PARAMETER": once(status(454))})
    async with forgetful as camera, playing(camera.url) as (_, sink):
        await sink.until(lambda sink: len(sink.configs) >= 2)
    assert "454" in sink.ends[0][1]


async def test_pictures_ahead_of_the_answer_to_play_are_kept():
    async with RtspCamera(early=True) as camera, playing(camera.url) as (_, sink):
        await sink.until(with_pictures(5))
    assert sink.units[0].data[4:] == b"\x65" + bytes(50)


async def test_the_cameras_clock_is_measured_and_answered():
    day = 86_400 * 1_000_000_000
    async with RtspCamera(wall_offset_ns=-day) as camera, playing(camera.url) as (_, sink):
        await sink.until(lambda sink: len(sink.offsets) >= 5)
        await camera.until(lambda camera: bool(camera.reports))
    assert all(abs(offset + day) < day // 100 for offset in sink.offsets)
    assert camera.reports[0][1] == 201


async def test_no_password_reaches_the_log(capsys):
    async with RtspCamera(challenge=DIGEST.format("abc")) as camera:
        url = camera.url.replace("//", f"//{USER}:{PASSWORD}@")
        async with playing(url) as (_, sink):
            await sink.until(with_pictures(1))
        camera.challenge = DIGEST.format("abc") + ', realm="other"'
        await fault_of(camera.url.replace("//", f"//{USER}:wr0ng-Pa55@"))
    shown = capsys.readouterr()
    assert PASSWORD not in shown.out + shown.err
    assert "wr0ng" not in shown.out + shown.err


async def test_a_redirect_to_another_host_does_not_get_the_password_itself():
    async with RtspCamera(challenge='Basic realm="cam"') as there:
        elsewhere = there.url.replace("127.0.0.1", "localhost")
        async with RtspCamera(answers={"DESCRIBE": status(302, Location=elsewhere)}) as here:
            assert isinstance(await fault_of(here.url, USER, PASSWORD), WrongPassword)
    assert "DESCRIBE" in there.methods()
    assert all(request.get("authorization") == "" for request in there.requests)


async def test_the_channels_that_the_camera_chooses_are_used():
    async with RtspCamera(channel=4) as camera, playing(camera.url) as (_, sink):
        await sink.until(with_pictures(20))


async def test_requests_of_the_camera_are_answered():
    asking = b"OPTIONS rtsp://us RTSP/1.0\r\nCSeq: 5\r\n\r\nPAUSE rtsp://us RTSP/1.0\r\nCSeq: 6\r\n\r\n"
    async with RtspCamera(frames=5, after=asking) as camera, playing(camera.url) as (_, sink):
        await camera.until(lambda camera: len(camera.responses) == 2)
        assert sink.ends == []
    assert [(answer.status, answer.sequence) for answer in camera.responses] == [(200, 5), (501, 6)]


async def test_a_goodbye_shortens_the_wait(monkeypatch):
    monkeypatch.setattr(rtsp_source, "GOODBYE_S", 0.2)
    monkeypatch.setattr(rtsp_source, "SILENCE_S", 3600.0)
    monkeypatch.setattr(rtsp_source, "UPKEEP_S", 0.1)
    goodbye = interleaved(1, struct.pack(">BBHI", 0x81, 203, 1, 0xC0FFEE))
    async with RtspCamera(frames=12, after=goodbye) as camera, playing(camera.url) as (_, sink):
        await sink.until(lambda sink: len(sink.configs) >= 2)


def test_pauses_double_up_to_a_limit_and_are_spread_by_chance():
    assert [pause_s(failures, 1.0) for failures in range(8)] == [1, 1, 2, 4, 8, 16, 30, 30]
    assert pause_s(1000, 0.0) == 15
    assert pause_s(0, 0.0) == 0.5
