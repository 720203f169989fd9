"""Stands between an RTSP client and its server, and loses RTP packets of the client's choice of UDP on their way."""

import asyncio
import contextlib
import re
import socket
from typing import Self

_CLIENT_PORTS = re.compile(rb"client_port=(\d+)-(\d+)")


class LossyRelay:
    """Speaks for `server` at `address`; the RTP packets of each session whose number is in `losing` are lost.

    Packets are numbered in the order in which the server sends them, from 0 on. RTSP and RTCP pass unharmed.
    """

    def __init__(self, server: str, losing: frozenset[int] = frozenset()) -> None:
        self._host, _, port = server.partition(":")
        self._port = int(port)
        self._losing = losing
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: list[asyncio.DatagramTransport] = []
        self.address = ""
        self.lost = 0
        self.passed = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            transport.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        both = {
            asyncio.create_task(self._requests(reader, far_writer)),
            asyncio.create_task(self._answers(far_reader, writer)),
        }
        self._tasks |= both
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if asked := _CLIENT_PORTS.search(request):
                    ports = await self._relay_datagrams(int(asked[1]), int(asked[2]))
                    request = _CLIENT_PORTS.sub(b"client_port=%d-%d" % ports, request)
                writer.write(request)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while answer := await reader.read(4096):
                writer.write(answer)

    async def _relay_datagrams(self, rtp_port: int, rtcp_port: int) -> tuple[int, int]:
        """Ports at which to take what is meant for the client's."""
        receivers = sorted((_udp_socket(), _udp_socket()), key=lambda one: int(one.getsockname()[1]))
        ports = (receivers[0].getsockname()[1], receivers[1].getsockname()[1])
        for receiver, port, losing in zip(
            receivers, (rtp_port, rtcp_port), (self._losing, frozenset[int]()), strict=True
        ):
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda port=port, losing=losing: _Forwarding(self, port, losing), sock=receiver
            )
            self._transports.append(transport)
        return ports


class _Forwarding(asyncio.DatagramProtocol):
    """Sends what comes on to the client, except what is to be lost."""

    def __init__(self, relay: LossyRelay, port: int, losing: frozenset[int]) -> None:
        self._relay = relay
        self._to = ("127.0.0.1", port)
        self._losing = losing
        self._number = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: object) -> None:
        number, self._number = self._number, self._number + 1
        if number in self._losing:
            self._relay.lost += 1
        else:
            self._relay.passed += 1
            self._transport.sendto(data, self._to)


def _udp_socket() -> socket.socket:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    receiver.bind(("127.0.0.1", 0))
    receiver.setblocking(False)
    return receiver
