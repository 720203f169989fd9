"""Puts an invented commune, read from a table, into the database once; what people change there later stays."""

from typing import Any, NamedTuple

from django.db import transaction

from xomyen.centre.accounts.models import Appointment, User
from xomyen.centre.demo.places import Cameras, put_classes, put_node, put_sites
from xomyen.centre.organisation.models import Jurisdiction, Post, Scheme, Succession, SuccessionKind, Unit, UnitLink

Table = dict[str, Any]


class Place(NamedTuple):
    """The node beside the centre."""

    node: str  # its id
    address: str  # where browsers reach it


def fill(table: Table, place: Place, cameras: Cameras) -> list[User]:
    """Fills the centre, all or nothing; the people of the table, in its order.

    A centre that has the commune already keeps what people made of it: only the node's address is brought up to
    date, and cameras it has not had yet are added. What changed of the others on the node, it learns from there.
    """
    with transaction.atomic():
        units = put_units(table)
        if not Appointment.objects.filter(unit=units[table["commune"]]).exists():
            put_people(table, units, put_posts(table, units))
            put_scheme(table, units)
            put_classes(table)
        node = put_node(table, units[table["commune"]], place.node, place.address)
        put_sites(table, units, node, cameras)
    known = {
        person.username: person for person in User.objects.filter(username__in=[p["user"] for p in table["person"]])
    }
    return [known[person["user"]] for person in table["person"] if person["user"] in known]


def put_units(table: Table) -> dict[str, Unit]:
    """The units by code; of a code that was given twice, the unit of today."""
    found: dict[str, Unit] = {}
    for row in table["unit"]:
        unit = _unit(row)
        for link in row.get("in", ()):
            UnitLink.objects.get_or_create(
                unit=unit,
                valid_from=link.get("from"),
                defaults={"parent": found[link["code"]], "valid_to": link.get("until")},
            )
        for code in row.get("formed_from", ()):
            Succession.objects.get_or_create(
                predecessor=found[code], successor=unit, on=row["from"], defaults={"kind": SuccessionKind.MERGE}
            )
        found[row["code"]] = unit
    return found


def _unit(row: Table) -> Unit:
    """The unit of this row: one that the register of official units brought counts as well."""
    same = Unit.objects.filter(code=row["code"], kind=row["kind"], valid_to=row.get("until"))
    known = same.filter(name=row["name"]).first()
    if known is not None:
        return known
    return Unit.objects.create(
        code=row["code"],
        kind=row["kind"],
        type_name=row["type"],
        name=row["name"],
        latitude=row.get("latitude"),
        longitude=row.get("longitude"),
        valid_from=row.get("from"),
        valid_to=row.get("until"),
        official=row["kind"] != "group",
    )


def put_posts(table: Table, units: dict[str, Unit]) -> dict[str, Post]:
    """The posts by their key in the table, each answerable for its unit."""
    found = {}
    for row in table["post"]:
        post, _ = Post.objects.get_or_create(
            name=row["name"], kind=row["kind"], defaults={"valid_from": row.get("from")}
        )
        Jurisdiction.objects.get_or_create(post=post, unit=units[row["unit"]], valid_from=row.get("from"))
        found[row["key"]] = post
    return found


def put_people(table: Table, units: dict[str, Unit], posts: dict[str, Post]) -> None:
    """People without passwords: they come in by links."""
    for row in table["person"]:
        person, made = User.objects.get_or_create(
            username=row["user"], defaults={"full_name": row["name"], "rank": row["rank"]}
        )
        if made:
            person.set_unusable_password()
            person.save()
        for held in row["roles"]:
            where = {"unit": units[held["unit"]]} if "unit" in held else {"post": posts[held["post"]]}
            Appointment.objects.get_or_create(user=person, role=held["role"], **where)


def put_scheme(table: Table, units: dict[str, Unit]) -> None:
    """The local camera model with its groups."""
    row = table["scheme"]
    scheme, _ = Scheme.objects.get_or_create(
        name=row["name"], unit=units[row["unit"]], defaults={"launched": row["launched"]}
    )
    scheme.groups.set(units[code] for code in row["groups"])
