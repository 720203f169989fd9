"""An RTSP camera on a real socket whose answers a test decides; it sends small H.264 pictures."""

import asyncio
import base64
import hashlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.rtp_packetiser import Packetiser, interleaved, sender_report

from xomyen.camera.rtsp_message import Request, Response, format_response, parse_message
from xomyen.terms.words import VideoCodec

# Made by libx264 for 320×180 at 25 pictures a second, without B-frames.
SPS = bytes.fromhex("6742c00cd901419f9f011000000300100000030320f142a480")
PPS = bytes.fromhex("68cb83cb20")
USER, PASSWORD = "admin", "s3cret-Pa55"

Answer = Callable[["RtspCamera", Request], bytes | None]


@dataclass
class RtspCamera:
    """Listens on 127.0.0.1 while its ``async with`` block runs.

    `answers` replaces the answer to a method; returning None falls back to the usual one.
    """

    sdp_control: str = "trackID=1"
    session_control: str = "*"
    content_base: str | None = None
    challenge: str | None = None  # WWW-Authenticate
    session: str = "12345678;timeout=60"
    public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
    answers: dict[str, Answer] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    sdp: str | None = None
    body: int = 3000  # bytes of a keyframe
    frames: int | None = None  # sends so many, then nothing; None: for ever
    frame_s: float = 0.02
    channel: int = 0
    early: bool = False  # pictures come before the answer to PLAY
    wall_offset_ns: int | None = None  # sends sender reports with a clock that is off by so much
    after: bytes = b""  # sent behind the last frame
    hang_up: bool = False  # closes behind the last frame
    requests: list[Request] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    connections: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"{'rtsps' if self.tls else 'rtsp'}://127.0.0.1:{self.port}/cam"

    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    async def until(self, condition: Callable[["RtspCamera"], bool], timeout_s: float = 60) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        sending: asyncio.Task[None] | None = None
        data = bytearray()
        try:
            while received := await reader.read(65536):
                data += received
                while data:
                    if data[0] == 0x24:
                        if len(data) < 4 or len(data) < (length := 4 + int.from_bytes(data[2:4], "big")):
                            break
                        self.reports.append(bytes(data[4:length]))
                        del data[:length]
                        self.changed.set()
                        continue
                    found = parse_message(data)
                    if found is None:
                        break
                    del data[: found[1]]
                    if isinstance(found[0], Response):
                        self.responses.append(found[0])
                        self.changed.set()
                        continue
                    request = found[0]
                    self.requests.append(request)
                    answer = self.answers.get(request.method, lambda *_: None)(self, request)
                    answer = self._answer(request) if answer is None else answer
                    if request.method == "PLAY" and answer.startswith(b"RTSP/1.0 200"):
                        if self.early:
                            writer.write(b"".join(Packetiser(VideoCodec.H264).packets([b"\x65" + bytes(50)], 0)))
                        sending = asyncio.create_task(self._send(writer))
                        self._tasks.add(sending)
                    writer.write(answer)
                    self.changed.set()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            if sending is not None:
                sending.cancel()
            writer.close()

    def _answer(self, request: Request) -> bytes:
        sequence = request.sequence
        if self.challenge and request.method != "OPTIONS" and not self._allowed(request):
            return format_response(401, "Unauthorized", sequence, [("WWW-Authenticate", self.challenge)])
        if request.method == "OPTIONS":
            return format_response(200, "OK", sequence, [("Public", self.public)])
        if request.method == "DESCRIBE":
            body = self._description().encode()
            base = [("Content-Base", self.content_base)] if self.content_base else []
            fields = [("Content-Type", "application/sdp"), *base, ("Server", "test camera")]
            return format_response(200, "OK", sequence, [*fields, ("Content-Length", str(len(body)))]) + body
        if request.method == "SETUP":
            pair = f"{self.channel}-{self.channel + 1}"
            transport = request.get("transport").replace("interleaved=0-1", f"interleaved={pair};ssrc=00C0FFEE")
            return format_response(200, "OK", sequence, [("Transport", transport), ("Session", self.session)])
        return format_response(200, "OK", sequence, [("Session", self.session.split(";")[0])])

    def _description(self) -> str:
        sets = f"{base64.b64encode(SPS).decode()},{base64.b64encode(PPS).decode()}"
        return self.sdp or (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\na=control:{self.session_control}\r\n"
            f"m=audio 0 RTP/AVP 0\r\na=control:trackID=2\r\n"
            f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:{self.sdp_control}\r\n"
        )

    def _allowed(self, request: Request) -> bool:
        given = request.get("authorization")
        if given.startswith("Basic"):
            return given == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        challenge = self.challenge or ""
        realm, nonce = (challenge.partition(f'{name}="')[2].partition('"')[0] for name in ("realm", "nonce"))

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        proof = md5(f"{md5(f'{USER}:{realm}:{PASSWORD}')}:{nonce}:{md5(f'{request.method}:{request.url}')}")
        return f'response="{proof}"' in given and f'nonce="{nonce}"' in given

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        packetiser = Packetiser(VideoCodec.H264, channel=self.channel, sequence=1 if self.early else 0)
        index = 1 if self.early else 0
        while self.frames is None or index < self.frames:
            key = index % 10 == 0
            unit = (b"\x65" if key else b"\x41") + bytes(self.body if key else 200)
            if self.wall_offset_ns is not None and index % 5 == 0:
                writer.write(interleaved(1, sender_report(time.time_ns() + self.wall_offset_ns, 3600 * index)))
            writer.write(b"".join(packetiser.packets([unit], 3600 * index)))
            await writer.drain()
            index += 1
            await asyncio.sleep(self.frame_s)
        writer.write(self.after)
        if self.hang_up:
            writer.close()
