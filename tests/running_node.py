"""A node as its users run it: `xomyen serve` in a process of its own, the command line beside it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.waiting import wait_until

from xomyen.access.tickets import Action, Grant, issue, ticket_for
from xomyen.node.home import read_identity
from xomyen.proof.keys import SigningKey
from xomyen.recording.index_reader import IndexReader
from xomyen.terms.errors import NoFootage
from xomyen.terms.folder import NodeFolder
from xomyen.terms.time import SystemClock
from xomyen.terms.words import StreamName

LOOP_S = 4  # of simulated cameras
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("XOMYEN_")},
    "PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")]),
    "XOMYEN_LOG_FORMAT": "json",
    # On a disk that is almost full retention would delete what a test has just recorded.
    "XOMYEN_RESERVE_BYTES": str(1 << 20),
}


def xomyen(*arguments: str | Path, typed: str = "", code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end; asserts its exit code unless that is None."""
    done = subprocess.run(
        [sys.executable, "-m", "xomyen.cli", *map(str, arguments)],
        input=typed,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=100,
        check=False,
    )
    if code is not None:
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def _words(process: psutil.Process) -> list[str]:
    """Its command line; none of a process that ended meanwhile, as those of others do."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@dataclass
class RunningNode:
    """A node that serves."""

    folder: Path
    process: subprocess.Popen[str]
    log: Path
    link: str = ""
    ended: list[psutil.Process] = field(default_factory=list)

    def run(self, *arguments: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """A command about this node."""
        return xomyen(*arguments, "--dir", self.folder, code=code)

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    @property
    def url(self) -> str:
        return str(json.loads((self.folder / "run" / "gateway.json").read_text())["url"])

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/healthz", timeout=60).json()
        return answer

    def well(self) -> dict[str, Any]:
        """What it says of itself, once nothing is wrong: a part that is busy for seconds counts as one that is not."""
        return wait_until(lambda: (now := self.health())["ok"] and now, every=0.3)

    def part(self, name: str) -> psutil.Process:
        """The process of the bus, the recorder or the gateway."""
        wanted = "server.conf" if name == "bus" else f"xomyen.node.{name}_process"
        return next(
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if any(word.endswith(wanted) for word in _words(child))
        )

    def family(self) -> list[psutil.Process]:
        """Every process of the node but the supervisor itself."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def camera(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(camera for camera in self.json("camera", "list") if camera["name"] == name)
        return found

    def wait_for(self, name: str, state: str, seconds: float = 90) -> dict[str, Any]:
        """The camera's line of the list once its state is this."""

        def so() -> dict[str, Any] | None:
            if self.state(name) != state:  # asked without starting a command each time
                return None
            camera = self.camera(name)
            return camera if camera["state"] == state else None

        found = wait_until(so, seconds=seconds, every=0.2)
        assert found is not None
        return found

    def state(self, name: str) -> str | None:
        """What pages are told of the camera; None while nobody answers or there is no such camera."""
        camera = self._for_pages().get(name)
        return str(camera["streams"]["main"]["state"]) if camera else None

    def _for_pages(self) -> dict[str, Any]:
        """The cameras by name as pages are told of them; none while nobody answers."""
        headers = {"Authorization": f"Bearer {self.ticket()}"}
        try:
            answer = httpx.get(f"{self.url}/api/v1/cameras", headers=headers, timeout=60).raise_for_status().json()
        except (httpx.HTTPError, OSError):
            return {}
        return {camera["name"]: camera for camera in answer["cameras"]}

    def ticket(self) -> str:
        """A ticket to see all cameras live for an hour, as `xomyen ticket` makes it."""
        folder = NodeFolder(self.folder)
        issuer = SigningKey.load_or_create(folder.issuer_key)
        grant = Grant(subject="test", actions=(Action.LIVE,))
        made = ticket_for(grant, node=read_identity(folder), issuer=issuer, clock=SystemClock(), lifetime_s=3600)
        return issue(issuer, made)

    def segments(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("timeline", name, "--from", "-10m")["segments"]
        return found

    def frames(self, name: str) -> int:
        """Pictures that are on disk for certain."""
        return sum(segment["frames"] for segment in self.segments(name))

    def wait_for_frames(self, name: str, more_than: int, seconds: float = 90) -> int:
        known = self._for_pages().get(name)
        camera = known["id"] if known else self.json("timeline", name, "--from", "-10m")["camera"]

        def frames() -> int:
            try:
                with IndexReader(NodeFolder(self.folder).index) as index:
                    return sum(segment.frames for segment in index.all_segments(camera, StreamName.MAIN))
            except NoFootage:
                return 0

        return wait_until(lambda: (now := frames()) > more_than and now, seconds=seconds, every=0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the node with a signal; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=100)


@contextmanager
def running_node(folder: Path, *options: str) -> Iterator[RunningNode]:
    """`xomyen serve` for the length of a block."""
    log = folder.with_name(folder.name + ".log")
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("a"))
        process = subprocess.Popen(
            [sys.executable, "-m", "xomyen.cli", "serve", "--dir", str(folder), "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=ENVIRONMENT,
        )
        node = RunningNode(folder, process, log)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "signin#" in line, f"serve did not start: {log.read_text()}"
            node.link = line.split()[-1]
            yield node
        finally:
            node.stop()


@contextmanager
def simulated_cameras(video: Path, cache: Path, *options: str, count: int = 2, port: int = 0) -> Iterator[int]:
    """`xomyen camera simulate` for the length of a block; its port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "xomyen.cli", "camera", "simulate", str(video)),
            *("--count", str(count), "--port", str(port), "--cache", str(cache), "--seconds", str(LOOP_S)),
            *("--size", "640x360", "--bitrate", "600000", "--gop", "1", "--sub-size", "640x360", "--variants", "1"),
            *options,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "rtsp" in line, "the simulated cameras did not start"
        yield int(line.split("://127.0.0.1:")[1].split("/")[0])
    finally:
        process.terminate()
        process.wait(timeout=60)


def all_gone(processes: list[psutil.Process], seconds: float = 60) -> bool:
    """Whether these processes end within the seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
            return True
        time.sleep(0.05)
    return False
