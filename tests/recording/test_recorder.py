"""The recorder as a whole: streams added, changed and watched, and what leaves for the bus."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from tests.footage import CAMERA, OTHER, Feeder
from tests.recorders import (
    MAIN,
    hold_syncs,
    make_recorder,
    outbox_kinds,
    play,
    segments,
    until,
)

from xomyen.bus.messages import FragmentNotice, SegmentEvent
from xomyen.recording.policy import StreamPolicy
from xomyen.recording.segment_file import read_segment
from xomyen.terms.errors import NoFootage
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import SegmentState, StreamName

S = NS_PER_SECOND


async def test_events_leave_through_the_outbox_and_stay_until_acknowledged(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 64)
        await until(lambda: recorder.reader.query("SELECT count(*) FROM segment WHERE state = 'sealed'")[0][0] == 2)
        recorder.post_chain_heads()
        await until(lambda: recorder.reader.query("SELECT count(*) FROM outbox WHERE kind = 'chain'")[0][0])
        events = await recorder.take_events()
        assert [event.kind for event in events][:2] == ["camera", "segment"]
        told = [SegmentEvent.model_validate_json(event.payload) for event in events if event.kind == "segment"]
        rows = segments(tmp_path)
        assert [event.segment for event in told] == [row.id for row in rows[:2]]
        assert told[1].seal == (rows[1].seal_hash or b"").hex()
        head = json.loads(next(event.payload for event in events if event.kind == "chain"))
        assert (head["sequence"], head["seal"]) == (2, told[1].seal)
        assert [event.id for event in await recorder.take_events()] == [event.id for event in events]
        await recorder.acknowledge([event.number for event in events])
        assert not {event.id for event in await recorder.take_events()} & {event.id for event in events}


async def test_a_stream_that_is_only_watched_leaves_no_trace(tmp_path: Path) -> None:
    clock = ManualClock()
    told: list[FragmentNotice] = []
    async with make_recorder(
        tmp_path, clock=clock, on_fragment=lambda camera, stream, notice: told.append(notice)
    ) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, StreamName.SUB, StreamPolicy(record=False)))
        feeder.open()
        recorder.watch(CAMERA, StreamName.SUB, True)
        play(feeder, clock, 160)
        await until(lambda: len(told) > 600)
        kept = [name for _, _, names in os.walk(tmp_path / "scratch") for name in names]
        assert 1 <= len(kept) <= 2
        assert read_segment(told[-1].path).fragments
        with pytest.raises(NoFootage):
            await recorder.checkpoint(CAMERA, StreamName.SUB)
    assert segments(tmp_path, CAMERA, StreamName.SUB) == []


async def test_a_camera_removed_or_changed_does_not_disturb_another(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        one, two = Feeder(recorder.sink(CAMERA, MAIN)), Feeder(recorder.sink(OTHER, MAIN))
        one.open()
        two.open()
        for _ in range(3):
            clock.advance(2 * S)
            one.feed(50, clock.wall_ns())
            two.feed(50, clock.wall_ns())
        recorder.remove(CAMERA, MAIN)
        assert recorder.sink(OTHER, MAIN, StreamPolicy(retention_days=2)) is two.sink
        two.feed(50, clock.wall_ns())
    assert [row.frames for row in segments(tmp_path, OTHER)] == [200]
    assert [row.state for row in segments(tmp_path, CAMERA)] == [SegmentState.SEALED]


async def test_where_the_chains_stand_is_told_again_and_again(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock, settings={"chain_seconds": 0.05}) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 40)
        query = "SELECT payload FROM outbox WHERE kind = 'chain'"
        await until(lambda: len(recorder.reader.query(query)) > 1)
        head = json.loads(recorder.reader.query(query)[-1][0])
        row = next(row for row in segments(tmp_path) if row.id == head["segment"])
        assert row.seal_hash is not None
        assert row.seal_hash.hex() == head["seal"]


async def test_of_a_seal_that_a_disk_may_still_lose_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_sync = hold_syncs(monkeypatch)
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        feeder = Feeder(recorder.sink(CAMERA, MAIN))
        feeder.open()
        play(feeder, clock, 40)
        await until(lambda: recorder.statistics.volumes[0].sealed_segments)
        recorder.post_chain_heads()
        await recorder.acknowledge([])  # behind it
        assert "chain" not in outbox_kinds(tmp_path)
        may_sync.set()
        await until(lambda: segments(tmp_path) and segments(tmp_path)[0].state is SegmentState.SEALED)
        recorder.post_chain_heads()
        await until(lambda: "chain" in outbox_kinds(tmp_path))


async def test_readers_cannot_write_the_index(tmp_path: Path) -> None:
    async with make_recorder(tmp_path) as recorder:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            recorder.reader.query("DELETE FROM volume")
