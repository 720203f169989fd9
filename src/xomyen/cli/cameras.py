"""`xomyen camera add`, `list`, `edit` and `remove`."""

import base64
import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit, urlunsplit

import typer
from pydantic import ValidationError

from xomyen.bus import subjects
from xomyen.bus.messages import CameraConfig, CameraEvent, CameraRecord, NodeHealth, RecorderState, StreamConfig
from xomyen.bus.requests import Empty, ask
from xomyen.cli.common import Dir, Json, NodeBus, counted, finish, node_bus, node_folder, print_json
from xomyen.terms.errors import InvalidConfiguration, NotRunning
from xomyen.terms.ids import new_id
from xomyen.terms.time import format_utc
from xomyen.terms.words import CameraState, GapReason, StreamName

Name = Annotated[str, typer.Argument(help="The camera's name, id, or the beginning of its name.")]
Sub = Annotated[str | None, typer.Option("--sub", help="URL of the camera's smaller stream.", show_default=False)]
User = Annotated[str | None, typer.Option("--user", help="User name at the camera.", show_default=False)]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="File with the password at the camera; - reads it from the input."),
]
Site = Annotated[str | None, typer.Option("--site", help="Where the camera stands.", show_default=False)]
Days = Annotated[int | None, typer.Option("--days", min=1, max=3650, help="Days of footage to keep.")]
Order = Annotated[int | None, typer.Option("--order", help="Where it stands on the wall.")]
RecordSub = Annotated[
    bool | None, typer.Option("--record-sub/--no-record-sub", help="Record the smaller stream as well.")
]


REMOVED = "removed"
"""Stands for a state where a camera is not configured any more."""


def register(app: typer.Typer, camera: typer.Typer) -> None:
    """Adds the commands."""
    camera.command("add")(add)
    camera.command("list")(list_cameras)
    camera.command("edit")(edit)
    camera.command("remove")(remove)


@dataclass(frozen=True, slots=True)
class Address:
    """A stream's URL without the user and password that stood in it."""

    url: str
    user: str | None
    password: str | None


def take_credentials_out(url: str) -> Address:
    """Splits a URL a person typed. Raises InvalidConfiguration when it cannot be read."""
    try:
        parts = urlsplit(url.strip())
        user, password = parts.username, parts.password
    except ValueError as error:
        # The text may hold a password: it is not repeated.
        raise InvalidConfiguration("The URL cannot be read.", field="url") from error
    if "@" not in parts.netloc:
        return Address(url.strip(), None, None)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return Address(
        bare, unquote(user) if user is not None else None, unquote(password) if password is not None else None
    )


def credentials_of(*addresses: Address | None) -> Address:
    """The address that holds the user and password of one camera; both streams are asked for with the same.

    Raises InvalidConfiguration when the addresses hold different ones.
    """
    found = [one for one in addresses if one is not None and (one.user, one.password) != (None, None)]
    if len({(one.user, one.password) for one in found}) > 1:
        text = "The two streams' URLs hold different users or passwords; a camera has one."
        raise InvalidConfiguration(text, field="user")
    return found[0] if found else Address("", None, None)


def read_password(file: Path | None, user: str | None, in_url: str | None) -> str | None:
    """The password from the file, the URL, or asked for when a user was named; None: none was given."""
    if file is not None:
        try:
            text = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidConfiguration(f"The password file {file} cannot be read.", field="password") from error
        return text.rstrip("\r\n")
    if in_url is not None:
        return in_url
    if user is not None and sys.stdin.isatty():
        return getpass.getpass("Password at the camera: ")
    return None


