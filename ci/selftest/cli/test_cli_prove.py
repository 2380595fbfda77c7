"""`vdi-conformance prove`: what it says of faults, readings and trivial implementations, and its exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faulty import faults
from vdi_conformance.cli import main
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.evidence.proof import Kind, Trial
from vdi_conformance.proof import discovery, making
from vdi_conformance.proof.discovery import plan
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import profile
from vdi_fixtures.made.fault import NOTHING, RULES, fault_named

FAULTS = [trial for trial in plan(profile("full"), "emulator", None).trials if trial.kind == "fault"]
NO_HANDLES = """'No buffer has a handle; that is nothing that creation could show.'
from vdi_conformance.contract import Outcome
from vdi_fixtures.wrapping import WrappingFault, WrappedSet
class Set(WrappedSet):
    def get_buffer_handle(self, address, null_out=False):
        return Outcome(0x80770007)
class Broken(WrappingFault):
    set = Set
"""
SPOILT = "from vdi_fixtures.broken.cls.failed_commands_spoil_close import Broken\n"
UNLOADABLE = "from vdi_fixtures.broken import nothing_of_the_kind\nBroken = nothing_of_the_kind\n"
Shipping = Callable[[str, str, Kind], None]


@pytest.fixture
def shipping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shipping:
    """Ships one implementation alone: its text, the requirement that it is said to break or touch, its kind."""

    def ship(text: str, requirement: str, kind: Kind) -> None:
        file = tmp_path / "shipped.py"
        file.write_text(text, encoding="utf-8")
        trial = Trial(name="shipped", kind=kind, reference=f"{file}:Broken", requirements=(requirement,))
        monkeypatch.setattr(discovery, "_shipped", lambda *_: iter([trial]))

    return ship


def _proof(path: Path, *options: str, workers: str = "1") -> tuple[int, Any]:
    exit_code = main(["prove", "-n", workers, "--json", str(path / "proof.json"), *options])
    return exit_code, json.loads((path / "proof.json").read_text(encoding="utf-8"))


def test_a_fault_a_reading_and_a_trivial_implementation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("mapping_copies", "failures_leave_null", "dies_at_once")
    html = tmp_path / "proof.html"
    exit_code, proof = _proof(tmp_path, "--html", str(html), *(f"--only={name}" for name in names), workers="2")
    said = capsys.readouterr()
    assert exit_code == 0, said
    assert {cell["outcome"] for cell in proof["cells"]} == {"killed"}
    assert [score["name"] for score in proof["scores"]] == ["dies_at_once"]
    assert proof["partial"] == list(names)
    assert "PROVEN on emulator" in said.out
    assert "1 permitted readings, 0 of them accused" in said.out
    assert "trials made" in said.err
    assert all(name in html.read_text(encoding="utf-8") for name in names)


def test_it_goes_around_another_adapter(tmp_path: Path) -> None:
    adapter = "vdi_fixtures.readings.gbh.handles_count_from_0:Reading"
    exit_code, proof = _proof(tmp_path, "--adapter", adapter, "--only", "closed_devices_say_invalid")
    assert (exit_code, proof["ending"]) == (0, "proven")
    assert "handles_count_from_0" in proof["adapter"]["name"]
    assert {trial["trial"]["around"] for trial in proof["trials"] if trial["trial"]["kind"] == "fault"} == {
        "vdi_fixtures.readings.gbh.handles_count_from_0:Reading"
    }


@pytest.fixture(scope="module")
def run_of_the_emulator(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Makes a run of the one check that judges CMP-12, as the lines of its record."""
    selected = tmp_path_factory.mktemp("run") / "selected.jsonl"
    assert main(["run", "--adapter", "emulator", "--requirement", "CMP-12", "--evidence", str(selected)]) == 0
    return selected.read_text(encoding="utf-8").splitlines()


