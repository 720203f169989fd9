"""Threads of their own for one kind of waiting, so that none waits behind another."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from xomyen.playback.errors import Busy

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def in_thread(threads: Executor | None, job: Callable[..., Result], *args: object) -> Result:
    """The job's result, computed in one of the threads (None: the loop's own).

    Cancelled, it waits until the job has ended: what the job works on must not be closed under it.
    """
    working = asyncio.get_running_loop().run_in_executor(threads, job, *args)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


class Lane:
    """At most `threads` jobs at once and `waiting` in line; threads start when first needed."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = threads + waiting
        self._jobs = 0

    async def run(
        self, job: Callable[Parameters, Result], *args: Parameters.args, **keywords: Parameters.kwargs
    ) -> Result:
        """The job's result. Raises what it raises, Busy when too many wait already."""
        if keywords:
            raise TypeError("only positional arguments are passed on")
        if self._jobs >= self._limit:
            raise Busy("The node's disk answers slowly and many wait for it; try again in a moment.")
        self._jobs += 1
        try:
            return await in_thread(self.threads, job, *args)
        finally:
            self._jobs -= 1

    def close(self) -> None:
        """Takes no more jobs and forgets those in line; does not wait for a disk."""
        self.threads.shutdown(wait=False, cancel_futures=True)


class VolumeLanes:
    """A lane for each storage volume: a disk that answers slowly holds up its own footage alone."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = threads
        self._waiting = waiting
        self._lanes: dict[str, Lane] = {}

    def of(self, volume: str) -> Lane:
        """The volume's lane; `volume` is its id."""
        lane = self._lanes.get(volume)
        if lane is None:
            lane = self._lanes[volume] = Lane("footage", self._threads, self._waiting)
        return lane

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.close()
