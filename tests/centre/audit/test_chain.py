"""A changed, removed or foreign row is found: in the database, and in an export without it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.audit.chain import SignedHead, digest_of, link
from xomyen.centre.audit.export import InvalidExport, verify_export
from xomyen.centre.audit.findings import Fault, Report, Verdict
from xomyen.centre.audit.models import Head, Record
from xomyen.centre.audit.services import record
from xomyen.centre.audit.verify import verify_database
from xomyen.centre.audit.writer import chain_pending
from xomyen.centre.permissions.roles import Role
from xomyen.proof.keys import PublicKey, SigningKey

SignIn = Callable[[User], Client]


@pytest.fixture
def key(issuer_key: SigningKey) -> PublicKey:
    return SigningKey.load(settings.FOLDER.issuer_key).public


@pytest.fixture
def log(db: None) -> None:
    """A log of nine rows, written in batches."""
    for number in range(9):
        record("camera.ptz", purpose=f"Lượt {number + 1}", details={"number": number, "text": "é 😀"})
    while chain_pending(4):
        pass


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def first(report: Report) -> tuple[Fault, int]:
    return report.findings[0].fault, report.findings[0].sequence


def test_an_untouched_log_is_intact(log: None, key: PublicKey) -> None:
    report = verify_database(key)
    assert (report.verdict, report.rows, report.first, report.last) == (Verdict.INTACT, 9, 1, 9)


def test_an_empty_log_is_intact(db: None, key: PublicKey) -> None:
    assert verify_database(key).verdict is Verdict.INTACT


@pytest.mark.parametrize(
    "change",
    [
        "purpose = 'khác'",
        "person_name = 'khác'",
        "details_json = '{}'",
        "details_json = 'no JSON'",
        "at_ns = at_ns + 1",
        "address = '192.0.2.1'",
        "unit = '01a1ffb65de071f7beb8c6b06042a87a'",
        "action = 'camera.live'",
    ],
)
def test_a_changed_row_is_found(log: None, key: PublicKey, change: str) -> None:
    sql(f"UPDATE audit_record SET {change} WHERE sequence = 5")
    report = verify_database(key)
    assert first(report) == (Fault.ALTERED, 5)
    assert report.count == 1
    assert report.verdict.exit_code == 11


def test_a_changed_row_with_all_its_hashes_made_anew_is_found(log: None, key: PublicKey) -> None:
    rows = list(Record.objects.order_by("sequence"))
    rows[4].purpose = "khác"
    digest = digest_of(rows[4].content())
    sql(
        "UPDATE audit_record SET purpose = %s, digest = %s, hash = %s WHERE sequence = 5",
        "khác", digest, link(rows[3].hash, digest),
    )  # fmt: skip
    assert first(verify_database(key)) == (Fault.FOREIGN, 6)


def test_a_removed_row_is_found(log: None, key: PublicKey) -> None:
    sql("DELETE FROM audit_record WHERE sequence IN (3, 4)")
    report = verify_database(key)
    assert first(report) == (Fault.MISSING, 3)
    assert "Rows 3 to 4" in report.findings[0].text
    assert report.verdict.exit_code == 10


def test_a_removed_beginning_is_found(log: None, key: PublicKey) -> None:
    sql("DELETE FROM audit_record WHERE sequence = 1")
    assert first(verify_database(key)) == (Fault.MISSING, 1)


def test_a_cut_off_end_is_found(log: None, key: PublicKey) -> None:
    sql("DELETE FROM audit_record WHERE sequence > 7")
    assert first(verify_database(key)) == (Fault.MISSING, 8)


def test_a_cut_off_end_is_found_when_the_head_is_set_back_as_well(log: None, key: PublicKey) -> None:
    seventh = Record.objects.get(sequence=7)
    sql("DELETE FROM audit_record WHERE sequence > 7")
    sql("UPDATE audit_head SET sequence = 7, hash = %s", seventh.hash)
    report = verify_database(key)
    assert first(report) == (Fault.UNSIGNED, 7)


def test_a_row_put_in_behind_the_head_is_found(log: None, key: PublicKey) -> None:
    columns = ", ".join(field.column for field in Record._meta.local_fields if field.column not in ("sequence", "id"))
    new = "'01a1ffb65de071f7beb8c6b06042a87a'"
    source = f"SELECT 10, {new}, {columns} FROM audit_record WHERE sequence = 9"
    sql(f"INSERT INTO audit_record (sequence, id, {columns}) {source}")
    assert first(verify_database(key)) == (Fault.FOREIGN, 10)


def test_a_row_put_in_before_the_first_is_found(log: None, key: PublicKey) -> None:
    sql("UPDATE audit_record SET sequence = 0 WHERE sequence = 1")
    assert first(verify_database(key)) == (Fault.FOREIGN, 0)


def test_a_log_made_anew_with_another_key_is_found(log: None, key: PublicKey) -> None:
    head = Head.objects.get()
    signed = SignedHead.sign(SigningKey.generate(), head.sequence, head.hash, head.at_ns)
    sql("UPDATE audit_head SET key = %s, signature = %s".replace("key =", '"key" ='), signed.key, signed.signature)
    assert first(verify_database(key)) == (Fault.UNKNOWN_KEY, 9)
    assert verify_database(key).verdict.exit_code == 12


def test_a_log_made_anew_as_a_whole_is_found_by_an_export_kept_elsewhere(log: None, key: PublicKey) -> None:
    known = Record.objects.get(sequence=6)
    assert verify_database(key, (6, known.hash)).verdict is Verdict.INTACT
    assert first(verify_database(key, (6, "11" * 32))) == (Fault.FOREIGN, 6)
    assert first(verify_database(key, (12, known.hash))) == (Fault.MISSING, 10)


# Exports.


@pytest.fixture
def exported(province: Province, appoint: Appoint, signed_in: SignIn) -> bytes:
    """What an auditor of the first commune takes out: rows of another unit lie between the auditor's own."""
    officer = appoint(Role.COMMAND_CENTRE, unit=province.province)
    for camera in (province.public, province.secret, province.neighbour, province.secret, province.public):
        record("camera.live", officer, camera)
    chain_pending()
    client = signed_in(appoint(Role.AUDITOR, unit=province.commune))
    answer = client.post("/audit/export/", {"kind": "live"})
    assert answer.status_code == 200
    body: bytes = b"".join(answer.streaming_content)
    return body


