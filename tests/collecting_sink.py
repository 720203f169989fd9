"""A sink that keeps everything, and lets a test wait for what it needs."""

import asyncio
from collections.abc import Callable

from xomyen.camera.source import Batch, CodecConfig
from xomyen.terms.words import GapReason


class CollectingSink:
    """Keeps configurations, access units, times and reasons in the order they came."""

    def __init__(self) -> None:
        self.configs: list[CodecConfig] = []
        self.config_at: list[int] = []  # how many access units came before each configuration
        self.units: list[bytes] = []
        self.pts: list[int] = []
        self.dts: list[int] = []
        self.keys: list[bool] = []
        self.batches: list[int] = []  # how many pictures each brought
        self.lost_packets = 0
        self.arrived_ns: list[int] = []
        self.closings: list[tuple[GapReason, str]] = []
        self.offsets_ns: list[int] = []
        self._changed = asyncio.Event()

    def opened(self, config: CodecConfig) -> None:
        self.configs.append(config)
        self.config_at.append(len(self.units))
        self._changed.set()

    def write(self, batch: Batch) -> None:
        data = b"".join(batch.parts)
        start = 0
        for size in batch.sizes:
            self.units.append(data[start : start + size])
            start += size
        assert start == len(data)
        self.pts += batch.pts_ticks
        self.dts += batch.dts_ticks
        self.keys += batch.keys
        self.lost_packets += batch.lost_packets
        self.arrived_ns.append(batch.arrived_ns)
        self.batches.append(len(batch.sizes))
        self._changed.set()

    def camera_clock(self, offset_ns: int) -> None:
        self.offsets_ns.append(offset_ns)
        self._changed.set()

    def closed(self, reason: GapReason, detail: str) -> None:
        self.closings.append((reason, detail))
        self._changed.set()

    async def until(self, condition: Callable[["CollectingSink"], bool], seconds: float = 60.0) -> None:
        """Waits until the condition holds of this sink."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    def check_times(self) -> None:
        """dts strictly increasing and never after pts."""
        assert all(later > earlier for earlier, later in zip(self.dts, self.dts[1:], strict=False))
        assert all(pts >= dts for pts, dts in zip(self.pts, self.dts, strict=True))
