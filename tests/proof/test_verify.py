"""Whatever is changed in an export, verification says so, and where."""

import contextlib
import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode
from tests.proof_original import NOW_NS, Original, clip_of, record

from xomyen.playback.clip import plan_clips
from xomyen.playback.export import Export, ExportOrder, write_export
from xomyen.proof.keys import SigningKey
from xomyen.proof.manifest import Manifest, key_record, sign_manifest
from xomyen.proof.package import NotAnExport
from xomyen.proof.seal import canonical_json
from xomyen.proof.verify import Report, Verdict, verify
from xomyen.terms.words import VideoCodec


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_what_was_exported_is_authentic_and_says_when_by_the_seals(original: Original) -> None:
    report = verify(original.folder, original.trusted)
    assert (report.verdict, report.findings) == (Verdict.AUTHENTIC, [])
    assert report.times[0].first_ns == START_NS + 10 * FRAME_NS
    assert report.times[0].last_ns == START_NS + 139 * FRAME_NS
    assert "removed" in report.cannot_exclude[0]


def test_without_the_key_the_best_verdict_is_unknown_key_with_its_fingerprint(original: Original) -> None:
    report = verify(original.folder, [SigningKey.generate().public])
    assert report.verdict is Verdict.UNKNOWN_KEY
    assert report.fingerprint == original.footage.key.fingerprint
    assert original.footage.key.fingerprint in report.findings[0].text


def test_a_changed_fragment_is_named_with_camera_segment_and_byte_range(original: Original, copy: Path) -> None:
    segment = record(original)["segments"][1]
    start = segment["offset"] + segment["sizes"][0]
    for at in (start + 70, start + segment["sizes"][1] - 1):  # in its moof, in its mdat
        shutil.copy(clip_of(original.folder), clip_of(copy))
        flip(clip_of(copy), at)
        report = verify(copy, original.trusted)
        assert report.verdict is Verdict.ALTERED
        (finding,) = report.findings
        assert finding.camera == original.footage.camera
        assert finding.segment == original.footage.segments[1].id
        assert (finding.start, finding.end) == (start, start + segment["sizes"][1])


