"""One simulated camera: its streams' channels, who watches them, and what is wrong with it."""

import asyncio
import random
from typing import TYPE_CHECKING

from xomyen.camera.simulator.camera_clock import CameraClock
from xomyen.camera.simulator.channel import Channel, PacketLoop
from xomyen.camera.simulator.faults import Trouble
from xomyen.camera.simulator.osd_band import DisplayCoder
from xomyen.terms.time import Clock
from xomyen.terms.words import StreamName

if TYPE_CHECKING:
    from xomyen.camera.simulator.session import Session


class SimulatedCamera:
    """Cameras share channels until one of them needs a channel of its own."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.channels: dict[StreamName, Channel] = {}
        self.sessions: set[Session] = set()
        self.trouble = Trouble()

    def close_sessions(self) -> None:
        """Ends every connection to this camera."""
        for session in list(self.sessions):
            session.close()

    def show(
        self,
        stream: StreamName,
        packets: PacketLoop,
        display: DisplayCoder | None,
        camera_clock: CameraClock,
        clock: Clock,
    ) -> None:
        """Goes on with other pictures or another clock, from the next picture, which becomes a keyframe.

        The RTP session goes on: same SSRC, sequence numbers and timestamps without a gap.
        """
        old = self.channels[stream]
        k = old.next_picture()
        new = Channel(packets, display, -k % packets.count, old.phase_ns, clock, camera_clock)
        new.sequence_shift = (old.sequence(k) - new.sequence(k)) & 0xFFFF
        moved = [r for r in old.receivers if r in self.sessions]
        self.channels[stream] = new
        for receiver in moved:
            old.leave(receiver)
            new.join(receiver, k)

    async def restart(self, seconds: float, clock: Clock) -> None:
        """Away for a while, then back with new sequence numbers and timestamps, as after a power cut."""
        self.trouble.refuse_status = 503
        self.close_sessions()
        await asyncio.sleep(seconds)
        for stream, old in list(self.channels.items()):
            true = old.camera_clock
            shift = random.getrandbits(32)
            fresh = CameraClock(true.offset_ns, true.faster, true.since_ns, shift)
            self.show(stream, old.packets, old.display, fresh, clock)
            self.channels[stream].sequence_shift = random.getrandbits(16)
        self.trouble.refuse_status = 0
