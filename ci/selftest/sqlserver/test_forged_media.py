"""Media that somebody made up: whatever they say, a statement answers, and the server goes on."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from selftest.sqlserver.servers import Server, backup, disk, restore
from vdi_conformance.contract import Database
from vdi_conformance.emulator.stream import HEADER_SIZE, Backup, StreamHeader
from vdi_conformance.sqlserver.seam import SetOption

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.statements import RestoreSubject

_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, -1, 0, 1 << 63, 1 << 70, 1.5, "", "x" * 300, "\x00", [], {}, "2026-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00", "00000000-0000-0000-0000-000000000000", [[]], ["a", 1], "log", "numeric", "datetime"),
)
_SUBJECTS: Final[tuple[RestoreSubject, ...]] = (
    *("headeronly", "filelistonly", "labelonly", "verifyonly", "database", "log"),
)


def parts_of(stream: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the label and the document of a stream whose document is in its first data frame."""
    header = StreamHeader.unpack(stream[:HEADER_SIZE])
    label = json.loads(stream[HEADER_SIZE : HEADER_SIZE + header.payload_size])
    start = header.frame_size + HEADER_SIZE
    return label, json.loads(stream[start : start + label["document"]])


def places_in(tree: Any) -> list[tuple[Any, Any]]:
    """Give every place of a tree that something else can be put in."""
    places: list[tuple[Any, Any]] = []
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        places += [(tree, key), *places_in(tree[key])]
    return places


def forged(label: dict[str, Any], document: dict[str, Any]) -> bytes:
    """Write a stream that says this, whose frames are in order."""
    data = json.dumps(document).encode()
    told = json.dumps({**label, "document": len(data), "size": len(data)} if "document" in label else label).encode()
    frames = Backup(Database(1, 0), 1, 512, 1 << 20, bytes(16), label=told, document=data).frames(0)
    stream = bytearray()
    for frame in frames:
        whole = bytearray(frame.size)
        frame.write_to(memoryview(whole))
        stream += whole
    return bytes(stream)


@pytest.mark.parametrize("seed", range(3))
def test_any_answer_to_a_forged_medium_ends_the_statement(server: Server, seed: int) -> None:
    random = Random(seed)
    server.instance.alter_database("pubs", SetOption("RECOVERY", "FULL"), server.asker())
    server.fill("pubs", "one", "two")
    server.run(backup("pubs", disk()))
    server.fill("pubs", "three")
    server.run(backup("pubs", disk("log.bak"), "log"))
    originals = [(server.home / "backup" / name).read_bytes() for name in ("pubs.bak", "log.bak")]
    accepted = 0
    for _ in range(10):
        label, document = parts_of(random.choice(originals))
        tree, key = random.choice(places_in(random.choice((label, document))))
        tree[key] = random.choice(_VALUES)
        (server.home / "backup" / "forged.bak").write_bytes(forged(label, document))
        for subject in _SUBJECTS:
            told: dict[str, Any] = {"REPLACE": True} if subject == "database" else {}
            name = "pubs" if subject in ("database", "log") else None
            result = server.run(restore(name, disk("forged.bak"), subject, **told))
            failed = result.numbers[-1:] == [3013]
            accepted += not failed
        list(server.instance.view("msdb", "dbo", "backupset") or ())
        Server(server.directory)
        again = server.run(restore("pubs", disk(), REPLACE=True))
        assert again.numbers[-1] == 3014
        assert server.contents("pubs") == ["one", "two"]
    assert accepted > 0
