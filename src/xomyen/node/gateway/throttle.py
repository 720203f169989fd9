"""How often one address may try something: a token bucket per address, in bounded memory."""

from collections import OrderedDict

from xomyen.node.gateway.problems import TooMany
from xomyen.terms.addresses import network_of
from xomyen.terms.time import NS_PER_SECOND, Clock


class Throttle:
    """`burst` tries at once, then one every `seconds` s, for each address."""

    def __init__(self, clock: Clock, burst: int, seconds: float, addresses: int = 10_000) -> None:
        self._clock = clock
        self._burst = burst
        self._refill_ns = round(seconds * NS_PER_SECOND)
        self._limit = addresses
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, address: str) -> None:
        """One try. Raises TooMany with the seconds to wait."""
        address = network_of(address)
        now_ns = self._clock.monotonic_ns()
        tokens, at_ns = self._buckets.pop(address, (float(self._burst), now_ns))
        tokens = min(float(self._burst), tokens + (now_ns - at_ns) / self._refill_ns)
        allowed = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if allowed else tokens, now_ns)
        while len(self._buckets) > self._limit:
            self._buckets.popitem(last=False)
        if not allowed:
            wait_s = int((1.0 - tokens) * self._refill_ns / NS_PER_SECOND) + 1
            raise TooMany(f"Too many tries from here; wait {wait_s} s.", wait_s)
