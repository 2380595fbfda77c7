"""What statements make of their devices, of the answers of their clients, and how they say that they failed."""

import pytest

from vdi_conformance.contract import Subject
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.scenario import USUAL, Scenario
from vdi_conformance.harness.server_messages import (
    OF_THE_LOG,
    numbers_of,
    require_failure,
    require_last_word,
    require_message,
    require_words,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT


def refuse_a_transfer(statement: StatementRun, code: int) -> None:
    """Complete the second Read or Write of the first device with an error."""
    statement.answer(statement.next_data_command()).expect(NOERROR)
    statement.device.complete(statement.next_data_command(), code).expect(NOERROR)


def cut_short(testbed: Testbed, size: int) -> StatementRun:
    """Restore no more than the first bytes of a stream."""
    streams = testbed.directory(f"streams-of-{size}")
    statement = testbed.backup(keep=streams)
    statement.succeed()
    with (streams / "0.stream").open("r+b") as stream:
        stream.truncate(size)
    return testbed.restore(streams=streams)


def named_by(testbed: Testbed, set_name: str, *further: str) -> StatementRun:
    """Prepare a BACKUP whose devices have these names."""
    statement = testbed.prepared(Scenario(devices=1 + len(further)))
    statement.set_name = set_name
    statement.device_names = (set_name, *further)
    return statement


@vdi_requirement("TSQ-01")
def test_the_first_device_has_the_name_of_the_set(testbed: Testbed) -> None:
    """The first VIRTUAL_DEVICE of a statement is the set name given to CreateEx: one in another order fails."""
    statement = testbed.created("backup", Scenario(devices=3))
    end = statement.refuse(devices=list(reversed(statement.device_names)))
    require_failure(end, "its first device does not have the name of the set")
    statement.configure()
    statement.open_devices()
    statement.succeed()


@pytest.mark.parametrize("subject", ["database", "log", "filelistonly"])
@vdi_requirement("TSQ-02")
def test_statements_of_every_kind_take_virtual_devices(testbed: Testbed, subject: Subject) -> None:
    """BACKUP and RESTORE of databases and logs, and RESTORE FILELISTONLY, accept VIRTUAL_DEVICE."""
    statement = testbed.restore(Scenario(subject=subject))
    statement.require_success(statement.finish())


@vdi_requirement("TSQ-04")
def test_names_with_quotes_are_taken_as_they_are(testbed: Testbed) -> None:
    """Names of devices may contain quotes, N'' and letters that are not ASCII."""
    statement = named_by(testbed, f"{testbed.name()} isn't 'Ωmega'", "N'second'", 'a "third"')
    statement.start()
    statement.succeed()


@vdi_requirement("TSQ-11")
def test_without_a_set_the_statement_says_so(testbed: Testbed) -> None:
    """Without a set of its name a BACKUP fails with 18210 and 3013, and 3041 in the log."""
    statement = testbed.prepared(USUAL)
    statement.execute()
    end = statement.outcome()
    require_message(end, 18210)
    require_words(end, 3041)


@vdi_requirement("TSQ-12")
def test_an_abort_of_the_client_is_an_error_of_its_devices(testbed: Testbed) -> None:
    """SignalAbort fails a BACKUP with 3271 or 3202, then 3013, and logs 18210 with error 995 and 3041."""
    statement = testbed.backup()
    statement.next_data_command()
    statement.primary.signal_abort().expect(NOERROR)
    end = statement.outcome()
    require_message(end, 3271, 3202)
    require_words(end, 18210, "995")
    require_words(end, 3041)


@vdi_requirement("TSQ-13")
def test_a_write_that_fails_is_message_3202_with_its_code(backup: StatementRun) -> None:
    """A Write completed with ERROR_DISK_FULL fails the BACKUP with 3202, which names the code, and 3013."""
    refuse_a_transfer(backup, win32.ERROR_DISK_FULL)
    end = backup.drain()
    require_message(end, 3202)
    require_words(end, 3202, str(win32.ERROR_DISK_FULL))


@vdi_requirement("TSQ-14")
def test_a_read_that_fails_is_message_3203(restore: StatementRun) -> None:
    """A Read completed with ERROR_READ_FAULT fails the RESTORE with 3203 and 3013."""
    refuse_a_transfer(restore, win32.ERROR_READ_FAULT)
    require_message(restore.drain(), 3203)


@pytest.mark.parametrize("size", [0, 512, 100_000], ids=["nothing", "one block", "100000 bytes"])
@vdi_requirement("TSQ-15")
def test_a_stream_that_ends_too_early_is_told(testbed: Testbed, size: int) -> None:
    """A stream that ends too early fails the RESTORE with one of 3208, 3241, 3254, 3256 and 3013."""
    require_message(cut_short(testbed, size).drain(), 3208, 3241, 3254, 3256)


@vdi_requirement("TSQ-17")
def test_3013_is_the_last_word_of_every_failure(testbed: Testbed, kind: Kind) -> None:
    """3013 is the last message of every failed BACKUP or RESTORE, and 3041 comes for backups only."""
    failing = testbed.statement(kind)
    refuse_a_transfer(failing, win32.ERROR_BAD_ENVIRONMENT)
    aborted = testbed.statement(kind)
    aborted.primary.signal_abort().expect(NOERROR)
    missing = testbed.prepared(USUAL, kind)
    missing.execute()
    for end in (failing.drain(), aborted.outcome(), missing.outcome()):
        require_failure(end, "it could not be done")
        require_last_word(end)
        if kind == "restore" and 3041 in numbers_of(end):
            raise ConformanceFailure("3041 came from a RESTORE, it is for backups only", ("none",), "3041")


@vdi_requirement("TSQ-18")
def test_success_is_told_by_the_statement(testbed: Testbed, kind: Kind) -> None:
    """A statement that succeeds says so by message 3014, and one that fails does not."""
    end = testbed.statement(kind).finish()
    told = [number for number in numbers_of(end) if number not in OF_THE_LOG]
    if not end.succeeded or 3014 not in told:
        raise ConformanceFailure(f"a statement went well, and its messages are {told}", ("3014",), str(told))
    failing = testbed.statement(kind)
    refuse_a_transfer(failing, win32.ERROR_BAD_ENVIRONMENT)
    end = failing.drain()
    require_failure(end, "a transfer was completed with an error")
    if 3014 in numbers_of(end):
        raise ConformanceFailure("a statement that failed told 3014", ("none",), "3014")


@vdi_requirement("CMP-16")
def test_short_reads_are_followed_by_reads_of_the_rest(testbed: Testbed) -> None:
    """After a Read completed with success and fewer bytes the server asks for the rest, and the RESTORE succeeds."""
    statement = testbed.restore(Scenario(database=4096))
    for number, command in enumerate(statement.data_commands()):
        content = statement.content(command)
        size = 0 if number % 3 == 2 else min(512, content.size)
        statement.primary.fill(command.buffer, content)
        statement.device.complete(command, win32.ERROR_SUCCESS, size).expect(NOERROR)
    statement.require_success(statement.outcome())


@vdi_requirement("IOE-11")
def test_an_error_needs_no_abort_of_the_client(testbed: Testbed) -> None:
    """After a Write completed with an error the server ends every device by itself, and the BACKUP fails."""
    statement = testbed.backup(Scenario(devices=2))
    refused = False
    for command in statement.commands(VD_E_ABORT):
        if command.device is statement.device and command.stream_offset and not refused:
            statement.device.complete(command, win32.ERROR_WRITE_FAULT).expect(NOERROR)
            refused = True
        else:
            statement.answer_any(command).expect(NOERROR, VD_E_ABORT)
    assert refused, "the first device got one command alone"
    require_failure(statement.outcome(), "a Write was completed with an error")
    for device in statement.devices:
        testbed.observe("Q14", "end of a device after a Write that failed", "closed" if device.closed else "aborted")


@vdi_requirement("VDC-03")
def test_both_codes_for_the_end_of_data_are_the_same(testbed: Testbed) -> None:
    """ERROR_HANDLE_EOF and ERROR_NO_DATA_DETECTED at the end of a stream fail the RESTORE with the same messages."""
    endings = []
    for code in (win32.ERROR_HANDLE_EOF, win32.ERROR_NO_DATA_DETECTED):
        statement = cut_short(testbed, 100_000 + code)
        for command in statement.data_commands(VD_E_ABORT):
            content = statement.content(command)
            statement.primary.fill(command.buffer, content)
            whole = content.size == command.size
            statement.device.complete(command, 0 if whole else code, content.size).expect(NOERROR)
        end = statement.outcome()
        require_failure(end, "its stream ended too early")
        endings.append(numbers_of(end))
    if endings[0] != endings[1]:
        raise ConformanceFailure(f"EOF gave the messages {endings[0]}, NO_DATA_DETECTED {endings[1]}")


@pytest.mark.parametrize("code", [win32.ERROR_DISK_FULL, win32.ERROR_EOM_OVERFLOW], ids=win32.name_of)
@vdi_requirement("VDC-07")
def test_without_room_the_backup_is_given_up(backup: StatementRun, code: int) -> None:
    """A Write completed with ERROR_DISK_FULL or ERROR_EOM_OVERFLOW fails the BACKUP."""
    refuse_a_transfer(backup, code)
    require_failure(backup.drain(), "there was no more room")


@vdi_requirement("VDC-14")
def test_a_restore_does_not_need_its_flush(testbed: Testbed, restore: StatementRun) -> None:
    """A RESTORE succeeds although a Flush that it sends is completed with ERROR_NOT_SUPPORTED."""
    flushed = False
    for command in restore.commands():
        if command.code == VDC_FLUSH:
            flushed = True
            restore.device.complete(command, win32.ERROR_NOT_SUPPORTED).expect(NOERROR)
        else:
            restore.answer_any(command).expect(NOERROR)
    testbed.observe("Q52", "Flush in a RESTORE", "comes" if flushed else "does not come")
    restore.require_success(restore.outcome())


@vdi_requirement("SRV-01")
def test_a_set_has_one_server(testbed: Testbed) -> None:
    """A statement on a set that another statement works with fails, and does not disturb that one."""
    statement = testbed.configured("backup")
    require_failure(testbed.second_server(statement), "another one works with its set")
    statement.open_devices()
    statement.succeed()
