"""Run by `bench.centre` in a process of its own: fills a centre, serves it, and times its pages and API.

``python -m bench.centre_pages FOLDER CAMERAS NODES UNITS USERS TIMES``; the database is that of the environment. Prints
JSON: {address: {"passed": [seconds, …], "processor": seconds of the web's processes for one answer}}.
"""

import asyncio
import contextlib
import datetime
import json
import logging
import os
import re
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from xomyen.cli.centre import answering, centre_parts, prepare_centre

_AUDIT = 20_000
_A_SITE = 3  # cameras
_FIRST = 4
_PAGES = (
    "/live",
    "/map",
    "/watch/map/places",
    "/watch/map/places?in=106,21,106.2,21.5&zoom=10",
    "/watch/map/places?q=nga+tu+7",
    "/watch/cameras",
    "/watch/cameras?unit={commune}",
    "/watch/cameras?q=c%E1%BB%95ng",
    "/watch/layouts",
    "/together",
    "/bookmarks",
    "/cameras/",
    "/cameras/?q=cong+4",
    "/cameras/add/",
    "/cameras/{camera}/",
    "/cameras/{camera}/edit/",
    "/cameras/{camera}/masks/",
    "/cameras/{camera}/state/",
    "/cameras/classes/",
    "/cameras/import/",
    "/cameras/import/template/",
    "/camera/{camera}",
    "/sites/",
    "/sites/{site}/",
    "/recorders/",
    "/recorders/{node}/",
    "/recorders/{node}/discover/",
    "/units/",
    "/units/?q=xa+20",
    "/units/?on=2025-08-01",
    "/units/open/",
    "/units/{unit}/",
    "/units/{unit}/children/",
    "/units/{unit}/change/merge/",
    "/units/{unit}/change/split/",
    "/posts/",
    "/schemes/",
    "/documents/",
    "/people/",
    "/people/?q=so+40",
    "/people/{person}/",
    "/people/{person}/appoint/",
    "/people/places/?q=xa",
    "/people/invite/",
    "/screens/",
    "/regulations/",
    "/audit/",
    "/audit/?who=so+40",
    "/audit/?unit=xa",
    "/audit/?camera=cong+4",
    "/me/",
    "/me/tokens/",
    "/account/sessions/",
)
# What of it shows all that somebody may see, asked by somebody with a role in every province.
_WIDE = (
    *("/live", "/map", "/watch/map/places", "/watch/cameras", "/watch/layouts", "/together", "/camera/{camera}"),
    *("/bookmarks", "/cameras/", "/sites/", "/recorders/", "/people/", "/audit/"),
    *("/units/", "/posts/", "/schemes/", "/documents/"),
)
_TICKETS = "/watch/tickets"
_WISHES: tuple[dict[str, Any], ...] = ({"use": "live"}, {"use": "past", "cameras": ["{camera}"]})
_API = (
    *("units", "units/{unit}", "cameras", "cameras/{camera}", "sites", "sites/{site}", "nodes", "nodes/{node}"),
    *("units/{unit}/lineage", "units/{unit}/changes", "open-matters", "camera-classes", "me", "me/roles"),
    *("cameras/{camera}/state", "cameras/{camera}/steps", "cameras/{camera}/changes", "people", "people/{person}"),
    *("people/{person}/appointments", "people/{person}/access", "regulations", "me/regulations", "audit"),
    *("posts", "documents", "schemes", "layouts", "bookmarks", "screens"),
    *("openapi.json", "audit?camera=cong+4", "cameras?q=cong+4&limit=200"),
)


def main() -> None:
    folder = Path(sys.argv[1])
    cameras, nodes, units, users, times = map(int, sys.argv[2:7])
    prepare_centre(folder)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    known = fill(cameras, nodes, units, users)
    json.dump(asyncio.run(_measure(folder, known, times)), sys.stdout)


