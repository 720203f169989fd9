"""Runs a program that the kernel kills when its starter dies: `python -m xomyen.terms.tether PID PROGRAM …`."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def tethered(program: str, *arguments: str) -> list[str]:
    """The command line that runs the program tied to the life of the calling process."""
    return [sys.executable, "-m", "xomyen.terms.tether", str(os.getpid()), program, *arguments]


def tie_to_parent(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends; ends at once if the parent is gone already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    tie_to_parent(int(sys.argv[1]))
    # The tie survives execve(2) of a program without set-user-id.
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is meant


if __name__ == "__main__":
    main()
