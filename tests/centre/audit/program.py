"""A process of the fault tests: writes records, or takes them into the chain, in the centre its environment names."""

import os
import signal
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xomyen.centre.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from xomyen.centre.audit.chain import BEGINNING  # noqa: E402
from xomyen.centre.audit.export import Line, write_export  # noqa: E402
from xomyen.centre.audit.models import Record  # noqa: E402
from xomyen.centre.audit.services import record  # noqa: E402
from xomyen.centre.audit.writer import chain_pending  # noqa: E402
from xomyen.proof.keys import SigningKey  # noqa: E402


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


def chain(batches: int = 0) -> None:
    """Takes up seven at a time: for ever, or so many times, and then waits to be killed."""
    print("ready", flush=True)
    done = 0
    while not batches or done < batches:
        if taken := chain_pending(7):
            done += 1
            print(taken, flush=True)
    signal.pause()


def main(what: str, *numbers: str) -> None:
    if what == "migrate":
        call_command("migrate", "audit", verbosity=0, interactive=False)
    elif what == "write":
        write(*map(int, numbers))
    elif what == "chain":
        chain(*map(int, numbers))
    elif what == "finish":
        while chain_pending():
            pass
    elif what == "tamper":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE audit_record SET purpose = 'x' WHERE sequence = 5")
            cursor.execute("DELETE FROM audit_record WHERE sequence = 9")
    elif what == "export":
        key = SigningKey.load(settings.FOLDER.issuer_key)
        rows = Record.objects.order_by("sequence")
        lines = (Line(row.sequence, row.digest, row.hash, row.content()) for row in rows)
        sys.stdout.buffer.write(b"".join(write_export(lines, key, "centre.example", {}, BEGINNING)))


if __name__ == "__main__":
    main(*sys.argv[1:])
