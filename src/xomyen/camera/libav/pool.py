"""The libav processes of a node: at most 50 streams in each, started when needed, restarted when they die."""

import asyncio
import contextlib
import itertools
import os
import socket
import sys
from pathlib import Path
from typing import Protocol

import structlog

import xomyen
from xomyen.camera.errors import MalformedStream
from xomyen.camera.libav.wire import (
    HEADER,
    MAX_MESSAGE_BYTES,
    Closed,
    Kind,
    Opened,
    Start,
    Units,
    WireError,
    decode_closed,
    decode_opened,
    decode_units,
    encode_start,
    frame,
)

STREAMS_PER_PROCESS = 50  # 120 threads of PyAV on two cores collapse under the interpreter lock
_LONGEST_PAUSE_S = 30.0
_STAGGER_S = 0.02

_log = structlog.get_logger("camera")


class Listener(Protocol):
    """What a process tells about one stream; called on the event loop."""

    def on_opened(self, opened: Opened) -> None: ...

    def on_units(self, units: Units) -> None: ...

    def on_closed(self, closed: Closed) -> None: ...

    def on_process_lost(self, detail: str) -> None: ...


class LibavPool:
    """Hands streams to processes. Nothing runs until the first stream is added, nor after the last is removed."""

    def __init__(self, streams_per_process: int = STREAMS_PER_PROCESS) -> None:
        self._streams_per_process = streams_per_process
        self._processes: list[_Process] = []
        self._numbers = itertools.count(1)

    def add(self, start: Start, listener: Listener) -> int:
        """Begins to read a stream in a process that has room; returns the stream's number."""
        process = next((one for one in self._processes if one.size < self._streams_per_process), None)
        if process is None:
            process = _Process()
            self._processes.append(process)
        number = next(self._numbers)
        process.add(number, start, listener)
        return number

    def watch(self, number: int, watched: bool) -> None:
        """Asks for each access unit at once, or again every 250 ms."""
        for process in self._processes:
            process.watch(number, watched)

    async def remove(self, number: int) -> None:
        """Ends a stream; its listener hears nothing more. The last stream of a process ends the process."""
        for process in list(self._processes):
            if process.remove(number) and process.size == 0:
                self._processes.remove(process)
                await process.end()

    @property
    def process_ids(self) -> list[int]:
        """The processes that run now."""
        return [one.pid for one in self._processes if one.pid is not None]


class _Process:
    """One child and the connection to it."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self._streams: dict[int, tuple[Start, Listener]] = {}
        self._watched: set[int] = set()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        return len(self._streams)

    def add(self, number: int, start: Start, listener: Listener) -> None:
        self._streams[number] = (start, listener)
        if self._task is None:
            self._task = asyncio.create_task(self._keep_running(), name="libav process")
        elif self._writer is not None:
            self._writer.write(frame(Kind.START, number, encode_start(start)))

    def remove(self, number: int) -> bool:
        if self._streams.pop(number, None) is None:
            return False
        self._watched.discard(number)
        self._tell(Kind.STOP, number)
        return True

    def watch(self, number: int, watched: bool) -> None:
        if number in self._streams:
            (self._watched.add if watched else self._watched.discard)(number)
            self._tell(Kind.WATCH if watched else Kind.UNWATCH, number)

    async def end(self) -> None:
        """Ends the process and waits for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _tell(self, kind: Kind, number: int) -> None:
        if self._writer is not None:
            self._writer.write(frame(kind, number))

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = 1.0
        while True:
            began = loop.time()
            try:
                detail = await self._run_once()
            except OSError as error:  # no process or no connection to it can be had now
                detail = f"the reading process cannot be started ({error.strerror or error})"
            for _, listener in list(self._streams.values()):
                listener.on_process_lost(detail)
            pause_s = 1.0 if loop.time() - began > 60 else min(_LONGEST_PAUSE_S, 2 * pause_s)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> str:
        """One life of the child; returns why it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "xomyen.camera.libav.child",
                stdin=theirs.fileno(), stdout=asyncio.subprocess.DEVNULL, env=_environment(), cwd="/",
            )  # fmt: skip
        self.pid = child.pid
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            await self._start_streams(writer)
            await self._listen(reader)
            return f"the reading process ended (status {await child.wait()})"
        except WireError as error:
            return f"the reading process sent a message that cannot be read ({error})"
        finally:
            self._writer = None
            writer.close()
            if child.returncode is None:
                child.kill()
                await child.wait()
            self.pid = None

    async def _start_streams(self, writer: asyncio.StreamWriter) -> None:
        """All known streams, a little apart, so that fifty do not connect at once."""
        started: set[int] = set()
        while waiting := [number for number in self._streams if number not in started]:
            number = waiting[0]
            started.add(number)
            writer.write(frame(Kind.START, number, encode_start(self._streams[number][0])))
            if number in self._watched:
                writer.write(frame(Kind.WATCH, number))
            await asyncio.sleep(_STAGGER_S)
        self._writer = writer  # from here on `add` tells the child itself
        for number in started - self._streams.keys():
            self._tell(Kind.STOP, number)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                length, kind, number = HEADER.unpack(await reader.readexactly(HEADER.size))
                if not 5 <= length <= MAX_MESSAGE_BYTES:
                    raise WireError("length")
                content = await reader.readexactly(length - 5)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            stream = self._streams.get(number)
            if stream is None:
                continue
            try:
                _dispatch(kind, content, stream[1])
            except WireError:
                raise
            except Exception as error:  # noqa: BLE001  # one stream's fault must not end the forty-nine others
                _log.exception("stream failed", stream=number)
                self._begin_again(number, *stream, type(error).__name__)

    def _begin_again(self, number: int, start: Start, listener: Listener, why: str) -> None:
        """What came of the stream could not be taken: another session."""
        self._tell(Kind.STOP, number)
        with contextlib.suppress(Exception):  # it may be the listener itself that is at fault
            listener.on_closed(Closed(MalformedStream.code, f"The stream cannot be read ({why})."))
        if self._writer is not None:
            self._writer.write(frame(Kind.START, number, encode_start(start)))
            if number in self._watched:
                self._tell(Kind.WATCH, number)


def _dispatch(kind: int, content: bytes, listener: Listener) -> None:
    if kind == Kind.BATCH:
        listener.on_units(decode_units(memoryview(content)))
    elif kind == Kind.OPENED:
        listener.on_opened(decode_opened(content))
    elif kind == Kind.CLOSED:
        listener.on_closed(decode_closed(content))
    else:
        raise WireError(f"kind {kind}")


def _environment() -> dict[str, str]:
    """Only what Python needs to find this package; nothing of the node's own environment."""
    kept = {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "TZ") if name in os.environ}
    return {"PYTHONPATH": str(Path(xomyen.__file__).parents[1]), "LC_ALL": "C.UTF-8", **kept}
