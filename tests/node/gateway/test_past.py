"""The past over HTTP: timeline, HLS, recorded files, stills."""

import re
import subprocess
from pathlib import Path

import av
import httpx
import pytest
from tests.gateway_node import FRAME_NS, GOP, Node, read_jpeg, read_number, running_node, seconds

from xomyen.access.tickets import Action
from xomyen.terms.time import NS_PER_SECOND, ManualClock, SystemClock, format_utc, parse_time
from xomyen.terms.words import StreamName, VideoCodec

FRAMES = 400


def _start(node: Node) -> int:
    # On a whole millisecond, so that times in the interface name pictures exactly.
    return (node.clock.wall_ns() // NS_PER_SECOND - 120) * NS_PER_SECOND


async def test_the_timeline_shows_what_was_recorded_and_its_keyframes(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, FRAMES, start)
    async with node.client(node.ticket()) as client:
        answer = await client.get(
            f"/api/v1/cameras/{camera}/timeline",
            params={"from": format_utc(start - seconds(60)), "to": format_utc(start + seconds(60))},
        )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["first"] == format_utc(start)
    assert [span["from"] for span in found["spans"]] == [format_utc(start)]
    assert abs(parse_time(found["spans"][0]["to"], 0) - (start + FRAMES * FRAME_NS)) <= FRAME_NS
    expected = [start + number * FRAME_NS for number in range(0, FRAMES, GOP)]
    assert [parse_time(at, 0) for at in found["keyframes"]] == pytest.approx(expected, abs=1_000_000)


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("h265", 0)])
async def test_a_still_is_the_picture_shown_at_that_instant(node: Node, codec: str, b_frames: int) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 120, start, codec=VideoCodec(codec), b_frames=b_frames)
    async with node.client(node.ticket()) as client:
        keyframes = await _first_picture(client, camera, start)
        for number in (0, 1, 49, 50, 77, 119):
            at = keyframes + number * FRAME_NS + FRAME_NS // 2
            answer = await client.get(f"/api/v1/cameras/{camera}/still", params={"at": format_utc(at), "width": 320})
            assert answer.status_code == 200, answer.text
            assert read_number(read_jpeg(answer.content)) == number
            shown = parse_time(answer.headers["X-Xomyen-Time"], 0)
            assert abs(shown - (keyframes + number * FRAME_NS)) < 2_000_000
            # The time that was told names the same picture again.
            again = await client.get(
                f"/api/v1/cameras/{camera}/still", params={"at": answer.headers["X-Xomyen-Time"], "width": 320}
            )
            assert read_number(read_jpeg(again.content)) == number


async def _first_picture(client: httpx.AsyncClient, camera: str, start: int) -> int:
    """When the first picture was shown, by the timeline."""
    found = await client.get(
        f"/api/v1/cameras/{camera}/timeline",
        params={"from": format_utc(start - seconds(5)), "to": format_utc(start + seconds(20))},
    )
    return parse_time(found.json()["keyframes"][0], 0)


async def test_a_still_at_keyframe_precision_is_the_keyframe_before(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 120, start)
    async with node.client(node.ticket()) as client:
        answer = await client.get(
            f"/api/v1/cameras/{camera}/still",
            params={"at": format_utc(start + 77 * FRAME_NS), "width": 160, "precision": "keyframe"},
        )
    picture = read_jpeg(answer.content)
    assert picture.shape[1] == 160
    assert read_number(picture) == 50


async def test_a_still_at_keyframe_precision_is_never_older_than_the_ticket_allows(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 120, start)
    begin = start + 70 * FRAME_NS
    async with node.client(node.ticket(start_ns=begin)) as client:
        answer = await client.get(
            f"/api/v1/cameras/{camera}/still",
            params={"at": format_utc(start + 77 * FRAME_NS), "width": 160, "precision": "keyframe"},
        )
    assert answer.status_code == 200, answer.text
    assert parse_time(answer.headers["X-Xomyen-Time"], 0) >= begin
    assert read_number(read_jpeg(answer.content)) == 77


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("h265", 0)])
async def test_ffmpeg_plays_every_recorded_picture_from_the_playlist(
    node: Node, tmp_path: Path, codec: str, b_frames: int
) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, FRAMES, start, codec=VideoCodec(codec), b_frames=b_frames)
    token = node.ticket()
    query = f"from={format_utc(start - seconds(1))}&to={format_utc(start + seconds(60))}"
    numbers = await _played(node, token, f"/api/v1/cameras/{camera}/main/index.m3u8?{query}", tmp_path)
    assert numbers == list(range(FRAMES))


