"""The messages of statements: SQL Server's numbers, with texts of our own."""

from __future__ import annotations

from typing import Final

from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED

Message = tuple[int, str]

_NO_MEMORY: Final = 0x8007000E


def finished(words: str) -> tuple[Message, ...]:
    """Say that a statement succeeded that begins with these words."""
    return ((3014, f"{words} processed the database successfully."),)


def failed(words: str, *causes: Message) -> tuple[Message, ...]:
    """Say that a statement failed: its causes, for a backup the line of the error log, and the last word."""
    logged = ((3041, "BACKUP failed to complete; earlier messages say why."),) if words.startswith("BACKUP") else ()
    return (*causes, *logged, (3013, f"{words} is terminating abnormally."))


def out_of_range(option: str, value: int) -> Message:
    """Say that an option of the statement cannot be."""
    return 3250, f"{option} cannot be {value}."


def too_many_devices(number: int) -> Message:
    """Say that the statement names too many devices."""
    return 3205, f"{number} backup devices were named; 64 are the most."


def not_one_device(number: int) -> Message:
    """Say that a statement WITH SNAPSHOT needs one device."""
    return 3277, f"{number} devices were named; WITH SNAPSHOT needs exactly one."


def incorrect(word: str) -> Message:
    """Say that the statement has a word where it cannot be."""
    return 156, f"Incorrect syntax near the keyword '{word}'."


def unusable(reason: str) -> Message:
    """Say that the configuration of the set cannot be used."""
    return 3261, f"The virtual device set cannot be used: {reason}."


def not_opened(name: str, code: int) -> Message:
    """Say that there is no set to work with."""
    return 18210, f"BackupVirtualDeviceSet::Initialize: open failure on '{name}'. Operating system error 0x{code:08x}."


def not_allocated(name: str) -> Message:
    """Say that there is no memory for the buffers."""
    return (
        18210,
        f"BackupVirtualDeviceSet::AllocateBuffer: failure on '{name}'. Operating system error 0x{_NO_MEMORY:08x}.",
    )


def aborted(operation: str, name: str) -> tuple[Message, ...]:
    """Say that processing was ended from outside."""
    what = "write" if operation == "backup" else "read"
    where = f"BackupIoRequest::ReportIoError: {what} failure on '{name}'."
    return (
        (18210, f"{where} {_operating_system_error(ERROR_OPERATION_ABORTED)}"),
        (3271, f"An I/O error that cannot be recovered from occurred on '{name}'."),
    )


def write_failed(name: str, code: int, bytes_transferred: int) -> Message:
    """Say that a command of a backup was not completed as it had to be."""
    return 3202, f"Write on '{name}' failed after {bytes_transferred} bytes: {_operating_system_error(code)}"


def not_performed(name: str, what: str, code: int) -> Message:
    """Say that a command that moves no data was not completed as it had to be, and so ends the statement."""
    return 3204, f"The operation on '{name}' was aborted, {what} failed: {_operating_system_error(code)}"


def flush_failed(name: str, code: int) -> Message:
    """Say that the data of a backup are not durable."""
    where = f"BackupVirtualDeviceFile::RequestDurableMedia: flush failure on '{name}'."
    return 18210, f"{where} {_operating_system_error(code)}"


def read_failed(name: str, code: int) -> Message:
    """Say that a command of a restore was completed with an error."""
    return 3203, f"Read on '{name}' failed: {_operating_system_error(code)}"


def not_restorable(number: int, name: str, reason: str) -> Message:
    """Say that a stream is not what a backup wrote."""
    return number, f"The stream of '{name}' cannot be restored: {reason}."


def mixed_backups() -> Message:
    """Say that the devices hold streams of different backups."""
    return 3241, "The devices hold streams of different backups."


def _operating_system_error(code: int) -> str:
    return f"Operating system error {code}."
