"""`xomyen centre serve`: what it needs it says, and nothing of it outlives it."""

import signal
import socket
import ssl
from pathlib import Path

import httpx
import psutil
import pytest
from tests.centre.operation.conftest import RunningCentre, python, running_centre, xomyen
from tests.certificates import self_signed
from tests.waiting import wait_until

from xomyen.centre.configuration import CentreFolder, CentreSettings
from xomyen.centre.operation.lock import sole
from xomyen.cli.centre import page_origins
from xomyen.node.trusted import Trusted

# Programs are started, which takes long on a machine that does other things.
pytestmark = pytest.mark.timeout(600)


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = xomyen("centre", "serve", "--dir", tmp_path / "new", "--listen", address, code=2)
    assert f"cannot listen on {address}" in done.stderr
    assert not (tmp_path / "new" / "centre").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hostess = []", "there is no setting 'hostess'; those there are: listen, hosts,"),
        ('tls_certificate = "/nowhere.pem"', "/nowhere.pem cannot be read"),
        ('map_file = "/nowhere.pmtiles"', "map_file"),
        ('database = "postgresql://x:secret@127.0.0.1:1/none"', "The database does not answer"),
    ],
)
def test_what_is_wrong_with_a_setting_is_one_line_without_its_secrets(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "centre.toml").write_text(text)
    done = xomyen("centre", "serve", "--dir", tmp_path, "--listen", "127.0.0.1:0", code=7 if "database" in text else 2)
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secret" not in done.stderr


def test_a_second_centre_is_refused_and_nothing_outlives_the_first_when_it_is_killed(centre: RunningCentre) -> None:
    done = xomyen("centre", "serve", "--dir", centre.folder, "--listen", "127.0.0.1:0", code=8)
    assert "already runs" in done.stderr
    # The server, its two workers, and the process behind the pages.
    wait_until(lambda: len(centre.family()) >= 4)
    family = centre.family()
    centre.process.send_signal(signal.SIGKILL)
    _gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def test_a_command_does_not_upgrade_the_database_under_a_centre_that_runs(folder: Path) -> None:
    older = "from django.db import connection\n"
    older += "from django.db.migrations.recorder import MigrationRecorder as Recorder\n"
    older += "Recorder(connection).migration_qs.filter(app='watch').order_by('-name').first().delete()"
    with sole(CentreFolder(folder)):
        python(older, folder)
        done = xomyen("centre", "signin", "anybody", "--dir", folder, code=2)
    assert "restart it first" in done.stderr


def test_workers_of_the_web_end_with_its_server_and_the_pages_come_back(centre: RunningCentre) -> None:
    server = next(
        one for one in centre.family() if one.ppid() == centre.process.pid and "xomyen.centre.web" in one.cmdline()
    )
    wait_until(lambda: len(server.children()) >= 2)
    workers = server.children()
    server.kill()
    _gone, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    transport = httpx.HTTPTransport(retries=8)  # waits longer each time
    with httpx.Client(transport=transport, timeout=60) as client:
        assert client.get(f"{centre.url}/account/login/").status_code == 200


def test_with_a_certificate_the_pages_are_served_over_tls(folder: Path, tmp_path: Path) -> None:
    made = self_signed(tmp_path, "own")
    settings = CentreFolder(folder).settings
    settings.write_text(f'tls_certificate = "{made.certificate}"\ntls_key = "{made.key}"\n')
    trusting = ssl.create_default_context(cafile=str(made.certificate))
    with running_centre(folder) as centre, httpx.Client(verify=trusting, timeout=60) as client:
        assert centre.url.startswith("https://")
        answer = client.get(f"{centre.url}/account/login/")
        # A recorder of the same folder shows its pictures on these pages without being told of them.
        assert centre.url in Trusted.read(CentreFolder(folder).node).pages
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert all("secure" in cookie.lower() for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("behind_tls", "listen", "origins"),
    [
        (True, "127.0.0.1:8450", ["https://xa.example.vn"]),
        (False, "0.0.0.0:80", ["http://127.0.0.1", "http://localhost", "http://xa.example.vn"]),
        (
            False,
            "192.0.2.1:8450",
            [f"http://{name}:8450" for name in ("192.0.2.1", "127.0.0.1", "localhost", "xa.example.vn")],
        ),
    ],
)
def test_pages_are_called_as_browsers_name_them(behind_tls: bool, listen: str, origins: list[str]) -> None:
    assert page_origins(CentreSettings(hosts=("Xa.Example.vn",), behind_tls=behind_tls), listen) == origins


def test_the_service_manager_is_told_when_the_pages_answer_and_when_they_end(folder: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        with running_centre(folder, NOTIFY_SOCKET=str(tmp_path / "notify")) as centre:
            assert manager.recv(100) == b"READY=1"
            assert manager.recv(100) == b"WATCHDOG=1"
            centre.process.terminate()
            told = manager.recv(100)
            while told == b"WATCHDOG=1":
                told = manager.recv(100)
            assert told == b"STOPPING=1"
            assert centre.process.wait(60) == 0


def test_a_certificate_with_another_key_is_refused_at_the_start(tmp_path: Path) -> None:
    one, other = (self_signed(tmp_path, name) for name in ("one", "other"))
    CentreFolder(tmp_path).settings.write_text(f'tls_certificate = "{one.certificate}"\ntls_key = "{other.key}"\n')
    done = xomyen("centre", "serve", "--dir", tmp_path, "--listen", "127.0.0.1:0", code=2)
    assert "must be a PEM chain and its own key" in done.stderr
