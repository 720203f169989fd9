"""Who may see a simulated camera: Basic and Digest authentication (RFC 7617, RFC 7616) as RTSP uses them."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from xomyen.terms.time import NS_PER_SECOND, Clock, SystemClock


class Scheme(StrEnum):
    BASIC = "basic"
    DIGEST_MD5 = "digest-md5"
    DIGEST_SHA256 = "digest-sha256"


_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]*))')
_REALM = "Simulated camera"


@dataclass(slots=True)
class Protection:
    """One user's password; nonces grow stale after `nonce_life_s`."""

    user: str
    password: str
    scheme: Scheme = Scheme.DIGEST_MD5
    nonce_life_s: float = 300.0
    clock: Clock = field(default_factory=SystemClock)
    _nonces: dict[str, int] = field(default_factory=dict)

    def challenge(self, stale: bool = False) -> str:
        """The value of WWW-Authenticate."""
        if self.scheme is Scheme.BASIC:
            return f'Basic realm="{_REALM}"'
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = self.clock.monotonic_ns()
        algorithm = "MD5" if self.scheme is Scheme.DIGEST_MD5 else "SHA-256"
        end = ", stale=true" if stale else ""
        return f'Digest realm="{_REALM}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{end}'

    def refusal(self, method: str, authorization: str) -> str | None:
        """None when the request may pass, else the challenge to answer with."""
        scheme, _, rest = authorization.partition(" ")
        if self.scheme is Scheme.BASIC:
            wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            passes = scheme.lower() == "basic" and hmac.compare_digest(rest.strip().encode(), wanted.encode())
            return None if passes else self.challenge()
        fields = {m[1].lower(): m[2] or m[3] or "" for m in _FIELD.finditer(rest)}
        issued = self._nonces.get(fields.get("nonce", ""))
        if scheme.lower() != "digest" or issued is None or not self._answers(method, fields):
            return self.challenge()
        if self.clock.monotonic_ns() - issued > self.nonce_life_s * NS_PER_SECOND:
            del self._nonces[fields["nonce"]]
            return self.challenge(stale=True)
        return None

    def _answers(self, method: str, fields: dict[str, str]) -> bool:
        """Whether the response was made with the password (RFC 7616 §3.4.1, or RFC 2069 without qop)."""

        def digest(text: str) -> str:
            data = text.encode()
            if self.scheme is Scheme.DIGEST_MD5:
                return hashlib.md5(data, usedforsecurity=False).hexdigest()
            return hashlib.sha256(data).hexdigest()

        first = digest(f"{self.user}:{_REALM}:{self.password}")
        second = digest(f"{method}:{fields.get('uri', '')}")
        middle = [fields["nonce"]]
        if "qop" in fields:
            middle += [fields.get("nc", ""), fields.get("cnonce", ""), fields["qop"]]
        wanted = digest(":".join([first, *middle, second]))
        return hmac.compare_digest(wanted, fields.get("response", "").lower()) and fields.get("username") == self.user
