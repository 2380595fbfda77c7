"""What follows from trials: cells, verified requirements, scores, and everything that is not as it must be."""

import pytest

from selftest.proof.made import FAR, plan, result, trial, tried
from vdi_conformance.evidence.proof import Outcome, TrialResult, Tried
from vdi_conformance.evidence.records import Observation
from vdi_conformance.proof.matrix import cells, false_positives, findings, scores, verified, void

SHOULD = "MBH-22"
RED, GREEN = tried("failed"), tried("passed")
ELSEWHERE = tried("failed", FAR, ("CMP-01",))
NOT_APPLICABLE, NOT_TESTED, ERROR = tried("not applicable"), tried("not tested"), tried("error")
CONTROL = result(trial("control", "emulator", requirements=()), GREEN)

FATES: list[tuple[tuple[Tried, ...], Outcome]] = [
    ((GREEN, RED), "killed"),
    ((ELSEWHERE, RED), "killed"),
    ((GREEN, ELSEWHERE), "killed by another requirement only"),
    ((GREEN,), "survived"),
    ((GREEN, tried("warning", FAR, ("CMP-01",))), "survived"),
    ((tried("warning"),), "survived"),
    ((NOT_TESTED,), "never exercised"),
    ((ERROR,), "never exercised"),
    ((ELSEWHERE,), "never exercised"),
    ((), "never exercised"),
    ((NOT_APPLICABLE,), "not applicable"),
]


@pytest.mark.parametrize(("ends", "outcome"), FATES)
def test_what_came_of_a_fault(ends: tuple[Tried, ...], outcome: Outcome) -> None:
    (cell,) = cells([result(trial(), *ends)])
    assert cell.outcome == outcome


def test_a_fault_of_a_recommendation_is_killed_by_a_warning() -> None:
    (cell,) = cells([result(trial(requirements=(SHOULD,)), tried("warning", requirements=(SHOULD,)))])
    assert (cell.outcome, cell.check) == ("killed", RED.check)


def _found(*results: TrialResult, demanded: frozenset[str] = frozenset()) -> list[str]:
    made = plan(*results, demanded=demanded, scored=frozenset({"MBH-04", "CMP-01"}))
    return list(findings(made, results, cells(results)))


def test_a_fault_that_is_killed_by_its_own_requirement_is_no_finding() -> None:
    assert _found(result(trial(), RED), demanded=frozenset({"MBH-04"})) == []


@pytest.mark.parametrize("ends", [ends for ends, outcome in FATES if outcome not in ("killed", "not applicable")])
def test_every_other_fate_is_a_finding(ends: tuple[Tried, ...]) -> None:
    assert any("wrong breaks MBH-04" in finding for finding in _found(result(trial(), *ends)))


def test_a_requirement_that_no_fault_turned_red_is_not_verified() -> None:
    demanded = frozenset({"MBH-04", "CMP-01"})
    found = _found(result(trial(), RED), demanded=demanded)
    assert found == ["CMP-01 is not verified: no fault turned a check of it red"]
    results = [result(trial(), RED)]
    shown = {one.requirement: one.faults for one in verified(plan(*results, demanded=demanded), cells(results))}
    assert shown == {"MBH-04": ("wrong",), "CMP-01": ()}


@pytest.mark.parametrize("verdict", [ERROR, NOT_TESTED])
def test_a_check_that_comes_to_no_verdict_on_a_fault_is_a_finding(verdict: Tried) -> None:
    (found,) = _found(result(trial(), verdict, RED))
    assert found.startswith(f"{verdict.check} is {verdict.verdict} on the fault wrong")


def test_a_reading_on_which_a_check_fails_is_a_false_alarm() -> None:
    reading = result(trial("reading", "other"), RED)
    (found,) = _found(reading)
    assert found == f"false alarm: {RED.check} is failed on other: it gave NOERROR"
    assert false_positives([reading]) == ("other",)


