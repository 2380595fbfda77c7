"""Walks of the model: they reach what there is to reach, in time, the same way each time, and can be played again."""

from pathlib import Path

import pytest

from selftest.suite.runs import Run, RunSuite, judging, run_suite_in
from vdi_conformance.cli import main
from vdi_conformance.evidence.records import Walked
from vdi_conformance.report.walks import reached
from vdi_conformance.walks.recording import load

ONE_CLIENT = "ST/every_call_gives_what_the_model_permits[one client]"
SEVERAL = "ST/every_call_gives_what_the_model_permits[several clients]"
BROKEN = "vdi_fixtures.broken.sec.an_object_may_join_twice:Broken"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every walk of the default budget."""
    options = ("--adapter", "emulator", *judging("ST-48", "ST-49"))
    return run_suite_in(tmp_path_factory.mktemp("walks"), *options)


def _walked(run: Run) -> Walked | None:
    return {check.id: check.walked for check in run.evidence.checks}[ONE_CLIENT]


def test_the_default_budget_reaches_every_state_and_outcome(whole: Run) -> None:
    assert whole.exit_code == 0, whole.output
    counts = reached(whole.evidence.checks)
    assert counts, "no check walked"
    assert [name for name, count in counts.items() if not count] == []
    words = " ".join(whole.output.split())
    assert f"{len(counts)} of {len(counts)} outcomes and moves of the client matrix reached" in words


def test_other_modules_change_no_walk(whole: Run, run_suite: RunSuite, tmp_path: Path) -> None:
    # Hypothesis draws constants of the modules that happen to be loaded.
    constants = ", ".join(str(number) for number in range(101, 260))
    (tmp_path / "full_of_numbers.py").write_text(f"NUMBERS = [{constants}]\n", encoding="utf-8")
    run = run_suite("--adapter", "emulator", "--check", ONE_CLIENT, "--", "-p", "full_of_numbers")
    assert _walked(run) == _walked(whole)


def test_a_seed_explores_elsewhere(whole: Run, run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", "--check", ONE_CLIENT, "--seed", "1")
    assert run.exit_code == 0, run.output
    assert _walked(run) != _walked(whole)


def test_a_failure_is_made_short_kept_and_played_again(
    run_suite: RunSuite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_suite("--adapter", BROKEN, "--check", SEVERAL)
    assert run.exit_code == 1
    (path,) = tmp_path.glob("walk-*.json")
    (check,) = run.evidence.checks
    assert check.cause is not None
    assert check.cause.observed == "NOERROR"
    assert str(path) in check.cause.sentence
    assert len(load(path).steps) <= 10
    assert main(["replay", str(path), "--adapter", BROKEN]) == 1
    assert "OpenInSecondaryEx = NOERROR\nFAILED  OpenInSecondaryEx in client" in capsys.readouterr().out
    assert main(["replay", str(path), "--adapter", "emulator"]) == 0
    assert "Every answer is one that the documents permit." in capsys.readouterr().out
    # What no longer fails is kept no longer.
    run_suite("--adapter", "emulator", "--check", SEVERAL)
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read"),
        ("{}", "is not the recording of a walk"),
        ("no JSON", "is not the recording of a walk"),
        ('{"format": 9}', "has format 9, this version takes 1"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, sentence: str
) -> None:
    path = tmp_path / "walk.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main(["replay", str(path), "--adapter", "emulator"]) == 4
    assert sentence in capsys.readouterr().err


def test_what_was_changed_by_hand_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.json"
    kept = (
        '{"format": 1, "suite_version": "1", "check": "a/b", "seed": 0, "failure": "", "trace": [], '
        '"plan": {"clients": %d}, "steps": [%s]}'
    )
    for clients, step, sentence in ((99, "", "has 99 clients"), (1, '{"act":"fly"}', "has the step 'fly'")):
        path.write_text(kept % (clients, step), encoding="utf-8")
        assert main(["replay", str(path), "--adapter", "emulator"]) == 4
        assert sentence in capsys.readouterr().err
    path.write_text(kept % (1, ""), encoding="utf-8")
    assert main(["replay", str(path), "--adapter", "nowhere:Nobody"]) == 4
    assert "nowhere" in capsys.readouterr().err
