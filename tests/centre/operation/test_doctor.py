"""The doctor's findings: what is wrong in words, in both languages, and how the command ends."""

import datetime
import json
import os
import re
from pathlib import Path

import pytest
from tests.centre.conftest import Province
from tests.centre.operation.conftest import RunningCentre, xomyen
from tests.certificates import self_signed

from xomyen.centre.audit.models import Pending
from xomyen.centre.cameras.models import Node
from xomyen.centre.operation import alarm_words, box_findings, centre_findings
from xomyen.centre.operation.alarm_words import AlarmFact
from xomyen.centre.operation.box_findings import CameraFact, DiskFact, KeyFact, NodeFacts, PartFact
from xomyen.centre.operation.examination import Finding, Severity, summary, words, worst
from xomyen.cli.doctor import knows_an_earlier_centre
from xomyen.node.supervisor import gateway_file, write_gateway
from xomyen.proof.keys import SigningKey
from xomyen.terms.folder import NodeFolder

# Programs are started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(600)

NOW = datetime.datetime(2026, 11, 21, 7, 0, tzinfo=datetime.UTC)
GB = 10**9
english, vietnamese = words("en"), words("vi")


def found(folder: Path, code: int) -> dict[str, dict[str, str]]:
    done = xomyen("doctor", "--dir", folder, "--json", "--language", "en", code=code)
    answer = json.loads(done.stdout)
    assert (answer["severity"] == "bad") == (code == 1)
    return {finding["code"]: finding for finding in answer["findings"]}


def test_a_centre_that_runs_is_found_well_and_one_that_does_not_is_told(centre: RunningCentre) -> None:
    well = found(centre.folder, 0)
    assert well["centre"]["severity"] == well["database"]["severity"] == well["keys"]["severity"] == "good"
    assert centre.url in well["centre"]["text"]
    centre.process.terminate()
    centre.process.wait(60)
    (centre.folder / "centre" / "issuer.pem").chmod(0o644)
    ill = found(centre.folder, 1)
    assert "nobody can sign in" in ill["centre"]["text"]
    assert "chmod 600" in ill["keys"]["remedy"]
    told = xomyen("doctor", "--dir", centre.folder, code=1).stdout
    assert "✗ Trung tâm không chạy: không ai đăng nhập được." in told
    assert "Lỗi (✗): 2" in told


