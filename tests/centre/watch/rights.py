"""A province in which somebody of each kind has rights, and what those rest on."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from tests.centre.conftest import Appoint, Province

from xomyen.centre.accounts.models import Appointment, PairedScreen, User
from xomyen.centre.accounts.screens import begin, confirm
from xomyen.centre.cameras.models import Camera, CameraClass, Site
from xomyen.centre.dates import today
from xomyen.centre.organisation.models import Jurisdiction, Post, Unit, UnitLink
from xomyen.centre.organisation.services import recording
from xomyen.centre.permissions.roles import Role
from xomyen.centre.watch.models import AccessEnd

DAY = datetime.timedelta(days=1)
KEY = "A" * 43  # the thumbprint of a device's key


@dataclass
class Place:
    """The province with somebody of each kind, by what the tables call them."""

    province: Province
    people: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def admin(self) -> User:
        found: User = self.extra["admin"]
        return found

    def entry(self) -> recording.Entry:
        return recording.Entry(self.admin, today())

    def camera(self, **values: Any) -> None:
        row = Camera.objects.get(pk=self.province.public.pk)
        for name, value in values.items():
            setattr(row, name, value)
        row.save()

    def post_answers(self) -> Jurisdiction:
        return Jurisdiction.objects.get(post=self.province.duty_room)

    def link(self) -> UnitLink:
        return UnitLink.objects.get(unit=self.province.group)

    def role(self) -> Appointment:
        return Appointment.objects.get(user=self.people["officer"])

    def site(self) -> Site:
        return Site.objects.get(pk=self.province.public.site_id)

    def post(self) -> Post:
        return Post.objects.get(pk=self.province.duty_room.pk)

    def screen(self) -> PairedScreen:
        return PairedScreen.objects.get(pk=self.people["television"].pk)


def _paired(by: User, name: str, place: Unit | Post) -> PairedScreen:
    screen, _ = begin("192.0.2.7")
    confirm(by, screen, name, place)
    return PairedScreen.objects.get(pk=screen.pk)


def make_place(province: Province, appoint: Appoint) -> Place:
    """All of them."""
    commander = appoint(Role.DUTY_COMMANDER, unit=province.commune)
    people = {
        "officer": appoint(Role.DUTY_OFFICER, unit=province.commune),
        "at post": appoint(Role.INVESTIGATOR, post=province.duty_room),
        "chair": appoint(Role.COMMITTEE_CHAIR, unit=province.commune),
        "group head": appoint(Role.GROUP_HEAD, unit=province.group),
        "above": appoint(Role.COMMAND_CENTRE, unit=province.province),
        "elsewhere": appoint(Role.DUTY_OFFICER, unit=province.other_commune),
        "television": _paired(commander, "TV nhà văn hóa", province.group),
        "post's screen": _paired(commander, "TV trực ban", province.duty_room),
    }
    Appointment.objects.filter(user=commander).delete()
    PairedScreen.objects.update(valid_from=today() - 10 * DAY)
    AccessEnd.objects.all().delete()
    extra = {
        "admin": appoint(Role.ADMINISTRATOR, unit=province.province),
        "asking": CameraClass.objects.create(name="Riêng", past_needs_purpose=True),
        "site": Site.objects.create(unit=province.other_commune, code="S-9", name="Bến đò"),
    }
    return Place(province, people, extra)
