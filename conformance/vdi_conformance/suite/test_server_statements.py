"""What statements make of their devices, of the answers of their clients, and how they say that they failed."""

import pytest

from vdi_conformance.contract import Subject
from vdi_conformance.suite.endings import (
    OF_THE_LOG,
    numbers_of,
    require_failure,
    require_last_word,
    require_message,
    require_words,
)
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.scene import USUAL, Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT


def refuse_a_transfer(operation: Operation, code: int) -> None:
    """Complete the second Read or Write of the first device with an error."""
    operation.answer(operation.next_data_command()).expect(NOERROR)
    operation.device.complete(operation.next_data_command(), code).expect(NOERROR)


def cut_short(stage: Stage, size: int) -> Operation:
    """Restore no more than the first bytes of a stream."""
    streams = stage.directory(f"streams-of-{size}")
    operation = stage.backup(keep=streams)
    operation.succeed()
    with (streams / "0.stream").open("r+b") as stream:
        stream.truncate(size)
    return stage.restore(streams=streams)


def named_by(stage: Stage, set_name: str, *further: str) -> Operation:
    """Prepare a BACKUP whose devices have these names."""
    operation = stage.prepared(Geometry(devices=1 + len(further)))
    operation.set_name = set_name
    operation.device_names = (set_name, *further)
    return operation


@judges("TSQ-01")
def test_the_first_device_has_the_name_of_the_set(stage: Stage) -> None:
    operation = stage.created("backup", Geometry(devices=3))
    end = operation.refuse(devices=list(reversed(operation.device_names)))
    require_failure(end, "its first device does not have the name of the set")
    operation.configure()
    operation.open_devices()
    operation.succeed()


@pytest.mark.parametrize("subject", ["database", "log", "filelistonly"])
@judges("TSQ-02")
def test_statements_of_every_kind_take_virtual_devices(stage: Stage, subject: Subject) -> None:
    operation = stage.restore(Geometry(subject=subject))
    operation.require_success(operation.finish())


@judges("TSQ-04")
def test_names_with_quotes_are_taken_as_they_are(stage: Stage) -> None:
    operation = named_by(stage, f"{stage.name()} isn't 'Ωmega'", "N'second'", 'a "third"')
    operation.start()
    operation.succeed()


@judges("TSQ-11")
def test_without_a_set_the_statement_says_so(stage: Stage) -> None:
    operation = stage.prepared(USUAL)
    operation.execute()
    end = operation.outcome()
    require_message(end, 18210)
    require_words(end, 3041)


@judges("TSQ-12")
def test_an_abort_of_the_client_is_an_error_of_its_devices(stage: Stage) -> None:
    operation = stage.backup()
    operation.next_data_command()
    operation.primary.signal_abort().expect(NOERROR)
    end = operation.outcome()
    require_message(end, 3271, 3202)
    require_words(end, 18210, "995")
    require_words(end, 3041)


@judges("TSQ-13")
def test_a_write_that_fails_is_message_3202_with_its_code(backup: Operation) -> None:
    refuse_a_transfer(backup, win32.ERROR_DISK_FULL)
    end = backup.drain()
    require_message(end, 3202)
    require_words(end, 3202, str(win32.ERROR_DISK_FULL))


@judges("TSQ-14")
def test_a_read_that_fails_is_message_3203(restore: Operation) -> None:
    refuse_a_transfer(restore, win32.ERROR_READ_FAULT)
    require_message(restore.drain(), 3203)


@pytest.mark.parametrize("size", [0, 512, 100_000])
@judges("TSQ-15")
def test_a_stream_that_ends_too_early_is_told(stage: Stage, size: int) -> None:
    require_message(cut_short(stage, size).drain(), 3208, 3241, 3254, 3256)


@judges("TSQ-17")
def test_3013_is_the_last_word_of_every_failure(stage: Stage, kind: Kind) -> None:
    failing = stage.operation(kind)
    refuse_a_transfer(failing, win32.ERROR_BAD_ENVIRONMENT)
    aborted = stage.operation(kind)
    aborted.primary.signal_abort().expect(NOERROR)
    missing = stage.prepared(USUAL, kind)
    missing.execute()
    for end in (failing.drain(), aborted.outcome(), missing.outcome()):
        require_failure(end, "it could not be done")
        require_last_word(end)
        if kind == "restore" and 3041 in numbers_of(end):
            raise ConformanceFailure("3041 came from a RESTORE, it is for backups only", ("none",), "3041")


