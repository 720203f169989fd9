"""A small node that holds footage of any time, for tests without an event loop of their own (Playwright's)."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import BrowserContext
from tests.gateway_node import Node, live_state, running_node

from xomyen.node.gateway.context import session_cookie
from xomyen.terms.words import CameraState, VideoCodec

Answer = TypeVar("Answer")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class RecordedNode:
    """A node in a thread beside the test."""

    node: Node
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.node.address.url

    def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What the node's loop makes of this."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def on_loop(self, work: Callable[[], Answer]) -> Answer:
        """Calls something that belongs to the node's loop."""

        async def called() -> Answer:
            return work()

        return self.wait(called())

    def add_camera(self, name: str, state: CameraState = CameraState.RECORDING) -> str:
        """A camera that says of itself what it is told to say."""
        camera = self.on_loop(lambda: self.node.add_camera(name))
        self.on_loop(lambda: self.node.directory.state(live_state(camera, state, VideoCodec.H264)))
        return camera

    def record(self, camera: str, frames: int, start_ns: int, **how: Any) -> None:
        """Numbered pictures, as if the first had come at `start_ns`."""
        self.wait(self.node.record(camera, frames, start_ns, **how))

    def sign_in(self, context: BrowserContext) -> None:
        """Lets a browser in, as a sign-in link does."""
        context.add_cookies([{"name": session_cookie(secure=False), "value": self.node.ticket(), "url": self.url}])


@contextmanager
def recorded_node(root: Path) -> Iterator[RecordedNode]:
    """Bus, recorder and gateway for the length of a block."""
    loop = asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever, name="node")
    runner.start()
    running = running_node(root)
    try:
        node = RecordedNode(asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(PATIENCE_S), loop)
        try:
            yield node
        finally:
            node.wait(running.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        runner.join(PATIENCE_S)
        loop.close()
