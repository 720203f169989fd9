"""The centre's web server: Granian around Django, in the number of processes its settings say."""

import argparse
import os

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from xomyen.centre.configuration import WEB_VARIABLE, folder_of_process, load_centre_settings


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True)
    host, _, port = parser.parse_args().listen.rpartition(":")
    centre = load_centre_settings(folder_of_process())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xomyen.centre.settings")
    os.environ[WEB_VARIABLE] = str(os.getpid())
    Granian(
        "xomyen.centre.wsgi:application",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=centre.workers,
        blocking_threads=4,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        respawn_failed_workers=True,
        log_access=False,
        log_level=LogLevels.warning,
        ssl_cert=centre.tls_certificate,
        ssl_key=centre.tls_key,
    ).serve()


if __name__ == "__main__":
    main()
