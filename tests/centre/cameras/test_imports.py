"""A table of cameras: every row is judged, and all of it is taken in or nothing."""

import datetime
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Camera, ImportBatch, Site
from xomyen.centre.cameras.spreadsheet import MOST_ROWS, read_table
from xomyen.centre.permissions.roles import Role

SignedIn = Callable[[User], Client]
HEAD = "Mã điểm,Tên điểm,Vĩ độ,Kinh độ,Mã camera,Tên camera,Mục đích,Luồng chính,Đầu ghi,Trạng thái"
GATE = "S01,Cửa ngõ Bắc,21.0411,106.0852,C01,Vào làng,Ra vào,rtsp://192.0.2.1/1,Đầu ghi Gia Khê,đã lắp đặt"
EXIT = "S01,,,,C02,Ra làng,Ra vào,rtsp://192.0.2.2/1,Đầu ghi Gia Khê,"


def given_in(client: Client, province: Province, data: bytes, name: str = "camera.csv") -> Any:
    """The answer to the page of the file, or the preview it leads to."""
    file = SimpleUploadedFile(name, data)
    return client.post("/cameras/import/", {"unit": province.commune.pk, "file": file}, follow=True)


def table(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def faults(answer: Any) -> list[tuple[int, str]]:
    return [(fault.row, fault.column) for fault in answer.context["checked"].faults]


def test_a_table_is_shown_first_and_taken_in_when_confirmed(technician: Client, province: Province) -> None:
    preview = given_in(technician, province, table(GATE, EXIT))
    assert preview.context["checked"].number == {"new": 2, "changed": 0, "same": 0, "sites": 1, "factory_passwords": 0}
    assert not Site.objects.filter(code="S01").exists()
    page = preview.redirect_chain[-1][0]
    assert technician.post(page).status_code == 302
    site = Site.objects.get(code="S01")
    assert (site.unit, site.latitude) == (province.commune, 21.0411)
    cameras = Camera.objects.filter(site=site).order_by("code")
    assert [(one.name, one.acceptance, str(one.node_id)) for one in cameras] == [
        ("Vào làng", "installed", str(province.node.pk)),
        ("Ra làng", "planned", str(province.node.pk)),
    ]
    assert [step.state for step in cameras[0].steps.all()] == ["installed"]
    assert technician.post(page).status_code == 302
    assert Camera.objects.filter(site=site).count() == 2  # confirmed twice, taken in once


def test_the_same_table_again_changes_nothing_and_a_changed_one_only_that(
    technician: Client, province: Province
) -> None:
    technician.post(given_in(technician, province, table(GATE, EXIT)).redirect_chain[-1][0])
    again = given_in(technician, province, table(GATE, EXIT))
    assert again.context["checked"].number == {"new": 0, "changed": 0, "same": 2, "sites": 0, "factory_passwords": 0}
    before = Camera.objects.get(code="C02", site__code="S01").revision
    changed = given_in(technician, province, table(GATE, EXIT.replace("Ra làng", "Ra đồng")))
    assert changed.context["checked"].number == {"new": 0, "changed": 1, "same": 1, "sites": 0, "factory_passwords": 0}
    technician.post(changed.redirect_chain[-1][0])
    camera = Camera.objects.get(code="C02", site__code="S01")
    assert (camera.name, camera.revision) == ("Ra đồng", before + 1)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (GATE.replace("S01", ""), "Mã điểm"),
        (GATE.replace("C01", ""), "Mã camera"),
        (GATE.replace("Vào làng", ""), "Tên camera"),
        (GATE.replace("Cửa ngõ Bắc", ""), "Tên điểm"),
        (GATE.replace("21.0411", "bắc"), "Vĩ độ"),
        (GATE.replace("21.0411", "121"), "Vĩ độ"),
        (GATE.replace("21.0411", ""), "Kinh độ"),
        (GATE.replace("rtsp://192.0.2.1/1", "192.0.2.1"), "Luồng chính"),
        (GATE.replace("Đầu ghi Gia Khê", "Đầu ghi Bên Sông"), "Đầu ghi"),
        (GATE.replace("đã lắp đặt", "xong"), "Trạng thái"),
        (GATE.replace("Vào làng", "=1+1"), "Tên camera"),
        (GATE.replace("Vào làng", "SAN nha van hoa").replace("C01", "c14"), "Tên camera"),
        (EXIT.replace("Ra làng", "vao LANG").replace("S01,,,,C02", "S02,Cổng,,,c01"), "Tên camera"),
        (EXIT.replace("C02", "C01"), "Mã camera"),
    ],
)
def test_a_fault_names_row_and_column_and_nothing_is_taken_in(
    technician: Client, province: Province, row: str, column: str
) -> None:
    rows = (GATE, row) if row.startswith(("S01,,,", "S02")) else (row,)
    preview = given_in(technician, province, table(*rows))
    assert (len(rows) + 1, column) in faults(preview)
    technician.post(preview.redirect_chain[-1][0])
    assert not Camera.objects.filter(code__in=("C01", "C02"), site__code="S01").exists()
    assert not Site.objects.filter(code="S01").exists()


