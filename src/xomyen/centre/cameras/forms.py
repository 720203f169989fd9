"""Forms of cameras, sites and nodes: what a person may choose from follows from where they may do it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _

from xomyen.centre.cameras.factory_passwords import is_factory_password
from xomyen.centre.cameras.models import Acceptance, Camera, Node, Site
from xomyen.centre.cameras.nodes import NODE_FIELDS
from xomyen.centre.cameras.services import BEGINNINGS, version_of
from xomyen.centre.cameras.values import are_masks, hosts_of, onvif_without_user, stream_parts, without_secrets
from xomyen.centre.cameras.widgets import PickSelect
from xomyen.centre.dates import today
from xomyen.centre.folding import fold
from xomyen.centre.link.ask import sealed_for
from xomyen.centre.organisation.models import MandateDocument, Unit
from xomyen.centre.organisation.tree import above_sql
from xomyen.centre.permissions.actions import Action
from xomyen.centre.permissions.decide import allowed_units, may, roots, visible
from xomyen.terms.errors import NotRunning
from xomyen.terms.names import fold_name

_RIGHTS = Action.CAMERA_EDIT
_ACCEPT = Action.CAMERA_ACCEPT


def units_for(person: Any, action: Action) -> Any:
    """Units of today in which the person may do this."""
    return Unit.objects.on(today()).filter(id__in=allowed_units(person, action)).order_by("folded", "code")


def sites_for(person: Any) -> QuerySet[Site]:
    """Sites at which the person may enter cameras."""
    return visible(person, _RIGHTS, Site.objects.select_related("unit")).order_by("code", "pk")


def nodes_for(person: Any) -> QuerySet[Node]:
    """Recorders that the person may choose."""
    return visible(person, Action.NODE_SEE, Node.objects.all()).order_by("name", "pk")


def documents_for(person: Any) -> QuerySet[MandateDocument]:
    """Papers on which a camera of the person's units may rest: of these, and of those they belong to."""
    own = Q(unit__in=allowed_units(person, _RIGHTS))
    above = Q(unit__in=above_sql(roots(person, _RIGHTS), today()))
    return MandateDocument.objects.filter(own | above).order_by("-issued", "number", "pk")


def named_document(document: MandateDocument) -> str:
    return f"{document} – {Truncator(document.title).chars(60)}"


def named_unit(unit: Unit) -> str:
    """As it stands in a list to choose from: names come up again, codes do not."""
    return f"{unit} ({unit.code})"


def named_site(site: Site) -> str:
    """Likewise; it brings its unit along."""
    return f"{site.code} {site.name} – {site.unit}"


class Styled:
    """Gives fields the look of the pages and ties errors and hints to them for screen readers."""

    fields: dict[str, forms.Field]

    def style(self) -> None:
        for field in self.fields.values():
            widget = field.widget
            if isinstance(field, forms.ModelChoiceField) and field.required and field.empty_label is not None:
                field.empty_label = _("Choose…")
            if isinstance(widget, forms.CheckboxInput):
                widget.attrs["class"] = "form-check-input"
            elif isinstance(widget, forms.Select):
                widget.attrs["class"] = "form-select"
            elif not isinstance(widget, forms.HiddenInput):
                widget.attrs["class"] = "form-control"


def offer_beginnings(field: Any, person: Any) -> None:
    """The states in which the person may enter a camera somewhere."""
    states = [state for state in BEGINNINGS if state != Acceptance.ACCEPTED or may(person, _ACCEPT)]
    field.choices = [(state.value, state.label) for state in states]


def acceptance_is_open(form: Any, values: dict[str, Any]) -> None:
    """Entering a camera as accepted wants the right to accept at its very site."""
    site = values.get("site")
    if site and values.get("acceptance") == Acceptance.ACCEPTED and not may(form.person, _ACCEPT, site):
        form.add_error("acceptance", _("You may not accept cameras at this site; enter it as installed."))