def add(
    name: Annotated[str, typer.Argument(help="What people call the camera.")],
    url: Annotated[
        str, typer.Argument(help="Its stream: rtsp://, rtsps://, rtsp+udp://, rtmp://, http(s)://, file://")
    ],
    directory: Dir = None,
    sub: Sub = None,
    user: User = None,
    password_file: PasswordFile = None,
    site: Site = None,
    days: Days = None,
    record_sub: RecordSub = None,
    order: Order = None,
    as_json: Json = False,
) -> None:
    """Add a camera; a running node records it at once.

    A user and password in the URL are taken out of it and kept sealed. A password on a command line can be
    seen by other users of the machine while the command runs: --password-file avoids that.

    Example: xomyen camera add "Cổng chợ" rtsp://192.168.1.20/stream1 --user admin --password-file camera.txt
    """
    main = take_credentials_out(url)
    second = take_credentials_out(sub) if sub else None
    given = credentials_of(main, second)
    user = user if user is not None else given.user
    password = read_password(password_file, user, given.password)

    async def work() -> CameraRecord:
        async with node_bus(node_folder(directory), create=True) as bus:
            number = order if order is not None else _after_the_last(await bus.configuration.cameras())
            config = _checked(
                id=new_id(),
                name=name,
                site=site or "",
                main=StreamConfig(url=main.url),
                sub=StreamConfig(url=second.url, record=bool(record_sub)) if second else None,
                user=user or "",
                sealed_password=await _sealed(bus, password),
                order=number,
                **({"retention_days": days} if days is not None else {}),
            )
            return await bus.configuration.put(config, 0)

    record = finish(work())
    if as_json:
        print_json(_plain(record))
    else:
        print(f"Added {record.config.name} ({record.config.id}).")


def _checked(**values: object) -> CameraConfig:
    try:
        return CameraConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        nameless = (field, first["type"]) == ("name", "string_too_short")
        text = "A camera needs a name" if nameless else f"{field}: {first['msg']}"
        raise InvalidConfiguration(f"{text}.", field=field) from error


def _after_the_last(cameras: tuple[CameraRecord, ...]) -> int:
    return max((record.config.order for record in cameras), default=0) + 1


async def _sealed(bus: NodeBus, password: str | None) -> str:
    if not password:
        return ""
    from xomyen.bus.sealing import seal

    return seal(password, base64.b64decode((await bus.configuration.secrets_key()).public))


def _plain(record: CameraRecord) -> dict[str, object]:
    """A camera for --json: everything but the sealed password."""
    return {
        **record.config.model_dump(mode="json", exclude={"sealed_password"}),
        "password": bool(record.config.sealed_password),
        "revision": record.revision,
    }


def edit(
    name: Name,
    directory: Dir = None,
    new_name: Annotated[str | None, typer.Option("--name", help="A new name.", show_default=False)] = None,
    url: Annotated[str | None, typer.Option("--url", help="A new URL.", show_default=False)] = None,
    sub: Annotated[str | None, typer.Option("--sub", help='URL of the smaller stream; "" takes it away.')] = None,
    user: User = None,
    password_file: PasswordFile = None,
    site: Site = None,
    days: Days = None,
    record_sub: RecordSub = None,
    order: Order = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Switch recording on or off.")] = None,
    as_json: Json = False,
) -> None:
    """Change a camera; what is not named stays. Other cameras are not disturbed.

    Example: xomyen camera edit "Cổng chợ" --days 60
    """
    main = take_credentials_out(url) if url else None
    second = take_credentials_out(sub) if sub else None
    given = credentials_of(main, second)
    new_user = user if user is not None else given.user
    password = read_password(password_file, user, given.password)

    async def work() -> CameraRecord:
        async with node_bus(node_folder(directory)) as bus:
            record = await bus.configuration.camera(name)
            old = record.config
            sub_stream = old.sub
            if sub is not None:
                sub_stream = (
                    StreamConfig(url=second.url, record=old.sub.record if old.sub else False) if second else None
                )
            if record_sub is not None:
                if sub_stream is None:
                    raise InvalidConfiguration(f"{old.name} has no smaller stream to record.", field="sub")
                sub_stream = sub_stream.model_copy(update={"record": record_sub})
            changed = {
                "name": new_name,
                "main": StreamConfig(url=main.url, record=old.main.record) if main else None,
                "user": new_user,
                "sealed_password": await _sealed(bus, password) if password is not None else None,
                "site": site,
                "retention_days": days,
                "order": order,
                "enabled": enabled,
            }
            values = {**dict(old), **{key: value for key, value in changed.items() if value is not None}}
            config = _checked(**{**values, "sub": sub_stream})
            return await bus.configuration.put(config, record.revision)

    asked = (new_name, url, sub, user, password_file, site, days, record_sub, order, enabled)
    if all(one is None for one in asked):
        raise InvalidConfiguration("Nothing to change was named; `xomyen camera edit --help` shows what can be.")
    record = finish(work())
    if as_json:
        print_json(_plain(record))
    else:
        print(f"Changed {record.config.name}.")


