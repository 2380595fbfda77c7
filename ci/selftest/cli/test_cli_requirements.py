"""`vdi-conformance requirements`: the list, one of them, what the review changed, JSON, and unknown ids."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selftest.commands import run_command
from selftest.report.html_reading import require_closed
from vdi_conformance.cli import checks, main
from vdi_conformance.evidence.files import read
from vdi_conformance.pytest_plugin import collected
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.requirements.profiles import newest

WATCHED = """
import sys
from vdi_conformance.cli import checks, main


def refuse(event, arguments):
    # Python itself asks Windows for its version by a command.
    if str(arguments[1:2]).endswith("/c \\"ver\\"',)"):
        return
    if event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"):
        raise RuntimeError(f"{event} {arguments}")


sys.addaudithook(refuse)
raise SystemExit(main(sys.argv[1:]))
"""


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["requirements", *arguments]) == 0
    return capsys.readouterr().out


def test_the_list_has_every_requirement_once(capsys: pytest.CaptureFixture[str]) -> None:
    first_words = [line.split()[0] for line in shown(capsys).splitlines() if line.split()]
    ids = {requirement.id for requirement in catalogue().requirements}
    assert sorted(word for word in first_words if word in ids) == sorted(ids)


def test_a_topic_restricts_the_list_whatever_its_case(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys, "--topic", "gbh", "--topic", "MBH")
    assert "GBH-01" in output
    assert "MBH-01" in output
    assert "CMP-01" not in output


@pytest.mark.parametrize("id", ["GBH-01", "gbh-01"])
def test_one_requirement_is_shown_with_the_address_of_its_source(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    requirement = catalogue().get("GBH-01")
    assert requirement is not None
    output = shown(capsys, id)
    assert " ".join(requirement.statement.split()) in " ".join(output.split())
    address = catalogue().sources["learn:getbufferhandle"].address
    assert any(line.endswith(address) for line in output.splitlines())


def test_every_requirement_can_be_shown_with_its_sources_and_questions(capsys: pytest.CaptureFixture[str]) -> None:
    for requirement in catalogue().requirements:
        output = " ".join(shown(capsys, requirement.id).split())
        assert requirement.level in output
        assert all(f"{question} " in output for question in requirement.questions), requirement.id
        assert "Source" in output, requirement.id


def words(text: str) -> str:
    return " ".join(text.split())


def entries(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shown(capsys, "--format", "json", *arguments))
    return found


def changed() -> list[Requirement]:
    return [requirement for requirement in catalogue().requirements if requirement.changes]


def test_every_change_of_the_review_is_listed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    output = words(shown(capsys, "--changes"))
    assert changed()
    for requirement in changed():
        for change in requirement.changes:
            said = f"{requirement.id} {change.column} before: {change.before or 'empty'} after: {change.after} reason: "
            assert words(said + change.reason) in output
    assert output.count(" reason: ") == sum(len(requirement.changes) for requirement in changed())


def test_a_topic_restricts_the_changes_too(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys, "--changes", "--topic", "sec")
    assert "SEC-11 statement" in output
    assert "CMP-03" not in output


def test_where_nothing_was_changed_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "GBH-01", "--changes") == "The review changed nothing here.\n"


def test_one_requirement_is_shown_with_its_change(capsys: pytest.CaptureFixture[str]) -> None:
    requirement = catalogue().get("CMP-03")
    assert requirement is not None
    output = words(shown(capsys, "CMP-03"))
    assert all(
        words(f"{one.column}, before: {one.before} reason: {one.reason}") in output for one in requirement.changes
    )


def test_one_requirement_is_shown_with_how_much_of_it_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    requirement = next(one for one in catalogue().requirements if one.scope and one.scope.why)
    assert requirement.scope is not None
    scope = requirement.scope
    output = words(shown(capsys, requirement.id))
    assert words(f"Judged: {scope.judged} Not judged: {scope.not_judged}, because {scope.why}.") in output


def test_json_has_every_requirement_with_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    found = entries(capsys)
    assert [entry["id"] for entry in found] == [requirement.id for requirement in catalogue().requirements]
    for entry, requirement in zip(found, catalogue().requirements, strict=True):
        for column in ("topic", "level", "binds", "source_class", "reach", "statement", "source", "how_to_test"):
            assert entry[column] == getattr(requirement, column)
        assert tuple(entry["questions"]) == requirement.questions
        assert [change["after"] for change in entry["changes"]] == [change.after for change in requirement.changes]
        assert entry["unchecked"] == (requirement.unchecked and vars(requirement.unchecked))
        assert entry["scope"] == (requirement.scope and vars(requirement.scope))
        assert entry["optional"] == (requirement.optional or None)
        standings = {one.name: standing for one in newest() if (standing := one.standing(requirement)) is not None}
        assert {one["profile"]: one["standing"] for one in entry["profiles"]} == standings


def test_a_requirement_tells_what_it_is_to_each_profile(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = entries(capsys, "MBH-28")
    assert [one["standing"] for one in entry["profiles"]] == ["scored"]
    labels = [f"{one['profile']}-{one['version']}" for one in entry["profiles"]]
    said = "scored, unless the adapter does not declare null_out_pointers"
    told = f"Profiles {' '.join(f'{label}: {said}' for label in labels)} How much of it is judged"
    assert told in words(shown(capsys, "MBH-28"))


def test_json_can_be_restricted(capsys: pytest.CaptureFixture[str]) -> None:
    assert [entry["id"] for entry in entries(capsys, "gbh-01")] == ["GBH-01"]
    assert {entry["id"][:3] for entry in entries(capsys, "--topic", "GBH", "--topic", "MBH")} == {"GBH", "MBH"}
    assert [entry["id"] for entry in entries(capsys, "--changes")] == [requirement.id for requirement in changed()]


def test_a_requirement_names_its_checks_and_no_check_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = entries(capsys, "GBH-12")
    assert entry["checks"]
    whole = shown(capsys, "GBH-12")
    own, other = set(whole.splitlines()), set(shown(capsys, "GBH-03").splitlines())
    for check in entry["checks"]:
        assert check["id"] in own - other
        assert check["about"] in words(whole)
        name = check["node"].partition("::")[2].partition("[")[0]
        assert any(line.endswith(f"{Path(check['file']).name}:{check['line']} {name}") for line in own)


def test_a_requirement_without_a_check_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert "None, platform not available. " in shown(capsys, "TSQ-08")
    told = shown(capsys, "GBH-07")
    assert "None, another party is bound. It binds the client application" in told
    assert "Judged by emulator --judge A command whose buffer's handle was got is" in " ".join(told.split())
    assert "not judged: A permission without any effect" in shown(capsys, "VDC-09")


def test_the_checks_are_those_of_a_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (entry,) = entries(capsys, "GBH-12")
    options = ["--adapter", "emulator", "--topic", "GBH", "--evidence", "evidence.jsonl", "--", "-k", "never"]
    run_command(tmp_path, "run", *options).check_returncode()
    ran = {check.id for check in read(tmp_path / "evidence.jsonl").checks if "GBH-12" in check.requirements}
    assert ran
    assert ran == {check["id"] for check in entry["checks"] if "never" in check["id"]}


def test_json_is_the_same_wherever_it_is_made_and_starts_no_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not yours')\n", encoding="utf-8")
    made = subprocess.run(
        [sys.executable, "-P", "-c", WATCHED, "requirements", "--format", "json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTEST_ADDOPTS": "--nonsense", "PYTEST_PLUGINS": "nonsense"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == shown(capsys, "--format", "json")
    assert {path.name for path in tmp_path.iterdir()} == {"pytest.ini", "conftest.py"}


def test_checks_that_cannot_be_found_are_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_broken_file.py").write_text("raise ValueError('this file is broken')\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(collected, "PACKAGE", tmp_path)
    collected.held.cache_clear()
    checks.checks_by_requirement.cache_clear()
    assert main(["requirements", "GBH-01"]) == 4
    assert capsys.readouterr().err == (
        "vdi-conformance: the checks cannot be found (ValueError: this file is broken): install vdi-conformance anew.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "nearest"), [(["GBH-1"], "GBH-01"), (["mbh-0l"], "MBH-01"), (["--topic", "GBB"], "GBH")]
)
def test_an_unknown_name_is_refused_and_the_nearest_are_named(
    arguments: list[str], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["requirements", *arguments]) == 4
    sentence = capsys.readouterr().err
    assert nearest in sentence
    assert arguments[-1] in sentence


def test_a_requirement_names_the_faults_that_turn_a_check_of_it_red(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = entries(capsys, "MBH-02")
    assert "mapping_copies" in entry["faults"]
    assert "mapping_copies" in words(shown(capsys, "MBH-02"))


def test_the_page_has_every_requirement_and_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    page = require_closed(shown(capsys, "--format", "html"))
    assert {requirement.id for requirement in catalogue().requirements} <= set(page.ids)
    assert {source.address for source in catalogue().sources_of(catalogue().requirements[0])} <= set(page.links)


def test_the_page_can_be_restricted_and_names_checks_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    page = require_closed(shown(capsys, "MBH-02", "--format", "html"))
    assert [id_ for id_ in page.ids if id_.startswith("MBH-")] == ["MBH-02"]
    text = "".join(page.text)
    assert "MBH/large_buffers_are_shared_to_their_last_byte" in text
    assert "mapping_copies" in text
