"""A few processes that decode: libav may crash on what a camera sent, the gateway must not."""

import asyncio
import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from xomyen.playback.errors import Busy, NotDecodable
from xomyen.terms.niceness import give_way
from xomyen.terms.tether import tie_to_parent

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _settle_in(parent: int) -> None:
    """In a new process: it ends with its parent, however that ends, and recording goes first."""
    # A worker holds both ends of its queue itself, so that it would wait for ever for a parent that was killed.
    tie_to_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_way()


def _import_decoder() -> None:
    """In a decoder process: loads what decoding needs."""
    importlib.import_module("xomyen.playback.decode")


class DecoderPool:
    """At most `processes` at work and `waiting` jobs in line; processes start when first needed."""

    def __init__(self, processes: int, waiting: int, warm: int = 0) -> None:
        """`warm` processes are started at once, the others when needed."""
        self._processes = processes
        self._warm_processes = warm
        self._warming: asyncio.Task[None] | None = None
        self._limit = processes + waiting
        self._jobs = 0
        self._pool: ProcessPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        """Begins to start the processes, so that the first picture asked for need not wait for one."""
        self._warming = asyncio.create_task(self._warm(), name="warm-decoders")
        return self

    async def _warm(self) -> None:
        await asyncio.gather(*(self.run(_import_decoder) for _ in range(self._warm_processes)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    async def run(
        self, job: Callable[Parameters, Result], *args: Parameters.args, **keywords: Parameters.kwargs
    ) -> Result:
        """The result of a module's function, computed in one of the processes.

        Raises what it raises, Busy when too many wait, NotDecodable when the process died of it.
        """
        if keywords:
            raise TypeError("only positional arguments travel to the process")
        if self._jobs >= self._limit:
            raise Busy("The node decodes as many pictures as it may; try again in a moment.")
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, multiprocessing.get_context("spawn"), initializer=_settle_in, initargs=(os.getpid(),)
            )
        pool = self._pool
        self._jobs += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, job, *args)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = None
                pool.shutdown(wait=False, cancel_futures=True)
            raise NotDecodable("The decoder ended unexpectedly on what was recorded there.") from error
        finally:
            self._jobs -= 1
