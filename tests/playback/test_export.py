"""An export holds one clip per run and a manifest, whole or not at all."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode

from xomyen.playback.export import DamagedFootage, Export, ExportOrder, plan_export, write_export
from xomyen.proof.manifest import InvalidManifest, Manifest, TakenRecord
from xomyen.proof.verify import Verdict, verify
from xomyen.recording.rows import Gap, Segment
from xomyen.terms.errors import AlreadyThere, NoFootage
from xomyen.terms.ids import new_id
from xomyen.terms.words import GapReason, StreamName

NOW_NS = START_NS + 10**12


class Index:
    """The index of the footage a test made, as far as an export asks."""

    def __init__(self, footage: Footage, gaps: list[Gap] | None = None) -> None:
        self.footage = footage
        self.recorded_gaps = gaps or []

    def segments(self, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> list[Segment]:
        return [one for one in self.footage.segments if one.start_ns < to_ns and one.end_ns > from_ns]

    def gaps(self, camera: str, stream: StreamName, from_ns: int, to_ns: int) -> list[Gap]:
        return [gap for gap in self.recorded_gaps if gap.start_ns < to_ns]


def plan(footage: Footage, first: int, end: int, gaps: list[Gap] | None = None, checkpoint=None) -> Export:  # type: ignore[no-untyped-def]
    from_ns, to_ns = START_NS + first * FRAME_NS, START_NS + end * FRAME_NS
    order = ExportOrder(footage.node, footage.camera, "Cổng chợ", footage.stream, from_ns, to_ns)
    return plan_export(Index(footage, gaps), order, checkpoint)  # type: ignore[arg-type]


@pytest.fixture
def footage(tmp_path: Path) -> Footage:
    made = Footage(tmp_path / "video")
    made.record(*encode(100))
    made.record(*encode(100, b_frames=3), start_ns=START_NS + 150 * FRAME_NS)
    return made


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_an_export_has_a_clip_per_run_and_is_authentic(footage: Footage, tmp_path: Path, name: str) -> None:
    gap = Gap("x", START_NS + 100 * FRAME_NS, START_NS + 150 * FRAME_NS, GapReason.NETWORK, "connection lost")
    path = tmp_path / name
    told: list[tuple[int, int]] = []
    export = plan(footage, 60, 200, [gap])
    write_export(export, footage.key, path, NOW_NS, progress=lambda *args: told.append(args))
    report = verify(path, [footage.key.public])
    assert (report.verdict, report.findings) == (Verdict.AUTHENTIC, [])
    assert report.manifest is not None
    assert [clip.frames for clip in report.manifest.clips] == [40, 50]
    assert report.manifest.gaps[0].reason is GapReason.NETWORK
    assert [times.first_ns for times in report.times] == [START_NS + n * FRAME_NS for n in (60, 150)]
    assert told[-1] == (export.media_bytes, export.media_bytes)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert archive.namelist()[-2:] == ["manifest.json", "manifest.sig"]
            archive.extractall(tmp_path / "unpacked")
        path = tmp_path / "unpacked"
        assert verify(path, [footage.key.public]).verdict is Verdict.AUTHENTIC
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["camera_name"] == "Cổng chợ"
    one = verify(path / manifest["clips"][1]["file"], [footage.key.public])
    assert (one.verdict, one.files) == (Verdict.AUTHENTIC, [manifest["clips"][1]["file"]])


def test_an_export_says_by_whom_and_what_for_and_it_cannot_be_said_otherwise(footage: Footage, tmp_path: Path) -> None:
    taken = TakenRecord(subject=f"user:{new_id()}", purpose="Vụ việc 3", ticket=new_id(), issued_ns=NOW_NS)
    planned = plan(footage, 60, 90)
    write_export(replace(planned, order=replace(planned.order, taken=taken)), footage.key, tmp_path / "x", NOW_NS)
    report = verify(tmp_path / "x", [footage.key.public])
    assert report.verdict is Verdict.AUTHENTIC
    assert report.manifest is not None
    assert (report.manifest.version, report.manifest.taken) == (2, taken)
    manifest = tmp_path / "x" / "manifest.json"
    text = manifest.read_bytes()
    manifest.write_bytes(text.replace(b"user:", b"usex:"))
    assert verify(tmp_path / "x", [footage.key.public]).verdict is Verdict.ALTERED
    for other in (text.replace(b'"version":2', b'"version":1'), text.replace(b'"taken":{', b'"took":{')):
        with pytest.raises(InvalidManifest):
            Manifest.decode(other)


def test_an_export_from_before_takers_were_named_is_read_as_it_was_written(footage: Footage, tmp_path: Path) -> None:
    write_export(plan(footage, 60, 90), footage.key, tmp_path / "x", NOW_NS)
    text = (tmp_path / "x" / "manifest.json").read_bytes()
    assert b'"version":1' in text
    assert b"taken" not in text
    assert verify(tmp_path / "x", [footage.key.public]).verdict is Verdict.AUTHENTIC
    with pytest.raises(InvalidManifest):
        Manifest.decode(text.replace(b'"version":1', b'"taken":null,"version":1'))


def test_a_segment_being_written_is_sealed_first_and_exported_up_to_there(tmp_path: Path) -> None:
    footage = Footage(tmp_path / "video")
    footage.record(*encode(130), leave_open=True, checkpoint_after=2)
    asked: list[bool] = []
    export = plan(footage, 60, 500, checkpoint=lambda: asked.append(True))
    assert asked == [True]
    write_export(export, footage.key, tmp_path / "out", NOW_NS)
    report = verify(tmp_path / "out", [footage.key.public])
    assert (report.verdict, report.findings) == (Verdict.AUTHENTIC, [])
    # The last segment begins at picture 100 and its two sealed fragments hold 24.
    assert report.times[0].last_ns == START_NS + 123 * FRAME_NS


def test_what_exists_is_not_overwritten_unless_told_to(footage: Footage, tmp_path: Path) -> None:
    for path in (tmp_path / "out", tmp_path / "out.zip"):
        export = plan(footage, 0, 10)
        write_export(export, footage.key, path, NOW_NS)
        with pytest.raises(AlreadyThere):
            write_export(export, footage.key, path, NOW_NS)
        write_export(export, footage.key, path, NOW_NS, overwrite=True)
        assert verify(path, [footage.key.public]).verdict is Verdict.AUTHENTIC


@pytest.mark.parametrize("content", ["letter.txt", "holiday.mp4", "deeper/manifest.json"])
def test_a_folder_that_is_no_export_is_never_replaced(footage: Footage, tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine" / content
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(AlreadyThere, match="not replaced"):
        write_export(plan(footage, 0, 10), footage.key, tmp_path / "mine", NOW_NS, overwrite=True)
    assert file.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".part")] == []


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_failed_export_leaves_nothing_behind(footage: Footage, tmp_path: Path, name: str) -> None:
    export = plan(footage, 0, 300)
    Path(footage.segments[-1].path).unlink()
    with pytest.raises(FileNotFoundError):
        write_export(export, footage.key, tmp_path / "there" / name, NOW_NS)
    assert list((tmp_path / "there").iterdir()) == []


def test_damaged_footage_is_named_not_exported_as_if_nothing_were(footage: Footage, tmp_path: Path) -> None:
    export = plan(footage, 0, 100)
    path = Path(footage.segments[0].path)
    content = bytearray(path.read_bytes())
    at = content.index(b"trun", content.index(b"trun") + 4)
    content[at : at + 4] = b"nurt"
    path.write_bytes(content)
    with pytest.raises(DamagedFootage, match=str(path)):
        plan(footage, 0, 100)
    path.write_bytes(content[:200])
    with pytest.raises(DamagedFootage, match="ends early"):
        write_export(export, footage.key, tmp_path / "out", NOW_NS)
    path.unlink()
    with pytest.raises(NoFootage, match=str(path)):
        plan(footage, 0, 100)


def test_what_the_disk_changed_is_found_by_verification(footage: Footage, tmp_path: Path) -> None:
    path = Path(footage.segments[0].path)
    content = bytearray(path.read_bytes())
    content[content.index(b"mdat") + 50] ^= 1
    path.write_bytes(content)
    write_export(plan(footage, 0, 100), footage.key, tmp_path / "out", NOW_NS)
    report = verify(tmp_path / "out", [footage.key.public])
    assert report.verdict is Verdict.ALTERED
    assert report.findings[0].segment == footage.segments[0].id


def test_nothing_sealed_is_nothing_to_export(tmp_path: Path) -> None:
    footage = Footage(tmp_path)
    footage.record(*encode(30), leave_open=True)
    with pytest.raises(NoFootage):
        plan(footage, 0, 30)


def test_a_lost_segment_makes_the_export_incomplete(tmp_path: Path) -> None:
    footage = Footage(tmp_path / "video")
    footage.record(*encode(150))
    del footage.segments[1]
    write_export(plan(footage, 0, 150), footage.key, tmp_path / "out", NOW_NS)
    report = verify(tmp_path / "out", [footage.key.public])
    assert (report.verdict, len(report.findings)) == (Verdict.INCOMPLETE, 1), report.findings
    assert "Between segments 1 and 3" in report.findings[0].text


def test_two_exports_of_one_order_differ_in_nothing(footage: Footage, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_export(plan(footage, 10, 20), footage.key, tmp_path / name, NOW_NS)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_order_for_another_camera_name_changes_only_the_manifest(footage: Footage, tmp_path: Path) -> None:
    export = plan(footage, 10, 20)
    other = replace(export, order=replace(export.order, camera_name="Ngã tư"))
    for name, order in (("a", export), ("b", other)):
        write_export(order, footage.key, tmp_path / name, NOW_NS)
    different = [
        file.name
        for file in (tmp_path / "a").iterdir()
        if file.read_bytes() != (tmp_path / "b" / file.name).read_bytes()
    ]
    assert sorted(different) == ["manifest.json", "manifest.sig"]
