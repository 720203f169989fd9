"""SOAP over HTTP with one device: within bounds of size and time, no redirects, and by digest where it asks for it."""

import asyncio
import errno
import ssl
from types import TracebackType
from typing import Self

import httpx

from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraFault, CameraTimeout, ClosedByCamera, WrongPassword, from_os_error
from xomyen.camera.onvif.errors import NotOnvif
from xomyen.camera.onvif.networks import Endpoint
from xomyen.camera.onvif.soap import envelope, read_answer, username_token
from xomyen.camera.onvif.xml import MOST_BYTES, Element
from xomyen.camera.rtsp_auth import Authenticator, parse_challenges
from xomyen.terms.time import Clock, SystemClock

ANSWER_S = 5.0
_ONE_EACH = httpx.Limits(max_connections=4, max_keepalive_connections=0)
"""A connection for each question: many devices close one that was used, without a word, just as it is used again."""
_MOST_CHALLENGES = 3  # the first, one for a nonce that has become stale, and one to spare
_CLOCKS_AGREE_NS = 5_000_000_000


class Conversation:
    """Questions and answers with the services of one device; open while entered."""

    def __init__(
        self, credentials: Credentials | None, *, clock: Clock | None = None, answer_s: float = ANSWER_S
    ) -> None:
        """`answer_s` is the longest time one answer may take, to its last byte."""
        self.clock = clock or SystemClock()
        self.clock_offset_ns: int | None = None  # the device's clock minus ours, once known
        self.spoken = False  # the device has answered in SOAP, if only to refuse
        self._credentials = credentials
        self._answer_s = answer_s
        # Not even to a device that asks for it is the password sent readably: anything may answer in a search.
        self._authenticator = Authenticator(credentials, basic=False)
        self._by_http = False  # the device has asked for HTTP authentication
        self._with_token = True
        self._own_clock = False  # tokens are dated by our clock instead of by what the device tells of its own
        self._challenges = 0  # in a row
        # Devices make their own certificates: there is nobody to vouch for them.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._http = httpx.AsyncClient(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=answer_s,
            limits=_ONE_EACH,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(
        self, endpoint: Endpoint, service: str, action: str, content: str = "", *, token: bool = True
    ) -> Element:
        """The answer's ``…Response`` element; `content` is XML inside the action's element.

        `token` False asks without the password, as is right for what a device tells everybody. Raises CameraFault.
        """
        body = f"<{action}>{content}</{action}>"
        try:
            async with asyncio.timeout(self._answer_s):
                while True:
                    status, challenges, data = await self._post(endpoint, service, action, body, token)
                    if status == 401 and self._accept(challenges):
                        continue
                    try:
                        return self._read(endpoint, action, status, data)
                    except WrongPassword:
                        if not token or status == 401 or not self._try_otherwise():
                            raise
        except TimeoutError as error:
            raise CameraTimeout(f"{endpoint.place} did not answer within {self._answer_s:g} s.") from error
        except httpx.TransportError as error:
            raise _fault(error, endpoint.place) from error
        except httpx.InvalidURL as error:
            raise NotOnvif(f"{endpoint.place} names an address for its services that is none.") from error

    def _accept(self, challenges: list[str]) -> bool:
        """Takes up HTTP authentication; False when that makes no sense, or no sense any more."""
        self._challenges += 1
        if self._challenges > _MOST_CHALLENGES or not self._authenticator.accept(parse_challenges(challenges)):
            return False
        if not self._by_http:
            self._by_http, self._with_token = True, False
        return True

    def _try_otherwise(self) -> bool:
        """What a device may mean that took our HTTP authentication, if it asked for any, and refused all the same."""
        if self._credentials is None:
            return False
        if not self._with_token:
            self._with_token = True  # some want both
            return True
        if not self._own_clock and abs(self.clock_offset_ns or 0) > _CLOCKS_AGREE_NS:
            self._own_clock = True  # some tell the local time as UTC, and check tokens by the true one
            return True
        return False

    def _read(self, endpoint: Endpoint, action: str, status: int, data: bytes) -> Element:
        self._challenges = 0 if status != 401 else self._challenges
        if 300 <= status < 400:
            raise NotOnvif(f"{endpoint.place} sends one elsewhere (HTTP {status}) instead of answering.")
        try:
            answer = read_answer(data, action, endpoint.place)
        except CameraFault as fault:
            self.spoken |= not isinstance(fault, NotOnvif)
            if status in (401, 403):
                raise self._refused(endpoint) from fault
            raise
        self.spoken = True
        return answer

    def _refused(self, endpoint: Endpoint) -> WrongPassword:
        if self._credentials is None:
            return WrongPassword(f"{endpoint.place} asks for a user and a password.")
        return WrongPassword(f"{endpoint.place} refuses the user or the password, or this user may not do it.")

    async def _post(
        self, endpoint: Endpoint, service: str, action: str, body: str, token: bool
    ) -> tuple[int, list[str], bytes]:
        """Status, challenges and body of the answer. Raises httpx.TransportError, NotOnvif for a body too large."""
        security = ""
        if token and self._credentials is not None and self._with_token:
            offset_ns = 0 if self._own_clock else self.clock_offset_ns or 0
            security = username_token(self._credentials, self.clock.wall_ns() + offset_ns)
        headers = {
            b"Content-Type": f'application/soap+xml; charset=utf-8; action="{service}/{action}"'.encode(),
            # What was packed small could become large.
            b"Accept-Encoding": b"identity",
        }
        authorization = self._authenticator.header("POST", endpoint.path) if self._by_http else None
        if authorization is not None:
            headers[b"Authorization"] = authorization.encode()
        content = envelope(service, body, security)
        async with self._http.stream("POST", endpoint.url, content=content, headers=headers) as answer:
            received = bytearray()
            async for piece in answer.aiter_raw():
                received += piece
                if len(received) > MOST_BYTES:
                    raise NotOnvif(f"{endpoint.place} answers more than {MOST_BYTES} bytes.")
            return answer.status_code, answer.headers.get_list("www-authenticate"), bytes(received)


def _fault(error: httpx.TransportError, place: str) -> CameraFault:
    """What is wrong, by the system's own error where there is one beneath."""
    if isinstance(error, httpx.TimeoutException):
        return CameraTimeout(f"{place} does not answer.")
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        return NotOnvif(f"{place} answers with what is no HTTP.")
    beneath: BaseException | None = error
    while beneath is not None:
        if isinstance(beneath, OSError) and beneath.errno in errno.errorcode:
            return from_os_error(beneath, place)
        beneath = beneath.__cause__ or beneath.__context__
    return ClosedByCamera(f"{place}: the connection broke.")
