"""The certificate that the gateway serves with, checked before anything listens."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.settings import Settings


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its key, PEM."""

    certificate: Path
    key: Path


def read_tls(settings: Settings) -> Tls | None:
    """The settings' certificate, or None when there is none.

    Raises InvalidConfiguration when a file is missing, cannot be read, or the two do not belong together.
    """
    if settings.tls_certificate is None and settings.tls_key is None:
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        raise InvalidConfiguration("tls_certificate and tls_key belong together: set both or none.")
    tls = Tls(settings.tls_certificate, settings.tls_key)
    for file in (tls.certificate, tls.key):
        if not file.is_file():
            raise InvalidConfiguration(f"There is no file {file} (tls_certificate, tls_key).")
    try:
        # An encrypted key would be asked for on a terminal that is not there: the empty word refuses it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password="")
    except OSError as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidConfiguration(
            f"{tls.certificate} and {tls.key} (tls_certificate, tls_key) cannot be used: {reason}. They must be a PEM"
            " chain and its own key without a password, readable by this user."
        ) from error
    return tls
