"""Long answers: what they hold is let go when the client leaves, and a client that takes nothing is let go itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

SEND_S = 60.0  # for one piece of at most 1 MiB


class StreamedResponse(StreamingResponse):
    """A body made while it is sent; its generator is closed at once when the answer ends, however it ends."""

    def __init__(
        self,
        content: AsyncGenerator[bytes, None],
        status_code: int = 200,
        headers: dict[str, str] | None = None,
        media_type: str | None = None,
        send_s: float = SEND_S,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._content = content
        self._send_s = send_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            # Raises TimeoutError, which breaks the connection off.
            async with asyncio.timeout(self._send_s):
                await send(message)
            # To a client that has left Granian sends without ever waiting: a body that does not wait either would
            # keep the event loop for itself, and nobody would hear that the client is gone.
            await asyncio.sleep(0)

        # Left to the garbage collector, a download that broke off would hold its files against deletion.
        async with aclosing(self._content):
            await super().__call__(scope, receive, send_in_time)
