"""BACKUP and RESTORE on disk: sets behind each other, and files that are none of the server's."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from selftest.sqlserver.servers import Server, backup, disk, elsewhere, restore
from vdi_conformance.sqlserver.backups.disk import DiskMedia
from vdi_conformance.sqlserver.backups.media import MediaFailure
from vdi_conformance.sqlserver.databases.activities import Activities
from vdi_conformance.sqlserver.statements import BackupStatement, Medium

if TYPE_CHECKING:
    from pathlib import Path


def test_sets_follow_each_other_and_are_found_by_their_numbers(server: Server) -> None:
    for word in ("one", "two", "three"):
        server.fill("pubs", word)
        assert server.run(backup("pubs", disk(), NAME=word)).numbers[-1] == 3014
    headers = server.run(restore(None, disk(), "headeronly")).rows
    assert [(row["Position"], row["BackupName"]) for row in headers] == [(1, "one"), (2, "two"), (3, "three")]
    assert server.run(restore(None, disk(), "headeronly", FILE=2)).rows == [headers[1]]
    result = server.run(restore("pubs", disk(), FILE=2))
    assert "on file 2" in result.messages[0].text
    assert server.contents("pubs") == ["one", "two"]
    assert server.run(restore("pubs", disk(), FILE=4)).numbers == [4038, 3013]
    assert server.run(restore("pubs", disk(), FILE=0)).numbers == [4038, 3013]


@pytest.mark.parametrize("word", ["INIT", "FORMAT"])
def test_media_are_overwritten_where_that_is_asked_for(server: Server, word: str) -> None:
    for _ in range(2):
        told: dict[str, Any] = {word: True}
        assert server.run(backup("pubs", disk(), **told)).numbers[-1] == 3014
    assert len(server.run(restore(None, disk(), "headeronly")).rows) == 1


def test_what_has_not_expired_is_kept_unless_it_is_skipped(server: Server) -> None:
    assert server.run(backup("pubs", disk(), RETAINDAYS=3)).numbers[-1] == 3014
    assert server.run(backup("pubs", disk(), INIT=True)).numbers == [4030, 3013]
    assert server.run(backup("pubs", disk(), INIT=True, SKIP=True, EXPIREDATE="2001-01-01")).numbers[-1] == 3014
    assert server.run(backup("pubs", disk(), INIT=True)).numbers[-1] == 3014


def test_stripes_lie_in_several_files(server: Server) -> None:
    server.fill("pubs", *"abc")
    media = disk("a.bak", "b.bak", "c.bak")
    for _ in range(2):
        assert server.run(backup("pubs", media)).numbers[-1] == 3014
    assert server.run(restore("copy", media, FILE=2, MOVE=elsewhere("copy"))).numbers[-1] == 3014
    assert server.contents("copy") == list("abc")
    assert server.run(backup("pubs", disk("a.bak", "b.bak"))).numbers == [3132, 3013]
    assert server.run(restore("pubs", disk("a.bak", "c.bak", "b.bak"))).numbers == [3241, 3013]
    assert server.run(restore("pubs", disk("a.bak"))).numbers == [3132, 3013]


def test_a_file_that_is_not_there_and_one_that_is_no_backup(server: Server) -> None:
    result = server.run(restore("pubs", disk("missing.bak")))
    assert result.numbers == [3201, 3013]
    assert "2(The system cannot find the file specified.)" in result.messages[0].text
    (server.home / "backup" / "words.bak").write_bytes(b"words" * 1000)
    assert server.run(restore("pubs", disk("words.bak"))).numbers == [3241, 3013]
    assert server.run(backup("pubs", disk("words.bak"))).numbers == [3241, 3013]
    assert server.run(backup("pubs", disk("words.bak"), FORMAT=True)).numbers[-1] == 3014


def test_nothing_outside_the_directory_is_touched(server: Server, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bak"
    link = server.home / "backup" / "link.bak"
    if sys.platform != "win32":
        link.symlink_to(outside)
    inside = server.home / "state" / "databases" / "5.json"
    assert inside.exists()
    names = (str(outside), f"..{os.sep}..{os.sep}..{os.sep}outside.bak", str(inside), "a\0b", ".")
    for name in (*names, link.name) if link.is_symlink() else names:
        result = server.run(backup("pubs", disk(name)))
        assert result.numbers == [3201, 3013]
    assert not outside.exists()


def test_backups_are_deleted(server: Server) -> None:
    path = str(server.instance.property("InstanceDefaultDataPath")) + "base.bak"
    assert server.run(backup("pubs", disk(path))).numbers[-1] == 3014
    server.instance.delete_file(path, server.asker())
    server.instance.delete_file(path, server.asker())
    assert server.run(restore("pubs", disk(path))).numbers == [3201, 3013]


@pytest.mark.parametrize(("kind", "number"), [("logical", 3206), ("url", 3201), ("tape", 3201)])
def test_other_media_are_refused(server: Server, kind: str, number: int) -> None:
    medium = Medium(kind, "there")  # type: ignore[arg-type]
    assert server.run(BackupStatement("database", "pubs", (medium,))).numbers == [number, 3013]
    assert server.run(BackupStatement("database", "pubs", (*disk(), medium))).numbers == [number, 3013]


def test_a_file_that_was_cut_is_incomplete(server: Server) -> None:
    server.run(backup("pubs", disk()))
    path = server.home / "backup" / "pubs.bak"
    path.write_bytes(path.read_bytes()[:-1000])
    assert server.run(restore(None, disk(), "verifyonly")).numbers == [3256, 3013]


def test_two_backups_do_not_write_to_one_file_at_once(tmp_path: Path) -> None:
    files = [(name, tmp_path / name) for name in ("a.bak", "b.bak")]
    written = Activities()
    first, second = (DiskMedia(one, written, datetime.now) for one in (files, files[1:]))
    with first.held():
        with pytest.raises(MediaFailure) as caught, second.held():
            pass
        assert [(one.number, one.severity) for one in caught.value.told] == [(3201, 16)]
        assert "32(" in caught.value.told[0].text
    with second.held(), DiskMedia(files[:1], written, datetime.now).held():
        pass
