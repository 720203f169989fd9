"""What can be wrong with a camera, each kind with its own exit code and the reason of the gap it causes.

CameraError
├── ConnectionRefused     21  the host answers, nothing listens on the port
├── NoRoute               22  no way to the host, or its name is unknown
├── WrongPassword         23  401 or 403: user or password is missing or wrong
├── StreamNotFound        24  404: the camera has no such path
├── NotRtsp               25  something else answers on the port
├── CodecNotSupported     26  no video track in a codec that can be recorded
├── NoKeyframe            27  pictures come, but no keyframe within the time given
├── CameraTimeout         28  no answer, or no bytes any more
├── CameraBusy            29  453 or 503: too many viewers already
├── MalformedStream       30  RTSP, SDP or RTP that cannot be read
├── SessionLost           31  454, or the camera asked to go elsewhere
├── EncryptionFailed      32  TLS could not be agreed on
├── ClosedByCamera        33  the camera or the network closed the connection
└── RequestRefused        34  any other refusal
"""

import errno
import socket
import ssl
from typing import ClassVar

from xomyen.terms.errors import CameraError
from xomyen.terms.words import GapReason


class CameraFault(CameraError):
    """A camera error that says which reason a gap in the recording gets."""

    gap: ClassVar[GapReason] = GapReason.NETWORK


class ConnectionRefused(CameraFault):
    code = "camera_connection_refused"
    exit_code = 21


class NoRoute(CameraFault):
    code = "camera_no_route"
    exit_code = 22


class WrongPassword(CameraFault):
    code = "camera_wrong_password"
    exit_code = 23
    gap = GapReason.REFUSED


class StreamNotFound(CameraFault):
    code = "camera_stream_not_found"
    exit_code = 24
    gap = GapReason.REFUSED


class NotRtsp(CameraFault):
    code = "camera_not_rtsp"
    exit_code = 25
    gap = GapReason.REFUSED


class CodecNotSupported(CameraFault):
    code = "camera_codec_not_supported"
    exit_code = 26
    gap = GapReason.REFUSED


class NoKeyframe(CameraFault):
    code = "camera_no_keyframe"
    exit_code = 27
    gap = GapReason.CAMERA_SILENT


class CameraTimeout(CameraFault):
    code = "camera_timeout"
    exit_code = 28
    gap = GapReason.CAMERA_SILENT


class CameraBusy(CameraFault):
    code = "camera_busy"
    exit_code = 29
    gap = GapReason.REFUSED


class MalformedStream(CameraFault):
    code = "camera_malformed_stream"
    exit_code = 30
    gap = GapReason.REFUSED


class SessionLost(CameraFault):
    code = "camera_session_lost"
    exit_code = 31


class EncryptionFailed(CameraFault):
    code = "camera_encryption_failed"
    exit_code = 32
    gap = GapReason.REFUSED


class ClosedByCamera(CameraFault):
    code = "camera_closed"
    exit_code = 33


class RequestRefused(CameraFault):
    code = "camera_request_refused"
    exit_code = 34
    gap = GapReason.REFUSED


_UNREACHABLE = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
    errno.EACCES,
}


def from_os_error(error: OSError, place: str) -> CameraFault:
    """The camera error behind a failed system call; `place` is host and port, without secrets."""
    if isinstance(error, ssl.SSLError):
        return EncryptionFailed(f"{place} does not agree on TLS: {error.reason or 'handshake failed'}.")
    if isinstance(error, socket.gaierror):
        return NoRoute(f"{place}: the name is unknown.")
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused(f"{place} refuses the connection: nothing listens there.")
    if isinstance(error, TimeoutError):
        return CameraTimeout(f"{place} does not answer.")
    if error.errno in _UNREACHABLE:
        return NoRoute(f"{place}: no route to the host.")
    return ClosedByCamera(f"{place}: the connection broke ({error.strerror or 'closed'}).")
