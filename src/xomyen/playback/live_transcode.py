"""Live pictures re-encoded as H.264 in a process of its own, masked, or for browsers that cannot play H.265."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable

import structlog

from xomyen.playback.live import Feed, Init, Piece, Viewer
from xomyen.playback.masks import Masks, write_masks
from xomyen.playback.transcode_pipe import FRAME
from xomyen.terms.tether import tethered
from xomyen.terms.words import VideoCodec

log = structlog.get_logger(__name__)

_MOST_WAITING = 4 << 20  # bytes on their way into the process; more, and it is too slow
_STOP_S = 2.0
_RESTART_S = 0.5
_LONGEST_RESTART_S = 8.0
_STEADY_S = 20.0  # a process that ran this long ended by chance
_LONGEST_SILENCE_S = 15.0  # with pictures going in and none coming out


class TranscodedFeed:
    """Follows a feed as a viewer and is one itself; lives as long as somebody watches it."""

    def __init__(self, source: Feed, masks: Masks, ended: Callable[["TranscodedFeed"], None]) -> None:
        """`masks` are black in every picture. `ended` is called when the last viewer has left."""
        self._source = source
        self._masks = masks
        self._ended = ended
        self._viewers: set[Viewer] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._skipping = False
        self._fed = False  # whether pictures went in since the last came out
        self._init: Init | None = None
        self._group: list[Piece] = []
        self._run = ""
        self._stalled = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="live-transcode")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def join(self, viewer: Viewer) -> None:
        """The viewer begins at the newest keyframe that was made."""
        self._viewers.add(viewer)
        if self._stalled:
            viewer.stalled()
        if self._init is not None:
            viewer.begin(self._init)
            for piece in self._group:
                viewer.piece(piece)

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            self._ended(self)

    def begin(self, init: Init) -> None:
        self._run = init.run
        self._skipping = False
        self._give(init)

    def piece(self, piece: Piece) -> None:
        self._give(piece)

    def stalled(self) -> None:
        for viewer in tuple(self._viewers):
            viewer.stalled()

    def _give(self, item: Init | Piece) -> None:
        """Into the process; when it cannot keep up, pictures are left out up to the next keyframe."""
        writer = self._process.stdin if self._process is not None else None
        if writer is None:
            return  # between two processes: the next begins with what the source has then
        if writer.is_closing():
            return
        if isinstance(item, Init):
            writer.write(FRAME.pack(0, 0, len(item.data)) + item.data)
            return
        if writer.transport.get_write_buffer_size() > _MOST_WAITING:
            self._skipping = True
        if self._skipping and not item.key:
            return
        self._skipping = False
        self._fed = True
        writer.write(FRAME.pack(2 if item.key else 1, item.wall_ns, len(item.data)) + item.data)

    async def _work(self) -> None:
        """One process after the other: libav may crash on what a camera sends."""
        wait_s = _RESTART_S
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._with_process()
            except OSError as error:  # no process to be had: too many of them, or no memory
                log.warning("transcoder_not_started", error=error.strerror)
            self._stalled, self._init, self._group = True, None, []
            self.stalled()
            # What ends at once will end at once again: pictures that crash the decoder stay for a group of pictures.
            wait_s = _RESTART_S if loop.time() - began_s > _STEADY_S else min(wait_s * 2, _LONGEST_RESTART_S)
            await asyncio.sleep(wait_s)

    async def _with_process(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *tethered(sys.executable, "-m", "xomyen.playback.live_transcode_process", write_masks(self._masks)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            self._skipping = self._fed = False
            self._source.join(self)
            await self._read(self._process)
            log.warning("transcoder_ended", code=await self._process.wait())
        finally:
            self._source.leave(self)
            if self._process is not None:
                process, self._process = self._process, None
                await _end(process)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("the process has no output")
        while True:
            try:
                async with asyncio.timeout(_LONGEST_SILENCE_S):
                    kind, wall_ns, length = FRAME.unpack(await process.stdout.readexactly(FRAME.size))
                    data = await process.stdout.readexactly(length)
            except asyncio.IncompleteReadError:
                return
            except TimeoutError:
                if not self._fed:
                    continue  # the camera sends nothing
                log.warning("transcoder_hangs", pid=process.pid)
                process.kill()
                return
            self._fed = False
            if kind == 0:
                self._made_header(data)
            else:
                self._made(Piece(kind == 2, wall_ns, data))

    def _made_header(self, data: bytes) -> None:
        words, _, header = data.partition(b"\n")
        said = json.loads(words)
        self._init = Init(self._run, VideoCodec.H264, said["codec_string"], said["width"], said["height"], header)
        self._stalled, self._group = False, []
        for viewer in tuple(self._viewers):
            viewer.begin(self._init)

    def _made(self, piece: Piece) -> None:
        if piece.key:
            self._group.clear()
        self._group.append(piece)
        for viewer in tuple(self._viewers):
            viewer.piece(piece)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its input, which ends it; kills it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
