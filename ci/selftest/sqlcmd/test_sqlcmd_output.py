"""What sqlcmd and osql print for a SQL Server's answers, and how they end, line by line."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from selftest.sqlcmd.sessions import Played, obeyed
from vdi_conformance.tds.answers import Column, Columns, Message, Row, SqlType, StatementEnd

if TYPE_CHECKING:
    from vdi_conformance.tds.answers import Answer, Value

INT = SqlType("int")
NAME = SqlType("nvarchar", 8)
TWO_ROWS = "\n(2 rows affected)\n"
TWO_COLUMNS: tuple[Answer, ...] = (
    Columns((Column("a", INT), Column("name", NAME))),
    Row((1, "one")),
    Row((-20, None)),
    StatementEnd(2),
)
FAILED: tuple[Answer, ...] = (
    Message(3271, "A nonrecoverable I/O error occurred.", 16, 1, 1),
    Message(3013, "BACKUP DATABASE is terminating abnormally.", 16, 1, 1),
    StatementEnd(None, failed=True),
)
DONE: tuple[Answer, ...] = (Message(3014, "BACKUP DATABASE successfully processed 10 pages."), StatementEnd())


@pytest.mark.parametrize(
    ("program", "options", "answers", "printed"),
    [
        (
            "sqlcmd",
            "",
            TWO_COLUMNS,
            f"a           name    \n{'-' * 11} {'-' * 8}\n          1 one     \n        -20 NULL    \n{TWO_ROWS}",
        ),
        ("sqlcmd", "-W -s,", TWO_COLUMNS, "a,name\n-,----\n1,one\n-20,NULL\n\n(2 rows affected)\n"),
        ("sqlcmd", "-h-1 -W", TWO_COLUMNS, "1 one\n-20 NULL\n\n(2 rows affected)\n"),
        (
            "sqlcmd",
            "-h 1 -W",
            TWO_COLUMNS,
            "a name\n- ----\n1 one\n\na name\n- ----\n-20 NULL\n\na name\n- ----\n\n(2 rows affected)\n",
        ),
        ("sqlcmd", "-w 12 -h -1", TWO_COLUMNS, "          1 \none     \n        -20 \nNULL    \n\n(2 rows affected)\n"),
        (
            "osql",
            "",
            (*TWO_COLUMNS[:2], StatementEnd(1)),
            " a           name    \n ----------- --------\n           1 one     \n\n(1 row affected)\n",
        ),
        ("sqlcmd", "", (StatementEnd(1),), "\n(1 rows affected)\n"),
        ("sqlcmd", "", (Columns((Column("", INT),)), StatementEnd(None)), "           \n-----------\n\n"),
        ("sqlcmd", "", DONE, "BACKUP DATABASE successfully processed 10 pages.\n"),
        (
            "sqlcmd",
            "",
            FAILED,
            "".join(
                f"Msg {message.number}, Level 16, State 1, Server HERE, Line 1\n{message.text}\n"
                for message in FAILED
                if isinstance(message, Message)
            ),
        ),
        (
            "sqlcmd",
            "",
            (Message(50000, "no", 16, 2, 7, "dbo.p"), StatementEnd(None, True)),
            "Msg 50000, Level 16, State 2, Server HERE, Procedure dbo.p, Line 7\nno\n",
        ),
        ("sqlcmd", "-m 17", FAILED, ""),
        ("osql", "-m 17", FAILED[:1], "A nonrecoverable I/O error occurred.\n"),
        ("osql", "-m-1", DONE, "Msg 3014, Level 0, State 1, Server HERE, Line 1\n" + DONE[0].text + "\n"),  # type: ignore[union-attr]
        ("sqlcmd", "-e", DONE, "SELECT\n" + DONE[0].text + "\n"),  # type: ignore[union-attr]
    ],
)
def test_answers_are_printed_as_the_program_prints_them(
    program: str, options: str, answers: tuple[Answer, ...], printed: str
) -> None:
    ended = obeyed(program, [*options.split(), "-Q", "SELECT"], answers)
    assert ended.out == printed


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        (SqlType("bit"), True, "1"),
        (SqlType("tinyint"), 7, "  7"),
        (SqlType("smallint"), -7, "    -7"),
        (SqlType("bigint"), 2**40, "       1099511627776"),
        (SqlType("numeric", precision=5, scale=2), Decimal("0.5"), "    .50"),
        (SqlType("numeric", precision=5, scale=0), Decimal("-12"), "    -12"),
        (SqlType("float"), 1.0, "                     1.0"),
        (SqlType("float"), 1e30, "                 1.0E+30"),
        (SqlType("datetime"), datetime(2026, 1, 2, 3, 4, 5, 67000), "2026-01-02 03:04:05.067"),
        (SqlType("uniqueidentifier"), UUID(int=0xAB), "00000000-0000-0000-0000-0000000000AB"),
        (SqlType("varbinary", 3), b"\x01\xff", "0x01FF  "),
        (SqlType("char", 4), "ab", "ab  "),
        (SqlType("varchar"), "x" * 300, "x" * 256),
    ],
)
def test_a_value_is_as_wide_as_its_type(type_: SqlType, value: Value, shown: str) -> None:
    answers = (Columns((Column("", type_),)), Row((value,)), StatementEnd(1))
    assert obeyed("sqlcmd", ["-h-1", "-Q", "SELECT"], answers).out.splitlines()[0] == shown


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["-y", "4"], "xxxx"), (["-y", "0"], "x" * 300)],
)
def test_long_texts_are_cut_where_that_is_asked_for(options: list[str], expected: str) -> None:
    answers = (Columns((Column("", SqlType("nvarchar")),)), Row(("x" * 300,)), StatementEnd(1))
    assert obeyed("sqlcmd", ["-h-1", *options, "-Q", "SELECT"], answers).out.splitlines()[0] == expected


@pytest.mark.parametrize(
    ("program", "option", "severity", "goes_to_error"),
    [
        ("sqlcmd", "-r", 16, True),
        ("sqlcmd", "-r0", 10, False),
        ("sqlcmd", "-r1", 0, True),
        ("osql", "-r0", 16, False),
        ("osql", "-r0", 17, True),
        ("osql", "-r1", 0, True),
    ],
)
def test_messages_go_where_they_are_sent(program: str, option: str, severity: int, goes_to_error: bool) -> None:
    ended = obeyed(program, [option, "-Q", "x"], (Message(50000, "told", severity), StatementEnd()))
    assert ("told" in ended.err, "told" in ended.out) == (goes_to_error, not goes_to_error)


@pytest.mark.parametrize(
    ("program", "options", "answers", "code"),
    [
        ("sqlcmd", "", FAILED, 0),
        ("sqlcmd", "-b", FAILED, 1),
        ("sqlcmd", "-b", DONE, 0),
        ("osql", "-b", FAILED, 1),
        ("sqlcmd", "-V 11", FAILED, 16),
        ("sqlcmd", "-b -V 17", FAILED, 0),
        ("sqlcmd", "", (Message(50123, "stop", 10, 127),), 50123),
        ("sqlcmd", "", (Message(596, "over", 21),), 1),
    ],
)
def test_the_exit_code_tells_of_errors_where_that_is_asked_for(
    program: str, options: str, answers: tuple[Answer, ...], code: int
) -> None:
    assert obeyed(program, [*options.split(), "-Q", "x"], answers).code == code


def test_an_error_ends_a_script_only_with_b() -> None:
    script = "one\nGO\ntwo\nGO\n"
    assert obeyed("sqlcmd", ["-i", "s"], FAILED, files={"s": script}).batches == ["one", "two"]
    assert obeyed("sqlcmd", ["-b", "-i", "s"], FAILED, files={"s": script}).batches == ["one"]


@pytest.mark.parametrize(
    ("script", "batches"),
    [
        ("a\nb\nGO\nc", ["a\nb", "c"]),
        ("a\ngo 3\n", ["a", "a", "a"]),
        ("a\n  Go -- done\nGO\n", ["a"]),
        ("print '\nGO\n'\nGO\n", ["print '\nGO\n'"]),
        ("/* it's\nGO\n*/ a\nGO", ["/* it's\nGO\n*/ a"]),
        ("-- it's\nGO\nb", ["-- it's", "b"]),
        ("a\nquit\nb", []),
        ("a\nexit\nb", []),
        ("a\nEXIT()\nb", ["a"]),
        ("a\nreset\nb", ["b"]),
        (":setvar x 5\na $(X)$(y)\nGO", ["a 5why"]),
        (":r other\nb", ["c", "b"]),
    ],
)
def test_a_script_is_cut_into_batches(script: str, batches: list[str]) -> None:
    files = {"s": script, "other": "c\nGO\n"}
    assert obeyed("sqlcmd", ["-i", "s", "-v", "y=why"], DONE, files=files).batches == batches


def test_exit_gives_what_its_query_gives() -> None:
    rows = (Columns((Column("", INT),)), Row((5,)), Row((6,)), StatementEnd(2))
    assert obeyed("sqlcmd", ["-i", "s"], rows, files={"s": "EXIT(SELECT 5)"}).code == 5
    assert obeyed("sqlcmd", ["-i", "s"], DONE, files={"s": "EXIT(PRINT 1)"}).code == -101


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("$(nothing)\nGO", "'nothing' scripting variable not defined."),
        (":ed\n", "Syntax error at line 1 near command ':ed'"),
        (":r missing\n", "missing"),
        (":r s\n", "64 times"),
    ],
)
def test_what_cannot_be_obeyed_ends_with_a_sentence(script: str, told: str) -> None:
    ended = obeyed("sqlcmd", ["-i", "s"], DONE, files={"s": script})
    assert (told in ended.err, ended.code) == (True, 1)


@pytest.mark.parametrize(
    ("program", "arguments", "told"),
    [
        ("sqlcmd", ["-Z"], "Sqlcmd: '-Z': Unknown Option. Enter '-?' for help."),
        ("osql", ["-W"], "Osql: '-W': Unknown Option. Enter '-?' for help."),
        ("sqlcmd", ["-Q"], "Sqlcmd: '-Q': Missing argument. Enter '-?' for help."),
        ("sqlcmd", ["word"], "Sqlcmd: 'word': Unexpected argument. Enter '-?' for help."),
        ("sqlcmd", ["-E", "-U", "sa"], "Sqlcmd: The -E and the -U/-P options are mutually exclusive."),
        ("sqlcmd", ["-Q", "x", "-i", "y"], "Sqlcmd: The -i and the -Q/-q options are mutually exclusive."),
        ("sqlcmd", ["-w", "4", "-Q", "x"], "Sqlcmd: '4': Invalid argument. Enter a number from 9 to 65535."),
        ("sqlcmd", ["-v", "x", "-Q", "x"], "Sqlcmd: 'x': Invalid argument. Write a variable as name=value."),
    ],
)
def test_a_wrong_command_line_is_told_and_nothing_runs(program: str, arguments: list[str], told: str) -> None:
    ended = obeyed(program, arguments, DONE)
    assert (ended.err, ended.code, ended.batches) == (f"{told}\n", 1, [])


@pytest.mark.parametrize("program", ["sqlcmd", "osql"])
def test_the_summary_names_every_option_that_is_obeyed(program: str) -> None:
    ended = obeyed(program, ["-?"], DONE)
    assert ended.code == 0
    assert all(f"-{letter}" in ended.out for letter in "SUPEdqQihsbwrom")


@pytest.mark.parametrize("server", ["", ".", "(local)", "localhost", "tcp:127.0.0.1,1433", "HERE", "lpc:."])
def test_the_server_has_several_names(server: str) -> None:
    assert obeyed("sqlcmd", ["-S", server or ".", "-Q", "x"], DONE).batches == ["x"]


@pytest.mark.parametrize("server", ["elsewhere", ".\\other", "tcp:elsewhere,1433"])
def test_another_server_is_not_reached(server: str) -> None:
    ended = obeyed("sqlcmd", ["-S", server, "-Q", "x"], DONE)
    assert (ended.code, ended.batches) == (1, [])
    assert f"no server {server} can be reached" in ended.err


def test_who_names_a_login_logs_in_by_it_and_may_be_refused() -> None:
    assert obeyed("sqlcmd", ["-U", "sa", "-P", "right", "-d", "sales", "-Q", "x"], DONE).logins == [
        ("sa", "right", "sales")
    ]
    assert obeyed("osql", ["-E", "-Q", "x"], DONE).logins == [("trusted", "", "")]
    ended = obeyed("sqlcmd", ["-U", "sa", "-P", "wrong", "-Q", "x"], DONE)
    assert (ended.code, "Login failed for user 'sa'." in ended.err) == (1, True)


def test_variables_of_the_environment_stand_for_options() -> None:
    ended = obeyed("sqlcmd", ["-Q", "x"], DONE, environment={"SQLCMDUSER": "sa", "SQLCMDPASSWORD": "right"})
    assert ended.logins == [("sa", "right", "")]
    assert obeyed("osql", ["-U", "sa", "-Q", "x"], DONE, environment={"OSQLPASSWORD": "right"}).logins == [
        ("sa", "right", "")
    ]


def test_output_goes_to_a_file_with_all_messages() -> None:
    ended = obeyed("sqlcmd", ["-r1", "-o", "out.txt", "-Q", "x"], FAILED)
    assert (ended.redirected, ended.err, "Msg 3013" in ended.out) == ("out.txt", "", True)
    refused = obeyed("sqlcmd", ["-o", "", "-Q", "x"], DONE)
    assert refused.code == 1


def test_osql_numbers_the_lines_that_it_reads_unless_it_is_told_not_to() -> None:
    assert obeyed("osql", [], DONE, lines=["a", "GO"]).out == f"1> 2> {DONE[0].text}\n1> "  # type: ignore[union-attr]
    assert obeyed("osql", ["-n"], DONE, lines=["a", "GO"]).out == f"{DONE[0].text}\n"  # type: ignore[union-attr]
    assert obeyed("sqlcmd", [], DONE, lines=["a", "GO"]).out == f"{DONE[0].text}\n"  # type: ignore[union-attr]


def test_q_goes_on_with_what_is_typed() -> None:
    assert obeyed("sqlcmd", ["-q", "first"], DONE, lines=["second", "GO", "quit"]).batches == ["first", "second"]


def test_ctrl_c_cancels_the_batch_and_ends_the_program() -> None:
    played = Played(DONE, waits=True)
    ended = obeyed("sqlcmd", ["-Q", "slow"], played=played, interrupts=True)
    assert (ended.code, played.cancelled) == (1, True)
    assert "terminated because the user pressed CTRL+C" in ended.err


def test_a_query_that_takes_too_long_is_cancelled() -> None:
    played = Played(DONE, waits=True)
    ended = obeyed("sqlcmd", ["-b", "-t", "1", "-Q", "slow"], played=played)
    assert (ended.code, ended.err) == (1, "Timeout expired\n")


def test_a_line_of_spaces_without_end_takes_no_longer_than_it_is_long() -> None:
    long = " " * 200_000
    ended = obeyed("sqlcmd", [], DONE, lines=[f"{long}x", f"GO{long}x", f":setvar{long}x", "GO"])
    assert [batch.split() for batch in ended.batches] == [["x", "GO", "x"]]


@pytest.mark.parametrize("count", ["2147483648", "9" * 5000])
def test_a_batch_is_not_run_for_ever(count: str) -> None:
    ended = obeyed("sqlcmd", [], DONE, lines=["SELECT 1", f"GO {count}"])
    assert (ended.code, ended.batches) == (1, [])
    assert "2147483647 is the largest count" in ended.err


@pytest.mark.parametrize("number", ["--5", "-", "²", "9" * 5000])
def test_an_option_that_needs_a_number_takes_nothing_else(number: str) -> None:
    ended = obeyed("sqlcmd", ["-h", number, "-Q", "SELECT 1"], DONE)
    assert ended.code == 1
    assert "Enter a number from -1 to 2147483647" in ended.err
