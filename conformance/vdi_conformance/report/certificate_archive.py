"""The archive of a certificate: one form of ZIP file, so that the same contents are the same bytes; pure."""

import io
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import Final

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.dsse.json"
"""The only file that is added later, so that no digest of the manifest covers it."""
LIMIT: Final = 64 * 1024 * 1024
"""Bytes: no certificate is so large, and nothing larger is looked into."""
MOST_FILES: Final = 64
"""No certificate has so many files."""
_END: Final = struct.Struct("<4s4H2LH")
"""The last record of an archive that has no comment: its fifth field is how many files there are, the sixth how many
bytes tell of them."""
_BYTES_A_FILE: Final = 256
_LOCATOR_SIZE: Final = 20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE: Final = 0o100644 << 16


class InvalidCertificate(ValueError):
    """What was given is no certificate as `certify` writes it; one sentence says why."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Write the files in the order of their names, the manifest first, without compression, times or owners."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (name != MANIFEST, name)):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = _FILE
            archive.writestr(info, files[name])
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Read such an archive; anything that `pack` would have written otherwise is refused.

    Nothing is ever written to a disk, and nothing decompressed, so that names and sizes can do no harm.
    """
    if len(data) > LIMIT:
        raise InvalidCertificate(f"it has {len(data)} bytes, more than any certificate")
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check(entries, len(data))
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, InvalidCertificate):
            raise
        raise InvalidCertificate("it is damaged or no ZIP file") from error
    if pack(files) != data:
        raise InvalidCertificate("it holds more than its files, or they are packed otherwise than `certify` does")
    return files


def _check_end(data: bytes) -> None:
    """Refuse an archive of very many files before each of them costs time, by the record with which it must end."""
    if len(data) < _END.size or not data.startswith(b"PK"):
        raise InvalidCertificate("it is damaged or no ZIP file")
    mark, *_, entries, size, _, comment = _END.unpack(data[-_END.size :])
    if mark != b"PK\5\6" or comment:
        raise InvalidCertificate("it is damaged, or holds more than its files")
    # Where that locator is, the numbers of another record count, which no archive of this size needs.
    many = data[-_END.size - _LOCATOR_SIZE :].startswith(b"PK\6\7")
    if many or entries > MOST_FILES or size > MOST_FILES * _BYTES_A_FILE:
        raise InvalidCertificate("it has more files than any certificate")


def _check(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MOST_FILES:
        raise InvalidCertificate("it has more files than any certificate")
    if twice := [name for name, count in Counter(entry.filename for entry in entries).items() if count > 1]:
        raise InvalidCertificate(f"it holds {min(twice)!r} more than once")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise InvalidCertificate("its files are compressed, which `certify` does not do")
    if sum(entry.file_size for entry in entries) > size:
        raise InvalidCertificate("its files claim to be larger than it is")
