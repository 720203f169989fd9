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
_WRITERS, _EACH = 4, 40


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
    if server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP DATABASE audit_faults WITH (FORCE)")


def run(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, str(_PROGRAM), *arguments], env=environment, check=True)


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, str(_PROGRAM), *arguments]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True)


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
    # Then one after the other, each killed in the midst of what waits for it.
    run(environment, "write", str(_WRITERS), str(_EACH))
    for _ in range(3):
        victim = start(environment, "chain")
        assert [next_line(victim), next_line(victim)] == ["ready\n", "7\n"]
        victim.kill()
        victim.wait()
    run(environment, "finish")
    verified = subprocess.run(
        [sys.executable, "-m", "xomyen.cli", "audit", "verify", "--dir", str(tmp_path), "--json"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    log = json.loads(verified.stdout)["log"]
    assert (log["verdict"], log["rows"], log["waiting"]) == ("INTACT", 2 * _WRITERS * _EACH, 0)
    assert (log["first"], log["last"]) == (1, 2 * _WRITERS * _EACH)
