"""A centre of a test's own, in processes of its own."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.running_node import ENVIRONMENT

# The tests' own centre is another one.
OWN = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("DJANGO_")}


def xomyen(*arguments: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "xomyen.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**OWN, **environment},
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass
class RunningCentre:
    """A centre that serves."""

    folder: Path
    process: subprocess.Popen[str]
    url: str

    def family(self) -> list[psutil.Process]:
        """Every process of it but the first."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running_centre(folder: Path, *options: str, **environment: str) -> Iterator[RunningCentre]:
    """`xomyen centre serve` for the length of a block."""
    command = [sys.executable, "-m", "xomyen.cli", "centre", "serve", "--dir", str(folder)]
    log = folder.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**OWN, **environment},
        )
        try:
            assert process.stdout is not None
            line = next((line for line in process.stdout if "The centre is at " in line), None)
            assert line is not None, log.read_text()
            yield RunningCentre(folder, process, line.rpartition(" ")[2].strip().rstrip("/"))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a centre that was started once."""
    folder: Path = tmp_path_factory.mktemp("made") / "centre"
    python("from xomyen.cli.centre import prepare_centre; prepare_centre(FOLDER)", folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A centre's folder of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "centre"))


@pytest.fixture
def centre(folder: Path) -> Iterator[RunningCentre]:
    with running_centre(folder) as running:
        yield running


def python(code: str, folder: Path, **environment: str) -> str:
    """What a piece of Python prints in a process with Django ready for the centre of this folder, FOLDER."""
    begin = "import django, pathlib\ndjango.setup()\nFOLDER = pathlib.Path({!r})\n"
    centre = {"XOMYEN_CENTRE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "xomyen.centre.settings"}
    done = subprocess.run(
        [sys.executable, "-c", begin.format(str(folder)) + code],
        capture_output=True,
        text=True,
        env={**OWN, **centre, **environment},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
