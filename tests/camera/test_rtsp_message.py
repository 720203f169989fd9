"""RTSP messages are read back as they were written, and from garbage comes only a camera fault."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.errors import CameraFault, MalformedStream, NotRtsp
from xomyen.camera.rtsp_message import Request, Response, format_request, format_response, parse_message

NAMES = st.from_regex(r"[A-Za-z][A-Za-z-]{0,12}", fullmatch=True).filter(
    lambda name: name.lower() not in ("cseq", "content-length")
)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


@given(st.sampled_from(["OPTIONS", "GET_PARAMETER", "PLAY"]), FIELDS, st.integers(0, 2**31), st.binary(max_size=20))
def test_requests_are_read_back(method, fields, sequence, rest):
    data = format_request(method, "rtsp://cam/1", sequence, fields)
    assert all(parse_message(data[:cut]) is None for cut in (1, len(data) // 2, len(data) - 1))
    message, length = parse_message(data + rest)
    assert length == len(data)
    assert isinstance(message, Request)
    assert (message.method, message.url, message.sequence) == (method, "rtsp://cam/1", sequence)
    assert message.fields[1:] == tuple((name.lower(), value) for name, value in fields)


@given(st.integers(100, 599), FIELDS, st.binary(max_size=300), st.sampled_from([b"\r\n", b"\n"]))
def test_responses_are_read_back_with_their_bodies(status, fields, body, line_end):
    head = format_response(status, "Why Not", 7, [*fields, ("Content-Length", str(len(body)))])
    data = head.replace(b"\r\n", line_end) + body
    message, length = parse_message(data + b"$\0\0\0")
    assert length == len(data)
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.sequence, message.body) == (status, "Why Not", 7, body)
    assert body == b"" or parse_message(data[:-1]) is None


def test_folded_and_repeated_fields_are_kept():
    data = (
        b"RTSP/1.0 401 No\r\nWWW-Authenticate: Basic realm=a\r\nWWW-Authenticate: Digest realm=b,\r\n nonce=c\r\n\r\n"
    )
    message, _ = parse_message(data)
    assert message.all("www-authenticate") == ["Basic realm=a", "Digest realm=b, nonce=c"]
    assert message.get("www-authenticate") == "Basic realm=a"
    assert message.get("cseq") == ""
    assert message.sequence is None


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n", b"\x16\x03\x01\0\0", b"220 smtp\r\n"]
)
def test_another_protocol_is_not_rtsp(data):
    with pytest.raises(NotRtsp):
        parse_message(data)


@pytest.mark.parametrize("length", ["-1", "x", "99999999999", "200000"])
def test_an_impossible_length_is_refused(length):
    with pytest.raises(MalformedStream):
        parse_message(f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())


def test_a_message_without_end_is_refused():
    with pytest.raises(MalformedStream):
        parse_message(b"RTSP/1.0 200 OK\r\nX: " + bytes(40_000))


def test_a_line_break_cannot_smuggle_a_field_in():
    with pytest.raises(MalformedStream):
        format_request("DESCRIBE", "rtsp://cam/1\r\nEvil: 1", 1, [])


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=80).map(lambda b: b"RTSP/1.0 " + b)))
def test_garbage_raises_nothing_but_camera_faults(data):
    with contextlib.suppress(CameraFault):
        found = parse_message(data)
        assert found is None or 0 < found[1] <= len(data)
