"""The walks of one check, on one set; the first that fails is made short."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.exploration import NO_SET, SLOW
from vdi_conformance.host.errors import HostError, NothingLearnt
from vdi_conformance.walks.client_steps import CLIENT_STEPS
from vdi_conformance.walks.server_steps import SERVER_STEPS
from vdi_conformance.walks.shrinking import shrink
from vdi_conformance.walks.walk import ANEW, Coverage, Walk, WalkOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.model.steps import Step

TRIES: Final = 40
"""So many shorter walks are tried once one has failed: each needs fresh processes."""
STEPS: Final = CLIENT_STEPS | SERVER_STEPS
Failure = AssertionError | HostError


class WalkFailed(BaseException):
    """A walk has failed; Hypothesis would go on drawing, and knows no better than to try the same again."""


def walk_on(testbed: Testbed, plan: WalkOptions, coverage: Coverage) -> Walk:
    """Make a walk that has not begun."""
    return Walk(testbed, plan, coverage, STEPS)


def perform(testbed: Testbed, plan: WalkOptions, steps: Iterable[Step]) -> tuple[Walk, Failure | None]:
    """Take these steps in fresh processes; give the walk, and its failure if it failed."""
    testbed.clear()
    walk = walk_on(testbed, plan, Coverage())
    try:
        walk.perform(steps)
    except NothingLearnt:
        raise
    except (AssertionError, HostError) as error:
        return walk, error
    return walk, None


class WalkSeries:
    """Walks one after the other, in the same processes: every object is closed again before the next one begins."""

    def __init__(self, testbed: Testbed, plan: WalkOptions) -> None:
        self.coverage = Coverage()
        self.failure: Failure | None = None
        self.walk = walk_on(testbed, plan, self.coverage)
        self._testbed = testbed
        self._plan = plan
        self._history: list[list[Step]] = []
        self._began = time.monotonic()
        self._in_vain = False

    def begin(self) -> None:
        """Begin the next walk."""
        self.walk.begin()
        self._history.append(self.walk.steps)
        self._began = time.monotonic()

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something that may fail, and end the exploration where it does."""
        try:
            act()
        except (AssertionError, HostError) as error:
            self.failure = error
            # What fails late has waited in vain, as each further try would.
            self._in_vain = time.monotonic() - self._began > SLOW or isinstance(error, NO_SET)
            raise WalkFailed from error

    def shortest(self) -> tuple[list[Step], list[str], Failure]:
        """Give a short walk that fails for the same cause, with its trace and its failure.

        Where no walk in fresh processes fails, or none can be taken any more, it is all that was done.
        """
        assert self.failure is not None, "nothing has failed"
        whole = [step for walk in self._history for step in (ANEW, *walk)][1:]
        if not (self._testbed.known_to_fail or self._in_vain):
            with suppress(NothingLearnt):
                return self._shortened(whole, self.failure)
        return whole, self.walk.trace, self.failure

    def _shortened(self, whole: list[Step], failure: Failure) -> tuple[list[Step], list[str], Failure]:
        for steps in (self._history[-1], whole):
            if self._fails(steps):
                short = shrink(steps, self._fails, TRIES, (lambda step: step.by, lambda step: step.act))
                # Once more, so that the calls on record are those of this failure.
                walk, again = perform(self._testbed, self._plan, short)
                return short, walk.trace, again or failure
        return whole, self.walk.trace, failure

    def _fails(self, steps: list[Step]) -> bool:
        _, failure = perform(self._testbed, self._plan, steps)
        return failure is not None and self.failure is not None and _cause(failure) == _cause(self.failure)


def _cause(failure: Failure) -> tuple[type[Exception], str | None, str]:
    """What must stay the same: the kind of failure, the code that came, and in answer to which method."""
    method = str(failure).partition(" ")[0]
    return type(failure), getattr(failure, "observed", None), method
