"""Ending tasks for certain."""

import asyncio
from typing import Any

_AGAIN_S = 1.0  # longer than a polite end takes (a TEARDOWN and its answer)


async def end_task(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task and waits until it has ended; its own failure was told elsewhere.

    Until Python 3.12 `asyncio.wait_for` swallows a cancellation that comes together with the result it waits for
    (python/cpython#81839), and so does every library that uses it: a task that loops would go on for ever.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_S)
