"""Statements on a server: databases are made and dropped however they end, and no others are touched."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from selftest.adapters.fake_sqlserver import Answer, FakeError, FakeServer, failing, succeeding, told
from vdi_conformance.adapters import resolve
from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.server import SqlServerStatements, server_version, statement_server
from vdi_conformance.adapters.tsql.settings import CONNECTION, DATABASE, SqlSettings, settings_of
from vdi_conformance.cli import main
from vdi_conformance.contract import Database, Environment, Statement, StatementOutcome
from vdi_conformance.host.errors import ImplementationUnavailable
from vdi_conformance.host.messages.server import ExecuteStatement
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.parties import ask_parties

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = "sec;ret}9"  # noqa: S105
STRING = "Server=there;UID=me;PWD={sec;ret}}9};Encrypt=no"
DEVICES = "VIRTUAL_DEVICE"
KINDS = [("backup", "database"), ("backup", "log"), ("restore", "database"), ("restore", "filelistonly")]


def statement(operation: Any = "backup", subject: Any = "database") -> Statement:
    return Statement(operation, None, ("set", "second"), Database(3, 100_000), 512, 65536, 4, subject)


def execute(server: FakeServer, asked: Statement, database: str | None = None, run: str = "run") -> StatementOutcome:
    driver = Driver(STRING, server.load)
    return SqlServerStatements(SqlSettings(STRING, database), Environment(run), driver).execute(asked)


def ready_for_a_log(server: FakeServer) -> None:
    server.answers[DEVICES] = succeeding(3014)
    execute(server, statement("backup", "log"))
    server.batches.clear()


@pytest.mark.parametrize(("operation", "subject"), KINDS)
def test_a_statement_that_succeeds_leaves_only_what_a_restore_of_its_log_needs(operation: str, subject: str) -> None:
    server = FakeServer(answers={DEVICES: succeeding(4035, 3014)})
    outcome = execute(server, statement(operation, subject))
    assert outcome == StatementOutcome(True, ((4035, "message 4035"), (3014, "message 3014")))
    left = server.databases - {"theirs"}
    assert all(name.startswith("vdi_conformance_log_") for name in left)
    assert len(left) == ((operation, subject) == ("backup", "log"))
    assert not any("xp_readerrorlog" in batch for batch in server.batches)


@pytest.mark.parametrize(("operation", "subject"), KINDS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failing(3202, 3013), None),
        (failing(3257, 3013), NotRunnable),
        (failing(10054, state="08S01"), NotRunnable),
        (Answer(raises=FakeError("gone")), NotRunnable),
        (Answer(raises=KeyboardInterrupt()), KeyboardInterrupt),
    ],
)
def test_however_a_statement_ends_every_disposable_database_is_dropped(
    operation: str, subject: str, answer: Answer, error: type[BaseException] | None
) -> None:
    server = FakeServer(answers={DEVICES: answer})
    if error is None:
        assert not execute(server, statement(operation, subject)).succeeded
    else:
        with pytest.raises(error):
            execute(server, statement(operation, subject))
    assert server.databases == {"theirs"}
    assert all(session.closed for session in server.sessions)


@pytest.mark.parametrize("step", ["IS_SRVROLEMEMBER", "sp_getapplock", "CREATE DATABASE", "CREATE TABLE", "TO DISK"])
def test_a_preparation_that_fails_is_told_and_undone(step: str) -> None:
    server = FakeServer(answers={step: failing(50000)})
    with pytest.raises(NotRunnable, match=r"could not .*: error 50000 \(50000\); look for the cause at the server"):
        execute(server, statement("backup", "log"))
    assert server.databases == {"theirs"}
    assert not any(DEVICES in batch for batch in server.batches)


def test_the_log_is_restored_to_the_database_that_its_backup_left() -> None:
    server = FakeServer()
    ready_for_a_log(server)
    (target,) = server.databases - {"theirs"}
    assert execute(server, statement("restore", "log")).succeeded
    assert f"RESTORE LOG [{target}]" in server.statement
    assert server.databases == {"theirs"}


def test_a_database_of_the_users_is_backed_up_and_never_dropped() -> None:
    for answer in (succeeding(3014), failing(3202, 3013)):
        server = FakeServer(answers={DEVICES: answer})
        assert execute(server, statement(), "theirs").succeeded == (answer == succeeding(3014))
        assert server.statement.startswith("BACKUP DATABASE [theirs]\n")
        assert "COPY_ONLY" in server.statement
        assert server.databases == {"theirs"}
        assert not any(re.search(r"(CREATE|ALTER|DROP) \w+ \[", batch) for batch in server.batches)


def test_what_was_a_database_of_the_users_is_restored_beside_it() -> None:
    server = FakeServer(answers={DEVICES: succeeding(3014)}, files=["data", "more", "log"])
    assert execute(server, statement("restore"), "theirs").succeeded
    assert re.search(r"RESTORE DATABASE \[vdi_conformance_[0-9a-f]{16}\]", server.statement)
    assert [name for name in ("data", "more", "log") if f"MOVE N'{name}' TO @file" in server.statement] == server.files
    assert server.databases == {"theirs"}


def test_a_database_that_is_not_there_is_told() -> None:
    with pytest.raises(NotRunnable, match=f"the server has no database 'missing': .* {DATABASE}"):
        execute(FakeServer(), statement("restore"), "missing")


def test_messages_come_from_every_part_of_the_batch_and_from_the_error_log() -> None:
    # Errors come first in each part: the driver ranks them so.
    failed = (told(3202, "wrote", "42000"), told(3013, "end", "42000"), told(4035, "more pages"))
    parts = ((1, (told(4035, "pages"),)), (0, ()), (-1, failed))
    log = [
        ("time", "Backup", "Error: 18210, Severity: 16, State: 1."),
        ("time", "Backup", "write failure on backup device 'second'. Operating system error 995."),
        ("time", "Backup", "Error: 18210, Severity: 16, State: 1."),
        ("time", "Backup", "write failure on backup device 'unrelated'."),
    ]
    outcome = execute(FakeServer(answers={DEVICES: Answer(parts)}, log=log), statement())
    assert not outcome.succeeded
    failure = "write failure on backup device 'second'. Operating system error 995."
    assert outcome.messages == ((18210, failure), (4035, "pages"), (4035, "more pages"), (3202, "wrote"), (3013, "end"))


@pytest.mark.parametrize(
    ("records", "sentence"), [((told(0, "link", "08S01"),), "connection was lost: .*link"), ((), "driver failed")]
)
def test_a_connection_that_is_lost_ends_the_reading_of_results(records: tuple[Any, ...], sentence: str) -> None:
    lost = Answer(((1, (told(4035, "pages"),)), (-1, records)))
    with pytest.raises(NotRunnable, match=sentence):
        execute(FakeServer(answers={DEVICES: lost}), statement())


def test_a_database_that_cannot_be_dropped_is_told_and_changes_no_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer(answers={DEVICES: succeeding(3014), "DROP DATABASE \\[": failing(3702)})
    assert execute(server, statement()).succeeded
    assert "could not drop the disposable database: error 3702 (3702); do it by hand" in capsys.readouterr().err
    assert "EXEC (@drop)" in server.batches[-1]


def test_a_server_that_is_gone_at_the_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    refusals = iter([None, FakeError("refused")])
    server = FakeServer(answers={DEVICES: succeeding(3014)}, refuses=lambda: next(refusals))
    assert execute(server, statement()).succeeded
    assert "could not clean up: no connection to the server" in capsys.readouterr().err


def test_sessions_commit_by_themselves_with_the_users_own_connection_string() -> None:
    server = FakeServer(answers={DEVICES: succeeding(3014)})
    execute(server, statement())
    assert {(session.connection, session.autocommit) for session in server.sessions} == {(STRING, True)}


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (FakeError(f"login {SECRET} and {{sec;ret}}}}9}} failed"), r"login \*\*\* and \*\*\* failed; look whether"),
        (FakeError("Login failed for user 'me'."), r"Login failed for user 'me'\."),
        (ValueError(f"unknown keyword {SECRET}"), r"cannot be read \(ValueError\): write it as Keyword=value"),
    ],
)
def test_a_connection_that_fails_is_told_without_its_password(refusal: Exception, sentence: str) -> None:
    with pytest.raises(NotRunnable, match=sentence) as caught:
        execute(FakeServer(refuses=lambda: refusal), statement())
    assert "ret}9" not in str(caught.value)
    assert "ret}}9" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_server_tells_its_version_in_a_session_of_its_own() -> None:
    server = FakeServer()
    assert server_version(Driver(STRING, server.load)) == server.version
    assert [session.closed for session in server.sessions] == [True]


def test_a_server_that_cannot_be_asked_for_its_version_is_told_of_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    with Supervisor() as supervisor:
        _, server = ask_parties(
            supervisor, "emulator", f"{Path(__file__).with_name('served.py')}:Served", RunSettings()
        )
    assert (server.name, server.server_version) == ("served", "")


def test_settings_come_from_the_environment_and_hide_the_connection_string() -> None:
    settings = settings_of({CONNECTION: STRING, DATABASE: "theirs"})
    assert settings == (STRING, "theirs")
    assert "PWD" not in repr(settings)
    assert settings_of({CONNECTION: STRING, DATABASE: ""}).database is None
    with pytest.raises(NotRunnable, match=f"set {CONNECTION} to its connection string"):
        settings_of({})


def test_without_the_driver_one_sentence_says_how_to_get_it() -> None:
    def load(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {module!r}")

    with pytest.raises(NotRunnable, match=r"mssql-python is needed .*pip install vdi-conformance\[sqlserver\]"):
        Driver(STRING, load).connect()


def test_a_driver_without_the_calls_beneath_is_told() -> None:
    server = FakeServer()
    with pytest.raises(NotRunnable, match="mssql-python fake has no DDBCSQLExecDirect"):
        Driver(STRING, lambda _: server.load("mssql_python")).connect()


def test_the_server_is_made_without_looking_for_the_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CONNECTION, STRING)
    assert isinstance(statement_server(Environment(str(tmp_path))), SqlServerStatements)


def test_a_host_process_says_which_setting_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    request = ExecuteStatement(operation="backup", instance=None, devices=["set"], seed=1, size=1, thread="statement")
    with Supervisor("spawn") as supervisor:
        host = supervisor.launch(resolve(f"{Path(__file__).with_name('served.py')}:Served"), "server", "server")
        with pytest.raises(
            ImplementationUnavailable, match=f"there is no server to run statements on: set {CONNECTION}"
        ):
            host.call(request)


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["statements", *options]) == 0
    script = capsys.readouterr().out
    batches = re.findall(r"^-- (?!====)[^\n]*\n(.*?)\nGO$", script, re.MULTILINE | re.DOTALL)
    assert script.count("\nGO\n") == len(batches) > 0
    return batches


def alike(batches: Sequence[str]) -> list[str]:
    """Leave the names out that differ from run to run."""
    joined = "\f".join(batches)
    names = dict.fromkeys(re.findall(r"vdi_conformance_(?:log_)?[0-9a-f]{16}", joined))
    for number, name in enumerate(names):
        joined = joined.replace(name, f"name {number}")
    return joined.split("\f")


@pytest.mark.parametrize(("operation", "subject"), KINDS)
@pytest.mark.parametrize("database", [None, "the]irs"])
def test_what_is_printed_is_what_would_be_run(
    operation: str,
    subject: str,
    database: str | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = FakeServer({"the]irs"}, {DEVICES: failing(3202, 3013)})
    monkeypatch.setenv(CONNECTION, STRING)
    for module in ("mssql_python", "mssql_python.ddbc_bindings"):
        monkeypatch.setitem(sys.modules, module, server.load(module))
    options = ["--operation", operation, "--subject", subject, "--devices", "2"]
    told = printed(capsys, *options, *(["--database", database] if database else []))
    assert not any(DEVICES in batch for batch in server.batches)
    server.batches.clear()
    asked = statement(operation, subject)
    devices = tuple(re.findall("VIRTUAL_DEVICE = N'(.*)'", "\n".join(told)))
    asked = asked._replace(devices=devices, database=Database(0, 2 * 3 * 65536))
    execute(server, asked, database)
    run = [batch for batch in server.batches if "sys.master_files" not in batch]
    assert alike(run) == alike(told)


def test_all_is_printed_without_any_server(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    monkeypatch.delenv(DATABASE, raising=False)
    statements = "\n".join(printed(capsys, "--devices", "64", "--snapshot"))
    assert statements.count("VIRTUAL_DEVICE") == 5 * 64
    for words in ("BACKUP DATABASE", "BACKUP LOG", "RESTORE DATABASE", "RESTORE LOG", "RESTORE FILELISTONLY"):
        assert re.search(rf"^{words}\b.*\n(TO|FROM) VIRTUAL_DEVICE", statements, re.MULTILINE)


def test_what_would_not_be_run_says_why(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    assert main(["statements", "--operation", "restore", "--database", "theirs"]) == 0
    script = capsys.readouterr().out
    assert f"-- nothing is run: there is no server to run statements on: set {CONNECTION}" in script
    assert "-- nothing is run: RESTORE LOG needs" in script
    assert main(["statements", "--operation", "backup", "--subject", "filelistonly"]) == 4
    assert "no backup of filelistonly" in capsys.readouterr().err
