"""How many pages may be connected at once: before they have said who they are, of one ticket, and in all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MOST_PAGES = 200
MOST_PAGES_OF_ONE = 20  # of one ticket: a room of screens
MOST_STRANGERS = 64  # that have not said hello
MOST_STRANGERS_OF_ONE = 16  # of one address, which may be a whole office's


class TooManyPages(Exception):
    """There is no place for one more."""


class LivePlaces:
    """Places for pages; a page that has said hello needs another than one that has not."""

    def __init__(self) -> None:
        self._strangers: Counter[str] = Counter()
        self._pages: Counter[str] = Counter()

    @property
    def pages(self) -> int:
        return self._pages.total()

    @contextmanager
    def stranger(self, address: str) -> Iterator[None]:
        """A place until the hello. Raises TooManyPages."""
        with _place(self._strangers, address, MOST_STRANGERS, MOST_STRANGERS_OF_ONE):
            yield

    @contextmanager
    def page(self, ticket: str) -> Iterator[None]:
        """A place for this ticket (id). Raises TooManyPages."""
        with _place(self._pages, ticket, MOST_PAGES, MOST_PAGES_OF_ONE):
            yield


@contextmanager
def _place(taken: Counter[str], whose: str, most: int, most_of_one: int) -> Iterator[None]:
    if taken.total() >= most or taken[whose] >= most_of_one:
        raise TooManyPages
    taken[whose] += 1
    try:
        yield
    finally:
        taken[whose] -= 1
        if not taken[whose]:
            del taken[whose]
