"""Encrypted cameras: any certificate or the one expected, and never less than the address asked for."""

import ssl

import pytest
from tests.certificates import self_signed
from tests.rtsp_camera import RtspCamera
from tests.rtsp_playing import fault_of, playing, status, with_pictures

from xomyen.camera.errors import ClosedByCamera, EncryptionFailed, RequestRefused


@pytest.fixture
def tls(tmp_path) -> tuple[ssl.SSLContext, str]:
    own = self_signed(tmp_path, "camera", address=None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    return context, own.fingerprint


async def test_an_encrypted_camera_with_a_certificate_of_its_own_is_played(tls):
    context, fingerprint = tls
    for more in ({}, {"certificate": fingerprint}):
        async with RtspCamera(tls=context, body=60_000) as camera, playing(camera.url, **more) as (_, sink):
            await sink.until(with_pictures(40))
        assert sink.lost_packets == 0
        assert [unit.key for unit in sink.units[:21]] == [index % 10 == 0 for index in range(21)]


async def test_another_certificate_than_the_expected_one_is_refused(tls):
    context, _ = tls
    async with RtspCamera(tls=context) as camera, playing(camera.url, certificate="ab" * 32) as (source, sink):
        await sink.until(lambda sink: bool(sink.ends))
    assert isinstance(source.fault, EncryptionFailed)
    assert camera.methods() == []


async def test_a_camera_without_encryption_behind_an_encrypted_address_is_named():
    async with RtspCamera() as camera:
        assert isinstance(await fault_of(camera.url.replace("rtsp:", "rtsps:")), EncryptionFailed | ClosedByCamera)


async def test_a_redirect_never_leads_out_of_encryption(tls):
    async with RtspCamera() as there, RtspCamera(tls=tls[0]) as here:
        here.answers["DESCRIBE"] = status(302, Location=there.url)
        assert isinstance(await fault_of(here.url), RequestRefused)
    assert there.connections == 0
