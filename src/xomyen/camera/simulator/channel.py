"""One picture clock: sends a loop's packets on schedule to every session that plays it."""

import asyncio
from collections.abc import Callable
from itertools import accumulate
from typing import Protocol

from xomyen.camera.simulator.camera_clock import TRUE, CameraClock, picture_ns
from xomyen.camera.simulator.encoding import Loop
from xomyen.camera.simulator.osd_band import DisplayCoder
from xomyen.camera.simulator.osd_slice import SliceSyntax, header_of, slice_syntax
from xomyen.camera.simulator.packets import PacketBlock, packetise, stamp
from xomyen.terms.time import NS_PER_SECOND, Clock

_LATEST_S = 2.0  # a clock further behind than this skips pictures instead of sending a burst
_EARLY_S = 0.001  # uvloop's clock counts whole milliseconds; waiting for the rest would be a busy wait
_REPORT_S = 5  # between sender reports (RFC 3550 §6.2)

Progress = Callable[[int, int], None]


class Receiver(Protocol):
    """Whoever plays a channel."""

    rtp_channel: int
    name: str  # of the camera, shown in the picture

    def deliver(self, block: bytes, key: bool, packets: int) -> None:
        """Takes one access unit's packets; never blocks."""
        ...

    def report(self, ntp_ns: int, timestamp: int) -> None:
        """Takes what a sender report says: the camera's clock and the RTP time at the same instant."""
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
        self.syntax: SliceSyntax | None = slice_syntax(loop.parameter_sets) if p.live_display else None
        self.headers = [header_of(u[0], self.syntax) if self.syntax else (0, 0) for u in loop.units]
        self.sets = packetise(loop.parameter_sets, p.codec, ssrc, last=False)
        self.pictures: list[PacketBlock] = [packetise(u, p.codec, ssrc) for u in loop.units]
        self.count = len(self.pictures)


class Channel:
    """Shows a loop from a place of its own, with a picture clock of its own.

    Picture `k` counts from the Unix epoch in steps of 1/fps; sequence numbers and timestamps follow from
    `k` alone, so that they run on for as long as the process does.
    """

    def __init__(
        self,
        packets: PacketLoop,
        display: DisplayCoder | None,
        offset: int,
        phase_ns: int,
        clock: Clock,
        camera_clock: CameraClock = TRUE,
        sequence_shift: int = 0,
    ) -> None:
        self.packets = packets
        self.display = display
        self.offset = offset
        self.phase_ns = phase_ns
        self.camera_clock = camera_clock
        self.sequence_shift = sequence_shift
        self.receivers: set[Receiver] = set()
        self.pictures_sent = 0
        self._fps = packets.picturing.fps
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0
        self._wall_minus_loop_s = 0.0
        counts = [
            b.packets + (packets.sets.packets if key else 0) + self._display_packets(key)
            for b, key in zip(packets.pictures, packets.keys, strict=True)
        ]
        self._packets_before = list(accumulate(counts, initial=0))

    def _display_packets(self, key: bool) -> int:
        if not self.display:
            return 0
        return sum(self.display.whole_packets) + sum(self.display.name_packets) if key else 1

    # --- what picture k is ---------------------------------------------------------------

    def sequence(self, k: int) -> int:
        """The sequence number of picture k's first packet."""
        cycle, index = divmod(k + self.offset, self.packets.count)
        return (cycle * self._packets_before[-1] + self._packets_before[index] + self.sequence_shift) & 0xFFFF

    def timestamp(self, k: int) -> int:
        """The RTP time of picture k: its presentation time since the epoch in 90 kHz, 32 bits."""
        cycle, index = divmod(k + self.offset, self.packets.count)
        shown = cycle * self.packets.count + self.packets.pts[index] - self.offset
        return self.camera_clock.timestamp(picture_ns(shown, self._fps))

    def is_key(self, k: int) -> bool:
        return self.packets.keys[(k + self.offset) % self.packets.count]

    def next_picture(self) -> int:
        """The first picture that is still to be sent."""
        return self._next if self._timer else self._current() + 1

    def next_key(self) -> int:
        """The first keyframe that is still to be sent."""
        k = self.next_picture()
        while not self.is_key(k):
            k += 1
        return k

    # --- sending -------------------------------------------------------------------------

    def _current(self) -> int:
        return (self._clock.wall_ns() - self.phase_ns) * self._fps // NS_PER_SECOND

    def join(self, receiver: Receiver, first: int | None = None) -> None:
        """From the next picture on, or from picture `first`."""
        self.receivers.add(receiver)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._wall_minus_loop_s = self._clock.wall_ns() / NS_PER_SECOND - loop.time()
            self._next = self._current() + 1 if first is None else first
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
        while self._next <= now + _EARLY_S * self._fps:
            self._send(self._next)
            self._next += 1
        if self.receivers:
            self._schedule(loop)

    def _send(self, k: int) -> None:
        index = (k + self.offset) % self.packets.count
        key = self.packets.keys[index]
        packets = self._packets_before[index + 1] - self._packets_before[index]
        parts = self._key_parts(k, index) if key else self._delta_parts(k, index)
        timestamp, sequence = self.timestamp(k), self.sequence(k)
        made: dict[tuple[int, str], bytes] = {}
        for receiver in list(self.receivers):
            wanted = (receiver.rtp_channel, receiver.name if key and self.display else "")
            if wanted not in made:
                made[wanted] = self._stamped(parts, index, sequence, timestamp, *wanted)
            receiver.deliver(made[wanted], key, packets)
            self.pictures_sent += 1
            if k % (_REPORT_S * self._fps) == 0:
                self.report(receiver, k)

    def report(self, receiver: Receiver, k: int) -> None:
        """Sends the receiver a sender report for the instant of picture k."""
        wall_ns = picture_ns(k, self._fps)
        receiver.report(self.camera_clock.camera_ns(wall_ns), self.camera_clock.timestamp(wall_ns))

    def _delta_parts(self, k: int, index: int) -> list[PacketBlock]:
        picture = self.packets.pictures[index]
        if not self.display:
            return [picture]
        codec, ssrc = self.packets.picturing.codec, self.packets.ssrc
        nal = self.display.delta(k, self.packets.headers[index][0])
        return [packetise([nal], codec, ssrc, last=False, counts=(1,)), picture]

    def _key_parts(self, k: int, index: int) -> list[PacketBlock]:
        picture = self.packets.pictures[index]
        if not self.display:
            return [self.packets.sets, picture]
        codec, ssrc = self.packets.picturing.codec, self.packets.ssrc
        nals = self.display.whole(k, self.packets.headers[index][1])
        counts = self.display.whole_packets
        whole = [packetise([n], codec, ssrc, last=False, counts=(c,)) for n, c in zip(nals, counts, strict=True)]
        return [self.packets.sets, *whole, picture]

    def _stamped(
        self, parts: list[PacketBlock], index: int, sequence: int, timestamp: int, channel: int, name: str
    ) -> bytes:
        if name and self.display:
            codec, ssrc = self.packets.picturing.codec, self.packets.ssrc
            counts = self.display.name_packets
            nals = self.display.name(name, self.packets.headers[index][1])
            names = [packetise([n], codec, ssrc, last=False, counts=(c,)) for n, c in zip(nals, counts, strict=True)]
            sets, first, *rest = parts
            between = [block for pair in zip(names, rest, strict=False) for block in pair]
            parts = [sets, first, *between, *rest[len(names) :]]
        done = []
        for part in parts:
            done.append(stamp(part, sequence, timestamp, channel))
            sequence += part.packets
        return b"".join(done)
