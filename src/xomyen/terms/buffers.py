"""Buffers between ingest and the disk writers: one that all streams are read into, and those on lease for what is kept.

A leased buffer is filled by one source, and its slices travel to a disk writer without being copied. It goes back to
its pool when every holder has released it, which may happen on another thread.
"""

import threading

Bytes = bytes | bytearray | memoryview


class Lease:
    """One buffer on loan. `retain` for every further holder, `release` once per holder."""

    __slots__ = ("_holders", "_pool", "buffer", "loan", "view")

    def __init__(self, pool: "BufferPool", buffer: bytearray) -> None:
        self._pool = pool
        self._holders = 0
        self.loan = 0  # number of the loan, to tell one from the next; 0 while the buffer is free
        self.buffer = buffer
        self.view = memoryview(buffer)

    def retain(self) -> None:
        """One more holder. Only a holder may call this."""
        with self._pool.lock:
            self._holders += 1

    def release(self) -> None:
        """One holder less; the last one gives the buffer back. Safe from any thread."""
        pool = self._pool
        with pool.lock:
            self._holders -= 1
            if self._holders == 0:
                self.loan = 0
                pool.free.append(self)

    def lend(self, loan: int) -> None:
        """Called by the pool under its lock."""
        self._holders = 1
        self.loan = loan


class BufferPool:
    """At most `limit` buffers of `size` bytes, made when first needed, used last-in first-out.

    Last-in first-out keeps the buffer in use hot in the processor's cache.
    """

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        self.made = 0
        self.loans = 0
        self.free: list[Lease] = []
        self.lock = threading.Lock()

    def take(self) -> Lease | None:
        """A buffer with one holder, or None when all are out: the caller then leaves its bytes in the socket."""
        with self.lock:
            if self.free:
                lease = self.free.pop()
            elif self.made < self.limit:
                self.made += 1
                lease = Lease(self, bytearray(self.size))
            else:
                return None
            self.loans += 1
            lease.lend(self.loans)
            return lease

    @property
    def out(self) -> int:
        """How many buffers are on loan."""
        return self.made - len(self.free)


class ReceiveBuffer:
    """Where the bytes of one read lie while they are parsed; shared by all streams, so that the cache keeps it."""

    __slots__ = ("buffer", "view")

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self.view = memoryview(self.buffer)
