"""The parameter sets a stream has shown, and the configuration they make."""

from collections.abc import Callable, Sequence

from xomyen.camera.errors import CodecNotSupported
from xomyen.camera.source import CodecConfig

_MOST_NEW = 64  # an attacker may send new ones for ever


class ParameterSets:
    """Known ones (of the session description, or in use) and those that came in band since."""

    def __init__(self, configure: Callable[[Sequence[bytes]], CodecConfig], known: Sequence[bytes] = ()) -> None:
        """`configure` raises ValueError on garbage."""
        self._configure = configure
        self._known: tuple[bytes, ...] = tuple(known)
        self.new: list[bytes] = []

    def saw(self, unit: bytes) -> None:
        """A NAL unit with a parameter set has come."""
        unit = unit.rstrip(b"\0")
        if unit not in self._known and unit not in self.new:
            self.new.append(unit)
            del self.new[:-_MOST_NEW]

    def take(self) -> CodecConfig | None:
        """The configuration from the newest ones, which are known from now on; None when they have not come yet.

        Raises CodecNotSupported when new ones make no configuration.
        """
        error: ValueError | None = None
        # New ones that are complete stand alone: a camera's SDP may hold others that are stale or broken.
        for sets in (self.new, (*self._known, *self.new)):
            try:
                if sets:
                    config = self._configure(sets)
                    self._known = config.parameter_sets
                    self.new = []
                    return config
            except ValueError as problem:
                error = problem
        if self.new:
            raise CodecNotSupported(f"The camera's parameter sets cannot be used: {error}.") from error
        return None
