"""Giving way to recording."""

import os
import subprocess
import sys

CODE = "import os\nfrom xomyen.terms.niceness import give_way\ngive_way()\nprint(os.nice(0))"
# A sandbox's filter answers every call with EPERM; so does this in the place of the kernel.
REFUSED = "import os\ndef nice(by): raise PermissionError(1, 'not permitted')\nplain, os.nice = os.nice, nice\n"


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)


def test_a_process_that_gives_way_waits_longer_than_its_starter() -> None:
    assert int(_run(CODE).stdout) == min(19, os.nice(0) + 5)


def test_where_the_system_refuses_it_the_process_goes_on_and_says_so() -> None:
    done = _run(REFUSED + CODE.replace("os.nice(0)", "plain(0)"))
    assert int(done.stdout) == os.nice(0)
    assert "does not give way" in done.stderr
