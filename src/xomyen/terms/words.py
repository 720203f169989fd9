"""Words of the trade that files, index rows, events and pages share."""

from enum import StrEnum


class StreamName(StrEnum):
    """Which of a camera's streams; part of file names, subjects, seals and tickets."""

    MAIN = "main"
    SUB = "sub"


class VideoCodec(StrEnum):
    H264 = "h264"
    H265 = "h265"


class GapReason(StrEnum):
    """Why a stretch of recording is missing."""

    CAMERA_SILENT = "camera_silent"  # connected, but no picture came
    REFUSED = "refused"  # the camera said no: password, path, codec, garbage
    NETWORK = "network"  # no route, connection lost, refused by the host
    NODE_STOPPED = "node_stopped"  # the node or its recorder was not running
    DISK = "disk"  # the volume was full, slow, missing or failing
    POLICY = "policy"  # switched off on purpose


class CameraState(StrEnum):
    """What a stream is doing now."""

    CONNECTING = "connecting"
    RECORDING = "recording"
    LOST = "lost"  # with a GapReason and a detail
    NOT_RECORDING = "not_recording"  # pictures come, the disk does not take them
    DISABLED = "disabled"


RESTING = "read only while somebody watches"
"""Detail of a stream that is `connecting` and not recorded: nobody watches it, so nothing is wrong."""


class SegmentState(StrEnum):
    OPEN = "open"  # being written
    SEALED = "sealed"  # ended and signed
    RECOVERED = "recovered"  # cut to its last whole fragment and signed after a crash


class ClockState(StrEnum):
    """How far the node's clock could be trusted while a segment was recorded."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"
    STEPPED = "stepped"  # the clock was set backwards or forwards during the segment
