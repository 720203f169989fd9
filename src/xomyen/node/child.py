"""One process of the node, kept running: started, watched, started again with back-off, stopped cleanly."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from xomyen.terms.errors import XomyenError
from xomyen.terms.tasks import end_task
from xomyen.terms.tether import tethered
from xomyen.terms.time import NS_PER_SECOND, Clock

_LOG = logging.getLogger(__name__)

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 10.0
STEADY_S = 30.0
"""A process that ran this long failed by chance: its next start does not wait."""


class Program(Protocol):
    """Something that runs, ends, and can be started again."""

    @property
    def pid(self) -> int | None: ...

    async def start(self) -> object: ...

    async def exited(self) -> int: ...

    async def stop(self) -> None: ...


class PythonProgram:
    """A part of the node in a Python process of its own, killed by the kernel when this process dies."""

    def __init__(self, arguments: Sequence[str], keep: Sequence[int], patience_s: float) -> None:
        """`arguments` follow the interpreter; `keep` are inherited descriptors; `patience_s` is for a clean stop."""
        self._command = tethered(sys.executable, *arguments)
        self._keep = tuple(keep)
        self._patience_s = patience_s
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Starts the process; it writes its logs to our standard error, also what it prints."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=2,
            stderr=2,
            pass_fds=self._keep,
            # Ctrl-C in a terminal reaches the supervisor alone, which stops the parts in their order.
            start_new_session=True,
        )

    async def exited(self) -> int:
        if self._process is None:
            raise RuntimeError("the process was never started")
        return await self._process.wait()

    async def stop(self) -> None:
        """Asks the process to end; kills it when it does not within its patience."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._patience_s)
        except TimeoutError:
            _LOG.error("process %s did not end within %s s and is killed", process.pid, self._patience_s)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def describe_exit(code: int) -> str:
    """How a process ended, in words: ``killed by SIGKILL``, ``ended with exit code 3``."""
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"ended with exit code {code}"


@dataclass(slots=True)
class ChildState:
    """What the supervisor knows of a part now."""

    running: bool = False
    pid: int | None = None
    since_ns: int = 0
    restarts: int = 0
    detail: str = ""


class Child:
    """Keeps one program running until `stop`."""

    def __init__(
        self,
        name: str,
        program: Program,
        clock: Clock,
        changed: Callable[["Child"], Awaitable[None]],
    ) -> None:
        self.name = name
        self.state = ChildState(since_ns=clock.wall_ns())
        self._program = program
        self._clock = clock
        self._changed = changed
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts the program for the first time. Raises what its start raises."""
        await self._program.start()
        await self._began()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def _began(self) -> None:
        self.state.running = True
        self.state.pid = self._program.pid
        self.state.since_ns = self._clock.wall_ns()
        await self._changed(self)

    async def _ended(self, detail: str) -> None:
        self.state.running = False
        self.state.pid = None
        self.state.since_ns = self._clock.wall_ns()
        self.state.detail = detail
        await self._changed(self)

    async def _keep(self) -> None:
        wait_s = 0.0
        while True:
            began_ns = self._clock.monotonic_ns()
            code = await self._program.exited()
            if self._clock.monotonic_ns() - began_ns > STEADY_S * NS_PER_SECOND:
                wait_s = 0.0
            _LOG.error("%s %s; it is started again in %.1f s", self.name, describe_exit(code), wait_s)
            await self._ended(describe_exit(code))
            wait_s = await self._start_again(wait_s)

    async def _start_again(self, wait_s: float) -> float:
        """Starts the program until it starts; the wait before the next time."""
        while True:
            await asyncio.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, max(FIRST_WAIT_S, wait_s * 2))
            try:
                await self._program.start()
            except (OSError, XomyenError) as error:
                _LOG.error("%s does not start: %s", self.name, error)
                self.state.detail = str(error)
                continue
            self.state.restarts += 1
            await self._began()
            return wait_s

    def kill(self) -> None:
        """Ends the program at once; it is started again."""
        if self.state.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.state.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ends the program for good."""
        if self._keeper is not None:
            await end_task(self._keeper)
            self._keeper = None
        await self._program.stop()
        await self._ended("stopped")
