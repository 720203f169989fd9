"""What a start settles and what `check` finds: rows without files, files without rows, bytes that changed."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, checked, gaps, make_recorder, segments, spans

from xomyen.recording.check import Severity
from xomyen.recording.index import IndexDamagedError
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_segment
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import GapReason, SegmentState

S = NS_PER_SECOND


async def record(root: Path, clock: ManualClock, seconds: int = 64) -> list[Segment]:
    async with make_recorder(root, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        for _ in range(seconds):
            clock.advance(S)
            feeder.feed(25, clock.wall_ns())
    return segments(root)


def change(root: Path, sql: str, *values: Any) -> None:
    with sqlite3.connect(NodeFolder(root).index) as database:
        database.execute(sql, values)
    database.close()


def codes(root: Path) -> list[str]:
    return sorted(f"{finding.severity}:{finding.code}" for finding in checked(root).findings)


async def start(root: Path, clock: ManualClock) -> dict[str, int]:
    """A start and a stop; what the start did, zeros left out."""
    async with make_recorder(root, clock=clock) as recorder:
        return {name: count for name, count in recorder.report.summary().items() if count}


def reopen(root: Path, row: Segment, cut: int) -> None:
    """As if the process had been killed while it wrote the segment's last fragment."""
    file = read_segment(row.path)
    assert file.seal is not None
    last = file.fragments[-1]
    os.truncate(row.path, last.offset + last.size - cut)
    kept = len(file.fragments) - (1 if cut else 0)
    size = len(file.header_bytes) + sum(fragment.size for fragment in file.fragments[: kept - 1])
    change(
        root,
        "UPDATE segment SET state = 'open', seal_hash = NULL, bytes = ?, fragments = ? WHERE id = ?",
        size,
        kept - 1,
        row.id,
    )


async def test_a_changed_byte_is_found_and_placed(tmp_path: Path) -> None:
    rows = await record(tmp_path, ManualClock())
    fragment = read_segment(rows[1].path).fragments[3]
    with open(rows[1].path, "r+b") as file:
        file.seek(fragment.offset + fragment.size - 1)
        last = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([last[0] ^ 1]))
    findings = checked(tmp_path).findings
    assert [finding.code for finding in findings] == ["altered"]
    assert findings[0].segment == rows[1].id
    assert f"bytes {fragment.offset} to {fragment.offset + fragment.size}" in findings[0].text


async def test_a_changed_header_row_or_seal_is_found(tmp_path: Path) -> None:
    rows = await record(tmp_path, ManualClock(), 96)
    with open(rows[0].path, "r+b") as file:
        file.seek(20)
        file.write(b"X")
    change(tmp_path, "UPDATE segment SET end_ns = end_ns + 1 WHERE id = ?", rows[1].id)
    os.truncate(rows[2].path, os.path.getsize(rows[2].path) - 1)
    found = set(codes(tmp_path))
    assert {"problem:altered", "problem:row_contradicts_seal", "problem:seal_missing"} <= found


async def test_a_missing_segment_in_the_chain_is_found(tmp_path: Path) -> None:
    rows = await record(tmp_path, ManualClock(), 128)
    os.unlink(rows[2].path)
    change(tmp_path, "DELETE FROM segment WHERE id = ?", rows[2].id)
    assert "problem:chain_broken" in codes(tmp_path)


async def test_a_killed_segment_is_cut_sealed_and_reported(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock)
    reopen(tmp_path, rows[-1], cut=5)
    assert codes(tmp_path) == ["note:not_sealed"]
    assert await start(tmp_path, clock) == {"recovered": 1}
    row = segments(tmp_path)[-1]
    assert row.state is SegmentState.RECOVERED
    assert row.fragments == rows[-1].fragments - 1
    assert codes(tmp_path) == []


async def test_the_figures_of_a_check_say_what_is_what(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock, 96)
    (Path(rows[0].path).parent / "notes.txt").write_text("mine")
    change(tmp_path, "DELETE FROM segment WHERE id = ?", rows[-1].id)
    reopen(tmp_path, rows[-2], cut=0)
    report = checked(tmp_path)
    figures = (report.segments, report.open, report.files, report.younger, report.foreign)
    assert figures == (len(rows) - 1, 1, len(rows) - 1, 1, 1)


async def test_a_file_without_a_row_is_adopted(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock)
    change(tmp_path, "DELETE FROM segment WHERE id = ?", rows[-1].id)
    change(tmp_path, "UPDATE span SET end_ns = ?", rows[-2].end_ns)
    assert codes(tmp_path) == ["note:not_indexed"]
    assert await start(tmp_path, clock) == {"adopted": 1}
    assert segments(tmp_path) == rows
    assert len(spans(tmp_path)) == 1
    assert codes(tmp_path) == []


async def test_an_index_that_was_lost_is_rebuilt_from_the_files(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock, 96)
    for name in os.listdir(tmp_path):
        if name.startswith("index.sqlite"):
            os.unlink(tmp_path / name)
    assert await start(tmp_path, clock) == {"adopted": len(rows)}
    assert segments(tmp_path) == rows
    assert codes(tmp_path) == []


async def test_a_row_without_a_file_becomes_a_tombstone(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock, 96)
    os.unlink(rows[0].path)
    assert codes(tmp_path) == ["problem:file_missing"]
    assert await start(tmp_path, clock) == {"missing": 1}
    assert [row.id for row in segments(tmp_path)] == [row.id for row in rows[1:]]
    assert spans(tmp_path)[0].start_ns == rows[1].start_ns