def _as_if_whole(lines: list[str], path: Path, **changed: object) -> str:
    header, *others = lines
    whole = path / "whole.jsonl"
    told = [json.dumps({**json.loads(header), "selection": [], **changed}), *others]
    whole.write_text("\n".join(told) + "\n", encoding="utf-8")
    return str(whole)


def test_a_whole_run_stands_for_the_adapter_without_a_fault(run_of_the_emulator: list[str], tmp_path: Path) -> None:
    run = _as_if_whole(run_of_the_emulator, tmp_path)
    exit_code, proof = _proof(tmp_path, "--only", "completion_takes_the_oldest", "--control", run)
    assert (exit_code, proof["ending"]) == (0, "proven")
    controls = [trial for trial in proof["trials"] if trial["trial"]["kind"] == "control"]
    judged = {json.loads(line)["id"] for line in run_of_the_emulator[1:-1]}
    assert {tried["check"] for trial in controls for tried in trial["tried"]} == judged


def test_a_run_in_which_a_check_failed_makes_a_proof_void(run_of_the_emulator: list[str], tmp_path: Path) -> None:
    failed = [line.replace('"verdict":"passed"', '"verdict":"failed"') for line in run_of_the_emulator]
    run = _as_if_whole(failed, tmp_path)
    exit_code, proof = _proof(tmp_path, "--only", "completion_takes_the_oldest", "--control", run)
    assert (exit_code, proof["ending"]) == (6, "void")


OTHERS: list[tuple[dict[str, object], str]] = [
    ({"selection": ["check X"]}, "it is a selected run"),
    ({"suite_version": "0.0.1"}, "another version of the suite"),
    ({"catalogue_sha256": "0"}, "another version of the suite or of its catalogue"),
    ({"python": "3.0"}, "another platform"),
    ({"client": {"reference": "other", "name": "", "version": ""}}, "it is of other, not of emulator"),
    ({"server": {"reference": "other", "name": "", "version": ""}}, "its server was other"),
]


