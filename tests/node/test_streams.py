"""Each stream is kept by itself: whatever fails is tried again, and its neighbours do not notice."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Self

import pytest
from tests.footage import CAMERA, OTHER
from tests.stream_sinks import RememberingSink

from xomyen.bus.messages import CameraConfig, CameraRecord, StreamConfig
from xomyen.camera.source import Source, StreamSink
from xomyen.node.secrets import Secrets
from xomyen.node.streams import Streams, Wanted
from xomyen.recording.policy import StreamPolicy
from xomyen.terms.time import SystemClock
from xomyen.terms.words import GapReason, StreamName


class FailingIndex:
    """A recorder whose index cannot be read the first times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.sinks: dict[str, RememberingSink] = {}

    def sink(self, camera: str, stream: StreamName, policy: StreamPolicy | None = None) -> StreamSink:
        if camera == CAMERA and self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return self.sinks.setdefault(camera, RememberingSink())

    def remove(self, camera: str, stream: StreamName, *, disabled: bool = False) -> None: ...

    def watch(self, camera: str, stream: StreamName, watched: bool) -> None: ...


class Opened:
    """A source that counts how often it was opened."""

    def __init__(self, opened: dict[str, int], url: str) -> None:
        self._opened = opened
        self._url = url

    async def __aenter__(self) -> Self:
        self._opened[self._url] = self._opened.get(self._url, 0) + 1
        return self

    async def __aexit__(self, *exception: object) -> None: ...

    def watch(self, watched: bool) -> None: ...


def record(camera: str, url: str) -> CameraRecord:
    return CameraRecord(revision=1, config=CameraConfig(id=camera, name=camera, main=StreamConfig(url=url)))


async def until_opened(opened: dict[str, int], wanted: dict[str, int]) -> None:
    async with asyncio.timeout(60):
        while opened != wanted:
            await asyncio.sleep(0.01)


async def test_a_stream_whose_start_fails_in_any_way_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xomyen.node.streams._AFTER_FAULT_S", 0.02)
    opened: dict[str, int] = {}

    def open_source(wanted: Wanted, password: str | None, sink: StreamSink) -> Source:
        return Opened(opened, wanted.url)

    recorder = FailingIndex(failures=5)
    secrets = Secrets.load_or_create(tmp_path / "secrets.key")
    async with Streams(recorder, open_source, secrets, SystemClock(), lambda event: None) as streams:
        await streams.apply({CAMERA: record(CAMERA, "rtsp://one/1"), OTHER: record(OTHER, "rtsp://two/1")})
        await until_opened(opened, {"rtsp://one/1": 1, "rtsp://two/1": 1})


async def test_a_changed_address_ends_the_session_before_with_its_reason(tmp_path: Path) -> None:
    opened: dict[str, int] = {}

    def open_source(wanted: Wanted, password: str | None, sink: StreamSink) -> Source:
        return Opened(opened, wanted.url)

    recorder = FailingIndex(failures=0)
    secrets = Secrets.load_or_create(tmp_path / "secrets.key")
    async with Streams(recorder, open_source, secrets, SystemClock(), lambda event: None) as streams:
        other = record(OTHER, "rtsp://two/1")
        await streams.apply({CAMERA: record(CAMERA, "rtsp://one/1"), OTHER: other})
        await until_opened(opened, {"rtsp://one/1": 1, "rtsp://two/1": 1})
        await streams.apply({CAMERA: record(CAMERA, "rtsp://one/2"), OTHER: other})
        await until_opened(opened, {"rtsp://one/1": 1, "rtsp://one/2": 1, "rtsp://two/1": 1})
        assert [reason for reason, _ in recorder.sinks[CAMERA].ends] == [GapReason.POLICY]
        assert recorder.sinks[OTHER].ends == []
