"""What others ask of the recorder over the bus: states, checkpoints, holds, statistics."""

from collections.abc import Callable
from typing import Self

from nats.aio.client import Client

from xomyen.bus.messages import (
    CheckpointDone,
    HoldDone,
    HoldWanted,
    RecorderState,
    Statistics,
    StreamWanted,
)
from xomyen.bus.requests import Empty
from xomyen.bus.service import Service
from xomyen.node.metrics import RecorderMetrics, exposition, problems_of
from xomyen.node.states import Notices
from xomyen.recording.recorder import Recorder
from xomyen.terms.buffers import BufferPool
from xomyen.terms.errors import NoFootage, VolumeRefused, XomyenError


class UnknownHold(XomyenError):  # named as all errors here are
    """There is no hold of this id."""

    code = "unknown_hold"
    http_status = 404


class RecorderService:
    """Answers recorder.state, .checkpoint, .hold, .release and .statistics while it is entered."""

    def __init__(
        self,
        client: Client,
        node: str,
        recorder: Recorder,
        notices: Notices,
        pool: BufferPool,
        counts: Callable[[], dict[str, int]],
        gauges: Callable[[], dict[str, int]],
    ) -> None:
        """`counts` (which only grow) and `gauges` are further values for the metrics."""
        self._service = Service(client, node, "recorder")
        self._recorder = recorder
        self._notices = notices
        self._pool = pool
        self._counts = counts
        self._gauges = gauges

    async def __aenter__(self) -> Self:
        await self._service.offer("state", Empty, self.state)
        await self._service.offer("checkpoint", StreamWanted, self.checkpoint)
        await self._service.offer("hold", HoldWanted, self.hold)
        await self._service.offer("release", HoldDone, self.release)
        await self._service.offer("statistics", Empty, self.statistics)
        await self._service.reachable()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._service.close()

    async def state(self, _request: Empty) -> RecorderState:
        """Every stream's newest state, and what is wrong with the recorder itself."""
        statistics = self._recorder.statistics
        return RecorderState(
            streams=tuple(self._notices.states.values()), problems=problems_of(statistics), alarms=statistics.alarms
        )

    async def checkpoint(self, request: StreamWanted) -> CheckpointDone:
        """Seals what there is of the open segment; answered once it is acknowledged."""
        try:
            segment = await self._recorder.checkpoint(request.camera, request.stream)
        except NoFootage:
            return CheckpointDone(segment=None)
        except OSError as error:
            raise VolumeRefused(f"The disk refused the checkpoint: {error.strerror or error}.") from error
        row = self._recorder.reader.segment(segment)
        return CheckpointDone(segment=segment, bytes=row.bytes if row else 0, end_ns=row.end_ns if row else 0)

    async def hold(self, request: HoldWanted) -> HoldDone:
        """Keeps footage from retention; committed when answered."""
        hold = await self._recorder.add_hold(
            request.camera, request.start_ns, request.end_ns, request.reason, request.who, request.until_ns
        )
        return HoldDone(hold=hold.id)

    async def release(self, request: HoldDone) -> Empty:
        """Ends a hold. Raises UnknownHold."""
        if not await self._recorder.remove_hold(request.hold):
            raise UnknownHold(f"There is no hold {request.hold}.")
        return Empty()

    async def statistics(self, _request: Empty) -> Statistics:
        """The recorder's values for Prometheus."""
        metrics = RecorderMetrics(
            self._recorder.statistics, self._notices.states.values(), self._pool, self._counts(), self._gauges()
        )
        return Statistics(text=exposition(metrics))
