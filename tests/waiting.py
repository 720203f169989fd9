"""Waits for the thing itself instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def until(condition: Callable[[], Found | Awaitable[Found]], seconds: float = 60.0, every: float = 0.02) -> Found:
    """What the condition returns once it is true; AssertionError after the seconds."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"{condition} did not become true within {seconds} s"
        await asyncio.sleep(every)


def wait_until(condition: Callable[[], Found], seconds: float = 60.0, every: float = 0.05) -> Found:
    """The same without an event loop."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{condition} did not become true within {seconds} s"
        time.sleep(every)
