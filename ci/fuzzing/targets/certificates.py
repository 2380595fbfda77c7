"""Certificates: archives of any kind, and certificates whose parts were changed and whose digests were made to fit."""

from __future__ import annotations

import io
import warnings
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Final

from fuzzing.mutation import bytewise, changed, linewise, of_json
from fuzzing.target import Target, alone, refusing
from selftest.report import certificates
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import MANIFEST, InvalidCertificate, pack, unpack
from vdi_conformance.report.certificate_verification import verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

_END_OF_NAME: Final = b"\0"


def _archives() -> Sequence[bytes]:
    """Give archives as they should be, and such as others have made trouble with."""
    plain = {MANIFEST: b"{}", "a/b.txt": b"x" * 50}
    return [pack(plain), pack({MANIFEST: b""}), *map(_zipped, _TROUBLE)]


_TROUBLE: Final = (
    [("../../x", b"x", zipfile.ZIP_STORED)],
    [("/etc/x", b"x", zipfile.ZIP_STORED), ("a\\..\\b", b"", zipfile.ZIP_STORED)],
    [("bomb", bytes(1 << 20), zipfile.ZIP_DEFLATED)],
    [(MANIFEST, b"1", zipfile.ZIP_STORED), (MANIFEST, b"2", zipfile.ZIP_STORED)],
    [(str(number), b"", zipfile.ZIP_STORED) for number in range(70)],
    [("\u202ea", b"x", zipfile.ZIP_LZMA), ("dir/", b"", zipfile.ZIP_STORED)],
)


def _zipped(files: Sequence[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data, how in files:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, data, how)
    return buffer.getvalue()


@cache
def _whole() -> Mapping[str, bytes]:
    """Give the files of a certificate that is in order."""
    return certificate(certificates.parts())


def _changes() -> Sequence[bytes]:
    """Give the files of a certificate, each as an input that says which one it replaces; tables are cut short."""
    return [name.encode() + _END_OF_NAME + data for name, data in _whole().items() if len(data) < 1 << 17]


def _other_part(random: Random, examples: Sequence[bytes]) -> bytes:
    """Change one file of a certificate as suits what it is."""
    name, _, data = random.choice(examples).partition(_END_OF_NAME)
    if name.endswith((b".jsonl", b".json")) and random.randrange(8):
        data = linewise(of_json)(random, [data]) if name.endswith(b".jsonl") else of_json(random, data)
    else:
        data = changed(random, data)
    return name + _END_OF_NAME + data


def _verify(data: bytes) -> None:
    """Verify a certificate of which one file is another one, whose digest fits."""
    name, _, content = data.partition(_END_OF_NAME)
    files = dict(_whole())
    path = name.decode("utf-8", "replace")
    if path == MANIFEST:
        archive = pack({**files, MANIFEST: content})
    else:
        files[path] = content
        archive = certificates.resealed(files)
    verified(archive, _SHIPPED, certificates.NOW)


_SHIPPED: Final = certificates.shipped()

TARGETS: Final = (
    Target("archive", "archives that may be certificates", _archives, bytewise, alone(refusing(unpack, InvalidCertificate))),
    Target("certificate", "certificates with one part that was changed", _changes, _other_part, alone(refusing(_verify, InvalidCertificate))),
)
