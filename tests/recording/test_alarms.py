"""Alarms are told once, stand until they are over, and leave for the bus."""

from pathlib import Path

from tests.recorders import make_recorder, outbox_kinds, until

from xomyen.bus.messages import AlarmEvent


async def test_an_alarm_is_told_once_until_it_is_over_and_goes_to_the_bus(tmp_path: Path) -> None:
    told: list[str] = []
    async with make_recorder(tmp_path, on_alarm=lambda code, text: told.append(text)) as recorder:
        recorder.alarms.say("disk", "The disk is old.")
        recorder.alarms.say("disk", "The disk is old.")
        recorder.alarms.say_soon("disk", "The disk is very old.")
        await until(lambda: len(told) > 1)
        assert told == ["The disk is old.", "The disk is very old."]
        assert recorder.statistics.alarms == {"disk": "The disk is very old."}
        recorder.alarms.over("disk")
        assert recorder.statistics.alarms == {}
        recorder.alarms.say("disk", "The disk is old.")
        await until(lambda: len(outbox_kinds(tmp_path)) > 2)
        events = [AlarmEvent.model_validate_json(event.payload) for event in await recorder.take_events()]
    assert [(event.code, event.text) for event in events] == [("disk", text) for text in told]
