"""`xomyen centre`: the pages and people of a unit, on the same box as a node or above many."""

import asyncio
import os
import signal
import ssl
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import sdnotify
import typer
import uvloop

from xomyen.centre.configuration import FOLDER_VARIABLE, CentreFolder, CentreSettings, load_centre_settings
from xomyen.centre.operation.issuer import change, prepare_next, to_trust
from xomyen.centre.operation.lock import holder, is_running, sole
from xomyen.cli.common import Dir, is_serving, node_folder, require_own, write_new
from xomyen.node.child import Child, PythonProgram
from xomyen.node.logs import configure_logs
from xomyen.node.supervisor import listenable
from xomyen.proof.keys import PublicKey
from xomyen.terms.addresses import is_everywhere
from xomyen.terms.errors import InvalidConfiguration
from xomyen.terms.folder import NodeFolder
from xomyen.terms.settings import Settings
from xomyen.terms.tasks import end_task
from xomyen.terms.time import SystemClock

_PATIENCE_S = 5.0
_BEAT_S = 5.0

Listen = Annotated[
    str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where the pages are (default: 127.0.0.1:8450).")
]


def register(app: typer.Typer, _camera: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(name="centre", help="The centre: people, units, cameras.", rich_markup_mode=None)
    group.command("serve")(serve_centre)
    group.command("signin")(sign_in)
    group.command("import-units")(import_official_units)
    group.command("renew-key")(renew_key)
    app.add_typer(group, name="centre")


def prepare_centre(root: Path) -> tuple[CentreFolder, CentreSettings]:
    """Brings folder, keys and database up to date, and tells the node of the same folder whose tickets count.

    Raises InvalidConfiguration, NotRunning (the database does not answer), InvalidKey.
    """
    folder = CentreFolder(root)
    settings = load_centre_settings(folder)
    require_certificate(settings)
    folder.own.mkdir(mode=0o700, parents=True, exist_ok=True)
    trusted = to_trust(folder)
    if settings.bus is None:
        _have_trusted(folder.node, trusted)
    use_django(root)
    from xomyen.centre.operation.database import bring_up_to_date

    bring_up_to_date()
    return folder, settings


def open_centre(root: Path) -> tuple[CentreFolder, CentreSettings]:
    """The centre of a command. One that runs meanwhile is not upgraded under its feet.

    Raises as `prepare_centre`, and InvalidConfiguration when the one that runs is older than this program.
    """
    folder = CentreFolder(root)
    if not is_running(folder):
        with sole(folder):
            return prepare_centre(root)
    settings = load_centre_settings(folder)
    use_django(root)
    from xomyen.centre.operation.database import missing_migrations

    if missing_migrations():
        raise InvalidConfiguration("The centre that runs is older than this program: restart it first.")
    return folder, settings


_TRUSTED = ("centre.pem", "centre-next.pem", "centre-before.pem")


def _have_trusted(node: NodeFolder, keys: dict[str, PublicKey]) -> None:
    """The node of the folder takes the centre's tickets from its next start on."""
    wanted = {name: keys[name].pem if name in keys else None for name in _TRUSTED}
    there = {name: (node.issuers / name).read_bytes() if (node.issuers / name).exists() else None for name in _TRUSTED}
    if wanted == there:
        return
    node.issuers.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, pem in wanted.items():
        if pem is None:
            (node.issuers / name).unlink(missing_ok=True)
        elif pem != there[name]:
            write_new(node.issuers / name, pem, force=True)
    added = set(wanted.values()) - set(there.values()) - {None}
    if added and node.identity.exists() and is_serving(node):
        print("The recorder in this folder knows this centre from its next start on: restart it.", file=sys.stderr)


def _have_pages_allowed(node: NodeFolder, origins: list[str]) -> None:
    """The node of the folder lets the centre's pages show its pictures from its next start on."""
    text = "".join(f"{origin}\n" for origin in origins).encode()
    if node.centre_pages.exists() and node.centre_pages.read_bytes() == text:
        return
    node.issuers.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(node.centre_pages, text, force=True)
    if node.identity.exists() and is_serving(node):
        print("The recorder in this folder shows its pictures on these pages once it is restarted.", file=sys.stderr)


def use_django(root: Path) -> None:
    """Makes the models of the centre in this folder usable; once in a process."""
    os.environ[FOLDER_VARIABLE] = str(root)
    os.environ["DJANGO_SETTINGS_MODULE"] = "xomyen.centre.settings"
    import django

    django.setup()


def require_certificate(settings: CentreSettings) -> None:
    """Raises InvalidConfiguration when the pages could not be served with the certificate of the settings."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    try:
        # An encrypted key would be asked for on a terminal that is not there: the empty word refuses it.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
    except OSError as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidConfiguration(
            f"{settings.tls_certificate} and {settings.tls_key} (tls_certificate, tls_key) cannot be used: {reason}."
            " They must be a PEM chain and its own key without a password, readable by this user.",
            field="tls_certificate",
        ) from error


def centre_parts(listen: str) -> list[Child]:
    """The centre's processes; the environment names their folder."""

    async def changed(_child: Child) -> None:
        """Nobody else needs to know."""

    web = PythonProgram(["-m", "xomyen.centre.web", "--listen", listen], (), _PATIENCE_S)
    worker = PythonProgram(["-m", "xomyen.centre.worker"], (), _PATIENCE_S)
    return [Child("centre web", web, SystemClock(), changed), Child("centre worker", worker, SystemClock(), changed)]


async def answering(url: str) -> None:
    """Returns once the pages answer."""
    async with httpx.AsyncClient(verify=False) as client:  # noqa: S501  # asks our own process whether it is there
        while True:
            try:
                await client.get(url, timeout=5)
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
                continue
            return


def serve_centre(directory: Dir = None, listen: Listen = None) -> None:
    """Run a centre in the foreground until Ctrl-C.

    Example: xomyen centre serve --dir /var/lib/xomyen --listen 0.0.0.0:8450
    """
    os.umask(0o077)
    node = node_folder(directory)
    require_own(node)
    folder = CentreFolder(node.root)
    settings = load_centre_settings(folder)
    address = listenable(listen or settings.listen, "centre")
    with sole(folder, own_address(settings, address)):
        prepare_centre(node.root)
        if settings.bus is None:
            _have_pages_allowed(folder.node, page_origins(settings, address))
        configure_logs("centre", Settings(log_level=settings.log_level))
        from xomyen.centre.accounts.services import nobody_yet, set_up_link

        first = f"{page_address(settings, address)}{set_up_link()}" if nobody_yet() else None
        uvloop.run(_run(settings, address, first))


def own_address(settings: CentreSettings, listen: str) -> str:
    """Where the pages are for this machine itself."""
    host, _, port = listen.rpartition(":")
    if is_everywhere(host):
        host = "[::1]" if host.startswith("[") else "127.0.0.1"
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{port}"


def page_address(settings: CentreSettings, listen: str) -> str:
    """How people reach the pages, as links name it."""
    scheme = "https" if settings.behind_tls or settings.tls_certificate else "http"
    host, _, port = listen.rpartition(":")
    if settings.hosts:
        # Behind a proxy it is the proxy's port that people use.
        return f"{scheme}://{settings.hosts[0]}" + ("" if settings.behind_tls else f":{port}")
    return f"{scheme}://{'127.0.0.1' if is_everywhere(host) else host}:{port}"


def page_origins(settings: CentreSettings, listen: str) -> list[str]:
    """The pages as browsers name where they come from: in small letters, without a port that goes without saying."""
    hosts = [name.lower() for name in settings.hosts]
    if settings.behind_tls:
        return [f"https://{name}" for name in hosts]
    scheme, usual = ("https", "443") if settings.tls_certificate else ("http", "80")
    host, _, port = listen.rpartition(":")
    here = [] if is_everywhere(host) else [host.lower()]
    names = dict.fromkeys([*here, "127.0.0.1", "localhost", *hosts])
    return [f"{scheme}://{name}" + ("" if port == usual else f":{port}") for name in names]


def sign_in(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user name.")],
    directory: Dir = None,
    listen: Listen = None,
) -> None:
    """Print a link that signs a person in once, within 15 minutes; for whoever owns this machine.

    Example: xomyen centre signin tung.dk --dir /var/lib/xomyen
    """
    node = node_folder(directory)
    require_own(node)
    folder, settings = open_centre(node.root)
    from xomyen.centre.accounts.models import User
    from xomyen.centre.accounts.services import one_time_link

    person = User.objects.filter(username=user.strip().casefold()).first()
    if person is None:
        raise InvalidConfiguration(f"Nobody has the user name {user}.", field="user")
    if not person.is_active:
        raise InvalidConfiguration(f"{user} is locked: unlock the account on the page People first.", field="user")
    # It may have been started to listen elsewhere than the settings say.
    running = urlsplit(holder(folder).url).netloc if is_running(folder) else ""
    print(f"{page_address(settings, listen or running or settings.listen)}{one_time_link(person)}")


async def _run(settings: CentreSettings, listen: str, first: str | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    systemd = sdnotify.SystemdNotifier()
    async with AsyncExitStack() as parts:
        for part in centre_parts(listen):
            await part.start()
            parts.push_async_callback(part.stop)
        url = own_address(settings, listen)
        telling = asyncio.create_task(_tell(url, systemd, first))
        await stopping.wait()
        systemd.notify("STOPPING=1")
        await end_task(telling)


async def _tell(url: str, systemd: sdnotify.SystemdNotifier, first: str | None) -> None:
    """Says once that the pages answer, and from then on that this process lives (WatchdogSec= of the unit)."""
    await answering(f"{url}/account/login/")
    print(f"The centre is at {url}/", flush=True)
    if first is not None:
        print(f"Nobody uses it yet. Set it up, within 24 hours, at {first}", flush=True)
    systemd.notify("READY=1")
    while True:
        systemd.notify("WATCHDOG=1")
        await asyncio.sleep(_BEAT_S)


def import_official_units(directory: Dir = None) -> None:
    """Bring in the provinces and communes of Viet Nam, those before 1 July 2025, and what became what.

    What is there already stays as people entered it; a second run adds nothing.

    Example: xomyen centre import-units --dir /var/lib/xomyen
    """
    node = node_folder(directory)
    require_own(node)
    open_centre(node.root)
    from xomyen.centre.organisation.services.imports import import_units

    print("Reading the lists of administrative units …")
    done = import_units(lambda what, count: print(f"  {count:6} {what} added"))
    for conflict in done.conflicts:
        print(f"Left out, another unit has this code at that time: {conflict}", file=sys.stderr)
    print(f"Done: {done.units} units added, {done.kept} were there already.")


def renew_key(
    directory: Dir = None,
    now: Annotated[bool, typer.Option("--now", help="Issue with the next key from now on.")] = False,
) -> None:
    """Replace the key with which the centre issues tickets: first make the next one, then, stopped, change to it.

    Between the two bring the next one to every node, into keys/issuers/, and restart it: it takes tickets of both.

    Example: xomyen centre renew-key --dir /var/lib/xomyen
    """
    node = node_folder(directory)
    require_own(node)
    folder = CentreFolder(node.root)
    if not folder.issuer_key.exists():
        raise InvalidConfiguration(f"{folder.root} holds no centre: {folder.issuer_key} is missing.", field="dir")
    if not now:
        _tell_next(folder)
        return
    with sole(folder):
        # Before anything is changed: what is in the way of the database is told now.
        prepare_centre(node.root)
        before, following = change(folder)
        prepare_centre(node.root)
        from xomyen.centre.audit.services import record
        from xomyen.centre.audit.writer import chain_pending

        record("box.key_changed", details={"from": before.fingerprint, "to": following.fingerprint})
        # So that the end of the log is signed with the new key at once.
        while chain_pending():
            pass
    print(f"Tickets are issued with {following.fingerprint} once the centre is started again.")
    print("After 8 days take the key before out of the nodes' keys/issuers/ (in this folder that is done by itself).")


def _tell_next(folder: CentreFolder) -> None:
    following = prepare_next(folder)
    print(f"The next key is {following.fingerprint}.")
    # Named by the key: what came to a node with the change before is not written over.
    name = f"centre-{following.fingerprint[:8]}.pem"
    print(f"Bring {folder.next_issuer_key.with_suffix('.pub.pem')} to each node as keys/issuers/{name},")
    print("restart the nodes, stop the centre, and run this with --now.")
    if load_centre_settings(folder).bus is None:
        _have_trusted(folder.node, to_trust(folder))
