"""The chain of seals: whatever order segments are sealed in, no two final seals name the same predecessor."""

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from tests.footage import CAMERA, Feeder, footage
from tests.recorders import MAIN, checked, make_recorder, play, segments, until

from xomyen.proof.seal import Statement
from xomyen.recording.disk import LocalDisk
from xomyen.recording.open_segment import StreamChain
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.recorder import Recorder
from xomyen.recording.segment_file import read_segment
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import ClockState, SegmentState

S = NS_PER_SECOND


def statements(root: Path) -> list[Statement]:
    """Of the final seals, as the chain links them; fails when it forks or breaks."""
    by_previous: dict[str, Statement] = {}
    for row in segments(root):
        seal = read_segment(row.path).seal
        assert seal is not None
        assert seal.statement.previous not in by_previous, "two seals name the same predecessor"
        by_previous[seal.statement.previous] = seal.statement
    linked = [by_previous.pop("")]
    while by_previous:
        linked.append(by_previous.pop(linked[-1].hash().hex()))
    return linked


async def record(recorder: Recorder, clock: ManualClock, volume: str, seconds: float) -> None:
    feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=volume)), footage())
    feeder.open()
    play(feeder, clock, seconds)


async def killed_on(root: Path, clock: ManualClock, here: Path, other: Path) -> None:
    """Leaves a segment on `other` that was not sealed, and moves that volume away."""
    async with make_recorder(root, here, other, clock=clock) as recorder:
        await record(recorder, clock, next(v.id for v in recorder.statistics.volumes if v.path == str(other)), 40)
    last = segments(root)[-1]
    file = read_segment(last.path)
    with open(last.path, "r+b") as opened:
        opened.truncate(file.fragments[-1].offset)
    with sqlite3.connect(root / "index.sqlite") as database:
        database.execute(
            "UPDATE segment SET state = 'open', seal_hash = NULL, bytes = ?, fragments = 1 WHERE id = ?",
            (len(file.header_bytes) + file.fragments[0].size, last.id),
        )
    database.close()
    other.rename(root / "away")


async def test_a_segment_sealed_when_its_volume_appears_late_does_not_fork_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.recording.volumes._RETRY_SECONDS", 0.05)
    here, other = tmp_path / "here", tmp_path / "other"
    clock = ManualClock()
    await killed_on(tmp_path, clock, here, other)
    clock.advance(60 * S)
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        (volume,) = (found.id for found in recorder.statistics.volumes)
        feeder = Feeder(recorder.sink(CAMERA, MAIN, StreamPolicy(volume=volume)), footage())
        feeder.open()
        play(feeder, clock, 70)
        await until(lambda: [row.state for row in segments(tmp_path)].count(SegmentState.SEALED) == 3)
        (tmp_path / "away").rename(other)
        await until(lambda: segments(tmp_path)[1].state is SegmentState.RECOVERED)
        play(feeder, clock, 40)
    for _ in range(2):  # and after a start
        async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
            await record(recorder, clock, volume, 4)
    order = [statement.sequence for statement in statements(tmp_path)]
    assert order[:4] == [1, 3, 4, 2]
    assert order[4:] == sorted(order[4:])
    assert checked(tmp_path).findings == []


async def test_a_segment_sealed_late_and_nothing_after_it_is_the_head_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.recording.volumes._RETRY_SECONDS", 0.05)
    here, other = tmp_path / "here", tmp_path / "other"
    clock = ManualClock()
    await killed_on(tmp_path, clock, here, other)
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        (volume,) = (found.id for found in recorder.statistics.volumes)
        await record(recorder, clock, volume, 4)
        recorder.remove(CAMERA, MAIN)
        await until(lambda: segments(tmp_path)[-1].state is SegmentState.SEALED)
        (tmp_path / "away").rename(other)
        await until(lambda: segments(tmp_path)[1].state is SegmentState.RECOVERED)
    async with make_recorder(tmp_path, here, other, clock=clock) as recorder:
        await record(recorder, clock, volume, 4)
    assert [statement.sequence for statement in statements(tmp_path)] == [1, 3, 2, 4]
    assert checked(tmp_path).findings == []


