"""WS-Discovery: asks the networks of this machine which cameras are there (WS-Discovery 2005/04, ONVIF Core §7)."""

import asyncio
import ctypes
import fcntl
import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from xomyen.camera.onvif.networks import Endpoint, Networks
from xomyen.camera.onvif.xml import Element, XmlRefused, one_line, parse

GROUP = ("239.255.255.250", 3702)
_LARGEST = 65_507
_MOST_WAITING = 1000
_SIOCGIFCONF = 0x8912  # linux/sockios.h
_IFREQ_BYTES = 40 if struct.calcsize("P") == 8 else 32  # struct ifreq: a name of 16 bytes, then an address
_MOST_INTERFACES = 256
_TYPES = (
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
)
_SCOPE = "onvif://www.onvif.org/"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device says of itself without being asked for more; unproven."""

    endpoint: Endpoint  # of its device service, at the address the answer came from
    name: str
    hardware: str


def probe_message(message: str, namespace: str, kind: str) -> bytes:
    """A Probe for devices of one type; `message` is its id, which answers repeat."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="{_ADDRESSING}" xmlns:d="{_DISCOVERY}">'
        f'<s:Header><a:Action s:mustUnderstand="1">{_DISCOVERY}/Probe</a:Action><a:MessageID>{message}</a:MessageID>'
        f"<a:ReplyTo><a:Address>{_ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>"
        '<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>'
        f'<s:Body><d:Probe><d:Types xmlns:n="{namespace}">n:{kind}</d:Types></d:Probe></s:Body></s:Envelope>'
    ).encode()


def read_matches(data: bytes, sender: str, messages: Sequence[str]) -> list[Announcement]:
    """The devices in an answer from the address `sender` to one of our messages; none when it is no such answer."""
    try:
        root = parse(data)
    except XmlRefused:
        return []
    if root.text("Header", "RelatesTo") not in messages:
        return []
    matches = root.first("Body", "ProbeMatches")
    found = (_announced(match, sender) for match in (matches.all("ProbeMatch") if matches is not None else []))
    return [announcement for announcement in found if announcement is not None]


def _announced(match: Element, sender: str) -> Announcement | None:
    addresses = match.first("XAddrs")
    named = (addresses.content if addresses is not None else "").split()
    # A device in several networks names an address in each, and often one it had before: it can be reached where it
    # answered from, at the port it names.
    named.sort(key=lambda url: _host(url) != sender)
    endpoint = next((found for url in named if (found := Endpoint.at(sender, url)) is not None), None)
    if endpoint is None:
        return None
    scopes = (match.first("Scopes") or Element("Scopes")).content.split()
    return Announcement(endpoint, _scope(scopes, "name/"), _scope(scopes, "hardware/"))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _scope(scopes: Sequence[str], kind: str) -> str:
    values = (scope.removeprefix(_SCOPE + kind) for scope in scopes if scope.startswith(_SCOPE + kind))
    return one_line(unquote(next(values, "")))[:100]


def own_addresses(networks: Networks) -> list[str]:
    """This machine's IPv4 addresses on networks that may be asked, interface by interface.

    By an ioctl (netdevice(7)): the service may open no netlink socket, by which other ways go.
    """
    entries = ctypes.create_string_buffer(_MOST_INTERFACES * _IFREQ_BYTES)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("iP", len(entries), ctypes.addressof(entries))
        used, _ = struct.unpack("iP", fcntl.ioctl(sock.fileno(), _SIOCGIFCONF, request))
    found = (socket.inet_ntoa(entries.raw[at + 20 : at + 24]) for at in range(0, used, _IFREQ_BYTES))
    return [address for address in found if networks.allow(address)]


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, received: "asyncio.Queue[tuple[bytes, str]]") -> None:
        self._received = received

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        with suppress(asyncio.QueueFull):
            self._received.put_nowait((data, address[0]))


async def discover(
    networks: Networks, seconds: float, *, group: tuple[str, int] = GROUP, sources: Sequence[str] | None = None
) -> AsyncGenerator[Announcement, None]:
    """Devices that answer within the seconds, each once, as they answer.

    Asks from each of `sources` (addresses of this machine; all on `networks` when None). Only answers from addresses
    on `networks` count.
    """
    messages = tuple(f"urn:uuid:{uuid4()}" for _ in _TYPES)
    received: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue(_MOST_WAITING)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    seen: set[tuple[str, int]] = set()
    with ExitStack() as stack:
        for source in sources if sources is not None else own_addresses(networks):
            with suppress(OSError):  # an interface that is just going away, or has no multicast
                transport = await _open(source, received)
                stack.callback(transport.close)
                for message, (namespace, kind) in zip(messages, _TYPES, strict=True):
                    transport.sendto(probe_message(message, namespace, kind), group)
        while (left := end - loop.time()) > 0:
            try:
                data, sender = await asyncio.wait_for(received.get(), left)
            except TimeoutError:
                return
            if not networks.allow(sender) or len(data) > _LARGEST:
                continue
            for announcement in read_matches(data, sender, messages):
                key = (announcement.endpoint.host, announcement.endpoint.port)
                if key not in seen:
                    seen.add(key)
                    yield announcement


async def _open(source: str, received: "asyncio.Queue[tuple[bytes, str]]") -> asyncio.DatagramTransport:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((source, 0))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Listener(received), sock=sock)
    except OSError:
        sock.close()
        raise
    return transport