def test_a_recorder_that_was_not_restarted_after_the_centre_came_is_told(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    assert not knows_an_earlier_centre(folder)
    for path in (folder.issuers, folder.run):
        path.mkdir(parents=True)
    key, other = SigningKey.generate().public, SigningKey.generate().public
    (folder.issuers / "centre.pem").write_bytes(key.pem)
    folder.centre_pages.write_text("https://xa.example\nhttp://localhost:8450\n")
    read = {key.fingerprint, "https://xa.example", "http://localhost:8450", "https://of.its.settings.example"}
    write_gateway(folder, "https://node.example", read)
    os.utime(folder.centre_pages, (2**32, 2**32))  # written anew, or put back by a restore: it says the same
    assert not knows_an_earlier_centre(folder)
    (folder.issuers / "centre.pem").write_bytes(other.pem)
    os.utime(folder.issuers / "centre.pem", (0, 0))
    assert knows_an_earlier_centre(folder)
    write_gateway(folder, "https://node.example", {*read, other.fingerprint})
    assert not knows_an_earlier_centre(folder)
    folder.centre_pages.write_text("https://xa.moved.example\n")
    os.utime(folder.centre_pages, (0, 0))
    assert knows_an_earlier_centre(folder)
    gateway_file(folder).write_text('{"version": 1, "url": "https://node.example", "pid": 1}')  # of a version before
    assert not knows_an_earlier_centre(folder)
    assert "systemctl restart xomyen" in box_findings.of_restart(vietnamese).remedy
    assert box_findings.of_restart(vietnamese).text.startswith("Chưa khởi động lại đầu ghi")


def test_a_damaged_database_and_a_wrong_setting_are_told_one_after_the_other(folder: Path, tmp_path: Path) -> None:
    database = folder / "centre" / "centre.sqlite"
    content = bytearray(database.read_bytes())
    content[4096 : 4096 * 40] = bytes(4096 * 39)
    database.write_bytes(content)
    ill = found(folder, 1)
    assert "damaged" in ill["database"]["text"]
    assert "restore" in ill["database"]["remedy"]
    own = self_signed(tmp_path, "own")
    (folder / "centre.toml").write_text(f'tls_certificate = "{own.certificate}"\ntls_key = "{own.key}"\n')
    own.key.chmod(0o600)
    assert "1 days" in found(folder, 1)["certificate"]["text"] or "0 days" in found(folder, 1)["certificate"]["text"]
    (folder / "centre.toml").write_text("workers = 0\n")
    assert "workers" in found(folder, 1)["settings"]["text"]


@pytest.mark.parametrize(
    ("disk", "severity"),
    [
        (DiskFact("/srv/video", True, 100 * GB, 1000 * GB, 20 * GB), Severity.GOOD),
        (DiskFact("/srv/video", True, 5 * GB, 1000 * GB, 20 * GB), Severity.NOTE),
        (DiskFact("/srv/video", True, 10**8, 1000 * GB, 20 * GB), Severity.BAD),
        (DiskFact("/srv/video", False), Severity.BAD),
    ],
)
def test_disks(disk: DiskFact, severity: Severity) -> None:
    finding = box_findings.of_disk(disk, english)
    assert finding.severity is severity
    assert "/srv/video" in finding.text
    assert bool(finding.remedy) == (severity is not Severity.GOOD)


@pytest.mark.parametrize(("days", "severity"), [(90, Severity.GOOD), (10, Severity.NOTE), (-1, Severity.BAD)])
def test_certificates_are_told_of_before_they_run_out(days: int, severity: Severity) -> None:
    ends = NOW + datetime.timedelta(days=days)
    assert box_findings.of_certificate(Path("/x.pem"), ends, NOW, english).severity is severity


def test_keys_that_are_due_to_be_replaced_are_told_with_what_it_takes() -> None:
    young = KeyFact(Path("/x/keys/secrets.pem"), NOW - datetime.timedelta(days=729), 2)
    old = KeyFact(Path("/x/centre/issuer.pem"), NOW - datetime.timedelta(days=3 * 366), 3)
    (finding,) = box_findings.of_old_keys([young, old], NOW, vietnamese)
    assert finding.severity is Severity.NOTE
    assert "/x/centre/issuer.pem có từ ngày 19/11/2023" in finding.text
    assert "docs/inventory.md" in finding.remedy


def test_a_clock_that_stood_still_and_one_that_nobody_sets_are_told() -> None:
    worn = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert box_findings.of_clock(worn, True, english).severity is Severity.BAD
    assert box_findings.of_clock(NOW, False, english).severity is Severity.NOTE
    well = box_findings.of_clock(NOW, True, english)
    assert well.severity is Severity.GOOD
    # As the clock on the wall in Viet Nam, whatever zone the machine is set to.
    assert "14:00:00 21/11/2026" in well.text


def test_parts_alarms_and_cameras_of_a_node_are_told_by_name() -> None:
    away = tuple(
        CameraFact(f"C{number:02d} Cổng", NOW, "network" if number > 1 else "", "no route") for number in range(1, 8)
    )
    parts = (PartFact("bus", True), PartFact("gateway", False, "killed by SIGKILL"))
    alarms = (AlarmFact("", "", "The disk is full."),)
    findings = box_findings.of_node(NodeFacts(parts, alarms, 25, away), vietnamese)
    text = "\n".join(finding.text for finding in findings)
    assert "gateway (killed by SIGKILL)" in text
    assert "The disk is full." in text
    assert "7 trên 25 camera mất kết nối: C01 Cổng" in text
    assert "no route" in text  # where no word is known, the recorder's own
    assert "không kết nối được camera qua mạng" in text
    assert "C06" not in text  # of many their number is enough on the telephone
    well = box_findings.of_node(NodeFacts((PartFact("bus", True),), (), 25, ()), vietnamese)
    assert worst(well) is Severity.GOOD
    assert box_findings.of_node(None, vietnamese)[0].severity is Severity.BAD


def test_what_the_recorder_says_of_a_disk_is_told_in_the_readers_language() -> None:
    alarm = AlarmFact("full", "/srv/video", "/srv/video is full, nothing is recorded to it, and 3 GB are held.")
    finding = alarm_words.of_alarm(alarm, vietnamese)
    assert finding.text.startswith("Ổ đĩa của /srv/video đã đầy, phần còn lại không được phép xóa")
    assert "Lắp thêm ổ đĩa" in finding.remedy
    assert alarm.text in finding.remedy  # for whoever helps


def test_every_alarm_of_the_recorder_has_words() -> None:
    told = Path(__file__).parents[3] / "src" / "xomyen" / "recording"
    source = "\n".join(file.read_text(encoding="utf-8") for file in told.glob("*.py"))
    codes = set(re.findall(r"""(?:alarms\.say|say_soon|_on_alarm)\(\s*f?"([a-z_]+)[":]""", source))
    assert {"clock", "full", "lost", "volume"} <= codes
    for code in codes:
        finding = alarm_words.of_alarm(AlarmFact(code, "/srv", "Text."), vietnamese)
        assert not finding.text.startswith("Đầu ghi báo"), code


def test_nodes_that_are_away_and_a_log_that_is_not_written_are_told(province: Province) -> None:
    Pending.objects.all().delete()
    assert centre_findings.of_work(english) == []
    Node.objects.filter(pk=province.node.pk).update(answers=False, since=NOW)
    Pending.objects.bulk_create([Pending(at_ns=1, action="x") for _ in range(1001)])
    nodes, log = centre_findings.of_work(vietnamese)
    assert "1 trên 2 đầu ghi không trả lời trung tâm: Đầu ghi Gia Khê" in nodes.text
    assert log.severity is Severity.BAD
    assert "1001" in log.text


def test_the_summary_says_how_bad_it_is() -> None:
    good, note, bad = (Finding("x", severity, "") for severity in (Severity.GOOD, Severity.NOTE, Severity.BAD))
    assert summary([good], vietnamese) == "Máy hoạt động bình thường."
    assert "1" in summary([good, note], english)
    assert worst([good, note, bad]) is Severity.BAD


def test_a_language_that_there_is_not_is_told(tmp_path: Path) -> None:
    assert "vi or en" in xomyen("doctor", "--dir", tmp_path, "--language", "fr", code=2).stderr
