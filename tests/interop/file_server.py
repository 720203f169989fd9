"""The RTSP file server of aio-rtsp-toolkit, which sends by TCP only; serves a folder until its input ends.

Prints its port.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import aio_sockets
from aio_rtsp_toolkit import server as rtsp
from aio_rtsp_toolkit import server_streaming


class Silent:
    """A log that nobody reads: standard output is for the port."""

    def _drop(self, *words: object, **more: object) -> None:
        pass

    debug = info = warning = error = critical = exception = _drop


async def main(folder: str) -> None:
    aio_sockets.aio_sockets.logger = rtsp.logger = Silent()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16))  # one for each file that is being sent
    # A busy server that gives a wait for room up just as there is some sends that picture twice.
    server_streaming.QUEUE_PUT_POLL_INTERVAL = 60.0
    server = await rtsp.RtspServer(folder, "127.0.0.1", 0).start()
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.close()


asyncio.run(main(sys.argv[1]))
