"""No input that somebody hostile could give to a reader does more than be refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing.corpus import KEPT, examples_of
from fuzzing.targets import TARGETS
from fuzzing.trying import Defect, attempt, inputs_of
from fuzzing.watching import watching

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from fuzzing.target import Read, Target
    from fuzzing.watching import Watch

EVERY_DAY = 10
EXAMPLES = 40
"""Those that are kept come last."""
LONG = 3000
NAMES = [target.name for target in TARGETS]


def outcome(read: Read, watch: Watch, data: bytes) -> str:
    """Try an input, which must not break a rule."""
    found = attempt(read, watch, data)
    assert not isinstance(found, Defect), f"{found.account}\n{data[:2000]!r}"
    return found


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_examples_what_once_broke_a_rule_and_what_is_made_of_them_do_no_harm(target: Target, tmp_path: Path) -> None:
    examples = examples_of(target)
    with target.opened(tmp_path) as read:
        # What is imported or compiled on the way belongs to no input.
        read(examples[0])
        with watching(tmp_path) as watch:
            assert "accepted" in [outcome(read, watch, data) for data in examples[-EXAMPLES:]]

            @settings(max_examples=EVERY_DAY, suppress_health_check=list(HealthCheck))
            @given(st.randoms(use_true_random=False))
            def hostile(random: Random) -> None:
                outcome(read, watch, target.mutate(random, examples))

            hostile()


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_thousands_of_inputs_do_no_harm(target: Target, tmp_path: Path) -> None:
    examples = examples_of(target)
    with target.opened(tmp_path) as read:
        read(examples[0])
        with watching(tmp_path) as watch:
            for data in inputs_of(target, examples, 1, LONG):
                outcome(read, watch, data)


def test_every_kept_input_is_of_a_target() -> None:
    assert {directory.name for directory in KEPT.iterdir() if directory.is_dir()} <= set(NAMES)


@pytest.mark.parametrize("target", TARGETS, ids=NAMES)
def test_a_seed_gives_the_same_inputs_again_and_another_one_others(target: Target) -> None:
    examples = [b'{"a": [1, "b"]}\n{"c": null}', b"one two\nthree"]
    once, again, other = (list(inputs_of(target, examples, seed, 30)) for seed in (1, 1, 2))
    assert once == again != other
