"""What msdb and the error log keep of backups and restores."""

from __future__ import annotations

from typing import Any

from selftest.sqlserver.servers import Server, backup, disk, elsewhere, restore, virtual


def table(server: Server, name: str) -> list[dict[str, Any]]:
    found = server.instance.view("msdb", "dbo", name)
    assert found is not None
    return [dict(zip((column.name for column in found.columns), row, strict=True)) for row in found.rows]


def test_a_backup_over_virtual_devices_is_noted(vdi_server: Server) -> None:
    media = virtual("set", "two")
    streams = vdi_server.back_up(backup("pubs", media, NAME="nightly"))
    (entry,) = table(vdi_server, "backupset")
    assert (entry["database_name"], entry["type"], entry["name"], entry["position"]) == ("pubs", "D", "nightly", 1)
    families = table(vdi_server, "backupmediafamily")
    assert [(one["physical_device_name"], one["device_type"]) for one in families] == [("set", 7), ("two", 7)]
    (media_set,) = table(vdi_server, "backupmediaset")
    assert media_set["media_family_count"] == 2
    assert {one["media_set_id"] for one in (*families, media_set, entry)} == {1}
    header = vdi_server.give_back(restore(None, media, "headeronly"), streams).rows[0]
    same = {
        "backup_set_uuid": "BackupSetGUID",
        "first_lsn": "FirstLSN",
        "last_lsn": "LastLSN",
        "checkpoint_lsn": "CheckpointLSN",
        "backup_start_date": "BackupStartDate",
        "family_guid": "FamilyGUID",
        "backup_size": "BackupSize",
    }
    assert {name: entry[name] for name in same} == {name: header[other] for name, other in same.items()}
    files = table(vdi_server, "backupfile")
    assert [(one["logical_name"], one["file_type"]) for one in files] == [("pubs", "D"), ("pubs_log", "L")]


def test_a_restore_is_noted(server: Server) -> None:
    server.run(backup("pubs", disk()))
    server.run(restore("copy", disk(), REPLACE=True, MOVE=elsewhere("copy")))
    (entry,) = table(server, "restorehistory")
    (of,) = table(server, "backupset")
    assert entry["backup_set_id"] == of["backup_set_id"]
    assert (entry["destination_database_name"], entry["restore_type"], entry["replace"]) == ("copy", "D", True)


def test_failures_are_not_noted(server: Server) -> None:
    server.run(backup("pubs", virtual("a", "a")))
    server.run(restore("pubs", disk("none.bak")))
    assert table(server, "backupset") == table(server, "restorehistory") == []


def test_history_is_forgotten(server: Server) -> None:
    for _ in range(2):
        server.run(backup("pubs", disk()))
    server.run(backup("model", disk("model.bak")))
    server.run(restore("copy", disk(), MOVE=elsewhere("copy")))
    before = server.instance.now()
    server.instance.forget_history(server.asker(), database="PUBS")
    assert [one["database_name"] for one in table(server, "backupset")] == ["model"]
    assert table(server, "restorehistory") == []
    server.run(backup("model", disk("model.bak")))
    server.instance.forget_history(server.asker(), before=before)
    assert [one["position"] for one in table(Server(server.directory), "backupset")] == [2]


def test_the_error_log_tells_of_backups_and_restores(server: Server) -> None:
    server.run(backup("pubs", disk()))
    server.run(backup("pubs", disk(), DIFFERENTIAL=True))
    server.run(restore("pubs", disk(), REPLACE=True))
    texts = [line.text for line in server.instance.error_log() if line.process == "Backup"]
    assert [text.split(".")[0].split(":")[0] for text in texts] == [
        "Database backed up",
        "Database differential changes were backed up",
        "Database was restored",
    ]
    assert "device information: (FILE=2, TYPE=DISK: {'pubs.bak'})" in texts[1]
