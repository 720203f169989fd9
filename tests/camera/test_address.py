"""Camera addresses lose their passwords at once and for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.address import Credentials, parse_address, redact, split_credentials
from xomyen.terms.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("url", "bare", "user", "password"),
    [
        ("rtsp://admin:s3cret@cam/1", "rtsp://cam/1", "admin", "s3cret"),
        ("rtsp://admin@cam/1", "rtsp://cam/1", "admin", ""),
        ("rtsp://a%40b:p%3Aq@cam:8554/1", "rtsp://cam:8554/1", "a@b", "p:q"),
        ("rtsp://admin:p@ss@cam/1", "rtsp://cam/1", "admin", "p@ss"),
        ("rtsp://admin:p/ss@cam/1", "rtsp://cam/1", "admin", "p/ss"),
        ("rtsp://admin:x:y@[fe80::1]:554/", "rtsp://[fe80::1]:554/", "admin", "x:y"),
    ],
)
def test_user_and_password_are_taken_out(url, bare, user, password):
    assert split_credentials(url) == (bare, Credentials(user, password))


@pytest.mark.parametrize("url", ["rtsp://cam/a@b", "rtsp://cam:554/a:b@c", "rtsp://cam", "cam/1", "rtsp://[::1]:554/@"])
def test_an_at_sign_in_the_path_is_no_password(url):
    assert split_credentials(url) == (url, None)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("rtsp://cam/1", "cam", 554),
        ("RTSP://10.0.0.7:8554/1?x=1", "10.0.0.7", 8554),
        ("rtsps://[fe80::1]/1", "fe80::1", 322),
        ("rtsp://u:p@cam/1", "cam", 554),
    ],
)
def test_host_and_port_are_found(url, host, port):
    address = parse_address(url)
    assert (address.host, address.port) == (host, port)
    assert "u:p" not in address.url


@pytest.mark.parametrize(
    "url", ["", "cam", "http://cam/", "rtsp://", "rtsp://cam:99999/", "rtsp://cam:x/", "rtsp://c am/1"]
)
def test_what_is_no_camera_address_is_refused(url):
    with pytest.raises(InvalidConfiguration):
        parse_address(url)


SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6, max_size=12).map(lambda s: "Zq9" + s)


@given(SECRETS, st.sampled_from(["@", "/", ":", "", "#", "?"]), SECRETS)
def test_no_text_for_people_holds_a_password(one, joint, two):
    password = one + joint + two
    text = f"cannot open rtsp://admin:{password}@cam/1?user=x&password={two} now"
    assert one not in redact(text)
    assert two not in redact(text)
    assert password not in repr(Credentials("admin", password)) + str(Credentials("admin", password))
    with pytest.raises(InvalidConfiguration) as caught:
        parse_address(f"ftp://admin:{password}@cam/1")
    assert one not in caught.value.message
    assert two not in caught.value.message


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text):
    try:
        assert parse_address(text).host
    except InvalidConfiguration:
        return
