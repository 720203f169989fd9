"""Takes user and password out of addresses that were kept as they were typed, in rows, their history and tables.

Not out of a stream's where they cannot be made the camera's own: its recorder would get no picture any more.
What the audit log said of them stays: it is never changed.
"""

from urllib.parse import unquote, urlsplit

from django.db import migrations
from django.db.models import Q
from django.utils import timezone

from xomyen.bus.sealing import read_public, seal
from xomyen.centre.cameras.factory_passwords import is_factory_password
from xomyen.centre.cameras.values import hosts_of, onvif_without_user
from xomyen.terms.errors import InvalidConfiguration

_STREAMS = ("main_url", "sub_url")
_ADDRESSES = (*_STREAMS, "onvif_address")
_MARKED = Q(main_url__contains="@") | Q(sub_url__contains="@") | Q(onvif_address__contains="@")


def take_users_out(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")  # else what is overwritten stays readable in the file
    camera, history = apps.get_model("cameras", "Camera"), apps.get_model("cameras", "HistoricalCamera")
    left = {}
    for row in camera.objects.filter(_MARKED).select_related("node"):
        streams, bare, given = {name: getattr(row, name) for name in _STREAMS}, _bare(row), _given(row)
        _set(row, bare)
        kept = given is not None and _keep(row, *given)
        # A recorder uses what stands in the address where the camera has no user.
        if not kept and not row.user:
            _set(row, streams)
            left[row.pk] = set(streams.values())
        elif kept or streams != {name: bare[name] for name in _STREAMS}:
            _to_be_brought(row)
        row.save()
        if kept:
            _tell(history, row)
    for row in history.objects.filter(_MARKED).only("id", *_ADDRESSES).iterator():
        # What is left is the same there: else the next entry would tell of a change that nobody made.
        same = {name: text for name in _STREAMS if (text := getattr(row, name)) in left.get(row.id, ())}
        history.objects.filter(pk=row.pk).update(**_bare(row) | same)
    _take_out_of_tables(apps.get_model("cameras", "ImportBatch"))


def _set(row, values):
    for name, value in values.items():
        setattr(row, name, value)


def _bare(row):
    return {
        "main_url": _stream_without_user(row.main_url),
        "sub_url": _stream_without_user(row.sub_url),
        "onvif_address": onvif_without_user(row.onvif_address),
    }


def _stream_without_user(text):
    """What follows the machine stays: its recorder has it so, and it may well have an "@" of its own."""
    place = parts.netloc if (parts := _parts(text)) else ""
    return text.replace(place, place.rpartition("@")[2], 1) if "@" in place else text


def _parts(text):
    try:
        return urlsplit(text if "://" in text else f"//{text}")
    except ValueError:
        return None


def _given(row):
    """User and password as they stand in the first address that has both; None when there are none to be read."""
    for name in _ADDRESSES:
        parts = _parts(getattr(row, name))
        if parts is None or parts.netloc.count("@") != 1:
            continue
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if user and password and ":" not in user:
            return user, password
    return None


def _keep(row, user, password):
    """Makes them the camera's own, as its form does; whether that could be.

    Not where it has a password or another user, where the node's key is not known, or where the password would come to
    a machine beside the one for which it was typed.
    """
    single = len(hosts_of(*(getattr(row, name) for name in _ADDRESSES))) == 1
    if row.sealed_password or row.user not in ("", user) or not single or row.node is None:
        return False
    try:
        row.sealed_password = seal(password, read_public(row.node.secrets_key))
    except InvalidConfiguration:
        return False
    row.user, row.password_set = user, timezone.now()
    row.factory_password = is_factory_password(password, user)
    return True


def _to_be_brought(row):
    """As `services.bring_again`: where both sides were changed a person has still to choose."""
    row.revision += 1
    if row.standing not in ("nowhere", "changed"):
        row.standing, row.standing_since = "pending", timezone.now()
        row.refused = row.refused_field = ""


def _tell(history, row):
    """The history of the camera says when the password was set; that nobody did stands for the system."""
    own = {field.attname for field in row._meta.concrete_fields}
    values = {name: getattr(row, name) for name in own & {field.attname for field in history._meta.concrete_fields}}
    history.objects.create(**values, history_date=row.password_set, history_type="~")


def _take_out_of_tables(batch):
    """Tables that were read and not taken in yet."""
    for table in batch.objects.filter(taken_in=None):
        rows = [{name: _of_cell(name, text) for name, text in row.items()} for row in table.rows]
        if rows != table.rows:
            batch.objects.filter(pk=table.pk).update(rows=rows)


def _of_cell(name, text):
    if name == "onvif_address":
        return onvif_without_user(text)
    return _stream_without_user(text) if name in _ADDRESSES else text


class Migration(migrations.Migration):
    dependencies = [("cameras", "0007_factory_password")]
    operations = [migrations.RunPython(take_users_out, migrations.RunPython.noop)]
