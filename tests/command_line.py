"""A command as it is typed, carried out in the test's own process: a new interpreter for each would cost seconds."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from tests import running_node

from xomyen.cli.app import build, run


def xomyen(*arguments: str | Path, typed: str = "", code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """As `tests.running_node.xomyen`; for commands that end by themselves and are not stopped by a signal."""
    build([])  # all commands; a process of its own would load the one that is typed
    said, complained = io.StringIO(), io.StringIO()
    words = [str(argument) for argument in arguments]
    ended: int | str | None = None
    umask = os.umask(0o077)
    os.umask(umask)
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(complained),
            patch.object(sys, "stdin", io.StringIO(typed)),
            patch.dict(os.environ, running_node.ENVIRONMENT),
        ):
            run(words)
    except SystemExit as end:
        ended = end.code
    finally:
        os.umask(umask)
    assert isinstance(ended, int)
    done = subprocess.CompletedProcess(words, ended, said.getvalue(), complained.getvalue())
    if code is not None:
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
