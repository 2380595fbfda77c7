"""What a session does for requests that come one after the other, at once, or in the middle of another one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from selftest.tds.raw_client import (
    ATTENTION,
    BATCH,
    BULK,
    DONE_ATTENTION,
    DONE_COUNT,
    DONE_ERROR,
    DONE_MORE,
    END,
    HEADERS,
    IGNORE,
    RESET,
    RPC,
    TRANSACTION,
    RawClient,
    Told,
    packet,
    tokens,
)
from selftest.tds.scripted import PATIENCE, ScriptedService, ScriptedSession, served
from vdi_conformance.tds.announced import AnnouncedSession
from vdi_conformance.tds.inbox import Inbox
from vdi_conformance.tds.limits import LIMITS
from vdi_conformance.tds.packets import ClientMessage, PacketType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selftest.tds.scripted import Served

EXECUTE_SQL, PREPARE, EXECUTE, PREPARE_AND_EXECUTE, UNPREPARE = 10, 11, 12, 13, 15
CURSOR_OPEN, CURSOR_FETCH = 2, 7
HANDLE = b"\0\1\x26\4\0"
"""A parameter without a name, by reference, int, null."""


@pytest.fixture
def client(tds: Served) -> Iterator[RawClient]:
    with RawClient(tds.port) as found:
        yield found


def text(value: str, name: str = "") -> bytes:
    """Give a parameter of type nvarchar."""
    data = value.encode("utf-16-le")
    head = bytes([len(name)]) + name.encode("utf-16-le") + b"\0"
    return head + struct.pack("<BH", 0xE7, 8000) + bytes(5) + struct.pack("<H", len(data)) + data


def number(value: int, name: str = "") -> bytes:
    """Give a parameter of type int."""
    return bytes([len(name)]) + name.encode("utf-16-le") + b"\0\x26\4\4" + struct.pack("<i", value)


def by_number(procedure: int, *parameters: bytes) -> bytes:
    """Give a call of a procedure that has a number."""
    return struct.pack("<HHH", 0xFFFF, procedure, 0) + b"".join(parameters)


def by_name(procedure: str, *parameters: bytes) -> bytes:
    """Give a call of any procedure."""
    return struct.pack("<H", len(procedure)) + procedure.encode("utf-16-le") + bytes(2) + b"".join(parameters)


def called(client: RawClient, *calls: bytes) -> list[Told]:
    """Make calls in one message, whose statements give no rows."""
    client.send(RPC, HEADERS + b"\xff".join(calls))
    return client.told()


def transact(client: RawClient, request: int, content: bytes = b"\0\0\0") -> list[Told]:
    """Send a request for the transaction manager."""
    client.send(TRANSACTION, HEADERS + struct.pack("<H", request) + content)
    return client.told()


def test_the_answer_of_a_batch_says_what_follows(client: RawClient) -> None:
    told = client.ask("FAIL")
    assert [(one.kind, one.number) for one in told] == [("error", 3271), ("error", 3013), ("done", DONE_ERROR)]
    assert client.ask("") == [Told("done")]


def test_messages_leave_at_once(tds: Served, client: RawClient) -> None:
    client.batch("BACKUP")
    status, content = client.packet()
    assert not status & END
    assert [one.number for one in tokens(content)] == [3211]
    tds.service.goes_on.set()
    assert [one.number for one in client.told()] == [4035, 3014, 0]


def test_a_batch_that_comes_in_many_packets_is_one(tds: Served, client: RawClient) -> None:
    told = "nothing -- " + "x" * 50_000
    client.send(BATCH, HEADERS + told.encode("utf-16-le"), size=512)
    assert client.told() == [Told("done")]
    assert tds.service.asked[-1].text == told


def test_requests_that_come_at_once_are_answered_one_after_the_other(tds: Served, client: RawClient) -> None:
    client.raw(b"".join(packet(BATCH, HEADERS + f"say {place}".encode("utf-16-le")) for place in range(20)))
    assert [client.told() for _ in range(20)] == [[Told("done")]] * 20
    assert [asked.text for asked in tds.service.asked] == [f"say {place}" for place in range(20)]


def test_a_cancelled_batch_ends_and_the_cancel_is_told_of_by_itself(tds: Served, client: RawClient) -> None:
    client.batch("WAIT")
    assert tds.service.waits.wait(PATIENCE)
    client.send(ATTENTION, b"")
    first = client.receive()
    assert tokens(first)[0] == Told("info", 0, "waiting")
    assert tokens(first)[-1] == Told("done", DONE_ERROR)
    assert client.told() == [Told("done", DONE_ATTENTION)]
    assert tds.service.events == ["cancel"]
    assert client.ask("say") == [Told("done")]


def test_a_cancel_while_nothing_runs_is_told_of_too(tds: Served, client: RawClient) -> None:
    # Nothing has run yet: when the server knows that what ran has ended, after its answer, no client can tell.
    client.send(ATTENTION, b"")
    assert client.told() == [Told("done", DONE_ATTENTION)]
    assert tds.service.events == []
    assert client.ask("say") == [Told("done")]


def test_a_cancel_drops_the_request_that_waits(tds: Served, client: RawClient) -> None:
    client.batch("WAIT")
    assert tds.service.waits.wait(PATIENCE)
    client.batch("say")
    client.send(ATTENTION, b"")
    assert tokens(client.receive())[-1] == Told("done", DONE_ERROR)
    assert client.told() == [Told("done", DONE_ATTENTION)]
    assert [asked.text for asked in tds.service.asked] == ["WAIT"]


def test_a_message_that_is_taken_back_is_not_run(tds: Served, client: RawClient) -> None:
    assert client.ask("FAIL", END | IGNORE) == [Told("done")]
    assert tds.service.asked == []


def test_a_client_that_hangs_up_cancels_what_runs(tds: Served) -> None:
    with RawClient(tds.port) as client:
        client.batch("WAIT")
        assert tds.service.waits.wait(PATIENCE)
    assert tds.service.ended.acquire(timeout=PATIENCE)
    assert tds.service.events == ["cancel", "close"]
    assert tds.trouble == []


def test_closing_the_server_cancels_what_runs_and_ends_every_session() -> None:
    with served() as tds, RawClient(tds.port) as client, RawClient(tds.port), RawClient(tds.port, logs_in=False):
        client.batch("WAIT")
        assert tds.service.waits.wait(PATIENCE)
        tds.server.close()
        assert sorted(tds.service.events) == ["cancel", "close", "close"]
        assert client.is_ended()
    assert tds.trouble == []


def test_a_reset_comes_before_the_request_that_asks_for_it(tds: Served, client: RawClient) -> None:
    client.ask("USE vdi")
    handle = called(client, by_number(PREPARE, HANDLE, text(""), text("say")))[1].number
    transact(client, 5)
    told = client.ask("say", END | RESET)
    assert [(one.kind, one.number) for one in told] == [("change", 10), ("change", 1), ("change", 18), ("done", 0)]
    assert tds.service.events == ["begin", "reset"]
    assert Told("error", 8179, f"Could not find prepared statement with handle {handle}.") in called(
        client, by_number(EXECUTE, number(handle))
    )


def test_transactions_have_numbers(tds: Served, client: RawClient) -> None:
    assert transact(client, 5, b"\2\0") == [Told("change", 8, "08010000000000000000"), Told("done")]
    assert transact(client, 7, b"\0\1\0\0") == [
        Told("change", 9, "00080100000000000000"),
        Told("change", 8, "08020000000000000000"),
        Told("done"),
    ]
    assert transact(client, 8) == [Told("change", 10, "00080200000000000000"), Told("done")]
    assert tds.service.events == ["begin", "commit", "begin", "roll back"]


def test_transactions_of_statements_and_of_requests_are_the_same(tds: Served, client: RawClient) -> None:
    begun = Told("change", 8, "08010000000000000000")
    assert client.ask("BEGIN") == [begun, Told("done")]
    assert transact(client, 7) == [Told("change", 9, "00080100000000000000"), Told("done")]
    assert client.ask("BEGIN")[0].number == 8
    assert client.ask("ROLLBACK") == [Told("change", 10, "00080200000000000000"), Told("done")]
    assert transact(client, 7)[0].number == 3902
    assert transact(client, 5)[0].number == 8
    assert client.ask("COMMIT") == [Told("change", 9, "00080300000000000000"), Told("done")]
    assert tds.service.events == ["begin", "commit", "begin", "roll back", "begin", "commit"]


@pytest.mark.parametrize(("request_number", "error"), [(7, 3902), (8, 3903), (0, 8501)])
def test_what_no_transaction_can_be_asked_for_is_refused(client: RawClient, request_number: int, error: int) -> None:
    told = transact(client, request_number)
    assert [(one.kind, one.number) for one in told] == [("error", error), ("done", DONE_ERROR)]
    assert client.ask("say") == [Told("done")]


def test_a_savepoint_is_a_statement(tds: Served, client: RawClient) -> None:
    assert transact(client, 9, b"\4" + "a]".encode("utf-16-le")) == [Told("done")]
    assert tds.service.asked[-1].text == "SAVE TRANSACTION [a]]]"


def test_a_prepared_statement_runs_until_it_is_unprepared(tds: Served, client: RawClient) -> None:
    prepared = called(client, by_number(PREPARE, HANDLE, text("@a int, @b nvarchar(9)"), text("say @a")))
    handle = prepared[1].number
    assert prepared == [Told("status"), Told("output", handle), Told("done procedure")]
    for parameters in ((number(5), text("ü")), (text("ü", "@B"), number(5, "@a"))):
        told = called(client, by_number(EXECUTE, number(handle), *parameters))
        assert told == [Told("done in procedure", DONE_MORE), Told("status"), Told("done procedure")]
        asked = tds.service.asked[-1]
        assert asked.text == "say @a"
        assert [(one.name, one.value) for one in asked.parameters] == [("@a", 5), ("@b", "ü")]
    assert called(client, by_number(UNPREPARE, number(handle))) == [Told("status"), Told("done procedure")]
    told = called(client, by_number(UNPREPARE, number(handle)))
    assert [(one.kind, one.number) for one in told] == [
        ("error", 8179),
        ("status", 8179),
        ("done procedure", DONE_ERROR),
    ]


def test_calls_of_one_message_are_answered_in_one(client: RawClient) -> None:
    first = by_number(PREPARE_AND_EXECUTE, HANDLE, text("@a int"), text("FAIL"), number(1))
    handle = next(one.number for one in called(client, first) if one.kind == "output")
    told = called(client, by_number(UNPREPARE, number(handle)), by_name("[sys].[sp_executesql]", text("say")))
    assert told == [
        Told("status"),
        Told("done procedure", DONE_MORE),
        Told("done in procedure", DONE_MORE),
        Told("status"),
        Told("done procedure"),
    ]


def test_a_text_that_fails_returns_its_error(client: RawClient) -> None:
    told = called(client, by_number(EXECUTE_SQL, text("FAIL")))
    assert [(one.kind, one.number) for one in told] == [
        ("error", 3271),
        ("error", 3013),
        ("done in procedure", DONE_MORE | DONE_ERROR),
        ("status", 3013),
        ("done procedure", DONE_ERROR),
    ]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (by_number(EXECUTE_SQL), 201),
        (by_number(EXECUTE_SQL, number(1)), 214),
        (by_number(EXECUTE_SQL, text("say"), text("no declaration")), 102),
        (by_number(EXECUTE_SQL, text("say"), text("@a int, @b int"), number(1)), 8178),
        (by_number(EXECUTE_SQL, text("say"), text("@a int"), number(1), number(2)), 8144),
        (by_number(EXECUTE_SQL, text("say"), text("@a int"), number(1, "@a"), number(2, "@b")), 8145),
        (by_number(EXECUTE, number(7)), 8179),
        (by_number(EXECUTE, text("seven")), 8179),
        (by_number(CURSOR_OPEN, HANDLE), 16937),
        (by_name("sp_cursorprepexec", HANDLE), 16937),
        (by_number(CURSOR_FETCH, number(7)), 16909),
        (by_number(CURSOR_FETCH), 201),
        (by_name("missing"), 2812),
        (by_number(EXECUTE_SQL, text("say"), *[number(1)] * LIMITS.parameters), 8003),
        (by_number(EXECUTE_SQL, text("say"), b"\0\0\xf3\0\0\0\0"), 8009),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_by_number(client: RawClient, call: bytes, error: int) -> None:
    told = called(client, call)
    assert (told[0].kind, told[0].number) == ("error", error)
    assert told[-1] == Told("done procedure", DONE_ERROR)
    assert client.ask("say") == [Told("done")]


def test_a_default_stands_in_for_a_parameter_that_is_not_passed(tds: Served, client: RawClient) -> None:
    declared = "@a decimal(10, 2) = 1.5, @b int OUTPUT, @c varchar(max)"
    called(client, by_number(EXECUTE_SQL, text("say"), text(declared), number(1, "@b"), text("x", "@c")))
    assert [(one.name, one.value) for one in tds.service.asked[-1].parameters] == [("@b", 1), ("@c", "x")]


def test_a_session_prepares_no_more_than_it_may() -> None:
    with served(limits=LIMITS._replace(statements=2, prepared=10)) as tds, RawClient(tds.port) as client:
        errors = [
            [
                one.number
                for one in called(client, by_number(PREPARE, HANDLE, text(""), text(word)))
                if one.kind == "error"
            ]
            for word in ("123456", "12345", "1", "1")
        ]
        assert errors == [[], [701], [], [701]]
        called(client, by_number(UNPREPARE, number(1)))
        assert called(client, by_number(PREPARE, HANDLE, text(""), text("12345")))[0] == Told("status")


@pytest.mark.parametrize(("word", "error"), [("DIE", 9001), ("CRASH", 3624)])
def test_a_fatal_error_is_told_and_ends_the_connection(tds: Served, client: RawClient, word: str, error: int) -> None:
    told = client.ask(word)
    assert [one.number for one in told if one.kind == "error"] == [error]
    assert told[-1] == Told("done", DONE_ERROR)
    assert client.hangs_up() == b""
    assert tds.service.ended.acquire(timeout=PATIENCE)
    assert any("out of order" in line and "Traceback" in line for line in tds.trouble) == (word == "CRASH")
    with RawClient(tds.port) as other:
        assert other.ask("say") == [Told("done")]


def test_a_count_is_told_where_there_is_one(client: RawClient) -> None:
    client.batch("BOTH")
    received = client.receive()
    assert Told("done", DONE_COUNT, rows=1) == tokens(received[-13:])[0]
    assert struct.pack("<BHHQ", 0xFD, DONE_COUNT | DONE_MORE, 0, 5) in received


@pytest.mark.parametrize("kind", [BULK, 16, 17, 18])
def test_what_a_session_has_no_use_for_ends_it(tds: Served, client: RawClient, kind: int) -> None:
    client.send(kind, b"\0" * 20)
    assert client.told()[0].number == 4014
    assert client.receive() == b""
    assert any(f"type {kind}" in line for line in tds.trouble)


def test_a_cancel_before_a_batch_has_begun_is_not_lost() -> None:
    events: list[str] = []
    inbox = Inbox(lambda: events.append("cancel"))
    session = ScriptedSession(ScriptedService(), "master")
    inbox.put(ClientMessage(PacketType.SQL_BATCH, b""))
    inbox.take()
    inbox.attend()
    assert events == []
    AnnouncedSession(session, inbox.started).batch("WAIT")
    assert events == ["cancel"]
    inbox.finished()
    inbox.close()
    assert events == ["cancel"]
