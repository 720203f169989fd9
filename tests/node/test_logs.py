"""No secret reaches a log, wherever in a message it stands."""

import io
import json
import logging
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from xomyen.node.logs import configure_logs, redact, redact_text
from xomyen.terms.settings import Settings

TICKET = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJvcGVyYXRvciJ9.c2lnbmF0dXJlLWJ5dGVz"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot open rtsp://admin:S3cret@192.0.2.1/1", "S3cret"),
        ("rtsp://admin:p@ss@192.0.2.1:554/1 failed", "p@ss"),
        ("http://:onlyword@host/", "onlyword"),
        (f"Authorization: Bearer {TICKET}", TICKET),
        (f"ticket {TICKET} refused", TICKET),
        ('{"authorization": "Digest username=\\"a\\", response=\\"0badcafe\\""}', "0badcafe"),
        ("Authorization: Basic YWRtaW46cGFzcw==", "YWRtaW46cGFzcw"),
        ("Cookie: xomyen_session=abcdef0123", "abcdef0123"),
        ("open http://127.0.0.1/signin#Uj62Wana-rYEfF3G", "Uj62Wana"),
        ("seed SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY", "SUACSSL3"),
        ("password=hunter2 user=x", "hunter2"),
        ("rtsp://192.0.2.1/user=admin_password=hunter2_channel=1_stream=0.sdp", "hunter2"),
        ("http://192.0.2.1/mjpeg?usr=admin&pwd=hunter2", "hunter2"),
    ],
)
def test_a_secret_in_a_text_is_hidden(text: str, secret: str) -> None:
    assert secret not in redact_text(text)


def test_what_is_no_secret_stays() -> None:
    text = "rtsp://192.0.2.1:554/stream1 of Cổng chợ: no keyframe within 15 s; see admin@xa.example"
    assert redact_text(text) == text


@given(st.text(st.characters(blacklist_characters=" /?#\"'\r\n\t", blacklist_categories=("Cs", "Z", "C")), min_size=4))
def test_no_password_of_a_url_survives_whatever_its_letters(password: str) -> None:
    hidden = redact_text(f"open rtsp://quan:{password}@192.0.2.1/stream failed")
    assert hidden == "open rtsp://[hidden]@192.0.2.1/stream failed"


def test_values_are_hidden_by_their_name_and_searched_in_depth() -> None:
    event = {
        "password": "x", "ticket": TICKET, "nested": {"url": "rtsp://a:b@c/", "list": [f"Bearer {TICKET}"]},
        "error": ValueError("rtsp://a:b@c/ is wrong"), "count": 3, "has_password": True,
    }  # fmt: skip
    hidden = redact(event)
    assert hidden["password"] == hidden["ticket"] == "[hidden]"
    assert hidden["nested"] == {"url": "rtsp://[hidden]@c/", "list": ["Bearer [hidden]"]}
    assert hidden["error"] == "rtsp://[hidden]@c/ is wrong"
    assert (hidden["count"], hidden["has_password"]) == (3, True)


@pytest.mark.parametrize("form", ["json", "console"])
def test_nothing_that_is_logged_shows_a_secret_not_even_a_traceback(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    before = logging.getLogger().handlers[:]
    try:
        configure_logs("test", Settings(log_format=form))  # type: ignore[arg-type]
        structlog.get_logger("a").warning("cannot open", url="rtsp://admin:S3cret@host/1", password="S3cret")
        logging.getLogger("b").error("refused %s", "rtsp://admin:S3cret@host/1")
        try:
            raise ValueError("rtsp://admin:S3cret@host/1")
        except ValueError:
            logging.getLogger("c").exception("failed with %s", f"Authorization: Bearer {TICKET}")
            structlog.get_logger("d").exception("failed")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    text = shown.getvalue()
    assert text.count("ValueError") >= 2
    assert "S3cret" not in text
    assert TICKET not in text
    if form == "json":
        assert {json.loads(line)["part"] for line in text.splitlines()} == {"test"}
