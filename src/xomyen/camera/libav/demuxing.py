"""Opens a URL with libavformat and says in our words what went wrong."""

import errno
import re
import socket

import av
import av.error
from av.container import InputContainer

from xomyen.camera.bits import BitstreamError
from xomyen.camera.errors import (
    CameraFault,
    CameraTimeout,
    ClosedByCamera,
    CodecNotSupported,
    ConnectionRefused,
    MalformedStream,
    NoRoute,
    NotRtsp,
    RequestRefused,
    StreamNotFound,
    WrongPassword,
    from_os_error,
)
from xomyen.camera.libav.opening import Opening
from xomyen.camera.libav.wire import Start


def open_container(opening: Opening, start: Start) -> InputContainer:
    """Connects and reads the head of the stream. Raises CameraFault; never waits beyond the start's limits."""
    try:
        if opening.host is not None:
            # libavformat reports an unknown name as an input/output error.
            socket.getaddrinfo(opening.host, None)
        # The read time-out calls back into Python for every look at the clock, so it is left to the protocol
        # where that can do it. Without any, a silent camera would block its thread for good.
        read_s = None if opening.native_timeout else start.silence_s
        container = av.open(opening.url, options=dict(opening.options), timeout=(start.open_s, read_s))
    except (av.error.FFmpegError, OSError) as error:
        raise fault_of(error, opening) from None
    return container


def fault_of(error: Exception, opening: Opening) -> CameraFault:  # noqa: C901 - one line per kind
    """The camera's fault behind an error of libav, in words without the URL."""
    place = opening.place
    if isinstance(error, CameraFault):
        return error
    if isinstance(error, socket.gaierror):
        return NoRoute(f"{place}: the name is unknown.")
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return WrongPassword(f"{place} asks for another user or password.")
        case av.error.HTTPNotFoundError() | av.error.FileNotFoundError():
            return StreamNotFound(f"{place} has no such stream.")
        case av.error.HTTPError() | av.error.HTTPClientError() | av.error.HTTPServerError():
            return RequestRefused(f"{place} refuses the request ({type(error).__name__}).")
        case av.error.ExitError() | TimeoutError():
            return CameraTimeout(f"{place} does not answer.")
        case ConnectionRefusedError():
            return ConnectionRefused(f"{place} refuses the connection: nothing listens there.")
        case PermissionError() | IsADirectoryError():
            return RequestRefused(f"{place} cannot be read: {error.strerror}.")
        case av.error.EOFError():
            return ClosedByCamera(f"{place}: the stream ended.")
        case av.error.InvalidDataError() if opening.only_presentation_times:
            return NotRtsp(f"{place} answers, but not with RTSP.")
        case av.error.DecoderNotFoundError() | av.error.PatchWelcomeError() | av.error.ProtocolNotFoundError():
            return CodecNotSupported(f"{place} sends something that cannot be read ({type(error).__name__}).")
        case OSError() if error.errno == errno.EIO:
            return ClosedByCamera(f"{place}: the connection broke.")
        case OSError():
            return from_os_error(error, place)
        case av.error.FFmpegError():
            return MalformedStream(f"{place} sends no video that can be read ({type(error).__name__}).")
        case BitstreamError():
            return MalformedStream(f"{place} sends damaged video: {error}.")
    # The text of other errors may quote the URL; their kind says enough.
    kind = re.sub(r"[^A-Za-z]", "", type(error).__name__)
    return MalformedStream(f"{place} sends video that cannot be read ({kind}).")
