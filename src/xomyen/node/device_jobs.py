"""Work on devices that takes its time: begun, asked how far it has come, ended early, remembered for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from xomyen.bus.device_messages import DeviceFound, JobKind, JobPhase, JobState, Step, StreamSeen
from xomyen.bus.devices import DevicesBusy, UnknownJob
from xomyen.terms.errors import XomyenError
from xomyen.terms.ids import new_id
from xomyen.terms.tasks import end_task
from xomyen.terms.time import NS_PER_SECOND, Clock

_LOG = logging.getLogger(__name__)

_AT_ONCE: dict[JobKind, int] = {"probe": 4, "discover": 2}
_LONGEST_S = 240.0
_KEPT_S = 600
_MOST_KEPT = 50
_PAGE_BYTES = 400_000
"""Of devices in one answer; a message of the bus takes 1 MiB."""


class Job:
    """What is known of one piece of work until now; the work itself writes it."""

    def __init__(self, job: str, kind: JobKind) -> None:
        self.id = job
        self.kind = kind
        self.phase: JobPhase = "running"
        self.step: Step = "waiting"
        self.done = 0
        self.total = 0
        self.fault = ""
        self.message = ""
        self.seen: StreamSeen | None = None
        self.still = ""  # base64 of a JPEG
        self.reached = ""  # the IP address that the pictures come from
        self.withheld = True
        self.devices: list[DeviceFound] = []
        self.ended_ns = 0  # monotonic
        self.task: asyncio.Task[None] | None = None

    def state(self, skip: int = 0) -> JobState:
        """For the one who asks; devices after the first `skip`, as many as fit into one message."""
        page: list[DeviceFound] = []
        size = 0
        for device in self.devices[skip:]:
            size += len(device.model_dump_json())
            if page and size > _PAGE_BYTES:
                break
            page.append(device)
        return JobState(
            job=self.id,
            kind=self.kind,
            phase=self.phase,
            step=self.step,
            done=self.done,
            total=self.total,
            fault=self.fault,
            message=self.message,
            seen=self.seen,
            still=self.still,
            reached=self.reached,
            withheld=self.withheld,
            devices=tuple(page),
            found=len(self.devices),
        )


class Jobs:
    """The jobs of this process; those that run end when it is left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}

    async def __aenter__(self) -> "Jobs":
        return self

    async def __aexit__(self, *exception: object) -> None:
        for job in self._jobs.values():
            await end_task(job.task)

    def begin(self, kind: JobKind, work: Callable[[Job], Awaitable[None]]) -> Job:
        """Begins the work. Raises DevicesBusy."""
        self._forget()
        running = sum(1 for job in self._jobs.values() if job.kind == kind and job.phase == "running")
        if running >= _AT_ONCE[kind]:
            raise DevicesBusy("The node does as much of this as it may; try again when what runs has ended.")
        job = Job(new_id(self._clock), kind)
        self._jobs[job.id] = job
        job.task = asyncio.create_task(self._run(job, work), name=f"{kind} {job.id}")
        return job

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(_LONGEST_S):
                await work(job)
            job.phase = "done"
        except XomyenError as error:
            job.phase, job.fault, job.message = "failed", error.code, error.message
        except TimeoutError:
            job.phase, job.fault, job.message = "failed", "timeout", f"It did not end within {_LONGEST_S:.0f} s."
        except asyncio.CancelledError:
            job.phase = "stopped"
            raise
        except Exception as error:  # noqa: BLE001  # the one who asked must hear of it, whatever it was
            _LOG.exception("%s failed", job.kind)
            job.phase, job.fault = "failed", "error"
            job.message = f"It failed: {type(error).__name__}; see the log."
        finally:
            job.step = "ended"
            job.ended_ns = self._clock.monotonic_ns()

    def find(self, job: str) -> Job:
        """Raises UnknownJob."""
        found = self._jobs.get(job)
        if found is None:
            raise UnknownJob("That work was done long ago, or was interrupted: begin it again.")
        return found

    async def stop(self, job: str) -> Job:
        """Ends the work if it still runs. Raises UnknownJob."""
        found = self.find(job)
        await end_task(found.task)
        if found.phase == "running":  # it had not even begun
            found.phase, found.step, found.ended_ns = "stopped", "ended", self._clock.monotonic_ns()
        return found

    def _forget(self) -> None:
        """Jobs that ended long ago, and the oldest of too many."""
        now_ns = self._clock.monotonic_ns()
        ended = sorted((job for job in self._jobs.values() if job.phase != "running"), key=lambda job: job.ended_ns)
        for number, job in enumerate(ended):
            if now_ns - job.ended_ns > _KEPT_S * NS_PER_SECOND or len(ended) - number > _MOST_KEPT:
                del self._jobs[job.id]