@judges("TSQ-18")
def test_success_is_told_by_the_statement(stage: Stage, kind: Kind) -> None:
    end = stage.operation(kind).finish()
    told = [number for number in numbers_of(end) if number not in OF_THE_LOG]
    if not end.succeeded or 3014 not in told:
        raise ConformanceFailure(f"a statement went well, and its messages are {told}", ("3014",), str(told))
    failing = stage.operation(kind)
    refuse_a_transfer(failing, win32.ERROR_BAD_ENVIRONMENT)
    end = failing.drain()
    require_failure(end, "a transfer was completed with an error")
    if 3014 in numbers_of(end):
        raise ConformanceFailure("a statement that failed told 3014", ("none",), "3014")


@judges("CMP-16")
def test_short_reads_are_followed_by_reads_of_the_rest(stage: Stage) -> None:
    operation = stage.restore(Geometry(database=4096))
    for number, command in enumerate(operation.data_commands()):
        content = operation.content(command)
        size = 0 if number % 3 == 2 else min(512, content.size)
        operation.primary.fill(command.buffer, content)
        operation.device.complete(command, win32.ERROR_SUCCESS, size).expect(NOERROR)
    operation.require_success(operation.outcome())


@judges("IOE-11")
def test_an_error_needs_no_abort_of_the_client(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2))
    refused = False
    for command in operation.commands(VD_E_ABORT):
        if command.device is operation.device and command.stream_offset and not refused:
            operation.device.complete(command, win32.ERROR_WRITE_FAULT).expect(NOERROR)
            refused = True
        else:
            operation.answer_any(command).expect(NOERROR, VD_E_ABORT)
    assert refused, "the first device got one command alone"
    require_failure(operation.outcome(), "a Write was completed with an error")
    for device in operation.devices:
        stage.observe("Q14", "end of a device after a Write that failed", "closed" if device.closed else "aborted")


@judges("VDC-03")
def test_both_codes_for_the_end_of_data_are_the_same(stage: Stage) -> None:
    endings = []
    for code in (win32.ERROR_HANDLE_EOF, win32.ERROR_NO_DATA_DETECTED):
        operation = cut_short(stage, 100_000 + code)
        for command in operation.data_commands(VD_E_ABORT):
            content = operation.content(command)
            operation.primary.fill(command.buffer, content)
            whole = content.size == command.size
            operation.device.complete(command, 0 if whole else code, content.size).expect(NOERROR)
        end = operation.outcome()
        require_failure(end, "its stream ended too early")
        endings.append(numbers_of(end))
    if endings[0] != endings[1]:
        raise ConformanceFailure(f"EOF gave the messages {endings[0]}, NO_DATA_DETECTED {endings[1]}")


@pytest.mark.parametrize("code", [win32.ERROR_DISK_FULL, win32.ERROR_EOM_OVERFLOW])
@judges("VDC-07")
def test_without_room_the_backup_is_given_up(backup: Operation, code: int) -> None:
    refuse_a_transfer(backup, code)
    require_failure(backup.drain(), "there was no more room")


@judges("VDC-14")
def test_a_restore_does_not_need_its_flush(stage: Stage, restore: Operation) -> None:
    flushed = False
    for command in restore.commands():
        if command.code == VDC_FLUSH:
            flushed = True
            restore.device.complete(command, win32.ERROR_NOT_SUPPORTED).expect(NOERROR)
        else:
            restore.answer_any(command).expect(NOERROR)
    stage.observe("Q52", "Flush in a RESTORE", "comes" if flushed else "does not come")
    restore.require_success(restore.outcome())


@judges("SRV-01")
def test_a_set_has_one_server(stage: Stage) -> None:
    operation = stage.configured("backup")
    require_failure(stage.rival(operation), "another one works with its set")
    operation.open_devices()
    operation.succeed()
