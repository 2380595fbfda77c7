"""The first call that the model does not permit, in traces that are written down: the right one, and none too many."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from selftest.explanation.recorded import BUFFER, NAME, SERVERS, SIZE, Recorded
from vdi_conformance.evidence.records import Cause
from vdi_conformance.explanation.unexpected import first_unexpected, telling, unexpected
from vdi_conformance.report.lanes.shortening import MOST
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)

MAPPED = 0x70000
ONES, TWOS = b"\x01" * SIZE, b"\x02" * SIZE


@pytest.fixture
def at_work() -> Recorded:
    """Give a set whose primary holds a Write that has a handle."""
    recorded = Recorded()
    recorded.set_to_work()
    return recorded


def _ordinary(recorded: Recorded) -> None:
    recorded.map()
    recorded.store("primary", BUFFER, ONES)
    recorded.look("secondary 1", MAPPED, ONES)
    recorded.look("server", SERVERS, ONES)
    recorded.complete()
    recorded.completion()
    recorded.fetch(VD_E_TIMEOUT)
    recorded.call("server", "server.close_device", {"code": NOERROR}, server="server", device=NAME)
    recorded.fetch(VD_E_CLOSE)
    recorded.call("primary", "set.close", {"code": NOERROR}, set="s1")


def _left_open(recorded: Recorded) -> None:
    """What open questions and time-outs permit."""
    recorded.call("primary", "set.get_buffer_handle", {"code": VD_E_INVALID}, set="s1", address=hex(BUFFER + 1))
    recorded.call("primary", "set.get_buffer_handle", {"code": NOERROR, "handle": 8}, set="s1", address=hex(BUFFER))
    recorded.map(handle=8)
    recorded.map(handle=9, code=VD_E_INVALID)
    recorded.complete()
    recorded.map(code=VD_E_INVALID)
    recorded.call("primary", "set.signal_abort", {"code": NOERROR}, set="s1", thread="abort")
    recorded.map(code=VD_E_ABORT)
    recorded.fetch(VD_E_ABORT)


@pytest.mark.parametrize("goes_on", [_ordinary, _left_open])
def test_what_is_permitted_has_no_mark(at_work: Recorded, goes_on: Callable[[Recorded], None]) -> None:
    goes_on(at_work)
    assert first_unexpected(at_work.trace) is None


WRONG: dict[str, tuple[Callable[[Recorded], int], str]] = {
    "a live handle is refused": (lambda one: one.map(code=VD_E_INVALID), "NOERROR"),
    "a held buffer has no handle": (
        lambda one: one.call("primary", "set.get_buffer_handle", {"code": VD_E_INVALID}, set="s1", address=hex(BUFFER)),
        "NOERROR",
    ),
    "a stray handle is mapped": (lambda one: one.map(handle=0x9E3779B9), "VD_E_INVALID"),
    "a command comes that was not sent": (lambda one: one.fetch(), "VD_E_TIMEOUT"),
    "a completion is refused": (lambda one: one.complete(code=VD_E_INVALID), "NOERROR"),
    "nobody has completed what ends": (lambda one: one.completion(), "nothing: nobody has completed it"),
    "a device opens by a name that there is not": (
        lambda one: one.call("primary", "set.open_device", {"code": NOERROR}, set="s1", name="other", device="e"),
        "VD_E_INVALID",
    ),
    "nothing was aborted": (lambda one: one.fetch(VD_E_ABORT), "VD_E_TIMEOUT"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_first_wrong_answer_is_marked(at_work: Recorded, wrong: str) -> None:
    call, permitted = WRONG[wrong]
    number = call(at_work)
    _ordinary(at_work)
    found = first_unexpected(at_work.trace)
    assert found is not None
    assert (found.call, found.judge) == (number, "model")
    assert permitted in found.permitted


def test_memory_that_is_not_shared_is_marked_where_it_shows(at_work: Recorded) -> None:
    at_work.map()
    stored = at_work.store("primary", BUFFER, ONES)
    seen = at_work.look("secondary 1", MAPPED, TWOS)
    found = first_unexpected(at_work.trace)
    assert found is not None
    assert (found.call, found.permitted) == (seen, [f"the bytes that call {stored} stored"])


def test_what_is_stored_where_the_model_knows_nothing_may_be_anywhere(at_work: Recorded) -> None:
    at_work.store("primary", BUFFER, ONES)
    at_work.store("secondary 1", MAPPED, TWOS)
    at_work.look("primary", BUFFER, TWOS)
    assert first_unexpected(at_work.trace) is None


def test_values_of_a_completion_are_held_against_what_was_accepted(at_work: Recorded) -> None:
    at_work.complete(transferred=100)
    number = at_work.completion(transferred=200)
    found = first_unexpected(at_work.trace)
    assert found is not None
    assert found.call == number
    assert found.permitted == ["ERROR_SUCCESS and 100 bytes, as it was completed"]


def test_a_completion_that_comes_twice_is_marked(at_work: Recorded) -> None:
    at_work.complete()
    at_work.completion()
    number = at_work.completion()
    found = first_unexpected(at_work.trace)
    assert found is not None
    assert found.call == number


def test_two_held_buffers_do_not_share_a_handle(at_work: Recorded) -> None:
    other = 0x60000
    answer = {"code": NOERROR, "address": hex(other)}
    at_work.call("server", "server.allocate_buffer", answer, server="server", size=SIZE, alignment=1)
    at_work.send(tag=2, buffer=other)
    at_work.fetch(command={"address": "0x9100", "buffer": "0x20000"})
    number = at_work.call("primary", "set.get_buffer_handle", {"code": 0, "handle": 7}, set="s1", address="0x20000")
    found = first_unexpected(at_work.trace)
    assert found is not None
    assert (found.call, found.permitted) == (number, ["a handle that no other buffer has"])


def _overlapping(one: int, other: int) -> Recorded:
    """Two threads open the one device at the same moment."""
    recorded = Recorded()
    recorded.set_to_work()
    del recorded.calls[7:]
    for code, thread in ((one, "one"), (other, "two")):
        answer = {"code": code, "opened": code == NOERROR}
        recorded.call("primary", "set.open_device", answer, (100, 110), thread, set="s1", name=NAME, device=thread)
    return recorded


def test_overlapping_calls_may_have_come_in_any_order() -> None:
    assert first_unexpected(_overlapping(VD_E_OPEN, NOERROR).trace) is None
    assert first_unexpected(_overlapping(NOERROR, VD_E_OPEN).trace) is None


def test_overlapping_calls_that_fit_no_order_are_marked_at_the_one_that_ended_last() -> None:
    recorded = _overlapping(NOERROR, NOERROR)
    found = first_unexpected(recorded.trace)
    assert found is not None
    assert found.call == recorded.calls[-1].number
    assert "VD_E_OPEN" in found.permitted


def _of_a_statement(code: int, ended: bool = False) -> Recorded:
    """A GetCommand beside a statement, whose server nobody sees."""
    recorded = Recorded()
    recorded.call("primary", "set.create_ex", {"code": NOERROR}, set="s1", name=NAME, config={"device_count": 1})
    answer, end = ({"succeeded": True, "messages": []}, 65.0) if ended else (None, None)
    recorded.call("server", "statement.execute", answer, (20, end), operation="backup", devices=[NAME])
    recorded.call("primary", "set.get_configuration", {"code": NOERROR}, set="s1", timeout=10_000)
    recorded.call("primary", "set.open_device", {"code": NOERROR, "opened": True}, set="s1", name=NAME, device="d")
    recorded.fetch()
    recorded.complete()
    recorded.fetch(code)
    return recorded


@pytest.mark.parametrize("code", [NOERROR, VD_E_CLOSE, VD_E_TIMEOUT])
def test_a_server_that_runs_a_statement_may_have_done_what_shows(code: int) -> None:
    assert first_unexpected(_of_a_statement(code).trace) is None


@pytest.mark.parametrize("code", [VD_E_ABORT, VD_E_INVALID])
def test_beside_a_statement_an_answer_is_wrong_as_anywhere(code: int) -> None:
    recorded = _of_a_statement(code)
    found = first_unexpected(recorded.trace)
    assert found is not None
    assert found.call == recorded.calls[-1].number
    assert {"NOERROR", "VD_E_CLOSE", "VD_E_TIMEOUT"} <= set(found.permitted)


def test_a_statement_that_has_ended_sends_nothing() -> None:
    recorded = _of_a_statement(NOERROR, ended=True)
    assert first_unexpected(recorded.trace) is not None


def test_the_death_of_the_primary_may_abort_the_set(at_work: Recorded) -> None:
    at_work.ended["primary"] = 1_000.0
    span = (2_000.0, 2_001.0)
    at_work.call("secondary 1", "set.get_configuration", {"code": VD_E_ABORT}, span, set="s2", timeout=0)
    assert first_unexpected(at_work.trace) is None
    at_work.ended["primary"] = 3_000.0
    assert first_unexpected(at_work.trace) is not None


def test_nothing_is_said_where_calls_are_missing_or_unknown(at_work: Recorded) -> None:
    at_work.map(code=VD_E_INVALID)
    assert first_unexpected(replace(at_work.trace, whole=False)) is None
    at_work.call("primary", "native.call", {"code": 0}, function="0x1", arguments=[])
    assert first_unexpected(at_work.trace) is None


def test_what_the_model_cannot_fault_is_marked_as_what_the_check_did_not_accept(at_work: Recorded) -> None:
    number = at_work.map(address=0x70001)
    at_work.call("primary", "set.get_configuration", {"code": NOERROR}, set="s1", timeout=0)
    cause = Cause(kind="assertion", sentence="secondary 1 has the buffer at 0x70001\nassert 1 == 0")
    found = unexpected(at_work.trace, cause)
    assert found is not None
    assert (found.call, found.judge) == (number, "check")


def test_a_call_without_an_answer_is_marked_where_its_process_died(at_work: Recorded) -> None:
    number = at_work.call("secondary 1", "set.close", "host 'secondary 1' was killed", set="s2")
    at_work.ended["secondary 1"] = at_work.calls[-1].begin
    at_work.call("primary", "set.get_configuration", {"code": NOERROR}, set="s1", timeout=0)
    found = unexpected(at_work.trace, Cause(kind="died", sentence="host 'secondary 1' was killed before it answered"))
    assert found is not None
    assert (found.call, found.judge) == (number, "check")


def test_of_a_long_check_the_calls_are_kept_that_lead_to_its_mark(at_work: Recorded) -> None:
    for _ in range(400):
        at_work.call("primary", "set.get_configuration", {"code": NOERROR}, set="s1", timeout=0)
    number = at_work.map(code=VD_E_PROTOCOL)
    found = unexpected(at_work.trace, Cause(kind="code", sentence="", expected=["NOERROR"], observed="VD_E_PROTOCOL"))
    assert found is not None
    assert found.call == number
    kept = telling(at_work.trace, found)
    assert len(kept) < MOST + 30
    assert {"set.get_buffer_handle", "device.get_command", "server.send_command"} <= {call.method for call in kept}
    assert [call.number for call in kept] == sorted({call.number for call in kept})


def test_an_answer_without_sense_is_no_end_of_a_run(at_work: Recorded) -> None:
    answers: tuple[dict[str, Any], ...] = ({"code": NOERROR, "handle": None}, {"code": "?"}, {}, {"code": math.inf})
    for answer in answers:
        at_work.call("primary", "set.get_buffer_handle", answer, set="s1", address="nowhere")
    cause = Cause(kind="assertion", sentence="")
    assert unexpected(at_work.trace, cause) is not None
