"""Which checks a trial runs, and when it has seen enough."""

from collections.abc import Mapping

from selftest.proof.made import trial, tried
from vdi_conformance.evidence.proof import Trial
from vdi_conformance.evidence.records import Verdict
from vdi_conformance.proof.schedule import scheduled

CHECKS = {
    "close/a": ("CLS-01",),
    "map/a": ("MBH-04",),
    "map/b": ("MBH-04", "MBH-05"),
    "map/c[backup-primary]": ("MBH-05",),
    "map/c[backup-secondary]": ("MBH-05",),
    "map/c[restore-primary]": ("MBH-05",),
    "map/c[restore-secondary]": ("MBH-05",),
}


def _run(of: Trial, ends: Mapping[str, Verdict], scored: frozenset[str] = frozenset({"MBH-04", "MBH-05"})) -> list[str]:
    """Give the checks that a trial runs where these do not pass."""
    planned = scheduled(of, CHECKS, scored)
    run: list[str] = []
    try:
        check = next(planned)
        while True:
            run.append(check)
            check = planned.send(tried(ends.get(check, "passed"), check, CHECKS[check]))
    except StopIteration:
        return run


def test_a_fault_is_done_with_the_first_kill() -> None:
    assert _run(trial(requirements=("MBH-04",)), {"map/a": "failed"}) == ["map/a"]
    assert _run(trial(requirements=("MBH-04",)), {"map/b": "failed"}) == ["map/a", "map/b"]


def test_a_fault_of_two_requirements_goes_on_until_both_are_red() -> None:
    ends: dict[str, Verdict] = {"map/a": "failed", "map/c[backup-primary]": "failed"}
    assert _run(trial(requirements=("MBH-04", "MBH-05")), ends) == ["map/a", "map/b", "map/c[backup-primary]"]


def test_where_a_requirement_stays_green_all_other_checks_follow_until_one_fails() -> None:
    assert set(_run(trial(requirements=("MBH-04",)), {})) == set(CHECKS)
    assert _run(trial(requirements=("MBH-04",)), {"close/a": "failed"}) == ["map/a", "map/b", "close/a"]


def test_a_part_of_the_baseline_runs_what_judges_its_topic_first() -> None:
    assert _run(trial("control", requirements=(), part="CLS"), {}) == ["close/a"]
    assert len(_run(trial("control", requirements=(), part="MBH"), {"map/a": "failed"})) == 6
    assert _run(trial("control", requirements=("MBH-04",), part="MBH"), {}) == ["map/a", "map/b"]


def test_a_reading_meets_one_variant_of_each_check_that_it_touches() -> None:
    run = _run(trial("reading", requirements=("MBH-05",)), {"map/b": "failed"})
    assert run[0] == "map/b"
    assert len(run) == 2


def test_readings_together_meet_a_sample_of_what_they_touch_drawn_by_their_names() -> None:
    runs = {tuple(_run(trial("reading", f"a + {other}", requirements=(), most=3), {})) for other in "bcdefghij"}
    assert {len(run) for run in runs} == {3}
    assert len(runs) > 1
    assert _run(trial("reading", "a + b", requirements=("MBH-04",), most=3), {}) == ["map/a", "map/b"]


def test_a_part_of_a_reading_meets_its_topic() -> None:
    assert _run(trial("reading", requirements=(), part="CLS"), {}) == ["close/a"]


def test_a_trivial_implementation_is_spared_what_shows_nothing_new() -> None:
    lazy = trial("trivial", requirements=())
    assert _run(lazy, {"map/b": "failed"}) == ["map/b"]
    assert _run(lazy, {"map/a": "failed"})[:2] == ["map/b", "map/a"]
    assert _run(lazy, {}, scored=frozenset({"MBH-04"})) == ["map/a"]
