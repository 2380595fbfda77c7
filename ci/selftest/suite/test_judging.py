"""What a check may say that it judges."""

import ast

import pytest

from vdi_conformance.harness.judging import (
    ConformanceFailure,
    Needed,
    NotApplicable,
    NotTested,
    PrerequisiteFailed,
    RecommendationBroken,
    judging,
    set_up,
    vdi_requirement,
)
from vdi_conformance.host.errors import HostHung, MethodNotFound, NoEnd, NoProcess, NotStarted
from vdi_conformance.judgement.exit_codes import exit_code
from vdi_conformance.pytest_plugin.checks import id_of_node, suite_files
from vdi_conformance.pytest_plugin.verdicts import assess, broken_by


def test_an_unknown_requirement_is_refused() -> None:
    with pytest.raises(ValueError, match="GBH-99"):
        vdi_requirement("GBH-01", "GBH-99")


def test_a_check_without_a_requirement_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        vdi_requirement()


def test_every_test_of_the_suite_names_a_requirement() -> None:
    tests = [
        f"{file.name}::{function.name}"
        for file in suite_files()
        for function in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
    ]
    assert len(tests) > 600
    # Those of the matrix name that of each cell.
    assert [test for test in tests if id_of_node(test) == test and not test.startswith("test_state_matrix.py")] == []


def test_requirements_of_different_severity_are_refused() -> None:
    with pytest.raises(ValueError, match="one severity"):
        vdi_requirement("GBH-01", "GBH-05")


def test_requirements_of_the_library_and_of_the_server_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="the library or the server"):
        vdi_requirement("BUF-03", "BUF-10")


def test_a_requirement_of_the_application_is_refused() -> None:
    with pytest.raises(ValueError, match="GBH-07 binds the client application"):
        vdi_requirement("GBH-07")


def test_a_requirement_with_a_reason_to_have_no_check_is_refused() -> None:
    with pytest.raises(ValueError, match="LNX-15 has no check"):
        vdi_requirement("LNX-15")


@pytest.mark.parametrize(
    ("error", "level", "verdict"),
    [
        (ConformanceFailure("x"), "MUST", "failed"),
        (ConformanceFailure("x"), "SHOULD", "warning"),
        (ConformanceFailure("x"), "MAY", "warning"),
        (AssertionError("x"), "MUST", "failed"),
        (PrerequisiteFailed("x"), "SHOULD", "failed"),
        (RecommendationBroken("x"), "MUST", "warning"),
        (NotApplicable("x"), "MUST", "not applicable"),
        (NotTested("x"), "MUST", "not tested"),
        (MethodNotFound("host", "server.open", "it is not known"), "SHOULD", "failed"),
        (KeyError("x"), "MUST", "error"),
        (HostHung("host", "device.get_command", 10, None), "MUST", "failed"),
        (NoEnd("host", "device.get_command"), "MUST", "error"),
        (NoProcess("no memory"), "MUST", "error"),
        (NotStarted(""), "MUST", "error"),
    ],
)
def test_the_level_decides_what_a_broken_requirement_means(error: Exception, level: str, verdict: str) -> None:
    assert assess(error, level)[0] == verdict


def test_what_was_not_tested_has_a_cause_of_its_own() -> None:
    assert [assess(error, "MUST")[1].name for error in (NotTested("x"), NotApplicable("x"))] == [
        "not tested",
        "assertion",
    ]


@pytest.mark.parametrize("value", ["3435973836", "14757395258967641292", "0xcccccccc", "0xCCCCCCCCCCCCCCCC"])
@pytest.mark.parametrize("kind", [AssertionError, ConformanceFailure, PrerequisiteFailed])
def test_an_untouched_out_value_is_told_as_such(kind: type[AssertionError], value: str) -> None:
    _, cause = assess(kind(f"it gave {value}, and 0x1"), "MUST")
    assert cause.sentence == "it gave untouched, and 0x1"


@pytest.mark.parametrize(
    ("counts", "status", "code"),
    [
        ({"passed": 3}, 0, 0),
        ({"passed": 3, "warning": 1}, 0, 0),
        ({"passed": 3, "failed": 1, "error": 1}, 1, 1),
        ({"known failure": 3}, 0, 0),
        ({"known failure": 3, "failed": 1}, 1, 1),
        ({"known failure": 3, "not tested": 1}, 0, 6),
        ({"passed": 3, "error": 1}, 1, 6),
        ({"passed": 3, "not tested": 1}, 0, 6),
        ({"not applicable": 3}, 0, 5),
        ({}, 5, 5),
        ({"passed": 1}, 2, 2),
        ({}, 4, 4),
    ],
)
def test_the_exit_code_follows_from_the_verdicts(counts: dict[str, int], status: int, code: int) -> None:
    assert exit_code(counts, status) == code


@pytest.mark.parametrize(("status", "code"), [(0, 1), (1, 1), (5, 1), (2, 2), (4, 4)])
def test_a_baseline_that_is_out_of_date_fails_the_run(status: int, code: int) -> None:
    assert exit_code({"passed": 1, "not tested": 1}, status, ["the baseline lists what passes"]) == code


def charged(error: BaseException, *judged: str) -> list[str]:
    """Give what an error is charged to in a check of these requirements that judges by MBH-02 all that breaks."""
    with pytest.raises((AssertionError, HostHung)) as caught, judging("MBH-02"):
        raise error
    return broken_by(caught.value, judged)


def test_a_failure_is_charged_to_what_the_check_judges_by() -> None:
    assert charged(ConformanceFailure("x"), "GBH-01", "MBH-02") == ["MBH-02"]
    assert charged(AssertionError("x"), "GBH-01", "MBH-02") == ["MBH-02"]
    assert charged(HostHung("host", "set.close", 1.0, None), "GBH-01", "MBH-02") == ["MBH-02"]


def test_an_expectation_that_names_its_requirement_is_charged_to_it_alone() -> None:
    assert charged(ConformanceFailure("x", by="GBH-01"), "MBH-02") == ["GBH-01"]


def test_what_a_check_only_needs_is_charged_to_its_own_requirement_unless_the_check_judges_by_another() -> None:
    needed = ConformanceFailure("x", by=Needed("CMD-01"))
    assert broken_by(needed, ["MBH-02"]) == ["CMD-01"]
    assert charged(needed, "MBH-02") == ["MBH-02"]


def test_what_names_nothing_is_charged_to_all_that_the_check_judges() -> None:
    assert broken_by(ConformanceFailure("x"), ["GBH-01", "MBH-02"]) == ["GBH-01", "MBH-02"]


def test_a_prerequisite_is_charged_to_what_was_needed() -> None:
    def fail() -> None:
        raise ConformanceFailure("x", by=Needed("CRE-01"))

    with pytest.raises(PrerequisiteFailed) as caught:
        set_up(fail)
    assert broken_by(caught.value, ["GBH-04"]) == ["CRE-01"]


def test_no_expectation_is_charged_to_what_is_no_requirement() -> None:
    with pytest.raises(ValueError, match="GBH-99"), judging("GBH-99"):
        pass
