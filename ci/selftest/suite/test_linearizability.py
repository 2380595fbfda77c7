"""Histories of overlapping calls: which fit some order that the documents permit, and what is told of others."""

import random
import time
from dataclasses import replace

import pytest

from vdi_conformance.histories.charging import Beside, charged
from vdi_conformance.histories.history import SERVER, HistoryCall
from vdi_conformance.histories.picture import drawn
from vdi_conformance.histories.search import Undecided, find_order, last_states
from vdi_conformance.histories.specification import Known, followed, known, permitted
from vdi_conformance.histories.violation import find_violation
from vdi_conformance.model.snapshots import copied, fingerprint
from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelSet, ModelState, SetPhase
from vdi_conformance.vdi.commands import VDC_WRITE
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    failed,
)

NAME = "the set"


def _at_work(devices: int = 4) -> Known:
    """A primary and two secondaries; each has one device, which holds a command of its own number with a buffer."""
    clients = [ModelClient(number) for number in (1, 2, 3)]
    of = ModelSet(0, creator=clients[0], phase=SetPhase.CONFIGURED, served=True, begun=True, name=NAME)
    of.devices = [ModelDevice(index, of, server_open=True) for index in range(devices)]
    for client, device in zip(clients, of.devices, strict=False):
        client.join(of, configured=True)
        device.owner = client
        client.devices.append(device)
        command = ModelCommand(client.number, VDC_WRITE, 512, data=True, named=True)
        device.sent.append(command)
        device.held.append(command)
    return known(ModelState(clients, sets=[of], serving=of))


def _unconfigured() -> Known:
    """A primary whose set waits for the server to configure it."""
    client = ModelClient(1)
    of = ModelSet(0, creator=client, phase=SetPhase.BEGUN, served=True, name=NAME)
    of.devices = [ModelDevice(0, of)]
    client.join(of, configured=False)
    return known(ModelState([client], sets=[of], serving=of))


def _call(by: int, act: str, code: int, span: tuple[float, float], **more: object) -> HistoryCall:
    made = HistoryCall(0, by, f"thread {span}", act, code, *span)
    return replace(made, **more)  # type: ignore[arg-type]


def _fits(*calls: HistoryCall, initial: Known | None = None) -> bool:
    return find_order([initial or _at_work()], _numbered(calls)) is not None


def _numbered(calls: tuple[HistoryCall, ...] | list[HistoryCall]) -> list[HistoryCall]:
    return [replace(call, number=number) for number, call in enumerate(calls)]


# What fits, and what does not


def test_calls_that_overlap_may_have_come_in_either_order() -> None:
    aborted = _call(1, "signal_abort", NOERROR, (0, 9))
    assert _fits(aborted, _call(1, "get_configuration", NOERROR, (1, 8)))
    assert _fits(aborted, _call(1, "get_configuration", VD_E_ABORT, (1, 8)))
    assert _fits(
        aborted, _call(1, "get_configuration", NOERROR, (1, 2)), _call(1, "get_configuration", VD_E_ABORT, (3, 4))
    )


def test_a_call_after_another_sees_what_that_has_done() -> None:
    aborted = _call(1, "signal_abort", NOERROR, (0, 1))
    assert not _fits(aborted, _call(1, "get_configuration", NOERROR, (2, 3)))
    # Another process is told of it late.
    assert _fits(aborted, _call(2, "get_configuration", NOERROR, (2, 3)))


def test_two_calls_overlap_a_third_and_not_each_other() -> None:
    aborted = _call(1, "signal_abort", NOERROR, (0, 9))
    after, before = _call(1, "get_configuration", VD_E_ABORT, (1, 2)), _call(1, "get_configuration", NOERROR, (3, 4))
    assert not _fits(aborted, after, before)


def test_a_thread_makes_its_calls_in_order_whatever_the_clock_says() -> None:
    aborted = _call(1, "signal_abort", NOERROR, (0, 9), thread="one")
    assert not _fits(aborted, _call(1, "get_configuration", NOERROR, (0, 9), thread="one"))
    assert _fits(aborted, _call(1, "get_configuration", NOERROR, (0, 9), thread="two"))


@pytest.mark.parametrize(
    ("codes", "fits"),
    [
        ((NOERROR, VD_E_PROTOCOL), True),
        ((VD_E_PROTOCOL, NOERROR), True),
        ((NOERROR, NOERROR), False),
        ((VD_E_PROTOCOL, VD_E_PROTOCOL), False),
    ],
)
def test_one_of_two_opens_a_device(codes: tuple[int, int], fits: bool) -> None:
    calls = [_call(1, "open_device", code, (0, 9), what=3, thread=str(place)) for place, code in enumerate(codes)]
    assert _fits(*calls, initial=_at_work(5)) is fits


