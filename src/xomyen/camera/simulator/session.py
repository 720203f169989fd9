"""One client's RTSP session with a simulated camera (RFC 2326), with its pictures interleaved."""

import asyncio
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from xomyen.camera.simulator.channel import Channel
from xomyen.camera.simulator.connection import Link
from xomyen.camera.simulator.description import AUDIO_TRACK, VIDEO_TRACK, sdp
from xomyen.camera.simulator.packets import sender_report, silence
from xomyen.terms.words import StreamName

if TYPE_CHECKING:
    from xomyen.camera.simulator.device import SimulatedCamera
    from xomyen.camera.simulator.server import Simulator

_LONGEST_REQUEST = 65_536
_SILENCE_S = 0.02
_REASONS = {
    200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    454: "Session Not Found", 455: "Method Not Valid in This State", 461: "Unsupported Transport",
    501: "Not Implemented", 503: "Service Unavailable",
}  # fmt: skip
_METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "SET_PARAMETER", "TEARDOWN", "GET_PARAMETER")


class Session:
    """Reads requests, answers them, and receives pictures from the channel it plays."""

    def __init__(self, simulator: "Simulator") -> None:
        self.rtp_channel = 0
        self.name = ""
        self.camera: SimulatedCamera | None = None
        self._simulator = simulator
        self._link: Link | None = None
        self._loop = asyncio.get_running_loop()
        self._input = bytearray()
        self._stream: StreamName | None = None
        self._playing = False
        self._waits_for_key = True
        self._id = ""
        self._packets = 0
        self._octets = 0
        self._audio_channel = 0
        self._audio_timer: asyncio.TimerHandle | None = None
        self._audio_sent = 0
        self._heard_at = self._loop.time()
        self._watchdog: asyncio.TimerHandle | None = None

    def attach(self, link: Link) -> None:
        """The link over which the session talks."""
        self._link = link

    @property
    def _channel(self) -> Channel | None:
        return self.camera.channels[self._stream] if self.camera and self._stream else None

    # --- pictures ------------------------------------------------------------------------

    def deliver(self, block: bytes, key: bool, packets: int) -> None:
        if not self._link or not self.camera:
            return
        if self._waits_for_key:
            if not key:
                return
            self._waits_for_key = False
        if self.camera.trouble.touches_packets:
            block = self.camera.trouble.spoil(block)
            if not block:
                return
        if self._link.pending > self._simulator.most_pending:
            self._simulator.dropped_pictures += 1
            return
        self._packets += packets
        self._octets += len(block) - 16 * packets
        self._link.write(block)

    def report(self, ntp_ns: int, timestamp: int) -> None:
        channel = self._channel
        if self._link and channel and self._packets and not (self.camera and self.camera.trouble.touches_packets):
            self._link.write(
                sender_report(
                    self.rtp_channel + 1, channel.packets.ssrc, ntp_ns, timestamp, self._packets, self._octets
                )
            )

    def _send_silence(self) -> None:
        if self._link and self._playing:
            self._link.write(silence(self._audio_channel, self._audio_sent))
            self._audio_sent += 1
            self._audio_timer = self._loop.call_later(_SILENCE_S, self._send_silence)

    def close(self) -> None:
        """Ends the connection at once."""
        if self._link:
            self._link.close()

    def lost(self) -> None:
        """The connection is gone."""
        self._leave()
        self._link = None
        if self._watchdog:
            self._watchdog.cancel()
        if self.camera:
            self.camera.sessions.discard(self)
        self._simulator.forget(self)

    def _leave(self) -> None:
        channel = self._channel
        if channel and self._playing:
            channel.leave(self)
        self._playing = False
        if self._audio_timer:
            self._audio_timer.cancel()

    def _watch(self) -> None:
        """Ends a session of which nothing was heard for its time-out (RFC 2326 §12.37)."""
        life = self._simulator.session_timeout_s
        left = self._heard_at + life - self._loop.time()
        if left <= 0:
            self._simulator.sessions_timed_out += 1
            self.close()
        else:
            self._watchdog = self._loop.call_later(left + 0.01, self._watch)

    # --- requests ------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the client."""
        if len(self._input) > _LONGEST_REQUEST:
            self.close()
            return
        self._input += data
        self._heard_at = self._loop.time()
        while self._link and self._take_one():
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
        length = int(headers["content-length"]) if headers.get("content-length", "").isdigit() else 0
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
            lines.append(f"Session: {self._id};timeout={max(1, round(self._simulator.session_timeout_s))}")
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        if self._link:
            self._link.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _handle(self, method: str, url: str, headers: dict[str, str]) -> None:
        self._simulator.requests[method] += 1
        path = urlsplit(url).path.strip("/")
        track = path.rpartition("/")[2] if "trackID=" in path else ""
        found = self._simulator.find(path.removesuffix(track).strip("/"))
        protection = self._simulator.protection
        if method == "OPTIONS":
            self._answer(200, headers, (f"Public: {', '.join(self._methods())}",))
        elif method not in self._methods():
            self._answer(501, headers)
        elif protection and (challenge := protection.refusal(method, headers.get("authorization", ""))):
            self._answer(401, headers, (f"WWW-Authenticate: {challenge}",))
        elif found is None:
            self._answer(404, headers)
        elif method == "DESCRIBE":
            self._describe(url, headers, *found)
        elif method == "SETUP":
            self._set_up(track or VIDEO_TRACK, headers, *found)
        elif not self._id or headers.get("session", "").partition(";")[0] != self._id:
            self._answer(454, headers)
        elif method == "PLAY":
            self._play(url, headers)
        else:
            if method in ("PAUSE", "TEARDOWN"):
                self._leave()
            self._answer(200, headers)
            if method == "TEARDOWN":
                self._id = ""

    def _methods(self) -> tuple[str, ...]:
        return _METHODS if self._simulator.get_parameter else _METHODS[:-1]

    def _describe(self, url: str, headers: dict[str, str], camera: "SimulatedCamera", stream: StreamName) -> None:
        trouble = camera.trouble
        if trouble.redirect_url:
            self._answer(302, headers, (f"Location: {trouble.redirect_url}",))
        elif trouble.refuse_status:
            self._answer(trouble.refuse_status, headers)
        else:
            base = url.rstrip("/") + "/"
            body = sdp(camera.channels[stream], base, self._simulator.audio, self._simulator.absolute_control)
            self._answer(200, headers, (f"Content-Base: {base}", "Content-Type: application/sdp"), body)

    def _set_up(self, track: str, headers: dict[str, str], camera: "SimulatedCamera", stream: StreamName) -> None:
        transport = headers.get("transport", "").split(",")[0]
        if "RTP/AVP/TCP" not in transport or (track == AUDIO_TRACK and not self._simulator.audio):
            self._answer(461 if track == VIDEO_TRACK else 404, headers)
            return
        asked = 0
        for part in transport.split(";"):
            if part.startswith("interleaved="):
                first = part.removeprefix("interleaved=").partition("-")[0]
                asked = int(first) if first.isdigit() and int(first) < 255 else 0
        ssrc = ""
        if track == AUDIO_TRACK:
            self._audio_channel = asked
            self._audio_timer = self._loop.call_later(0, self._send_silence)
            self._simulator.audio_set_ups += 1
        else:
            self._leave()
            self.rtp_channel, self.camera, self._stream, self.name = asked, camera, stream, camera.name
            camera.sessions.add(self)
            ssrc = f";ssrc={camera.channels[stream].packets.ssrc:08X}"
        if not self._id:
            self._id = secrets.token_hex(8)
            self._watch()
        self._answer(200, headers, (f"Transport: RTP/AVP/TCP;unicast;interleaved={asked}-{asked + 1}{ssrc}",))

    def _play(self, url: str, headers: dict[str, str]) -> None:
        channel = self._channel
        if channel is None:
            self._answer(455, headers)
            return
        first = channel.next_key()
        track = f"{url.rstrip('/')}/{VIDEO_TRACK}"
        info = f"url={track};seq={channel.sequence(first)};rtptime={channel.timestamp(first)}"
        self._answer(200, headers, ("Range: npt=now-", f"RTP-Info: {info}"))
        if not self._playing:
            self._playing = True
            self._waits_for_key = True
            channel.join(self)
            if self._audio_timer:
                self._send_silence()
