"""Every text of the centre has its Vietnamese, with the same places to fill in."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.test import Client
from django.utils.translation import gettext, override, pgettext

pytestmark = pytest.mark.timeout(600)  # a program reads all that the centre is made of

CENTRE = Path(__file__).parents[2] / "src/xomyen/centre"
_PLACES = re.compile(r"%\((\w+)\)[a-z]|%[sd]|\{(\w*)\}")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Message]]:
    """The translation files as they are once all texts of code and templates are collected anew."""
    folder = tmp_path_factory.mktemp("words")
    copy = folder / "centre"
    shutil.copytree(CENTRE, copy, ignore=shutil.ignore_patterns("static", "__pycache__", "*.mo"))
    environment = {**os.environ, "XOMYEN_CENTRE_DIR": str(folder / "home"), "PYTHONPATH": str(CENTRE.parents[1])}
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "vi", "--no-obsolete", "-v", "0"],
        cwd=copy, env=environment, check=True, timeout=300,
    )  # fmt: skip
    files = sorted(copy.rglob("django.po"))
    assert files
    return {
        str(file.relative_to(copy)): [message for message in read_po(file.open("rb"), locale="vi") if message.id]
        for file in files
    }


def test_every_text_is_translated(found: dict[str, list[Message]]) -> None:
    missing = [
        f"{file}: {message.id}"
        for file, messages in found.items()
        for message in messages
        if message.fuzzy or not (all(message.string) if isinstance(message.string, tuple) else message.string)
    ]
    assert missing == []


def test_translations_fill_in_the_same_places(found: dict[str, list[Message]]) -> None:
    def places(text: str) -> set[str]:
        return {match[0] for match in _PLACES.finditer(text)}

    for file, messages in found.items():
        for message in messages:
            # Vietnamese has one form for any number; English has two that may differ in their places.
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            for text in strings:
                assert places(text) == places(ids[-1]), f"{file}: {message.id}"


def test_no_text_has_another_translation_elsewhere(found: dict[str, list[Message]]) -> None:
    """The catalogues of all apps become one: of two translations of a text one would never be seen."""
    told: dict[tuple[str | None, str], dict[str, list[str]]] = {}
    for file, messages in found.items():
        for message in messages:
            text = message.id[0] if isinstance(message.id, tuple) else message.id
            string = message.string[0] if isinstance(message.string, tuple) else message.string
            told.setdefault((message.context, text), {}).setdefault(string, []).append(file)
    assert {text: strings for text, strings in told.items() if len(strings) > 1} == {}


def test_what_people_see_is_what_the_catalogues_say(found: dict[str, list[Message]]) -> None:
    """Django and the packages it runs bring catalogues of their own."""
    with override("vi"):
        hidden = [
            (file, message.id, shown)
            for file, messages in found.items()
            for message in messages
            if isinstance(message.id, str)
            and (shown := pgettext(message.context, message.id) if message.context else gettext(message.id))
            != message.string
        ]
    assert hidden == []


def test_vietnamese_is_what_people_see_first(client: Client, db: None) -> None:
    page = client.get("/account/login/").content.decode()
    assert '<html lang="vi"' in page
    assert "Đăng nhập" in page
    english = client.get("/account/login/", headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="en"' in english
    assert "Sign in" in english
