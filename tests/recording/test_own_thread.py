"""Work on a thread of its own: its result or its error comes back, and a call that hangs holds up nothing."""

import asyncio
import threading

import pytest

from xomyen.recording.own_thread import in_own_thread


async def test_the_result_comes_back() -> None:
    assert await in_own_thread(lambda: threading.current_thread().name, "worker") == "worker"


async def test_what_it_raises_comes_back() -> None:
    def failing() -> None:
        raise OSError("dead")

    with pytest.raises(OSError, match="dead"):
        await in_own_thread(failing, "worker")


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_loop() -> None:
    release = threading.Event()

    async def begin() -> None:
        waiting = asyncio.create_task(in_own_thread(lambda: release.wait(60), "worker"))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(begin())  # ends although the thread does not
    assert any(thread.name == "worker" for thread in threading.enumerate())
    release.set()
