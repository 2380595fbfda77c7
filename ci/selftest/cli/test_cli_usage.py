"""The command line: versions, help, and one sentence with exit code 4 for whatever is wrong with it."""

import pytest

from vdi_conformance import __version__
from vdi_conformance.cli import main


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vdi-conformance {__version__}\n"


VERBS = (
    "run",
    "replay",
    "report",
    "compare",
    "certify",
    "verify",
    "prove",
    "requirements",
    "questions",
    "statements",
    "baseline",
    "adapter",
)


def test_help_names_the_verbs_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:")[2]
    verbs = [line.split()[0] for line in commands.splitlines() if line.strip()]
    assert verbs == [*VERBS]


def test_no_verb_at_all_shows_the_help_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 4
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["adapter"], "command"),
        (["run"], "--adapter"),
        (["run", "--adapter"], "--adapter"),
        (["run", "--adapter", "emulator", "-n", "many"], "'many'"),
        (["run", "--adapter", "emulator", "--seed", "x"], "--seed"),
        (["run", "--adapter", "emulator", "--timeout-scale", "fast"], "--timeout-scale"),
        (["requirements", "GBH-01", "GBH-02"], "GBH-02"),
        (["adapter", "init", "--lang", "cobol"], "'cobol'"),
        (["baseline"], "command"),
        (["baseline", "update"], "EVIDENCE"),
        (["compare", "one.jsonl"], "NEW"),
        (["compare", "one.jsonl", "two.jsonl", "--format", "xml"], "'xml'"),
        (["compare", "one.jsonl", "two.jsonl"], "one.jsonl cannot be read"),
        (["adapter", "init", "--name", "***"], "--name"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_4(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("vdi-conformance: ")
    assert shown.err.count("\n") == 1
    assert named in shown.err