async def _played(node: Node, token: str, path: str, folder: Path) -> list[int]:
    """The numbers of the pictures that ffmpeg shows."""
    import asyncio

    target = folder / "played.nut"
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "warning", "-headers", f"Authorization: Bearer {token}\r\n"),
        *("-i", node.address.url + path, "-fps_mode", "passthrough", "-c:v", "ffv1", str(target)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    with av.open(str(target)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


async def test_a_playlist_names_whole_groups_with_their_wall_time(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, FRAMES, start)
    async with node.client(node.ticket()) as client:
        answer = await client.get(
            f"/api/v1/cameras/{camera}/main/index.m3u8",
            params={"from": format_utc(start), "to": format_utc(start + seconds(60))},
        )
        assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
        lines = answer.text.splitlines()
        assert lines[0] == "#EXTM3U"
        assert lines[-1] == "#EXT-X-ENDLIST"
        assert "#EXT-X-INDEPENDENT-SEGMENTS" in lines
        times = [parse_time(line.split(":", 1)[1], 0) for line in lines if "PROGRAM-DATE-TIME" in line]
        assert times == pytest.approx([start + n * FRAME_NS for n in range(0, FRAMES, GOP)], abs=1_000_000)
        lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF")]
        assert lengths == pytest.approx([GOP / 25] * len(times), abs=0.001)
        ranges = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)", answer.text)
        assert len(ranges) == len(times)
        for length, offset, name in ranges:
            part = await client.get(
                f"/api/v1/cameras/{camera}/main/{name}",
                headers={"Range": f"bytes={offset}-{int(offset) + int(length) - 1}"},
            )
            assert part.status_code == 206
            assert part.content[4:8] == b"moof"
            assert len(part.content) == int(length)


async def test_a_break_in_recording_is_a_discontinuity_with_a_header_of_its_own(node: Node, tmp_path: Path) -> None:
    camera, start = node.add_camera(), _start(node)
    later = start + seconds(30)
    await node.record(camera, 100, start)
    await node.record(camera, 150, later, b_frames=2)
    token = node.ticket()
    playlist = f"/api/v1/cameras/{camera}/main/index.m3u8?from={{}}&to={format_utc(start + seconds(60))}"
    async with node.client(token) as client:
        answer = await client.get(playlist.format(format_utc(start)))
    assert answer.text.count("#EXT-X-DISCONTINUITY\n#EXT-X-MAP") == 1
    assert answer.text.count("#EXT-X-MAP") == 2
    # ffmpeg's HLS reader keeps the first header for ever, so it is shown the second run alone.
    assert await _played(node, token, playlist.format(format_utc(later)), tmp_path) == [*range(150)]


async def test_ffmpeg_plays_on_over_a_break_between_runs_of_the_same_coding(node: Node, tmp_path: Path) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 100, start)
    await node.record(camera, 150, start + seconds(30))
    query = f"from={format_utc(start)}&to={format_utc(start + seconds(60))}"
    played = await _played(node, node.ticket(), f"/api/v1/cameras/{camera}/main/index.m3u8?{query}", tmp_path)
    assert played[:100] == [*range(100)]
    # Its reader leaves out the first fragment behind a break, whose media time it has seen before.
    after = played[100:]
    assert after[0] < GOP
    assert after == list(range(after[0], 150))


async def test_the_live_edge_grows_by_whole_groups_and_never_shows_half_a_fragment(node: Node) -> None:
    camera = node.add_camera()
    start = node.clock.wall_ns() - seconds(30)
    path = f"/api/v1/cameras/{camera}/main/index.m3u8?from={format_utc(start - seconds(1))}"
    await node.record(camera, 130, start, finish=False)
    from tests.waiting import until

    async with node.client(node.ticket()) as client:

        async def listed() -> str | None:
            answer = await client.get(path)
            return answer.text if answer.status_code == 200 and answer.text.count("#EXTINF") == 2 else None

        playlist = await until(listed)
        assert "#EXT-X-ENDLIST" not in playlist
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in playlist
        name = re.findall(r"\n(segments/\S+)", playlist)[-1]
        whole = await client.get(f"/api/v1/cameras/{camera}/main/{name}")
        at = 0
        while at < len(whole.content):
            size = int.from_bytes(whole.content[at : at + 4], "big")
            assert at + size <= len(whole.content)
            at += size


