"""Walks drawn by Hypothesis: a rule for each method of the interface, each step of the server, each death."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from vdi_conformance.model.steps import ACTS, options, usual
from vdi_conformance.walks.series import WalkFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.model.steps import Step
    from vdi_conformance.walks.series import WalkSeries

DIGIT: Final = st.integers(0, 98)
"""Hypothesis mixes constants of the loaded modules into larger integers: see `exploring.numbers`."""
USUAL: Final = "go_on"


def draw_walks(series: WalkSeries, weights: Mapping[str, int], number: int, walks: int, steps: int) -> None:
    """Take so many walks of so many steps, or fewer where one fails; `number` decides which.

    `weights` say how often each act is chosen where it is possible; those without are left out.
    """
    chosen = settings(
        max_examples=walks,
        stateful_step_count=steps,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )

    def machine() -> _Walking:
        return INTERFACE(series, weights)

    try:
        run_state_machine_as_test(seed(number)(machine), settings=chosen)  # type: ignore[arg-type]
    except WalkFailed:
        pass
    except HypothesisException:
        # It wonders that a walk ends early which began like one that did not: what fails may follow from earlier walks.
        if series.failure is None:
            raise


class _Walking(RuleBasedStateMachine):
    """A walk that has no rule yet."""

    def __init__(self, series: WalkSeries, weights: Mapping[str, int]) -> None:
        super().__init__()
        self.weights = weights
        self._walking = series
        # By weight, and with the same draws whatever rule it is. Hypothesis itself leaves rules out of some examples
        # by a number into which it mixes constants of the loaded modules.
        self._rules_strategy: Any = _chosen(self)
        series.begin()

    def options(self, act: str) -> list[Step]:
        """Every way in which an act is possible now."""
        model = self._walking.walk.model
        return usual(model) if act == USUAL else options(model, act)

    def take(self, act: str, pick: int) -> None:
        """Take a step."""
        found = self.options(act)
        self._walking.attempt(lambda: self._walking.walk.take(found[pick % len(found)]))

    def teardown(self) -> None:
        """Come to an end."""
        if self._walking.failure is None:
            self._walking.attempt(self._walking.walk.finish)


@st.composite
def _chosen(draw: st.DrawFn, machine: _Walking) -> tuple[Any, dict[str, int]]:
    high, low, pick = draw(DIGIT), draw(DIGIT), draw(DIGIT)
    possible = {one.function.__name__: one for one in machine.rules if all(met(machine) for met in one.preconditions)}
    # What is usual comes first: the simplest walk goes its usual way.
    names = sorted(possible, key=lambda name: (name != USUAL, name))
    place = (high * 99 + low) * sum(machine.weights[name] for name in names) // 99**2
    chosen = next(name for number, name in enumerate(names) if place < _total(machine, names[: number + 1]))
    return possible[chosen], {"pick": pick}


def _total(machine: _Walking, names: list[str]) -> int:
    return sum(machine.weights[name] for name in names)


def _rule(act: str) -> Any:
    def take(self: _Walking, pick: int) -> None:
        self.take(act, pick)

    take.__name__ = act
    return precondition(lambda machine: bool(machine.weights.get(act) and machine.options(act)))(rule(pick=DIGIT)(take))


INTERFACE: Final[type[_Walking]] = type("Interface", (_Walking,), {act: _rule(act) for act in (USUAL, *ACTS)})
"""What can be done: each rule picks one of the ways in which its act is possible."""
