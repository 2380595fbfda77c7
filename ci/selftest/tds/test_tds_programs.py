"""Programs that are no Python: FreeTDS's tsql and bsqldb, isql with its ODBC driver, and tedious in Node.js."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from selftest.tds.scripted import PASSWORD, SIMPLE, served
from tds.programs import freetds, odbc, tedious
from widths.packages import NotHere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selftest.tds.scripted import Served

pytestmark = pytest.mark.long

PATIENCE = 60
FAILURE = ["Msg 3271", "A nonrecoverable I/O error occurred", "Msg 3013", "BACKUP DATABASE is terminating abnormally."]
TRANSACTIONS = ("beginTransaction", "commitTransaction", "beginTransaction", "rollbackTransaction")
T = TypeVar("T")


def had(what: Callable[[], T]) -> T:
    """Give what a machine has or can get; the test is skipped where it cannot."""
    try:
        return what()
    except NotHere as reason:
        pytest.skip(f"not to be had: {reason}")


def output(*command: str, said: str = "", **variables: str) -> str:
    """Run a program on a text, and give all that it prints."""
    done = subprocess.run(
        command, input=said, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.stdout


def in_order(text: str, parts: list[str]) -> bool:
    """Whether all parts are in a text, one after the other."""
    place = 0
    for part in parts:
        place = text.find(part, place)
        if place < 0:
            return False
    return True


@pytest.mark.parametrize("version", ["auto", "7.2", "7.3", "7.4"])
def test_tsql(tds: Served, version: str) -> None:
    had(freetds)
    said = "SELECT 1\ngo\nFAIL\ngo\nBOTH\ngo\nUSE vdi\ngo\nMANY 500\ngo\nexit\n"
    words = ["tsql", "-H", "127.0.0.1", "-p", str(tds.port), "-U", "sa", "-P", PASSWORD]
    told = output(*words, said=said, TDSVER=version)
    assert in_order(told, ["1\tGrüße\t1", "2\tNULL\tNULL", "(2 rows affected)", "-12345.678", "499\txxx", "(500 rows"])
    assert in_order(told, FAILURE)
    assert [asked.text.strip() for asked in tds.service.asked] == ["SELECT 1", "FAIL", "BOTH", "USE vdi", "MANY 500"]
    assert in_order(output(*words[:-1], "wrong"), ["Msg 18456", "Login failed for user 'sa'."])


def test_bsqldb(tds: Served, tmp_path: Path) -> None:
    had(freetds)
    configuration = tmp_path / "freetds.conf"
    configuration.write_text(f"[emulated]\nhost = 127.0.0.1\nport = {tds.port}\ntds version = 7.4\n", encoding="utf-8")
    words = ["bsqldb", "-S", "emulated", "-U", "sa", "-P", PASSWORD]
    told = output(*words, said="SELECT 1\ngo\nFAIL\ngo\n", FREETDSCONF=str(configuration))
    assert in_order(told, ["Msg 3271, Level 16, State 1", "Server 'SCRIPTED', Line 3"])
    assert "Grüße" in told


def test_isql(tds: Served) -> None:
    library = had(odbc)
    where = f"Driver={library};Server=127.0.0.1;Port={tds.port};UID={SIMPLE};PWD={SIMPLE}"
    told = output("isql", "-k", where, "-b", "-v", said="SELECT 1\nFAIL\n")
    assert in_order(told, ["Grüße", "A nonrecoverable I/O error occurred"])


@pytest.mark.parametrize("encrypts", [False, True])
def test_tedious(encrypts: bool) -> None:
    command = had(tedious)
    with served() as tds:
        lines = output(*command, str(tds.port), PASSWORD, json.dumps(encrypts)).splitlines()
    told: list[list[Any]] = [json.loads(line) for line in lines]
    many = next(one for one in told if one[0] == "many")
    assert many[3] == [[n, "x" * (n % 1000)] for n in range(2000)]
    told.remove(many)
    assert told == [
        ["message", 5701, "Changed database context to 'master'."],
        ["message", 5703, "Changed language setting to us_english."],
        ["connect", None],
        ["select", None, 2, [[1, "Grüße", True], [2, None, None]]],
        ["error", 3271, 'A nonrecoverable I/O error occurred on file "x".'],
        ["error", 3013, "BACKUP DATABASE is terminating abnormally."],
        ["fail", "AggregateError", 0, []],
        ["output", "d", "out of @d"],
        ["echo", None, 1, [[5, "Grüße", "2024-02-03T04:05:06.000Z", None]]],
        ["output", "b", "out of @b"],
        ["call", None, 1, [["1099511627776", None]]],
        ["row", 1],
        ["ran", None],
        ["row", 2],
        ["ran", None],
        ["ran", None],
        *([name, None] for name in (*TRANSACTIONS, "reset")),
        ["message", 0, "waiting"],
        ["cancelled", "ECANCEL", None, []],
        ["message", 0, "waiting"],
        ["cancelled", "ECANCEL", None, [[1]]],
        ["rows", 2000],
        ["end"],
    ]
    assert tds.service.events == ["begin", "commit", "begin", "roll back", "reset", "cancel", "cancel", "close"]
    assert tds.trouble == []