def test_the_last_device_is_refused_with_either_code() -> None:
    opened = _call(1, "open_device", NOERROR, (0, 9), what=3)
    for code in (VD_E_OPEN, VD_E_PROTOCOL):
        assert _fits(opened, _call(2, "open_device", code, (1, 8), what=3))


def test_one_of_two_creates_a_set_of_a_name() -> None:
    nobody = known(ModelState([ModelClient(1), ModelClient(2)]))
    first = _call(1, "create", NOERROR, (0, 9), what=1, name="x")
    assert _fits(first, _call(2, "create", VD_E_PROTOCOL, (1, 8), what=1, name="x"), initial=nobody)
    assert not _fits(first, _call(2, "create", NOERROR, (1, 8), what=1, name="x"), initial=nobody)
    assert _fits(first, _call(2, "create", NOERROR, (1, 8), what=1, name="y"), initial=nobody)


def test_a_command_that_is_sent_meanwhile_may_come() -> None:
    sent = _call(SERVER, "send", NOERROR, (0, 9), what=0, tag=7)
    assert _fits(sent, _call(1, "get_command", NOERROR, (1, 8), gave=7, patient=True))
    assert not _fits(sent, _call(2, "get_command", NOERROR, (1, 8), what=1, gave=7, patient=True))
    assert not _fits(_call(1, "get_command", NOERROR, (1, 8), gave=7, patient=True))


def test_a_command_comes_once() -> None:
    sent = _call(SERVER, "send", NOERROR, (0, 9), what=0, tag=7)
    twice = [_call(1, "get_command", NOERROR, (1, 8), gave=7, thread=str(number)) for number in range(2)]
    assert not _fits(sent, *twice)


def test_a_wait_in_vain_has_seen_what_came_before_its_last_half() -> None:
    sent = _call(SERVER, "send", NOERROR, (0, 1), what=0, tag=7)
    waited = _call(1, "get_command", VD_E_TIMEOUT, (0, 9), patient=True)
    assert not _fits(sent, waited)
    assert _fits(replace(sent, end=8), waited)
    assert _fits(sent, replace(waited, patient=False))


def test_an_abort_wakes_who_waits() -> None:
    aborted = _call(1, "signal_abort", NOERROR, (1, 2))
    for code in (VD_E_ABORT, VD_E_TIMEOUT):
        assert _fits(aborted, _call(1, "get_command", code, (0, 9), patient=True)) is (code == VD_E_ABORT)


def test_an_abort_wakes_who_waits_in_another_process() -> None:
    for aborted in (_call(1, "signal_abort", NOERROR, (1, 2)), _call(SERVER, "server_abort", NOERROR, (1, 2))):
        for code in (VD_E_ABORT, VD_E_TIMEOUT):
            waited = _call(2, "get_command", code, (0, 9), what=1, patient=True)
            assert _fits(aborted, waited) is (code == VD_E_ABORT)


@pytest.mark.parametrize(
    ("act", "code", "fits"),
    [
        ("signal_abort", VD_E_ABORT, True),
        ("signal_abort", VD_E_PROTOCOL, False),
        ("signal_abort", VD_E_TIMEOUT, False),
        # How a Close ends a wait is not said, but it ends it.
        ("close", VD_E_PROTOCOL, True),
        ("close", VD_E_INVALID, True),
        ("close", VD_E_TIMEOUT, False),
        ("close", NOERROR, False),
    ],
)
def test_the_end_of_a_set_ends_a_wait_for_its_configuration(act: str, code: int, fits: bool) -> None:
    ended = _call(1, act, NOERROR, (1, 2))
    waited = _call(1, "get_configuration", code, (0, 9), patient=True)
    assert _fits(ended, waited, initial=_unconfigured()) is fits


def test_a_record_is_completed_once() -> None:
    rivals = [_call(1, "complete_command", code, (0, 9), tag=1, thread=str(code)) for code in (NOERROR, VD_E_INVALID)]
    assert _fits(*rivals)
    assert not _fits(rivals[0], replace(rivals[0], thread="other"))


def test_a_mapping_shows_its_own_buffer() -> None:
    mapped = _call(2, "map_buffer_handle", NOERROR, (0, 9), tag=1, gave=1)
    assert _fits(mapped)
    assert not _fits(replace(mapped, gave=3))
    assert not _fits(replace(mapped, code=VD_E_INVALID, gave=None))
    # Nobody need find it while it is completed.
    completed = _call(1, "complete_command", NOERROR, (1, 8), tag=1)
    assert _fits(completed, replace(mapped, code=VD_E_INVALID, gave=None))


