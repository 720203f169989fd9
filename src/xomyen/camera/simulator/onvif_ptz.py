"""The simulated device's head: where it looks, how it moves, what it keeps."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class PanTiltZoom:
    """Positions are shares from -1 to 1 of the whole range; at full speed the range takes 4 s."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    speed: tuple[float, float, float] = (0.0, 0.0, 0.0)  # pan, tilt, zoom
    timeout_s: float | None = None  # of the last movement
    stops: int = 0  # commands to stop, and movements that ended by themselves
    ended_itself: int = 0
    presets: dict[str, tuple[str, float, float, float]] = field(default_factory=dict)  # by token, name first
    obeys_timeout: bool = True
    _since_s: float = 0.0
    _end: asyncio.TimerHandle | None = None

    @property
    def moving(self) -> bool:
        return any(self.speed)

    def move(self, pan: float, tilt: float, zoom: float, timeout_s: float | None) -> None:
        """Moves on from where it is now."""
        self.rest()
        loop = asyncio.get_running_loop()
        self._since_s = loop.time()
        self.speed = (pan, tilt, zoom)
        self.timeout_s = timeout_s
        if timeout_s is not None and self.obeys_timeout:
            self._end = loop.call_later(timeout_s, self._timed_out)

    def _timed_out(self) -> None:
        self.ended_itself += 1
        self.rest()

    def stop(self) -> None:
        self.stops += 1
        self.rest()

    def rest(self) -> None:
        """Stays where it has come to."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self.moving:
            way = (asyncio.get_running_loop().time() - self._since_s) / 2
            self.pan, self.tilt, self.zoom = (
                max(-1.0, min(1.0, at + speed * way))
                for at, speed in zip((self.pan, self.tilt, self.zoom), self.speed, strict=True)
            )
            self.speed = (0.0, 0.0, 0.0)

    def keep(self, name: str, token: str = "") -> str:
        """Keeps the position under the token, or a new one; the token."""
        self.rest()
        if not token:
            token = str(max((int(one) for one in self.presets if one.isdigit()), default=0) + 1)
        self.presets[token] = (name, self.pan, self.tilt, self.zoom)
        return token

    def go_to(self, token: str) -> bool:
        """False when there is no such preset."""
        self.rest()
        if token not in self.presets:
            return False
        _, self.pan, self.tilt, self.zoom = self.presets[token]
        return True
