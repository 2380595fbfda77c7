"""What the documents say of a difference: permitted on both sides, a requirement broken on one, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vdi_conformance.differences.modelled import BY_NAME, Modelled
from vdi_conformance.differences.rules import AS_ASKED, Rule, rule_for
from vdi_conformance.differences.seen import CODE, ENDED, Seen
from vdi_conformance.differences.server_acts import BLOCK
from vdi_conformance.explanation.unexpected import first_unexpected
from vdi_conformance.requirements import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.differences.search import Difference
    from vdi_conformance.differences.side import Side, Traced
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.requirements import Requirement

Kind = Literal["broken requirement", "recommendation not followed", "permitted on both sides", "not spoken of"]
SIDES: Final = ("A", "B")
WHATEVER: Final = "ST-48"
"""What a call breaks that no other requirement speaks of: whatever was done before, it gives what is permitted."""


@dataclass(frozen=True)
class Fault:
    """What one side breaks: its letter, the requirement, what it gave, and what it might have given."""

    side: str
    requirement: Requirement
    gave: str
    permitted: tuple[str, ...]


@dataclass(frozen=True)
class Classed:
    """A difference with what the documents say of it.

    `about` is the requirement that speaks of what differs, and `questions` what it leaves open there.
    """

    difference: Difference
    kind: Kind
    faults: tuple[Fault, ...] = ()
    about: Requirement | None = None
    questions: tuple[str, ...] = ()


def classed(difference: Difference, sides: tuple[Side, Side]) -> Classed:
    """Hold a difference against the catalogue, and all calls of both sides against the reference model."""
    playing = [side.play_traced(difference.steps) for side in sides]
    return class_of(difference, [unexpected_at_the_end(one.result()) for one in playing])


def unexpected_at_the_end(traced: Traced) -> tuple[str, ...] | None:
    """Give what the model would have permitted at the last step; None where it permits what came, or cannot say."""
    found = first_unexpected(traced.trace)
    if found is None or found.call <= traced.before[-1]:
        return None
    return tuple(found.permitted)


def class_of(difference: Difference, unexpected: Sequence[tuple[str, ...] | None]) -> Classed:
    """Class a difference; `unexpected` has for each side what the model would have permitted, where it was not that."""
    modelled = Modelled()
    for step, seen in zip(difference.steps[:-1], difference.one, strict=False):
        modelled.follow(step, seen)
    last, circumstances = difference.last, modelled.circumstances(difference.last)
    ruled = [(name, rule_for(last, name, circumstances)) for name in difference.names]
    by_model = [_refused(modelled, last, seen[-1], found) for seen, found in _sides(difference, unexpected)]
    if any(name == CODE and rule is not None and not rule.is_by_model for name, rule in ruled):
        # The table decides about the code, and what else is seen follows from that.
        by_model = [None, None]
    for name, rule in ruled:
        faults = _faults(difference, name, rule, by_model)
        if faults:
            levels = {fault.requirement.level for fault in faults}
            kind: Kind = "broken requirement" if "MUST" in levels else "recommendation not followed"
            return Classed(difference, kind, tuple(faults), faults[0].requirement)
    rule = next((one for _, one in ruled if one is not None), None)
    if rule is None:
        return Classed(difference, "not spoken of")
    return Classed(difference, "permitted on both sides", (), catalogue().get(rule.requirement), rule.questions)


def _sides(
    difference: Difference, unexpected: Sequence[tuple[str, ...] | None]
) -> list[tuple[tuple[Seen, ...], tuple[str, ...] | None]]:
    return list(zip((difference.one, difference.other), unexpected, strict=True))


def _refused(modelled: Modelled, step: Step, seen: Seen, found: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Give what is permitted where the model does not permit a code: by all calls, or else by the steps alone."""
    permits = modelled.permits(step)
    code = BY_NAME.get(seen.get(CODE, ""))
    if found is not None or permits is None or code is None or permits.matching(code):
        return found
    return permits.names


def _faults(
    difference: Difference, name: str, rule: Rule | None, by_model: Sequence[tuple[str, ...] | None]
) -> list[Fault]:
    faults = []
    for letter, seen, model in zip(SIDES, (difference.one[-1], difference.other[-1]), by_model, strict=True):
        gave = seen.get(name, "nothing")
        if not _is_broken(difference, name, rule, seen, model):
            continue
        requirement = catalogue().get(WHATEVER if rule is None else rule.requirement)
        assert requirement is not None, "rules name requirements of the catalogue"
        permitted = model if rule is None or rule.is_by_model else _permitted(difference, name, rule, seen)
        faults.append(Fault(letter, requirement, gave, permitted or ()))
    return faults


def _is_broken(difference: Difference, name: str, rule: Rule | None, seen: Seen, model: tuple[str, ...] | None) -> bool:
    gave = seen.get(name, "nothing")
    if rule is None:
        return name == CODE and (model is not None or gave.startswith(ENDED))
    if rule.is_by_model:
        return model is not None or gave.startswith(ENDED)
    wanted = _permitted(difference, name, rule, seen)
    if rule.permitted == (AS_ASKED,):
        return bool(wanted) and gave not in wanted and name in difference.names and gave != "nothing"
    return gave != "nothing" and not rule.permits(gave)


def _permitted(difference: Difference, name: str, rule: Rule, seen: Seen) -> tuple[str, ...]:
    if rule.permitted != (AS_ASKED,):
        return rule.permitted
    if name == "out variable":
        return ("a device",) if seen.get(CODE) == "NOERROR" else ("null",)
    found = asked_for(difference.steps, name)
    return () if found is None else (found,)


_ASKED: Final = {
    "devices": ("create", "devices", "1"),
    "features": ("create", "features", "0x0"),
    "prefix zone": ("create", "prefix", "0"),
    "soft filemark block size": ("create", "filemarks", "0"),
    "warning size": ("create", "warning", "0"),
    "block size": ("begin", "block_size", "512"),
    "transfer size": ("begin", "transfer", "65536"),
}
"""Where a sequence asks for a value of the configuration: the act, its argument, and what stands for none."""


def asked_for(steps: Sequence[Step], name: str) -> str | None:
    """Give the value that a sequence has asked for."""
    if name == "alignment":
        wishes = [one.number("alignment") for one in steps if one.act == "create"][-1:]
        told = [one.number("alignment", BLOCK) for one in steps if one.act == "begin"][-1:]
        return str(max(*wishes, *(told or [BLOCK]), BLOCK))
    if name not in _ASKED:
        return None
    act, argument, usual = _ASKED[name]
    asking = [one for one in steps if one.act == act]
    return usual if not asking else asking[-1].argument(argument, usual)