def choose_the_only_one(form: forms.ModelForm, *names: str) -> None:
    """Where nothing is chosen yet and there is but one row to choose, it is chosen."""
    for name in () if form.is_bound else names:
        rows = list(form.fields[name].queryset[:2])
        if len(rows) == 1 and not form.initial.get(name):  # a new row's values are there, and empty
            form.initial[name] = rows[0].pk


class SiteForm(Styled, forms.ModelForm):
    """A site and where it stands."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Site
        fields = ("unit", "code", "name", "latitude", "longitude")
        widgets = {"unit": PickSelect("unit")}
        help_texts = {
            "code": _("Short and unique in the unit, as on the plan: S01."),
            "latitude": _("Degrees, such as 21.0352."),
            "longitude": _("Degrees, such as 106.0874."),
        }

    def __init__(self, *arguments: Any, person: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["unit"].queryset = units_for(person, _RIGHTS)
        self.fields["unit"].label_from_instance = named_unit
        self.fields["unit"].label = _("Unit")
        for name in ("latitude", "longitude"):
            self.fields[name].widget = forms.TextInput(attrs={"inputmode": "decimal"})
            self.fields[name].localize = False
        if self.instance._state.adding:
            choose_the_only_one(self, "unit")
        else:
            self.initial["revision"] = self.instance.revision
        self.style()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if (values.get("latitude") is None) != (values.get("longitude") is None) and not self.errors:
            raise ValidationError(_("A position is both latitude and longitude; leave both empty if it is not known."))
        return values


class NodeForm(Styled, forms.ModelForm):
    """A recorder: what it is called, where it belongs and where browsers reach it."""

    version = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Node
        fields = NODE_FIELDS
        widgets = {"unit": PickSelect("node-unit")}
        help_texts = {"address": _("Where browsers reach it, such as https://camera.giakhe.example:8460.")}

    def __init__(self, *arguments: Any, person: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["unit"].queryset = units_for(person, Action.NODE_EDIT)
        if self.instance._state.adding:
            choose_the_only_one(self, "unit")
        else:
            self.initial["version"] = version_of(self.instance, NODE_FIELDS)
        self.fields["unit"].label_from_instance = named_unit
        self.fields["unit"].label = _("Unit")
        self.style()

    def clean_address(self) -> str:
        return str(self.cleaned_data["address"]).rstrip("/")


class NewNodeForm(NodeForm):
    """A recorder that is added by its id."""

    node = forms.UUIDField(
        label=_("Recorder's id"), help_text=_("Found in the file node.json in the recorder's folder.")
    )

    field_order = ("node", "name", "unit", "address")

    def clean_node(self) -> Any:
        node = self.cleaned_data["node"]
        if Node.objects.filter(pk=node).exists():
            raise ValidationError(_("This recorder has been added already."))
        return node


class CameraForm(Styled, forms.ModelForm):
    """One camera: what is wanted of it."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    password = forms.CharField(
        label=_("Camera's password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )
    no_password = forms.BooleanField(label=_("Remove the password"), required=False)
    # Given by programs alone; people draw them on a page of their own.
    masks = forms.JSONField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Camera
        fields = (
            *("site", "code", "name", "order", "purpose", "owner", "owner_name", "funding", "document", "camera_class"),
            *("is_public", "acceptance", "node", "main_url", "sub_url", "user", "enabled", "masks"),
            *("height_m", "azimuth_deg", "tilt_deg", "field_of_view_deg", "ptz", "onvif_address", "ptz_profile"),
            *("manufacturer", "model", "serial_number", "firmware", "firmware_support_ends", "certificate"),
        )
        widgets = {
            "site": PickSelect("site"),
            "node": PickSelect("node"),
            "document": PickSelect("document"),
            "firmware_support_ends": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts = {
            "code": _("Unique at the site, such as C04."),
            "name": _("As people know it: Hướng chợ."),
            "purpose": _("Why it is there; the public can read it."),
            "document": _("The resolution or decision on which it was put up, from the register."),
            "owner_name": _("Who exactly, if it is not the commune."),
            "camera_class": _("Sets how many days footage is kept."),
            "main_url": _("The full picture, as the recorder reaches it: rtsp://192.168.1.64:554/stream1"),
            "sub_url": _("The smaller picture for phones and walls, if the camera has one."),
            "azimuth_deg": _("Where it looks: 0 north, 90 east, 180 south, 270 west."),
            "tilt_deg": _("Below the horizon is negative."),
            "ptz_profile": _("Only for cameras that turn; discovery fills it in."),
        }

    def __init__(self, *arguments: Any, person: Any, scanned: dict[str, Any] | None = None, **options: Any) -> None:
        """`scanned` holds node, user and sealed password of the search that came before, if there was one."""
        super().__init__(*arguments, **options)
        self.person = person
        self.scanned = scanned or {}
        self.hosts = self.instance.hosts()
        self.kept = {"main_url": self.instance.main_url, "sub_url": self.instance.sub_url}
        self.sealed: str | None = None
        self.factory_password = False  # what was sealed now is one that makers ship cameras with
        self.fields["site"].queryset = sites_for(person)
        self.fields["site"].label = _("Site")
        self.fields["site"].label_from_instance = named_site
        nodes = nodes_for(person)
        if self.instance.node_id is not None:
            nodes |= Node.objects.filter(pk=self.instance.node_id)
        self.fields["node"].queryset = nodes
        documents = documents_for(person)
        if self.instance.document_id is not None:
            documents |= MandateDocument.objects.filter(pk=self.instance.document_id)
        self.fields["document"].queryset = documents
        self.fields["document"].label_from_instance = named_document
        self.fields["document"].empty_label = "–"
        self.fields["node"].label = _("Recorder")
        self.fields["node"].empty_label = capfirst(_("none yet"))
        self.fields["masks"].empty_values = [None, ""]
        if self.instance._state.adding:
            self._for_a_new_one()
        else:
            del self.fields["acceptance"]  # steps are taken on the camera's own page
            self.initial["revision"] = self.instance.revision
            self.initial |= {name: without_secrets(url) for name, url in self.kept.items()}
        if self.instance.sealed_password:
            self.fields["password"].help_text = _("A password is set. It is never shown; type here only to replace it.")
        else:
            del self.fields["no_password"]
            if self.scanned.get("sealed") and self.instance._state.adding:
                self.fields["password"].help_text = _("Empty: the password that was given for the search.")
        self.style()

    def _for_a_new_one(self) -> None:
        offer_beginnings(self.fields["acceptance"], self.person)
        choose_the_only_one(self, "camera_class", "node")

    def clean_onvif_address(self) -> str:
        return onvif_without_user(self.cleaned_data["onvif_address"])

    def clean_main_url(self) -> str:
        return self._stream("main_url")

    def clean_sub_url(self) -> str:
        return self._stream("sub_url")

    def _stream(self, name: str) -> str:
        """Takes user and password out of the address, into fields of their own."""
        if self.cleaned_data[name] in (self.kept[name], without_secrets(self.kept[name])):
            return self.kept[name]  # as its recorder has it, even where it could not be entered here
        url, user, password = stream_parts(self.cleaned_data[name])
        self._given = getattr(self, "_given", None) or ((user, password) if user else None)
        return url

    def clean_masks(self) -> Any:
        return self.cleaned_data["masks"] or [] if "masks" in self.data else self.instance.masks

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        given = getattr(self, "_given", None)
        if given and not values.get("user"):
            values["user"], values["password"] = given[0], values.get("password") or given[1]
        if ":" in (values.get("user") or ""):
            self.add_error("user", _("A user name holds no colon."))
        if values.get("sub_url") and not values.get("main_url"):
            self.add_error("main_url", _("Enter the main stream first; the sub-stream goes with it."))
        if "acceptance" in self.fields:
            acceptance_is_open(self, values)
        self._name_is_free(values)
        if not self.errors:
            self._seal(values)
        return values

    def _name_is_free(self, values: dict[str, Any]) -> None:
        """On one recorder code and name together differ by more than case and tone marks."""
        node, name, code = values.get("node"), values.get("name"), values.get("code")
        if node is None or not name or not code:
            return
        others = Camera.objects.filter(node=node).exclude(pk=self.instance.pk).exclude(acceptance=Acceptance.RETIRED)
        wanted = fold_name(f"{code} {name}")
        for other in others.filter(folded__startswith=fold(f"{code} {name}")).only("name", "code"):
            if fold_name(str(other)) == wanted:
                text = _("%(camera)s on the same recorder already has this name; choose another name or code.")
                self.add_error("name", text % {"camera": other})
                return

    def _seal(self, values: dict[str, Any]) -> None:
        password, node = values.get("password"), values.get("node")
        moved = "node" in self.changed_data and not self.instance._state.adding
        if values.get("no_password"):
            self.sealed = ""
        elif password and node is None:
            self.add_error("password", _("Choose the recorder first: the password is sealed to it."))
        elif password and node is not None:
            try:
                self.sealed = sealed_for(node, password)
                self.factory_password = is_factory_password(password, values.get("user") or "")
            except NotRunning:
                self.add_error(
                    "password",
                    _("The recorder has never answered, so the password cannot be sealed to it. Save without it now."),
                )
        elif node is not None and self.scanned.get("sealed") and self._as_scanned(values):
            self.sealed = self.scanned["sealed"]
            self.factory_password = bool(self.scanned.get("factory_password"))
        elif moved and self.instance.sealed_password:
            self.add_error("password", _("Type the password again: the earlier one is sealed to the other recorder."))
        elif self.instance.sealed_password and not self._hosts(values) <= self.hosts:
            self.add_error("password", _("Type the password again: the camera's address has changed."))

    def _hosts(self, values: dict[str, Any]) -> frozenset[str]:
        """Where the password would be sent from now on."""
        return hosts_of(*(values.get(name) or "" for name in ("main_url", "sub_url", "onvif_address")))

    def _as_scanned(self, values: dict[str, Any]) -> bool:
        """Whether this is a new camera on the recorder that searched, with the user that was given then."""
        same_user = bool(values.get("user")) and values["user"] == self.scanned.get("user")
        return self.instance._state.adding and same_user and str(values["node"].pk) == self.scanned.get("node")

    def save(self, commit: bool = True) -> Camera:
        camera: Camera = super().save(commit=False)
        if self.sealed is not None:
            camera.sealed_password = self.sealed
            camera.password_set = timezone.now()
            camera.factory_password = self.factory_password
        return camera


class MasksForm(forms.Form):
    """What is hidden of a camera's pictures, and what it was when it began to be changed."""

    masks = forms.JSONField(widget=forms.HiddenInput, validators=[are_masks])
    before = forms.JSONField(widget=forms.HiddenInput, validators=[are_masks])

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for field in self.fields.values():
            field.empty_values = [None, ""]  # no masks at all are something as well


class TakeOverForm(Styled, forms.ModelForm):
    """What a camera that only its recorder knows still needs."""

    class Meta:
        model = Camera
        fields = ("site", "code", "name", "purpose", "owner", "owner_name", "camera_class", "is_public", "acceptance")
        widgets = {"site": PickSelect("site")}

    def __init__(self, *arguments: Any, person: Any, node: Node, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.instance.node = node
        self.person = person
        self.fields["site"].queryset = sites_for(person)
        self.fields["site"].label_from_instance = named_site
        self.fields["site"].label = _("Site")
        offer_beginnings(self.fields["acceptance"], person)
        self.initial.setdefault("acceptance", self.fields["acceptance"].choices[-1][0])
        self.style()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        acceptance_is_open(self, values)
        return values
