"""Faults of single files at a start: the volume is used, the other files are settled, the one is told."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from tests.footage import CAMERA, NODE, Feeder, footage
from tests.recorders import MAIN, checked, make_recorder, play, segments, until

from xomyen.proof.keys import SigningKey
from xomyen.recording.chains import load_chains
from xomyen.recording.disk import LocalDisk
from xomyen.recording.index import Index
from xomyen.recording.recovered_file import hash_part
from xomyen.recording.recovery import Recovery, Signer
from xomyen.recording.rows import Segment
from xomyen.recording.segment_file import read_segment
from xomyen.terms.errors import VolumeRefused
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import ManualClock
from xomyen.terms.words import SegmentState


class BadFiles(LocalDisk):
    """Some files cannot be opened for writing, some not removed; a folder may not be synced."""

    def __init__(self, *bad: str, folders: bool = False) -> None:
        super().__init__()
        self.bad = bad
        self.folders = folders

    def open(self, path: str) -> int:
        self._refuse(path)
        return super().open(path)

    def remove(self, path: str) -> None:
        self._refuse(path)
        super().remove(path)

    def sync_folder(self, path: str) -> None:
        if self.folders and "main" in path:
            raise OSError(errno.EIO, "Input/output error")
        super().sync_folder(path)

    def _refuse(self, path: str) -> None:
        if path in self.bad:
            raise OSError(errno.EPERM, "Operation not permitted")


def change(root: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(NodeFolder(root).index) as database:
        database.execute(sql, values)
    database.close()


async def killed(root: Path, clock: ManualClock, count: int = 3) -> list[Segment]:
    """Segments of one stream that were all left unsealed, each of a run of its own."""
    async with make_recorder(root, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN), footage())
        for _ in range(count):
            feeder.open()
            play(feeder, clock, 4)
    rows = segments(root)
    for row in rows:
        file = read_segment(row.path)
        os.truncate(row.path, file.fragments[-1].offset + file.fragments[-1].size)
    change(root, "UPDATE segment SET state = 'open', seal_hash = NULL")
    return rows


async def test_a_file_that_cannot_be_read_keeps_no_other_from_being_settled(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    good = Path(rows[1].path).read_bytes()
    os.unlink(rows[1].path)
    os.mkdir(rows[1].path)  # reading it fails, as that of a bad sector does
    async with make_recorder(tmp_path, clock=clock) as recorder:
        assert recorder.report.unreadable == [rows[1].path]
        assert [row.state for row in segments(tmp_path)] == [
            SegmentState.RECOVERED, SegmentState.OPEN, SegmentState.RECOVERED,
        ]  # fmt: skip
        assert recorder.statistics.refused_volumes == {}
    assert {finding.code for finding in checked(tmp_path).findings} == {"unreadable"}
    os.rmdir(rows[1].path)
    Path(rows[1].path).write_bytes(good)
    async with make_recorder(tmp_path, clock=clock) as recorder:
        assert recorder.report.recovered == [rows[1].path]
    assert checked(tmp_path).findings == []


async def test_a_file_that_takes_no_seal_keeps_no_other_from_being_settled(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    async with make_recorder(tmp_path, clock=clock, disk=BadFiles(rows[0].path)) as recorder:
        assert recorder.report.unsealed == [rows[0].path]
        assert len(recorder.report.recovered) == 2
    async with make_recorder(tmp_path, clock=clock) as recorder:
        assert recorder.report.recovered == [rows[0].path]
    assert checked(tmp_path).findings == []


async def test_a_deletion_that_cannot_be_finished_keeps_the_volume_at_work(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    async with make_recorder(tmp_path, clock=clock):
        pass
    relative = os.path.relpath(rows[0].path, NodeFolder(tmp_path).default_volume)
    change(
        tmp_path,
        "INSERT INTO tombstone SELECT id, stream, volume, ?, start_ns, end_ns, bytes, NULL, 0, 'x', 'y', 0"
        " FROM segment WHERE id = ?",
        relative,
        rows[0].id,
    )
    change(tmp_path, "DELETE FROM segment WHERE id = ?", rows[0].id)
    async with make_recorder(tmp_path, clock=clock, disk=BadFiles(rows[0].path)) as recorder:
        assert recorder.report.stuck == [rows[0].path]
        (done,) = (await recorder.run_retention()).values()
        assert rows[0].path in done.failing
    async with make_recorder(tmp_path, clock=clock) as recorder:
        assert recorder.report.deletions == [rows[0].id]
    assert not os.path.exists(rows[0].path)


async def test_a_folder_that_cannot_be_synced_refuses_the_volume(tmp_path: Path) -> None:
    clock = ManualClock()
    await killed(tmp_path, clock)
    with pytest.raises(VolumeRefused, match="cannot be synced"):
        async with make_recorder(tmp_path, clock=clock, disk=BadFiles(folders=True)):
            pass
    async with make_recorder(tmp_path, clock=clock):
        assert {row.state for row in segments(tmp_path)} == {SegmentState.RECOVERED}
    assert checked(tmp_path).findings == []


async def test_check_goes_on_where_a_disk_does_not_give_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    async with make_recorder(tmp_path, clock=clock):
        pass

    def of_a_bad_sector(descriptor: int, offset: int, size: int) -> bytes:
        if os.readlink(f"/proc/self/fd/{descriptor}") == rows[1].path:
            raise OSError(errno.EIO, "Input/output error")
        return hash_part(descriptor, offset, size)

    monkeypatch.setattr("xomyen.recording.check.hash_part", of_a_bad_sector)
    report = checked(tmp_path)
    assert [(finding.code, finding.segment) for finding in report.findings] == [("unreadable", rows[1].id)]
    assert report.hashed_bytes > 0


async def test_recordings_that_a_start_finds_damaged_are_an_alarm(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    change(tmp_path, "UPDATE segment SET bytes = bytes + 1000000 WHERE id = ?", rows[0].id)
    os.unlink(rows[1].path)
    alarms: list[str] = []
    async with make_recorder(tmp_path, clock=clock, on_alarm=lambda code, text: alarms.append(text)):
        await until(lambda: alarms)
    assert "were damaged while the node was away: 1 gone, 1 cut short." in alarms[0]


async def test_a_disk_that_goes_away_while_a_start_looks_at_it_costs_no_row(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = await killed(tmp_path, clock)
    folder = NodeFolder(tmp_path)
    folder.default_volume.rename(tmp_path / "away")
    folder.default_volume.mkdir()
    index = Index(str(folder.index))
    index.open()
    signer = Signer(NODE, SigningKey.load(folder.signing_key), clock)
    recovery = Recovery(index, LocalDisk(), signer, load_chains(index), lambda *_: None, same_boot=True)
    with pytest.raises(OSError, match="went away"):
        recovery.run(rows[0].volume, str(folder.default_volume))
    index.close()
    assert [row.id for row in segments(tmp_path)] == [row.id for row in rows]