def checked(content: bytes, trusted: PublicKey | None = None) -> Report:
    return verify_export(io.BytesIO(content), trusted)


def test_an_export_is_checked_without_the_database_and_tells_nothing_of_other_units(
    exported: bytes, key: PublicKey
) -> None:
    report = checked(exported, key)
    assert (report.verdict, report.rows, report.withheld) == (Verdict.INTACT, 5, 2)
    assert "X99" not in exported.decode()
    assert "bí mật" not in exported.decode()
    chained = Record.objects.filter(action="camera.live").latest("sequence")
    assert (report.last, report.hash) == (chained.sequence, chained.hash)


def test_exporting_is_recorded_and_needs_its_own_right(
    province: Province, appoint: Appoint, signed_in: SignIn, exported: bytes
) -> None:
    chain_pending()
    assert Record.objects.filter(action="audit.exported").count() == 1
    reader = signed_in(appoint(Role.ADMINISTRATOR, unit=province.commune))
    assert reader.get("/audit/").context["can_export"] is False
    assert reader.post("/audit/export/").status_code == 403


def rewritten(exported: bytes, number: int, change: Callable[[dict[str, Any]], None]) -> bytes:
    lines = exported.splitlines()
    value = json.loads(lines[number])
    change(value)
    lines[number] = json.dumps(value).encode()
    return b"\n".join(lines)


def test_a_changed_row_of_an_export_is_found(exported: bytes, key: PublicKey) -> None:
    changed = rewritten(exported, 3, lambda line: line["row"].update(purpose="khác"))
    report = checked(changed, key)
    assert first(report)[0] is Fault.ALTERED


def test_a_removed_row_of_an_export_is_found(exported: bytes, key: PublicKey) -> None:
    lines = exported.splitlines()
    assert first(checked(b"\n".join(lines[:2] + lines[3:]), key))[0] is Fault.MISSING
    assert first(checked(b"\n".join(lines[:1] + lines[2:]), key))[0] is Fault.MISSING
    assert first(checked(b"\n".join(lines[:-1]), key))[0] is Fault.MISSING
    assert first(checked(b"\n".join(lines[:-2] + lines[-1:]), key))[0] is Fault.MISSING


def test_a_changed_frame_of_an_export_is_found(exported: bytes, key: PublicKey) -> None:
    for number, change in (
        (0, lambda line: line["asked"].update(kind="past")),
        (0, lambda line: line.update(centre="khác")),
        (-1, lambda line: line["end"].update(rows=4)),
    ):
        assert first(checked(rewritten(exported, number, change), key))[0] is Fault.UNSIGNED


def test_an_export_signed_by_somebody_else_is_found(exported: bytes) -> None:
    assert checked(exported).verdict is Verdict.INTACT
    assert checked(exported, SigningKey.generate().public).verdict.exit_code == 12


def test_an_empty_export_is_one(province: Province, appoint: Appoint, signed_in: SignIn, key: PublicKey) -> None:
    client = signed_in(appoint(Role.AUDITOR, unit=province.commune))
    answer = client.post("/audit/export/", {"camera": "no such camera"})
    report = checked(b"".join(answer.streaming_content), key)
    assert (report.verdict, report.rows) == (Verdict.INTACT, 0)


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"{}", b'{"format":"xomyen-audit","version":1}'])
def test_what_is_no_export_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(InvalidExport):
        checked(content)


def test_a_damaged_line_is_said(exported: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidExport):
        checked(exported[: len(exported) // 2])
