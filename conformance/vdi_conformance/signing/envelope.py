"""The envelope of a signed statement (DSSE) as a value and as the bytes of a file, which has one spelling; pure."""

import base64
import binascii
import re
from typing import Final

import msgspec

from vdi_conformance.untrusted import decoding

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MOST_SIGNATURES: Final = 16
"""No statement has more signatures."""
_KEY_ID: Final = re.compile("[0-9a-f]{64}")
_SIGNATURE_BYTES: Final = 64


class InvalidEnvelope(ValueError):
    """What was given is no envelope as it is written here; a few words say why."""


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signature of one key: its id, and 64 bytes in Base64."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A payload in Base64, what it is, and who signed it: each key once, in the order of their ids."""

    payload: str
    payload_type: str
    signatures: list[Signature]

    @property
    def content(self) -> bytes:
        """The payload itself."""
        return base64.b64decode(self.payload)

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys that are said to have signed it."""
        return [signature.keyid for signature in self.signatures]

    def signed(self, by: Signature) -> "Envelope":
        """Give it with one signature more, or with another one of the same key."""
        others = [one for one in self.signatures if one.keyid != by.keyid]
        return msgspec.structs.replace(self, signatures=sorted([*others, by], key=lambda one: one.keyid))


def envelope_of(statement: bytes) -> Envelope:
    """Put a statement into an envelope that nobody has signed yet."""
    return Envelope(payload=base64.b64encode(statement).decode(), payload_type=PAYLOAD_TYPE, signatures=[])


def written(envelope: Envelope) -> bytes:
    """Give the bytes of its file."""
    return msgspec.json.format(msgspec.json.encode(envelope), indent=2) + b"\n"


def parse(data: bytes) -> Envelope:
    """Read the bytes of a file; whatever `written` would have written otherwise is an InvalidEnvelope."""
    try:
        envelope = decoding.json(data, msgspec.json.Decoder(Envelope))
    except decoding.Unreadable as error:
        raise InvalidEnvelope(f"cannot be read ({error})") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidEnvelope("holds something other than an in-toto statement")
    if not envelope.signatures:
        raise InvalidEnvelope("has no signature in it")
    if len(envelope.signatures) > MOST_SIGNATURES:
        raise InvalidEnvelope(f"has more than {MOST_SIGNATURES} signatures")
    if envelope.key_ids != sorted(set(envelope.key_ids)):
        raise InvalidEnvelope("has a key twice, or its keys in another order than that of their ids")
    if not all(map(_KEY_ID.fullmatch, envelope.key_ids)):
        raise InvalidEnvelope("names a key otherwise than by the SHA-256 of its public half")
    _decoded(envelope.payload, "a statement")
    if any(len(_decoded(one.sig, "a signature")) != _SIGNATURE_BYTES for one in envelope.signatures):
        raise InvalidEnvelope(f"has a signature that is not {_SIGNATURE_BYTES} bytes long, as those of Ed25519 are")
    if written(envelope) != data:
        raise InvalidEnvelope("is not spelled as `sign` writes it")
    return envelope


def _decoded(text: str, what: str) -> bytes:
    """Read Base64 as everybody must write it: of several spellings, one is right."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidEnvelope(f"has {what} that is not Base64") from error
    if base64.b64encode(data).decode() != text:
        raise InvalidEnvelope(f"has {what} that is not Base64 as it is written")
    return data
