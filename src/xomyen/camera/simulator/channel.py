"""One picture clock: sends a loop's packets on schedule to every session that plays it."""

import asyncio
from collections.abc import Callable
from itertools import accumulate
from typing import Protocol

from xomyen.camera.simulator.encoding import Loop
from xomyen.camera.simulator.packets import PacketBlock, packetise, stamp
from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND, Clock

_LATEST_S = 2.0  # a clock further behind than this skips pictures instead of sending a burst


class Receiver(Protocol):
    """Whoever plays a channel."""

    rtp_channel: int

    def deliver(self, block: bytes, key: bool) -> None:
        """Takes one access unit's packets; never blocks."""
        ...


class PacketLoop:
    """A loop's packets, shared by all channels that show it."""

    def __init__(self, loop: Loop, ssrc: int) -> None:
        p = loop.picturing
        self.picturing = p
        self.parameter_sets = loop.parameter_sets
        self.ssrc = ssrc
        self.keys = loop.keys
        self.pts = loop.pts
        self.blocks: list[PacketBlock] = [
            packetise([*loop.parameter_sets, *unit] if key else unit, p.codec, ssrc)
            for unit, key in zip(loop.units, loop.keys, strict=True)
        ]
        self.packets_before = list(accumulate((b.packets for b in self.blocks), initial=0))


class Channel:
    """Shows a loop from a place of its own, with a picture clock of its own.

    Picture `k` counts from the Unix epoch in steps of 1/fps; sequence numbers and timestamps follow from
    `k` alone, so that they run on for as long as the process does.
    """

    def __init__(self, packets: PacketLoop, offset: int, phase_ns: int, clock: Clock) -> None:
        self.packets = packets
        self.offset = offset
        self.phase_ns = phase_ns
        self.receivers: set[Receiver] = set()
        self.frames_sent = 0
        self._fps = packets.picturing.fps
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0
        self._wall_minus_loop_s = 0.0

    # --- what picture k is ---------------------------------------------------------------

    def sequence(self, k: int) -> int:
        """The sequence number of picture k's first packet."""
        cycle, index = divmod(k + self.offset, len(self.packets.blocks))
        return (cycle * self.packets.packets_before[-1] + self.packets.packets_before[index]) & 0xFFFF

    def timestamp(self, k: int) -> int:
        """The RTP time of picture k: its presentation time since the epoch in 90 kHz, 32 bits."""
        n = len(self.packets.blocks)
        cycle, index = divmod(k + self.offset, n)
        shown = cycle * n + self.packets.pts[index] - self.offset
        return shown * TICKS_PER_SECOND // self._fps & 0xFFFFFFFF

    def is_key(self, k: int) -> bool:
        return self.packets.keys[(k + self.offset) % len(self.packets.keys)]

    def next_key(self) -> int:
        """The first keyframe that is still to be sent."""
        k = self._next if self._timer else self._current() + 1
        while not self.is_key(k):
            k += 1
        return k

    # --- sending -------------------------------------------------------------------------

    def _current(self) -> int:
        return (self._clock.wall_ns() - self.phase_ns) * self._fps // NS_PER_SECOND

    def join(self, receiver: Receiver) -> None:
        self.receivers.add(receiver)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._wall_minus_loop_s = self._clock.wall_ns() / NS_PER_SECOND - loop.time()
            self._next = self._current() + 1
            self._schedule(loop)

    def leave(self, receiver: Receiver) -> None:
        self.receivers.discard(receiver)
        if not self.receivers:
            self.stop()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._next / self._fps + self.phase_ns / NS_PER_SECOND - self._wall_minus_loop_s
        self._timer = loop.call_at(due, self._tick)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = (loop.time() + self._wall_minus_loop_s - self.phase_ns / NS_PER_SECOND) * self._fps
        if now - self._next > _LATEST_S * self._fps:
            self._next = int(now)
        while self._next <= now + 1e-3:
            self._send(self._next)
            self._next += 1
        self._schedule(loop)

    def _send(self, k: int) -> None:
        index = (k + self.offset) % len(self.packets.blocks)
        block = self.packets.blocks[index]
        key = self.packets.keys[index]
        sequence, timestamp = self.sequence(k), self.timestamp(k)
        made: dict[int, bytes] = {}
        for receiver in list(self.receivers):
            channel = receiver.rtp_channel
            if channel not in made:
                made[channel] = stamp(block, sequence, timestamp, channel)
            receiver.deliver(made[channel], key)
            self.frames_sent += 1


Progress = Callable[[int, int], None]
