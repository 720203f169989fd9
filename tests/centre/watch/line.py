"""A line to the centre that can be cut and joined again."""

import contextlib
import socket
import socketserver
import threading
from urllib.parse import urlsplit


class Line:
    """Listens on a port of its own and passes on what comes there."""

    def __init__(self, leads_to: str) -> None:
        parts = urlsplit(leads_to)
        self._to = (parts.hostname or "", parts.port or 0)
        # Bound for good, without listening: while the line is cut nobody else gets the port.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("127.0.0.1", 0))
        self._port = int(self._held.getsockname()[1])
        self.url = f"http://{self._to[0]}:{self._port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server: socketserver.ThreadingTCPServer | None = None

    def join(self) -> None:
        line = self

        class Passing(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(line._to) as further:
                    with line._lock:
                        if line._server is not self.server:
                            return  # cut in the meantime
                        line._open |= {self.request, further}
                    back = threading.Thread(target=_copy, args=(further, self.request), daemon=True)
                    back.start()
                    _copy(self.request, further)
                    back.join()
                    with line._lock:
                        line._open -= {self.request, further}

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            allow_reuse_port = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self._port), Passing)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        """For good."""
        self.cut()
        self._held.close()

    def cut(self) -> None:
        """Nobody listens any more, and what was open ends."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.socket.close()
        with self._lock:
            self._server = None
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
