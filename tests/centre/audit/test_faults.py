"""Several processes write, the one that chains is killed again and again: nothing is lost, nothing is there twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psycopg
import pytest

from xomyen.proof.keys import SigningKey

_PROGRAM = Path(__file__).with_name("program.py")
_WRITERS, _EACH = 4, 20
_STARTED: list[subprocess.Popen[str]] = []

pytestmark = pytest.mark.timeout(600)  # a dozen processes are started, each of which loads Django


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a centre of its own, with the audit log's tables."""
    made = dict(os.environ) | {"XOMYEN_CENTRE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    SigningKey.load_or_create(tmp_path / "centre" / "issuer.pem")
    server = made.get("XOMYEN_CENTRE_DATABASE", "")
    if server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE audit_faults")
        made["XOMYEN_CENTRE_DATABASE"] = urlsplit(server)._replace(path="/audit_faults").geturl()
    run(made, "migrate")
    yield made
    while _STARTED:
        one = _STARTED.pop()
        one.kill()
        one.communicate()
    if server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE audit_faults WITH (FORCE)")


def run(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, str(_PROGRAM), *arguments], env=environment, check=True)


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, str(_PROGRAM), *arguments]
    _STARTED.append(subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True))
    return _STARTED[-1]


def verify(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "xomyen.cli", "audit", "verify", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True)


def next_line(process: subprocess.Popen[str]) -> str:
    output: IO[str] | None = process.stdout
    assert output is not None
    return output.readline()


def test_four_writing_processes_and_killed_chain_writers_leave_one_whole_chain(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # Two at once, as when somebody starts the worker a second time, while four processes write.
    chainers = [start(environment, "chain"), start(environment, "chain")]
    for one in chainers:
        assert next_line(one) == "ready\n"
    run(environment, "write", str(_WRITERS), str(_EACH))
    for one in chainers:
        one.kill()
        one.wait()
    # Then one after the other, each killed in the midst of what waits for it, of which it leaves the next one enough.
    run(environment, "write", str(_WRITERS), str(_EACH))
    for _ in range(3):
        victim = start(environment, "chain", "3")
        assert [next_line(victim), next_line(victim)] == ["ready\n", "7\n"]
        victim.kill()
        victim.wait()
    run(environment, "finish")
    verified = verify(environment, "--dir", str(tmp_path), "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    log = json.loads(verified.stdout)["log"]
    assert (log["verdict"], log["rows"], log["waiting"]) == ("INTACT", 2 * _WRITERS * _EACH, 0)
    assert (log["first"], log["last"]) == (1, 2 * _WRITERS * _EACH)


def test_the_command_says_what_is_wrong_and_with_which_row(environment: dict[str, str], tmp_path: Path) -> None:
    run(environment, "write", "1", "12")
    run(environment, "finish")
    program = [sys.executable, str(_PROGRAM), "export"]
    export = tmp_path / "audit.jsonl"
    export.write_bytes(subprocess.run(program, env=environment, capture_output=True, check=True).stdout)
    public = tmp_path / "centre.pem"
    public.write_bytes(SigningKey.load(tmp_path / "centre" / "issuer.pem").public.pem)
    run(environment, "tamper")

    found = verify(environment, "--dir", str(tmp_path))
    assert found.returncode == 11
    assert found.stdout.splitlines()[:2] == [
        "altered: Row 5 was changed after it was written.",
        "missing: Row 9 is missing.",
    ]
    # The export was made before, and needs no database.
    alone = {name: value for name, value in environment.items() if not name.startswith("XOMYEN")}
    kept = verify(alone, str(export), "--key", str(public))
    assert (kept.returncode, kept.stdout.splitlines()[-1]) == (0, "INTACT")
    other = tmp_path / "other.pem"
    other.write_bytes(SigningKey.generate().public.pem)
    assert verify(alone, str(export), "--key", str(other)).returncode == 12
    both = verify(environment, str(export), "--dir", str(tmp_path), "--json")
    assert both.returncode == 11
    told = json.loads(both.stdout)
    assert (told["export"]["verdict"], told["log"]["verdict"]) == ("INTACT", "ALTERED")
    assert told["log"]["findings"][0] == {
        "fault": "altered", "row": 5, "text": "Row 5 was changed after it was written.",
    }  # fmt: skip
    nothing = verify(environment, "--dir", str(tmp_path / "empty"))
    assert nothing.returncode == 2
    assert "holds no centre" in nothing.stderr
