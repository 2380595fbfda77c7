"""Faults that are made of a rule and conditions: how they are named and drawn, aimed, and what becomes of them."""

from collections import Counter
from pathlib import Path

import pytest

from selftest.proof.made import result, trial
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.evidence.proof import Fate, Tried
from vdi_conformance.proof.making import effective, made_trials, named_trial, surveyed
from vdi_conformance.proof.matrix import made_fates, share_found
from vdi_conformance.requirements import catalogue
from vdi_fixtures.made.conditions import BROKER, CONDITIONS
from vdi_fixtures.made.fault import NOTHING, RULES, fault_named
from vdi_fixtures.made.journal import Journal, begun, latest, note_effect, take_effects
from vdi_fixtures.made.product import drawn, pairs, singles, why_never
from vdi_fixtures.made.survey import bits_of

NAMED = "no_handle where instance: named and devices: 20"


def test_the_same_seed_draws_the_same_faults() -> None:
    once, again, other = (drawn(60, seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other
    assert drawn(20, 1) == once[:20]


def test_no_fault_is_drawn_twice() -> None:
    assert len({fault.name for fault in drawn(2000, 0)}) == 2000


def test_half_of_them_have_one_condition_and_half_two_of_different_axes() -> None:
    faults = drawn(100, 5)
    assert Counter(len(fault.places) for fault in faults) == {1: 50, 2: 50}
    assert all(len({axis for axis, _ in fault.places}) == len(fault.places) for fault in faults)


def test_each_rule_and_each_condition_is_drawn_as_often_as_it_is_there() -> None:
    # Half the product is drawn: each part of it comes up about half as often as it is there.
    everything = singles(emulated=True)
    chosen = [fault for fault in drawn(len(everything), 3) if len(fault.places) == 1]
    for ask in (lambda fault: fault.rule.name, lambda fault: fault.places[0]):
        there, came = Counter(map(ask, everything)), Counter(map(ask, chosen))
        for key, number in there.items():
            spread = (number / 4) ** 0.5
            assert abs(came[key] - number / 2) < 5 * spread, key


def test_what_can_never_hold_is_left_out_with_a_reason() -> None:
    for fault in (*singles(emulated=True), *pairs(emulated=True)[::97]):
        assert not any(why_never(fault.rule, place) for place in fault.places)
    assert why_never(RULES["no_device"], ("size", "half")) == "no command is known in that call"
    assert why_never(RULES["no_handle"], ("meanwhile", "primary aborts")) == "after an abort the rule does not bind"


def test_around_another_adapter_nothing_is_asked_of_a_broker() -> None:
    assert all(
        BROKER not in CONDITIONS[place].needs for fault in drawn(500, 0, emulated=False) for place in fault.places
    )


def test_a_fault_is_found_by_its_name() -> None:
    for fault in drawn(50, 4):
        assert fault_named(fault.name) == fault
    assert fault_named(NAMED).name == NAMED
    assert named_trial("mapping_copies", None) is None
    assert named_trial("no_handle where colour: green", None) is None


@pytest.mark.parametrize("name", sorted(RULES.keys() - {NOTHING.name}))
def test_a_rule_breaks_requirements_that_have_checks(name: str) -> None:
    levels = {requirement.id: requirement.level for requirement in catalogue().requirements}
    assert RULES[name].breaks
    assert set(RULES[name].breaks) <= checks_by_requirement().keys()
    assert {levels[id_] for id_ in RULES[name].breaks} <= {"MUST", "SHOULD"}


def test_a_fault_is_told_in_words() -> None:
    told = named_trial(NAMED, None)
    assert told is not None
    assert told.about.endswith("for a buffer that is held where the instance is named and there are 20 devices")


def test_a_fault_meets_the_checks_in_which_it_takes_effect_the_quickest_first() -> None:
    named, both = bits_of([("instance", "named")]), bits_of([("instance", "named"), ("devices", "20")])
    seen = [
        ("slow", ("GBH-01",), 2.0, both),
        ("quick", ("GBH-01",), 1.0, both),
        ("half of it", ("GBH-01",), 0.5, named),
        ("of others", ("CLS-01",), 0.1, both),
    ]
    ends = [
        Tried(
            check=check, requirements=judged, verdict="passed", seconds=seconds, reached=(("no_handle", f"{bits:x}"),)
        )
        for check, judged, seconds, bits in seen
    ]
    survey = surveyed([result(trial("control"), *ends)])
    assert effective(fault_named(NAMED), survey) == ("quick", "slow")
    assert effective(fault_named("copies where instance: named"), survey) == ()


def _tried(verdict: str, effects: int) -> Tried:
    return Tried(
        check="GBH/a",
        requirements=("GBH-01",),
        verdict=verdict,  # type: ignore[arg-type]
        broken=("GBH-01",) if verdict == "failed" else (),
        effects=effects,
    )


def _charged_elsewhere() -> Tried:
    return Tried(check="GBH/b", requirements=("GBH-01", "GBH-20"), verdict="failed", broken=("GBH-20",), effects=1)


FATES: list[tuple[tuple[Tried, ...], Fate]] = [
    ((_tried("passed", 1), _tried("failed", 2)), "found"),
    ((_tried("passed", 3),), "unnoticed"),
    ((_tried("passed", 3), _charged_elsewhere()), "charged to others only"),
    ((_tried("passed", 0),), "condition never reached"),
    ((), "condition never reached"),
    ((_tried("not tested", 1),), "no verdict"),
    ((_tried("error", 1), _tried("passed", 1)), "no verdict"),
    ((_tried("not applicable", 0),), "not applicable"),
]


@pytest.mark.parametrize(("ends", "fate"), FATES)
def test_what_became_of_a_made_fault(ends: tuple[Tried, ...], fate: Fate) -> None:
    (told,) = made_fates([result(trial("made fault", NAMED, ("GBH-01", "GBH-02")), *ends)])
    assert told.fate == fate
    assert told.tried == len(ends)


def test_the_share_leaves_out_what_an_adapter_cannot_have() -> None:
    results = [result(trial("made fault", f"{n}", ("GBH-01",)), *ends) for n, (ends, _) in enumerate(FATES)]
    assert share_found(made_fates(results)) == pytest.approx(100 / 7)
    assert share_found([]) == 100


def test_the_trials_of_a_draw_are_of_one_kind() -> None:
    assert {(one.kind, one.reference) for one in made_trials(10, 0, None)} == {
        ("made fault", "vdi_fixtures.made.adapter:Broken")
    }


def test_a_journal_gives_what_others_added(tmp_path: Path) -> None:
    mine = begun(tmp_path, None, "set")
    other = latest(tmp_path, "mssqlserver", "set")
    assert other is not None
    mine.add("waits", by="a")
    assert [entry["kind"] for entry in other.news()] == ["waits"]
    assert other.news() == []
    with mine.path.open("ab") as file:
        file.write(b'{"kind": "half')
    assert other.news() == []


def test_a_further_set_of_a_name_has_a_journal_of_its_own(tmp_path: Path) -> None:
    first, second = begun(tmp_path, None, "set"), begun(tmp_path, "", "set")
    assert first.path != second.path
    found = latest(tmp_path, None, "set")
    assert found is not None
    assert found.path == second.path
    assert latest(tmp_path, "other", "set") is None


def test_effects_are_counted_once(tmp_path: Path) -> None:
    assert take_effects(tmp_path) == 0
    note_effect(tmp_path, "here")
    note_effect(tmp_path, "there")
    assert (take_effects(tmp_path), take_effects(tmp_path)) == (2, 0)


def test_a_journal_that_is_gone_has_no_news(tmp_path: Path) -> None:
    assert Journal(tmp_path / "gone").news() == []
