"""Replaces a part of the node that runs but has stopped answering."""

import asyncio
import logging
from collections.abc import Callable

from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict

from xomyen.bus import subjects
from xomyen.bus.requests import Empty, ask
from xomyen.node.child import Child
from xomyen.terms.errors import XomyenError

_LOG = logging.getLogger(__name__)

LOOK_S = 5.0
LONGEST_SILENCE_S = 20.0
FEWEST_UNANSWERED = 2
"""Questions in a row: one that timed out while this process itself was stopped says nothing of the part."""


class _AnyAnswer(BaseModel):
    """Whatever the part says of itself: that it says something is enough."""

    model_config = ConfigDict(extra="ignore")


class Watchdog:
    """Asks one part for its state over the bus, which its event loop has to answer; kills it after a long silence."""

    def __init__(self, child: Child, node: str, longest_start_s: float | None = None) -> None:
        """`longest_start_s`: how long a new process may take to its first answer; None: as long as it likes."""
        self.name = child.name
        self._child = child
        self._subject = subjects.service(node, child.name, "state")
        self._longest_start_s = longest_start_s
        self._pid: int | None = None  # the process that the two below speak of
        self._answered = False
        self._silent_since_s = 0.0
        self._unanswered = 0

    async def watch(self, client: Callable[[], Client | None]) -> None:
        """Until cancelled. `client` gives the connection to the bus, while there is one."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            bus = client()
            if self._child.state.pid != self._pid:
                self._meet(loop.time())
            if bus is None or not bus.is_connected:
                self._silent_since_s = loop.time()  # nobody could have answered
                continue
            try:
                await ask(bus, self._subject, Empty(), _AnyAnswer, seconds=LOOK_S)
            except XomyenError:
                self._judge(loop.time())
            else:
                if self._child.state.pid == self._pid:
                    self._heard(loop.time())

    def _meet(self, now_s: float) -> None:
        self._pid = self._child.state.pid
        self._answered = False
        self._silent_since_s = now_s
        self._unanswered = 0

    def _heard(self, now_s: float) -> None:
        """One question was answered."""
        if not self._answered:
            _LOG.info("the %s (process %s) answers", self.name, self._pid)
        self._answered = True
        self._silent_since_s = now_s
        self._unanswered = 0

    def _judge(self, now_s: float) -> None:
        """One question was not answered."""
        self._unanswered += 1
        patience_s = LONGEST_SILENCE_S if self._answered else self._longest_start_s
        if self._pid is None or self._pid != self._child.state.pid or patience_s is None:
            return
        if now_s - self._silent_since_s > patience_s and self._unanswered >= FEWEST_UNANSWERED:
            _LOG.error("the %s (process %s) does not answer and is killed", self.name, self._pid)
            self._child.kill()