async def test_an_index_that_does_not_name_its_heads_goes_on_from_the_youngest_seal(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(2):
        async with make_recorder(tmp_path, clock=clock) as recorder:
            await record(recorder, clock, recorder.statistics.volumes[0].id, 4)
        with sqlite3.connect(tmp_path / "index.sqlite") as database:
            database.execute("DELETE FROM meta WHERE key LIKE 'chain:%' OR key LIKE 'boot:%'")
        database.close()
    assert [statement.sequence for statement in statements(tmp_path)] == [1, 2]
    assert checked(tmp_path).findings == []


class SlowDisk(LocalDisk):
    """Says of one volume that it is durable only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = ""
        self.go_on = threading.Event()
        self.roots: dict[int, str] = {}

    def open_volume(self, path: str) -> int:
        descriptor = super().open_volume(path)
        self.roots[descriptor] = path
        return descriptor

    def sync_volume(self, descriptor: int) -> None:
        if self.slow and self.roots[descriptor] == self.slow:
            assert self.go_on.wait(60)
        super().sync_volume(descriptor)


def copy_after_power_cut(root: Path, to: Path, here: Path, lost: Path) -> tuple[Path, Path]:
    """The folder as if the power had failed now: of `lost`, nothing that was not acknowledged reached the disk."""
    places = to / here.name, to / lost.name
    promised = {os.path.basename(row.path): row for row in segments(root)}
    to.mkdir()
    shutil.copytree(root / "keys", to / "keys")
    for place, copy in zip((here, lost), places, strict=True):
        shutil.copytree(place, copy)
    for file in (to / lost.name).rglob("*.mp4"):
        if file.name in promised:
            file.write_bytes(file.read_bytes()[: read_segment(str(file), upto=promised[file.name].bytes).end])
        else:
            file.unlink()
    with sqlite3.connect(root / "index.sqlite") as before, sqlite3.connect(to / "index.sqlite") as after:
        before.backup(after)
        for place, copy in zip((here, lost), places, strict=True):
            after.execute("UPDATE volume SET path = ? WHERE path = ?", (str(copy), str(place)))
    before.close()
    after.close()
    return places


async def test_a_seal_that_the_power_cut_took_while_another_volume_went_on_is_no_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, lost = tmp_path / "here", tmp_path / "lost"
    after = tmp_path / "after"
    clock, disk = ManualClock(), SlowDisk()
    monkeypatch.setattr("xomyen.recording.volumes.boot_id", lambda: "before")
    async with make_recorder(tmp_path, here, lost, clock=clock, disk=disk) as recorder:
        ids = {volume.path: volume.id for volume in recorder.statistics.volumes}
        await record(recorder, clock, ids[str(here)], 4)
        await record(recorder, clock, ids[str(lost)], 4)
        await until(lambda: len(segments(tmp_path)) == 2)
        disk.slow = str(lost)
        await record(recorder, clock, ids[str(here)], 4)
        await record(recorder, clock, ids[str(lost)], 1)
        await record(recorder, clock, ids[str(here)], 4)
        await until(lambda: [row.state for row in segments(tmp_path)][2:3] == [SegmentState.SEALED])
        assert checked(tmp_path, running=True).findings == [], "while the disk still holds it back"
        places = copy_after_power_cut(tmp_path, after, here, lost)
        disk.go_on.set()
    assert checked(tmp_path).findings == []
    monkeypatch.setattr("xomyen.recording.volumes.boot_id", lambda: "after")
    for _ in range(2):
        async with make_recorder(after, *places, clock=clock) as recorder:
            await record(recorder, clock, ids[str(here)], 4)
        assert checked(after).findings == []
    rows = segments(after)
    assert rows[1].state is SegmentState.RECOVERED
    os.remove(rows[2].path)
    with sqlite3.connect(after / "index.sqlite") as database:
        database.execute("DELETE FROM segment WHERE id = ?", (rows[2].id,))
    database.close()
    assert "chain_broken" in {finding.code for finding in checked(after).findings}, "a real one is still found"


def statement(chain: StreamChain, segment: str) -> Statement:
    """The final seal of a segment that holds one picture."""
    return Statement(
        node="node",
        camera=CAMERA,
        stream=MAIN,
        run="run",
        segment=segment,
        sequence=chain.take_sequence(),
        state=SegmentState.SEALED,
        final=True,
        size=1,
        fragments=1,
        frames=1,
        first_dts=0,
        end_dts=3600,
        lost_packets=0,
        start_ns=0,
        start_ticks=0,
        end_ns=1,
        end_ticks=1,
        clock_state=ClockState.SYNCHRONISED,
        clock_offset_ns=None,
        root="00" * 32,
        previous=chain.previous,
        key="key",
    )


def test_several_seals_that_a_full_disk_did_not_take_are_withdrawn_one_after_the_other() -> None:
    chain = StreamChain()
    made = []
    for segment in ("one", "two", "three"):
        made.append(statement(chain, segment))
        chain.advance(made[-1])
    assert not chain.withdraw(made[1]), "the third names it"
    assert chain.withdraw(made[2])
    assert chain.withdraw(made[1])
    assert (chain.previous, chain.head_segment, chain.length) == (made[0].hash().hex(), "one", 1)
    assert chain.withdraw(made[0])
    assert (chain.previous, chain.head_segment, chain.length) == ("", "", 0)
    assert not chain.withdraw(made[0])


def test_a_chain_taken_up_at_a_start_withdraws_nothing_from_before() -> None:
    first = StreamChain()
    seal = statement(first, "one")
    first.advance(seal)
    chain = StreamChain(first.previous, 2)
    assert not chain.withdraw(seal)