def test_a_changed_clip_header_is_named(original: Original, copy: Path) -> None:
    flip(clip_of(copy), record(original)["header_bytes"] // 2)
    (finding,) = verify(copy, original.trusted).findings
    assert (finding.verdict, finding.start, finding.end) == (Verdict.ALTERED, 0, record(original)["header_bytes"])


def test_a_cut_clip_and_a_missing_clip_are_incomplete(original: Original, copy: Path) -> None:
    size = clip_of(copy).stat().st_size
    for length in (size - 1, size // 2, 100, 0):
        with clip_of(copy).open("r+b") as file:
            file.truncate(length)
        report = verify(copy, original.trusted)
        assert report.verdict is Verdict.INCOMPLETE
        assert (report.findings[0].start, report.findings[0].end) == (length, size)
    clip_of(copy).unlink()
    assert verify(copy, original.trusted).verdict is Verdict.INCOMPLETE


def test_added_bytes_dropped_and_swapped_fragments_are_alterations(original: Original, copy: Path) -> None:
    data = clip_of(original.folder).read_bytes()
    segment = record(original)["segments"][0]
    first, second = segment["sizes"][1:3]
    at = segment["offset"] + segment["sizes"][0]
    changed = {
        "added": data + b"x",
        "dropped": data[:at] + data[at + first :],
        "swapped": data[:at] + data[at + first :][:second] + data[at:][:first] + data[at + first + second :],
    }
    for name, content in changed.items():
        clip_of(copy).write_bytes(content)
        assert verify(copy, original.trusted).verdict is Verdict.ALTERED, name


def resigned(original: Original, change: Callable[[dict[str, Any]], None], key: SigningKey, folder: Path) -> Report:
    """The export with a changed manifest, signed again with this key."""
    manifest = json.loads((original.folder / "manifest.json").read_bytes())
    change(manifest)
    manifest["key"] = key_record(key.public).model_dump()
    encoded, signature = sign_manifest(Manifest.decode(canonical_json(manifest)), key)
    (folder / "manifest.json").write_bytes(encoded)
    (folder / "manifest.sig").write_bytes(signature)
    return verify(folder, original.trusted)


def test_a_manifest_signed_again_by_somebody_else_is_of_an_unknown_key(original: Original, copy: Path) -> None:
    stranger = SigningKey.generate()
    report = resigned(original, lambda manifest: None, stranger, copy)
    assert (report.verdict, report.fingerprint) == (Verdict.UNKNOWN_KEY, stranger.fingerprint)


def _swap_leaves(manifest: dict[str, Any]) -> None:
    leaves = manifest["clips"][0]["segments"][0]["leaves"]
    leaves[0], leaves[1] = leaves[1], leaves[0]


def _other_header(manifest: dict[str, Any]) -> None:
    segment = manifest["clips"][0]["segments"][0]
    segment["header"] = segment["header"].replace("76696465", "76696466", 1)


def _drop_last_fragment(manifest: dict[str, Any]) -> None:
    segment = manifest["clips"][0]["segments"][0]
    segment["sizes"].pop()
    segment["leaves"].pop()


def _later(manifest: dict[str, Any]) -> None:
    manifest["clips"][0]["first_ns"] += 1


def _seal_says_more(manifest: dict[str, Any]) -> None:
    seal = manifest["clips"][0]["segments"][0]["seal"]
    seal["statement"] = seal["statement"].replace('"sequence":1,', '"sequence":9,')


def _seal_is_garbage(manifest: dict[str, Any]) -> None:
    manifest["clips"][0]["segments"][0]["seal"]["statement"] = "{}"


def _other_camera(manifest: dict[str, Any]) -> None:
    manifest["camera"] = manifest["node"]


def _other_run(manifest: dict[str, Any]) -> None:
    manifest["clips"][0]["run"] = manifest["node"]


def _short_path(manifest: dict[str, Any]) -> None:
    manifest["clips"][0]["segments"][0]["path"] = ["00" * 32] * 9


@pytest.mark.parametrize(
    "change",
    [_swap_leaves, _other_header, _drop_last_fragment, _later, _seal_says_more, _seal_is_garbage, _other_camera,
     _other_run, _short_path],
)  # fmt: skip
def test_even_who_holds_the_nodes_key_cannot_make_the_seals_say_something_else(
    original: Original, copy: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    assert resigned(original, change, original.footage.key, copy).verdict is Verdict.ALTERED


def _lie(original: Original, folder: Path, lie: Callable[[bytearray], None]) -> Report:
    """An export whose clip's header lies, hashed and signed anew by the node itself."""
    clip = clip_of(folder)
    shutil.copy(clip_of(original.folder), clip)
    data = bytearray(clip.read_bytes())
    lie(data)
    clip.write_bytes(data)

    def hashed(manifest: dict[str, Any]) -> None:
        said = manifest["clips"][0]
        said["sha256"] = hashlib.sha256(data).hexdigest()
        said["header_sha256"] = hashlib.sha256(data[: said["header_bytes"]]).hexdigest()

    return resigned(original, hashed, original.footage.key, folder)


def _add(kind: bytes, at: int, form: str, more: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        place = data.index(kind) + 4 + at
        (value,) = struct.unpack_from(form, data, place)
        struct.pack_into(form, data, place, value + more)

    return change


def _swap_sizes(data: bytearray) -> None:
    at = data.index(b"stsz") + 4 + 12
    data[at : at + 4], data[at + 4 : at + 8] = data[at + 4 : at + 8], data[at : at + 4]


@pytest.mark.parametrize(
    "lie",
    [
        _add(b"elst", 8, ">Q", -5 * 3600),  # ends five pictures early
        _add(b"elst", 8, ">Q", 3600),
        _add(b"elst", 16, ">q", 3600),  # begins a picture late
        _add(b"elst", 16, ">q", 1),
        _add(b"elst", 24, ">H", 1),  # twice as fast
        _add(b"mdhd", 20, ">I", 90_000),
        _add(b"mvhd", 20, ">I", 90_000),
        _add(b"stts", 12, ">I", 1),
        _add(b"stts", 8, ">I", -1),
        _add(b"co64", 8, ">Q", 8),
        _add(b"stsz", 12, ">I", -1),
        _swap_sizes,
    ],
)
def test_a_header_that_shows_the_sealed_pictures_otherwise_is_found_though_the_node_signed_it(
    original: Original, copy: Path, lie: Callable[[bytearray], None]
) -> None:
    assert _lie(original, copy, lambda data: None).verdict is Verdict.AUTHENTIC
    report = _lie(original, copy, lie)
    assert report.verdict is Verdict.ALTERED, report


@pytest.mark.parametrize("codec", [VideoCodec.H264, VideoCodec.H265])
@pytest.mark.parametrize("open_gop", [False, True])
def test_every_range_of_pictures_out_of_order_is_authentic(codec: VideoCodec, open_gop: bool, tmp_path: Path) -> None:
    footage = Footage(tmp_path / "video")
    footage.record(*encode(100, codec, b_frames=3, open_gop=open_gop))
    for first, end in ((0, 100), (1, 2), (23, 27), (24, 25), (25, 26), (26, 77), (49, 51), (74, 99), (98, 100)):
        from_ns, to_ns = START_NS + first * FRAME_NS, START_NS + end * FRAME_NS
        order = ExportOrder(footage.node, footage.camera, "", footage.stream, from_ns, to_ns)
        path = tmp_path / f"{first}-{end}.zip"
        clips = tuple(plan_clips(footage.segments, from_ns, to_ns))
        write_export(Export(order, clips, ()), footage.key, path, NOW_NS)
        report = verify(path, [footage.key.public])
        assert (report.verdict, report.findings) == (Verdict.AUTHENTIC, [])
        assert report.times[0].frames == end - first


def test_a_number_of_pictures_that_the_clip_does_not_show_is_found(original: Original, copy: Path) -> None:
    def fewer(manifest: dict[str, Any]) -> None:
        manifest["clips"][0]["frames"] -= 1

    assert resigned(original, fewer, original.footage.key, copy).verdict is Verdict.ALTERED


def test_a_segment_left_out_is_incomplete(original: Original, copy: Path, tmp_path: Path) -> None:
    kept = [original.footage.segments[0], original.footage.segments[2]]
    order = original.export.order
    export = Export(order, tuple(plan_clips(kept, order.from_ns, order.to_ns)), ())
    write_export(export, original.footage.key, tmp_path / "holey", NOW_NS)
    report = verify(tmp_path / "holey", original.trusted)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.findings[0].segment == kept[1].id


def test_footage_of_another_camera_under_this_cameras_name_is_altered(original: Original, tmp_path: Path) -> None:
    other = Footage(tmp_path / "video", key=original.footage.key, node=original.footage.node)
    other.record(*encode(100))
    order = original.export.order
    export = Export(order, tuple(plan_clips(other.segments, order.from_ns, order.to_ns)), ())
    write_export(export, original.footage.key, tmp_path / "spliced", NOW_NS)
    report = verify(tmp_path / "spliced", original.trusted)
    assert report.verdict is Verdict.ALTERED
    assert other.camera in report.findings[0].text


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_single_changed_byte_is_authentic(original: Original, tmp_path_factory: Any, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "one-byte"
    shutil.copytree(original.folder, folder, dirs_exist_ok=True)
    file = folder / data.draw(st.sampled_from(sorted(file.name for file in original.folder.iterdir())))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    with contextlib.suppress(NotAnExport):
        assert verify(folder, original.trusted).verdict is not Verdict.AUTHENTIC


def test_every_byte_of_manifest_and_signature_counts(original: Original, copy: Path) -> None:
    for name in ("manifest.json", "manifest.sig"):
        content = (original.folder / name).read_bytes()
        for at in range(0, len(content), max(1, len(content) // 150)):
            (copy / name).write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
            try:
                report = verify(copy, original.trusted)
            except NotAnExport:
                continue
            assert report.verdict is Verdict.ALTERED
        (copy / name).write_bytes(content)
