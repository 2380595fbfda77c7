"""A gate: red when something breaks, green with the baseline made from that, red when that lists too much."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from selftest.commands import run_command
from selftest.suite.runs import Run, RunSuite, judging, run_suite_in
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.judgement.baseline import load, render
from vdi_conformance.judgement.known_failures import FAILING, Fresh, updated
from vdi_fixtures.broken.mbh.outsider_maps import BREAKS

FAULT = "vdi_fixtures.broken.mbh.outsider_maps:Broken"
NOT_JOINED = "MBH/a_process_that_has_not_joined_maps_nothing[{}]"
SELECTED = judging(*BREAKS)
TWO = ["--check", NOT_JOINED.format("backup-primary"), "--check", NOT_JOINED.format("backup-secondary")]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run against the fault."""
    return run_suite_in(tmp_path_factory.mktemp("gating"), "--adapter", FAULT, *SELECTED, name="broken.jsonl")


@pytest.fixture(scope="module")
def baseline(broken: Run) -> Path:
    """The baseline made from it, as the command would make it from a run without selection."""
    path = broken.evidence_path.parent / "baseline.toml"
    run = broken.evidence
    path.write_text(render(updated((), run, Fresh()), FAULT, {one.id: one.requirements for one in run.checks}), "utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(baseline: Path) -> Run:
    """A run against the emulator, with the fault's baseline."""
    junit = str(baseline.parent / "junit.xml")
    options = ("--adapter", "emulator", *SELECTED, "--baseline", str(baseline), "--junit", junit)
    return run_suite_in(baseline.parent, *options, name="unbroken.jsonl")


def test_a_fault_is_red(broken: Run, baseline: Path) -> None:
    assert broken.exit_code == 1, broken.output
    failed = {check.id for check in broken.evidence.checks if check.verdict == "failed"}
    assert failed == {entry.check for entry in load(baseline)}


def test_a_fault_is_green_with_its_baseline(run_suite: RunSuite, broken: Run, baseline: Path) -> None:
    run = run_suite("--adapter", FAULT, *SELECTED, "--baseline", str(baseline))
    assert run.exit_code == 0, run.output
    known = {id_: "known failure" if verdict == "failed" else verdict for id_, verdict in broken.verdicts().items()}
    assert run.verdicts() == known
    assert run.evidence.footer.counts["known failure"] == len(load(baseline))
    assert all(check.known and check.id in run.output for check in run.evidence.checks if check.verdict in FAILING)
    assert main(["compare", str(broken.evidence_path), str(run.evidence_path)]) == 0


def test_the_unbroken_is_red_with_the_baseline_of_a_fault(unbroken: Run, baseline: Path) -> None:
    assert unbroken.exit_code == 1, unbroken.output
    complaints = unbroken.evidence.footer.complaints
    assert len(complaints) == len(load(baseline))
    assert set(unbroken.verdicts().values()) == {"passed"}
    assert ET.parse(baseline.parent / "junit.xml").getroot().attrib["failures"] == "1"  # noqa: S314, our own text
    told = [line for line in unbroken.output.splitlines() if line.startswith("BASELINE  ")]
    assert told == [f"BASELINE  {sentence}" for sentence in complaints]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_comparison_names_the_very_requirement(
    form: str, unbroken: Run, broken: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(unbroken.evidence_path), str(broken.evidence_path), "--format", form]) == 1
    told = capsys.readouterr().out
    regressed = told[told.index("Requirements that regressed") : told.index("Checks that regressed")]
    assert all(requirement in regressed for requirement in BREAKS)
    assert main(["compare", str(broken.evidence_path), str(unbroken.evidence_path)]) == 0


def test_without_workers_a_known_failure_ends_no_run(run_suite: RunSuite, baseline: Path) -> None:
    with_baseline = run_suite("--adapter", FAULT, "--baseline", str(baseline), *TWO, "--", "-x")
    assert with_baseline.exit_code == 0, with_baseline.output
    assert [*with_baseline.verdicts().values()] == ["known failure"] * 2


def test_what_was_cut_short_is_no_result(run_suite: RunSuite) -> None:
    cut = run_suite("--adapter", FAULT, *TWO, "--", "-x")
    assert cut.exit_code == 1, cut.output
    with pytest.raises(NotEvidence, match="not a whole result"):
        read(cut.evidence_path)


def test_another_cause_stays_red(run_suite: RunSuite, baseline: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(baseline.read_text("utf-8").replace('"NOERROR"', '"VD_E_ABORT"'), "utf-8")
    run = run_suite("--adapter", FAULT, "--baseline", str(other), *TWO, "-n", "1")
    assert run.exit_code == 1, run.output
    assert [*run.verdicts().values()] == ["failed"] * 2
    assert [f"{check.id} failed with NOERROR" in run.output for check in run.evidence.checks] == [True] * 2


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "-n 2"])
def test_a_wrong_baseline_is_one_sentence(run_suite: RunSuite, tmp_path: Path, workers: tuple[str, ...]) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[[known-failure]]\ncheck = "a/b"\n', "utf-8")
    run = run_suite("--adapter", "emulator", "--baseline", str(path), *workers)
    assert run.exit_code == 4, run.output
    (sentence,) = (line for line in run.output.splitlines() if line.strip())
    assert "entry 1" in sentence


def test_files_that_were_named_are_a_selection(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jsonl"
    places = ["--pyargs", "vdi_conformance.suite.mbh.test_stray_handles"]
    assert pytest_alone(tmp_path, *places, "--vdi-adapter=emulator", f"--vdi-evidence={evidence}").exit_code == 0
    assert Run(0, "", evidence).evidence.header.selection == [places[1]]


def pytest_alone(directory: Path, *options: str) -> Run:
    """Run pytest itself, as one who does not use the command."""
    done = run_command(directory, "-p", "no:cacheprovider", *options, module="pytest")
    return Run(done.returncode, done.stdout + done.stderr, directory)
