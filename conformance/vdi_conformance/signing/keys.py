"""Keys of Ed25519 in PEM files, such as `openssl genpkey -algorithm ed25519` makes; needs the extra `signing`."""

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from vdi_conformance.signing import PASSWORD
from vdi_conformance.signing.envelope import Envelope, Signature
from vdi_conformance.untrusted import decoding

_LARGEST: Final = 64 * 1024
"""Bytes: no file of a key is so large."""
_MAKE: Final = "`vdi-conformance keys new` makes one"


class UnusableKey(ValueError):
    """A file holds no key that can be used, or cannot be made: one sentence with the cause and the remedy."""


@dataclass(frozen=True)
class PublicKey:
    """The public half of a key, by which a signature can be checked; `id` is the SHA-256 of its SPKI in hex."""

    id: str
    key: SSlibKey

    def has_signed(self, envelope: Envelope) -> bool:
        """Whether one of the signatures is its own, and made for just this statement."""
        try:
            dsse.Envelope.from_dict(msgspec.to_builtins(envelope)).verify([self.key], 1)
        except VerificationError:
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    """A private key, and its public half."""

    public: PublicKey
    signer: CryptoSigner

    def sign(self, envelope: Envelope) -> Envelope:
        """Give the envelope with this key's signature."""
        made = dsse.Envelope.from_dict(msgspec.to_builtins(envelope)).sign(self.signer)
        signature = base64.b64encode(bytes.fromhex(made.signature)).decode()
        return envelope.signed(Signature(keyid=self.public.id, sig=signature))


def make(path: Path, password: str | None) -> PublicKey:
    """Make a private key in a file of its owner's, and its public half beside it (.pub); neither may be there yet."""
    private = Ed25519PrivateKey.generate()
    encryption: KeySerializationEncryption = NoEncryption()
    if password:
        encryption = BestAvailableEncryption(password.encode())
    public = path.with_name(f"{path.name}.pub")
    _write_new(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption), 0o600)
    _write_new(public, private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return _public(private.public_key())


def read_private(path: Path, password: str | None) -> PrivateKey:
    """Read a private key in PKCS #8, which the password opens where it is encrypted."""
    data = _read(path)
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in data
    if encrypted and not password:
        raise UnusableKey(f"the key {path} is encrypted: set {PASSWORD} to its password")
    try:
        found = load_pem_private_key(data, password.encode() if encrypted and password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise UnusableKey(f"the key {path} is not opened by the password in {PASSWORD}: correct that") from error
        raise UnusableKey(f"{path} holds no private key in PEM and PKCS #8: {_MAKE}") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise UnusableKey(f"the key {path} is not one of Ed25519: {_MAKE}")
    public = _public(found.public_key())
    return PrivateKey(public, CryptoSigner(found, public.key))


def read_public(path: Path) -> PublicKey:
    """Read the public half of a key; a private one is refused, since nobody needs it to check a signature."""
    data = _read(path)
    if b"PRIVATE KEY-----" in data:
        raise UnusableKey(f"{path} holds a private key: name its public half, such as {path}.pub, and keep this secret")
    try:
        found = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"{path} holds no public key in PEM: name the file .pub that `keys new` made") from error
    if not isinstance(found, Ed25519PublicKey):
        raise UnusableKey(f"the key {path} is not one of Ed25519: {_MAKE}")
    return _public(found)


def _public(key: Ed25519PublicKey) -> PublicKey:
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    id_ = hashlib.sha256(spki).hexdigest()
    return PublicKey(id_, SSlibKey.from_crypto(key, id_))


def _read(path: Path) -> bytes:
    try:
        return decoding.file_bytes(path, _LARGEST)
    except decoding.Unreadable as error:
        raise UnusableKey(f"the key {path} cannot be read ({error}): correct its path") from error


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UnusableKey(f"{path} is there already, and keys are never overwritten: choose another file") from error
    except OSError as error:
        raise UnusableKey(f"{path} cannot be written ({error.strerror}): choose another file") from error
