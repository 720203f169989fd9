"""The forms of posts, schemes and papers."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xomyen.centre.dates import today
from xomyen.centre.organisation.forms.fields import (
    DayField,
    LastDayField,
    ServiceForm,
    UnitField,
    UnitsField,
    dress,
    papers_of,
)
from xomyen.centre.organisation.models import (
    DocumentKind,
    Jurisdiction,
    MandateDocument,
    Post,
    PostKind,
    Scheme,
    Unit,
    UnitKind,
)
from xomyen.centre.organisation.services import registers
from xomyen.centre.organisation.tree import below_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import visible

_MANY = 500  # more than this nobody reads through


class RegisterForm(ServiceForm):
    """A form about a row of a register."""

    def __init__(self, person: Any, row: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(person, *arguments, **options)
        self.row = row
        self.prepare()
        dress(self)

    def units(self, action: Action, asked: Unit | None) -> Any:
        """Units to choose from: those under the one asked for; of too many, the higher ones."""
        found = visible(self.person, action, Unit.objects.on(today())).order_by("code")
        if asked is not None:
            found = found.filter(pk__in=below_sql(asked.pk, today()))
        for kinds in (UnitKind.values, (UnitKind.PROVINCE, UnitKind.DISTRICT, UnitKind.COMMUNE)):
            if len(chosen := found.filter(kind__in=kinds).values_list("pk", flat=True)[: _MANY + 1]) <= _MANY:
                return found.filter(pk__in=list(chosen))
        return found.filter(kind=UnitKind.PROVINCE)

    def fill(self, *names: str) -> None:
        """First values from the row."""
        for name in names:
            self.fields[name].initial = getattr(self.row, name)


class PostForm(RegisterForm):
    """A new post."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=PostKind.choices)
    units_answered = UnitsField(
        None, label=gettext_lazy("Responsible for"), help_text=gettext_lazy("each with all units below it")
    )
    day = DayField(label=gettext_lazy("From"))

    def prepare(self) -> None:
        asked = self.row if isinstance(self.row, Unit) else None
        self.fields["units_answered"].queryset = self.units(Action.POST_EDIT, asked).filter(valid_to=None)
        self.fields["day"].initial = today()
        if isinstance(self.row, Unit):
            self.fields["units_answered"].initial = [self.row.pk]

    def carry_out(self) -> Post:
        data = self.cleaned_data
        return registers.create_post(self.person, data["name"], data["kind"], list(data["units_answered"]), data["day"])


class PostChangeForm(RegisterForm):
    """A post's name and kind."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=PostKind.choices)

    def prepare(self) -> None:
        self.fill("name", "kind")

    def carry_out(self) -> Post:
        return registers.change_post(self.person, self.row, self.cleaned_data["name"], self.cleaned_data["kind"])


class EndForm(RegisterForm):
    """The last day of a post, of its answerability, or of a scheme."""

    end = LastDayField(label=gettext_lazy("Last day"))

    def carry_out(self) -> Any:
        end = self.cleaned_data["end"]
        if isinstance(self.row, Jurisdiction):
            return registers.end_jurisdiction(self.person, self.row, end).post
        if isinstance(self.row, Post):
            return registers.end_post(self.person, self.row, end)
        return registers.end_scheme(self.person, self.row, end)


class JurisdictionForm(RegisterForm):
    """Another unit for which a post answers."""

    unit = UnitField(None, label=gettext_lazy("Unit"))
    day = DayField(label=gettext_lazy("From"))

    def prepare(self) -> None:
        self.fields["unit"].queryset = self.units(Action.POST_EDIT, None).filter(valid_to=None)
        self.fields["day"].initial = today()

    def carry_out(self) -> Post:
        registers.add_jurisdiction(self.person, self.row, self.cleaned_data["unit"], self.cleaned_data["day"])
        return self.row


class DocumentForm(RegisterForm):
    """A paper: new when the row is a unit."""

    unit = UnitField(None, label=gettext_lazy("Unit"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=DocumentKind.choices)
    number = forms.CharField(label=gettext_lazy("Number"), max_length=60)
    title = forms.CharField(label=gettext_lazy("About"), max_length=300)
    issuer = forms.CharField(label=gettext_lazy("Issued by"), max_length=160)
    issued = DayField(label=gettext_lazy("Issued on"))
    valid_from = DayField(label=gettext_lazy("In force from"), required=False)
    valid_to = LastDayField(label=gettext_lazy("In force until"), required=False)

    def prepare(self) -> None:
        asked = self.row if isinstance(self.row, Unit) else None
        self.fields["unit"].queryset = self.units(Action.SCHEME_EDIT, asked)
        if isinstance(self.row, MandateDocument):
            self.fill("kind", "number", "title", "issuer", "issued", "valid_from", "valid_to")
            self.fields["unit"].initial = self.row.unit_id
            self.fields["unit"].queryset |= Unit.objects.filter(pk=self.row.unit_id)
        elif self.row is not None:
            self.fields["unit"].initial = self.row.pk

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        start, end = data.get("valid_from"), data.get("valid_to")
        if start and end and end <= start:
            self.add_error("valid_to", _("It would end before it begins."))
        same = MandateDocument.objects.filter(
            unit=data.get("unit"), number=data.get("number"), issued=data.get("issued")
        )
        if isinstance(self.row, MandateDocument):
            same = same.exclude(pk=self.row.pk)
        if same.exists():
            self.add_error("number", _("A document with this number and date is already in the register."))
        return data

    def carry_out(self) -> MandateDocument:
        document = self.row if isinstance(self.row, MandateDocument) else MandateDocument()
        for name, value in self.cleaned_data.items():
            setattr(document, name, value)
        return registers.save_document(self.person, document)


class SchemeForm(RegisterForm):
    """A scheme: new when the row is a unit."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    launched = DayField(label=gettext_lazy("Launched on"), required=False)
    valid_from = DayField(label=gettext_lazy("In force from"), required=False)
    groups = UnitsField(None, label=gettext_lazy("Residential groups"), required=False)
    documents = forms.ModelMultipleChoiceField(
        None, label=gettext_lazy("Founding documents"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def prepare(self) -> None:
        unit = self.row.unit if isinstance(self.row, Scheme) else self.row
        inside = Unit.objects.below(unit.pk).on(today()).filter(kind=UnitKind.GROUP).order_by("code")
        self.fields["documents"].queryset = papers_of(unit)
        if isinstance(self.row, Scheme):
            self.fill("name", "launched", "valid_from")
            self.fields["groups"].initial = [group.pk for group in self.row.groups.all()]
            self.fields["documents"].initial = [paper.pk for paper in self.row.documents.all()]
            inside = (inside | Unit.objects.filter(pk__in=self.fields["groups"].initial)).distinct()
        self.fields["groups"].queryset = inside

    def carry_out(self) -> Scheme:
        data = self.cleaned_data
        scheme = self.row if isinstance(self.row, Scheme) else Scheme(unit=self.row)
        scheme.name, scheme.launched, scheme.valid_from = data["name"], data["launched"], data["valid_from"]
        if scheme.valid_to is not None and scheme.valid_from is not None and scheme.valid_to <= scheme.valid_from:
            raise ValidationError(_("It would end before it begins."))
        return registers.save_scheme(self.person, scheme, list(data["groups"]), list(data["documents"]))
