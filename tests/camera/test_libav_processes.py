"""Which libav process reads which stream, and whom it costs pictures when one dies, fails or is no longer needed."""

import asyncio
import contextlib
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from tests.collecting_sink import CollectingSink
from tests.waiting import until

from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.camera.source import Batch
from xomyen.terms.words import GapReason


async def test_streams_are_shared_out_among_processes(video: Callable[[str], Path]) -> None:
    pool = LibavPool(streams_per_process=2)
    sinks = [CollectingSink() for _ in range(5)]
    async with contextlib.AsyncExitStack() as stack:
        for sink in sinks:
            await stack.enter_async_context(LibavSource(f"file://{video('plain.mp4')}", None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) > 5)
        assert len(pool.process_ids) == 3
    assert pool.process_ids == []


async def test_removing_one_stream_leaves_the_others_alone(video: Callable[[str], Path]) -> None:
    pool = LibavPool()
    kept, removed = CollectingSink(), CollectingSink()
    address = f"file://{video('h264.mp4')}"
    async with LibavSource(address, None, None, kept, pool):
        async with LibavSource(address, None, None, removed, pool):
            await removed.until(lambda s: len(s.units) > 5)
        count, before = len(removed.units), len(kept.units)
        await kept.until(lambda s: len(s.units) > before + 30)
        assert len(removed.units) == count
    assert kept.closings == []
    assert {b - a for a, b in zip(kept.dts, kept.dts[1:], strict=False)} == {3600}


class FaultySink(CollectingSink):
    """Fails once in a way that nobody foresaw."""

    faults = 1

    def write(self, batch: Batch) -> None:
        if self.faults:
            self.faults -= 1
            raise struct.error("no such thing was foreseen")
        super().write(batch)


async def test_pictures_that_cannot_be_taken_begin_that_stream_anew_and_leave_the_others_alone(
    video: Callable[[str], Path],
) -> None:
    pool = LibavPool()
    good, faulty = CollectingSink(), FaultySink()
    address = f"file://{video('h264.mp4')}"
    async with LibavSource(address, None, None, good, pool), LibavSource(address, None, None, faulty, pool):
        await faulty.until(lambda s: len(s.units) > 5)
        before = len(good.units)
        await good.until(lambda s: len(s.units) > before + 10)
    assert good.closings == []
    assert len(faulty.closings) == 1
    assert {b - a for a, b in zip(good.dts, good.dts[1:], strict=False)} == {3600}


async def test_a_process_that_dies_is_started_again_and_its_cameras_say_why(video: Callable[[str], Path]) -> None:
    pool = LibavPool()
    sinks = [CollectingSink() for _ in range(3)]
    address = f"file://{video('h264.mp4')}"
    async with contextlib.AsyncExitStack() as stack:
        for sink in sinks:
            await stack.enter_async_context(LibavSource(address, None, None, sink, pool))
        for sink in sinks:
            await sink.until(lambda s: len(s.units) > 5)
        (pid,) = pool.process_ids
        os.kill(pid, signal.SIGKILL)
        for sink in sinks:
            await sink.until(lambda s: len(s.configs) == 2 and len(s.units) > s.config_at[1])
            assert sink.closings[0][0] is GapReason.NODE_STOPPED
        assert pool.process_ids != [pid]
    assert pool.process_ids == []


async def test_the_processes_end_when_the_node_is_killed(video: Callable[[str], Path]) -> None:
    program = (
        "import asyncio, sys\n"
        "from tests.collecting_sink import CollectingSink\n"
        "from xomyen.camera.libav import LibavPool, LibavSource\n"
        "async def main():\n"
        "    pool, sink = LibavPool(), CollectingSink()\n"
        f"    async with LibavSource('file://{video('h264.mp4')}', None, None, sink, pool):\n"
        "        await sink.until(lambda s: len(s.units) > 5)\n"
        "        print(*pool.process_ids, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"},
    )  # fmt: skip
    assert node.stdout is not None
    child = int(await node.stdout.readline())
    node.kill()
    await node.wait()
    await until(lambda: not _runs(child))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
