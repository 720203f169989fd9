"""Passwords that are long and yet easily guessed, found without asking anybody on the network."""

import functools
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from xomyen.centre.folding import fold

_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_ROWS = ("0123456789012", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb")
# What people here choose, and what an attacker of this very product would try first.
_LOCAL = (
    "matkhau", "khongbiet", "anhyeuem", "emyeuanh", "yeuemnhieu", "congan", "congannhandan", "canhsat", "trucban",
    "tocongan", "xomyen", "camera", "anninh", "vietnam", "hanoi", "saigon", "chaomung", "quantri", "dangnhap",
)  # fmt: skip
_SHORTEST = 4
_LONGEST = 16


@functools.cache
def _known() -> frozenset[str]:
    """Django's list of the 20,000 commonest breached passwords, and words of here."""
    return frozenset(one for one in CommonPasswordValidator().passwords if len(one) >= _SHORTEST) | frozenset(_LOCAL)


def _run(text: str) -> int:
    """The length of the keyboard row, count, alphabet (either way) or repetition that the text begins with."""
    longest = 1
    while longest < len(text) and text[longest] == text[0]:
        longest += 1
    for row in _ROWS:
        for line in (row, row[::-1]):
            for length in range(len(text), longest, -1):
                if text[:length] in line:
                    longest = length
                    break
    return longest


def strength(password: str) -> int:
    """How many characters have to be guessed: a known word or a run counts as two, however long."""
    plain = fold(password).replace(" ", "")
    return min(_count(plain), _count(plain.translate(_LEET)), 2 * _period(plain))


def _count(text: str) -> int:
    at = counted = 0
    while at < len(text):
        words = (n for n in range(min(_LONGEST, len(text) - at), _SHORTEST - 1, -1) if text[at : at + n] in _known())
        length = max(next(words, 1), _run(text[at:]))
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
        if strength(password) < self._least:
            raise ValidationError(
                _("This password is easily guessed: it consists of known passwords, counts or repetitions."),
                code="easily_guessed",
            )

    def get_help_text(self) -> str:
        return _("No known passwords, counts or repetitions.")
