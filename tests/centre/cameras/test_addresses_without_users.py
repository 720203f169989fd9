"""The migration that takes user and password out of addresses that were kept as they were typed."""

import base64
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import override
from nacl.public import PrivateKey, SealedBox
from tests.centre.conftest import Province, build_province

from xomyen.centre.accounts.models import User
from xomyen.centre.cameras.history import changes_of
from xomyen.centre.cameras.models import Camera, ImportBatch, Node, Standing
from xomyen.centre.cameras.values import without_secrets
from xomyen.centre.folding import fold

SECRET = "BIMAT9"
KEY = PrivateKey.generate()


def migrated_to(name: str) -> None:
    MigrationExecutor(connection).migrate([("cameras", name)])


@pytest.fixture
def province(transactional_db: None) -> Iterator[Province]:
    """Everything as it was before the migration."""
    migrated_to("0007_factory_password")
    province = build_province()
    yield province
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def kept_before(camera: Camera, onvif: str, **fields: str) -> None:
    for name, value in {"onvif_address": onvif, **fields}.items():
        setattr(camera, name, value)
    camera.standing = Standing.IN_FORCE
    camera.save()


def opened(camera: Camera) -> str:
    return SealedBox(KEY).decrypt(base64.b64decode(camera.sealed_password)).decode()


def test_user_and_password_leave_the_addresses_and_become_the_cameras_where_they_can(province: Province) -> None:
    Node.objects.filter(pk=province.node.pk).update(secrets_key=base64.b64encode(bytes(KEY.public_key)).decode())
    taken, has_one, strange, unknown = province.public, province.private, province.neighbour, province.secret
    kept_before(taken, f"http://admin:{SECRET}%40@192.0.2.1/onvif")
    kept_before(has_one, f"admin:{SECRET}@192.0.2.1/onvif", sealed_password="sealed", user="khac")
    kept_before(strange, f"http://admin:{SECRET}@203.0.113.9/onvif")  # of another machine than its stream
    kept_before(unknown, f"http://admin:{SECRET}@192.0.2.1/onvif", main_url=f"rtsp://admin:{SECRET}@192.0.2.1/live@1")
    migrated_to("0008_addresses_without_users")
    for camera in (taken, has_one, strange, unknown):
        camera.refresh_from_db()
    others = [*Camera.objects.exclude(pk=unknown.pk).values(), *Camera.history.exclude(id=unknown.pk).values()]
    assert SECRET not in str(others)
    assert (taken.onvif_address, taken.user, opened(taken)) == ("http://192.0.2.1/onvif", "admin", f"{SECRET}@")
    assert (taken.standing, taken.revision, taken.factory_password) == (Standing.PENDING, 2, False)
    assert fold(taken.name) in taken.folded
    assert (has_one.onvif_address, has_one.user, has_one.sealed_password) == ("192.0.2.1/onvif", "khac", "sealed")
    assert (has_one.standing, has_one.revision) == (Standing.IN_FORCE, 1)
    assert (strange.onvif_address, strange.user, strange.sealed_password) == ("http://203.0.113.9/onvif", "", "")
    # The key of its recorder was never learnt: it goes on recording with what stands in the address.
    assert (unknown.main_url, unknown.sealed_password) == (f"rtsp://admin:{SECRET}@192.0.2.1/live@1", "")
    assert (unknown.onvif_address, unknown.standing) == ("http://192.0.2.1/onvif", Standing.IN_FORCE)
    with override("en"):
        newest = changes_of(taken)[0]
    assert newest.by == "the system"
    assert set(newest.what) == {"camera's user", "camera's password"}


def test_a_stream_keeps_the_user_in_its_address_where_the_camera_cannot_get_it(province: Province) -> None:
    Node.objects.filter(pk=province.node.pk).update(secrets_key=base64.b64encode(bytes(KEY.public_key)).decode())
    unclear, bare, two_hosts, has_one = province.public, province.private, province.neighbour, province.secret
    kept_before(unclear, "", main_url=f"rtsp://admin:{SECRET}@x@192.0.2.1/live")
    kept_before(bare, f"http://admin:{SECRET}@x@192.0.2.2/onvif", main_url="rtsp://admin@192.0.2.2/live")
    kept_before(two_hosts, "192.0.2.9", main_url=f"rtsp://admin:{SECRET}@192.0.2.3/live", sub_url="rtsp://192.0.2.3/s")
    kept_before(has_one, "", main_url=f"rtsp://admin:{SECRET}@192.0.2.4/live@1", user="khac", sealed_password="sealed")
    before = {camera.pk: camera.main_url for camera in (unclear, bare, two_hosts)}
    migrated_to("0008_addresses_without_users")
    for camera in (unclear, bare, two_hosts):
        camera.refresh_from_db()
        assert (camera.main_url, camera.user, camera.sealed_password) == (before[camera.pk], "", "")
        assert (camera.standing, camera.revision) == (Standing.IN_FORCE, 1)
        assert camera.history.latest().main_url == camera.main_url  # no change that nobody made
        assert SECRET not in without_secrets(camera.main_url)
    assert bare.onvif_address == "http://192.0.2.2/onvif"
    # A recorder never used what stood there beside a user of the camera's own. An @ behind the machine is the path's.
    has_one.refresh_from_db()
    assert (has_one.main_url, has_one.user, has_one.sealed_password) == ("rtsp://192.0.2.4/live@1", "khac", "sealed")
    assert has_one.standing == Standing.PENDING


def test_what_holds_no_user_is_left_as_it_is_and_tables_that_wait_are_freed_too(province: Province) -> None:
    kept_before(province.public, "http://192.0.2.1/onvif", main_url="rtsp://cam/live@1")
    cells = {"row": "2", "code": "C9", "onvif_address": f"http://a:{SECRET}@192.0.2.9/", "funding": "a@b"}
    batch = ImportBatch.objects.create(by=User.objects.create_user("nguoi"), unit=province.commune, rows=[cells])
    migrated_to("0008_addresses_without_users")
    province.public.refresh_from_db()
    batch.refresh_from_db()
    assert (province.public.main_url, province.public.onvif_address) == ("rtsp://cam/live@1", "http://192.0.2.1/onvif")
    assert batch.rows == [cells | {"onvif_address": "http://192.0.2.9/"}]
