"""BACKUP and RESTORE over virtual devices, with clients on threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from selftest.emulator.applications import PATIENCE, Site, Tape
from selftest.sqlserver.servers import PUBS, Server, backup, disk, elsewhere, restore, virtual
from vdi_conformance.emulator import transfers
from vdi_conformance.emulator.stream import DATA, HEADER_SIZE, StreamHeader
from vdi_conformance.sqlserver.seam import SetOption
from vdi_conformance.tds.answers import Message
from vdi_conformance.vdi.commands import (
    VDC_MOUNT_SNAPSHOT,
    VDC_SNAPSHOT,
    VDC_WRITE,
    VDF_LIKE_DISK,
    VDF_LIKE_TAPE,
    VDF_REQUEST_COMPLETE,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ("one", "two", "drei'", "\u65e5\u672c")


def names(number: int) -> tuple[str, ...]:
    return ("set", *(f"d{one}" for one in range(1, number)))


def data_of(stream: bytes) -> bytes:
    """Give what the data frames of a stream hold."""
    found, place = b"", 0
    while place < len(stream):
        header = StreamHeader.unpack(stream[place : place + HEADER_SIZE])
        if header.kind == DATA:
            found += stream[place + HEADER_SIZE : place + HEADER_SIZE + header.payload_size]
        place += header.frame_size
    return found


@pytest.mark.parametrize(
    ("devices", "block_size", "transfer"), [(1, 65536, 1 << 20), (4, 4096, 131072), (64, 512, 65536)]
)
def test_what_was_backed_up_is_restored_under_another_name(
    vdi_server: Server, devices: int, block_size: int, transfer: int
) -> None:
    vdi_server.fill("pubs", *WORDS, "x" * 100_000)
    media = virtual(*names(devices))
    sizes: dict[str, Any] = {"BLOCKSIZE": block_size, "MAXTRANSFERSIZE": transfer}
    streams = vdi_server.back_up(backup("pubs", media, **sizes))
    assert sum(map(len, streams)) > PUBS + 100_000
    result = vdi_server.give_back(restore("copy", media, MOVE=elsewhere("copy"), BLOCKSIZE=block_size), streams)
    assert result.numbers == [4035, 4035, 3014]
    assert vdi_server.contents("copy") == vdi_server.contents("pubs")
    again = vdi_server.back_up(backup("copy", media, **sizes))
    assert list(map(data_of, again)) == list(map(data_of, streams))


@pytest.mark.parametrize("features", [VDF_LIKE_TAPE, VDF_LIKE_DISK, VDF_REQUEST_COMPLETE])
def test_every_kind_of_device_serves(vdi_server: Server, features: int) -> None:
    vdi_server.fill("pubs", *WORDS)
    tape, config = Tape(), VDConfig(features=features)
    assert vdi_server.serve(backup("pubs", virtual()), [tape], config).numbers[-1] == 3014
    vdi_server.fill("pubs", "later")
    result = vdi_server.serve(restore("pubs", virtual()), [Tape(tape.stream)], config)
    assert result.numbers[-1] == 3014
    assert vdi_server.contents("pubs") == list(WORDS)


def test_a_restore_in_place_needs_no_options(vdi_server: Server) -> None:
    vdi_server.fill("pubs", "before")
    streams = vdi_server.back_up(backup("pubs", virtual()))
    vdi_server.fill("pubs", "after")
    assert vdi_server.give_back(restore("pubs", virtual()), streams).numbers[-1] == 3014
    assert vdi_server.contents("pubs") == ["before"]


def test_the_message_of_success_has_the_pages_and_the_files(vdi_server: Server) -> None:
    tape = Tape()
    result = vdi_server.serve(backup("pubs", virtual(), STATS=50), [tape])
    assert result.numbers == [3211, 3211, 4035, 4035, 3014]
    texts = [one.text for one in result.messages]
    assert texts[:2] == ["50 percent processed.", "100 percent processed."]
    assert "37 pages for database 'pubs', file 'pubs' on file 1" in texts[2]
    assert "BACKUP DATABASE successfully processed 38 pages in " in texts[4]


def test_stripes_in_another_order_are_refused(vdi_server: Server) -> None:
    media = virtual("set", "two", "three")
    one, two, three = vdi_server.back_up(backup("pubs", media))
    result = vdi_server.give_back(restore("copy", media, MOVE=elsewhere("copy")), [one, three, two])
    assert result.numbers == [3241, 3013]


def test_stripes_of_different_backups_are_refused(vdi_server: Server) -> None:
    media = virtual("set", "two")
    first, _ = vdi_server.back_up(backup("pubs", media))
    _, second = vdi_server.back_up(backup("pubs", media))
    result = vdi_server.give_back(restore("copy", media, MOVE=elsewhere("copy")), [first, second])
    assert result.numbers == [3241, 3013]


@pytest.mark.parametrize("number", [1, 3])
def test_another_number_of_devices_is_refused(vdi_server: Server, number: int) -> None:
    streams = vdi_server.back_up(backup("pubs", virtual("set", "two")))
    result = vdi_server.give_back(restore("copy", virtual(*names(number))), (streams * 2)[:number])
    assert result.numbers == [3132, 3013]


@pytest.mark.parametrize(("length", "number"), [(0, 3254), (2048, 3256), (100_000, 3256)])
def test_a_stream_that_ends_early_is_refused(vdi_server: Server, length: int, number: int) -> None:
    (stream,) = vdi_server.back_up(backup("pubs", virtual()))
    result = vdi_server.give_back(restore("copy", virtual()), [stream[:length]])
    assert result.numbers[0] in (number, 3256, 1834)
    result = vdi_server.give_back(restore("pubs", virtual()), [stream[:length]])
    assert result.numbers == [number, 3013]


def altered(stream: bytes, place: int) -> bytes:
    return stream[:place] + bytes([stream[place] ^ 1]) + stream[place + 1 :]


def test_altered_contents_are_refused_and_leave_the_database_restoring(vdi_server: Server) -> None:
    vdi_server.fill("pubs", *WORDS)
    (stream,) = vdi_server.back_up(backup("pubs", virtual()))
    (summed,) = vdi_server.back_up(backup("pubs", virtual(), CHECKSUM=True))
    for changed, number in ((altered(stream, 100_000), 3241), (altered(summed, 100_000), 3183)):
        result = vdi_server.give_back(restore("copy", virtual(), MOVE=elsewhere("copy"), REPLACE=True), [changed])
        assert result.numbers == [number, 3013]
        assert vdi_server.state("copy") == "RESTORING"
    assert vdi_server.run(restore("copy", (), RECOVERY=True)).numbers == [4333, 3013]
    assert vdi_server.run(backup("copy", virtual())).numbers == [945, 3013]


def test_with_continue_after_error_damage_is_borne(vdi_server: Server) -> None:
    vdi_server.fill("pubs", *WORDS)
    (stream,) = vdi_server.back_up(backup("pubs", virtual(), CHECKSUM=True))
    statement = restore("pubs", virtual(), CONTINUE_AFTER_ERROR=True)
    result = vdi_server.give_back(statement, [altered(stream, 200_000)])
    assert result.numbers == [4035, 4035, 3014, 3184]
    assert vdi_server.contents("pubs") == list(WORDS)


def test_another_block_size_is_refused(vdi_server: Server) -> None:
    (stream,) = vdi_server.back_up(backup("pubs", virtual(), BLOCKSIZE=4096))
    result = vdi_server.give_back(restore("pubs", virtual(), BLOCKSIZE=512), [stream])
    assert result.numbers == [3268, 3013]


def test_a_label_that_somebody_made_up_is_refused(vdi_server: Server) -> None:
    result = vdi_server.give_back(restore("pubs", virtual()), [b"\0" * 100_000])
    assert result.numbers == [3241, 3013]
    assert vdi_server.state("pubs") == "ONLINE"


def test_without_a_set_the_client_hears_3201_and_the_log_the_rest(vdi_server: Server) -> None:
    result = vdi_server.run(backup("pubs", virtual()))
    assert result.numbers == [3201, 3013]
    assert "0x80070002" in result.messages[0].text
    assert (result.messages[0].severity, result.messages[0].state) == (16, 7)
    texts = [line.text for line in vdi_server.instance.error_log() if line.process == "Backup"]
    assert texts[0] == "Error: 18210, Severity: 16, State: 1."
    assert "'set'" in texts[1]
    assert texts[2] == "Error: 3041, Severity: 16, State: 1."
    assert "BACKUP DATABASE pubs" in texts[3]
    assert len(texts) == 4
    vdi_server.run(restore("pubs", virtual()))
    assert not any("3041" in line.text for line in vdi_server.instance.error_log()[len(texts) + 1 :])


def test_a_write_that_fails_is_told_to_the_client(vdi_server: Server) -> None:
    failing = Tape(complete=lambda command, count: (29 if command.code == VDC_WRITE else 0, count))
    result = vdi_server.serve(backup("pubs", virtual()), [failing])
    assert result.numbers == [3202, 3013]


def test_an_abort_of_the_client_is_3271(vdi_server: Server, site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=1)) == NOERROR
    execution = site.threads.submit(vdi_server.run, backup("pubs", virtual()))
    assert primary.get_configuration(PATIENCE).code == NOERROR
    assert primary.signal_abort() == NOERROR
    assert execution.result(PATIENCE / 1000).numbers == [3271, 3013]
    assert any("995" in text for text in vdi_server.logged("set"))
    primary.close()


def test_a_cancelled_statement_aborts_its_set(vdi_server: Server, site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=1)) == NOERROR
    execution = site.threads.submit(vdi_server.run, backup("pubs", virtual()))
    assert primary.get_configuration(PATIENCE).code == NOERROR
    device = primary.open_device("set").value
    assert device is not None
    assert device.get_command(PATIENCE).code == NOERROR
    vdi_server.cancelled.set()
    assert device.get_command(PATIENCE).code == VD_E_ABORT
    result = execution.result(PATIENCE / 1000)
    assert result.numbers == [3204, 3013]
    assert result.messages[0].state == 0
    primary.close()


def test_whoever_hears_no_more_of_a_statement_ends_it(vdi_server: Server, site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=1)) == NOERROR
    told = vdi_server.instance.backup(backup("pubs", virtual(), COMPRESSION=True), vdi_server.asker())
    assert isinstance(next(iter(told)), Message)
    told.close()  # type: ignore[attr-defined]
    primary.close()
    assert vdi_server.run(backup("pubs", disk())).numbers[-1] == 3014


def test_a_second_backup_and_a_restore_are_refused_meanwhile(vdi_server: Server, site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=1)) == NOERROR
    execution = site.threads.submit(vdi_server.run, backup("pubs", virtual()))
    assert primary.get_configuration(PATIENCE).code == NOERROR
    assert vdi_server.run(backup("PUBS", virtual("other"))).numbers == [3023, 3013]
    assert vdi_server.run(backup("pubs", virtual("other"), "log")).numbers == [4208, 3013]
    assert vdi_server.run(restore("pubs", virtual("other"))).numbers == [3101, 3013]
    primary.release()
    assert execution.result(PATIENCE / 1000).numbers[-1] == 3013


def test_a_log_is_backed_up_while_its_database_is(vdi_server: Server, site: Site) -> None:
    vdi_server.instance.alter_database("pubs", SetOption("RECOVERY", "FULL"), vdi_server.asker())
    vdi_server.run(backup("pubs", disk()))
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=1)) == NOERROR
    execution = site.threads.submit(vdi_server.run, backup("pubs", virtual()))
    assert primary.get_configuration(PATIENCE).code == NOERROR
    vdi_server.fill("pubs", "meanwhile")
    assert vdi_server.run(backup("pubs", disk("log.bak"), "log")).numbers[-1] == 3014
    device, tape = primary.open_device("set").value, Tape()
    assert device is not None
    tape.serve(device)
    assert execution.result(PATIENCE / 1000).numbers[-1] == 3014
    primary.close()
    result = vdi_server.give_back(restore("copy", virtual(), MOVE=elsewhere("copy"), NORECOVERY=True), [tape.stream])
    assert result.numbers[-1] == 3014
    assert vdi_server.run(restore("copy", disk("log.bak"), "log")).numbers[-1] == 3014
    assert vdi_server.contents("copy") == ["meanwhile"]


def test_what_replaces_a_part_of_statements_serves_here_too(
    vdi_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = []

    def noted(name: str, *arguments: Any) -> Any:
        served.append(name)
        return transfers.backup(name, *arguments)

    monkeypatch.setattr("vdi_conformance.emulator.statement.backup", noted)
    vdi_server.back_up(backup("pubs", virtual("set", "two")))
    assert served == ["set", "two"]


def test_a_snapshot_goes_there_and_back(vdi_server: Server) -> None:
    vdi_server.fill("pubs", *WORDS)
    tape = Tape()
    assert vdi_server.serve(backup("pubs", virtual(), SNAPSHOT=True), [tape]).numbers[-1] == 3014
    assert tape.commands[-1].code == VDC_SNAPSHOT
    assert len(tape.stream) < 50_000
    vdi_server.fill("pubs", "later")
    back = Tape(tape.stream)
    assert vdi_server.serve(restore("pubs", virtual(), SNAPSHOT=True), [back]).numbers[-1] == 3014
    assert back.commands[-1].code == VDC_MOUNT_SNAPSHOT
    assert vdi_server.contents("pubs") == list(WORDS)
    (usual,) = vdi_server.back_up(backup("pubs", virtual()))
    assert vdi_server.give_back(restore("pubs", virtual(), SNAPSHOT=True), [usual]).numbers == [3276, 3013]
    assert vdi_server.run(backup("pubs", virtual("a", "b"), SNAPSHOT=True)).numbers == [3277, 3013]


def test_a_named_instance_opens_sets_of_its_own(tmp_path: Path, site: Site) -> None:
    named = Server(tmp_path / "named", site, instance="OTHER")
    assert named.instance.server_name.endswith("\\OTHER")
    named.fill("pubs", "there")
    streams = named.back_up(backup("pubs", virtual()))
    named.fill("pubs", "gone")
    assert named.give_back(restore("pubs", virtual()), streams).numbers[-1] == 3014
    assert named.contents("pubs") == ["there"]


@pytest.mark.parametrize("subject", ["filelistonly", "headeronly", "labelonly", "verifyonly"])
def test_a_stream_says_what_it_is(vdi_server: Server, subject: str) -> None:
    media = virtual("set", "two")
    streams = vdi_server.back_up(backup("pubs", media, NAME="nightly", MEDIANAME="shelf", COPY_ONLY=True))
    result = vdi_server.give_back(restore(None, media, subject), streams)  # type: ignore[arg-type]
    if subject == "verifyonly":
        assert result.numbers == [3262]
        assert vdi_server.give_back(restore(None, media, "verifyonly"), [streams[0], streams[1][:-600]]).numbers == [
            3256,
            3013,
        ]
        return
    assert not [one for one in result.answers if isinstance(one, Message)]
    all_expected: dict[str, list[dict[str, Any]]] = {
        "filelistonly": [{"LogicalName": "pubs", "Type": "D"}, {"LogicalName": "pubs_log", "Type": "L"}],
        "headeronly": [{"BackupName": "nightly", "DatabaseName": "pubs", "BackupType": 1, "IsCopyOnly": True}],
        "labelonly": [{"MediaName": "shelf", "FamilyCount": 2, "FamilySequenceNumber": 1}],
    }
    expected = all_expected[subject]
    assert [{name: row[name] for name in expected[0]} for row in result.rows] == expected
