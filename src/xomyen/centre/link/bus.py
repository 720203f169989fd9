"""Asking nodes from pages: a connection in a thread of its own, kept for the life of the process."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
from django.conf import settings
from nats.aio.client import Client

from xomyen.bus.address import read_address
from xomyen.bus.connection import connect, connect_to, finish
from xomyen.centre.configuration import CentreFolder, CentreSettings
from xomyen.terms.errors import NotRunning

Answer = TypeVar("Answer")
_CONNECT_S = 0.5
_AGAIN_S = 1.0


async def open_client(centre: CentreSettings, folder: CentreFolder, name: str, wait_s: float = _CONNECT_S) -> Client:
    """A connection on which nodes answer: the centre's own server, else the node in the same folder.

    Raises NotRunning.
    """
    if centre.bus is None:
        return await connect(folder.node, name, wait_s)
    seed = await asyncio.to_thread(centre.bus.seed_file.read_text, encoding="ascii")
    try:
        return await connect_to(centre.bus.url, seed.strip(), name)
    except (OSError, nats.errors.Error) as error:
        raise NotRunning(f"The centre's bus does not answer ({type(error).__name__}).") from error


def gone(client: Client, centre: CentreSettings, folder: CentreFolder) -> bool:
    """Whether the connection will not come back by itself: a node that was started anew listens elsewhere."""
    if client.is_closed:
        return True
    if client.is_connected or centre.bus is not None:
        return False
    try:
        address = read_address(folder.node)
    except NotRunning:
        return False
    return address.url not in {server.geturl() for server in client.servers}


class NodeBus:
    """Runs questions to nodes in one event loop; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._opening: asyncio.Lock | None = None
        self._failed: float | None = None  # when no connection could be opened last, by the loop's clock

    def ask(self, question: Callable[[Client], Awaitable[Answer]], seconds: float = 10.0) -> Answer:
        """What the question, a coroutine function of a connection, returns.

        Never call this inside a database transaction: a node may take its time. Raises NotRunning when no node
        answers in time, or the XomyenError with which it refused.
        """
        asked = asyncio.run_coroutine_threadsafe(self._asked(question), self._running_loop())
        try:
            return asked.result(seconds)
        except concurrent.futures.TimeoutError as error:
            asked.cancel()
            raise NotRunning(f"The node did not answer within {seconds:.0f} s.") from error

    async def _asked(self, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
        return await question(await self._connected())

    async def _connected(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._client is not None and gone(self._client, settings.CENTRE, settings.FOLDER):
                await finish(self._client)
                self._client = None
            if self._client is None:
                self._client = await self._open()
        if not self._client.is_connected:
            # A question would wait in the client for a server that may never come back.
            raise NotRunning("The bus does not answer; the connection comes back by itself.")
        return self._client

    async def _open(self) -> Client:
        """A page must not wait for what has just failed."""
        now = asyncio.get_running_loop().time()
        if self._failed is not None and now - self._failed < _AGAIN_S:
            raise NotRunning("No bus answers.")
        try:
            client = await open_client(settings.CENTRE, settings.FOLDER, "centre")
        except NotRunning:
            self._failed = asyncio.get_running_loop().time()
            raise
        self._failed = None
        return client

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="node bus", daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Ends the connection and the thread; the next question begins anew."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return

        async def end() -> None:
            if self._client is not None:
                await finish(self._client)
            self._client = self._opening = self._failed = None

        asyncio.run_coroutine_threadsafe(end(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


bus = NodeBus()
"""The connection of this process."""
