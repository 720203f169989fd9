"""A simulated ONVIF device on this machine: SOAP over real HTTP, WS-Discovery over real UDP, and things gone wrong."""

import asyncio
import base64
import hashlib
import hmac
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Self, cast

from xomyen.camera.onvif import soap
from xomyen.camera.onvif.xml import Element, XmlRefused, parse
from xomyen.camera.simulator.onvif_answers import SimulatedProfile, answer_to, fault, matches
from xomyen.camera.simulator.onvif_ptz import PanTiltZoom
from xomyen.camera.simulator.protection import Protection
from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock

_MOST_BODY = 64 * 1024
_MOST_HEAD = 16 * 1024
_FRESH_S = 10.0
"""Devices take a token only while it is fresh by their own clock."""
_OPEN_TO_ALL = {"GetSystemDateAndTime", "GetServices", "GetCapabilities"}


class OnvifTrouble(StrEnum):
    """What can be wrong with a device."""

    NONE = "none"
    SILENT = "silent"  # takes the question, never answers
    DRIPS = "drips"  # answers a byte at a time, for ever
    GARBAGE = "garbage"  # bytes that are no XML
    ENTITIES = "entities"  # XML that grows as it is read
    HUGE = "huge"  # more than anybody would read
    WEB_PAGE = "web_page"  # some other machine's page
    ELSEWHERE = "elsewhere"  # sends one to another host
    LOCKED_PAGE = "locked_page"  # some other machine that asks for a password


