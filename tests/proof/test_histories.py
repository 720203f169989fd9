"""What an export says of a chain whose seals were made late, anew after a fault, or twice."""

from pathlib import Path

import pytest
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode

from xomyen.playback.clip import plan_clips
from xomyen.playback.export import Export, ExportOrder, write_export
from xomyen.proof.verify import Report, Verdict, verify
from xomyen.recording.rows import Segment

NOW_NS = START_NS + 10**12
MINUTE_NS = 60 * 25 * FRAME_NS


def exported(footage: Footage, to: Path, segments: list[Segment] | None = None) -> Report:
    """All of the footage, or these segments of it, exported and verified."""
    kept = footage.segments if segments is None else segments
    order = ExportOrder(footage.node, footage.camera, "", footage.stream, START_NS, START_NS + 10**12)
    write_export(Export(order, tuple(plan_clips(kept, order.from_ns, order.to_ns)), ()), footage.key, to, NOW_NS)
    return verify(to, [footage.key.public])


@pytest.mark.parametrize("mended", [2, 3])
def test_a_segment_that_was_sealed_anew_after_a_fault_of_the_disk_is_not_altered(tmp_path: Path, mended: int) -> None:
    footage = Footage(tmp_path / "video", mended=frozenset({mended}))
    footage.record(*encode(150))  # segments 1 to 3 of one run, what follows the mended one names the seal that was lost
    footage.record(*encode(50), start_ns=START_NS + MINUTE_NS)
    report = exported(footage, tmp_path / "export")
    assert (report.verdict, report.findings) == (Verdict.AUTHENTIC, [])
    holey = exported(footage, tmp_path / "holey", [footage.segments[0], *footage.segments[2:]])
    assert holey.verdict is Verdict.INCOMPLETE


def test_a_segment_that_took_its_seal_late_misses_nothing_and_a_hole_is_still_found(tmp_path: Path) -> None:
    footage = Footage(tmp_path / "video")
    footage.record(*encode(50))
    first = footage.previous
    footage.previous = "a" * 64  # its disk was full: its seal was made after one that is not in this export
    footage.record(*encode(50), start_ns=START_NS + MINUTE_NS)
    footage.previous = first
    footage.record(*encode(50), start_ns=START_NS + 2 * MINUTE_NS)
    assert exported(footage, tmp_path / "whole").findings == []
    footage.record(*encode(50), start_ns=START_NS + 3 * MINUTE_NS)
    footage.record(*encode(50), start_ns=START_NS + 4 * MINUTE_NS)
    holey = exported(footage, tmp_path / "holey", [*footage.segments[:3], footage.segments[4]])
    assert (holey.verdict, holey.findings[0].segment) == (Verdict.INCOMPLETE, footage.segments[4].id)


@pytest.mark.parametrize("same", ["number", "previous"])
def test_two_histories_of_one_node_are_told(tmp_path: Path, same: str) -> None:
    footage = Footage(tmp_path / "video")
    footage.record(*encode(50))
    before = footage.previous
    footage.record(*encode(50), start_ns=START_NS + MINUTE_NS)
    assert len(exported(footage, tmp_path / "one").cannot_exclude) == 1
    if same == "number":
        footage.written -= 1
    else:
        footage.previous = before
    footage.record(*encode(50), start_ns=START_NS + 2 * MINUTE_NS)
    report = exported(footage, tmp_path / "two")
    assert report.verdict is Verdict.AUTHENTIC
    (told,) = [text for text in report.cannot_exclude if "copy of the node" in text]
    assert all(segment.id in told for segment in footage.segments[1:])
