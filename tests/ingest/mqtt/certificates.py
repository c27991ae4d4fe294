"""A certificate authority, a server and a client certificate, made for one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


def write_certificates(folder: Path) -> None:
    """ca.pem, server.pem + server.key (for 127.0.0.1) and client.pem + client.key."""
    authority_key, authority = _certificate("test authority", None)
    _write(folder / "ca.pem", authority, None)
    for name in ("server", "client"):
        key, certificate = _certificate(name, (authority_key, authority))
        _write(folder / f"{name}.pem", certificate, folder / f"{name}.key", key)


_Key = ec.EllipticCurvePrivateKey


def _certificate(name: str, signer: tuple[_Key, x509.Certificate] | None) -> tuple[_Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_key, issuer = (key, subject) if signer is None else (signer[0], signer[1].subject)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return key, builder.sign(issuer_key, hashes.SHA256())


def _write(file: Path, certificate: x509.Certificate, key_file: Path | None, key: _Key | None = None) -> None:
    pem = serialization.Encoding.PEM
    file.write_bytes(certificate.public_bytes(pem))
    if key_file is not None and key is not None:
        plain = serialization.NoEncryption()
        key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        key_file.chmod(0o600)
