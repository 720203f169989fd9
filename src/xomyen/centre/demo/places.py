"""The node, sites and cameras of an invented commune."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.models import Acceptance, AcceptanceStep, Camera, CameraClass, Node, Site, Standing
from xomyen.centre.organisation.models import Unit

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A camera as the node has it."""

    id: str
    code: str
    name: str
    order: int
    main_url: str
    sub_url: str


Cameras = list[Recorded]


def put_classes(table: Table) -> None:
    """How long footage of which cameras is kept."""
    for row in table["class"]:
        CameraClass.objects.update_or_create(
            name=row["name"],
            defaults={"retention_days": row["days"], "past_needs_purpose": row.get("past_needs_purpose", False)},
        )


def put_node(table: Table, unit: Unit, key: str, address: str) -> Node:
    """The node; its address is where it listens this time."""
    node, _ = Node.objects.get_or_create(
        id=uuid.UUID(key), defaults={"unit": unit, "name": table["node"], "address": address}
    )
    if node.address != address:
        node.address = address
        node.save()
    return node


def put_sites(table: Table, units: dict[str, Unit], node: Node, cameras: Cameras) -> None:
    """Sites and cameras; cameras that the table does not have stand at a site of their own."""
    wanted = {camera.code: camera for camera in cameras}
    for row in table["site"]:
        rows = {one["code"]: one for one in row["cameras"] if one["code"] in wanted}
        if not rows:
            continue
        site = _site(units[row["unit"]], row)
        for code, one in rows.items():
            _put_camera(table, {**one, "purpose": row["purpose"]}, site, node, wanted.pop(code))
    if wanted:
        site = _site(units[table["commune"]], table["other_site"])
        for camera in wanted.values():
            one = {"owner": table["other_site"]["owner"], "purpose": table["other_site"]["purpose"]}
            _put_camera(table, one, site, node, camera)


def _site(unit: Unit, row: Table) -> Site:
    position = {"name": row["name"], "latitude": row["latitude"], "longitude": row["longitude"]}
    return Site.objects.get_or_create(unit=unit, code=row["code"], defaults=position)[0]


def _put_camera(table: Table, row: Table, site: Site, node: Node, recorded: Recorded) -> None:
    """A new camera; one that is there, or was and is retired, is what people made of it."""
    if Camera.objects.filter(pk=recorded.id).exists() or site.cameras.filter(code=recorded.code).exists():
        return
    owner = next(owner for owner in table["owner"] if owner["name"] == row["owner"])
    camera = Camera.objects.create(
        id=uuid.UUID(recorded.id),
        site=site,
        node=node,
        code=recorded.code,
        name=recorded.name,
        order=recorded.order,
        purpose=row["purpose"],
        owner=owner["kind"],
        owner_name=owner["name"],
        funding=owner["funding"],
        camera_class=CameraClass.objects.get_or_create(name=owner["class"])[0],
        is_public=row.get("public", True),
        azimuth_deg=row.get("azimuth"),
        ptz=row.get("ptz", False),
        masks=row.get("masks", []),
        main_url=recorded.main_url,
        sub_url=recorded.sub_url,
        acceptance=Acceptance.ACCEPTED,
        standing=Standing.PENDING,
        standing_since=timezone.now(),
    )
    AcceptanceStep.objects.create(
        camera=camera,
        state=Acceptance.ACCEPTED,
        at=timezone.now(),
        by=User.objects.filter(username=table["accepted_by"]).first(),
    )
