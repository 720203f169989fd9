"""A decoder process that is there while cameras are being probed, and a while longer: the next probe comes soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xomyen.playback.pool import DecoderPool
from xomyen.terms.tasks import end_task

_KEPT_S = 120.0
_PROCESSES = 1
_WAITING = 4


class ProbeDecoder:
    """Starts with its first user; ends when it is left, or when nobody has used it for a while."""

    def __init__(self) -> None:
        self._pool: DecoderPool | None = None
        self._users = 0
        self._ending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ProbeDecoder":
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._ending)
        await self._end()

    @asynccontextmanager
    async def used(self) -> AsyncIterator[DecoderPool]:
        """The decoder for the length of a block; it is being started, at the latest, when the block begins."""
        self._users += 1
        try:
            await end_task(self._ending)
            if self._pool is None:
                self._pool = await DecoderPool(_PROCESSES, _WAITING, warm=1).__aenter__()
            yield self._pool
        finally:
            self._users -= 1
            if not self._users:
                self._ending = asyncio.create_task(self._end_later(), name="end-decoder")

    async def _end_later(self) -> None:
        await asyncio.sleep(_KEPT_S)
        await self._end()

    async def _end(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.__aexit__(None, None, None)
