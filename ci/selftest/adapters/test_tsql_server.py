"""Statements on a server, by the real driver: databases are made, and dropped however they end, and no others."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from selftest.adapters.served_sqlserver import (
    SECRET,
    THEIRS,
    ServedSqlServer,
    failing,
    hanging_up,
    saying,
    succeeding,
)
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
from vdi_conformance.tds.answers import LoginRefused, Message, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.tds.answers import Answer

STRING = "Server=there;UID=me;PWD={sec;ret}}9};Encrypt=no"
DEVICES = "VIRTUAL_DEVICE"
KINDS = [("backup", "database"), ("backup", "log"), ("restore", "database"), ("restore", "filelistonly")]


@pytest.fixture(scope="module")
def listening() -> Iterator[ServedSqlServer]:
    pytest.importorskip("mssql_python", reason="mssql-python, the driver that is used, is not installed here")
    served = ServedSqlServer()
    yield served
    served.close()


@pytest.fixture
def server(listening: ServedSqlServer, tmp_path: Path) -> ServedSqlServer:
    listening.renew(tmp_path / "server")
    return listening


def statement(operation: Any = "backup", subject: Any = "database") -> Statement:
    return Statement(operation, None, ("set", "second"), Database(3, 100_000), 512, 65536, 4, subject)


def execute(
    server: ServedSqlServer, asked: Statement, database: str | None = None, driver: Driver | None = None
) -> StatementOutcome:
    settings = SqlSettings(server.connection, database)
    return SqlServerStatements(settings, Environment("run"), driver or server.driver()).execute(asked)


def altered(**calls: Any) -> Callable[[str], Any]:
    """Import the real driver, with other calls beneath."""

    def load(module: str) -> Any:
        found = importlib.import_module(module)
        return SimpleNamespace(**{**vars(found), **calls}) if module.endswith("ddbc_bindings") else found

    return load


def ready_for_a_log(server: ServedSqlServer) -> None:
    server.answers[DEVICES] = succeeding(3014)
    execute(server, statement("backup", "log"))
    server.batches.clear()


@pytest.mark.parametrize(("operation", "subject"), KINDS)
def test_a_statement_that_succeeds_leaves_only_what_a_restore_of_its_log_needs(
    server: ServedSqlServer, operation: str, subject: str
) -> None:
    if (operation, subject) == ("restore", "log"):
        ready_for_a_log(server)
    server.answers[DEVICES] = succeeding(4035, 3014)
    outcome = execute(server, statement(operation, subject))
    assert outcome == StatementOutcome(True, ((4035, "message 4035"), (3014, "message 3014")))
    left = server.databases - {THEIRS}
    assert all(name.startswith("vdi_conformance_log_") for name in left)
    assert len(left) == ((operation, subject) == ("backup", "log"))
    assert not any("xp_readerrorlog" in batch for batch in server.batches)


@pytest.mark.parametrize(("operation", "subject"), KINDS)
@pytest.mark.parametrize(
    ("told", "error"),
    [
        (failing(3202, 3013), None),
        (failing(3257, 3013), NotRunnable),
        (hanging_up, NotRunnable),
    ],
)
def test_however_a_statement_ends_every_disposable_database_is_dropped(
    server: ServedSqlServer,
    operation: str,
    subject: str,
    told: Callable[[], tuple[Answer, ...]],
    error: type[BaseException] | None,
) -> None:
    server.answers[DEVICES] = told
    if error is None:
        assert not execute(server, statement(operation, subject)).succeeded
    else:
        with pytest.raises(error):
            execute(server, statement(operation, subject))
    assert server.databases == {THEIRS}
    assert server.all_are_closed()


@pytest.mark.parametrize(("operation", "subject"), KINDS)
def test_a_statement_that_is_interrupted_leaves_nothing(server: ServedSqlServer, operation: str, subject: str) -> None:
    real = importlib.import_module("mssql_python.ddbc_bindings")

    def interrupted(handle: Any, text: str) -> Any:
        if DEVICES in text:
            raise KeyboardInterrupt
        return real.DDBCSQLExecDirect(handle, text)

    with pytest.raises(KeyboardInterrupt):
        execute(server, statement(operation, subject), driver=server.driver(altered(DDBCSQLExecDirect=interrupted)))
    assert server.databases == {THEIRS}
    assert server.all_are_closed()


@pytest.mark.parametrize("step", ["IS_SRVROLEMEMBER", "sp_getapplock", "CREATE DATABASE", "CREATE TABLE", "TO DISK"])
def test_a_preparation_that_fails_is_told_and_undone(server: ServedSqlServer, step: str) -> None:
    server.answers[step] = failing(50000)
    with pytest.raises(NotRunnable, match=r"could not .*: error 50000 \(50000\); look for the cause at the server"):
        execute(server, statement("backup", "log"))
    assert server.databases == {THEIRS}
    assert not any(DEVICES in batch for batch in server.batches)


def test_the_log_is_restored_to_the_database_that_its_backup_left(server: ServedSqlServer) -> None:
    ready_for_a_log(server)
    (target,) = server.databases - {THEIRS}
    assert execute(server, statement("restore", "log")).succeeded
    assert f"RESTORE LOG [{target}]" in server.statement
    assert server.databases == {THEIRS}


@pytest.mark.parametrize("told", [succeeding(3014), failing(3202, 3013)])
def test_a_database_of_the_users_is_backed_up_and_never_dropped(
    server: ServedSqlServer, told: Callable[[], tuple[Answer, ...]]
) -> None:
    server.answers[DEVICES] = told
    assert execute(server, statement(), THEIRS).succeeded == (told()[-1] == StatementEnd())
    assert server.statement.startswith("BACKUP DATABASE [theirs]\n")
    assert "COPY_ONLY" in server.statement
    assert server.databases == {THEIRS}
    assert not any(re.search(r"(CREATE|ALTER|DROP) \w+ \[", batch) for batch in server.batches)


def test_what_was_a_database_of_the_users_is_restored_beside_it(server: ServedSqlServer) -> None:
    server.perform(
        "CREATE DATABASE [more] ON (NAME = one, FILENAME = N'one.mdf'), (NAME = two, FILENAME = N'two.ndf') "
        "LOG ON (NAME = three, FILENAME = N'three.ldf');"
    )
    server.answers[DEVICES] = succeeding(3014)
    assert execute(server, statement("restore"), "more").succeeded
    assert re.search(r"RESTORE DATABASE \[vdi_conformance_[0-9a-f]{16}\]", server.statement)
    moved = re.findall(r"MOVE N'(\w+)' TO @file", server.statement)
    assert sorted(moved) == ["one", "three", "two"]
    assert server.databases == {THEIRS, "more"}


def test_a_database_that_is_not_there_is_told(server: ServedSqlServer) -> None:
    with pytest.raises(NotRunnable, match=f"the server has no database 'missing': .* {DATABASE}"):
        execute(server, statement("restore"), "missing")


def test_messages_come_from_every_part_of_the_batch_and_from_the_error_log(server: ServedSqlServer) -> None:
    failure = "write failure on backup device 'second'. Operating system error 995."

    def told() -> tuple[Answer, ...]:
        for text in (
            "Error: 18210, Severity: 16, State: 1.",
            failure,
            "Error: 18210, Severity: 16, State: 1.",
            "write failure on backup device 'unrelated'.",
        ):
            server.instance.log("Backup", text)
        first = (Message(4035, "pages"), StatementEnd(), StatementEnd(), Message(4035, "more pages"))
        return (*first, Message(3202, "wrote", 16), Message(3013, "end", 16), StatementEnd(failed=True))

    server.answers[DEVICES] = told
    outcome = execute(server, statement())
    assert not outcome.succeeded
    assert outcome.messages == ((18210, failure), (4035, "pages"), (4035, "more pages"), (3202, "wrote"), (3013, "end"))


def test_a_connection_that_is_lost_ends_the_reading_of_results(server: ServedSqlServer) -> None:
    pages = saying(Message(4035, "pages"), StatementEnd(), *hanging_up())
    server.answers[DEVICES] = pages
    with pytest.raises(NotRunnable, match=r"pages.*session is ended.*and then the server did not answer"):
        execute(server, statement())


def test_a_driver_that_fails_without_a_word_is_told(server: ServedSqlServer) -> None:
    silent = altered(DDBCSQLExecDirect=lambda *_: -1, DDBCSQLGetAllDiagRecords=lambda _: [])
    with pytest.raises(NotRunnable, match="could not look at the login and the instance"):
        execute(server, statement(), driver=server.driver(silent))


def test_a_database_that_cannot_be_dropped_is_told_and_changes_no_outcome(
    server: ServedSqlServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers |= {DEVICES: succeeding(3014), "DROP DATABASE \\[": failing(3702)}
    assert execute(server, statement()).succeeded
    assert "could not drop the disposable database: error 3702 (3702); do it by hand" in capsys.readouterr().err
    assert "EXEC (@drop)" in server.batches[-1]


def test_a_server_that_is_gone_at_the_end_is_told(server: ServedSqlServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers[DEVICES] = succeeding(3014)
    server.refusals = [None, LoginRefused(Message(18401, "Not now.", 14))]
    assert execute(server, statement()).succeeded
    assert "could not clean up: no connection to the server" in capsys.readouterr().err


def test_sessions_commit_by_themselves_with_the_users_own_login(server: ServedSqlServer) -> None:
    server.answers[DEVICES] = succeeding(3014)
    execute(server, statement())
    assert (set(server.logins), server.transactions) == ({"sa"}, 0)


@pytest.mark.parametrize("refusal", [LoginRefused(Message(18456, f"login {SECRET} and {{sec;ret}}}}9}} failed", 14))])
def test_a_connection_that_fails_is_told_without_its_password(server: ServedSqlServer, refusal: LoginRefused) -> None:
    server.refusals = [refusal]
    with pytest.raises(NotRunnable, match=r"login \*\*\* and \*\*\* failed; look whether") as caught:
        execute(server, statement())
    assert "ret}9" not in str(caught.value)
    assert "ret}}9" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_connection_string_that_cannot_be_read_is_told_without_what_is_in_it() -> None:
    with pytest.raises(NotRunnable, match=r"cannot be read \(\w+\): write it as Keyword=value") as caught:
        Driver(f"Server=there;{SECRET}").connect()
    assert "ret}9" not in str(caught.value)


def test_what_the_driver_keeps_private_and_is_used_here_is_there(server: ServedSqlServer) -> None:
    bindings = importlib.import_module("mssql_python.ddbc_bindings")
    for name in ("DDBCSQLExecDirect", "DDBCSQLGetAllDiagRecords", "DDBCSQLMoreResults"):
        assert callable(getattr(bindings, name))
    connection = importlib.import_module("mssql_python").connect(server.connection)
    assert bindings.DDBCSQLExecDirect(connection.cursor().hstmt, "SELECT 1;") == 0
    connection.close()


def test_the_server_tells_its_version_in_a_session_of_its_own(server: ServedSqlServer) -> None:
    major, minor, build = server.version
    assert server_version(server.driver()) == f"{major}.{minor}.{build}.0 Developer Edition (64-bit)"
    assert len(server.logins) == 1
    assert server.all_are_closed()


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
    with pytest.raises(NotRunnable, match=r"mssql-python 0\.1 has no DDBCSQLExecDirect"):
        Driver(STRING, lambda _: SimpleNamespace(__version__="0.1")).connect()


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
    server: ServedSqlServer,
    operation: str,
    subject: str,
    database: str | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.perform("CREATE DATABASE [the]]irs];")
    server.answers[DEVICES] = failing(3202, 3013)
    monkeypatch.setenv(CONNECTION, server.connection)
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
