"""T-SQL as it is written: names and strings mean what was meant, and options stand where they are right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selftest.adapters.tsql_reading import identifiers, strings, tokens, words
from vdi_conformance.adapters.tsql.quoting import bracketed, literal
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.scripts import Named, Scratch, script_of
from vdi_conformance.adapters.tsql.statements import render
from vdi_conformance.contract import Database, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRATCH = Scratch("vdi_conformance_0123456789abcdef", "vdi_conformance_log_0123456789abcdef")
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\\")
TEXTS = st.text(CHARACTERS | st.sampled_from("'[]\"\n;-"), max_size=60)
NAMES = TEXTS.filter(lambda name: 1 <= len(name) <= 60)


def statement(operation: Any = "backup", devices: Sequence[str] = ("set",), **options: Any) -> Statement:
    return Statement(operation, options.pop("instance", None), tuple(devices), Database(7, 200_000), **options)


@given(TEXTS)
@example("it's \\ one")
@example("'; DROP DATABASE [x]; --")
def test_a_string_reads_back_as_it_was(text: str) -> None:
    (token,) = tokens(literal(text))
    assert token == ("string", text)


@given(NAMES)
@example("a]b]]c")
def test_an_identifier_reads_back_as_it_was(name: str) -> None:
    (token,) = tokens(bracketed(name))
    assert token == ("identifier", name)


@given(st.lists(TEXTS, min_size=1, max_size=64), NAMES)
def test_every_device_stands_in_a_clause_of_its_own(devices: list[str], name: str) -> None:
    text = render(statement(devices=devices), name)
    assert strings(text) == devices
    assert identifiers(text) == [name]
    assert words(text).count("VIRTUAL_DEVICE =") == len(devices)
    assert words(text).startswith("BACKUP DATABASE TO VIRTUAL_DEVICE")


@pytest.mark.parametrize("text", ["a\0b", "a\\\nb", "a\\\r\nb", "\ud800"])
def test_what_would_be_read_as_something_else_is_refused(text: str) -> None:
    for write in (literal, bracketed):
        with pytest.raises(NotRunnable, match=r"cannot be written in T-SQL: .* leave (it|that) out"):
            write(text)


@pytest.mark.parametrize("name", ["", "x" * 129, "\U0001d49c" * 65])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(NotRunnable, match="1 to 128 characters"):
        bracketed(name)


def test_the_longest_name_is_a_name() -> None:
    assert bracketed("\U0001d49c" * 64) == "[" + "\U0001d49c" * 64 + "]"


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        (statement(), "BACKUP DATABASE [db] TO VIRTUAL_DEVICE = N'set' WITH COPY_ONLY, FORMAT, NO_COMPRESSION;"),
        (
            statement(subject="log", devices=("a", "b")),
            "BACKUP LOG [db] TO VIRTUAL_DEVICE = N'a', VIRTUAL_DEVICE = N'b' WITH COPY_ONLY, FORMAT, NO_COMPRESSION;",
        ),
        (
            statement("restore", "a", subject="log", block_size=4096, buffer_count=7),
            "RESTORE LOG [db] FROM VIRTUAL_DEVICE = N'a' WITH BLOCKSIZE = 4096, BUFFERCOUNT = 7;",
        ),
        (statement(snapshot=True), "BACKUP DATABASE [db] TO VIRTUAL_DEVICE = N'set' WITH COPY_ONLY, SNAPSHOT;"),
        (statement("restore"), "RESTORE DATABASE [db] FROM VIRTUAL_DEVICE = N'set';"),
        (
            statement("restore", max_transfer_size=4194304),
            "RESTORE DATABASE [db] FROM VIRTUAL_DEVICE = N'set' WITH MAXTRANSFERSIZE = 4194304;",
        ),
        (statement("restore", snapshot=True), "RESTORE DATABASE [db] FROM VIRTUAL_DEVICE = N'set' WITH SNAPSHOT;"),
        (
            statement("restore", subject="log", block_size=512),
            "RESTORE LOG [db] FROM VIRTUAL_DEVICE = N'set' WITH BLOCKSIZE = 512;",
        ),
        (
            statement("restore", subject="filelistonly", block_size=512, max_transfer_size=65536, buffer_count=4),
            "RESTORE FILELISTONLY FROM VIRTUAL_DEVICE = N'set';",
        ),
        (
            statement("restore", subject="filelistonly", block_size=65536),
            "RESTORE FILELISTONLY FROM VIRTUAL_DEVICE = N'set' WITH BLOCKSIZE = 65536;",
        ),
    ],
)
def test_each_statement_has_the_options_that_are_right(asked: Statement, written: str) -> None:
    assert " ".join(render(asked, "db").split()) == written


@pytest.mark.parametrize(
    "asked",
    [
        statement(devices=()),
        statement(subject="filelistonly"),
        statement("restore", subject="filelistonly", snapshot=True),
    ],
)
def test_what_no_statement_can_say_is_refused(asked: Statement) -> None:
    with pytest.raises(NotRunnable):
        render(asked, "db")


def test_what_only_a_server_can_refuse_is_left_to_it() -> None:
    text = render(statement(devices=[str(number) for number in range(65)], block_size=777), "db")
    assert len(strings(text)) == 65
    assert "BLOCKSIZE = 777" in text


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_a_restored_database_gets_files_of_its_own(files: list[str]) -> None:
    text = script_of(statement("restore"), SCRATCH, Named("theirs", tuple(files))).statement.text
    paths = re.findall(r"DECLARE (@file\d+) nvarchar", text)
    assert len(set(paths)) == len(files)
    restoring = text.partition("RESTORE DATABASE")[2]
    assert strings(restoring) == ["set", *files]
    assert re.findall(r" TO (@file\d+)", words(restoring).replace("@ ", "@")) == paths
    assert identifiers(restoring) == [SCRATCH.name]


def test_a_database_of_the_users_is_read_by_backup_alone() -> None:
    named = Named("theirs", ("data", "log"))
    for operation, subject in (("backup", "database"), ("backup", "log"), ("restore", "database")):
        for batch in script_of(statement(operation, subject=subject), SCRATCH, named).batches():
            touching = [name for name in identifiers(batch.text) if name != "master" and name != SCRATCH.name]
            assert touching == (["theirs"] if batch.text.startswith("BACKUP") else [])
    with pytest.raises(NotRunnable, match="name no database for it"):
        script_of(statement("restore", subject="log"), SCRATCH, named)


def test_names_of_disposable_databases_differ_and_those_of_logs_are_found_again() -> None:
    backup, restore = statement(subject="log"), statement("restore", subject="log")
    assert Scratch.of("a", "run", backup).log_name == Scratch.of("b", "run", restore).log_name
    assert Scratch.of("a", "run", backup).name != Scratch.of("b", "run", backup).name
    assert Scratch.of("a", "run", backup).log_name != Scratch.of("a", "other", backup).log_name
    other_size = backup._replace(database=Database(7, 200_001))
    assert Scratch.of("a", "run", backup).log_name != Scratch.of("a", "run", other_size).log_name


def test_contents_follow_from_seed_and_size() -> None:
    def filling(seed: int, size: int) -> str:
        asked = statement()._replace(database=Database(seed, size))
        (text,) = (batch.text for batch in script_of(asked, SCRATCH).preparation if batch.purpose == "fill it")
        return text

    assert filling(1, 81_920) == filling(1, 81_920) != filling(2, 81_920)
    assert "TOP (10)" in filling(1, 81_920)
    assert "TOP (11)" in filling(1, 81_921)
    assert "TOP (1)" in filling(1, 0)


def test_the_instance_of_the_set_is_looked_at() -> None:
    assert "O'BRIEN" in strings(script_of(statement(instance="O'BRIEN"), SCRATCH).preparation[0].text)
