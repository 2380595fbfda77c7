"""Writes and reads evidence files."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vdi_conformance.evidence.records import FORMAT, CheckRecord, Footer, Header, Record, narrowed
from vdi_conformance.output.files import not_writable, open_stream
from vdi_conformance.untrusted import decoding


class _Versioned(msgspec.Struct, tag="header", tag_field="record"):
    format: int = FORMAT


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Header | CheckRecord | Footer)
_versions = msgspec.json.Decoder(_Versioned)


class NotEvidence(ValueError):
    """A file that is not a whole result; the sentence says what is missing."""


@dataclass(frozen=True)
class Evidence:
    """A whole run."""

    header: Header
    checks: tuple[CheckRecord, ...]
    footer: Footer


class EvidenceWriter:
    """Appends records to a file as they come, so that an interrupted run leaves what it had.

    What cannot be written is NotWritable, and ends the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_stream(path)
        except OSError as error:
            raise not_writable(path, error) from error

    def write(self, record: Record) -> None:
        """Append one record."""
        try:
            self._file.write(_encoder.encode(record) + b"\n")
            self._file.flush()
        except OSError as error:
            self.close()
            raise not_writable(self._path, error) from error

    def close(self) -> None:
        """Close the file; every record was seen off when it was written."""
        with suppress(OSError):
            self._file.close()


def read(path: Path) -> Evidence:
    """Read a whole run, or raise NotEvidence with the reason."""
    try:
        data = decoding.file_bytes(path)
    except decoding.Unreadable as error:
        raise NotEvidence(f"{path} cannot be read ({error}): correct its path") from error
    return parse(data, str(path))


def parse(data: bytes, name: str) -> Evidence:
    """Take a whole run out of the bytes of a file; `name` is what sentences call it."""
    lines = data.splitlines()
    _check_format(lines, name)
    try:
        records = [decoding.json(line, _decoder) for line in lines]
    except decoding.Unreadable as error:
        raise NotEvidence(f"{name} is not evidence ({error}): name a file that `run --evidence` wrote") from error
    return assemble(records, name)


def written(evidence: Evidence) -> bytes:
    """Give the bytes of the file that a run writes of it."""
    return b"".join(_encoder.encode(one) + b"\n" for one in (evidence.header, *evidence.checks, evidence.footer))


def _check_format(lines: list[bytes], name: str) -> None:
    """Refuse another version by its number, before anything is said of what that one has otherwise."""
    try:
        found = decoding.json(lines[0] if lines else b"", _versions).format
    except decoding.Unreadable:
        return
    if found != FORMAT:
        raise NotEvidence(f"{name} has format {found}, this version reads {FORMAT}")


def assemble(records: Iterable[Header | CheckRecord | Footer], name: str) -> Evidence:
    """Put the records of a file together: a header, checks, a footer, each check once."""
    match list(records):
        case [Header() as header, *middle, Footer() as footer]:
            checks = tuple(record for record in middle if isinstance(record, CheckRecord))
        case _:
            raise NotEvidence(f"{name} is not a whole result: it needs a header first and a footer last; run again")
    if len(checks) != len(middle) or len({check.id for check in checks}) != len(checks):
        raise NotEvidence(f"{name} holds something other than one record a check between header and footer")
    return Evidence(narrowed(header, footer), checks, footer)