def test_who_may_not_accept_takes_in_no_accepted_camera(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    head = signed_in(appoint(Role.POLICE_HEAD, unit=province.commune))
    assert faults(given_in(head, province, table(GATE.replace("đã lắp đặt", "đã nghiệm thu")))) == [(2, "Trạng thái")]


def test_units_of_others_cannot_be_named(technician: Client, province: Province) -> None:
    head, row = "Mã đơn vị," + HEAD, "90009," + GATE
    assert faults(given_in(technician, province, table(row, head=head))) == [(2, "Mã đơn vị")]
    good = given_in(technician, province, table("90001-03," + GATE, head=head))
    assert not faults(good)
    assert good.context["checked"].planned[0].site.unit == province.group


def test_a_retired_camera_is_not_brought_back_by_a_table(technician: Client, province: Province) -> None:
    technician.post(given_in(technician, province, table(GATE)).redirect_chain[-1][0])
    Camera.objects.filter(code="C01", site__code="S01").update(acceptance="retired")
    assert faults(given_in(technician, province, table(GATE))) == [(2, "Mã camera")]


def test_a_preview_is_its_makers_alone(
    technician: Client, province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    page = given_in(technician, province, table(GATE)).redirect_chain[-1][0]
    other = signed_in(appoint(Role.TECHNICIAN, unit=province.commune))
    assert other.get(page).status_code == 404
    assert other.post(page).status_code == 404
    officer = signed_in(appoint(Role.DUTY_OFFICER, unit=province.commune))
    for address in ("/cameras/import/", "/cameras/import/template/", page):
        assert officer.get(address).status_code == 403


def test_a_password_is_not_kept_as_it_was_typed(technician: Client, province: Province) -> None:
    head = HEAD + ",Tên đăng nhập,Mật khẩu"
    preview = given_in(technician, province, table(GATE + ",admin,bí mật 1", head=head))
    assert faults(preview) == [(2, "Mật khẩu")]  # this recorder has never answered
    assert "bí mật 1" not in str(ImportBatch.objects.get().rows)
    hidden = given_in(technician, province, table(GATE.replace("192.0.2.1", "u:bimat2@192.0.2.1")))
    assert faults(hidden) == [(2, "Mật khẩu")]
    assert "bimat2" not in str(ImportBatch.objects.get().rows)


def test_the_end_of_support_is_a_day_as_people_or_spreadsheets_write_it_and_a_device_has_its_address(
    technician: Client, province: Province
) -> None:
    head = [*HEAD.split(","), "Phần mềm được hỗ trợ đến", "Địa chỉ ONVIF"]
    onvif = "http://admin:BIMAT9@192.0.2.9/onvif/device_service"
    days = ("31/12/2027", datetime.datetime(2027, 12, 31), "2027-12-31", "cuối năm")
    for number, day in enumerate(days):
        cells = ["S01", "Cổng chợ", "", "", f"C{number}", f"Hướng {number}", "Ra vào", "", "", "", day, onvif]
        answer = given_in(technician, province, workbook(head, cells), "camera.xlsx")
        batch = answer.context["batch"]
        assert "BIMAT9" not in str(batch.rows)
        if day == days[-1]:
            assert faults(answer) == [(2, "Phần mềm được hỗ trợ đến")]
            continue
        technician.post(f"/cameras/import/{batch.pk}/")
        made = Camera.objects.get(code=f"C{number}")
        assert (made.firmware_support_ends, made.onvif_address) == (
            datetime.date(2027, 12, 31),
            "http://192.0.2.9/onvif/device_service",
        )


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:GEHEIM@10.0.0.5/2",
        "rtsp://admin:GE HEIM@10.0.0.5/2",
        "rtsp://admin:GEH/EIM@10.0.0.5/2",
        "rtsp://admin:GEH@HE/IM@10.0.0.5/2",
        "rtsp://admin:GE@he.vn/IM@10.0.0.5/2",
        "rtsp://admin:12/GEHEIM@10.0.0.5/2",
        "rtsp://ad.min:GEH#EIM@10.0.0.5/2",
        "rtsp://admin:GEHEIM@10.0.0.5:x/2",
        "rtsp:/admin:GEHEIM@10.0.0.5/2",
        "admin:GEHEIM@10.0.0.5",
        "rtsp://rtsp://admin:GEHEIM@10.0.0.5/2",
    ],
)
def test_no_password_inside_an_address_is_kept_even_where_it_is_no_address(
    technician: Client, province: Province, address: str
) -> None:
    head = HEAD + ",Luồng phụ"
    for row in (GATE + "," + address, GATE.replace("rtsp://192.0.2.1/1", address) + ","):
        preview = given_in(technician, province, table(row, head=head))
        kept = str(ImportBatch.objects.get().rows)
        assert not any(part in kept for part in ("GE", "HE", "IM")), kept
        assert address not in preview.content.decode()
        assert faults(preview)


