"""Whether a picture comes from a host of which none may be taken, by where the connection led in fact."""

import asyncio
import socket

from xomyen.terms.addresses import ip_of
from xomyen.terms.tasks import end_task

_RESOLVE_S = 5.0
_THIS_MACHINE = "this machine"
_ANY_PORT = 9

_Places = frozenset[str]


class Guard:
    """Knows the hosts of cameras of which no picture is taken in passing; resolves their names while it is entered.

    Names say little: a machine has several, and each is written in many ways. So addresses are compared; any port of
    them, since a device may serve its pictures on several.
    """

    def __init__(self, here: tuple[str, ...], elsewhere: tuple[str, ...]) -> None:
        """Hosts of this node's cameras, and of those of other nodes: names of the latter may mean nothing here."""
        self._here = frozenset(here)
        self._elsewhere = frozenset(elsewhere) - self._here
        self._resolving: asyncio.Task[list[_Places] | None] | None = None

    async def __aenter__(self) -> "Guard":
        if self._here or self._elsewhere:
            self._resolving = asyncio.create_task(self._resolve(), name="resolve-guarded")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await end_task(self._resolving)

    async def hides(self, reached: str) -> bool:
        """Whether one of these hosts may be at the IP address that a connection led to; empty: nobody knows where.

        What cannot be compared is hidden.
        """
        if self._resolving is None:
            return False
        hosts = await self._resolving
        place = _place(reached)
        if hosts is None or not place:
            return True
        own = _is_own(place)
        return any(place in host or _may_be(host, place, own) for host in hosts)

    async def _resolve(self) -> list[_Places] | None:
        """The addresses of each; None when those of one could not be learnt in time or, on this node, at all."""
        try:
            async with asyncio.timeout(_RESOLVE_S):
                here = await asyncio.gather(*map(_places, self._here))
                elsewhere = await asyncio.gather(*map(_places, self._elsewhere))
        except TimeoutError:
            return None
        return [*here, *filter(None, elsewhere)] if all(here) else None


def _may_be(host: _Places, place: str, own: bool) -> bool:
    """Whether a host may be at a place that is none of its known addresses."""
    if own:
        return any(_is_own(one) for one in host)
    others = [one for one in host if one != _THIS_MACHINE]
    # Most devices have an address of either family, and the one does not tell the other.
    return bool(others) and all((":" in one) != (":" in place) for one in others)


async def _places(host: str) -> _Places:
    """The addresses of a host; empty when its name means nothing here."""
    if place := _place(host):
        return frozenset((place,))
    loop = asyncio.get_running_loop()
    for name in dict.fromkeys((host, host.rstrip("."))):  # tables of hosts have no dot at the end
        try:
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            continue
        return frozenset(_place(str(address[0])) for *_, address in found)
    return frozenset()


def _place(text: str) -> str:
    """An IP address in its one spelling; empty for what is none."""
    address = ip_of(text)
    if address is None:
        return ""
    return _THIS_MACHINE if address.is_loopback or address.is_unspecified else str(address)


def _is_own(place: str) -> bool:
    """Whether it is an address of this machine: from there it would be reached from itself. Nothing is sent."""
    if place == _THIS_MACHINE:
        return True
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((place, _ANY_PORT))
            return bool(sock.getsockname()[0] == place)
    except OSError:
        return False
