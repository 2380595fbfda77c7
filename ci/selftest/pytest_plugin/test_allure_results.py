"""`run --allure`: results that Allure reads, with ids, statuses and texts of our own, whoever wrote them."""

import json
from pathlib import Path
from typing import Any

import pytest

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import Run, RunSuite, named, run_pytest_in, run_suite_in
from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.report import allure
from vdi_conformance.report.calls import mark_sentence
from vdi_conformance.report.lanes import lanes_image

BROKEN = ("--adapter", "vdi_fixtures.broken.mbh.mapping_copies:Broken")
SOME = named(
    "MBH/processes_see_one_memory_at_their_own_addresses",
    "MBH/the_fetcher_maps_its_own_handle",
    "MBH/an_object_that_never_opened_a_set_maps_nothing",
)
HANDLES = named("GBH/every_data_command_has_a_handle")
FEW = ("--adapter", "emulator", *HANDLES, "--allure", "results", "--")

TALKING = """
import os

from vdi_conformance.adapters.emulator import Emulator


class Talking(Emulator):
    def virtual_device_set(self):
        os.write(2, "said \\N{SNOWMAN}\\n".encode())
        return super().virtual_device_set()
"""


def _results(directory: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob("*-result.json")]
    by_id = {result["fullName"]: result for result in found}
    assert len(by_id) == len(found)
    return by_id


def _checks(run: Run) -> dict[str, CheckRecord]:
    return {check.id: check for check in run.evidence.checks}


