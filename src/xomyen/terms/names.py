"""How names that people type are compared: without regard to case, tone marks and spacing."""

import re
import unicodedata
from collections.abc import Iterable

_SPACES = re.compile(r"\s+")


def tidy_name(name: str) -> str:
    """The name as it is kept: composed letters (NFC), single spaces, none at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", name)).strip()


def fold_name(name: str) -> str:
    """The name without case and tone marks: ``Cổng chợ`` and ``cong cho`` fold to the same text."""
    decomposed = unicodedata.normalize("NFD", tidy_name(name).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).replace("đ", "d")


def match_name(wanted: str, names: Iterable[tuple[str, str]]) -> list[str]:
    """Ids of the things meant by what a person typed.

    `names` are (id, name). An id or the exact name wins, then the equal folded name, then the folded
    beginnings: one id is an answer, several are an ambiguity, none means that nothing is called so.
    """
    listed = list(names)
    tidy, folded = tidy_name(wanted), fold_name(wanted)
    if not folded:
        return []
    for same in (
        lambda id_, name: id_ == wanted or name == tidy,
        lambda _id, name: fold_name(name) == folded,
        lambda _id, name: fold_name(name).startswith(folded),
    ):
        if found := [id_ for id_, name in listed if same(id_, name)]:
            return found
    return []
