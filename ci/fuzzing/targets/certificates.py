"""Certificates: archives of any kind, and certificates whose parts were changed and whose digests were made to fit."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from fuzzing.mutation import bytewise, changed, linewise, of_json
from fuzzing.target import Target, alone, refusing
from selftest.report import certificates
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import MANIFEST, InvalidCertificate, pack, unpack
from vdi_conformance.report.certificate_verification import Shipped, verified
from vdi_conformance.requirements.profiles import parse as parse_profile
from vdi_conformance.requirements.reading import TABLES, read
from vdi_conformance.untrusted import decoding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

_END_OF_NAME: Final = b"\0"
_END_OF_TABLE: Final = b"\n\x1c\n"


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


_KEPT: Final = ("CMP-03", "CMP-06", "CRE-01", "CRE-18", "ST-01")
"""The requirements of a catalogue that is small enough to be verified a hundred thousand times."""
_PROFILE: Final = b"""name = "core"
version = 1
about = "a few requirements"
server = "statement"
joining = false
derived = true
topics = ["CMP", "CRE", "ST"]
scored = ["CMP-03", "CMP-06", "CRE-01", "CRE-18"]
reported = ["ST-01"]
excluded = []

[optional]
CRE-18 = "named_instances"
"""


@cache
def _tables() -> Mapping[str, bytes]:
    """Give the tables with these requirements, their questions, and a few sources."""
    kept: dict[str, bytes] = {}
    asked: set[bytes] = set()
    for name in TABLES:
        comments, head, *rows = [b"", *certificates.TABLE_BYTES[name].splitlines()]
        if head.startswith(b"#"):
            comments, head, *rows = head, *rows
        wanted = {one.encode() for one in _KEPT} | asked
        rows = [row for row in rows if name == "sources.tsv" or row.split(b"\t")[0] in wanted][:20]
        if name == "requirements.tsv":
            place = head.split(b"\t").index(b"questions")
            asked = {one.strip() for row in rows for one in row.split(b"\t")[place].split(b",") if one.strip()}
        kept[name] = b"".join(line + b"\n" for line in (comments, head, *rows) if line)
    return kept


@cache
def _whole() -> Mapping[str, bytes]:
    """Give the files of a certificate that is in order."""
    tables = _tables()
    known = read({name: data.decode() for name, data in tables.items()})
    profile = parse_profile(_PROFILE, "profile.toml")
    small: dict[str, Any] = {"TABLE_BYTES": tables, "catalogue": lambda: known, "core": lambda: profile}
    with patch.multiple(certificates, **small):
        return certificate(certificates.parts(profile=_PROFILE))


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
    shipped = Shipped(certificates.VERSION, _tables(), {"core-1": _PROFILE}, {})
    verified(archive, shipped, certificates.NOW)


def _catalogues() -> Sequence[bytes]:
    """Give all tables of a catalogue in one input."""
    return [
        _END_OF_TABLE.join(_tables().values()),
        _END_OF_TABLE.join(line.partition(b"\n")[0] for line in _tables().values()),
    ]


def _read_tables(data: bytes) -> None:
    texts = [decoding.text(table) for table in data.split(_END_OF_TABLE)]
    read(dict(zip(TABLES, [*texts, *[""] * len(TABLES)], strict=False)))


TARGETS: Final = (
    Target(
        "catalogue",
        "the tables of requirements in a certificate",
        _catalogues,
        linewise(),
        alone(refusing(_read_tables, ValueError, csv.Error)),
    ),
    Target(
        "archive", "archives that may be certificates", _archives, bytewise, alone(refusing(unpack, InvalidCertificate))
    ),
    Target(
        "certificate",
        "certificates with one part that was changed",
        _changes,
        _other_part,
        alone(refusing(_verify, InvalidCertificate)),
    ),
)
