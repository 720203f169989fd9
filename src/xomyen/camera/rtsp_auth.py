"""RTSP authentication: Basic (RFC 7617) and Digest (RFC 2617, RFC 7616; MD5, SHA-256 and their -sess forms)."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from xomyen.camera.address import Credentials

_STRENGTH = {"SHA-256-SESS": 4, "SHA-256": 4, "MD5-SESS": 3, "MD5": 3}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way of authentication that the camera offers; parameter names in lower case."""

    scheme: str  # "basic" or "digest"
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def strength(self) -> int:
        """Higher is better; 0 means that we cannot answer it."""
        if self.scheme == "basic":
            return 1
        qop = [word.strip().lower() for word in self.parameters.get("qop", "auth").split(",")]
        if self.scheme != "digest" or "nonce" not in self.parameters or "auth" not in qop:
            return 0
        return _STRENGTH.get(self.algorithm, 0)

    @property
    def stale(self) -> bool:
        """The password was right, only the nonce has become too old (RFC 7616 §3.3)."""
        return self.parameters.get("stale", "").lower() == "true"


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Every challenge in the WWW-Authenticate fields; one field may hold several, separated by commas."""
    challenges: list[Challenge] = []
    for value in values:
        at = 0
        while at < len(value):
            if challenges and (parameter := _PARAMETER.match(value, at)) and parameter.end() > at:
                quoted, bare = parameter[2], parameter[3]
                text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
                challenges[-1].parameters.setdefault(parameter[1].lower(), text)
                at = parameter.end()
            elif token := _TOKEN.match(value, at):
                challenges.append(Challenge(token[0].lower()))
                at = token.end()
            else:
                at += 1
    return challenges


class Authenticator:
    """Answers a camera's challenges with one user and password."""

    def __init__(
        self,
        credentials: Credentials | None,
        basic: bool = True,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        """`basic` False refuses to send the password readably, as to a host the camera redirected to."""
        self._credentials = credentials
        self._basic = basic
        self._nonce = nonce
        self._challenge: Challenge | None = None
        self._count = 0

    def __repr__(self) -> str:
        return "Authenticator(…)"

    def accept(self, challenges: Iterable[Challenge]) -> bool:
        """Takes the strongest challenge it can answer; False when a further try makes no sense.

        That is so without credentials, without a usable challenge, or when the camera refuses the
        same password again for another reason than a stale nonce.
        """
        usable = [c for c in challenges if c.strength > 1 or (c.strength == 1 and self._basic)]
        if self._credentials is None or not usable:
            return False
        best = max(usable, key=lambda challenge: challenge.strength)
        before = self._challenge
        if before is not None and (before.scheme, before.algorithm) == (best.scheme, best.algorithm) and not best.stale:
            # Some cameras renew the nonce without saying `stale`: worth one try once ours has worked.
            worked = self._count > 1 and before.parameters.get("nonce") != best.parameters.get("nonce")
            if not worked:
                return False
        self._challenge = best
        self._count = 0
        return True

    def header(self, method: str, url: str) -> str | None:
        """The Authorization field for a request, or None before the first challenge."""
        challenge, credentials = self._challenge, self._credentials
        if challenge is None or credentials is None:
            return None
        self._count += 1
        if challenge.scheme == "basic":
            pair = f"{credentials.user}:{credentials.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return self._digest(challenge, credentials, method, url)

    def _digest(self, challenge: Challenge, credentials: Credentials, method: str, url: str) -> str:
        given = challenge.parameters
        algorithm, realm, nonce = challenge.algorithm, given.get("realm", ""), given["nonce"]
        digest = hashlib.sha256 if algorithm.startswith("SHA-256") else _md5
        own, count = self._nonce(), f"{self._count:08x}"

        def h(text: str) -> str:
            return digest(text.encode()).hexdigest()

        secret = h(f"{credentials.user}:{realm}:{credentials.password}")
        if algorithm.endswith("-SESS"):
            secret = h(f"{secret}:{nonce}:{own}")
        action = h(f"{method}:{url}")
        fields = [("username", credentials.user), ("realm", realm), ("nonce", nonce), ("uri", url)]
        if "qop" in given:
            proof = h(f"{secret}:{nonce}:{count}:{own}:auth:{action}")
        else:
            proof = h(f"{secret}:{nonce}:{action}")
        text = ", ".join(f'{name}="{_escape(value)}"' for name, value in [*fields, ("response", proof)])
        if "algorithm" in given:
            text += f", algorithm={given['algorithm']}"
        if "opaque" in given:
            text += f', opaque="{_escape(given["opaque"])}"'
        if "qop" in given:
            text += f', qop=auth, nc={count}, cnonce="{own}"'
        elif algorithm.endswith("-SESS"):
            text += f', cnonce="{own}"'
        return "Digest " + text


def _md5(data: bytes) -> "hashlib._Hash":
    # Most cameras know nothing better; the protocol fixes it, we do not choose it.
    return hashlib.md5(data, usedforsecurity=False)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
