"""Exports as ZIP files, what only looks like one, and files beside what was signed."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.proof_original import NOW_NS, Original, clip_of, record

from xomyen.playback.export import zip_chunks
from xomyen.proof.package import NotAnExport
from xomyen.proof.verify import Verdict, verify

CALLS_ITSELF_ONE = b'"xomyen-export"'


def make_zip(path: Path, entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_with_tricks_are_no_exports(original: Original, tmp_path: Path) -> None:
    entries = [(file.name, file.read_bytes()) for file in original.folder.iterdir()]
    assert verify(make_zip(tmp_path / "good.zip", entries), original.trusted).verdict is Verdict.AUTHENTIC
    bad = {
        "path traversal": [*entries, ("../../evil.mp4", b"x")],
        "absolute": [*entries, ("/etc/passwd", b"x")],
        "duplicate": [*entries, entries[0]],
        "empty": [],
        "no manifest": [entry for entry in entries if entry[0] != "manifest.json"],
    }
    for name, content in bad.items():
        with pytest.raises(NotAnExport):
            verify(make_zip(tmp_path / f"{name}.zip", content), original.trusted)
    with pytest.raises(NotAnExport, match="compressed"):
        verify(make_zip(tmp_path / "bomb.zip", [*entries, ("z.mp4", bytes(1 << 20))], zipfile.ZIP_DEFLATED), [])
    whole = (tmp_path / "good.zip").read_bytes()
    for length in (30, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(NotAnExport):
            verify(tmp_path / "cut.zip", original.trusted)


def test_a_changed_byte_inside_a_zip_is_placed_in_the_clip(original: Original, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(b"".join(zip_chunks(original.export, original.footage.key, NOW_NS)))
    segment = record(original)["segments"][0]
    content = bytearray(path.read_bytes())
    clip = clip_of(original.folder).read_bytes()
    content[content.index(clip) + segment["offset"] + 5] ^= 1
    path.write_bytes(content)
    report = verify(path, original.trusted)
    assert (report.verdict, report.findings[0].start) == (Verdict.ALTERED, segment["offset"])


@given(st.binary(max_size=400).filter(lambda garbage: CALLS_ITSELF_ONE not in garbage))
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_garbage_is_no_export(tmp_path_factory: Any, garbage: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "garbage"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(garbage)
    (folder / "manifest.sig").write_bytes(garbage)
    (folder / "x.zip").write_bytes(b"PK\3\4" + garbage)
    for path in (folder, folder / "x.zip", folder / "nothing-here"):
        with pytest.raises(NotAnExport):
            verify(path, [])


def test_garbage_that_calls_itself_an_export_is_an_altered_one(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(CALLS_ITSELF_ONE)
    (tmp_path / "manifest.sig").write_bytes(b"")
    assert verify(tmp_path, []).verdict is Verdict.ALTERED


def test_another_file_beside_the_manifest_is_not_what_it_names(original: Original, copy: Path) -> None:
    shutil.copy(clip_of(copy), copy / "other.mp4")
    with pytest.raises(NotAnExport):
        verify(copy / "other.mp4", original.trusted)
    (copy / "other.mp4").unlink()
    assert verify(clip_of(copy), original.trusted).verdict is Verdict.AUTHENTIC


def test_what_lies_beside_the_clips_is_named_as_not_checked(original: Original, copy: Path, tmp_path: Path) -> None:
    assert verify(copy, original.trusted).not_checked == []
    shutil.copy(clip_of(copy), copy / "Trước đó.mp4")
    assert verify(copy, original.trusted).not_checked == ["Trước đó.mp4"]
    assert verify(copy / record(original)["file"], original.trusted).not_checked == []
    path = make_zip(tmp_path / "more.zip", [(file.name, file.read_bytes()) for file in copy.iterdir()])
    assert verify(path, original.trusted).not_checked == ["Trước đó.mp4"]
