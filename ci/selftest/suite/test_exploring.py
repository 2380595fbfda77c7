"""Properties: the same examples each time, simple failures within a budget, and nothing left in the directory."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import strategies as st
from hypothesis.database import ExampleDatabase

from selftest.suite.runs import RunSuite
from vdi_conformance.harness.exploration import SHRINKS, Exploration, numbers, telling
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.host.errors import (
    AdapterNotLoaded,
    ImplementationUnavailable,
    NoEnd,
    NoProcess,
    NothingLearnt,
    NotStarted,
)
from vdi_conformance.walks.check import Recorder, take_walks
from vdi_conformance.walks.walk import WalkOptions

if TYPE_CHECKING:
    from vdi_conformance.harness.testbed import Testbed

DRAWN = st.lists(numbers(8), min_size=4, max_size=4)


class Counting:
    """Stands for a testbed: it has a seed, and counts how often it was cleared."""

    def __init__(self, seed: int, known_to_fail: bool = False, examples: ExampleDatabase | None = None) -> None:
        self.seed = seed
        self.known_to_fail = known_to_fail
        self.examples = examples
        self.cleared = 0

    def clear(self) -> None:
        """Count."""
        self.cleared += 1


def _attempted(seed: int) -> list[list[int]]:
    attempted: list[list[int]] = []
    testbed = Counting(seed)
    exploration: Exploration[None, list[int]] = Exploration(
        cast("Testbed", testbed), lambda: None, lambda _, example: attempted.append(example)
    )
    exploration.run(DRAWN, examples=20)
    assert testbed.cleared == 1
    return attempted


def test_a_seed_decides_the_examples() -> None:
    first = _attempted(7)
    assert len(first) == 20
    assert first == _attempted(7) != _attempted(8)


def test_a_failure_is_made_simple_within_the_budget() -> None:
    testbed = Counting(1)
    attempted = []

    def attempt(_: None, example: list[int]) -> None:
        attempted.append(example)
        with telling(lambda: f"{example} was attempted"):
            if any(number > 9 for number in example):
                raise ConformanceFailure("it is too big")

    exploration = Exploration(cast("Testbed", testbed), lambda: None, attempt)
    with pytest.raises(ConformanceFailure, match="it is too big; before that:") as failure:
        exploration.run(DRAWN, examples=20)
    assert len(attempted) <= SHRINKS + 5
    assert 1 < testbed.cleared <= len(attempted)
    simplest = str(attempted[-1])
    assert simplest in str(failure.value)
    assert simplest.count("0") >= 2


def test_simple_failures_have_the_cause_of_the_first() -> None:
    found = []

    def attempt(_: None, example: list[int]) -> None:
        if sum(example) > 300:
            found.append("VD_E_BUSY" if sum(example) % 2 else "VD_E_ABORT")
            raise ConformanceFailure("it is too big", ("NOERROR",), found[-1])

    for seed in range(4):
        found.clear()
        with pytest.raises(ConformanceFailure) as failure:
            Exploration(cast("Testbed", Counting(seed)), lambda: None, attempt).run(DRAWN, examples=20)
        assert len(set(found)) == 2
        assert failure.value.observed == found[0]


def test_a_known_failure_costs_no_further_examples() -> None:
    attempted = []

    def attempt(_: None, example: list[int]) -> None:
        attempted.append(example)
        if any(number > 9 for number in example):
            raise ConformanceFailure("it is too big")

    exploration = Exploration(cast("Testbed", Counting(1, known_to_fail=True)), lambda: None, attempt)
    with pytest.raises(ConformanceFailure, match="it is too big"):
        exploration.run(DRAWN, examples=20)
    first = next(example for example in attempted if any(number > 9 for number in example))
    assert attempted[attempted.index(first) :] == [first] * (len(attempted) - attempted.index(first))
    assert len(attempted) - attempted.index(first) <= 2


def test_a_failure_that_does_not_repeat_stays_one() -> None:
    attempted = []

    def attempt(_: None, example: list[int]) -> None:
        attempted.append(example)
        if len(attempted) == 3:
            raise ConformanceFailure("it failed once")

    exploration = Exploration(cast("Testbed", Counting(1)), lambda: None, attempt)
    with pytest.raises(ConformanceFailure, match="it failed once"):
        exploration.run(DRAWN, examples=20)


@pytest.mark.parametrize("error", [NoProcess("no memory"), NotStarted(""), NoEnd("primary", "set.close")])
def test_an_exploration_ends_at_once_where_nothing_more_can_be_learnt(error: NothingLearnt) -> None:
    attempted = []

    def attempt(_: None, example: list[int]) -> None:
        attempted.append(example)
        if len(attempted) >= 3:
            raise error

    exploration = Exploration(cast("Testbed", Counting(1)), lambda: None, attempt)
    with pytest.raises(type(error)):
        exploration.run(DRAWN, examples=20)
    assert len(attempted) == 3


@pytest.mark.parametrize("error", [AdapterNotLoaded, ImplementationUnavailable])
def test_no_further_example_is_tried_where_the_implementation_is_gone(error: type[AdapterNotLoaded]) -> None:
    attempted = []

    def attempt(_: None, example: list[int]) -> None:
        attempted.append(example)
        raise error("primary", "initialize", "the library is gone")

    with pytest.raises(error, match="the library is gone"):
        Exploration(cast("Testbed", Counting(1)), lambda: None, attempt).run(DRAWN, examples=20)
    assert len(attempted) <= 2


def test_a_failure_stands_where_nothing_more_can_be_learnt() -> None:
    begun = []

    def begin() -> None:
        begun.append(1)
        if len(begun) >= 3:
            raise NoProcess("no memory")

    def attempt(_: None, example: list[int]) -> None:
        if any(number > 9 for number in example):
            raise ConformanceFailure("it is too big")

    with pytest.raises(ConformanceFailure, match="it is too big"):
        Exploration(cast("Testbed", Counting(1)), begin, attempt).run(DRAWN, examples=20)
    assert len(begun) == 3


class Exhausted(Counting):
    """A testbed on a machine that makes no process."""

    def need_scripted(self) -> None:
        """Have a server that is told every step."""

    def name(self) -> str:
        """Give a name."""
        return "set"

    def client(self, name: str) -> None:
        """Count."""
        self.cleared += 1
        raise NoProcess("no memory")


def test_walks_end_at_once_where_no_process_can_be_started(tmp_path: Path) -> None:
    testbed = Exhausted(1)
    with pytest.raises(NoProcess):
        take_walks(
            cast("Testbed", testbed),
            Recorder(tmp_path, "check"),
            WalkOptions(clients=1),
            {"create": 1},
            walks=5,
            steps=5,
        )
    assert testbed.cleared == 1
    assert not list(tmp_path.iterdir())


def test_a_run_leaves_nothing_of_hypothesis_behind(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite("--adapter", "emulator", "--check", "BUF/any_scenario_gives_good_buffers")
    assert run.exit_code == 0, run.output
    assert [entry.name for entry in tmp_path.iterdir()] == ["evidence.jsonl"]
