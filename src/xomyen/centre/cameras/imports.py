"""Takes in cameras from a table: every row is checked first, and all are taken in or none."""

import contextlib
import datetime
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from xomyen.centre.cameras import services
from xomyen.centre.cameras.columns import HEADINGS, keys_of
from xomyen.centre.cameras.factory_passwords import is_factory_password
from xomyen.centre.cameras.forms import units_for
from xomyen.centre.cameras.models import Acceptance, Camera, CameraClass, ImportBatch, Node, Owner, Site
from xomyen.centre.cameras.services import BEGINNINGS
from xomyen.centre.cameras.values import onvif_without_user, stream_parts, without_user
from xomyen.centre.folding import fold
from xomyen.centre.link.ask import sealed_for
from xomyen.centre.organisation.models import Unit
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible
from xomyen.terms.errors import NotRunning
from xomyen.terms.names import fold_name

_PLAIN = ("name", "purpose", "owner_name", "funding", "user", "manufacturer", "model", "serial_number", "firmware")
_NUMBERS = ("height_m", "azimuth_deg", "tilt_deg", "field_of_view_deg")
_YES = {"yes", "y", "1", "true", "co", "x", "cong cong"}
_NO = {"no", "n", "0", "false", "khong"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row, and what to do about it."""

    row: int  # as the spreadsheet counts, the heading is 1
    column: str
    text: str


@dataclass(slots=True)
class Planned:
    """What a row will do."""

    row: int
    camera: Camera
    site: Site
    new: bool
    changed: bool
    new_site: bool


@dataclass(slots=True)
class Checked:
    """All that the table would do, and all that is wrong with it."""

    planned: list[Planned] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    sites: dict[Any, Site] = field(default_factory=dict)  # those to make or change
    number: dict[str, int] = field(default_factory=dict)


def read_rows(person: Any, table: list[list[str]]) -> list[dict[str, str]]:
    """The table's rows by column, passwords sealed. Raises ValidationError when it is no table of cameras."""
    keys = keys_of(table[0])
    missing = [str(HEADINGS[key]) for key in ("site_code", "code") if key not in keys]
    if missing:
        raise ValidationError(
            _("The first row must hold the headings; %(missing)s is missing. Start from the template.")
            % {"missing": ", ".join(missing)}
        )
    if repeated := {key for key in keys if key is not None and keys.count(key) > 1}:
        names = ", ".join(sorted(str(HEADINGS[key]) for key in repeated))
        raise ValidationError(_("The heading %(names)s appears twice. Remove one column.") % {"names": names})
    rows = []
    for number, cells in enumerate(table[1:], 2):
        row = {key: cell for key, cell in zip(keys, cells, strict=False) if key is not None and cell}
        if row:
            rows.append({**row, "row": str(number)})
    if not rows:
        raise ValidationError(_("There are headings, but no cameras under them."))
    _seal(rows, {node.pk: node for node in visible(person, Action.NODE_SEE, Node.objects.all())})
    return rows


def _seal(rows: list[dict[str, str]], nodes: dict[Any, Node]) -> None:
    """No password is kept as it was typed, not even until the table is taken in."""
    names = _by_name(nodes.values())
    for row in rows:
        password = row.pop("password", "")
        row.update({name: onvif_without_user(row[name]) for name in row.keys() & {"onvif_address"}})
        for name in ("main_url", "sub_url"):
            if name in row:
                url, user, inside = _stream(row[name])
                password = password or inside
                if user:
                    row.setdefault("user", user)
                # What cannot be read as an address may hold a password all the same: its beginning is told as a fault.
                row[name] = without_user(row[name]) if url or "@" not in row[name] else "rtsp://"
        node = names.get(fold(row.get("node", "")))
        if password and node is not None:
            try:
                row["sealed"] = sealed_for(node, password)
                row |= {"factory_password": "yes"} if is_factory_password(password, row.get("user", "")) else {}
            except NotRunning:
                row["unsealed"] = "away"
        elif password:
            row["unsealed"] = "no recorder"


def _stream(text: str) -> tuple[str, str, str]:
    try:
        return stream_parts(text)
    except ValidationError:
        return "", "", ""


def _by_name(nodes: Any) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for node in nodes:
        found[str(node.pk)] = found[fold(node.name)] = node
    return found


class _Check:
    """One run over the rows, with everything they may name read beforehand."""

    def __init__(self, person: Any, unit: Unit) -> None:
        self.found = Checked()
        self.units = {one.code: one for one in units_for(person, Action.CAMERA_EDIT)}
        # The right to enter cameras there may have ended since the table was given in.
        self.unit = next((one for one in self.units.values() if one.pk == unit.pk), None)
        self.accepts = set(units_for(person, Action.CAMERA_ACCEPT).values_list("pk", flat=True))
        self.classes = {fold(one.name): one for one in CameraClass.objects.order_by("id")}
        self.nodes = _by_name(visible(person, Action.NODE_SEE, Node.objects.all()))
        sites = visible(person, Action.CAMERA_EDIT, Site.objects.all())
        self.sites = {(one.unit_id, one.code): one for one in sites}
        cameras = Camera.objects.filter(site__in=sites).select_related("site", "camera_class", "node")
        self.cameras = {(one.site_id, one.code): one for one in cameras}
        self.names = {
            (one.node_id, fold_name(str(one))): one.pk
            for one in Camera.objects.exclude(acceptance=Acceptance.RETIRED)
            .exclude(node=None)
            .only("node", "code", "name")
        }
        self.seen: dict[Any, int] = {}
        self.row: dict[str, str] = {}

    def fault(self, column: str, text: Any) -> None:
        self.found.faults.append(Fault(int(self.row["row"]), str(HEADINGS.get(column, "")), str(text)))

    def check(self, row: dict[str, str]) -> None:
        """Adds what the row does, or its faults."""
        self.row = row
        before = len(self.found.faults)
        for key, cell in row.items():
            if cell.startswith(("=", "@")):
                self.fault(key, _("Begins with %(sign)s like a formula. Write the value itself.") % {"sign": cell[0]})
        site, new_site = self._site()
        if site is None or len(self.found.faults) > before:
            return
        camera = self._camera(site)
        if camera is None:
            return
        new = camera._state.adding
        old = {} if new else _values(camera)
        self._fill(camera)
        self._once(camera, site)
        if len(self.found.faults) == before:
            changed = new or old != _values(camera)
            self.found.planned.append(Planned(int(row["row"]), camera, site, new, changed, new_site))

    def _site(self) -> tuple[Site | None, bool]:
        row = self.row
        code = row.get("site_code", "")
        if not code:
            self.fault("site_code", _("Empty. Every row needs a site code."))
            return None, False
        unit = self.units.get(row["unit"].upper()) if "unit" in row else self.unit
        if unit is None:
            self.fault("unit", _("No unit has this code, or you may not add cameras there. Check the code."))
            return None, False
        known = self.sites.get((unit.pk, code))
        site = known or Site(unit=unit, code=code, name=row.get("site_name", ""))
        if known is None and not site.name:
            self.fault("site_name", _("Empty, and there is no site %(code)s yet. Enter its name.") % {"code": code})
            return None, False
        old = (site.name, site.latitude, site.longitude)
        site.name = row.get("site_name", site.name)
        for name in ("latitude", "longitude"):
            if name in row:
                setattr(site, name, self._number(name, row[name]))
        if (site.latitude is None) != (site.longitude is None):
            self.fault("longitude", _("A position is both latitude and longitude. Write both or none."))
        self._clean(site, ("unit",), {"code": "site_code", "name": "site_name"})
        self.sites[(unit.pk, code)] = site
        if known is None or old != (site.name, site.latitude, site.longitude):
            self.found.sites[site.pk] = site
        return site, known is None

    def _camera(self, site: Site) -> Camera | None:
        code = self.row.get("code", "")
        if not code:
            self.fault("code", _("Empty. Every row needs a camera code."))
            return None
        camera = self.cameras.get((site.pk, code))
        if camera is None:
            first = next(iter(self.classes.values()), None)
            if first is None:
                self.fault("camera_class", _("There are no classes yet. Add one first."))
                return None
            camera = Camera(site=site, code=code, camera_class=first)
        elif camera.acceptance == Acceptance.RETIRED:
            self.fault("code", _("This camera is retired. Give the new one a code of its own."))
            return None
        if (site.pk, code) in self.seen:
            self.fault("code", _("Already in row %(row)s. Remove one.") % {"row": self.seen[(site.pk, code)]})
            return None
        self.seen[(site.pk, code)] = int(self.row["row"])
        return camera

    def _fill(self, camera: Camera) -> None:
        row, before, hosts = self.row, camera.node_id, camera.hosts()
        for name in (*_PLAIN, "certificate", "onvif_address"):
            if name in row:
                setattr(camera, name, row[name])
        for name in _NUMBERS:
            if name in row:
                setattr(camera, name, self._number(name, row[name]))
        for name in ("main_url", "sub_url"):
            if name in row:
                self._stream(camera, name)
        if "firmware_support_ends" in row:
            camera.firmware_support_ends = self._day("firmware_support_ends", row["firmware_support_ends"])
        self._chosen(camera)
        if "sealed" in row:
            camera.sealed_password = row["sealed"]
            camera.password_set = timezone.now()
            camera.factory_password = "factory_password" in row
        elif "unsealed" in row or (camera.node_id != before and camera.sealed_password):
            self.fault("password", self._why_unsealed())
        elif camera.sealed_password and not camera.hosts() <= hosts:
            self.fault("password", _("The camera's address has changed. Enter its password again."))
        self._clean(camera, ("site", "node", "camera_class"), {})

    def _why_unsealed(self) -> str:
        if self.row.get("unsealed") == "no recorder":
            return _("A password is sealed to its recorder. Name the recorder in this row.")
        if self.row.get("unsealed") == "away":
            return _("The recorder has never answered, so no password can be sealed to it. Leave it empty for now.")
        return _("The camera goes to another recorder. Write its password again, it is sealed to the recorder.")

    def _stream(self, camera: Camera, name: str) -> None:
        if self.row[name] == getattr(camera, name):
            return
        try:
            url, _user, _password = stream_parts(self.row[name])
        except ValidationError as error:
            self.fault(name, error.messages[0])
            return
        setattr(camera, name, url)

    def _chosen(self, camera: Camera) -> None:
        """What must be one of several."""
        row = self.row
        if "owner" in row:
            camera.owner = self._choice("owner", Owner.choices) or camera.owner
        if "acceptance" in row and camera._state.adding:
            state = self._choice("acceptance", [one for one in Acceptance.choices if one[0] in BEGINNINGS])
            camera.acceptance = state or camera.acceptance
            if state == Acceptance.ACCEPTED and camera.site.unit_id not in self.accepts:
                self.fault("acceptance", _("You may not accept cameras there. Enter it as installed."))
        if "camera_class" in row:
            found = self.classes.get(fold(row["camera_class"]))
            if found is None:
                names = ", ".join(one.name for one in self.classes.values())
                self.fault("camera_class", _("There is no such class. Write one of: %(names)s.") % {"names": names})
            else:
                camera.camera_class = found
        if "is_public" in row:
            word = fold(row["is_public"])
            if word not in _YES | _NO:
                self.fault("is_public", _("Write yes or no."))
            camera.is_public = word in _YES
        if "node" in row:
            node = self.nodes.get(fold(row["node"]))
            if node is None:
                self.fault("node", _("No such recorder. Write its name as on the Recorders page."))
            else:
                camera.node = node

    def _choice(self, column: str, choices: Any) -> Any:
        wanted = fold(self.row[column])
        for value, label in choices:
            with override("vi"):
                vietnamese = fold(str(label))
            with override("en"):
                english = fold(str(label))
            if wanted in (value, vietnamese, english):
                return str(value)
        self.fault(
            column, _("Write one of: %(names)s.") % {"names": ", ".join(str(label) for _value, label in choices)}
        )
        return None

    def _number(self, column: str, text: str) -> float | None:
        try:
            return float(text.replace(",", "."))
        except ValueError:
            self.fault(column, _("“%(text)s” is not a number.") % {"text": text[:40]})
            return None

    def _day(self, column: str, text: str) -> datetime.date | None:
        for written in ("%d/%m/%Y", "%Y-%m-%d"):
            with contextlib.suppress(ValueError):
                return datetime.datetime.strptime(text, written).date()
        self.fault(column, _("“%(text)s” is not a date. Write it as 31/12/2027.") % {"text": text[:40]})
        return None

    def _clean(self, thing: Any, exclude: tuple[str, ...], columns: dict[str, str]) -> None:
        """The rules of each single field."""
        try:
            thing.clean_fields(exclude=exclude)
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                self.fault(columns.get(name, name), " ".join(texts))

    def _once(self, camera: Camera, site: Site) -> None:
        """On one recorder code and name together differ by more than case and tone marks."""
        if camera.node_id is None or not camera.name:
            return
        other = self.names.setdefault((camera.node_id, fold_name(str(camera))), camera.pk)
        if other != camera.pk:
            self.fault("name", _("Another camera on this recorder already has this name. Choose another name or code."))


def _values(camera: Camera) -> dict[str, Any]:
    return {one.attname: getattr(camera, one.attname) for one in camera._meta.concrete_fields}


def check(person: Any, unit: Unit, rows: list[dict[str, str]]) -> Checked:
    """What the rows would do for this person, and what is wrong with them; nothing is written."""
    run = _Check(person, unit)
    for row in rows:
        run.check(row)
    planned = run.found.planned
    run.found.number = {
        "new": sum(one.new for one in planned),
        "changed": sum(one.changed and not one.new for one in planned),
        "same": sum(not one.changed for one in planned),
        "sites": len(run.found.sites),
        "factory_passwords": sum(one.camera.factory_password for one in planned),
    }
    return run.found


def take_in(person: Any, batch: ImportBatch) -> Checked:
    """Takes in the whole table, unless something is wrong with it by now: then nothing, and the faults are told."""
    with transaction.atomic():
        row = ImportBatch.objects.select_for_update().get(pk=batch.pk)
        found = check(person, row.unit, row.rows)
        if found.faults or row.taken_in is not None:
            return found
        for site in found.sites.values():
            services.save_site(site, None if site._state.adding else site.revision)
        for one in found.planned:
            if one.new:
                services.add_camera(one.camera, person)
            elif one.changed:
                newest = Camera.objects.values_list("revision", flat=True).get(pk=one.camera.pk)
                services.change_camera(one.camera, newest)
        row.taken_in = timezone.now()
        row.rows = []  # what was in it is in the register now
        row.save()
    return found
