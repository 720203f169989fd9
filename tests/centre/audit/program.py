"""A process of the fault tests: writes records, or takes them into the chain, in the centre its environment names."""

import os
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from xomyen.centre.audit.services import record  # noqa: E402
from xomyen.centre.audit.writer import chain_pending  # noqa: E402


def write(processes: int, count: int) -> None:
    """So many processes at once, each so many records."""
    children = []
    for number in range(processes):
        child = os.fork()
        if not child:
            for one in range(count):
                with transaction.atomic():
                    record("camera.ptz", purpose=f"{number}", details={"number": one})
            os._exit(0)
        children.append(child)
    sys.exit(max(os.waitpid(child, 0)[1] for child in children))


def main(what: str, *numbers: str) -> None:
    if what == "migrate":
        call_command("migrate", "audit", verbosity=0, interactive=False)
    elif what == "write":
        write(*map(int, numbers))
    elif what == "chain":
        print("ready", flush=True)
        while True:
            if taken := chain_pending(7):
                print(taken, flush=True)
    elif what == "finish":
        while chain_pending():
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
