"""One client's RTSP connection to a simulated camera (RFC 2326), with its pictures interleaved."""

import asyncio
import base64
import secrets
import socket
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from xomyen.camera.simulator.packets import sender_report
from xomyen.terms.words import StreamName, VideoCodec

if TYPE_CHECKING:
    from xomyen.camera.simulator.channel import Channel
    from xomyen.camera.simulator.server import Simulator

_MOST_PENDING = 4_000_000  # bytes kept for a slow receiver before pictures are dropped
_LONGEST_REQUEST = 65_536
_REASONS = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 454: "Session Not Found",
    455: "Method Not Valid in This State", 461: "Unsupported Transport", 501: "Not Implemented",
}  # fmt: skip
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


class Session:
    """Reads requests, answers them, and receives pictures from the channel it plays."""

    def __init__(self, simulator: "Simulator", sock: socket.socket) -> None:
        self.rtp_channel = 0
        self.name = ""
        self.dropped_pictures = 0
        self._packets = 0
        self._octets = 0
        self._simulator = simulator
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._input = bytearray()
        self._pending: deque[memoryview | bytes] = deque()
        self._pending_bytes = 0
        self._channel: Channel | None = None
        self._playing = False
        self._waits_for_key = True
        self._id = ""
        self._loop.add_reader(sock.fileno(), self._on_readable)

    # --- output --------------------------------------------------------------------------

    def deliver(self, block: bytes, key: bool, packets: int) -> None:
        if self._waits_for_key:
            if not key:
                return
            self._waits_for_key = False
        if self._pending_bytes > _MOST_PENDING:
            self.dropped_pictures += 1
            self._simulator.dropped_pictures += 1
            return
        self._packets += packets
        self._octets += len(block) - 16 * packets
        self._write(block)

    def report(self, ntp_ns: int, timestamp: int) -> None:
        if self._channel and self._packets:
            ssrc = self._channel.packets.ssrc
            self._write(sender_report(self.rtp_channel + 1, ssrc, ntp_ns, timestamp, self._packets, self._octets))

    def _write(self, data: bytes) -> None:
        if self._pending:
            self._pending.append(data)
            self._pending_bytes += len(data)
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._pending.append(memoryview(data)[sent:])
            self._pending_bytes = len(data) - sent
            self._loop.add_writer(self._socket.fileno(), self._on_writable)

    def _on_writable(self) -> None:
        while self._pending:
            data = self._pending.popleft()
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            self._pending_bytes -= sent
            if sent < len(data):
                self._pending.appendleft(memoryview(data)[sent:])
                return
        self._loop.remove_writer(self._socket.fileno())

    def close(self) -> None:
        """Ends the connection at once."""
        if self._socket.fileno() < 0:
            return
        self._leave()
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._simulator.forget(self)

    def _leave(self) -> None:
        if self._channel and self._playing:
            self._channel.leave(self)
        self._playing = False

    # --- input ---------------------------------------------------------------------------

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or len(self._input) > _LONGEST_REQUEST:
            self.close()
            return
        self._input += data
        while self._socket.fileno() >= 0 and self._take_one():
            pass

    def _take_one(self) -> bool:
        """Handles one whole message of the input; False when there is none."""
        buffer = self._input
        if buffer[:1] == b"$":
            if len(buffer) < 4 or len(buffer) < 4 + int.from_bytes(buffer[2:4], "big"):
                return False
            del buffer[: 4 + int.from_bytes(buffer[2:4], "big")]
            return True
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = buffer[:end].decode("utf-8", "replace").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", "0") or 0) if headers.get("content-length", "0").isdigit() else 0
        if len(buffer) < end + 4 + length:
            return False
        del buffer[: end + 4 + length]
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("RTSP/"):
            self._answer(400, headers)
            self.close()
            return False
        self._handle(words[0], words[1], headers)
        return True

    def _answer(self, status: int, request: dict[str, str], headers: tuple[str, ...] = (), body: str = "") -> None:
        lines = [f"RTSP/1.0 {status} {_REASONS.get(status, 'Error')}", f"CSeq: {request.get('cseq', '0')}"]
        lines += ["Server: xomyen-simulator", *headers]
        if self._id and status == 200:
            lines.append(f"Session: {self._id};timeout=60")
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _handle(self, method: str, url: str, headers: dict[str, str]) -> None:
        path = urlsplit(url).path.strip("/")
        track = "trackID=" in path
        path = path.rpartition("/")[0] if track else path
        channel = self._simulator.find(path)
        self.name = self._simulator.name(path)
        if method == "OPTIONS":
            self._answer(200, headers, (f"Public: {_METHODS}",))
        elif method not in _METHODS:
            self._answer(501, headers)
        elif channel is None:
            self._answer(404, headers)
        elif method == "DESCRIBE":
            base = url.rstrip("/") + "/"
            self._answer(200, headers, (f"Content-Base: {base}", "Content-Type: application/sdp"), sdp(channel))
        elif method == "SETUP":
            self._set_up(headers, channel)
        elif not self._id or headers.get("session", "").partition(";")[0] != self._id:
            self._answer(454, headers)
        elif method == "PLAY":
            self._play(url, headers)
        elif method == "PAUSE":
            self._leave()
            self._answer(200, headers)
        elif method == "TEARDOWN":
            self._leave()
            self._answer(200, headers)
            self._id = ""
        else:
            self._answer(200, headers)

    def _set_up(self, headers: dict[str, str], channel: "Channel") -> None:
        transport = headers.get("transport", "").split(",")[0]
        if "RTP/AVP/TCP" not in transport:
            self._answer(461, headers)
            return
        self.rtp_channel = 0
        for part in transport.split(";"):
            if part.startswith("interleaved="):
                first = part.removeprefix("interleaved=").partition("-")[0]
                self.rtp_channel = int(first) if first.isdigit() and int(first) < 255 else 0
        self._channel = channel
        self._id = self._id or secrets.token_hex(8)
        pair = f"{self.rtp_channel}-{self.rtp_channel + 1}"
        ssrc = f"{channel.packets.ssrc:08X}"
        self._answer(200, headers, (f"Transport: RTP/AVP/TCP;unicast;interleaved={pair};ssrc={ssrc}",))

    def _play(self, url: str, headers: dict[str, str]) -> None:
        if self._channel is None:
            self._answer(455, headers)
            return
        first = self._channel.next_key()
        track = f"{url.rstrip('/')}/trackID=0"
        info = f"url={track};seq={self._channel.sequence(first)};rtptime={self._channel.timestamp(first)}"
        self._answer(200, headers, ("Range: npt=now-", f"RTP-Info: {info}"))
        if not self._playing:
            self._playing = True
            self._waits_for_key = True
            self._channel.join(self)


