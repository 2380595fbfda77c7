"""Properties: examples drawn by Hypothesis, the same ones in every run with one seed, shrunk within a budget."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from vdi_conformance.evidence.records import BEFORE
from vdi_conformance.harness.judging import ConformanceFailure, PrerequisiteFailed
from vdi_conformance.host.errors import AdapterNotLoaded, HostError, ImplementationUnavailable, NothingLearnt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.harness.testbed import Testbed

W = TypeVar("W")
T = TypeVar("T")

SHRINKS: Final = 20
"""So many further examples are tried once one has failed: each needs fresh processes."""

SLOW: Final = 5.0
"""What fails after so many seconds has waited in vain, as each further example would."""

NO_SET: Final = (PrerequisiteFailed, AdapterNotLoaded, ImplementationUnavailable)
"""What keeps each further example from being tried."""


def numbers(bits: int) -> st.SearchStrategy[int]:
    """Draw whole numbers of so many bits, bit by bit.

    Hypothesis mixes constants of the loaded modules into its integers, so that examples would depend on what a test
    worker happens to have imported.
    """
    digits = st.lists(st.booleans(), min_size=bits, max_size=bits)
    return digits.map(lambda drawn: sum(bit << place for place, bit in enumerate(drawn)))


class _Failed(Exception):
    """What Hypothesis is told of a failure: always the same, or it would not take two for one."""


class _Enough(BaseException):
    """The budget is spent, or nothing more can be learnt; Hypothesis would go on drawing."""


@contextmanager
def telling(trace: Callable[[], str]) -> Iterator[None]:
    """Add to the sentence of a failure what led to it."""
    try:
        yield
    except ConformanceFailure as failure:
        sentence = f"{failure}{BEFORE}{trace()}"
        raise type(failure)(sentence, failure.expected, failure.observed, failure.by) from failure


def _cause(error: AssertionError | HostError) -> tuple[type[Exception], str | None]:
    return type(error), getattr(error, "observed", None)


class Exploration(Generic[W, T]):
    """Tries examples on one set, and sets up a fresh one after each that failed."""

    def __init__(self, testbed: Testbed, begin: Callable[[], W], attempt: Callable[[W, T], None]) -> None:
        self._testbed = testbed
        self._begin = begin
        self._attempt = attempt
        self._sets: list[W] = []
        self._failures: list[tuple[T, AssertionError | HostError]] = []
        self._left = SHRINKS
        self._last: T | None = None
        self._end: NothingLearnt | None = None

    def run(self, drawn: st.SearchStrategy[T], examples: int) -> None:
        """Try so many examples; where one fails, fail with the simplest one that the budget allows to find.

        Simpler ones must fail for the same cause: a known failure is not made simple, and must have the cause that it
        had before it was known. Where nothing more can be learnt, all ends at once: with what failed before, or with
        that error.
        """
        found = self._testbed.examples
        # Those that were found before come first; what is known to fail is not made simple.
        wanted = {Phase.reuse: found is not None, Phase.generate: True, Phase.shrink: not self._testbed.known_to_fail}
        chosen = settings(
            max_examples=examples,
            phases=[phase for phase, is_wanted in wanted.items() if is_wanted],
            database=found,
            # The seed decides, also where Hypothesis sees that it runs in CI.
            derandomize=False,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        # The settings come last: a seed that is set after them takes the examples away.
        explored: Callable[[], None] = chosen(seed(self._testbed.seed)(given(drawn)(self._try)))
        with suppress(_Failed, _Enough):
            explored()
        if self._failures:
            # What failed last is simplest.
            example, failure = self._failures[-1]
            if example != self._last and self._end is None:
                # Once more, so that the calls on record are those of this failure.
                with suppress(AssertionError, HostError):
                    self._attempt_on_a_set(example)
            raise failure
        if self._end is not None:
            raise self._end

    def _try(self, example: T) -> None:
        if self._fails(example):
            # Hypothesis would spend many seconds on printing an example that nobody asked for.
            raise _Enough if self._testbed.known_to_fail or not self._left else _Failed

    def _fails(self, example: T) -> bool:
        if self._failures:
            if self._left == 0:
                raise _Enough
            self._left -= 1
            if any(example == failed for failed, _ in self._failures):
                return True
        started = time.monotonic()
        try:
            self._attempt_on_a_set(example)
        except NothingLearnt as error:
            self._end = error
            raise _Enough from error
        except (AssertionError, HostError) as error:
            if self._failures and _cause(error) != _cause(self._failures[0][1]):
                return False
            self._failures.append((example, error))
            # A set that cannot be set up says nothing of the example: none is simpler.
            if time.monotonic() - started > SLOW or isinstance(error, NO_SET):
                self._left = 0
            return True
        return False

    def _attempt_on_a_set(self, example: T) -> None:
        self._last = example
        if not self._sets:
            self._testbed.clear()
            self._sets.append(self._begin())
        prepared = self._sets.pop()
        self._attempt(prepared, example)
        self._sets.append(prepared)
