"""The drivers of Python that programs reach a SQL Server with, as they are: mssql-python, pymssql and python-tds."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

if sys.platform == "win32":
    for driver in ("mssql_python", "pymssql", "pytds"):
        pytest.importorskip(driver, reason=f"the environment of Windows has no {driver}")

import mssql_python
import pymssql
import pytds

from selftest.tds.scripted import PASSWORD, PATIENCE, certificate, served
from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.adapters.tsql.refusal import NotRunnable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selftest.tds.scripted import Served

    Connect = Callable[..., Any]

ROWS = [(1, "Grüße", True), (2, None, None)]
BRACED = PASSWORD.replace("}", "}}")
ENCRYPTIONS = ("no", "optional", "yes", "mandatory")


@pytest.fixture(autouse=True, scope="module")
def no_pool() -> None:
    """Have each connection be one of its own."""
    mssql_python.pooling(enabled=False)


def string(port: int, encryption: str = "yes", more: str = "") -> str:
    """Give a connection string of Microsoft's drivers."""
    return f"Server=127.0.0.1,{port};UID=sa;PWD={{{BRACED}}};Encrypt={encryption};TrustServerCertificate=yes;{more}"


def by_mssql(tds: Served, autocommit: bool = True, **more: Any) -> Any:
    return mssql_python.connect(string(tds.port, **more), autocommit=autocommit)


def by_pymssql(tds: Served, autocommit: bool = True, **more: Any) -> Any:
    return pymssql.connect(
        server="127.0.0.1", port=str(tds.port), user="sa", password=PASSWORD, autocommit=autocommit, **more
    )


def by_pytds(tds: Served, autocommit: bool = True, **more: Any) -> Any:
    return pytds.connect(dsn="127.0.0.1", port=tds.port, user="sa", password=PASSWORD, autocommit=autocommit, **more)


DRIVERS = pytest.mark.parametrize("connect", [by_mssql, by_pymssql, by_pytds], ids=["mssql-python", "pymssql", "pytds"])


@pytest.fixture
def certificate_file(tmp_path: Path) -> str:
    """Write the certificate of the server for a client that is to trust it."""
    path = tmp_path / "server.pem"
    path.write_bytes(certificate().pem)
    return str(path)


