"""Sinks that remember what a source delivered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from xomyen.camera.source import Batch, CodecConfig
from xomyen.terms.buffers import Lease
from xomyen.terms.words import GapReason


@dataclass
class Unit:
    data: bytes
    pts: int
    dts: int
    key: bool
    run: int


@dataclass
class RememberingSink:
    """Copies every access unit; a `StreamSink`."""

    units: list[Unit] = field(default_factory=list)
    configs: list[CodecConfig] = field(default_factory=list)
    ends: list[tuple[GapReason, str]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    lost_packets: int = 0
    batches: int = 0
    keep: bool = False  # keeps the leases, as a stalled disk does
    kept: list[Lease] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, config: CodecConfig) -> None:
        self.configs.append(config)
        self.changed.set()

    def write(self, batch: Batch) -> None:
        count = len(batch.sizes)
        assert count == len(batch.pts_ticks) == len(batch.dts_ticks) == len(batch.keys) > 0
        data = b"".join(batch.parts)
        assert sum(batch.sizes) == len(data)
        begin = 0
        for index, size in enumerate(batch.sizes):
            pts, dts = batch.pts_ticks[index], batch.dts_ticks[index]
            self.units.append(Unit(data[begin : begin + size], pts, dts, batch.keys[index], len(self.configs)))
            begin += size
        self.lost_packets += batch.lost_packets
        self.batches += 1
        if self.keep:
            for lease in batch.leases:
                lease.retain()
                self.kept.append(lease)
        self.changed.set()

    def camera_clock(self, offset_ns: int) -> None:
        self.offsets.append(offset_ns)
        self.changed.set()

    def closed(self, reason: GapReason, detail: str) -> None:
        self.ends.append((reason, detail))
        self.changed.set()

    async def until(self, condition: Callable[["RememberingSink"], bool], timeout_s: float = 60) -> None:
        """Waits for something to have been delivered."""
        async with asyncio.timeout(timeout_s):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()
