"""What the driver and the error log said, as outcomes of statements."""

from __future__ import annotations

import pytest

from vdi_conformance.adapters.tsql.outcomes import (
    NO_HISTORY,
    REMEDIES,
    SUCCESS,
    BatchReply,
    LogLine,
    MessageRecord,
    logged,
    outcome_of,
    record_of,
)
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.contract import Database, Statement

BACKUP = Statement("backup", None, ("set",), Database(0, 1))
FILE_LIST = Statement("restore", None, ("set",), Database(0, 1), subject="filelistonly")
OF_VDI = (3261, 3271, 3202, 3203, 3208, 3254, 3256, 3241, 3284, 3268, 3199, 3204, 3205, 3250, 3276, 3277, 3265, 3021)


def said(*numbers: int, failed: bool) -> BatchReply:
    state = "42000" if failed else "01000"
    return BatchReply(failed, tuple(MessageRecord(state, number, f"text {number}") for number in numbers))


@pytest.mark.parametrize("number", OF_VDI)
def test_an_error_of_vdi_is_an_outcome_with_every_message_in_its_order(number: int) -> None:
    outcome = outcome_of(BACKUP, said(number, 3013, failed=True), ((18210, "logged"), (3041, "logged")))
    assert not outcome.succeeded
    assert [number for number, _ in outcome.messages] == [18210, 3041, number, 3013]
    assert outcome.messages[2] == (number, f"text {number}")


def test_success_is_told_by_3014() -> None:
    assert outcome_of(BACKUP, said(4035, 3014, failed=False)).succeeded
    assert not outcome_of(BACKUP, said(4035, failed=False)).succeeded
    assert not outcome_of(BACKUP, said(3014, 3013, failed=True)).succeeded

    assert outcome_of(FILE_LIST, said(failed=False)).succeeded
    assert not outcome_of(FILE_LIST, said(3241, 3013, failed=True)).succeeded


def test_a_success_that_could_not_be_noted_in_msdb_is_one() -> None:
    told, not_noted = MessageRecord("01000", SUCCESS, "done"), MessageRecord("42000", NO_HISTORY, "could not insert")
    full = MessageRecord("42000", 9002, "the log of msdb is full")
    assert outcome_of(BACKUP, BatchReply(True, (told, not_noted))).succeeded
    assert outcome_of(BACKUP, BatchReply(True, (full, not_noted, told))).succeeded
    assert not outcome_of(BACKUP, BatchReply(True, (not_noted,))).succeeded
    assert not outcome_of(
        BACKUP, BatchReply(True, (told, not_noted, MessageRecord("42000", 3013, "terminated")))
    ).succeeded


@pytest.mark.parametrize("number", sorted(REMEDIES))
def test_what_no_client_can_cause_is_no_outcome(number: int) -> None:
    with pytest.raises(NotRunnable, match=rf"could not be tried: text {number} \({number}\).*; {REMEDIES[number]}"):
        outcome_of(BACKUP, said(number, 3013, failed=True))


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ((MessageRecord("08S01", 0, "reset by peer"),), r"connection was lost: reset by peer \(08S01\)"),
        ((MessageRecord("HYT00", 0, "timed out."),), r"driver failed: timed out \(HYT00\)"),
        ((), "driver failed: without a word"),
    ],
)
def test_a_failure_beneath_the_server_is_no_outcome(records: tuple[MessageRecord, ...], sentence: str) -> None:
    with pytest.raises(NotRunnable, match=sentence):
        outcome_of(BACKUP, BatchReply(True, records))


@pytest.mark.parametrize(
    ("diagnosis", "text", "record"),
    [
        ("[42000] (3013)", "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]BACKUP", ("42000", 3013, "BACKUP")),
        ("[01000] (3014)", "[Microsoft][Driver][SQL Server]a [SQL Server] b", ("01000", 3014, "a [SQL Server] b")),
        ("[08S01] (10054)", "[Microsoft][Driver]Link failure", ("08S01", 0, "[Microsoft][Driver]Link failure")),
        ("[01000] (1)", "x [SQL Server] y", ("01000", 0, "x [SQL Server] y")),
        ("odd", "text", ("", 0, "odd text")),
    ],
)
def test_a_record_of_the_driver_is_read(diagnosis: str, text: str, record: tuple[str, int, str]) -> None:
    assert record_of(diagnosis, text) == record


def lines(*found: tuple[str, str]) -> list[LogLine]:
    return [LogLine(*one) for one in found]


def test_errors_of_the_log_are_found_by_device_and_database() -> None:
    log = lines(
        ("Backup", "Error: 18210, Severity: 16, State: 1."),
        ("spid60", "Fehler: 3041, Schweregrad: 16, Status: 1."),
        ("spid7", "Starting up database 'other'."),
        ("Backup", "ReportIoError: write failure on backup device 'set'. Operating system error 995(text). "),
        ("spid60", "BACKUP failed to complete the command BACKUP DATABASE mine. Check the log."),
        ("spid60", "about mine, but no error"),
        ("spid61", "Error: 3041, Severity: 16, State: 1."),
        ("spid61", "BACKUP failed to complete the command BACKUP DATABASE other."),
    )
    assert logged(log, ("mine", "set")) == (
        (18210, "ReportIoError: write failure on backup device 'set'. Operating system error 995(text)."),
        (3041, "BACKUP failed to complete the command BACKUP DATABASE mine. Check the log."),
    )
    assert logged(log, ("", "set")) == logged(log, ("set",)) != ()
    assert logged(log, ("",)) == ()
