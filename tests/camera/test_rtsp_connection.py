"""Encrypted cameras: any certificate or the one expected, and never less than the address asked for."""

import datetime
import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.rtsp_camera import RtspCamera
from tests.rtsp_playing import fault_of, playing, status, with_pictures

from xomyen.camera.errors import ClosedByCamera, EncryptionFailed, RequestRefused


def self_signed() -> tuple[ssl.SSLContext, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return context, pem.decode() + hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


@pytest.fixture
def tls(tmp_path) -> tuple[ssl.SSLContext, str]:
    context, text = self_signed()
    (tmp_path / "camera.pem").write_text(text[:-64] + "\n")
    context.load_cert_chain(tmp_path / "camera.pem")
    return context, text[-64:]


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
