"""Chooses the source for a camera's address."""

from urllib.parse import urlsplit

from xomyen.camera.address import redact, split_credentials
from xomyen.camera.ingest import Ingest
from xomyen.camera.libav import LibavPool, LibavSource
from xomyen.camera.rtsp_source import RtspSource
from xomyen.camera.source import StreamSink
from xomyen.terms.errors import InvalidConfiguration

RTSP_SCHEMES = ("rtsp", "rtsps")
LIBAV_SCHEMES = ("rtsp+udp", "rtmp", "rtmps", "http", "https", "file")


def open_source(
    url: str,
    user: str | None,
    password: str | None,
    sink: StreamSink,
    ingest: Ingest,
    libav: LibavPool,
    *,
    name: str = "",
    certificate: str | None = None,
) -> RtspSource | LibavSource:
    """The source of one stream; nothing runs before it is entered with `async with`.

    ``rtsp`` and ``rtsps`` are read by this process (over TCP), the other schemes by the processes of `libav`.
    A user and password inside the URL count when none are given. `name` stands in the log, `certificate` is the
    hex SHA-256 of the camera's certificate (rtsps only). Raises InvalidConfiguration, which never shows a password.
    """
    bare, inside = split_credentials(url)
    if user is None and inside is not None:
        user, password = inside.user, inside.password
    try:
        scheme = urlsplit(bare).scheme.lower()
    except ValueError:
        raise InvalidConfiguration(f"{redact(url)!r} is not a URL.") from None
    if scheme in RTSP_SCHEMES:
        return RtspSource(bare, user, password, sink, ingest, name=name, certificate=certificate)
    if scheme in LIBAV_SCHEMES:
        return LibavSource(bare, user, password, sink, libav)
    known = ", ".join(f"{one}://" for one in (*RTSP_SCHEMES, *LIBAV_SCHEMES))
    raise InvalidConfiguration(f"{redact(url)!r} is not a camera address: it begins with none of {known}.")
