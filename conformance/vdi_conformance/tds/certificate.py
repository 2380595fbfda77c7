"""A certificate for the TLS of a server, made anew each time and signed by itself."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

_DAYS: Final = 3650
_KEY_BITS: Final = 2048
_LONGEST: Final = 64
"""Characters of a common name."""


class NoCertificate(Exception):
    """None can be made here; the text is one sentence with the remedy."""


class Certificate(NamedTuple):
    """A certificate and its key, both as PEM. A client that is to trust it needs it, or TrustServerCertificate."""

    pem: bytes
    key: bytes

    def context(self) -> ssl.SSLContext:
        """Give the TLS of a server as drivers of SQL Server want it within TDS 7: version 1.2 and no other.

        The key is in a file of this user's for a moment, since Python's ssl module takes it from nowhere else.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        with TemporaryDirectory(prefix="vdi-tls-") as directory:
            path = Path(directory, "server.pem")
            path.write_bytes(self.key + self.pem)
            context.load_cert_chain(path)
        return context


def self_signed(host: str) -> Certificate:
    """Make a certificate for a server that is reached by this name or address; NoCertificate without cryptography."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as error:
        raise NoCertificate(
            f"TLS needs a certificate, and the package cryptography, which makes it, is missing here ({error}): "
            "install it with: python -m pip install vdi-conformance[emulator]"
        ) from None
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, (host or "localhost")[:_LONGEST])])
    addresses = _addresses(host)
    known = dict.fromkeys(name for name in ("localhost", host) if name.isascii() and name and name not in addresses)
    names = [*map(x509.DNSName, known), *map(x509.IPAddress, addresses.values())]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _addresses(host: str) -> dict[str, ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Give the addresses of loopback, and the one that a server has instead of a name, by what they are written as."""
    found = {}
    for written in ("127.0.0.1", "::1", host):
        with contextlib.suppress(ValueError):
            found[written] = ipaddress.ip_address(written)
    return found
