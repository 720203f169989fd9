"""How a simulated camera's own clock runs."""

from dataclasses import dataclass

from xomyen.terms.time import NS_PER_SECOND, TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class CameraClock:
    """Its offset from true time, and since when it runs how much faster."""

    offset_ns: int = 0
    faster: float = 0.0  # 0.01 = 1 %
    since_ns: int = 0  # UTC; from here on it runs faster
    timestamp_shift: int = 0  # of the RTP time, 90 kHz

    def _drift_ns(self, wall_ns: int) -> int:
        return round((wall_ns - self.since_ns) * self.faster) if self.faster else 0

    def camera_ns(self, wall_ns: int) -> int:
        """What the camera believes the time is, UTC."""
        return wall_ns + self.offset_ns + self._drift_ns(wall_ns)

    def timestamp(self, wall_ns: int) -> int:
        """The RTP time, 32 bits: it drifts with the camera, and a step of its wall clock leaves it alone."""
        ticks = (wall_ns + self._drift_ns(wall_ns)) * TICKS_PER_SECOND // NS_PER_SECOND
        return (ticks + self.timestamp_shift) & 0xFFFFFFFF

    def picture(self, k: int, fps: int) -> int:
        """The number that picture k, counted from the epoch, has by the camera's clock."""
        return self.camera_ns(picture_ns(k, fps)) * fps // NS_PER_SECOND


def picture_ns(k: int, fps: int) -> int:
    """The instant of picture k, UTC, rounded up so that it is not before its own number."""
    return -(-k * NS_PER_SECOND // fps)


TRUE = CameraClock()
