"""XML from strangers is read within bounds."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xomyen.camera.onvif.answers import read_presets, read_profiles, read_stream_url, read_time
from xomyen.camera.onvif.discovery import read_matches
from xomyen.camera.onvif.soap import escape
from xomyen.camera.onvif.xml import MOST_BYTES, Element, XmlRefused, parse


def test_names_are_read_without_their_namespaces() -> None:
    root = parse(b'<a:x xmlns:a="urn:a" xmlns="urn:b"><y a:token="7"> one\n two </y></a:x>')
    assert root.name == "x"
    assert root.text("y") == "one  two"
    assert root.children[0].attributes == {"token": "7"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * 100 + b"</a>" * 100,
        b"<a>" + b"<b/>" * 30_000 + b"</a>",
        b"<a>" + b" " * MOST_BYTES + b"</a>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        "<a>\ud800</a>".encode("utf-8", "surrogatepass"),
    ],
)
def test_what_no_device_has_a_reason_to_send_is_refused(data: bytes) -> None:
    with pytest.raises(XmlRefused):
        parse(data)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(XmlRefused):
        assert isinstance(parse(data), Element)
    assert read_matches(data, "192.168.1.2", ["urn:uuid:1"]) == []


@settings(deadline=None)
@given(st.text(max_size=100))
def test_what_is_escaped_is_read_back_as_text(text: str) -> None:
    root = parse(f'<a b="{escape(text)}">{escape(text)}</a>'.encode())
    assert root.children == []


ELEMENTS = st.recursive(
    st.builds(Element, st.sampled_from(["Profiles", "Preset", "Name", "Uri", "Year"]), content=st.text(max_size=20)),
    lambda inner: st.builds(
        Element,
        st.sampled_from(
            ["Profiles", "VideoEncoder", "RateControl", "BitrateLimit", "MediaUri", "UTCDateTime", "Date", "Preset"]
        ),
        st.dictionaries(st.sampled_from(["token"]), st.text(max_size=80)),
        st.lists(inner, max_size=4),
        st.text(max_size=20) | st.sampled_from(["1e999", "-1", "nan", "rtsp://[::1", "rtsp://x:99999/"]),
    ),
)


@settings(deadline=None)
@given(ELEMENTS)
def test_any_answer_is_read_as_values_or_left_out(answer: Element) -> None:
    for profile in read_profiles(answer):
        assert 0 < len(profile.token) <= 64
    for preset in read_presets(answer):
        assert preset.token
    read_time(Element("GetSystemDateAndTimeResponse", children=[Element("SystemDateAndTime", children=[answer])]))
    url = read_stream_url(answer, "192.168.1.2")
    assert not url or url.startswith(("rtsp://192.168.1.2", "rtsps://192.168.1.2"))


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("rtsp://192.168.1.2/live", "rtsp://192.168.1.2/live"),
        ("rtsp://10.9.9.9:8554/live?x=1&y=2", "rtsp://192.168.1.2:8554/live?x=1&y=2"),
        ("rtsp://admin:secret@192.168.1.2/live", "rtsp://192.168.1.2/live"),
        ("file:///etc/passwd", ""),
        ("http://169.254.169.254/", ""),
        ("rtsp://", ""),
    ],
)
def test_a_stream_is_at_the_host_that_was_asked_and_holds_no_password(told: str, read: str) -> None:
    answer = Element("GetStreamUriResponse", children=[Element("Uri", content=told)])
    assert read_stream_url(answer, "192.168.1.2") == read
