"""The libav process: readers on threads, one socket (standard input) to the node; ends when the socket does.

Started as ``python -m xomyen.camera.libav.child``. Nothing about a camera is in its arguments or environment.
"""

import os
import signal
import socket
import threading
from types import TracebackType

from xomyen.camera.libav.packet_loss import listen_to_libav
from xomyen.camera.libav.reader import Reader
from xomyen.camera.libav.wire import HEADER, MAX_MESSAGE_BYTES, Kind, decode_start

_TICK_S = 0.25
_BUG_EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h
_MOST_IOVECS = 512  # below IOV_MAX


class Outbox:
    """Whole messages to the node, from any thread; blocks while the node does not read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, kind: Kind, number: int, parts: list[bytes]) -> None:
        head = HEADER.pack(5 + sum(map(len, parts)), kind, number)
        pieces = [memoryview(head), *(memoryview(part) for part in parts)]
        try:
            with self._lock:
                while pieces:
                    sent = self._connection.sendmsg(pieces[:_MOST_IOVECS])
                    while pieces and sent >= len(pieces[0]):
                        sent -= len(pieces.pop(0))
                    if sent:
                        pieces[0] = pieces[0][sent:]
        except OSError:
            os._exit(0)  # the node is gone; blocked readers could not be ended otherwise


class Child:
    """Follows the node's commands."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._outbox = Outbox(connection)
        self._readers: dict[int, Reader] = {}

    def run(self) -> None:
        """Until the node closes the socket."""
        threading.Thread(target=self._tick, daemon=True).start()
        with self._connection.makefile("rb") as incoming:
            while len(head := incoming.read(HEADER.size)) == HEADER.size:
                length, kind, number = HEADER.unpack(head)
                if not 5 <= length <= MAX_MESSAGE_BYTES:
                    return
                self._obey(Kind(kind), number, incoming.read(length - 5))

    def _obey(self, kind: Kind, number: int, content: bytes) -> None:
        if kind is Kind.START:
            reader = Reader(number, decode_start(content), self._outbox.send)
            self._readers[number] = reader
            threading.Thread(target=reader.run, name=f"reader-{number}", daemon=True).start()
            return
        known = self._readers.get(number)
        if known is None:
            return
        if kind is Kind.STOP:
            known.stop()
            del self._readers[number]
        elif kind in (Kind.WATCH, Kind.UNWATCH):
            known.watch(kind is Kind.WATCH)

    def _tick(self) -> None:
        waiting = threading.Event()
        while True:
            waiting.wait(_TICK_S)
            for reader in list(self._readers.values()):
                reader.flush()


def _end_on_bug(args: threading.ExceptHookArgs) -> None:
    """A bug in a thread ends the process loudly, and the node starts it anew; the message may hold a URL: not shown."""
    place = _innermost(args.exc_traceback)
    os.write(2, f"xomyen libav process: {args.exc_type.__name__} at {place}\n".encode())
    os._exit(_BUG_EXIT_CODE)


def _innermost(trace: TracebackType | None) -> str:
    place = "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def main() -> None:
    """Entry point of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the node, which closes the socket
    threading.excepthook = _end_on_bug
    listen_to_libav()
    Child(socket.socket(fileno=os.dup(0))).run()
    os._exit(0)  # without waiting for readers that are blocked in libav


if __name__ == "__main__":
    main()
