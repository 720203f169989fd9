"""Which ticket opens what: the whole table, and every way to be refused."""

import base64
import json
from itertools import product
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xomyen.access import errors
from xomyen.access.store import AccessStore
from xomyen.access.tickets import Action, Grant, MaskRule, Ticket, TicketChecker, allow, issue, ticket_for
from xomyen.proof.keys import SigningKey
from xomyen.terms.errors import Forbidden
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND, ManualClock
from xomyen.terms.words import StreamName

KEY = SigningKey.generate()
OTHER_KEY = SigningKey.generate()
# Written out: they stand in the names of tests, which must be the same in every process.
NODE, MINE, OTHERS = (f"01a1fddd-249e-73aa-9a43-00000000000{number}" for number in (1, 2, 3))
NOW_S = 1_700_000_000
HOUR_NS = 3600 * NS_PER_SECOND
NOW_NS = NOW_S * NS_PER_SECOND


class NothingRevoked:
    def is_revoked(self, ticket_id: str) -> bool:
        return False

    def is_ended(self, _subject: str, _issued_s: int) -> bool:
        return False


def make_token(key: SigningKey = KEY, node: str = NODE, lifetime_s: int = 600, **grant: object) -> str:
    values = {"subject": "trực ban", "cameras": (MINE,), "actions": tuple(Action), **grant}
    clock = ManualClock(NOW_NS)
    return issue(key, ticket_for(Grant(**values), node=node, issuer=key, clock=clock, lifetime_s=lifetime_s))


def checker_at(clock: ManualClock, revoked: object = None) -> TicketChecker:
    return TicketChecker(NODE, [KEY.public], clock, revoked or NothingRevoked())


@pytest.mark.parametrize(
    ("granted", "asked", "camera", "stream_granted", "stream", "span", "life"),
    list(product(
        Action, Action, (MINE, OTHERS), (StreamName.MAIN, StreamName.SUB), StreamName,
        ("inside", "before", "after", "open"), ("early", "in time", "late"),
    )),
)  # fmt: skip
def test_the_table_of_permissions(granted, asked, camera, stream_granted, stream, span, life) -> None:  # type: ignore[no-untyped-def]
    token = make_token(
        actions=(granted,), streams=(stream_granted,), start_ns=NOW_NS - 2 * HOUR_NS, end_ns=NOW_NS - HOUR_NS
    )
    clock = ManualClock(NOW_NS + {"early": -1, "in time": 0, "late": 600}[life] * NS_PER_SECOND)
    asked_span = {
        "inside": (NOW_NS - 2 * HOUR_NS, NOW_NS - HOUR_NS),
        "before": (NOW_NS - 2 * HOUR_NS - 1, NOW_NS - HOUR_NS),
        "after": (NOW_NS - 2 * HOUR_NS, NOW_NS - HOUR_NS + 1),
        "open": (NOW_NS - 2 * HOUR_NS, None),
    }[span]
    expected = None
    if life == "early":
        expected = "ticket_not_yet_valid"
    elif life == "late":
        expected = "ticket_expired"
    elif granted != asked:
        expected = "action_not_allowed"
    elif camera != MINE:
        expected = "camera_not_allowed"
    elif stream_granted != stream:
        expected = "stream_not_allowed"
    elif span != "inside":
        expected = "span_not_allowed"
    checker = checker_at(clock)
    if expected is None:
        checker.check(token, asked, camera, stream, from_ns=asked_span[0], to_ns=asked_span[1])
        return
    with pytest.raises(Forbidden) as refused:
        checker.check(token, asked, camera, stream, from_ns=asked_span[0], to_ns=asked_span[1])
    assert refused.value.code == expected
    assert refused.value.http_status == (401 if life != "in time" else 403)


def test_a_ticket_without_bounds_opens_every_camera_stream_and_time() -> None:
    token = make_token(cameras="*")
    for action, stream in product(Action, StreamName):
        ticket = checker_at(ManualClock(NOW_NS)).check(token, action, OTHERS, stream)
    assert (ticket.subject, ticket.node, ticket.issuer) == ("trực ban", NODE, KEY.fingerprint)