@DRIVERS
def test_a_query_gives_rows(tds: Served, connect: Connect) -> None:
    with closing(connect(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1")
        assert [tuple(row) for row in cursor.fetchall()] == ROWS
        assert [column[0] for column in cursor.description] == ["number", "text", ""]
    login = tds.service.logins[-1]
    assert (login.user, login.password) == ("sa", PASSWORD)


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("requires", [False, True])
def test_mssql_python_connects_whatever_encryption_it_is_told(encryption: str, requires: bool) -> None:
    with (
        served(requires_encryption=requires) as tds,
        closing(by_mssql(tds, encryption=encryption)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        assert [*map(tuple, cursor.execute("SELECT 1").fetchall())] == ROWS


@pytest.mark.parametrize("encryption", ["off", "request", "require"])
def test_pymssql_connects_whatever_encryption_it_is_told(tds: Served, encryption: str) -> None:
    with closing(by_pymssql(tds, encryption=encryption)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == ROWS


@pytest.mark.filterwarnings("ignore:X509:DeprecationWarning")
@pytest.mark.parametrize("is_login_only", [False, True])
def test_pytds_connects_with_a_certificate_that_it_trusts(
    tds: Served, certificate_file: str, is_login_only: bool
) -> None:
    pytest.importorskip("OpenSSL", reason="python-tds does TLS by pyOpenSSL, which is missing")
    connection = by_pytds(tds, cafile=certificate_file, enc_login_only=is_login_only)
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == ROWS


def test_a_server_without_a_certificate_serves_whoever_needs_no_encryption() -> None:
    with served(encrypts=False) as tds:
        with closing(by_pytds(tds)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == ROWS
        with pytest.raises(mssql_python.Error, match="Encryption not supported"):
            by_mssql(tds)


@pytest.mark.parametrize(
    ("connect", "errors"), [(by_mssql, mssql_python.Error), (by_pymssql, pymssql.Error), (by_pytds, pytds.Error)]
)
def test_an_error_is_raised_and_the_connection_goes_on(tds: Served, connect: Connect, errors: type[Exception]) -> None:
    with closing(connect(tds)) as connection, closing(connection.cursor()) as cursor:
        with pytest.raises(errors, match="A nonrecoverable I/O error occurred"):
            cursor.execute("FAIL")
        cursor.execute("SELECT 1")
        assert [tuple(row) for row in cursor.fetchall()] == ROWS


@pytest.mark.parametrize(
    ("connect", "errors"), [(by_mssql, mssql_python.Error), (by_pymssql, pymssql.Error), (by_pytds, pytds.Error)]
)
@pytest.mark.parametrize(("word", "told"), [("DIE", "The log for database"), ("CRASH", "out of order")])
def test_a_fatal_error_is_raised_before_the_connection_ends(
    tds: Served, connect: Connect, errors: type[Exception], word: str, told: str
) -> None:
    connection = connect(tds)
    with pytest.raises(errors, match=told):
        connection.cursor().execute(word)
    connection.close()
    with closing(connect(tds)) as other, closing(other.cursor()) as cursor:
        cursor.execute("SELECT 1")
        assert len(cursor.fetchall()) == 2


@pytest.mark.parametrize(
    ("connect", "changed", "errors"),
    [
        (by_mssql, {"more": "Database=nowhere"}, mssql_python.Error),
        (by_pymssql, {"database": "nowhere"}, pymssql.Error),
        (by_pytds, {"database": "nowhere"}, pytds.Error),
    ],
)
def test_a_refused_login_is_told(
    tds: Served, connect: Connect, changed: dict[str, str], errors: type[Exception]
) -> None:
    with pytest.raises(errors, match=r"Login failed|Cannot open database|18456"):
        connect(tds, **changed)


def test_every_type_of_parameter_comes_back_by_mssql_python(tds: Served) -> None:
    same = (
        True, 1, 300, 70_000, 2**40, -5, 1.5, Decimal("-12.345"), "ü" * 10, "漢𝄞", "x" * 9000, b"abc", b"z" * 9000,
        UUID(int=5), None, datetime(2024, 2, 3, 4, 5, 6, 790_000),
    )  # fmt: skip
    with closing(by_mssql(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"ECHO {', '.join('?' * len(same))}", same)
        assert tuple(cursor.fetchone()) == same
        cursor.execute("ECHO ?, ?", (date(2024, 2, 3), time(4, 5, 6)))
        assert tuple(cursor.fetchone()) == (datetime(2024, 2, 3), datetime(1900, 1, 1, 4, 5, 6))
        cursor.execute("ECHO ?, ?", (7, "again"))
        cursor.execute("ECHO ?, ?", (8, "and again"))
        assert tuple(cursor.fetchone()) == (8, "and again")


def test_every_type_of_parameter_comes_back_by_pytds(tds: Served) -> None:
    same = (
        True, 1, 2**40, 1.5, Decimal("-12.345"), "ü漢𝄞", "x" * 9000, pytds.Binary(b"abc"),
        pytds.Binary(b"z" * 9000), UUID(int=5),
        datetime(2024, 2, 3, 4, 5, 6, 790_000),
    )  # fmt: skip
    with closing(by_pytds(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"ECHO {', '.join(['%s'] * len(same))}", same)
        assert cursor.fetchone() == same


def test_a_procedure_gives_rows_and_outputs(tds: Served) -> None:
    with closing(by_pytds(tds)) as connection, closing(connection.cursor()) as cursor:
        outputs = (pytds.output(param_type=str), pytds.output(param_type=str))
        found = cursor.callproc("p", {"@a": outputs[0], "@c": outputs[1], "@b": 5})
        assert cursor.fetchall() == [(None, None, 5)]
        assert [*cursor.get_proc_outputs()] == ["out of @a", "out of @c"]
        assert cursor.get_proc_return_status() == 7
        assert found is not None
    with closing(by_mssql(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("{CALL dbo.p(?, ?)}", ("a", 2))
        assert tuple(cursor.fetchone()) == ("a", 2)
        with pytest.raises(mssql_python.Error, match="Could not find stored procedure"):
            cursor.execute("{CALL missing}")


def test_messages_and_further_results_come_in_their_order_by_mssql_python(tds: Served) -> None:
    tds.service.goes_on.set()
    with closing(by_mssql(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("BACKUP")
        assert [kind for kind, _ in cursor.messages] == ["[01000] (3211)", "[01000] (4035)", "[01000] (3014)"]
        cursor.execute("BOTH")
        assert [*map(tuple, cursor.fetchall())] == ROWS
        assert cursor.nextset()
        assert [told.rsplit("]", 1)[-1] for _, told in cursor.messages] == ["between"]
        assert cursor.nextset()
        assert [tuple(row) for row in cursor.fetchall()] == [(Decimal("-12345.678"),)]
        assert not cursor.nextset()


def test_the_adapter_hears_every_message_of_a_failed_statement(tds: Served) -> None:
    session = Driver(string(tds.port)).connect()
    reply = session.run("FAIL")
    assert reply.failed
    assert [(one.number, one.text) for one in reply.records] == [
        (3271, 'A nonrecoverable I/O error occurred on file "x".'),
        (3013, "BACKUP DATABASE is terminating abnormally."),
    ]
    tds.service.goes_on.set()
    reply = session.run("BACKUP")
    assert not reply.failed
    assert [one.number for one in reply.records] == [3211, 4035, 3014]
    assert session.rows("SELECT 1") == ROWS
    session.close()
    with pytest.raises(NotRunnable, match="Login failed for user 'sa'"):
        Driver(string(tds.port).replace(BRACED, "another")).connect()


def test_transactions_of_drivers_are_begun_and_ended(tds: Served) -> None:
    for connect in (by_mssql, by_pytds):
        tds.service.events.clear()
        with closing(connect(tds, autocommit=False)) as connection:
            for end in (connection.commit, connection.rollback):
                cursor = connection.cursor()
                cursor.execute("SELECT 1")
                cursor.fetchall()
                end()
        assert tds.service.ended.acquire(timeout=PATIENCE)
        assert tds.service.events[:4] == ["begin", "commit", "begin", "roll back"]
    with closing(by_pymssql(tds, autocommit=False)) as connection:
        connection.commit()
    assert "COMMIT TRAN" in [asked.text for asked in tds.service.asked]


def test_mssql_python_begins_another_transaction_after_a_statement_has_ended_its_own(tds: Served) -> None:
    with closing(by_mssql(tds, autocommit=False)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("COMMIT")
        cursor.execute("say")
        assert tds.service.events == ["begin", "commit", "begin"]
        cursor.execute("ROLLBACK")
        connection.commit()
        assert tds.service.events == ["begin", "commit", "begin", "roll back"]


def test_a_time_limit_of_mssql_python_cancels_what_runs(tds: Served) -> None:
    with closing(by_mssql(tds)) as connection:
        connection.timeout = 1
        cursor = connection.cursor()
        with pytest.raises(mssql_python.Error, match="timeout expired"):
            cursor.execute("WAIT")
        assert tds.service.events.count("cancel") == 1
        assert [*map(tuple, cursor.execute("SELECT 1").fetchall())] == ROWS


def test_a_cancel_of_pytds_leaves_out_the_rows_that_are_left(tds: Served) -> None:
    with closing(by_pytds(tds)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("MANY 3000")
        assert cursor.fetchone() is not None
        cursor.cancel()
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == ROWS


MANY = """
import sys, mssql_python
with mssql_python.connect(sys.argv[1], autocommit=True) as connection:
    rows = connection.cursor().execute("MANY 3000").fetchall()
    assert [tuple(row) for row in rows] == [(n, "x" * (n % 1000)) for n in range(3000)]
"""


def test_many_rows_come_whole(tds: Served) -> None:
    # This driver holds the interpreter while it waits for rows, so that it cannot be served by its own process.
    done = subprocess.run([sys.executable, "-c", MANY, string(tds.port)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for connect in (by_pymssql, by_pytds):
        with closing(connect(tds)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("MANY 3000")
            assert cursor.fetchall() == [(n, "x" * (n % 1000)) for n in range(3000)]


def test_sessions_run_side_by_side(tds: Served) -> None:
    with closing(by_pymssql(tds)) as waiting, closing(by_pytds(tds)) as other:
        found: list[str] = []

        def backup() -> None:
            waiting.cursor().execute("BACKUP")
            found.append("backup")

        thread = threading.Thread(target=backup)
        thread.start()
        cursor = other.cursor()
        cursor.execute("SELECT 1")
        found.append(str(len(cursor.fetchall())))
        tds.service.goes_on.set()
        thread.join(PATIENCE)
    assert found == ["2", "backup"]
