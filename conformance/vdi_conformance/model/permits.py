"""What a call may give: codes, each with what it means; the one that is seen settles what was open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.client_states import CLIENT_MATRIX
from vdi_conformance.vdi.hresult import VD_E_TIMEOUT, failed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.vdi.client_states import ClientState

ANY_FAILURE: Final = "a failure"


def nothing() -> None:
    """Change nothing."""


@dataclass(frozen=True)
class PermittedAnswer:
    """A code that is permitted (None: any failure), the state that it speaks of, and its effect."""

    code: int | None
    view: ClientState
    effect: Callable[[], None] = nothing

    @property
    def name(self) -> str:
        """How it is called."""
        return ANY_FAILURE if self.code is None else name_of(self.code)


class Permits:
    """The outcomes that one call may have now."""

    def __init__(self, view: ClientState) -> None:
        self._view = view
        self._outcomes: list[PermittedAnswer] = []

    def may(self, *codes: int, effect: Callable[[], None] = nothing, view: ClientState | None = None) -> Permits:
        """Permit these codes; a code that is permitted already keeps its meaning."""
        known = {outcome.code for outcome in self._outcomes}
        self._outcomes += [PermittedAnswer(code, view or self._view, effect) for code in codes if code not in known]
        return self

    def as_in_the_matrix(self, method: str, effect: Callable[[], None] = nothing, in_use: bool = False) -> Permits:
        """Permit the usual result of a method in this state, and what may be given instead of it."""
        case = CLIENT_MATRIX[method][self._view].cases[0]
        return self.may(*(one.code for one in case if in_use or not one.in_use), effect=effect)

    def may_fail(self) -> Permits:
        """Permit any failure, which changes nothing."""
        self._outcomes.append(PermittedAnswer(None, self._view))
        return self

    def without(self, code: int) -> Permits:
        """Permit everything else that is permitted."""
        self._outcomes = [outcome for outcome in self._outcomes if outcome.code != code]
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """What is permitted, for reports."""
        return tuple(outcome.name for outcome in self._outcomes)

    @property
    def due(self) -> bool:
        """Whether a call that may wait must come to an end by itself."""
        return all(outcome.code != VD_E_TIMEOUT for outcome in self._outcomes)

    def matching(self, code: int) -> list[PermittedAnswer]:
        """Give the outcomes that a code may be, the most telling first; nothing is done."""
        return [one for one in self._outcomes if one.code == code or (one.code is None and failed(code))]

    @property
    def outcomes(self) -> tuple[PermittedAnswer, ...]:
        """Everything that is permitted; nothing is done."""
        return tuple(self._outcomes)

    def settle(self, code: int) -> PermittedAnswer | None:
        """Take the code that was seen: give the outcome that it is, with its effect done; None where none is."""
        matching = self.matching(code)
        if not matching:
            return None
        matching[0].effect()
        return matching[0]
