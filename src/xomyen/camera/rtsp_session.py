"""An RTSP session (RFC 2326): from DESCRIBE to PLAY, kept alive, and torn down."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass

from xomyen import __version__
from xomyen.camera.address import Address, Credentials, parse_address, redact
from xomyen.camera.errors import (
    CameraBusy,
    CameraTimeout,
    MalformedStream,
    RequestRefused,
    SessionLost,
    StreamNotFound,
    WrongPassword,
)
from xomyen.camera.rtp import SenderReport, receiver_report
from xomyen.camera.rtsp_auth import Authenticator, parse_challenges
from xomyen.camera.rtsp_connection import Connection, connect
from xomyen.camera.rtsp_message import Request, Response, format_request, format_response
from xomyen.camera.sdp import VideoTrack, control_url, offers_audio, parse_sdp
from xomyen.terms.errors import InvalidConfiguration

REQUEST_S = 10.0
DEFAULT_TIMEOUT_S = 60  # RFC 2326 §12.37
_LONGEST_TIMEOUT_S = 120  # some cameras promise more than they keep
_REDIRECTS = 5
_TRIES = 4  # of one request: first, password, stale nonce, and one more for strange cameras
_AGENT = ("User-Agent", f"xomyen/{__version__}")


@dataclass(frozen=True, slots=True)
class Playing:
    """What DESCRIBE, SETUP and PLAY have agreed on."""

    track: VideoTrack
    channel: int  # interleaved channel of RTP; RTCP has the next
    server: str  # what the camera calls itself; may be empty
    first_bytes: bytes  # read ahead
    audio_offered: bool  # never set up


class RtspSession:
    """One session with one camera. Opened with `open`, always ended with `close`."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials | None,
        certificate: str | None = None,
        moved_to: Address | None = None,
    ) -> None:
        """`moved_to` is where a REDIRECT of the session before pointed."""
        self._address = address
        self._credentials = credentials
        self._certificate = certificate
        self._authenticator = Authenticator(credentials)
        self._start = moved_to
        self.moved_to: Address | None = None
        self._connection: Connection | None = None
        self._sequence = 0
        self._session = ""
        self._methods: frozenset[str] = frozenset()
        self._aggregate = address.url
        self._pending: dict[int, str] = {}  # method of requests sent while playing
        self._ssrc = secrets.randbits(32)
        self._channel = 0
        self._last_receiver_report = 0.0
        self.timeout_s = DEFAULT_TIMEOUT_S

    @property
    def connection(self) -> Connection:
        """The connection; only once `open` has begun."""
        if self._connection is None:
            raise RuntimeError("the session is not open")
        return self._connection

    async def open(self) -> Playing:
        """Connects, follows redirects, sets the video track up and plays it. Raises CameraFault."""
        if self._start is not None:
            self._move(self._start)
        for _ in range(_REDIRECTS):
            self._connection = await connect(self._address, self._certificate)
            options = await self._request("OPTIONS", self._address.url, expect=False)
            self._methods = frozenset(word.strip().upper() for word in options.get("public").split(","))
            response = await self._request("DESCRIBE", self._address.url, (("Accept", "application/sdp"),))
            if response.status in (301, 302, 303, 305, 307, 308):
                await self._redirect(response.get("location"))
                continue
            return await self._play(response)
        raise MalformedStream(f"{self._address.place} redirects in a circle.")

    async def _redirect(self, location: str) -> None:
        try:
            there = parse_address(location)
        except InvalidConfiguration:
            raise MalformedStream(f"{self._address.place} redirects to what is no camera address.") from None
        await self.connection.close()
        self._move(there)

    def _move(self, there: Address) -> None:
        if self._address.scheme == "rtsps" and there.scheme != "rtsps":
            raise RequestRefused(f"{self._address.place} redirects to a connection that is not encrypted.")
        # Another host may learn a digest, not the password itself.
        self._authenticator = Authenticator(self._credentials, basic=there.host == self._address.host)
        self._address = there

    async def _play(self, description: Response) -> Playing:
        track = parse_sdp(description.body)
        base = description.get("content-base") or description.get("content-location") or self._address.url
        if "://" not in base:
            base = control_url(self._address.url, base)
        self._aggregate = control_url(base, track.session_control)
        setup = await self._request(
            "SETUP", control_url(base, track.control), (("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"),)
        )
        self._channel = _interleaved_channel(setup.get("transport"), self._address.place)
        session, *parameters = setup.get("session").split(";")
        self._session = session.strip()
        for parameter in parameters:
            name, _, value = parameter.strip().partition("=")
            if name.lower() == "timeout" and value.isascii() and value.isdigit() and len(value) < 9:
                self.timeout_s = min(max(int(value), 2), _LONGEST_TIMEOUT_S)
        early = bytearray()
        await self._request("PLAY", self._aggregate, (("Range", "npt=0.000-"),), early)
        server = description.get("server") or setup.get("server")
        first_bytes = bytes(early) + self.connection.take_rest()
        return Playing(track, self._channel, server[:200], first_bytes, offers_audio(description.body))

    # Requests

    async def _request(
        self,
        method: str,
        url: str,
        fields: tuple[tuple[str, str], ...] = (),
        early: bytearray | None = None,
        expect: bool = True,
    ) -> Response:
        """Sends a request and waits for its answer, answering challenges. Packets before it go to `early`."""
        connection = self.connection
        try:
            async with asyncio.timeout(REQUEST_S):
                for _ in range(_TRIES):
                    connection.send(self._format(method, url, fields))
                    response = await self._answer(early)
                    if response.status != 401:
                        break
                    if not self._authenticator.accept(parse_challenges(response.all("www-authenticate"))):
                        break
        except TimeoutError:
            raise CameraTimeout(f"{connection.place} does not answer {method}.") from None
        if expect or response.status == 401:
            self._check(method, response)
        return response

    async def _answer(self, early: bytearray | None) -> Response:
        while True:
            message, packets = await self.connection.receive()
            if early is not None:
                early += packets
            if isinstance(message, Request):
                self.requested(message)
            elif message.status >= 200 and message.sequence in (None, self._sequence):
                return message

    def _format(self, method: str, url: str, fields: tuple[tuple[str, str], ...] = ()) -> bytes:
        self._sequence += 1
        fields = (_AGENT, *fields)
        if self._session:
            fields = (*fields, ("Session", self._session))
        if proof := self._authenticator.header(method, url):
            fields = (*fields, ("Authorization", proof))
        return format_request(method, url, self._sequence, fields)

    def _check(self, method: str, response: Response) -> None:
        """Raises the fault that a refusing status stands for."""
        status, place = response.status, self._address.place
        if 200 <= status < 300 or (method == "DESCRIBE" and 300 <= status < 400):
            return
        said = redact(response.reason)[:80]
        if status == 401:
            if self._credentials is None:
                raise WrongPassword(f"{place} wants a user and a password.")
            raise WrongPassword(f"{place} does not accept the user or the password.")
        if status == 403:
            raise WrongPassword(f"{place} forbids this user to see the stream (403).")
        if status in (404, 410):
            raise StreamNotFound(f"{place} has no stream at this path ({status}).")
        if status in (453, 503):
            raise CameraBusy(f"{place} serves no more viewers now ({status} {said}).")
        if status == 454:
            raise SessionLost(f"{place} has forgotten the session (454).")
        if status == 461:
            raise RequestRefused(f"{place} does not send over TCP (461); try the rtsp+udp scheme.")
        raise RequestRefused(f"{place} refuses {method} ({status} {said}).")

    # While playing

    def keep_alive(self) -> None:
        """Tells the camera that we are still there. Raises CameraFault when it cannot be sent."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        data = self._format(method, self._aggregate)
        self._pending[self._sequence] = method
        if len(self._pending) > 16:
            self._pending.pop(next(iter(self._pending)))
        self.connection.send(data)

    def answered(self, response: Response) -> None:
        """Takes an answer that came between the pictures. Raises CameraFault when the session is over."""
        method = self._pending.pop(response.sequence or -1, "") or next(iter(self._pending.values()), "")
        if response.status == 454:
            raise SessionLost(f"{self._address.place} has forgotten the session (454).")
        if response.status == 401:
            if not self._authenticator.accept(parse_challenges(response.all("www-authenticate"))):
                self._check(method, response)
            self.keep_alive()
        elif response.status in (405, 501, 551) and method == "GET_PARAMETER":
            self._methods -= {"GET_PARAMETER"}
            self.keep_alive()

    def requested(self, request: Request) -> None:
        """Answers a request of the camera. Raises SessionLost on REDIRECT (RFC 2326 §10.10)."""
        if request.method == "REDIRECT":
            with contextlib.suppress(InvalidConfiguration):
                self.moved_to = parse_address(request.get("location"))
            raise SessionLost(f"{self._address.place} redirects to another place.")
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE")
        status, reason = (200, "OK") if known else (501, "Not Implemented")
        self.connection.send(format_response(status, reason, request.sequence))

    def report(self, report: SenderReport, highest_sequence: int, lost: int) -> None:
        """Answers a sender report, at most every 4 s: some servers take silence for absence."""
        now = asyncio.get_running_loop().time()
        if now - self._last_receiver_report >= 4:
            self._last_receiver_report = now
            packet = receiver_report(self._ssrc, report, highest_sequence, lost)
            self.connection.send(bytes((0x24, self._channel + 1)) + len(packet).to_bytes(2, "big") + packet)

    async def close(self) -> None:
        """Tears the session down as far as the camera still listens, and closes the connection."""
        if self._connection is not None:
            farewell = self._format("TEARDOWN", self._aggregate) if self._session else b""
            await self._connection.close(farewell, self._sequence)


def _interleaved_channel(transport: str, place: str) -> int:
    if "tcp" not in transport.lower() and "interleaved" not in transport.lower():
        raise RequestRefused(f"{place} does not send over TCP; try the rtsp+udp scheme.")
    for part in transport.split(";"):
        name, _, value = part.strip().partition("=")
        first = value.split("-")[0].strip()
        if name.lower() == "interleaved" and first.isascii() and first.isdigit() and int(first[:4]) < 255:
            return int(first)
    return 0
