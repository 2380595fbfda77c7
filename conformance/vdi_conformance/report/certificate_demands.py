"""What whoever verifies a certificate asks of it beyond being authentic: whose it is, of what, and how old; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vdi_conformance.report.certificate_archive import InvalidCertificate
from vdi_conformance.report.certificate_verification import Authentic
from vdi_conformance.signing.envelope import Envelope


class VerifyingKey(Protocol):
    """A public key by its id."""

    @property
    def id(self) -> str:
        """The SHA-256 of its SPKI in hex."""
        ...

    def has_signed(self, envelope: Envelope) -> bool:
        """Whether one of the signatures is its own."""
        ...


@dataclass(frozen=True)
class Demands:
    """What is asked for; `digests` are SHA-256 of files that must have been judged, with what they are called.

    The first run may have begun `max_age` ago at the most. Each of the `keys` must have signed.
    """

    keys: Sequence[VerifyingKey] = ()
    challenge: str | None = None
    max_age: timedelta | None = None
    digests: Sequence[tuple[str, str]] = ()


def check_demands(certificate: Authentic, demands: Demands, now: datetime) -> None:
    """Raise InvalidCertificate, with one sentence, where a certificate is not what was asked for."""
    for key in demands.keys:
        _check_signature(certificate.envelope, key)
    manifest = certificate.manifest
    if demands.challenge is not None and manifest.challenge != demands.challenge:
        has = f"has {manifest.challenge}" if manifest.challenge else "has none"
        raise InvalidCertificate(f"it answers another challenge than {demands.challenge}: it {has}")
    if demands.max_age is not None and now - datetime.fromisoformat(manifest.started) > demands.max_age:
        raise InvalidCertificate(f"its runs began at {manifest.started}, more than {demands.max_age.days} d ago")
    pinned = {pin.sha256 for pin in manifest.client.pins.values()}
    for name, sha256 in demands.digests:
        if sha256 not in pinned:
            raise InvalidCertificate(f"{name} was not judged: none of the files of the adapter has its digest {sha256}")


def _check_signature(envelope: Envelope | None, key: VerifyingKey) -> None:
    if envelope is None:
        raise InvalidCertificate(f"it is not signed at all, and the key {key.id} must have signed it")
    if key.id not in envelope.key_ids:
        raise InvalidCertificate(f"the key {key.id} has not signed it; those that are named are {_named(envelope)}")
    if not key.has_signed(envelope):
        raise InvalidCertificate(f"its signature by the name of the key {key.id} was not made with that key")


def _named(envelope: Envelope) -> str:
    return ", ".join(envelope.key_ids)
