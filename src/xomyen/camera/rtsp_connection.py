"""One connection to a camera: TCP or TLS, and RTSP requests with their answers before the pictures flow."""

import asyncio
import hashlib
import re
import socket
import ssl
from pathlib import Path

from xomyen.camera.address import Address
from xomyen.camera.errors import (
    CameraFault,
    CameraTimeout,
    ClosedByCamera,
    EncryptionFailed,
    MalformedStream,
    NoRoute,
    from_os_error,
)
from xomyen.camera.rtsp_message import Request, Response, parse_message

CONNECT_S = 5.0  # per address of the host
LINGER_S = 0.5
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024  # 1080p at 16 Mbit/s for two seconds
_MAX_EARLY_BYTES = 1024 * 1024
_LONGEST_LINE = 64  # of a CSeq field that may be cut in two
_USER_TIMEOUT_MS = 20_000

_WANTS_READ = (BlockingIOError, InterruptedError, ssl.SSLWantReadError)


class Connection:
    """A socket that does not block, the bytes read ahead of their use, and requests that wait to be sent."""

    def __init__(self, sock: socket.socket, place: str, reached: str = "") -> None:
        """`place` is host and port as they were given, `reached` the IP address that this led to."""
        self.socket = sock
        self.place = place
        self.reached = reached
        self._read = bytearray()
        self._unsent = b""

    def __repr__(self) -> str:
        return f"Connection({self.place})"

    def send(self, data: bytes) -> None:
        """Sends now or, when the camera does not take it, with the next call. Raises CameraFault."""
        data = self._unsent + data
        self._unsent = b""
        try:
            sent = self.socket.send(data)
        except (*_WANTS_READ, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            raise from_os_error(error, self.place) from error
        self._unsent = data[sent:]
        if len(self._unsent) > 64 * 1024:
            raise CameraTimeout(f"{self.place} takes no requests any more.")

    async def receive(self) -> tuple[Response | Request, bytes]:
        """The next RTSP message, and interleaved packets that came before it."""
        early = bytearray()
        while True:
            self._skip_packets(early)
            if self._read and self._read[0] != 0x24 and (found := parse_message(self._read)):
                message, length = found
                del self._read[:length]
                return message, bytes(early)
            if len(early) > _MAX_EARLY_BYTES:
                raise MalformedStream(f"{self.place} sends pictures, but does not answer.")
            self._read += await self._more()

    def take_rest(self) -> bytes:
        """Bytes read beyond the last message."""
        rest = bytes(self._read)
        self._read.clear()
        return rest

    def _skip_packets(self, early: bytearray) -> None:
        read = self._read
        while len(read) >= 4 and read[0] == 0x24:
            length = 4 + (read[2] << 8 | read[3])
            if len(read) < length:
                return
            early += read[:length]
            del read[:length]

    async def _more(self) -> bytes:
        while True:
            try:
                data = self.socket.recv(65536)
            except _WANTS_READ:
                await _readable(self.socket)
                continue
            except OSError as error:
                raise from_os_error(error, self.place) from error
            if not data:
                raise ClosedByCamera(f"{self.place} closed the connection instead of answering.")
            return data

    async def close(self, farewell: bytes = b"", sequence: int = 0) -> None:
        """Says goodbye and closes. Waits shortly for the answer (`sequence` is the farewell's), so that it is read."""
        try:
            if farewell:
                self.send(farewell)
                async with asyncio.timeout(LINGER_S):
                    await self._answered(sequence)
        except (CameraFault, TimeoutError):
            pass  # it is gone already, or does not answer
        finally:
            self.socket.close()

    async def _answered(self, sequence: int) -> None:
        """Until the answer is among the bytes that come; before it are pictures, from the middle of a packet on."""
        answer = re.compile(rb"\ncseq:[ \t]*%d\r?\n" % sequence, re.IGNORECASE)
        came = b""
        while not answer.search(came):
            came = came[-_LONGEST_LINE:] + await self._more()


async def connect(address: Address, certificate: str | None = None) -> Connection:
    """Connects by TCP, and for rtsps by TLS on top.

    Cameras carry certificates they signed themselves, so without `certificate` (hex SHA-256 of the one
    expected) any is accepted: that keeps listeners out, not somebody who takes the camera's place.
    Raises CameraFault.
    """
    sock = await _connected(address)
    try:
        reached = str(sock.getpeername()[0])
        if address.scheme == "rtsps":
            sock = await _encrypted(sock, address, certificate)
    except OSError as error:
        sock.close()
        raise from_os_error(error, address.place) from error
    except BaseException:
        sock.close()
        raise
    return Connection(sock, address.place, reached)


async def _connected(address: Address) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            places = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise from_os_error(error, address.place) from error
    fault: CameraFault = NoRoute(f"{address.place}: the host has no address.")
    for family, kind, protocol, _, place in places:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            _tune(sock)
            async with asyncio.timeout(CONNECT_S):
                await loop.sock_connect(sock, place)
            return sock
        except OSError as error:
            sock.close()
            fault = from_os_error(error, address.place)
        except BaseException:
            sock.close()
            raise
    raise fault


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
    # Setting a size switches the kernel's own tuning off, which goes up to tcp_rmem's 6 MB: so only
    # where the machine allows enough.
    if _most_receive_bytes() >= RECEIVE_BUFFER_BYTES:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


def _most_receive_bytes() -> int:
    try:
        return int(Path("/proc/sys/net/core/rmem_max").read_text())
    except (OSError, ValueError):
        return 0


async def _encrypted(sock: socket.socket, address: Address, certificate: str | None) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=1")  # 1024-bit keys are common in cameras
    tls = context.wrap_socket(
        sock, do_handshake_on_connect=False, server_hostname=address.host, suppress_ragged_eofs=True
    )
    try:
        async with asyncio.timeout(CONNECT_S):
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await _readable(tls)
                except ssl.SSLWantWriteError:
                    await _writable(tls)
    except OSError as error:
        tls.close()
        raise from_os_error(error, address.place) from error
    if certificate is not None:
        shown = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != certificate.replace(":", "").lower():
            tls.close()
            raise EncryptionFailed(f"{address.place} shows another certificate than the one expected ({shown}).")
    return tls


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock.fileno())


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(sock.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(sock.fileno())
