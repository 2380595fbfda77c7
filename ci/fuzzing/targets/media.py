"""Backup media that somebody made up, and what an emulated SQL Server finds in its directory when it starts."""

from __future__ import annotations

import tempfile
import zlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from fuzzing.mutation import bytewise, documents, linewise, of_json
from fuzzing.target import Broken, Target, alone, refusing
from fuzzing.targets.samples import encoded
from selftest.sqlserver.servers import Server, backup, disk, restore
from selftest.sqlserver.test_forged_media import parts_of
from vdi_conformance.contract import Database
from vdi_conformance.emulator.stream import HEADER_SIZE, Backup, StreamError, StreamReader
from vdi_conformance.sqlserver.databases.store import Unusable
from vdi_conformance.sqlserver.seam import SetOption
from vdi_conformance.sqlserver.statements import RestoreSubject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from fuzzing.target import Read

_DATABASE: Final = Database(5, 3000)
_TRANSFER: Final = 65536
_SUBJECTS: Final = get_args(RestoreSubject)


def _stream(document: bytes = b"", label: bytes | None = None, database: Database = _DATABASE) -> bytes:
    stream = bytearray()
    made = Backup(database, 1, 512, _TRANSFER, bytes(16), label=label, document=document)
    for frame in made.frames(0):
        whole = bytearray(frame.size)
        frame.write_to(memoryview(whole))
        stream += whole
    return bytes(stream)


@cache
def _left_behind() -> Mapping[str, bytes]:
    """Give the files of a server that has made two backups."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        server = Server(Path(name))
        server.instance.alter_database("pubs", SetOption("RECOVERY", "FULL"), server.asker())
        server.fill("pubs", "one", "two")
        server.run(backup("pubs", disk()))
        server.fill("pubs", "three")
        server.run(backup("pubs", disk("log.bak"), "log"))
        server.run(restore("pubs", disk(), REPLACE=True))
        return {
            str(path.relative_to(server.home)): path.read_bytes() for path in server.home.rglob("*") if path.is_file()
        }


def _streams() -> Sequence[bytes]:
    return [_stream(), _stream(database=Database(9, 0))]


def _framewise(random: Random, examples: Sequence[bytes]) -> bytes:
    """Change a stream, and mostly give the headers of its frames their checksums again."""
    stream = bytearray(bytewise(random, examples))
    place = 0
    while random.randrange(4) and place + HEADER_SIZE <= len(stream):
        head = stream[place : place + HEADER_SIZE]
        stream[place : place + HEADER_SIZE] = head[:-4] + zlib.crc32(head[:-4]).to_bytes(4, "little")
        place += max(512, int.from_bytes(head[40:44], "little"))
    return bytes(stream)


def _restore(data: bytes) -> None:
    """Take a stream in pieces, as the emulated statement does."""
    reader = StreamReader(_DATABASE, 0, 1)
    for start in range(0, len(data), 700):
        reader.feed(memoryview(data)[start : start + 700])
    reader.end()


def _media() -> Sequence[bytes]:
    """Give what backups say: a line with the label, and one with the tables."""
    originals = [data for name, data in _left_behind().items() if name.endswith(".bak")]
    return [b"\n".join(map(encoded, parts_of(one))) for one in originals]


@contextmanager
def _restoring(directory: Path) -> Iterator[Read]:
    """Run a RESTORE of what a medium says; a database that has nothing to do with it can still be backed up."""
    server = Server(directory)
    medium = server.home / "backup" / "forged.bak"
    medium.parent.mkdir(parents=True, exist_ok=True)

    def read(data: bytes) -> bool:
        label, _, document = data.partition(b"\n")
        medium.write_bytes(_stream(document, _sized(label, document), Database(1, 0)))
        subject = _SUBJECTS[zlib.crc32(data) % len(_SUBJECTS)]
        name = "pubs" if subject in ("database", "log") else None
        told: dict[str, Any] = {"REPLACE": True} if subject == "database" else {}
        result = server.run(restore(name, disk("forged.bak"), subject, **told))
        list(server.instance.view("msdb", "dbo", "backupset") or ())
        if not result.answers:
            raise Broken("RESTORE has answered nothing")
        server.instance.forget_history(server.asker())
        return result.numbers[-1:] != [3013]

    yield read


def _sized(label: bytes, document: bytes) -> bytes:
    """Have a label tell the size that its document has, mostly."""
    size = b"%d" % len(document)
    for key in (b'"document":', b'"size":'):
        head, found, rest = label.rpartition(key)
        if found and len(document) % 8:
            label = head + found + size + rest.lstrip(b"0123456789")
    return label


def _states() -> Sequence[bytes]:
    """Give what a server keeps, file by file: its place in the first line."""
    kept = _left_behind()
    return [
        name.encode() + b"\n" + data for name, data in kept.items() if name.endswith((".json", ".jsonl", "ERRORLOG"))
    ]


def _other_state(random: Random, examples: Sequence[bytes]) -> bytes:
    """Change the content of a file."""
    name, _, data = random.choice(examples).partition(b"\n")
    mutate = documents if name.endswith(b".json") else linewise(of_json)
    return name + b"\n" + mutate(random, [data])


@contextmanager
def _starting(directory: Path) -> Iterator[Read]:
    """Start a server over what an earlier one left, and ask it what it has."""
    server = Server(directory)

    def read(data: bytes) -> bool:
        name, _, content = data.partition(b"\n")
        path = server.home / name.decode("utf-8", "replace").replace("..", "").replace("\0", "").lstrip("/")[:200]
        before = path.read_bytes() if path.is_file() else None
        if path.parent.is_dir() and not path.is_dir():
            path.write_bytes(content)
        try:
            return refusing(lambda _: _ask(directory), Unusable)(data)
        finally:
            if before is None and path.is_file():
                path.unlink()
            elif before is not None:
                path.write_bytes(before)

    yield read


def _ask(directory: Path) -> None:
    instance = Server(directory).instance
    for schema, view in (("sys", "databases"), ("sys", "master_files")):
        list(instance.view("master", schema, view) or ())
    list(instance.view("msdb", "dbo", "backupset") or ())
    for number in range(3):
        instance.error_log(number)


TARGETS: Final = (
    Target(
        "backup-streams",
        "streams of the emulated server's backups",
        _streams,
        _framewise,
        alone(refusing(_restore, StreamError)),
    ),
    Target("backup-media", "files that RESTORE reads", _media, linewise(of_json), _restoring),
    Target("server-directory", "what an earlier emulated SQL Server left", _states, _other_state, _starting),
)
