"""What can be wrong with a device that was asked over ONVIF, beyond what can be wrong with any camera.

CameraError
├── NotOnvif               35  what answers there is no ONVIF, or cannot be read
└── ActionNotSupported     36  the device has no such service, or no such profile or preset
"""

from xomyen.camera.errors import CameraFault
from xomyen.terms.words import GapReason


class NotOnvif(CameraFault):
    code = "camera_not_onvif"
    exit_code = 35
    gap = GapReason.REFUSED


class ActionNotSupported(CameraFault):
    code = "camera_action_not_supported"
    exit_code = 36
    gap = GapReason.REFUSED
