"""Challenges are answered as the RFCs' own examples say, with the strongest way that is offered."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.camera.address import Credentials
from xomyen.camera.rtsp_auth import Authenticator, Challenge, parse_challenges

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def parameters(header: str) -> dict[str, str]:
    return parse_challenges([header])[0].parameters


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_is_answered_to_the_letter(algorithm, response):
    authenticator = Authenticator(MUFASA, nonce=lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert authenticator.accept(parse_challenges([RFC7616.format(algorithm)]))
    answer = parameters(authenticator.header("GET", "/dir/index.html"))
    assert answer["response"] == response
    assert (answer["nc"], answer["qop"], answer["algorithm"]) == ("00000001", "auth", algorithm)
    assert answer["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    assert parameters(authenticator.header("GET", "/dir/index.html"))["nc"] == "00000002"


def test_digest_without_qop_is_the_old_form_that_most_cameras_use():
    authenticator = Authenticator(Credentials("admin", "pass"))
    authenticator.accept(parse_challenges(['Digest realm="cam", nonce="abc"']))
    answer = parameters(authenticator.header("DESCRIBE", "rtsp://cam/1"))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    assert answer["response"] == md5(f"{md5('admin:cam:pass')}:abc:{md5('DESCRIBE:rtsp://cam/1')}")
    assert "nc" not in answer
    assert "algorithm" not in answer


def test_session_digest_binds_both_nonces():
    authenticator = Authenticator(Credentials("u", "p"), nonce=lambda: "own")
    authenticator.accept(parse_challenges(['Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"']))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    secret = md5(f"{md5('u:r:p')}:n:own")
    expected = md5(f"{secret}:n:00000001:own:auth:{md5('PLAY:x')}")
    assert parameters(authenticator.header("PLAY", "x"))["response"] == expected


def test_basic_sends_the_pair():
    authenticator = Authenticator(Credentials("admin", "hài:lòng"))
    assert authenticator.accept(parse_challenges(['Basic realm="cam"']))
    scheme, _, pair = authenticator.header("DESCRIBE", "x").partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", "admin:hài:lòng")


@pytest.mark.parametrize(
    "offered",
    [
        ['Basic realm="c", Digest realm="c", nonce="1", Digest realm="c", nonce="2", algorithm=SHA-256'],
        ['Digest realm="c", nonce="2", algorithm=SHA-256', 'Basic realm="c"', 'Digest realm="c", nonce="1"'],
        ['Digest algorithm="SHA-256",nonce="2",realm="c"', 'Digest nonce="9", algorithm=XYZ', "Negotiate abc"],
    ],
)
def test_the_strongest_of_several_challenges_is_chosen(offered):
    authenticator = Authenticator(MUFASA)
    assert authenticator.accept(parse_challenges(offered))
    answer = parameters(authenticator.header("DESCRIBE", "x"))
    assert (answer["algorithm"], answer["nonce"]) == ("SHA-256", "2")


def test_a_wrong_password_is_not_tried_again():
    authenticator = Authenticator(MUFASA)
    first, second = parse_challenges(['Digest realm="c", nonce="1"']), parse_challenges(['Digest realm="c", nonce="2"'])
    assert authenticator.accept(first)
    authenticator.header("DESCRIBE", "x")
    assert not authenticator.accept(second)


def test_a_stale_nonce_is_renewed():
    authenticator = Authenticator(MUFASA)
    authenticator.accept(parse_challenges(['Digest realm="c", nonce="1"']))
    authenticator.header("DESCRIBE", "x")
    assert authenticator.accept(parse_challenges(['Digest realm="c", nonce="2", stale=TRUE']))
    assert parameters(authenticator.header("DESCRIBE", "x"))["nonce"] == "2"


def test_a_renewed_nonce_is_accepted_once_the_password_has_worked():
    authenticator = Authenticator(MUFASA)
    authenticator.accept(parse_challenges(['Digest realm="c", nonce="1"']))
    authenticator.header("DESCRIBE", "x")
    authenticator.header("SETUP", "x")
    assert authenticator.accept(parse_challenges(['Digest realm="c", nonce="2"']))


def test_the_password_itself_is_not_sent_where_only_a_digest_may_go():
    assert not Authenticator(MUFASA, basic=False).accept([Challenge("basic")])


def test_without_credentials_nothing_is_answered():
    authenticator = Authenticator(None)
    assert not authenticator.accept([Challenge("basic")])
    assert authenticator.header("DESCRIBE", "x") is None


TOKENS = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)


@given(
    st.lists(st.tuples(st.sampled_from(["Digest", "Basic"]), st.dictionaries(TOKENS, TEXTS, min_size=1)), min_size=1)
)
def test_challenges_are_read_back(challenges):
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    value = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(text)}" for name, text in given.items())
        for scheme, given in challenges
    )
    assert parse_challenges([value]) == [Challenge(scheme.lower(), given) for scheme, given in challenges]


@given(st.lists(st.text(max_size=80), max_size=3))
def test_garbage_is_no_usable_challenge_or_is_answered(values):
    authenticator = Authenticator(MUFASA)
    if authenticator.accept(parse_challenges(values)):
        assert authenticator.header("DESCRIBE", "x")
