"""Passwords that are long and yet easily guessed, found without asking anybody on the network."""

import functools
import gzip
import re
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from xomyen.centre.folding import fold
from xomyen.centre.organisation.models import Post, Unit

_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_ROWS = ("0123456789012", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb")
# What people here choose, and what an attacker of this very product would try first.
_LOCAL = (
    "matkhau", "khongbiet", "anhyeuem", "emyeuanh", "yeuemnhieu", "congan", "congannhandan", "canhsat", "trucban",
    "tocongan", "xomyen", "camera", "anninh", "vietnam", "hanoi", "saigon", "chaomung", "quantri", "dangnhap",
    "trungtam", "giamsat", "dauvao", "khaugia", "taikhoan", "nguoidung", "cuahang", "phuongxa", "antoan", "trattu",
    "antrattu", "toquocvietnam", "doclaptudo", "hochiminh", "bachotoi", "giadinh", "hanhphuc", "toiyeuem", "anhyeuthi",
)  # fmt: skip
_PLACE_WORDS = (
    "congan",
    "caxa",
    "caphuong",
    "xa",
    "phuong",
    "tinh",
    "thanhpho",
    "thon",
    "xom",
    "ban",
    "todanpho",
    "tdp",
)
_SHORTEST = 4
_LONGEST = 24
_JUDGED = 200
_BREACHED = Path(__file__).with_name("breached.txt.gz")
# 1987, 2026; 02091945, 2-9-1945 without its strokes: what anybody knows or guesses.
_DATE = re.compile(r"(?:(?:0?[1-9]|[12]\d|3[01])(?:0?[1-9]|1[0-2]))?(?:19[3-9]\d|20[0-4]\d)")


@functools.cache
def breached() -> frozenset[str]:
    """Breached passwords of 12 characters or more, without case, of SecLists (see `scripts/make-breached`)."""
    return frozenset(gzip.decompress(_BREACHED.read_bytes()).decode().split("\n"))


@functools.cache
def _known() -> frozenset[str]:
    """Django's list of the 20,000 commonest breached passwords, the long ones of SecLists, and words of here."""
    common = (one for one in CommonPasswordValidator().passwords if len(one) >= _SHORTEST)
    return frozenset(common) | breached() | frozenset(_LOCAL)


def _places() -> frozenset[str]:
    """What units and posts are called, also with what stands before it: giakhe, xagiakhe, conganxagiakhe."""
    names = {*Unit.objects.values_list("name", flat=True), *Post.objects.values_list("name", flat=True)}
    plain = {fold(name).replace(" ", "") for name in names}
    return frozenset(f"{before}{name}" for name in plain if len(name) >= _SHORTEST for before in ("", *_PLACE_WORDS))


def _run(text: str) -> int:
    """The length of the keyboard row, count, alphabet (either way) or repetition that the text begins with."""
    longest = 1
    while longest < len(text) and text[longest] == text[0]:
        longest += 1
    for row in _ROWS:
        for line in (row, row[::-1]):
            for length in range(min(len(text), len(line)), longest, -1):
                if text[:length] in line:
                    longest = length
                    break
    return longest


def strength(password: str, places: frozenset[str] = frozenset()) -> int:
    """How many characters have to be guessed: a known word, a place, a date or a run counts as two, however long."""
    if password.casefold() in breached():
        return 0
    # Whatever is strong enough is so by its beginning: the work stays small for passwords of any length.
    plain = fold(password[:_JUDGED]).replace(" ", "")
    # What stands between words is tried too: together it counts as one more.
    joined = "".join(letter for letter in plain if letter.isalnum())
    counted = min(_count(plain, places), _count(plain.translate(_LEET), places), _count(joined, places) + 1)
    return min(counted, 2 * _period(plain))


def _count(text: str, places: frozenset[str]) -> int:
    at = counted = 0
    while at < len(text):
        pieces = ((n, text[at : at + n]) for n in range(min(_LONGEST, len(text) - at), _SHORTEST - 1, -1))
        word = next((n for n, piece in pieces if piece in _known() or piece in places), 1)
        date = _DATE.match(text, at)
        length = max(word, _run(text[at:]), len(date.group()) if date else 0)
        counted += 2 if length > 2 else length
        at += length
    return counted


def _period(text: str) -> int:
    """The length of the piece that the text repeats; its own length if it repeats none."""
    return next((n for n in range(1, len(text)) if (text[:n] * (len(text) // n + 1))[: len(text)] == text), len(text))


class EasilyGuessedValidator:
    """Refuses what consists of breached passwords, runs of keys and repetitions, whatever its length."""

    def __init__(self, least: int = 8) -> None:
        self._least = least

    def validate(self, password: str, _user: Any = None) -> None:
        if strength(password, _places()) < self._least:
            raise ValidationError(
                _("This password is easily guessed: it consists of known passwords, places, dates or repetitions."),
                code="easily_guessed",
            )

    def get_help_text(self) -> str:
        return _("No known passwords, places, dates or repetitions.")
