"""Tells nodes whose access has ended: right after it was saved, and until each of them has acknowledged it."""

import asyncio
import datetime
import logging
import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from django.db import connections
from nats.aio.client import Client

from xomyen.bus import subjects
from xomyen.bus.messages import AccessEnded, SubjectEnded
from xomyen.bus.requests import Empty, ask
from xomyen.centre.cameras.models import Node
from xomyen.centre.link.bus import bus
from xomyen.terms.errors import XomyenError

_LOG = logging.getLogger(__name__)
_ROUND_S = 2.0
_PATIENCE_S = 5.0
_MOMENT_S = 1.0
_AT_ONCE = 8
_MOST = 500  # ends in one message


@dataclass(frozen=True, slots=True)
class ToTell:
    """An end of which a node does not know yet."""

    subject: str  # as tickets name it
    ended: datetime.datetime
    until: datetime.datetime  # nothing that was issued before lasts longer


class Book(Protocol):
    """Where it stands whose access has ended, and which node knows of it; `xomyen.centre.watch.ending` is one."""

    def settle(self) -> int:
        """Gives the ends that were saved their time; how many."""

    def waiting(self) -> list[uuid.UUID]:
        """The nodes that have to be told something."""

    def to_tell(self, node: uuid.UUID, at_most: int) -> list[ToTell]:
        """What the node does not know yet, or a part of it."""

    def acknowledged(self, node: Node, told: Iterable[ToTell]) -> None:
        """The node has them on its disk."""

    def forget(self) -> None:
        """Drops what concerns no ticket any more."""


async def keep_ended() -> None:
    """Duty: every two seconds what nodes do not know yet, those that were away among them."""
    while True:
        await asyncio.to_thread(one_round)
        await asyncio.sleep(_ROUND_S)


def one_round() -> None:
    """Tells all nodes what they do not know, several at once, and drops what is over."""
    book = ended.book
    try:
        book.settle()
        nodes = book.waiting()
        book.forget()
    finally:
        connections.close_all()
    if nodes:
        with ThreadPoolExecutor(_AT_ONCE, "ended") as threads:
            list(threads.map(_visit, nodes))


def _visit(node_id: uuid.UUID) -> None:
    try:
        tell(node_id)
    except XomyenError as error:
        _LOG.info("node %s could not be told whose access has ended: %s", node_id, error.message)
    finally:
        connections.close_all()


def tell(node_id: uuid.UUID) -> None:
    """All that the node does not know yet. Raises NotRunning, or the refusal."""
    while told := ended.book.to_tell(node_id, _MOST):
        _tell(node_id, told)
        ended.book.acknowledged(Node.objects.get(pk=node_id), told)


def _tell(node_id: uuid.UUID, told: list[ToTell]) -> None:
    known = tuple(
        SubjectEnded(
            subject=one.subject, issued_upto_s=int(one.ended.timestamp()), expires_s=int(one.until.timestamp()) + 1
        )
        for one in told
    )

    async def asked(client: Client) -> Empty:
        subject = subjects.service(str(node_id), "access", "end")
        return await ask(client, subject, AccessEnded(ended=known), Empty, _PATIENCE_S)

    bus.ask(asked, _PATIENCE_S)


def _log_failure(done: Future[None]) -> None:
    """Nobody waits for what a round raises: the log has it, and the worker's duty goes round again."""
    if error := done.exception():
        _LOG.error("nodes could not be told whose access has ended", exc_info=error)


class Ended:
    """A thread that goes round at once, for a page that waits but a moment; the duty does what it leaves."""

    book: Book  # opened at the start by the app that keeps it

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, "ended")
        self._waiting: Future[None] | None = None

    def soon(self, patience_s: float = _MOMENT_S) -> None:
        """Waits so long at most: the page that comes next names the nodes that could not be told by then."""
        with self._lock:
            # One that has not begun yet will see what was saved now.
            if self._waiting is None or self._waiting.running() or self._waiting.done():
                self._waiting = self._threads.submit(self._round)
                self._waiting.add_done_callback(_log_failure)
            waiting = self._waiting
        wait([waiting], patience_s)

    def finish(self) -> None:
        """Waits for all that was begun."""
        if self._waiting is not None:
            wait([self._waiting])

    def _round(self) -> None:
        try:
            one_round()
        finally:
            connections.close_all()


ended = Ended()
"""Of this process."""
