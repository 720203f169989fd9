"""Where devices may be looked for: on networks of one's own, never on the Internet."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from xomyen.camera.address import redact, split_credentials
from xomyen.camera.errors import NoRoute
from xomyen.terms.addresses import Ip, ip_of
from xomyen.terms.errors import InvalidConfiguration

_PORTS = {"http": 80, "https": 443}
_NAME_S = 3.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service of a device, at an address that was found allowed; never a name, which could change its meaning."""

    scheme: str  # http or https
    host: str  # IP address
    port: int
    path: str  # with its query

    @property
    def place(self) -> str:
        """Host and port for messages."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.place}{self.path}"

    @classmethod
    def at(cls, host: str, url: str) -> "Endpoint | None":
        """The service that a URL names, at this host, whatever host it names; None when it is no such URL."""
        try:
            parts = urlsplit(url)
            named, port = parts.hostname, parts.port
        except ValueError:
            return None
        if parts.scheme not in _PORTS or not named or not url.isascii() or not url.isprintable():
            return None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], path)

    def beside(self, url: str) -> "Endpoint | None":
        """Another service of the same device, as the device names it; None when that is no URL.

        The host stays that of this one: a device that names another, by mistake, from behind a router or with intent,
        does not send anybody there. The port is the named one only where the host is, too.
        """
        there = Endpoint.at(self.host, url)
        if there is not None and urlsplit(url).hostname != self.host:
            return Endpoint(self.scheme, self.host, self.port, there.path)
        return there


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Networks:
    """The networks that may be asked."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Raises InvalidConfiguration for what is no network."""
        try:
            self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        except ValueError as error:
            raise InvalidConfiguration(f"{error}.", field="device_networks") from error

    def allow(self, address: str | Ip) -> bool:
        """Whether this address may be asked."""
        ip = ip_of(str(address))
        return ip is not None and any(ip in network for network in self._networks)

    def expand(self, given: Sequence[str], most: int) -> list[str]:
        """The single addresses of texts such as 192.168.1.20, 192.168.1.0/24, 192.168.1.20-192.168.1.40.

        Raises InvalidConfiguration for what is none, for more than `most`, and outside these networks.
        """
        found: dict[str, None] = {}
        for text in given:
            first, last = _range(text.strip())
            if int(last) - int(first) >= most or len(found) > most:
                raise InvalidConfiguration(f"{text} has too many addresses: at most {most}.", field="addresses")
            for number in range(int(first), int(last) + 1):
                ip = type(first)(number)
                if not self.allow(ip):
                    raise InvalidConfiguration(
                        f"{ip} is not on a network of one's own: only such may be searched.", field="addresses"
                    )
                found[str(ip)] = None
        if len(found) > most:
            raise InvalidConfiguration(f"Too many addresses: {len(found)}, at most {most}.", field="addresses")
        return list(found)

    async def resolve(self, url: str) -> Endpoint:
        """The service at an http or https URL. Raises InvalidConfiguration, NoRoute when its name is unknown."""
        bare, _ = split_credentials(url)
        try:
            parts = urlsplit(bare)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise InvalidConfiguration(f"{redact(url)!r} is not a URL.", field="onvif_url") from None
        if parts.scheme not in _PORTS or not host:
            raise InvalidConfiguration(
                f"{redact(url)!r} is not the address of a device: write http://HOST/onvif/device_service.",
                field="onvif_url",
            )
        port = port or _PORTS[parts.scheme]
        try:
            async with asyncio.timeout(_NAME_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise NoRoute(f"{host}: the name is unknown.") from error
        address = next((str(info[4][0]) for info in found if self.allow(str(info[4][0]))), None)
        if address is None:
            raise InvalidConfiguration(
                f"{host} is not on a network of one's own: only such may be asked.", field="onvif_url"
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Endpoint(parts.scheme, address, port, path)


def _range(text: str) -> tuple[Ip, Ip]:
    """The first and the last address meant; of an IPv4 network of more than two, those of hosts."""
    try:
        begin, dash, end = text.partition("-")
        if dash:
            first, last = ipaddress.ip_address(begin.strip()), ipaddress.ip_address(end.strip())
            if first.version != last.version or int(first) > int(last):
                raise InvalidConfiguration(f"{text!r} is no range: the first address comes first.", field="addresses")
            return first, last
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidConfiguration(
            f"{text!r} is no address: write 192.168.1.20, 192.168.1.0/24 or 192.168.1.20-192.168.1.40.",
            field="addresses",
        ) from None
    if isinstance(network, ipaddress.IPv4Network) and network.prefixlen < 31:
        return network[1], network[-2]
    return network[0], network[-1]