# Violations


def _violation_of(
    *calls: HistoryCall, beside: Beside = "threads", initial: Known | None = None
) -> tuple[str, int, str]:
    violation = find_violation([initial or _at_work(6)], _numbered(calls))
    assert violation is not None
    return charged(violation, beside), len(violation.calls), drawn(violation)


def test_a_violation_is_made_short_and_drawn() -> None:
    noise = [_call(3, "get_configuration", NOERROR, (0, 8), thread=str(number)) for number in range(5)]
    rivals = [_call(1, "open_device", NOERROR, (1, 8 + number), what=3, thread=str(number)) for number in range(2)]
    by, calls, picture = _violation_of(*noise, *rivals)
    assert (by, calls) == ("OPD-05", 2)
    lines = picture.splitlines()
    assert len(lines) == 7
    assert sum("#" in line for line in lines) == sum("=====" in line for line in lines) == 1
    assert all(line.startswith("|") for line in lines)
    assert "client 1, 1: OpenDevice of device 3 = NOERROR" in next(line for line in lines if "#" in line)


@pytest.mark.parametrize(("beside", "by"), [("threads", "MBH-26"), ("objects", "MBH-17"), ("processes", "MBH-17")])
def test_a_mapping_is_charged_by_who_called_beside_it(beside: Beside, by: str) -> None:
    mapped = _call(2, "map_buffer_handle", VD_E_INVALID, (0, 9), tag=1)
    assert _violation_of(mapped, _call(1, "get_configuration", NOERROR, (1, 8)), beside=beside)[0] == by


def test_a_command_of_another_device_is_told_from_one_out_of_order() -> None:
    sent = [_call(SERVER, "send", NOERROR, (number, number + 0.5), what=0, tag=7 + number) for number in range(2)]
    assert _violation_of(*sent, _call(1, "get_command", NOERROR, (2, 9), gave=8))[0] == "CMD-11"
    assert _violation_of(*sent, _call(2, "get_command", NOERROR, (2, 9), what=1, gave=7))[0] == "CMD-12"


@pytest.mark.parametrize(
    ("by", "act", "charged_to"),
    [(1, "signal_abort", "ABT-04"), (SERVER, "server_abort", "CFG-07"), (1, "close", "THR-05")],
)
def test_a_wait_in_vain_is_charged_by_what_was_to_end_it(by: int, act: str, charged_to: str) -> None:
    ended = _call(by, act, NOERROR, (1, 2))
    waited = _call(1, "get_configuration", VD_E_TIMEOUT, (0, 9), patient=True)
    assert _violation_of(ended, waited, initial=_unconfigured())[0] == charged_to


def test_an_abort_that_is_refused_is_charged_by_what_went_before_and_beside_it() -> None:
    refused = _call(1, "signal_abort", VD_E_PROTOCOL, (4, 9))
    asked = _call(1, "get_configuration", NOERROR, (0, 5))
    assert _violation_of(refused)[0] == "ABT-01"
    assert _violation_of(refused, asked)[0] == "ABT-09"
    aborted = _call(1, "signal_abort", NOERROR, (0, 1))
    assert _violation_of(aborted, replace(refused, code=VD_E_ABORT))[0] == "ABT-11"


def test_of_two_wrong_calls_one_is_to_blame() -> None:
    wrong = [_call(1, act, VD_E_INVALID, (0, 9), tag=1) for act in ("get_buffer_handle", "map_buffer_handle")]
    by, calls, _ = _violation_of(*(replace(call, thread=call.act) for call in wrong))
    assert by in ("GBH-17", "MBH-26")
    assert calls == 1


# What holds of every history

ACTS = ("get_configuration", "open_device", "signal_abort", "close", "join", "get_command", "complete_command")


def _drawn_history(draw: random.Random, length: int) -> tuple[Known, list[HistoryCall]]:
    """Draw calls that follow each other, each with a code that the model permits then."""
    initial = state = _at_work(6)
    calls: list[HistoryCall] = []
    while len(calls) < length:
        by, tag = draw.randint(1, 3), draw.randint(1, 3)
        call = HistoryCall(
            len(calls), by, "one", draw.choice(ACTS), 0, len(calls), len(calls) + 0.5, draw.randrange(6), NAME, tag
        )
        outcome = draw.choice(permitted(state.model, call).outcomes)
        call = replace(call, code=VD_E_INVALID if outcome.code is None else outcome.code)
        after = [*followed(state, call)]
        assert after, f"{call} is permitted, and leads nowhere"
        state = draw.choice(after)
        calls.append(call)
    return initial, calls