@pytest.mark.parametrize("address", ["rtsp://10.0.0.5:554/cam@1", "rtsp://cam.example/a?b=c@d", "rtsp://10.0.0.5/1"])
def test_an_address_without_a_user_is_kept_as_it_is(technician: Client, province: Province, address: str) -> None:
    assert not faults(given_in(technician, province, table(GATE.replace("rtsp://192.0.2.1/1", address))))
    assert ImportBatch.objects.get().rows[0]["main_url"] == address


def test_a_table_for_a_unit_that_one_has_no_longer_is_not_taken_in(
    province: Province, appoint: Appoint, signed_in: SignedIn
) -> None:
    person = appoint(Role.TECHNICIAN, unit=province.commune)
    appoint(Role.TECHNICIAN, person, unit=province.other_commune)
    client = signed_in(person)
    file = SimpleUploadedFile("camera.csv", table(GATE.replace("Đầu ghi Gia Khê", "")))
    form = {"unit": province.other_commune.pk, "file": file}
    preview = client.post("/cameras/import/", form, follow=True)
    assert not faults(preview)
    person.appointments.filter(unit=province.other_commune).delete()
    assert faults(client.post(preview.redirect_chain[-1][0])) == [(2, "Mã đơn vị")]
    assert not Site.objects.filter(code="S01").exists()


