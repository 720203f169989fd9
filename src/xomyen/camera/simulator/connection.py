"""Bytes to and from one client: a bare non-blocking socket, or TLS through the event loop."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Link(Protocol):
    """A client's connection."""

    @property
    def pending(self) -> int:
        """Bytes that wait for a slow receiver."""
        ...

    def write(self, data: bytes) -> None:
        """Sends now or later; never blocks."""
        ...

    def close(self) -> None:
        """Ends the connection at once."""
        ...


class PlainLink:
    """A socket of its own: most writes are one system call, straight from the prepared packets."""

    def __init__(self, sock: socket.socket, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._socket = sock
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview | bytes] = deque()
        self.pending = 0
        self._loop.add_reader(sock.fileno(), self._on_readable)

    def write(self, data: bytes) -> None:
        if self._socket.fileno() < 0:
            return
        if self._waiting:
            self._waiting.append(data)
            self.pending += len(data)
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._waiting.append(memoryview(data)[sent:])
            self.pending = len(data) - sent
            self._loop.add_writer(self._socket.fileno(), self._on_writable)

    def _on_writable(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            self.pending -= sent
            if sent < len(data):
                self._waiting.appendleft(memoryview(data)[sent:])
                return
        self._loop.remove_writer(self._socket.fileno())

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(data)
        else:
            self.close()

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._waiting.clear()
        self._lost()


class TlsLink(asyncio.Protocol):
    """A connection whose TLS the event loop handles."""

    def __init__(self, opened: Callable[["TlsLink"], tuple[Callable[[bytes], None], Callable[[], None]]]) -> None:
        self._opened = opened
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self._received, self._lost = self._opened(self)

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost()

    @property
    def pending(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport else 0

    def write(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport:
            self._transport.abort()