@pytest.mark.parametrize("number", range(40))
def test_whatever_the_model_gives_one_after_the_other_fits(number: int) -> None:
    draw = random.Random(number)
    initial, calls = _drawn_history(draw, 14)
    assert find_order([initial], calls) is not None
    # So it does when calls take longer, and overlap.
    longer = [replace(call, thread=str(call.number), end=call.end + draw.random() * 4) for call in calls]
    assert find_order([initial], longer) is not None
    assert find_violation([initial], longer) is None


@pytest.mark.parametrize("number", range(20))
def test_a_code_that_is_never_permitted_fits_nowhere(number: int) -> None:
    draw = random.Random(number)
    initial, calls = _drawn_history(draw, 10)
    place = draw.randrange(len(calls))
    calls[place] = replace(calls[place], code=0x12345678)
    assert not failed(calls[place].code)
    assert find_order([initial], calls) is None


def test_turning_round_what_matters_fits_no_more() -> None:
    calls = [
        _call(1, "open_device", NOERROR, (0, 1), what=3),
        _call(1, "open_device", VD_E_PROTOCOL, (2, 3), what=3),
        _call(1, "signal_abort", NOERROR, (4, 5)),
        _call(1, "get_configuration", VD_E_ABORT, (6, 7)),
    ]
    assert _fits(*calls, initial=_at_work(6))
    spans = [(call.begin, call.end) for call in calls]
    for one, other in ((0, 1), (2, 3)):
        turned = spans[:]
        turned[one], turned[other] = turned[other], turned[one]
        shuffled = [replace(call, begin=span[0], end=span[1]) for call, span in zip(calls, turned, strict=True)]
        assert not _fits(*shuffled, initial=_at_work(6))


def test_a_copy_says_the_same_and_goes_its_own_way() -> None:
    initial = _at_work()
    copy = copied(initial.model)
    assert fingerprint(copy) == initial.key
    copy.clients[0].devices[0].held.clear()
    assert fingerprint(copy) != initial.key
    assert fingerprint(initial.model) == initial.key


def test_every_state_that_a_history_may_end_in_is_given() -> None:
    calls = _numbered([_call(1, "signal_abort", NOERROR, (0, 9)), _call(2, "get_configuration", VD_E_ABORT, (1, 8))])
    assert len(last_states([_at_work()], calls)) == 1
    open_or_not = _numbered([_call(3, "close", NOERROR, (0, 9)), _call(2, "get_configuration", NOERROR, (1, 8))])
    assert last_states([_at_work()], open_or_not)


def test_a_search_that_is_too_large_accuses_nobody() -> None:
    calls = [_call(1 + number % 3, "close", NOERROR, (0, 9), thread=str(number)) for number in range(3)]
    calls += [_call(1, "open_device", NOERROR, (0, 9), what=4, thread=f"x{number}") for number in range(6)]
    with pytest.raises(Undecided, match="says nothing about the adapter"):
        find_order([_at_work(6)], _numbered(calls), most=3)


def test_the_largest_histories_are_decided_well_within_a_second() -> None:
    transfers = [
        call
        for device in range(3)
        for call in (
            _call(SERVER, "send", NOERROR, (0, 9), what=device, tag=10 + device),
            _call(1 + device, "complete_command", NOERROR, (0, 9), what=device, tag=1 + device, thread="d"),
            _call(1 + device, "get_command", NOERROR, (0, 9), what=device, gave=10 + device, thread="d", patient=True),
        )
    ]
    sharing = [_call(1 + n % 3, "map_buffer_handle", NOERROR, (0, 9), tag=1, thread=f"m{n}") for n in range(12)]
    aborts = [_call(by, "signal_abort", NOERROR, (0, 9), thread=f"a{by}") for by in (1, 2, 3)]
    told = [
        _call(by, "get_configuration", code, (0, 9), thread=f"t{by}{code}")
        for by in (1, 2, 3)
        for code in (0, VD_E_ABORT)
    ]
    began = time.process_time()
    assert _fits(*transfers, *sharing)
    assert _fits(*sharing, *aborts, *told)
    assert not _fits(*sharing, *aborts, *told, _call(1, "get_configuration", VD_E_TIMEOUT, (0, 9)))
    assert time.process_time() - began < 1
