"""The forms of changes of the tree."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xomyen.centre.dates import in_force, today
from xomyen.centre.organisation.forms.fields import Asked, DayField, LastDayField, UnitField, UnitsField, papers_of
from xomyen.centre.organisation.models import Unit, UnitKind, UnitLink, UnitQuerySet
from xomyen.centre.organisation.services import changes
from xomyen.centre.organisation.services.changes import Fresh
from xomyen.centre.organisation.services.handover import hand_over
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible

_LEVELS = list(UnitKind)
_NAMES = {"list": "type-names", "autocomplete": "off"}
TYPE_NAMES = {
    UnitKind.PROVINCE: ("Tỉnh", "Thành phố"),
    UnitKind.DISTRICT: ("Huyện", "Quận", "Thị xã", "Thành phố"),
    UnitKind.COMMUNE: ("Xã", "Phường", "Đặc khu", "Thị trấn"),
    UnitKind.GROUP: ("Tổ dân phố", "Thôn", "Xóm", "Bản", "Làng", "Ấp", "Khu phố", "Khóm", "Buôn", "Khu"),
}


def _editable(person: Any) -> UnitQuerySet:
    """The units of today that the person may change."""
    return visible(person, Action.UNIT_EDIT, Unit.objects.on(today())).order_by("code")


def _parent_of(unit: Unit) -> Unit | None:
    return Unit.objects.filter(pk__in=unit.parent_links.filter(in_force(today())).values("parent")).first()


def _siblings(person: Any, unit: Unit) -> UnitQuerySet:
    """Units of its kind beside it, which the person may change."""
    beside = UnitLink.objects.filter(in_force(today()), parent=_parent_of(unit)).values("unit")
    found = _editable(person).filter(kind=unit.kind, valid_to=None).exclude(pk=unit.pk)
    return found.filter(pk__in=beside) if unit.kind != UnitKind.PROVINCE else found


def below(unit: Unit) -> UnitQuerySet:
    """The units right under it today."""
    return Unit.objects.on(today()).filter(
        pk__in=UnitLink.objects.filter(in_force(today()), parent=unit).values("unit")
    )


class BasisForm(Asked):
    """From which day, and on which paper."""

    day = DayField(label=gettext_lazy("In force from"))
    document = forms.ModelChoiceField(
        None, label=gettext_lazy("Mandate document"), required=False, empty_label=gettext_lazy("no document")
    )
    basis = forms.CharField(
        label=gettext_lazy("Basis"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("if the document is not in the register"),
    )

    def prepare(self) -> None:
        self.fields["day"].initial = today()
        self.fields["document"].queryset = papers_of(self.unit)
        self.order_fields([name for name in self.fields if name not in ("day", "document", "basis")])


class AddForm(BasisForm):
    """A unit under this one."""

    kind = forms.ChoiceField(label=gettext_lazy("Level"))
    type_name = forms.CharField(label=gettext_lazy("Type"), max_length=40, widget=forms.TextInput(_NAMES))
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    code = forms.CharField(label=gettext_lazy("Official code"), max_length=20, required=False)
    latitude = forms.FloatField(
        label=gettext_lazy("Latitude"), required=False, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = forms.FloatField(
        label=gettext_lazy("Longitude"), required=False, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )

    def prepare(self) -> None:
        super().prepare()
        level = _LEVELS.index(UnitKind(self.unit.kind))
        kinds = _LEVELS[level + 1 :] or [UnitKind.GROUP]
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds if kind != UnitKind.DISTRICT]
        self.fields["type_name"].help_text = _("as written before the name: Xã, Phường, Thôn")
        self.fields["code"].help_text = _("Residential groups get their code by themselves.")
        if kinds == [UnitKind.GROUP]:
            del self.fields["code"]

    def carry_out(self) -> Unit:
        data = self.cleaned_data
        fresh = Fresh(
            data["kind"], data["type_name"], data["name"], data.get("code", ""), data["latitude"], data["longitude"]
        )
        return changes.create(fresh, self.unit, self.entry())


class CorrectForm(Asked):
    """What was typed wrongly."""

    type_name = forms.CharField(label=gettext_lazy("Type"), max_length=40, widget=forms.TextInput(_NAMES))
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    latitude = AddForm.base_fields["latitude"]
    longitude = AddForm.base_fields["longitude"]

    def prepare(self) -> None:
        for name, field in self.fields.items():
            field.initial = getattr(self.unit, name)

    def carry_out(self) -> Unit:
        changes.correct(self.unit, self.person, **self.cleaned_data)
        return self.unit


class RenameForm(BasisForm):
    """Another name from a day on."""

    type_name = forms.CharField(label=gettext_lazy("Type"), max_length=40, widget=forms.TextInput(_NAMES))
    name = forms.CharField(label=gettext_lazy("New name"), max_length=120)
    code = forms.CharField(
        label=gettext_lazy("Official code"), max_length=20, help_text=gettext_lazy("if it changes with the name")
    )

    def prepare(self) -> None:
        super().prepare()
        for name in ("type_name", "name", "code"):
            self.fields[name].initial = getattr(self.unit, name)
        if not self.unit.official:
            del self.fields["code"]

    def carry_out(self) -> Unit:
        data = self.cleaned_data
        changes.rename(self.unit, data["type_name"], data["name"], self.entry(), data.get("code", ""))
        return self.unit


class MoveForm(BasisForm):
    """Another parent from a day on."""

    parent = UnitField(None, label=gettext_lazy("New parent unit"))

    def prepare(self) -> None:
        super().prepare()
        now = _parent_of(self.unit)
        kinds = {now.kind} if now else set(_LEVELS[: _LEVELS.index(UnitKind(self.unit.kind))])
        if self.unit.kind == UnitKind.GROUP:
            kinds |= {UnitKind.COMMUNE}
        choices = _editable(self.person).filter(kind__in=kinds, valid_to=None).exclude(pk=self.unit.pk)
        if now is not None:
            choices = choices.exclude(pk=now.pk)
        if self.unit.kind == UnitKind.GROUP:  # within its province
            province = Unit.objects.above(self.unit.pk).filter(kind=UnitKind.PROVINCE).values_list("pk", flat=True)
            top = list(province) or list(Unit.objects.above(self.unit.pk).values_list("pk", flat=True))
            choices = choices.filter(pk__in=below_sql(top, today()))
        self.fields["parent"].queryset = choices

    def carry_out(self) -> Unit:
        changes.move(self.unit, self.cleaned_data["parent"], self.entry())
        return self.unit


class MergeForm(BasisForm):
    """Several units into one."""

    others = UnitsField(None, label=gettext_lazy("Merge with"))
    into = UnitField(
        None,
        label=gettext_lazy("Into"),
        required=False,
        empty_label=gettext_lazy("a new unit, named below"),
        help_text=gettext_lazy("one of the units, which continues and takes in the others"),
    )
    type_name = forms.CharField(
        label=gettext_lazy("Type of the new unit"), max_length=40, required=False, widget=forms.TextInput(_NAMES)
    )
    name = forms.CharField(label=gettext_lazy("Name of the new unit"), max_length=120, required=False)
    code = forms.CharField(label=gettext_lazy("Official code of the new unit"), max_length=20, required=False)

    def prepare(self) -> None:
        super().prepare()
        siblings = _siblings(self.person, self.unit)
        self.fields["others"].queryset = siblings
        self.fields["into"].queryset = siblings | _editable(self.person).filter(pk=self.unit.pk)
        if not self.unit.official:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        into = data.get("into")
        if into is None:
            for name in ("type_name", "name", "code"):
                if name in self.fields and not data.get(name):
                    self.add_error(name, _("The new unit needs this."))
        elif into != self.unit and into not in data.get("others", ()):
            self.add_error("into", _("Choose one of the units that merge."))
        return data

    def carry_out(self) -> Unit:
        data = self.cleaned_data
        fresh = Fresh(self.unit.kind, data["type_name"], data["name"], data.get("code", ""))
        return changes.merge([self.unit, *data["others"]], data["into"] or fresh, self.entry())


class SplitForm(BasisForm):
    """One unit into several; each unit below goes to one of them."""

    goes_on = forms.BooleanField(
        label=gettext_lazy("The unit itself continues; the parts are split off from it"), required=False
    )

    def __init__(self, *arguments: Any, parts: int = 2, **options: Any) -> None:
        self.parts = parts
        super().__init__(*arguments, **options)

    def prepare(self) -> None:
        super().prepare()
        official = self.unit.official
        for number in range(1, self.parts + 1):
            words = {"number": number}
            self.fields[f"type_name_{number}"] = forms.CharField(
                label=_("Part %(number)d: type") % words,
                max_length=40,
                required=False,
                initial=self.unit.type_name,
                widget=forms.TextInput(_NAMES),
            )
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("Part %(number)d: name") % words, max_length=120, required=False
            )
            if official:
                self.fields[f"code_{number}"] = forms.CharField(
                    label=_("Part %(number)d: official code") % words, max_length=20, required=False
                )
        choices = [("", _("stays, if the unit continues"))]
        choices += [(str(number), _("part %(number)d") % {"number": number}) for number in range(1, self.parts + 1)]
        self.children = {f"child_{child.pk.hex}": child for child in below(self.unit)}
        for name, child in self.children.items():
            self.fields[name] = forms.ChoiceField(
                label=_("Where %(unit)s goes") % {"unit": child}, choices=choices, required=False
            )
        self.order_fields([name for name in self.fields if name not in ("day", "document", "basis")])

    def _numbers(self) -> list[int]:
        return [number for number in range(1, self.parts + 1) if self.cleaned_data.get(f"name_{number}")]

    def carry_out(self) -> Unit:
        data = self.cleaned_data
        numbers = self._numbers()
        parts = [
            Fresh(self.unit.kind, data[f"type_name_{n}"], data[f"name_{n}"], data.get(f"code_{n}", "")) for n in numbers
        ]
        where: dict[Unit, int] = {}
        for name, child in self.children.items():
            if not data[name]:
                continue
            if int(data[name]) not in numbers:
                raise ValidationError(_("Part %(number)s has no name.") % {"number": data[name]})
            where[child] = numbers.index(int(data[name]))
        changes.split(self.unit, parts, self.entry(), data["goes_on"], where)
        return self.unit


class CloseForm(BasisForm):
    """The unit ends."""

    day = LastDayField(label=gettext_lazy("Last day"))
    successor = UnitField(
        None,
        label=gettext_lazy("Taken over by"),
        required=False,
        empty_label=gettext_lazy("nobody"),
        help_text=gettext_lazy("takes over the units below and whatever is still registered here"),
    )

    def prepare(self) -> None:
        super().prepare()
        self.fields["day"].initial = today() + datetime.timedelta(days=1)
        above = _parent_of(self.unit)
        choices = _siblings(self.person, self.unit)
        if above is not None:
            choices |= _editable(self.person).filter(pk=above.pk)
        self.fields["successor"].queryset = choices

    def carry_out(self) -> Unit:
        changes.close(self.unit, self.entry(), self.cleaned_data["successor"])
        return self.unit


class HandOverForm(Asked):
    """What is still registered at an ended unit goes to another."""

    successor = UnitField(None, label=gettext_lazy("To"))

    def prepare(self) -> None:
        after = self.unit.succeeded_by.values("successor")
        above = self.unit.parent_links.filter(in_force(today())).values("parent")
        editable = _editable(self.person)
        choices = editable.filter(pk__in=after) | editable.filter(pk__in=above)
        self.fields["successor"].queryset = choices.distinct()
        self.fields["successor"].initial = choices.first()

    def carry_out(self) -> Unit:
        hand_over(self.unit, self.cleaned_data["successor"], self.person)
        return self.unit
