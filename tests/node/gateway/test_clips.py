"""Clips and exports over HTTP."""

import errno
import io
import zipfile
from pathlib import Path

import av
import pytest
from tests.gateway_node import FRAME_NS, Node, read_number, seconds

from xomyen.bus import subjects
from xomyen.bus.messages import CheckpointDone, StreamWanted
from xomyen.bus.requests import answer
from xomyen.proof.keys import PublicKey
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName


def _start(node: Node) -> int:
    return (node.clock.wall_ns() // NS_PER_SECOND - 60) * NS_PER_SECOND


def _numbers(data: bytes) -> list[int]:
    with av.open(io.BytesIO(data)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


async def test_a_clip_holds_exactly_the_pictures_asked_for_and_comes_in_ranges(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 200, start)
    first, last = start + 60 * FRAME_NS, start + 140 * FRAME_NS
    path = f"/api/v1/cameras/{camera}/clip?from={format_utc(first)}&to={format_utc(last)}"
    async with node.client(node.ticket()) as client:
        whole = await client.get(path)
        assert whole.status_code == 200, whole.text
        assert whole.headers["content-type"] == "video/mp4"
        shown = _numbers(whole.content)
        assert len(shown) == int(whole.headers["X-Xomyen-Frames"]) == 80
        assert shown == list(range(shown[0], shown[0] + 80))
        assert shown[0] in (60, 61)  # the first picture's time may lie within the millisecond asked for
        head = await client.head(path)
        assert int(head.headers["Content-Length"]) == len(whole.content)
        pieces = b""
        while len(pieces) < len(whole.content):
            part = await client.get(
                path,
                headers={"Range": f"bytes={len(pieces)}-{len(pieces) + 9999}", "If-Range": whole.headers["ETag"]},
            )
            assert part.status_code == 206
            pieces += part.content
        assert pieces == whole.content


async def test_a_range_with_several_runs_is_answered_with_the_runs_to_choose_from(node: Node) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 100, start)
    await node.record(camera, 100, start + seconds(20))
    path = f"/api/v1/cameras/{camera}/clip?from={format_utc(start)}&to={format_utc(start + seconds(30))}"
    async with node.client(node.ticket()) as client:
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "several_runs")
        runs = refused.json()["runs"]
        assert len(runs) == 2
        for run in runs:
            clip = await client.get(f"{path}&run={run['run']}")
            assert clip.status_code == 200
            assert len(clip.content) == run["bytes"]
        strange = await client.get(f"{path}&run=01890000-0000-7000-8000-000000000001")
        assert strange.status_code == 404


async def test_an_export_seals_what_is_being_written_and_proves_itself(node: Node, tmp_path: Path) -> None:
    from xomyen.proof.verify import Verdict, verify

    camera = node.add_camera()
    start = node.clock.wall_ns() - seconds(6)

    async def checkpoint(wanted: StreamWanted) -> CheckpointDone:
        await node.recorder.checkpoint(wanted.camera, wanted.stream)
        return CheckpointDone(segment=None)

    subscription = await answer(node.bus, subjects.service(node.id, "recorder", "checkpoint"), StreamWanted, checkpoint)
    await node.record(camera, 130, start, finish=False)
    from tests.waiting import until

    await until(lambda: node.context.index.open().open_segments())
    assert node.recorder.open_path(camera, StreamName.MAIN)
    path = f"/api/v1/cameras/{camera}/export?from={format_utc(start - seconds(1))}&to={format_utc(start + seconds(5))}"
    token = node.ticket(purpose="Vụ việc 3")
    ticket = node.context.checker.read(token)
    async with node.client(token) as client:
        got = await client.get(path)
    assert got.status_code == 200, got.text
    await subscription.unsubscribe()
    target = tmp_path / "export.zip"
    target.write_bytes(got.content)
    names = zipfile.ZipFile(target).namelist()
    assert sum(name.endswith(".mp4") for name in names) == 1
    report = verify(target, [PublicKey.load(_public(node, tmp_path))])
    assert report.verdict is Verdict.AUTHENTIC, report
    assert report.manifest is not None
    taken = report.manifest.taken
    assert taken is not None
    assert (taken.subject, taken.purpose) == (ticket.subject, ticket.purpose)
    assert (taken.ticket, taken.issuer) == (ticket.id, ticket.issuer)
    assert taken.issued_ns == ticket.issued_s * NS_PER_SECOND


@pytest.mark.parametrize("what", ["clip", "export", "segment"])
async def test_a_file_deleted_after_it_was_looked_up_is_not_found(
    node: Node, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, start = node.add_camera(), _start(node)
    await node.record(camera, 100, start)
    (segment,) = node.context.index.open().all_segments(camera, StreamName.MAIN)
    span = f"from={format_utc(start)}&to={format_utc(start + seconds(3))}"
    path = {"segment": f"main/segments/{segment.id}.mp4"}.get(what, f"{what}?{span}")

    def gone(name: str) -> int:
        raise FileNotFoundError(errno.ENOENT, "being deleted", name)

    async with node.client(node.ticket()) as client:
        assert (await client.get(f"/api/v1/cameras/{camera}/{path}")).status_code == 200
        # The tables are read, then retention is faster than the first byte.
        monkeypatch.setattr("xomyen.playback.clip_bytes.open_shared", gone)
        monkeypatch.setattr("xomyen.playback.file_bytes.open_shared", gone)
        answer = await client.get(f"/api/v1/cameras/{camera}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_footage")


def _public(node: Node, folder: Path) -> Path:
    file = folder / "node.pem"
    file.write_bytes(node.context.signing_key.public.pem)
    return file