@pytest.mark.parametrize("width", [None, 641, 1920])
def test_a_greatest_width_refuses_wider_pictures_and_such_of_unknown_width(width: int | None) -> None:
    grant = Grant(subject="a", actions=(Action.LIVE,), greatest_width=640)
    allow(grant, "live", MINE, width=640)
    with pytest.raises(errors.WidthNotAllowed):
        allow(grant, "live", MINE, width=width)


def test_a_mask_rule_refuses_pictures_without_mask() -> None:
    grant = Grant(subject="a", actions=(Action.LIVE,), mask=MaskRule.MASKED)
    allow(grant, "live", MINE, masked=True)
    with pytest.raises(errors.MaskRequired):
        allow(grant, "live", MINE)


def test_a_revoked_ticket_is_refused_at_once_and_by_another_process_too(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    token = make_token()
    with (
        AccessStore(tmp_path / "access.sqlite", clock) as here,
        AccessStore(tmp_path / "access.sqlite", clock) as there,
    ):
        checker = checker_at(clock, there)
        ticket = checker.read(token)
        here.revoke(ticket.id, ticket.expires_s)
        with pytest.raises(errors.TicketRevoked):
            checker.read(token)
        with pytest.raises(errors.TicketRevoked):
            checker.still_valid(ticket)
        checker.read(make_token())
    assert (tmp_path / "access.sqlite").stat().st_mode & 0o077 == 0


def encode_part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(claims: object, key: SigningKey = KEY, **header: object) -> str:
    head = {"typ": "xomyen-ticket+jwt", "alg": "EdDSA", "kid": key.fingerprint, **header}
    body = f"{encode_part({k: v for k, v in head.items() if v is not None})}.{encode_part(claims)}"
    return f"{body}.{encode_part(key.sign(body.encode()))}"


def claims_of(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: signed(c, OTHER_KEY), "ticket_issuer_unknown"),
        (lambda c: signed(c, OTHER_KEY, kid=KEY.fingerprint), "ticket_forged"),
        (lambda c: signed({**c, "iss": OTHER_KEY.fingerprint}), "ticket_forged"),
        (lambda c: signed({**c, "aud": new_id()}), "ticket_for_other_node"),
        (lambda c: signed({**c, "aud": [NODE, new_id()]}), "ticket_malformed"),
        (lambda c: signed(c, alg="none"), "ticket_malformed"),
        (lambda c: signed(c, alg="HS256"), "ticket_malformed"),
        (lambda c: signed(c, typ="JWT"), "ticket_malformed"),
        (lambda c: signed(c, kid=None), "ticket_malformed"),
        (lambda c: signed(c, kid=7), "ticket_malformed"),
        (lambda c: signed(c, crit=["x"], x=1), "ticket_malformed"),
        (lambda c: signed(c, jwk={"kty": "OKP"}), "ticket_malformed"),
        (lambda c: signed({**c, "only_at_night": True}), "ticket_malformed"),
        (lambda c: signed({k: v for k, v in c.items() if k != "exp"}), "ticket_malformed"),
        (lambda c: signed({k: v for k, v in c.items() if k != "jti"}), "ticket_malformed"),
        (lambda c: signed({**c, "exp": str(NOW_S + 60)}), "ticket_malformed"),
        (lambda c: signed({**c, "exp": NOW_S + 0.5}), "ticket_malformed"),
        (lambda c: signed({**c, "exp": NOW_S + 400 * 86_400}), "ticket_malformed"),
        (lambda c: signed({**c, "actions": ["live", "admin"]}), "ticket_malformed"),
        (lambda c: signed({**c, "cameras": ["../x"]}), "ticket_malformed"),
        (lambda c: signed({**c, "from_ns": 5, "to_ns": 5}), "ticket_malformed"),
        (lambda c: signed([c]), "ticket_malformed"),
        (lambda c: signed(b"{"), "ticket_malformed"),
        (lambda c: signed({**c, "purpose": "x" * 20_000}), "ticket_malformed"),
        (lambda c: "", "ticket_malformed"),
        (lambda c: "a.b.c", "ticket_malformed"),
        (lambda c: "â.b.c", "ticket_malformed"),
        (lambda c: jwt.encode(c, "0" * 32, algorithm="HS256"), "ticket_malformed"),
    ],
)
def test_forged_and_malformed_tickets_are_refused(change, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Forbidden) as refused:
        checker_at(ManualClock(NOW_NS)).read(change(claims_of(make_token())))
    assert refused.value.code == code


