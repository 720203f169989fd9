"""Brings nodes to what is wanted right after a page has saved it, without the page waiting."""

import functools
import logging
import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.db import connections, transaction

from xomyen.centre.cameras.models import Node
from xomyen.centre.link.apply import bring

_LOG = logging.getLogger(__name__)


class Soon:
    """A few threads; a node is brought by one of them at a time, and once more when it was wanted meanwhile.

    Nodes that did not answer last have threads of their own, so that others never wait behind them.
    """

    def __init__(self, threads: int = 6, silent: int = 2) -> None:
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, "link")
        self._silent = ThreadPoolExecutor(silent, "link to silent")
        self._running: dict[uuid.UUID, Future[None]] = {}
        self._again: set[uuid.UUID] = set()

    def after_commit(self, nodes: Iterable[uuid.UUID | None]) -> None:
        """Once what is being saved is in the database."""
        if wanted := {node for node in nodes if node is not None}:
            transaction.on_commit(functools.partial(self.now, *wanted))

    def now(self, *nodes: uuid.UUID) -> None:
        """Does not wait for it."""
        known = Node.objects.filter(pk__in=nodes, answers=False).exclude(since=None)
        silent = set(known.values_list("pk", flat=True))
        with self._lock:
            for node in nodes:
                if node in self._running:
                    self._again.add(node)
                else:
                    threads = self._silent if node in silent else self._threads
                    self._running[node] = threads.submit(self._bring, node)

    def finish(self) -> None:
        """Waits for all that was begun."""
        while True:
            with self._lock:
                running = list(self._running.values())
            if not running:
                return
            wait(running)

    def _bring(self, node: uuid.UUID) -> None:
        try:
            while True:
                try:
                    bring(node)
                except Exception:  # noqa: BLE001  # the worker tries again; here is nobody to be told
                    _LOG.exception("node %s could not be brought to what is wanted", node)
                with self._lock:
                    if node not in self._again:
                        self._running.pop(node)
                        return
                    self._again.discard(node)
        finally:
            connections.close_all()


soon = Soon()
"""Of this process."""
