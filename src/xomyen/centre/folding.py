"""Vietnamese text for searching and sorting: tone marks ignored where none are typed, hoá the same as hóa."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
# Tone marks of Vietnamese as combining characters: grave, acute, tilde, hook above, dot below.
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def fold(text: str) -> str:
    """The text without tone marks, hats, horns and case, its blanks made one: `Hóa Bình` becomes `hoa binh`."""
    spread = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(mark for mark in spread if not unicodedata.combining(mark))
    return _SPACE.sub(" ", bare).strip().casefold()


def has_marks(text: str) -> bool:
    """Whether somebody typed marks and so means them."""
    spread = unicodedata.normalize("NFD", text)
    return any(unicodedata.combining(mark) for mark in spread) or "đ" in text.casefold()


def marked(text: str) -> str:
    """The text with its marks, in one form however it was typed: a syllable's tone comes behind its letters.

    `hoá` and `hóa` differ in the letter that carries the tone alone; here both become the same.
    """
    words = []
    for word in unicodedata.normalize("NFD", text.casefold()).split():
        tones = "".join(mark for mark in word if mark in _TONES)
        words.append("".join(mark for mark in word if mark not in _TONES) + tones)
    return " ".join(words)


def matches(wanted: str, text: str) -> bool:
    """Whether what was typed occurs in the text: with its marks where it has some, else without regard to them."""
    if has_marks(wanted):
        return marked(wanted) in marked(text)
    return fold(wanted) in fold(text)