def remove(name: Name, directory: Dir = None) -> None:
    """Take a camera out. What it recorded stays until its time is over.

    Example: xomyen camera remove "Cổng chợ"
    """

    async def work() -> CameraRecord:
        async with node_bus(node_folder(directory)) as bus:
            record = await bus.configuration.camera(name)
            await bus.configuration.remove(record.config.id, record.revision)
            return record

    record = finish(work())
    print(
        f"Removed {record.config.name}; its recordings are kept for {counted(record.config.retention_days, 'day')}, "
        f"under its name and its id {record.config.id}."
    )


def list_cameras(
    directory: Dir = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were removed; their footage may still be there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the cameras: name, id, state, since when, and why.

    Example: xomyen camera list --json
    """

    async def work() -> tuple[tuple[CameraRecord, ...], _States]:
        async with node_bus(node_folder(directory)) as bus:
            cameras = await bus.configuration.cameras()
            gone = await bus.configuration.removed() if everything else ()
            return (*cameras, *gone), await _states(bus)

    cameras, states = finish(work())
    if as_json:
        print_json([_status(record, states) for record in cameras])
    else:
        _print_table(cameras, states)


@dataclass(frozen=True, slots=True)
class _States:
    """What the streams do, and why nothing is known of those that are missing."""

    known: dict[tuple[str, StreamName], CameraEvent]
    otherwise: str


async def _states(bus: NodeBus) -> _States:
    if not bus.serving:
        return _States({}, "the node is not running")
    try:
        subject = subjects.service(bus.node, "recorder", "state")
        state = await ask(bus.client, subject, Empty(), RecorderState, seconds=3)
    except NotRunning:
        # The recorder is being started again: the list still shows what is configured.
        return _States({}, await _trouble(bus))
    return _States({(event.camera, event.stream): event for event in state.streams}, "not heard of yet")


async def _trouble(bus: NodeBus) -> str:
    """Why the recorder does not answer, in its supervisor's words."""
    try:
        health = await ask(bus.client, subjects.service(bus.node, "node", "health"), Empty(), NodeHealth, seconds=3)
    except NotRunning:
        return "the recorder does not answer"
    return next(
        (f"the recorder {part.detail}" for part in health.parts if part.name == "recorder" and part.detail),
        "the recorder is starting",
    )


def _shown(record: CameraRecord, stream: StreamName, states: _States) -> dict[str, str | None]:
    """State, since, reason and detail of one stream."""
    if record.removed_ns is not None:
        return {"state": REMOVED, "since": format_utc(record.removed_ns), "reason": None, "detail": ""}
    event = states.known.get((record.config.id, stream))
    if not record.config.enabled:
        since = format_utc(event.since_ns) if event else None
        return {"state": CameraState.DISABLED.value, "since": since, "reason": GapReason.POLICY.value, "detail": ""}
    if event is None:
        return {
            "state": CameraState.NOT_RECORDING.value,
            "since": None,
            "reason": GapReason.NODE_STOPPED.value,
            "detail": states.otherwise,
        }
    return {
        "state": event.state.value,
        "since": format_utc(event.since_ns),
        "reason": event.reason.value if event.reason else None,
        "detail": event.detail,
    }


def _status(record: CameraRecord, states: _States) -> dict[str, object]:
    config = record.config
    streams = [StreamName.MAIN, *([StreamName.SUB] if config.sub else [])]
    return {
        **_plain(record),
        **_shown(record, StreamName.MAIN, states),
        "streams": {stream.value: _shown(record, stream, states) for stream in streams},
    }


def _print_table(cameras: tuple[CameraRecord, ...], states: _States) -> None:
    if not cameras:
        print("No cameras yet; `xomyen camera add NAME URL` adds one.")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("NAME", "ID", "STATE", "SINCE", "WHY", box=None, pad_edge=False)
    for record in cameras:
        shown = _shown(record, StreamName.MAIN, states)
        why = ": ".join(part for part in (shown["reason"], shown["detail"]) if part)
        table.add_row(record.config.name, record.config.id, shown["state"] or "", shown["since"] or "", why)
    # Into a pipe the lines must not be cut to a terminal's width.
    console = Console() if sys.stdout.isatty() else Console(width=500)
    console.print(table)
