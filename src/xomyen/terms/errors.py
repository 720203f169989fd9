"""Errors a caller can do something about.

XomyenError
├── InvalidTime            a time that cannot be read
├── InvalidRange           a reversed, future or too long time range
├── InvalidConfiguration   a configuration value out of range
├── UnknownCamera          no camera of that name or id
├── NoFootage              nothing was recorded in the range asked for
├── Conflict               somebody else changed the thing meanwhile
│   └── AlreadyThere       a file that exists and was not to be replaced
├── Forbidden              a ticket that is forged, expired, revoked or too narrow
├── NotRunning             the node (or its bus) is not running
├── AlreadyRunning         another process holds the folder's lock
├── VolumeRefused          a storage volume that is wrong, missing, read-only or full
└── CameraError            a camera that cannot be used (kinds in `xomyen.camera.errors`)

Every error has a stable ``code`` (translated at the edge), a message in English that says what, where
and what to do, and the exit code of the command line. No message holds a secret.
"""

from typing import ClassVar


class XomyenError(Exception):
    """The root of the tree; raise a leaf."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, **details: str | int | None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidTime(XomyenError):
    code = "invalid_time"
    exit_code = 2
    http_status = 422

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(f"{text!r} is not a time: {hint}.", text=text)


class InvalidRange(XomyenError):
    code = "invalid_range"
    exit_code = 2
    http_status = 422


class InvalidConfiguration(XomyenError):
    code = "invalid_configuration"
    exit_code = 2
    http_status = 422


class UnknownCamera(XomyenError):
    code = "unknown_camera"
    exit_code = 3
    http_status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"No camera is called {name!r}; `xomyen camera list` shows those there are.", camera=name)


class NoFootage(XomyenError):
    code = "no_footage"
    exit_code = 4
    http_status = 404


class Conflict(XomyenError):
    code = "conflict"
    exit_code = 5
    http_status = 409


class AlreadyThere(Conflict):
    code = "already_there"


class Forbidden(XomyenError):
    code = "forbidden"
    exit_code = 6
    http_status = 403


class NotRunning(XomyenError):
    code = "not_running"
    exit_code = 7
    http_status = 503


class AlreadyRunning(XomyenError):
    code = "already_running"
    exit_code = 8
    http_status = 409


class VolumeRefused(XomyenError):
    code = "volume_refused"
    exit_code = 9
    http_status = 507


class CameraError(XomyenError):
    code = "camera_error"
    exit_code = 20
    http_status = 502
