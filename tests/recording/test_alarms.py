"""Alarms are told once, stand until they are over, and leave for the bus."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.recorders import make_recorder, outbox_kinds, until

from xomyen.bus.messages import AlarmEvent
from xomyen.recording.index import Index
from xomyen.recording.index_thread import IndexThread
from xomyen.terms.time import NS_PER_SECOND, ManualClock

DAY_NS = 86_400 * NS_PER_SECOND


async def test_an_alarm_is_told_once_until_it_is_over_and_goes_to_the_bus(tmp_path: Path) -> None:
    told: list[str] = []
    over: list[str] = []
    said: dict[str, Any] = {"on_alarm": lambda code, text: told.append(text), "on_alarm_over": over.append}
    async with make_recorder(tmp_path, **said) as recorder:
        recorder.alarms.say("disk", "The disk is old.")
        recorder.alarms.say("disk", "The disk is old.")
        recorder.alarms.say_soon("disk", "The disk is very old.")
        await until(lambda: len(told) > 1)
        assert told == ["The disk is old.", "The disk is very old."]
        assert [(alarm.code, alarm.text) for alarm in recorder.statistics.alarms] == [("disk", told[-1])]
        recorder.alarms.over("disk")
        recorder.alarms.over("disk")
        assert recorder.statistics.alarms == ()
        assert over == ["disk"]
        recorder.alarms.say("disk:/srv/video", "The disk is old.")
        (alarm,) = recorder.statistics.alarms
        assert (alarm.code, alarm.path) == ("disk", "/srv/video")
        await until(lambda: len(outbox_kinds(tmp_path)) > 3)
        events = [AlarmEvent.model_validate_json(event.payload) for event in await recorder.take_events()]
    assert [(event.path, event.text, event.over) for event in events] == [
        ("", "The disk is old.", False),
        ("", "The disk is very old.", False),
        ("", "The disk is very old.", True),
        ("/srv/video", "The disk is old.", False),
    ]


async def test_what_happened_once_stands_for_a_day_after_it_happened_last(tmp_path: Path) -> None:
    clock = ManualClock()
    async with make_recorder(tmp_path, clock=clock) as recorder:
        recorder.alarms.say("lost:/srv/video", "Bytes were lost.")
        recorder.alarms.say("volume:/srv/video", "The disk is away.")
        clock.advance(DAY_NS)
        recorder.alarms.say("lost:/srv/video", "Bytes were lost.")
        clock.advance(DAY_NS)
        recorder.alarms.look()
        assert [alarm.code for alarm in recorder.statistics.alarms] == ["lost", "volume"]
        clock.advance(1)
        recorder.alarms.look()
        assert [alarm.code for alarm in recorder.statistics.alarms] == ["volume"]


async def test_an_index_that_was_locked_tells_that_it_is_written_again(tmp_path: Path) -> None:
    index = Index(str(tmp_path / "index.db"))
    index.open()
    index.database.execute("PRAGMA busy_timeout = 10")
    said: list[str] = []
    thread = IndexThread(index, said.append, lambda: said.append("well"), retry_seconds=0.01)
    thread.start()
    with closing(sqlite3.connect(index.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = thread.post(lambda index: index.forget_tombstones(0))
        await until(lambda: said)
        other.execute("ROLLBACK")
    await asyncio.wrap_future(done)
    await asyncio.wrap_future(thread.post(lambda index: index.forget_tombstones(0)))
    thread.stop()
    index.close()
    assert {*said[:-1], said[-1]} == {"the index cannot be written: database is locked", "well"}
    assert (said[-1], said.count("well")) == ("well", 1)