async def test_a_browser_without_h265_gets_the_h264_sub_stream_of_the_past(node: Node, tmp_path: Path) -> None:
    camera, start = node.add_camera(sub=True), _start(node)
    await node.record(camera, 100, start, codec=VideoCodec.H265)
    await node.record(camera, 100, start, stream=StreamName.SUB)
    token = node.ticket()
    path = f"/api/v1/cameras/{camera}/main/index.m3u8?from={format_utc(start)}&to={format_utc(start + seconds(60))}"
    async with node.client(token) as client:
        answer = await client.get(path + "&codecs=h264")
        assert answer.headers["X-Xomyen-Note"] == "sub_instead"
        as_is = await client.get(path + "&codecs=h264,h265")
        assert "X-Xomyen-Note" not in as_is.headers
    assert await _played(node, token, path + "&codecs=h264", tmp_path) == list(range(100))


async def test_a_browser_without_h265_gets_a_conversion_where_there_is_no_sub_stream(
    node: Node, tmp_path: Path
) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 150, start, codec=VideoCodec.H265)
    token = node.ticket()
    path = f"/api/v1/cameras/{camera}/main/index.m3u8?from={format_utc(start)}&to={format_utc(start + seconds(60))}"
    async with node.client(token) as client:
        answer = await client.get(path + "&codecs=h264")
        assert answer.headers["X-Xomyen-Note"] == "transcoded"
    assert await _played(node, token, path + "&codecs=h264", tmp_path) == list(range(150))


async def test_recorded_files_are_served_by_ranges_with_a_strong_tag(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 100, start)
    segment = node.context.index.open().all_segments(camera, StreamName.MAIN)[0]
    stored = Path(segment.path).read_bytes()
    path = f"/api/v1/cameras/{camera}/main/segments/{segment.id}.mp4"
    async with node.client(node.ticket()) as client:
        whole = await client.get(path)
        assert (whole.status_code, whole.content) == (200, stored)
        tag = whole.headers["ETag"]
        assert tag.startswith('"')
        part = await client.get(path, headers={"Range": "bytes=100-199", "If-Range": tag})
        assert (part.status_code, part.content) == (206, stored[100:200])
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(stored)}"
        tail = await client.get(path, headers={"Range": "bytes=-10"})
        assert tail.content == stored[-10:]
        changed = await client.get(path, headers={"Range": "bytes=100-199", "If-Range": '"other"'})
        assert (changed.status_code, len(changed.content)) == (200, len(stored))
        beyond = await client.get(path, headers={"Range": f"bytes={len(stored)}-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(stored)}")
        same = await client.get(path, headers={"If-None-Match": tag})
        assert same.status_code == 304
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["Content-Length"]) == len(stored)


async def test_who_may_keep_what_is_seen_now_gets_the_newest_picture_and_nothing_of_before(node: Node) -> None:
    camera, start = node.add_camera(), node.clock.wall_ns() - seconds(5)
    await node.record(camera, 120, start)
    path = f"/api/v1/cameras/{camera}/still"
    live, still = Action.LIVE, Action.STILL
    async with node.client(node.ticket(actions=(live, still))) as client:
        newest = await client.get(path, params={"width": 160})
        assert read_number(read_jpeg(newest.content)) == 119
        just_now = await client.get(path, params={"at": format_utc(start + 70 * FRAME_NS), "width": 160})
        assert just_now.status_code == 200
        before = await client.get(path, params={"at": format_utc(start - seconds(60)), "width": 160})
        assert (before.status_code, before.json()["code"]) == (403, "action_not_allowed")
        timeline = {"from": format_utc(start), "to": format_utc(start + seconds(2))}
        assert (await client.get(f"/api/v1/cameras/{camera}/timeline", params=timeline)).status_code == 403
    async with node.client(node.ticket(actions=(live,))) as client:
        assert (await client.get(path, params={"width": 160})).status_code == 403
    async with node.client(node.ticket(actions=(live, still), greatest_width=160)) as client:
        reduced = await client.get(path)
        assert read_jpeg(reduced.content).shape[1] == 160


async def test_a_keyframe_of_before_is_no_picture_of_now(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().wall_ns())
    async with running_node(tmp_path, clock) as node:
        camera = node.add_camera()
        await node.record(camera, 60, clock.wall_ns() - seconds(31), gop=60)
        path = f"/api/v1/cameras/{camera}/still"
        params = {"width": 160, "precision": "keyframe"}
        async with node.client(node.ticket(actions=(Action.LIVE, Action.STILL))) as client:
            assert read_number(read_jpeg((await client.get(path, params=params)).content)) == 59
        async with node.client(node.ticket()) as client:
            assert read_number(read_jpeg((await client.get(path, params=params)).content)) == 0


async def test_a_camera_that_has_sent_nothing_lately_has_no_newest_picture(node: Node) -> None:
    camera = node.add_camera()
    await node.record(camera, 60, node.clock.wall_ns() - seconds(120))
    async with node.client(node.ticket()) as client:
        answer = await client.get(f"/api/v1/cameras/{camera}/still")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_footage")