async def test_a_deletion_that_began_is_finished(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock, 96)
    relative = os.path.relpath(rows[0].path, NodeFolder(tmp_path).default_volume)
    with sqlite3.connect(NodeFolder(tmp_path).index) as database:
        database.execute("DELETE FROM segment WHERE id = ?", (rows[0].id,))
        database.execute(
            "INSERT INTO tombstone VALUES (?, 1, ?, ?, 0, 1, 1, NULL, 0, 'test', 'test', 0)",
            (rows[0].id, rows[0].volume, relative),
        )
    database.close()
    assert "note:deletion_unfinished" in codes(tmp_path)
    assert await start(tmp_path, clock) == {"deletions": 1}
    assert not os.path.exists(rows[0].path)


async def test_a_file_without_a_whole_fragment_is_removed_and_strangers_stay(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock)
    folder = Path(rows[0].path).parent
    (folder / "notes.txt").write_text("mine")
    (folder / f"000000Z-{CAMERA}.mp4").write_bytes(Path(rows[0].path).read_bytes()[:1500])
    assert await start(tmp_path, clock) == {"removed": 1, "foreign": 1}
    assert sorted(os.listdir(folder)) == sorted([os.path.basename(row.path) for row in rows] + ["notes.txt"])


async def test_promised_bytes_that_are_gone_are_told_of(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock)
    reopen(tmp_path, rows[-1], cut=0)
    file = read_segment(rows[-1].path)
    os.truncate(rows[-1].path, file.fragments[2].offset)
    assert codes(tmp_path) == ["problem:bytes_lost"]
    assert await start(tmp_path, clock) == {"recovered": 1, "short": 1}


async def test_after_a_kill_the_open_gap_ends_where_the_recorder_was_last_alive(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await record(tmp_path, clock)
    end_ns = rows[-1].end_ns
    change(tmp_path, "INSERT INTO gap VALUES (?, 1, ?, NULL, 'network', 'no route')", CAMERA, end_ns)
    change(tmp_path, "UPDATE meta SET value = ? WHERE key = 'alive_ns'", str(end_ns + 7 * S))
    clock.advance(100 * S)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        recorder.sink(CAMERA, MAIN).closed(GapReason.REFUSED, "401")
    assert [(gap.reason, gap.start_ns - end_ns) for gap in gaps(tmp_path)] == [
        (GapReason.NETWORK, 0),
        (GapReason.NODE_STOPPED, 7 * S),
        (GapReason.REFUSED, clock.wall_ns() - end_ns),
    ]


async def test_without_any_usable_volume_the_start_is_refused(tmp_path: Path) -> None:
    clock = ManualClock()
    await record(tmp_path, clock)
    os.unlink(NodeFolder(tmp_path).default_volume / "xomyen-volume.json")
    with pytest.raises(VolumeRefused, match="mounted"):
        await start(tmp_path, clock)
    assert [finding.code for finding in checked(tmp_path).findings if finding.severity is Severity.PROBLEM] == [
        "wrong_volume"
    ]


async def test_a_refused_volume_leaves_the_others_at_work(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    clock = ManualClock()
    async with make_recorder(tmp_path, one, two, clock=clock) as recorder:
        assert len(recorder.statistics.volumes) == 2
    os.unlink(two / "xomyen-volume.json")
    async with make_recorder(tmp_path, one, two, clock=clock) as recorder:
        assert list(recorder.statistics.refused_volumes) == [str(two)]
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        feeder.open()
        feeder.feed(100, clock.wall_ns())
    assert os.listdir(two) == []
    assert [row.frames for row in segments(tmp_path)] == [100]


async def test_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    await record(tmp_path, ManualClock(), 4)
    NodeFolder(tmp_path).index.write_bytes(b"not a database" * 100)
    with pytest.raises(IndexDamagedError, match="Move it"):
        await start(tmp_path, ManualClock())


async def test_work_after_the_stop_is_refused_and_waits_for_nobody(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        await recorder.remove_hold(CAMERA)


@pytest.mark.parametrize("power_cut", [True, False])
async def test_after_a_power_cut_a_volume_that_comes_back_later_is_trusted_no_more_than_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, power_cut: bool
) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    clock = ManualClock()
    monkeypatch.setattr("xomyen.recording.volumes.boot_id", lambda: "before")
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        volume = next(found.id for found in recorder.statistics.volumes if found.path == str(other))
        feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=volume)), footage())
        feeder.open()
        for _ in range(10):
            clock.advance(S)
            feeder.feed(25, clock.wall_ns())
    (row,) = segments(tmp_path)
    reopen(tmp_path, row, cut=0)
    promised = segments(tmp_path)[0].bytes
    other.rename(tmp_path / "away")
    if power_cut:
        monkeypatch.setattr("xomyen.recording.volumes.boot_id", lambda: "after")
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        assert list(recorder.statistics.refused_volumes) == [str(other)]
    (tmp_path / "away").rename(other)
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        assert len(recorder.report.recovered) == 1
    (row,) = segments(tmp_path)
    assert row.state is SegmentState.RECOVERED
    assert row.bytes == promised if power_cut else row.bytes > promised
