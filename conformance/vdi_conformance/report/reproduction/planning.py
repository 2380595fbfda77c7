"""Makes a program of the record of a check: who takes part, what each call does, and in which order they come."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vdi_conformance.report.calls import answer_of
from vdi_conformance.report.lanes.picture import name_of as name_of_call
from vdi_conformance.report.reproduction.judging import facts_of, judged, numberless
from vdi_conformance.report.reproduction.numbers import Numbers
from vdi_conformance.report.reproduction.program import (
    Bytes,
    Event,
    Joined,
    Known,
    NotReproducible,
    Process,
    Program,
    Sized,
    Statement,
    Step,
)
from vdi_conformance.report.reproduction.translation import Translator
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT, failed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vdi_conformance.evidence.records import Call, CheckRecord, Header, Unexpected
    from vdi_conformance.report.reproduction.program import Argument, Invocation

MOST_CALLS: Final = 500
"""A program has so many calls at the most."""
SEEN: Final = 300
VDI_FACILITY: Final = 0x77
_NO_RESULT: Final = re.compile(r"[CD][12]Ev$")
_SERVER: Final = ("server.", "statement.")
_HOST_ONLY: Final = "run the check again with the suite"


def program_of(check: CheckRecord, header: Header, sql: Callable[[Mapping[str, object]], str]) -> Program:
    """Make a program of a check that failed; a NotReproducible where there can be none.

    `sql` writes the parameters of statement.execute as T-SQL.
    """
    calls, about = _needed(check)
    processes = _processes(calls)
    by_name = {one.name: one for one in processes}
    numbers = Numbers(calls)
    translator = Translator(numbers)
    steps = []
    how = None
    for call in _by_answers(calls):
        server = by_name[call.process].is_server
        invocation = translator.request(call) if server else translator.invocation(call)
        gives = numbers.learn(call)
        if call is about:
            how = judged(check, call, numbers, gives)
        step = _step(call, by_name[call.process], invocation, gives, numbers)
        step = replace(step, code=None, seen="done") if _gives_nothing(invocation, calls) else step
        steps.append(replace(step, facts=tuple(one for one in facts_of(call, numbers, gives) if one.key != "code")))
    assert how is not None, "the call that it is about is among them"
    if not how.facts or check.unexpected is None or check.unexpected.judge == "model":
        # One call alone says it.
        steps = [replace(step, facts=()) for step in steps]
    order = tuple(_order(calls, about, check.ended))
    return Program(
        check=shown(check.id),
        about=shown(check.about),
        sentence=shown(numberless(check.cause.sentence.strip().partition("\n")[0])) if check.cause else "",
        requirements=tuple(_requirements(check)),
        adapter=shown(f"{header.client.name} {header.client.version}"),
        server=shown(header.server.name),
        seed=header.seed,
        processes=tuple(processes),
        steps=tuple(sorted(steps, key=lambda one: one.number)),
        order=order,
        judged=how,
        statements=tuple(_statements(calls, sql)),
        notes=tuple(_notes(calls, any(step.facts for step in steps))),
        is_scripted=any(call.method.startswith("server.") for call in calls),
    )


def _needed(check: CheckRecord) -> tuple[list[Call], Call]:
    """Give the calls up to the end of the one that the failure is about, and that one.

    Where some are missing it is a NotReproducible.
    """
    if check.verdict not in ("failed", "warning", "known failure"):
        raise NotReproducible(f"{shown(check.id)} ended as {check.verdict}: name a check that failed")
    if not check.calls or check.unexpected is None:
        raise NotReproducible(f"the record names no call that the failure is about: {_HOST_ONLY}")
    about = _about(check, check.unexpected)
    over = float("inf") if about.end is None else about.end
    calls = sorted((call for call in check.calls if call.begin <= over), key=lambda call: call.number)
    if [call.number for call in calls] != list(range(1, len(calls) + 1)):
        raise NotReproducible(
            f"the record keeps {len(check.calls)} of the {check.calls[-1].number} calls of the check: {_HOST_ONLY}"
        )
    if len(calls) > MOST_CALLS:
        raise NotReproducible(
            f"the failure comes after {len(calls)} calls, which nobody would step through: {_HOST_ONLY}"
        )
    if check.accounts:
        named = ", ".join(shown(one) for one in check.accounts)
        raise NotReproducible(f"{named} ran under an account of its own, which no program can take: {_HOST_ONLY}")
    return calls, about


def _about(check: CheckRecord, unexpected: Unexpected) -> Call:
    """Give the call that a failure is about.

    A check that makes calls of compiled functions by itself does not say which of them gave the code that it names.
    """
    found = next((call for call in check.calls if call.number == unexpected.call), None)
    if found is None:
        raise NotReproducible(f"the record names no call that the failure is about: {_HOST_ONLY}")
    observed = check.cause.observed if check.cause and unexpected.judge == "check" else None
    if observed is None or _code_name(found) == observed:
        return found
    earlier = [call for call in check.calls if call.number <= found.number and _code_name(call) == observed]
    return earlier[-1] if earlier else found


def _code_name(call: Call) -> str | None:
    code = call.answer.get("code") if isinstance(call.answer, dict) else None
    return name_of(code) if isinstance(code, int) else None


def _by_answers(calls: Sequence[Call]) -> list[Call]:
    """Give the calls in the order in which a number that one gives may be used by another."""
    return sorted(calls, key=lambda call: (call.begin, call.number))


def _processes(calls: Sequence[Call]) -> list[Process]:
    names = dict.fromkeys(call.process for call in calls)
    taken: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
        stem = f"{'n' if stem[:1].isdecimal() else ''}{stem or 'unnamed'}"
        place = sum(one.removesuffix("_process").partition("__")[0] == stem for one in taken.values())
        # Nothing of the machinery ends so, and no word of a language does.
        taken[name] = f"{stem}__{place + 1}_process" if place else f"{stem}_process"
    servers = {call.process for call in calls if call.method.startswith(_SERVER)}
    return [Process(name, function, name in servers) for name, function in taken.items()]


def _step(call: Call, process: Process, invocation: Invocation, gives: Mapping[str, str], numbers: Numbers) -> Step:
    uses = tuple(dict.fromkeys(name for argument in invocation.arguments for name in _names(argument)))
    code = call.answer.get("code") if isinstance(call.answer, dict) else None
    is_known = isinstance(code, int) and (call.method != "native.call" or code == NOERROR or _is_hresult(code))
    timeout = call.params.get("timeout")
    return Step(
        number=call.number,
        process=process.function,
        thread=call.thread,
        invocation=invocation,
        uses=uses,
        gives=gives,
        said=_said(call),
        seen=shown(numbers.told(call.process, answer_of(call)), SEEN),
        code=code if is_known else None,
        patience=min(timeout, 600_000) if isinstance(timeout, int) and timeout > 0 else 0,
    )


def _said(call: Call) -> str:
    """Name a call as the documents do where they name it, and otherwise as the host protocol does."""
    if not call.method.startswith(("set.", "device.", "server.")):
        return shown(call.method)
    return f"{name_of_call(call)}{' of the server' if call.method.startswith('server.') else ''}"


def _is_hresult(code: int) -> bool:
    """Tell whether what a compiled function gave is an error, be it one that has lost its sign."""
    return failed(code) or code >> 16 == VDI_FACILITY


def _gives_nothing(invocation: Invocation, calls: Sequence[Call]) -> bool:
    """Tell whether a compiled function has no result, as a constructor: what is in its place is left from before."""
    if invocation.function != "call" or not isinstance(function := invocation.arguments[0], Known):
        return False
    return any(
        function.name == f"symbol_{call.number}" and _NO_RESULT.search(str(call.params.get("name"))) for call in calls
    )


def _names(argument: Argument) -> Iterator[str]:
    match argument:
        case Known():
            yield argument.name
        case Sized():
            yield from _names(argument.number)
        case Bytes():
            yield from (one.name for one in argument.words.values())
        case Joined():
            yield from (one.name for one in argument.parts if isinstance(one, Known))


def _order(calls: Sequence[Call], about: Call, ended: Mapping[str, float]) -> Iterator[Event]:
    """Give the beginnings and ends of calls and the ends of processes as they came, up to the end of one call."""
    events: list[tuple[float, int, int, Event]] = []
    over = float("inf") if about.end is None else about.end
    for call in calls:
        events.append((call.begin, 1, call.number, Event("begins", call.number)))
        if call.end is not None and call.end <= over and call is not about:
            events.append((call.end, 0, call.number, Event("ends", call.number)))
    known = {call.process for call in calls}
    events += [(at, 2, 0, Event("killed", process=one)) for one, at in ended.items() if one in known and at < over]
    for *_, event in sorted(events, key=lambda one: one[:3]):
        yield event
    yield Event("ends", about.number)


def _requirements(check: CheckRecord) -> Iterator[tuple[str, str]]:
    for id_ in check.broken or check.requirements:
        requirement = catalogue().get(id_)
        yield shown(id_), shown(f"{requirement.level}: {requirement.statement}") if requirement else ""


def _statements(calls: Sequence[Call], sql: Callable[[Mapping[str, object]], str]) -> Iterator[Statement]:
    for call in calls:
        if call.method == "statement.execute":
            yield Statement(call.number, sql(call.params), call.params.get("operation") == "backup")


def _notes(calls: Sequence[Call], is_compared: bool) -> Iterator[str]:
    """Say what a program does not do as the suite did it."""
    if is_compared:
        yield "The check judged all answers together, and this program says REPRODUCED where each is as in the record."
        yield "What shows in no answer, such as time that passed or what is left in the system, it cannot tell."
    if any(call.method == "memory.reserve" and call.params.get("address") for call in calls):
        yield "Addresses are reserved where the system puts them: that of the run is another process's."
    if any(call.method == "device.serve" for call in calls):
        yield "A call `serve` is many: it fetches commands and completes them as an ordinary client does."
    if any(_polls(call) for call in calls):
        yield "A call that waited in vain in the run waits as long here."
    if len({call.begin for call in calls}) < len(calls):
        yield "Calls that the suite let go at the same moment are begun one right after the other."


def _polls(call: Call) -> bool:
    return isinstance(call.answer, dict) and call.answer.get("code") == VD_E_TIMEOUT