def fill(cameras: int, nodes: int, units: int, users: int) -> dict[str, str]:
    """The rows, and of each kind one to look at; somebody who may see everything of the province."""
    from xomyen.centre.organisation.models import Unit, UnitLink

    day = datetime.date(2025, 7, 1)
    made = [_unit(number, day) for number in range(units)]
    Unit.objects.bulk_create(made, 1000)
    # A province with 98 communes and all that is asked for; other provinces beside it.
    provinces, communes = made[: max(1, units // 98)], made[max(1, units // 98) :]
    links = [
        UnitLink(unit=commune, parent=provinces[number // 98 % len(provinces)], valid_from=day)
        for number, commune in enumerate(communes)
    ]
    UnitLink.objects.bulk_create(links, 1000)
    own = communes[:98] or provinces
    found = _places(own, cameras, nodes)
    found |= _people(provinces[0], own, users)
    _records(own)
    found |= _of_every_province(provinces)
    return {**found, "unit": str(provinces[0].pk), "commune": str(own[0].pk)}


def _unit(number: int, day: datetime.date) -> Any:
    from xomyen.centre.folding import fold
    from xomyen.centre.organisation.models import Unit, UnitKind

    kind, word = (UnitKind.PROVINCE, "Tỉnh") if number < 34 else (UnitKind.COMMUNE, "Xã")
    name = f"Số {number}"
    return Unit(
        code=f"9{number:04d}", kind=kind, type_name=word, name=name, folded=fold(f"{word} {name}"), valid_from=day,
        latitude=21 + number % 100 / 100, longitude=106 + number // 100 / 100,
    )  # fmt: skip


def _places(units: list[Any], cameras: int, nodes: int) -> dict[str, str]:
    from django.utils import timezone
    from simple_history.utils import bulk_create_with_history

    from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, Node, Site, Standing
    from xomyen.centre.folding import fold

    kept = CameraClass.objects.get_or_create(name="Công cộng")[0]
    boxes = [
        Node(unit=units[n % len(units)], name=f"Đầu ghi {n}", address="http://127.0.0.1:8460", answers=True,
             since=timezone.now())
        for n in range(nodes)
    ]  # fmt: skip
    Node.objects.bulk_create(boxes)
    sites = [
        Site(unit=units[n % len(units)], code=f"S{n:04d}", name=f"Ngã tư {n}", folded=fold(f"S{n:04d} Ngã tư {n}"),
             latitude=21 + n % 100 / 100, longitude=106 + n // 100 / 100)
        for n in range(-(-cameras // _A_SITE))
    ]  # fmt: skip
    Site.objects.bulk_create(sites, 1000)
    rows = [
        Camera(site=sites[n // _A_SITE], node=boxes[n // _A_SITE % len(units) % nodes], code=f"C{n:04d}",
               name=f"Cổng {n}", folded=fold(f"C{n:04d} Cổng {n} Ngã tư {n // _A_SITE}"), purpose="Trật tự",
               camera_class=kept, acceptance=Acceptance.ACCEPTED, order=n, main_url=f"rtsp://192.0.2.1/{n}",
               sub_url=f"rtsp://192.0.2.1/{n}/sub", standing=Standing.IN_FORCE)
        for n in range(cameras)
    ]  # fmt: skip
    bulk_create_with_history(rows, Camera, batch_size=1000)
    return {"camera": str(rows[-1].pk), "site": str(sites[-1].pk), "node": str(boxes[-1].pk)}


def _people(province: Any, units: list[Any], users: int) -> dict[str, str]:
    from xomyen.centre.accounts.models import Appointment, User
    from xomyen.centre.folding import fold
    from xomyen.centre.permissions.roles import Role

    people = [
        User(
            username=f"nguoi{n}", full_name=f"Lương Khê Số {n}", folded=fold(f"Lương Khê Số {n} nguoi{n}"), password="!"
        )
        for n in range(users)
    ]
    User.objects.bulk_create(people, 500)
    roles = (Role.POLICE_HEAD, Role.TECHNICIAN, Role.AUDITOR, Role.ADMINISTRATOR, Role.COMMAND_CENTRE)
    Appointment.objects.bulk_create(
        [Appointment(user=people[0], role=role, unit=province) for role in roles]
        + [
            Appointment(user=one, role=Role.DUTY_OFFICER, unit=units[n % len(units)])
            for n, one in enumerate(people[1:])
        ],
        500,
    )
    return {"person": str(people[-1].pk), "cookie": _session(people[0]), "token": token_of(people[0])}


def _of_every_province(provinces: list[Any]) -> dict[str, str]:
    from xomyen.centre.accounts.models import Appointment, User
    from xomyen.centre.permissions.roles import Role

    person = User.objects.create(username="toanquoc", full_name="Lương Khê Toàn Quốc", password="!")
    Appointment.objects.bulk_create(
        [Appointment(user=person, role=Role.COMMAND_CENTRE, unit=province) for province in provinces]
        + [Appointment(user=person, role=Role.AUDITOR, unit=province) for province in provinces]
    )
    return {"wide": _session(person)}


def _session(person: Any) -> str:
    """A session as signing in with a second factor makes it."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from xomyen.centre.accounts.services import OWNER_LINK, STRONG

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store[STRONG] = OWNER_LINK
    store.create()
    return str(store.session_key)


def token_of(person: Any) -> str:
    from xomyen.centre.api.scopes import Scope
    from xomyen.centre.api.tokens import make_token

    return make_token(person, "bench", Scope.values, datetime.timedelta(days=1), strong=True)[1]


def _records(units: list[Any]) -> None:
    """An audit log of some length; its hashes are not looked at here."""
    from xomyen.centre.audit.models import Head, Record

    now = time.time_ns()
    rows = [
        Record(sequence=n, digest="0" * 64, hash="0" * 64, at_ns=now - (_AUDIT - n) * 10**9, action="camera.live",
               person=str(uuid.uuid4()), person_name=f"Lương Khê Số {n % 500}", person_folded=f"luong khe so {n % 500}",
               kind="look", thing_type="camera", thing=str(n % 250), thing_label=f"C{n % 250:04d} Cổng",
               unit=units[n % len(units)].pk, unit_label="Xã")
        for n in range(1, _AUDIT + 1)
    ]  # fmt: skip
    Record.objects.bulk_create(rows, 1000)
    Head.objects.update_or_create(id=1, defaults={"sequence": _AUDIT, "hash": "0" * 64, "at_ns": now})


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, and what it is called in the result."""

    name: str
    address: str
    headers: dict[str, str]
    body: str | None = None


async def _measure(folder: Path, known: dict[str, str], times: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    async with _served(folder) as (url, web), httpx.AsyncClient(base_url=url, timeout=60) as client:
        for asked in await _questions(client, known):
            for _ in range(_FIRST):  # each of the processes reads its templates once
                await _ask(client, asked)
            before = _processor(web)
            passed = [await _ask(client, asked) for _ in range(times)]
            found[asked.name] = {"passed": passed, "processor": (_processor(web) - before) / times}
    return found


async def _questions(client: httpx.AsyncClient, known: dict[str, str]) -> list[_Asked]:
    bearer = {"Authorization": f"Bearer {known['token']}"}
    everybody = [("", known["cookie"], _PAGES), (" (every province)", known["wide"], _WIDE)]
    asked = []
    for who, session, pages in everybody:
        cookie = {"Cookie": f"xomyen_centre={session}"}
        asked += [_Asked(page.format(**known) + who, page.format(**known), cookie) for page in pages]
        form = await client.get("/live", headers=cookie)
        token = re.search('name="csrf-token" content="([^"]+)"', form.text)
        writing = {**cookie, "X-CSRFToken": token[1] if token else "", "Content-Type": "application/json"}
        for wish in _WISHES:
            body = json.dumps(wish).replace("{camera}", known["camera"])
            asked.append(_Asked(f"{_TICKETS} {wish['use']}{who}", _TICKETS, writing, body))
    return asked + [
        _Asked(f"/api/v1/{path.format(**known)}", f"/api/v1/{path.format(**known)}", bearer) for path in _API
    ]


def _processor(web: psutil.Process) -> float:
    """Seconds that the web's processes have used."""
    times = [one.cpu_times() for one in (web, *web.children(recursive=True))]
    return sum(one.user + one.system for one in times)


async def _ask(client: httpx.AsyncClient, asked: _Asked) -> float:
    begin = time.perf_counter()
    answer = await client.request(
        "GET" if asked.body is None else "POST", asked.address, headers=asked.headers, content=asked.body
    )
    passed = time.perf_counter() - begin
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{asked.name} answered {answer.status_code} {answer.headers.get('location', '')}")
    return passed


@contextlib.asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[tuple[str, psutil.Process]]:
    """The web's processes as `centre serve` runs them; the process behind the pages has nothing to do here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    os.environ["XOMYEN_CENTRE_LOG_LEVEL"] = "warning"
    os.environ["XOMYEN_CENTRE_REQUESTS_PER_MINUTE"] = "1000000"  # one person asks here as hundreds do
    web = centre_parts(listen)[0]
    await web.start()
    try:
        await answering(f"http://{listen}/account/login/")
        yield f"http://{listen}", psutil.Process(web.state.pid)
    finally:
        await web.stop()


if __name__ == "__main__":
    main()
