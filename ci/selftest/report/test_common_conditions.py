"""What failures have in common: a condition, or a pair of them, that no success has."""

from dataclasses import dataclass

import msgspec
import pytest

from selftest.report.made import check
from vdi_conformance.evidence.records import CheckRecord, Verdict
from vdi_conformance.report.common_conditions import common, said, where


@dataclass(frozen=True)
class Case:
    """Conditions of failures and of successes, and what they tell."""

    failed: list[dict[str, str]]
    passed: list[dict[str, str]]
    told: tuple[tuple[str, str], ...]


CASES = {
    "one value": Case([{"a": "1", "b": "1"}, {"a": "1", "b": "2"}], [{"a": "2", "b": "1"}], (("a", "1"),)),
    "a pair": Case(
        [{"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "1", "c": "2"}],
        [{"a": "1", "b": "2", "c": "1"}, {"a": "2", "b": "1", "c": "2"}],
        (("a", "1"), ("b", "1")),
    ),
    "a success has it too": Case([{"a": "1"}, {"a": "1"}], [{"a": "1"}], ()),
    "nothing in common": Case([{"a": "1"}, {"a": "2"}], [{"a": "3"}], ()),
    "one failure alone": Case([{"a": "1"}], [{"a": "2"}], ()),
    "no failure": Case([], [{"a": "2"}], ()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_failures_have_in_common_and_no_success_has(case: Case) -> None:
    assert common(case.failed, case.passed) == case.told


def under(verdict: Verdict, **conditions: str) -> CheckRecord:
    return msgspec.structs.replace(check("GBH/a", verdict), conditions=conditions)


def test_conditions_are_said_in_words() -> None:
    failed = [
        under("failed", instance="named", fetching="secondary", zone="0"),
        under("failed", instance="named", fetching="secondary", zone="512"),
    ]
    passed = [
        under("passed", instance="named", fetching="primary", zone="0"),
        under("passed", instance="default", fetching="secondary", zone="512"),
    ]
    others = [check("GBH/b", "passed"), under("not tested", instance="named", fetching="secondary", zone="0")]
    assert where(failed, [*failed, *passed, *others]) == "the instance is named and secondaries fetch"


def test_failures_without_conditions_tell_of_none() -> None:
    assert where([check("GBH/a", "failed"), check("GBH/b", "failed")], [under("passed", instance="named")]) == ""


def test_a_condition_that_is_not_known_is_said_as_it_stands() -> None:
    assert said("colour", "red") == "colour is red"
    assert said("zone", "7") == "zone is 7"
