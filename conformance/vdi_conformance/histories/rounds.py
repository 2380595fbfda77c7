"""Rounds of overlapping calls: each two methods at once, on one object, on two of a process, and from processes."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import judging
from vdi_conformance.histories.check import OF_ONE_CLIENT, OWNERS, WorkingSet, finish, judge, set_to_work, what_is_wrong
from vdi_conformance.histories.history import SERVER
from vdi_conformance.histories.overlapping import PlannedCall
from vdi_conformance.histories.planning import LANES, Lane, plan
from vdi_conformance.histories.search import HARMLESS, OF_A_DEVICE
from vdi_conformance.model.steps import OUTSTANDING, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vdi_conformance.harness.judging import ConformanceFailure
    from vdi_conformance.histories.charging import Beside
    from vdi_conformance.histories.check import Overlap
    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.histories.overlapping import OverlappingCalls
    from vdi_conformance.model.state import ModelClient

_ALL_OWNERS: Final[Mapping[Beside, Sequence[int]]] = {
    "threads": OF_ONE_CLIENT,
    "objects": OF_ONE_CLIENT,
    "processes": OWNERS,
}


def layout(beside: Beside, devices: int = 8, buffers: bool = True) -> WorkingSet:
    """Lay a set out for callers that are threads, objects or processes."""
    return WorkingSet(devices, _ALL_OWNERS[beside], buffers)


def in_pairs(overlapping: OverlappingCalls, overlap: Overlap, about: str, others: Sequence[str], turns: int) -> None:
    """Let a method overlap with each of these, in each of so many turns; fail where the answers fit no order.

    One more of either is under way on a third lane, and each lane calls twice. What is wrong and changes nothing does
    not keep the rounds from going on to what the check is about.
    """
    found: list[ConformanceFailure] = []
    for turn in range(turns):
        for number, other in enumerate(others):
            acts = (about, other, (about, other)[turn % 2])
            history = overlapping.round(turn, _lanes(overlapping, overlap, acts, turn + number))
            if failure := what_is_wrong(overlapping, history, overlap, about):
                found.append(failure)
                if failure.by == overlap.judged[0] or not {call.act for call in history} <= {*HARMLESS}:
                    raise failure
    if found:
        raise found[0]


def _lanes(overlapping: OverlappingCalls, overlap: Overlap, acts: Iterable[str], turn: int) -> list[list[PlannedCall]]:
    found = []
    for lane, act in zip(LANES[overlap.beside], acts, strict=False):
        calls = [_planned(overlapping, lane, act, turn + again) for again in range(2)]
        found.append([call for call in calls if call is not None])
    return [lane for lane in found if lane]


def _planned(overlapping: OverlappingCalls, lane: Lane, act: str, turn: int) -> PlannedCall | None:
    return plan(overlapping.walk.model, lane, act, turn)


def opening(overlapping: OverlappingCalls, overlap: Overlap, others: Sequence[str], sets: int) -> None:
    """Let all lanes open one device at the same moment, and then another one while other calls are made."""
    devices = 14
    for _ in range(sets):
        set_to_work(overlapping, layout(overlap.beside, devices), overlap.beside)
        for turn, other in enumerate([*others, *others]):
            acts = ("open_device", other if turn % 2 else "open_device", "open_device")
            judge(overlapping, overlapping.round(turn, _lanes(overlapping, overlap, acts, 3 * turn + 1)), overlap)
        finish(overlapping.walk)


def transferring(overlapping: OverlappingCalls, overlap: Overlap, turns: int) -> None:
    """Let the server send to several devices while each of them fetches, and completes what it fetched before."""
    for turn in range(turns):
        model = overlapping.walk.model
        lanes, sending = [], []
        for device in model.sets[-1].devices:
            if device.owner is None:
                continue
            model.tags += 1
            sending.append(PlannedCall(SERVER, "send", what=device.index, tag=model.tags))
            by = device.owner.number
            done = [PlannedCall(by, "complete_command", what=device.index, tag=one.tag) for one in device.held[:1]]
            lanes.append([*done, PlannedCall(by, "get_command", what=device.index, patient=True)])
        judge(overlapping, overlapping.round(turn, [*lanes, sending]), overlap, "get_command")
        with judging("CMP-01"):
            overlapping.settle()


def aborting(overlapping: OverlappingCalls, overlap: Overlap, others: Sequence[str], sets: int) -> None:
    """Let an abort overlap with other calls, with waits among them; each set sees it with other ones.

    Every third set has commands under way instead of buffers, and the server sends another one.
    """
    lanes = LANES[overlap.beside]
    for turn in range(sets):
        leaving, busy = turn % 4 == 3, turn % 3 == 2
        # Who has no device closes in good order, so that nothing but the abort ends the set.
        owners = OF_ONE_CLIENT if leaving else _ALL_OWNERS[overlap.beside]
        set_to_work(overlapping, WorkingSet(5, owners, not busy, busy), overlap.beside)
        aborter, *rest = (*lanes[turn % len(lanes) :], *lanes[: turn % len(lanes)])
        if overlap.beside == "objects":
            aborter, rest = lanes[0], [lanes[1]]
        planned = [[_call(aborter, "signal_abort"), _call(aborter, "get_configuration")]]
        chosen = _BUSY if busy else others
        for number, lane in enumerate(rest):
            acts = [chosen[(turn + 2 * number) % len(chosen)], "get_configuration"]
            if leaving and lane.by not in (1, aborter.by):
                acts = ["close"]
            planned.append(_on_an_ending_set(overlapping, lane, acts, turn))
        planned += _sending(overlapping, Random(turn)) if busy else ()
        afterwards = [_call(lane, "get_configuration") for lane in lanes] + [_call(aborter, "signal_abort")]
        _judge_the_end(overlapping, overlapping.round(turn, planned, afterwards), overlap)


def aborting_by_the_server(overlapping: OverlappingCalls, overlap: Overlap, sets: int) -> None:
    """Let an abort of the server overlap with waits for its configuration, and with calls of a set that is at work."""
    lanes = LANES[overlap.beside]
    for turn in range(sets):
        if overlap.beside == "threads" and turn % 2:
            overlapping.walk.testbed.need_scripted()
            _begin_with(overlapping, Step("server_open"), Step("server_configure", kind="begin"))
            acts = ["wait"] * len(lanes)
        else:
            set_to_work(
                overlapping, WorkingSet(5, _ALL_OWNERS[overlap.beside], buffers=False, busy=True), overlap.beside
            )
            acts = [_AT_AN_ABORT[(turn + number) % len(_AT_AN_ABORT)] for number in range(len(lanes))]
        planned = [_on_an_ending_set(overlapping, lane, [act], turn) for lane, act in zip(lanes, acts, strict=True)]
        planned.append([PlannedCall(SERVER, "server_abort")])
        _judge_the_end(overlapping, overlapping.round(turn, planned), overlap)


def ending_waits(overlapping: OverlappingCalls, overlap: Overlap, turns: int) -> None:
    """Let threads end a set that waits for its server, at the moment at which others begin to wait for it."""
    first, *_ = lanes = LANES["threads"]
    for turn in range(turns):
        _begin_with(overlapping)
        acts = _ENDS_OF_WAITS[turn % len(_ENDS_OF_WAITS)]
        planned = [_on_an_ending_set(overlapping, lane, [act], turn) for lane, act in zip(lanes, acts, strict=False)]
        judge(overlapping, overlapping.round(turn, planned, [_call(first, "get_configuration")]), overlap)
        judge(overlapping, overlapping.round(turn, [[_call(first, "close")]]), overlap)


def _begin_with(overlapping: OverlappingCalls, *steps: Step) -> None:
    """Create a set that has no configuration yet, and let the server come so far."""
    overlapping.walk.begin()
    for step in (Step("create", 1, 1, "fresh"), *steps):
        overlapping.walk.take(step)
    overlapping.begin()


def _judge_the_end(overlapping: OverlappingCalls, history: Sequence[HistoryCall], overlap: Overlap) -> None:
    """Follow a history that aborts a set, and see what the server is told of its commands."""
    judge(overlapping, history, overlap)
    completed = any(call.act == "complete_command" for call in history)
    with judging("CMP-20" if completed else "ABT-05"):
        overlapping.walk.settle()
    finish(overlapping.walk)


def joining(overlapping: OverlappingCalls, overlap: Overlap, turns: int) -> None:
    """Let two processes join a set that is at work, and leave it, at the same moment and while its primary works."""
    primary, *others = LANES["processes"]
    for lane in others:
        overlapping.walk.actor(Step("close", lane.by))
    set_to_work(overlapping, WorkingSet(6, OF_ONE_CLIENT), overlap.beside)
    name = overlapping.walk.model.sets[-1].name
    for turn in range(turns):
        beside = ("get_buffer_handle", "map_buffer_handle", "get_configuration", "open_device")[turn % 4]
        calls = [_planned(overlapping, primary, beside, 3 * turn + again) for again in range(2)]
        busy = [call for call in calls if call is not None]
        coming = [[PlannedCall(lane.by, "join", lane.thread, name=name)] for lane in others]
        # Every third turn one leaves while the other comes.
        if turn % 3 == 2:
            judge(overlapping, overlapping.round(turn, [coming[0]]), overlap, "join")
            coming = [[_call(others[0], "close")], coming[1]]
        judge(overlapping, overlapping.round(turn, [busy, *coming]), overlap)
        there = [lane for lane in others if overlapping.walk.model.clients[lane.by - 1].of is not None]
        leaving = [[_call(lane, "close")] for lane in there]
        judge(overlapping, overlapping.round(turn, leaving), overlap, "close")
    finish(overlapping.walk)


def walking(overlapping: OverlappingCalls, overlap: Overlap, seed: int, sets: int, turns: int) -> None:
    """Let all processes take random steps at the same moment, several of a process on threads of its own."""
    draw = Random(seed)
    for _ in range(sets):
        set_to_work(overlapping, layout("processes"), overlap.beside)
        for turn in range(turns):
            lanes = [lane for client in overlapping.walk.model.clients for lane in _steps(overlapping, client, draw)]
            if lanes:
                judge(overlapping, overlapping.round(turn, [*lanes, *_sending(overlapping, draw)]), overlap)
        finish(overlapping.walk)


def _steps(overlapping: OverlappingCalls, client: ModelClient, draw: Random) -> Iterator[list[PlannedCall]]:
    """Draw what a client does in a round: a call on each of two threads, or one by itself that ends or begins all."""
    of = overlapping.walk.model.sets[-1]
    if client.of is None:
        yield [PlannedCall(client.number, "join", name=of.name)]
        return
    if draw.random() < _ENDING:
        yield [PlannedCall(client.number, draw.choice(("close", "signal_abort")))]
        return
    for place, thread in enumerate(("one", "two")):
        lane = Lane(client.number, thread, place)
        calls = [_planned(overlapping, lane, draw.choice(_STEPS), draw.randrange(12)) for _ in range(2)]
        known = [call for call in calls[: draw.randint(1, 2)] if call is not None and _has_come(overlapping, call)]
        # A device is meant for one thread, and what is completed once is not completed again.
        found = list(
            {call.act if call.act in OF_A_DEVICE else place: call for place, call in enumerate(known)}.values()
        )
        if found:
            yield found


def _has_come(overlapping: OverlappingCalls, call: PlannedCall) -> bool:
    return call.act != "complete_command" or call.tag in overlapping.walk.fetched


def _sending(overlapping: OverlappingCalls, draw: Random) -> Iterator[list[PlannedCall]]:
    """Let the server send to a device that has room for it."""
    of = overlapping.walk.model.serving
    ready = [one for one in of.devices if one.taken and one.outstanding < OUTSTANDING] if of and of.sound else []
    if ready:
        overlapping.walk.model.tags += 1
        device = draw.choice(ready).index
        yield [PlannedCall(SERVER, "send", what=device, tag=overlapping.walk.model.tags, kind="Flush")]


def _call(lane: Lane, act: str) -> PlannedCall:
    return PlannedCall(lane.by, act, lane.thread)


def _on_an_ending_set(overlapping: OverlappingCalls, lane: Lane, acts: Sequence[str], turn: int) -> list[PlannedCall]:
    """Plan calls on a set that is to end; a GetCommand waits for what that is bound to give."""
    calls = [_planned(overlapping, lane, act, turn) for act in acts]
    return [replace(call, patient=True) if call.act == "get_command" else call for call in calls if call is not None]


def coming_and_going(overlapping: OverlappingCalls, overlap: Overlap, turns: int) -> None:
    """Let clients create sets of one name, join them, ask for their configuration, abort and close them at once."""
    walk = overlapping.walk
    lanes = LANES[overlap.beside]
    for lane in lanes:
        walk.actor(Step("close", lane.by))
    for turn in range(turns):
        walk.begin()
        overlapping.begin()
        name = walk.testbed.name()
        acts = _BEGINNINGS[overlap.beside][turn % len(_BEGINNINGS[overlap.beside])]
        planned = [[_named(lane, act, name, overlap)] for lane, act in zip(lanes, acts, strict=False)]
        judge(overlapping, overlapping.round(turn, planned), overlap)
        ends = _ENDS[turn % len(_ENDS)]
        open_now = [lane for lane in _one_each(lanes) if walk.model.clients[lane.by - 1].of is not None]
        closing = [[_call(lane, act)] for lane, act in zip(open_now, ends, strict=False)]
        if closing:
            judge(overlapping, overlapping.round(turn, closing), overlap)
        for lane in _one_each(lanes):
            judge(overlapping, overlapping.round(turn, [[_call(lane, "close")]]), overlap)


def _named(lane: Lane, act: str, name: str, overlap: Overlap) -> PlannedCall:
    mine = f"{name}-of-its-own" if overlap.beside == "objects" and lane.by == 2 else name
    return PlannedCall(lane.by, act, lane.thread, what=1, name=mine if act in ("create", "join") else "")


def _one_each(lanes: Sequence[Lane]) -> list[Lane]:
    return list({lane.by: lane for lane in reversed(lanes)}.values())


_STEPS: Final = (
    "get_configuration",
    "open_device",
    "get_command",
    "get_command",
    "complete_command",
    "get_buffer_handle",
    "map_buffer_handle",
    "create",
    "join",
)
_BUSY: Final = ("complete_command", "get_command", "complete_command")
"""What is called of devices with commands under way."""
_AT_AN_ABORT: Final = (*_BUSY, "signal_abort")
_ENDS_OF_WAITS: Final = (
    ("signal_abort",),
    ("signal_abort", "wait", "wait"),
    ("close", "wait", "wait"),
    ("signal_abort", "signal_abort", "signal_abort"),
    ("close", "close"),
    ("close", "signal_abort", "wait"),
    ("close", "create"),
)
_ENDING: Final = 0.03
"""How often a client ends the set instead, or its own part."""
_BEGINNINGS: Final[Mapping[Beside, Sequence[Sequence[str]]]] = {
    "threads": (("create", "create"), ("create", "create", "create"), ("create", "signal_abort", "create")),
    "objects": (("create", "create"),),
    "processes": (("create", "create", "create"), ("create", "join", "create"), ("create", "create", "join")),
}
_ENDS: Final = (
    ("close", "close", "close"),
    ("signal_abort", "get_configuration", "close"),
    ("get_configuration", "signal_abort", "signal_abort"),
)
