"""How many clips and exports leave at once, and the threads they are read in."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from xomyen.node.gateway.problems import TooMany
from xomyen.playback.errors import Busy
from xomyen.playback.lane import Lane

MOST = 12  # of the node at once
MOST_OF_ONE = 3  # of one ticket
_RETRY_S = 5


class Downloads:
    """Places for downloads; one holds its place from the question to the last byte."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._held: Counter[str] = Counter()
        # As many threads as places: none waits for another's disk.
        self.lane = Lane("download", most, most)

    @property
    def running(self) -> int:
        return self._held.total()

    @contextmanager
    def place(self, ticket: str) -> Iterator[None]:
        """A place for this ticket (id). Raises TooMany (429), Busy (503)."""
        if self._held[ticket] >= self._most_of_one:
            raise TooMany(f"{self._most_of_one} downloads of yours run already; wait for one to end.", _RETRY_S)
        if self.running >= self._most:
            raise Busy(f"{self._most} downloads run already, as many as the node allows; try again in a moment.")
        self._held[ticket] += 1
        try:
            yield
        finally:
            self._held[ticket] -= 1
            if not self._held[ticket]:
                del self._held[ticket]
