"""What the documents say of what can be seen: a table, whose first line that fits decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from vdi_conformance.data_tables import Row, shipped
from vdi_conformance.vdi.hresult import NAMES, failed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.differences.steps import Step

FILE: Final = "rules.tsv"
ANYTHING: Final = "*"
BY_MODEL: Final = "model"
AS_ASKED: Final = ""
FAILURE: Final = "a failure"
_CODES: Final = {name: code for code, name in NAMES.items()}


@dataclass(frozen=True)
class Rule:
    """What is permitted to be seen of one thing, by which requirement, and which questions are open there.

    `arguments` are those of the step, each with a value or with any; `circumstances` must all be so. `permitted` are
    values, ANYTHING, BY_MODEL where the reference model decides, or AS_ASKED where it is what the sequence asked for.
    """

    act: str
    arguments: tuple[tuple[str, str], ...]
    circumstances: frozenset[str]
    thing: str
    permitted: tuple[str, ...]
    requirement: str
    questions: tuple[str, ...]

    def fits(self, step: Step, thing: str, circumstances: frozenset[str]) -> bool:
        """Tell whether it is about a thing that is seen of a step."""
        if (self.act, self.thing) != (step.act, thing) or not self.circumstances <= circumstances:
            return False
        given = step.arguments
        return all(name in given and value in ("", given[name]) for name, value in self.arguments)

    @property
    def is_by_model(self) -> bool:
        """Whether the reference model decides."""
        return self.permitted == (BY_MODEL,)

    def permits(self, value: str) -> bool:
        """Tell whether a value is one of those that are permitted."""
        return any(one in (ANYTHING, value) or (one == FAILURE and _is_failure(value)) for one in self.permitted)


def _is_failure(value: str) -> bool:
    code = _CODES.get(value)
    return failed(code) if code is not None else value.startswith(("HRESULT_FROM_WIN32", "0x8"))


@cache
def rules() -> tuple[Rule, ...]:
    """Give the table."""
    return tuple(_rule(row) for row in shipped("vdi_conformance.differences", FILE))


def _rule(row: Row) -> Rule:
    pairs = (one.partition("=")[::2] for one in _words(row["arguments"]))
    return Rule(
        act=row["act"],
        arguments=tuple(pairs),
        circumstances=frozenset(_words(row["circumstances"])),
        thing=row["thing"],
        permitted=tuple(row["permitted"].split(",")),
        requirement=row["requirement"],
        questions=tuple(_words(row["questions"])),
    )


def _words(cell: str) -> Iterable[str]:
    return (word for word in cell.split(",") if word)


def rule_for(step: Step, thing: str, circumstances: frozenset[str]) -> Rule | None:
    """Give the first line of the table that fits."""
    return next((rule for rule in rules() if rule.fits(step, thing, circumstances)), None)
