"""What the kernel says of this machine: its clock and its boot."""

import ctypes

_TIME_ERROR = 5  # adjtimex: the clock is not synchronised


def boot_id() -> str:
    """What the kernel calls the time since it was started; another one means that the power was off."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def clock_is_synchronised() -> bool:
    """What the kernel says of its clock (adjtimex(2)); True where it cannot be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.create_string_buffer(256))  # modes = 0: only asks
    except (OSError, AttributeError):
        return True
    return bool(state != _TIME_ERROR)