@pytest.mark.parametrize(("changed", "sentence"), OTHERS, ids=[sentence for _, sentence in OTHERS])
def test_a_run_that_cannot_stand_for_it_is_refused(
    run_of_the_emulator: list[str],
    changed: dict[str, object],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = _as_if_whole(run_of_the_emulator, tmp_path, **changed)
    capsys.readouterr()
    assert main(["prove", "--only", "mapping_copies", "--control", run]) == 4
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_it_is_void_on_an_adapter_that_fails_without_any_fault(tmp_path: Path) -> None:
    adapter = "vdi_fixtures.broken.cmp.closed_devices_say_invalid:Broken"
    exit_code, proof = _proof(tmp_path, "--adapter", adapter, "--only", "closed_devices_say_invalid")
    assert (exit_code, proof["ending"]) == (6, "void")
    assert any("without any fault" in finding for finding in proof["findings"])


SHIPPED: list[tuple[str, str, Kind, str]] = [
    (NO_HANDLES, "CRE-02", "fault", "shipped breaks CRE-02, and only "),
    (UNLOADABLE, "CRE-02", "fault", "shipped breaks CRE-02 and was never exercised: "),
    (SPOILT, "CLS-19", "reading", "false alarm: "),
]


@pytest.mark.parametrize(
    ("text", "requirement", "kind", "sentence"), SHIPPED, ids=[one[3].strip(": ") for one in SHIPPED]
)
def test_what_is_not_as_it_must_be_is_told(
    shipping: Shipping, tmp_path: Path, text: str, requirement: str, kind: Kind, sentence: str
) -> None:
    shipping(text, requirement, kind)
    exit_code, proof = _proof(tmp_path, "--only", "shipped")
    assert (exit_code, proof["ending"]) == (1, "not proven")
    assert any(finding.startswith(sentence) for finding in proof["findings"]), proof["findings"]


REFUSED = [
    (["--pairs", "--only", "handles_are_offsets"], "--pairs and --drawn are about the emulator"),
    (["--drawn", "1", "--made", "1"], "--pairs and --drawn are about the emulator"),
    (["--only", "no_handle where colour: green"], "there is nothing called no_handle where colour: green to be tried"),
    (["--drawn", "1", "--adapter", "package.module:Class"], "--pairs and --drawn are about the emulator"),
    (["--only", "mapping_copis"], "nearest: mapping_copies"),
    (["--only", "nothing_of_that_name"], "there is nothing called nothing_of_that_name to be tried"),
    (["--control", "evidence.jsonl", "--made", "1"], "--control goes with none of"),
    (["--control", "no_such_file.jsonl"], "no_such_file.jsonl cannot be read"),
    (["--profile", "half"], "there is no profile 'half'"),
    (["--adapter", "no.such:Class"], "cannot be found"),
    (["--adapter", "no_such_file.toml"], "no_such_file.toml"),
    (["--adapter", "emulator", "--only", "mapping_copies", "--profile", "core"], "there is nothing called"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_what_cannot_be_done_is_one_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", *options]) == 4
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_every_requirement_that_must_hold_is_broken_by_a_fault() -> None:
    levels = {requirement.id: requirement.level for requirement in catalogue().requirements}
    needed = {requirement for requirement in checks_by_requirement() if levels[requirement] == "MUST"}
    assert needed, "no checks were found"
    broken = {requirement for fault in FAULTS for requirement in fault.requirements} | {
        fault.requirement for fault in faults()
    }
    assert sorted(needed - broken) == []


def test_every_fault_breaks_requirements_that_have_checks() -> None:
    assert [
        fault.name
        for fault in FAULTS
        if not fault.requirements or set(fault.requirements) - checks_by_requirement().keys()
    ] == []


def test_every_two_readings_that_go_together_are_a_trial() -> None:
    trials = [
        trial for trial in discovery.plan_of_fairness(profile("full"), pairs=True, drawn=0).trials if trial.together
    ]
    pairs = {trial.together for trial in trials}
    assert ("handles_are_offsets", "handles_count_from_0") not in pairs, "a handle is one or the other"
    assert ("completion_out_of_order_is_refused", "handles_are_offsets") in pairs
    assert len(pairs) == len(trials)
    assert all(trial.requirements and trial.most for trial in trials)


@pytest.mark.long
def test_a_rule_that_is_broken_everywhere_is_found_by_its_requirement(tmp_path: Path) -> None:
    rules = sorted(RULES.keys() - {NOTHING.name})
    exit_code, proof = _proof(tmp_path, *(f"--only={rule}" for rule in rules), workers="2")
    assert [one["fault"] for one in proof["made"] if one["fate"] != "found"] == []
    assert (exit_code, len(proof["made"])) == (0, len(rules))


@pytest.mark.long
def test_made_faults_are_drawn_by_a_seed_and_a_share_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is alone in a set sees no other process die.
    names = ["closed_sets_close where devices: 1", "closed_sets_close where processes: 1 and meanwhile: holder killed"]
    monkeypatch.setattr(making, "drawn", lambda number, *_: [fault_named(name) for name in names[:number]])
    html = tmp_path / "proof.html"
    options = ("--made=2", "--seed=3", "--no-written", "--least=60", f"--html={html}")
    exit_code, proof = _proof(tmp_path, *options, workers="2")
    said = capsys.readouterr().out
    assert [one["fate"] for one in proof["made"]] == ["found", "condition never reached"]
    assert proof["made_seed"] == 3
    assert (exit_code, proof["findings"]) == (1, ["50.0 % of the made faults were found, and 60 % must be"])
    assert "2 made faults, drawn by the seed 3: 1 found, 1 condition never reached; 1 of 2 found (50.0 %)" in said
    assert f"{names[1]}: condition never reached, in 0 checks" in said
    assert "Close answers NOERROR on a closed set where there is 1 device" in html.read_text(encoding="utf-8")