class SimulatedDevice:
    """One device on 127.0.0.1; answers while it is entered.

    `profiles` are the streams it offers. With `protection` it takes a WS-Security UsernameToken, or, with `by_http`,
    HTTP digest authentication, or, with `by_both`, both at once. An `old` one knows neither GetServices nor the second
    media service. `clock_offset_s` is how far its clock is ahead, and `told_offset_s` how much further ahead it says
    that it is. `host` is the address it believes to have. `group` is where it listens for
    WS-Discovery; None: it does not.
    """

    def __init__(
        self,
        profiles: Sequence[SimulatedProfile],
        *,
        port: int = 0,
        protection: Protection | None = None,
        by_http: bool = False,
        by_both: bool = False,
        old: bool = False,
        clock_offset_s: int = 0,
        told_offset_s: int = 0,
        host: str = "127.0.0.1",
        group: tuple[str, int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.profiles = tuple(profiles)
        self.port = port
        self.old = old
        self.host = host
        self.trouble = OnvifTrouble.NONE
        self.ptz = PanTiltZoom()
        self.asked: Counter[str] = Counter()
        self.authorizations: list[str] = []  # header fields that came
        self._protection = protection
        self._by_http = by_http or by_both
        self._by_token = by_both or not by_http
        self._group = group
        self._clock = clock or SystemClock()
        self._offset_ns = clock_offset_s * NS_PER_SECOND
        self._told_ns = told_offset_s * NS_PER_SECOND
        self._nonces: set[str] = set()
        self._server: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._talking: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._over = asyncio.Event()

    @property
    def url(self) -> str:
        """Of the device service, as it can be reached."""
        return f"http://127.0.0.1:{self.port}/onvif/device_service"

    @property
    def believed(self) -> str:
        """Scheme, host and port as the device names them."""
        return f"http://{self.host}:{self.port}"

    def wall_ns(self) -> int:
        """The device's clock."""
        return self._clock.wall_ns() + self._offset_ns

    def told_wall_ns(self) -> int:
        """What the device says of its clock."""
        return self.wall_ns() + self._told_ns

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        if self._group is not None:
            loop = asyncio.get_running_loop()
            sock = _member(self._group)
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Responder(self), sock=sock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
        self._over.set()
        for writer in self._talking.values():
            writer.transport.abort()
        await asyncio.gather(*self._talking)
        self.ptz.rest()

    # --- HTTP ------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._talking[task] = writer
            task.add_done_callback(self._talking.pop)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # a client that leaves or does not speak HTTP
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if "authorization" in fields:
            fields["authorization"] = fields["authorization"].encode("latin-1").decode()
            self.authorizations.append(fields["authorization"])
        length = int(fields.get("content-length", "0"))
        if length > _MOST_BODY:
            return False
        body = await reader.readexactly(length)
        if self.trouble is not OnvifTrouble.NONE:
            await self._misbehave(writer)
            return False
        status, extra, answer = self._answer(fields, body)
        head_out = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(answer)}\r\n{extra}"
        )
        writer.write(head_out.encode() + b"\r\n" + answer)
        await writer.drain()
        return True

    def _answer(self, fields: dict[str, str], body: bytes) -> tuple[str, str, bytes]:
        """Status line, further header fields and body."""
        try:
            root = parse(body)
        except XmlRefused:
            return "400 Bad Request", "", fault("ter:WellFormed", "no XML")
        content = root.first("Body")
        if content is None or not content.children:
            return "400 Bad Request", "", fault("ter:WellFormed", "no question")
        question = content.children[0]
        self.asked[question.name] += 1
        if question.name not in _OPEN_TO_ALL and self._protection is not None:
            if self._by_http:
                challenge = self._protection.refusal("POST", fields.get("authorization", ""))
                if challenge is not None:
                    return "401 Unauthorized", f"WWW-Authenticate: {challenge}\r\n", b""
            if self._by_token and not self._fresh_token(root, self._protection):
                return "400 Bad Request", "", fault("ter:NotAuthorized", "The action requested requires authorization")
        answer = answer_to(self, question)
        return ("200 OK" if b"Fault>" not in answer else "400 Bad Request"), "", answer

    def _fresh_token(self, root: Element, protection: Protection) -> bool:
        """Whether the request holds the password's digest, made just now and used once."""
        token = root.first("Header", "Security", "UsernameToken")
        if token is None:
            return False
        nonce, created = token.text("Nonce"), token.text("Created")
        with suppress(ValueError):
            made_s = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
            secret = base64.b64decode(nonce) + created.encode() + protection.password.encode()
            digest = base64.b64encode(hashlib.sha1(secret, usedforsecurity=False).digest()).decode()
            fresh = abs(made_s - self.wall_ns() / NS_PER_SECOND) < _FRESH_S and nonce not in self._nonces
            self._nonces.add(nonce)
            right = hmac.compare_digest(digest, token.text("Password"))
            return fresh and right and token.text("Username") == protection.user
        return False

    async def _misbehave(self, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nConnection: close\r\n\r\n"
        if self.trouble is OnvifTrouble.SILENT:
            await self._over.wait()
        elif self.trouble is OnvifTrouble.DRIPS:
            writer.write(head)
            while not self._over.is_set():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        elif self.trouble is OnvifTrouble.GARBAGE:
            writer.write(head + bytes(range(256)) * 8)
        elif self.trouble is OnvifTrouble.ENTITIES:
            writer.write(head + _BOMB)
        elif self.trouble is OnvifTrouble.HUGE:
            writer.write(head + b"<a>" + b"<b/>" * 1_000_000 + b"</a>")
        elif self.trouble is OnvifTrouble.WEB_PAGE:
            writer.write(head + b"<html><body>It works!</body></html>")
        elif self.trouble is OnvifTrouble.ELSEWHERE:
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        elif self.trouble is OnvifTrouble.LOCKED_PAGE:
            writer.write(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\n\r\n')
        await writer.drain()

    # --- discovery -------------------------------------------------------------------------

    def matches(self, data: bytes) -> bytes | None:
        """The answer to a Probe; None when the datagram is none."""
        try:
            root = parse(data)
        except XmlRefused:
            return None
        if not root.text("Header", "Action").endswith("/Probe"):
            return None
        address = f"{self.believed}/onvif/device_service"
        return matches(soap.escape(root.text("Header", "MessageID")), self.port, address)


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not all loops' transports say that they are one for datagrams.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = self._device.matches(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, address)


def _member(group: tuple[str, int]) -> socket.socket:
    """A socket that hears what is sent to the group on this machine."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", group[1]))
    member = struct.pack("4s4s", socket.inet_aton(group[0]), socket.inet_aton("127.0.0.1"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return sock


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">'
    + "".join(f'<!ENTITY x{n} "&x{n - 1};&x{n - 1};">' for n in range(1, 30))
    + "]><a>&x29;</a>"
).encode()