def test_the_template_is_a_table_that_is_read_back(technician: Client, province: Province) -> None:
    data = technician.get("/cameras/import/template/").content
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.worksheets[0]["B1"].value == "Mã điểm *"
    answer = given_in(technician, province, data, "camera.xlsx")
    assert "chưa có camera" in answer.content.decode()  # headings alone
    heads = [cell.value for cell in book.worksheets[0][1]]
    row = ["" for _ in heads]
    for name, value in (("Mã điểm *", "S01"), ("Tên điểm", "Cổng"), ("Mã camera *", 7), ("Tên camera *", "Cổng")):
        row[heads.index(name)] = value
    row[heads.index("Mục đích *")] = "Ra vào"
    preview = given_in(technician, province, workbook(heads, row), "camera.xlsx")
    assert not faults(preview)
    assert preview.context["checked"].planned[0].camera.code == "7"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("camera.csv", b""),
        ("camera.xls", b"\xd0\xcf\x11\xe0"),
        ("camera.xlsx", b"PK\x03\x04 not a zip"),
        ("camera.csv", b"a,b\n1,2"),
        ("camera.csv", "Mã điểm".encode("cp1258", "replace") + b"\xff\n"),
        ("camera.csv", table()),
        ("camera.csv", table(head=HEAD + ",Tên camera")),
        ("camera.csv", b'"' + b"x" * 2000),
        ("camera.csv", table(*[f"S{n},Điểm,,,C1,Tên {n},Ra vào,,," for n in range(MOST_ROWS + 1)])),
    ],
)
def test_a_file_that_is_no_table_of_cameras_is_told_so(
    technician: Client, province: Province, name: str, data: bytes
) -> None:
    answer = given_in(technician, province, data, name)
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not ImportBatch.objects.exists()


def test_a_file_that_unpacks_to_too_much_is_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (61 << 20))
    assert len(file.getvalue()) < 1 << 20
    with pytest.raises(ValidationError):
        read_table("a.xlsx", file.getvalue())


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def with_part(name: str, content: bytes) -> bytes:
    """A workbook of one cell with another part in the place of its own."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        new.writestr(name, content)
    return file.getvalue()


def sheet_of(cells: bytes) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>'.encode() + cells + b"</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("xl/worksheets/sheet1.xml", sheet_of(b'<row r="1">' + b"<c/>" * 130_000 + b"</row>")),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row/>" * 130_000)),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row><x:c/></row>" * 130_000)),
        ("xl/worksheets/sheet1.xml", sheet_of(b"<row><c/></row>" * 130_000).decode().encode("utf-16")),
        ("xl/worksheets/sheet1.xml", sheet_of(b" " * (13 << 20))),
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">'.encode() + b"<xf/>" * 60_000 + b"</styleSheet>"),
        ("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">'.encode() + b"<si/>" * 130_000 + b"</sst>"),
        ("xl/workbook.xml", f'<workbook xmlns="{MAIN}">'.encode() + b"<definedName/>" * 30_000 + b"</workbook>"),
    ],
)
def test_a_small_file_that_would_take_long_to_read_is_refused_before(name: str, content: bytes) -> None:
    with pytest.raises(ValidationError, match=r"quá nhiều dữ liệu ngoài bảng|more than a table"):
        read_table("a.xlsx", with_part(name, content))


def test_parts_of_a_workbook_lie_where_they_are_counted() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as packed:
        types = packed.read("[Content_Types].xml")
    assert b"/xl/workbook.xml" in types
    with pytest.raises(ValidationError):
        read_table("a.xlsx", with_part("[Content_Types].xml", types.replace(b"/xl/workbook", b"/xl/worksheets/a")))


def test_a_table_of_the_greatest_size_is_read() -> None:
    rows = [[f"Dòng {row} cột {column}" for column in range(25)] for row in range(MOST_ROWS + 1)]
    assert read_table("a.xlsx", workbook(*rows)) == rows


def test_formulas_count_as_the_values_saved_with_them() -> None:
    assert read_table("a.xlsx", workbook(["a", "b"], ["x", "=1+1"])) == [["a", "b"], ["x"]]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.xlsx", "a"]), st.sampled_from([b"", b"PK\x03\x04"]))
def test_whatever_a_file_holds_it_is_read_or_refused(data: bytes, name: str, begin: bytes) -> None:
    try:
        rows = read_table(name, begin + data)
    except ValidationError:
        return
    assert all(isinstance(cell, str) for row in rows for cell in row)


def test_the_number_of_queries_does_not_grow_with_rows(
    technician: Client, province: Province, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    rows = [f"S{n},Điểm {n},,,C1,Tên {n},Ra vào,rtsp://192.0.2.1/{n},Đầu ghi Gia Khê," for n in range(200)]
    page = given_in(technician, province, table(*rows)).redirect_chain[-1][0]
    with django_assert_max_num_queries(25):
        assert technician.get(page).context["checked"].number["new"] == 200