def _tags(result: dict[str, Any]) -> set[str]:
    return {label["value"] for label in result["labels"] if label["name"] == "tag"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of the run of a faulty implementation."""
    return tmp_path_factory.mktemp("broken")


@pytest.fixture(scope="module")
def broken(directory: Path) -> Run:
    """Run some checks of a faulty implementation on two workers."""
    return run_suite_in(directory, *BROKEN, "-n", "2", "--allure", "results", *SOME)


def test_each_check_has_one_result_that_says_how_it_ended(broken: Run, directory: Path) -> None:
    results, checks = _results(directory / "results"), _checks(broken)
    assert set(results) == set(checks)
    assert {check.verdict for check in checks.values()} == {"passed", "failed", "warning"}, broken.output
    for id, check in checks.items():
        result = results[id]
        assert result["status"] == allure.STATUSES[check.verdict]
        assert ("warning" in _tags(result)) == (check.verdict == "warning")
        assert result["historyId"] == result["testCaseId"] == allure.identity(check)
        assert "parameters" not in result
        assert check.cause is None or result["statusDetails"]["message"].endswith(check.cause.sentence)
        assert 0 < result["start"] <= result["stop"]


def test_what_did_not_pass_has_its_last_calls_attached(broken: Run, directory: Path) -> None:
    results = _results(directory / "results")
    told = [check for check in broken.evidence.checks if check.calls]
    assert told
    for check in told:
        attached = {one["name"]: one["source"] for one in results[check.id]["attachments"]}
        text = (directory / "results" / attached["calls"]).read_text(encoding="utf-8")
        assert check.unexpected is not None
        assert f"^ {mark_sentence(check.unexpected)}" in text.splitlines()[-1]
        picture = (directory / "results" / attached["calls as a picture"]).read_text(encoding="utf-8")
        assert picture == lanes_image(check)


def test_the_directory_holds_results_and_what_was_run_and_nothing_else(broken: Run, directory: Path) -> None:
    names = {path.name for path in (directory / "results").iterdir()}
    of_allure = {
        name
        for name in names
        if name.endswith(("-result.json", "-container.json", "-attachment.txt", "-attachment.svg"))
    }
    assert names - of_allure == {"environment.properties", "categories.json"}
    header = broken.evidence.header
    assert (directory / "results" / "environment.properties").read_text(encoding="utf-8") == allure.environment(header)
    assert {path.name for path in directory.iterdir()} == {"results", "evidence.jsonl"}


def test_ids_do_not_depend_on_workers_paths_or_the_way_it_was_started(
    broken: Run, directory: Path, tmp_path: Path
) -> None:
    plain = [option.replace("--", "--vdi-") for option in SOME]
    ended = run_pytest_in(tmp_path, "--vdi-adapter=emulator", "--alluredir=there", *plain)
    assert ended.exit_code == 0, ended.output
    there, here = _results(tmp_path / "there"), _results(directory / "results")
    assert set(there) == set(_checks(broken))
    for id, result in there.items():
        for stable in ("historyId", "testCaseId", "titlePath", "name"):
            assert result[stable] == here[id][stable]


def test_what_processes_wrote_to_standard_error_is_attached(run_suite: RunSuite, tmp_path: Path) -> None:
    (tmp_path / "talks.py").write_text(TALKING, encoding="utf-8")
    run = run_suite("--adapter", "talks.py:Talking", *FEW[2:])
    assert run.exit_code == 0, run.output
    for result in _results(tmp_path / "results").values():
        sources = {one["name"]: one["source"] for one in result["attachments"]}
        text = (tmp_path / "results" / sources["standard error of primary"]).read_text(encoding="utf-8")
        assert text == "said \N{SNOWMAN}\n"


def test_a_new_run_replaces_results_and_leaves_other_files_alone(run_suite: RunSuite, tmp_path: Path) -> None:
    run_suite(*FEW)
    first = {path.name for path in (tmp_path / "results").glob("*-result.json")}
    (tmp_path / "results" / "executor.json").write_text("{}", encoding="utf-8")
    (tmp_path / "results" / "my-result.json.txt").write_text("mine", encoding="utf-8")
    run_suite(*FEW)
    second = {path.name for path in (tmp_path / "results").glob("*-result.json")}
    assert len(first) == len(second) == 4
    assert not first & second
    assert (tmp_path / "results" / "executor.json").exists()
    assert (tmp_path / "results" / "my-result.json.txt").exists()


def test_a_check_in_which_the_run_ended_is_broken(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*FEW, *disturber(tmp_path, "interrupts"))
    assert run.exit_code == 2, run.output
    ended = {id.partition("[")[2]: result for id, result in _results(tmp_path / "results").items()}
    assert ended["restore-primary]"]["status"] == "broken"
    assert ended["restore-primary]"]["statusDetails"]["message"] == "error: the run ended during this check"
    assert {result["status"] for id, result in ended.items() if id != "restore-primary]"} == {"passed"}


def test_a_check_whose_worker_died_is_broken(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite("-n", "2", *FEW, *disturber(tmp_path, "kills"))
    results = _results(tmp_path / "results")
    assert set(results) == set(_checks(run))
    assert sorted(result["status"] for result in results.values()) == ["broken", "passed", "passed", "passed"]


def test_requirements_are_linked_where_the_user_says_how(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*FEW, "--allure-link-pattern=requirement:https://example.org/{}.html")
    results = _results(tmp_path / "results")
    for id, check in _checks(run).items():
        found = [link["url"] for link in results[id]["links"] if link["type"] == "requirement"]
        assert found == [f"https://example.org/{requirement}.html" for requirement in check.requirements]


def test_a_test_plan_of_the_environment_leaves_no_check_out(
    run_suite: RunSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"version": "1.0", "tests": [{"selector": "another"}]}', encoding="utf-8")
    monkeypatch.setenv("ALLURE_TESTPLAN_PATH", str(plan))
    assert len(run_suite(*FEW).evidence.checks) == 4


@pytest.mark.parametrize(("asked", "seen"), [((), False), (("--alluredir=results",), True)])
def test_allure_is_imported_only_where_it_was_asked_for(
    run_suite: RunSuite, tmp_path: Path, asked: tuple[str, ...], seen: bool
) -> None:
    options = ("--adapter", "emulator", *HANDLES, "--")
    run = run_suite(*options, *asked, *disturber(tmp_path, "watches"))
    line = next(line for line in run.output.splitlines() if line.startswith("seen:"))
    assert ("'allure_commons'" in line) == seen