def test_a_reading_may_warn_where_it_says_so_and_must_then() -> None:
    warns = trial("reading", "other", requirements=(SHOULD,), warns=(SHOULD,))
    warned = tried("warning", requirements=(SHOULD,))
    assert _found(result(warns, warned)) == []
    assert "no check did" in _found(result(warns, tried("passed", requirements=(SHOULD,))))[0]
    assert "not declared" in _found(result(trial("reading", "other", requirements=(SHOULD,)), warned))[0]


def test_readings_together_may_warn_where_one_of_them_does() -> None:
    may = trial("reading", "one + other", requirements=(SHOULD,), may=(SHOULD,))
    assert _found(result(may, tried("warning", requirements=(SHOULD,)))) == []
    assert _found(result(may, tried("passed", requirements=(SHOULD,)))) == []
    assert len(_found(result(may, tried("warning")))) == 1


def test_a_reading_must_be_seen_to_choose_what_it_shows() -> None:
    subject = "MapBufferHandle after the abort"
    shows = trial("reading", "other", shows=(("Q38", subject, "NOERROR"),))
    seen = Observation(question="Q38", subject=subject, answer="NOERROR")
    other = Observation(question="Q38", subject=subject, answer="VD_E_PROTOCOL")
    assert not any("exercised" in found for found in _found(result(shows, GREEN, observed=(seen,))))
    assert any("never exercised" in found for found in _found(result(shows, GREEN, observed=(other,))))
    assert any("in 2 ways" in found for found in _found(result(shows, GREEN, observed=(seen, other))))


def test_an_answer_that_no_list_has_is_a_finding() -> None:
    seen = Observation(question="Q38", subject="something new", answer="NOERROR")
    assert "which readings.tsv does not list" in _found(result(trial("reading", "other"), GREEN, observed=(seen,)))[0]


def test_a_reading_that_cannot_be_tried_is_a_finding() -> None:
    assert _found(result(trial("reading", "other"), error="it cannot be loaded")) == [
        "other could not be tried: it cannot be loaded"
    ]
    assert "no check judges" in _found(result(trial("reading", "other")))[0]


def test_a_trivial_implementation_meets_requirements_all_of_whose_checks_passed_in_every_part() -> None:
    near = trial("trivial", "lazy", requirements=(), part="MBH")
    far = trial("trivial", "lazy", requirements=(), part="CMP")
    both = ("MBH-04", "CMP-01")
    results = (result(near, GREEN), result(far, tried("failed", FAR, both)))
    scored = frozenset(both)
    (score,) = scores(plan(*results, scored=scored), results)
    assert (score.met, score.scored, score.unmet_musts) == ((), 2, 2)
    (score,) = scores(plan(*results, scored=scored), (results[0], result(far, tried("passed", FAR, both))))
    assert (score.met, score.unmet_musts) == (("CMP-01", "MBH-04"), 0)


def test_a_trivial_implementation_that_conforms_is_a_finding() -> None:
    lazy = trial("trivial", "lazy", requirements=())
    assert _found(result(lazy, tried("passed", requirements=("MBH-04", "CMP-01")))) == [
        "the trivial implementation lazy conforms"
    ]
    assert _found(result(lazy, RED)) == []


CANARY = trial("canary", "canary")
VOID = [
    ((result(CONTROL.trial, RED), result(CANARY, RED)), "without any fault"),
    ((result(CONTROL.trial, NOT_TESTED), result(CANARY, RED)), "without any fault"),
    ((result(CONTROL.trial, error="no"), result(CANARY, RED)), "could not be tried: no"),
    ((result(CONTROL.trial), result(CANARY, RED)), "no check was executed"),
    ((CONTROL, result(CANARY, GREEN)), "the canary canary was not found by a check of MBH-04"),
    ((CONTROL, result(CANARY, ELSEWHERE)), "the canary canary was not found by a check of MBH-04"),
]


@pytest.mark.parametrize(("results", "reason"), VOID)
def test_a_proof_is_void(results: tuple[TrialResult, ...], reason: str) -> None:
    assert any(reason in found for found in void(plan(*results), results))


def test_a_proof_is_void_where_a_trial_was_lost() -> None:
    results = (CONTROL, result(CANARY, RED))
    assert list(void(plan(*results), results)) == []
    assert list(void(plan(*results, result(trial())), results)) == ["the trial of wrong was lost"]