TOKEN = make_token()


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABab01-_.="))
def test_no_changed_character_of_a_ticket_passes(at: int, character: str) -> None:
    changed = TOKEN[:at] + character + TOKEN[at + 1 :]
    # The last character of base64 carries unused bits: another text of the same signature is no forgery.
    same = changed == TOKEN or (at == len(TOKEN) - 1)
    try:
        checker_at(ManualClock(NOW_NS)).read(changed)
    except Forbidden:
        return
    assert same


@given(st.text(max_size=200))
def test_any_text_is_refused_without_another_error(text: str) -> None:
    with pytest.raises(Forbidden):
        checker_at(ManualClock(NOW_NS)).read(text)


def test_a_ticket_is_not_signed_with_a_key_it_does_not_name() -> None:
    ticket: Ticket = checker_at(ManualClock(NOW_NS)).read(make_token())
    with pytest.raises(ValueError, match="another issuer"):
        issue(OTHER_KEY, ticket)


def test_a_sign_in_code_works_once_within_its_time_and_is_stored_only_as_a_hash(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    grant = Grant(subject="người dùng đầu tiên", actions=tuple(Action))
    with AccessStore(tmp_path / "access.sqlite", clock) as store:
        code = store.new_sign_in_code(grant, 60)
        late = store.new_sign_in_code(grant, 60)
        assert code.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert store.redeem(code) == grant
        for bad in (code, "", "x" * 5000, "wrong", "\udc80"):
            with pytest.raises(errors.SignInCodeInvalid):
                store.redeem(bad)
        clock.advance(60 * NS_PER_SECOND)
        with pytest.raises(errors.SignInCodeInvalid):
            store.redeem(late)
        with pytest.raises(ValueError, match="a day"):
            store.new_sign_in_code(grant, 100_000)


def test_a_revocation_is_forgotten_only_after_the_ticket_has_expired(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    with AccessStore(tmp_path / "access.sqlite", clock) as store:
        store.revoke("a", NOW_S + 60)
        store.revoke("b")
        clock.advance(60 * NS_PER_SECOND)
        store.revoke("c")
        assert store.is_revoked("a")
        clock.advance(NS_PER_SECOND)
        store.revoke("d")
        assert not store.is_revoked("a")
        assert store.is_revoked("b")


def test_what_was_issued_before_an_end_counts_no_longer_and_what_comes_after_does(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    with AccessStore(tmp_path / "access.sqlite", clock) as store:
        checker = TicketChecker(NODE, [KEY.public], clock, store)
        before, other = make_token(subject="user:a"), make_token(subject="user:b")
        store.end([("user:a", NOW_S, NOW_S + 600)])
        store.end([("user:a", NOW_S - 300, NOW_S + 60)])  # told late: of an earlier end
        with pytest.raises(errors.TicketRevoked):
            checker.read(before)
        assert checker.read(other).subject == "user:b"
        assert not store.is_ended("user:a", NOW_S + 1)
    with AccessStore(tmp_path / "access.sqlite", clock) as again:
        assert again.is_ended("user:a", NOW_S)
        clock.advance(601 * NS_PER_SECOND)
        again.end([])
        assert not again.is_ended("user:a", NOW_S)
