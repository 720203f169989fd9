"""Certificates that vouch for themselves, made for a test."""

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certified:
    """A certificate and its key, each in a PEM file."""

    certificate: Path
    key: Path
    fingerprint: str  # SHA-256 of the certificate's DER, in hexadecimal digits


def self_signed(folder: Path, name: str, address: str | None = "127.0.0.1") -> Certified:
    """A certificate of today signed by its own key; without an address it is good for none, as cameras' own are."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, False).add_extension(x509.BasicConstraints(True, None), True)
    made = builder.sign(key, hashes.SHA256())
    certified = Certified(
        folder / f"{name}.pem", folder / f"{name}.key", hashlib.sha256(made.public_bytes(Encoding.DER)).hexdigest()
    )
    certified.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    certified.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certified
