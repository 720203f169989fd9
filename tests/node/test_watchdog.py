"""Parts of a node that run but have stopped answering are replaced; the others go on."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from tests.waiting import until

from xomyen.bus import subjects
from xomyen.bus.connection import connected
from xomyen.bus.requests import Empty, answer
from xomyen.bus.server import BusServer
from xomyen.node import watchdog
from xomyen.node.child import Child, PythonProgram
from xomyen.node.home import prepare
from xomyen.node.supervisor import Supervisor, supervising
from xomyen.node.watchdog import Watchdog
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings
from xomyen.terms.time import SystemClock


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks often, and is patient enough for a loaded machine."""
    monkeypatch.setattr(watchdog, "LOOK_S", 1.0)
    monkeypatch.setattr(watchdog, "LONGEST_SILENCE_S", 5.0)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Supervisor]:
    """A node in its real processes, supervised by this one."""
    async with supervising(NodeFolder(tmp_path / "node"), Settings(), "127.0.0.1:0") as supervisor:
        yield supervisor


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", ["recorder", "gateway", "devices"])
async def test_a_part_that_hangs_is_noticed_and_replaced_and_the_others_go_on(
    node: Supervisor, part: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LONGEST_SILENCE_S", 12.0)  # the others are not to be suspected
    caplog.set_level("INFO")
    pids = {name: node.child(name).state.pid for name in ("bus", "recorder", "gateway", "devices")}
    hung = pids[part]
    assert hung is not None

    def answers(pid: int | None) -> bool:
        return f"the {part} (process {pid}) answers" in caplog.text

    await until(lambda: answers(hung), seconds=60)
    psutil.Process(hung).suspend()
    await until(lambda: node.child(part).state.pid not in (None, hung), seconds=60)
    await until(lambda: answers(node.child(part).state.pid), seconds=60)
    now = {name: node.child(name).state for name in pids}
    assert {name for name, state in now.items() if state.pid != pids[name]} == {part}
    assert {name: state.restarts for name, state in now.items() if state.restarts} == {part: 1}


async def _silent(starts: list[int | None]) -> Child:
    """A part that runs and never answers; `starts` are its processes."""

    async def changed(child: Child) -> None:
        if child.state.running:
            starts.append(child.state.pid)

    child = Child("gateway", PythonProgram(("-c", "import time; time.sleep(600)"), (), 1.0), SystemClock(), changed)
    await child.start()
    return child


async def test_a_part_that_never_answered_is_replaced_after_its_longest_start_where_it_has_one(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path / "node")
    node = prepare(folder)
    patient: list[int | None] = []
    judged: list[int | None] = []
    async with BusServer(folder, node), connected(folder, "test") as client:
        children = [await _silent(patient), await _silent(judged)]
        dogs = [Watchdog(children[0], node), Watchdog(children[1], node, 0.5)]
        watching = [asyncio.create_task(dog.watch(lambda: client)) for dog in dogs]
        try:
            await until(lambda: len(judged) > 1, seconds=60)
            assert len(patient) == 1
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            for child in children:
                await child.stop()


async def test_a_supervisor_that_could_not_listen_itself_blames_nobody(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path / "node")
    node = prepare(folder)
    starts: list[int | None] = []
    answered = 0

    async def alive(_request: Empty) -> Empty:
        nonlocal answered
        answered += 1
        if answered == 2:
            time.sleep(watchdog.LONGEST_SILENCE_S + 1)  # nothing runs meanwhile, as if stopped
        return Empty()

    async with BusServer(folder, node), connected(folder, "test") as client:
        await answer(client, subjects.service(node, "gateway", "state"), Empty, alive)
        child = await _silent(starts)
        watching = asyncio.create_task(Watchdog(child, node).watch(lambda: client))
        try:
            await until(lambda: answered >= 5, seconds=60)
            assert len(starts) == 1
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await child.stop()