def sdp(channel: "Channel") -> str:
    """The stream's description (RFC 4566; RFC 6184 §8.2.1, RFC 7798 §7.2.1)."""
    p = channel.packets.picturing
    sets = [base64.b64encode(n).decode() for n in channel.packets.parameter_sets]
    if p.codec is VideoCodec.H264:
        profile = channel.packets.parameter_sets[0][1:4].hex()
        encoding = "H264"
        fmtp = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
    else:
        encoding = "H265"
        fmtp = f"sprop-vps={sets[0]};sprop-sps={sets[1]};sprop-pps={sets[2]}"
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Simulated camera", "c=IN IP4 0.0.0.0", "t=0 0",
        "a=control:*", "a=range:npt=now-",
        "m=video 0 RTP/AVP 96", f"b=AS:{p.bitrate // 1000}", f"a=rtpmap:96 {encoding}/90000", f"a=fmtp:96 {fmtp}",
        f"a=framerate:{p.fps}", "a=control:trackID=0",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def stream_of(path: str) -> tuple[int, StreamName] | None:
    """The camera's number and stream that a URL's path names: ``7`` or ``7/sub``."""
    number, _, rest = path.partition("/")
    if not number.isdigit() or rest not in ("", "sub"):
        return None
    return int(number), StreamName.SUB if rest else StreamName.MAIN
