"""Verdicts by requirement: the worst of its checks, and nothing passes by absence."""

from collections.abc import Sequence

import msgspec
import pytest

from selftest.evidence.samples import HEADER
from selftest.report.made import check
from vdi_conformance.evidence.records import CheckRecord, Verdict
from vdi_conformance.judgement.scoring import by_requirement, scored_counts, untested
from vdi_conformance.report.profile_summary import profile_lines
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile

PROFILE = Profile(
    name="small",
    version=1,
    about="a few requirements",
    server="statement",
    joining=True,
    derived=True,
    topics=frozenset({"MBH"}),
    scored=frozenset({"MBH-04", "MBH-28"}),
    reported=frozenset({"MBH-10"}),
    excluded=frozenset(),
    optional={"MBH-28": "null_out_pointers"},
)


def verdict_of(requirement: str, checks: Sequence[CheckRecord], profile: Profile = PROFILE, **declared: bool) -> str:
    client = msgspec.structs.replace(HEADER.client, capabilities=dict(declared))
    return next(
        one.verdict
        for one in by_requirement(profile, catalogue().requirements, client, checks)
        if one.id == requirement
    )


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "not applicable"), "passed"),
        (("passed", "warning"), "warning"),
        (("warning", "not tested"), "not tested"),
        (("not tested", "error"), "error"),
        (("error", "known failure"), "known failure"),
        (("known failure", "failed"), "failed"),
        (("not applicable", "not applicable"), "not tested"),
        ((), "not tested"),
    ],
)
def test_a_requirement_is_as_bad_as_the_worst_of_its_checks(ends: tuple[Verdict, ...], verdict: str) -> None:
    assert verdict_of("MBH-04", [check(f"map/{index}", end) for index, end in enumerate(ends)]) == verdict


def test_only_what_is_optional_and_not_declared_is_not_applicable() -> None:
    checks = [check("map/null", "not applicable", requirements=("MBH-28",))]
    assert verdict_of("MBH-28", checks, null_out_pointers=False) == "not applicable"
    assert verdict_of("MBH-28", checks) == "not applicable"
    assert verdict_of("MBH-28", checks, null_out_pointers=True) == "not tested"
    assert verdict_of("MBH-28", [], null_out_pointers=False) == "not tested"


def test_a_check_of_what_is_not_scored_as_well_says_nothing_of_what_is() -> None:
    checks = [check("map/both", "failed", requirements=("MBH-04", "MBH-01"))]
    assert verdict_of("MBH-04", checks) == "not tested"
    assert verdict_of("MBH-01", checks) == "failed"


def test_a_requirement_that_the_catalogue_lost_is_not_tested() -> None:
    profile = msgspec.structs.replace(PROFILE, scored=frozenset({"MBH-99"}))
    assert verdict_of("MBH-99", [check(requirements=("MBH-99",))], profile) == "not tested"


def test_only_what_is_scored_decides_but_for_errors_of_nobody() -> None:
    checks = [
        check("map/a"),
        check("map/b", "warning", requirements=("MBH-28",)),
        check("map/c", "failed", requirements=("MBH-01",)),
        check("map/d", "failed", requirements=("MBH-10",)),
    ]
    requirements = by_requirement(PROFILE, catalogue().requirements, HEADER.client, checks)
    assert scored_counts(requirements, checks) == {"passed": 1, "warning": 1, "error": 0}
    assert scored_counts(requirements, [*checks, check("map/e", "error", requirements=())])["error"] == 1


def test_the_summary_names_what_did_not_come_out_as_it_should() -> None:
    checks = [check("map/a", "failed"), check("map/c", "failed", requirements=("MBH-01",))]
    told = list(profile_lines(PROFILE, by_requirement(PROFILE, catalogue().requirements, HEADER.client, checks)))
    assert told[0] == "profile small-1 (a few requirements): 2 requirements scored, 1 failed, 1 not tested"
    assert told[1:3] == ["  failed: MBH-04", "  not tested: MBH-28"]
    assert told[-1] == "  not scored, failed: MBH-01"


@pytest.mark.parametrize(
    ("requirement", "declared", "named"),
    [
        ("IOE-02", {}, True),
        ("GBH-10", {"null_out_pointers": False}, False),
        ("MBH-28", {"null_out_pointers": False}, False),
        ("MBH-28", {"null_out_pointers": True}, True),
        ("ABI-01", {"native_abi": "none"}, False),
        ("ABI-01", {"native_abi": "libsqlvdi"}, False),
        ("TSQ-01", {}, False),
        ("TSQ-01", {"server_under_test": True}, True),
        ("ABI-19", {}, False),
    ],
)
def test_without_a_profile_only_what_is_optional_may_be_left_untested(
    requirement: str, declared: dict[str, object], named: bool
) -> None:
    party = msgspec.structs.replace(HEADER.client, capabilities=declared)
    header = msgspec.structs.replace(HEADER, client=party, server=party)
    checks = [check("a/a", requirements=("MBH-01",)), check("a/b", "not applicable", requirements=(requirement,))]
    assert untested(catalogue().requirements, header, checks) == ((requirement,) if named else ())
    assert untested(catalogue().requirements, header, [*checks, check("a/c", requirements=(requirement,))]) == ()


def ended(verdict: Verdict, judged: str, broken: str) -> CheckRecord:
    return msgspec.structs.replace(check("map/a", verdict, requirements=(judged,)), broken=[broken])


def test_what_a_check_only_needed_is_broken_and_what_it_judges_was_not_tested() -> None:
    failed = ended("failed", "MBH-04", "MBH-28")
    assert verdict_of("MBH-28", [failed, check("map/b", requirements=("MBH-28",))], null_out_pointers=True) == "failed"
    assert verdict_of("MBH-04", [failed, check("map/b")]) == "not tested"


def test_what_is_broken_outside_the_profile_leaves_what_it_hides_untested() -> None:
    assert verdict_of("MBH-04", [ended("failed", "MBH-04", "CRE-01"), check("map/b")]) == "not tested"


@pytest.mark.parametrize("verdict", ["warning", "known failure"])
def test_what_does_not_fail_the_run_takes_nothing_from_what_others_show(verdict: Verdict) -> None:
    hidden = ended(verdict, "MBH-04", "ABI-17")
    assert verdict_of("MBH-04", [hidden, check("map/b")]) == "passed"
    assert verdict_of("MBH-04", [hidden]) == verdict
