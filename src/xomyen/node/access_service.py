"""Takes the centre's word for whose access was ended, so that tickets in hand do not outlast a lock."""

import asyncio
from typing import Self

import structlog
from nats.aio.client import Client

from xomyen.access.store import AccessStore
from xomyen.bus.messages import AccessEnded
from xomyen.bus.requests import Empty
from xomyen.bus.service import Service

log = structlog.get_logger(__name__)


class AccessService:
    """Answers access.end while it is entered."""

    def __init__(self, client: Client, node: str, store: AccessStore) -> None:
        self._service = Service(client, node, "access")
        self._store = store

    async def __aenter__(self) -> Self:
        await self._service.offer("end", AccessEnded, self.end)
        await self._service.reachable()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._service.close()

    async def end(self, request: AccessEnded) -> Empty:
        """Keeps it; every request from then on is refused, what runs ends at its next look (`RECHECK_S`)."""
        ended = [(one.subject, one.issued_upto_s, one.expires_s) for one in request.ended]
        # The disk may take its time, and pictures go over this loop.
        await asyncio.to_thread(self._store.end, ended)
        for subject, issued_upto_s, _ in ended:
            log.info("access_ended", subject=subject, issued_upto_s=issued_upto_s)
        return Empty()
