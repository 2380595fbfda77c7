"""The command line: versions, help, and one sentence with exit code 4 for whatever is wrong with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from vdi_conformance import __version__
from vdi_conformance.cli import app, main
from vdi_conformance.cli.verbs import VERBS as SUMMARIES
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.bounds import MOST_WORKERS
from vdi_conformance.untrusted.nearest import nearest


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vdi-conformance {__version__}\n"


VERBS = (
    "run",
    "replay",
    "report",
    "reproduce",
    "compare",
    "matrix",
    "diff",
    "certify",
    "sign",
    "verify",
    "challenge",
    "prove",
    "requirements",
    "questions",
    "conditions",
    "statements",
    "schema",
    "doctor",
    "evidence",
    "baseline",
    "keys",
    "adapter",
    "emulator",
)


def test_help_names_the_verbs_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    commands = capsys.readouterr().out.partition("Commands:")[2]
    verbs = [line.split()[0] for line in commands.splitlines() if line.strip()]
    assert verbs == [*VERBS]


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_says_of_a_verb_what_its_own_help_says_first(verb: str) -> None:
    own = typer.main.get_command(app).commands[verb].help  # type: ignore[attr-defined]
    assert SUMMARIES[verb] == " ".join(own.partition("\n\n")[0].split())


def imported_for(*arguments: str) -> set[str]:
    """Name the modules that a fresh process has imported when it ends."""
    program = f"import sys; from vdi_conformance.cli import main; main({[*arguments]}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_who_asks_for_help_waits_for_nothing_that_is_not_told() -> None:
    listed = imported_for("--help")
    assert not {f"vdi_conformance.cli.{verb}" for verb in VERBS} & listed
    assert not {"pytest", "rich", "jinja2", "msgspec", "hypothesis", "pydantic"} & (listed | imported_for("run", "-h"))


def test_no_verb_at_all_shows_the_help_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 4
    assert "Commands:" in capsys.readouterr().out


LIBRARY_PHRASES = ("Invalid value", "Input should", "[type=", "[Errno", "Error:", "Got unexpected", "is not a valid")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["adapter"], "command"),
        (["run"], "--adapter"),
        (["run", "--adapter"], "--adapter"),
        (["runn"], "nearest: run,"),
        (["adapter", "inti"], "nearest: init, host; try `vdi-conformance adapter --help`"),
        (["baseline", "update", "x", "--fault"], "--fault needs a value: try `vdi-conformance baseline update --help`"),
        (["--version=3"], "--version takes no value"),
        (["run", "--adaptor", "emulator"], "nearest: --adapter,"),
        *[
            (["run", "--adapter", "emulator", "-n", word], f"-n: {word!r} is not a whole number")
            for word in ("many", "-1", "²", "٣", "1_0")
        ],
        *[(["run", "--adapter", "emulator", "-n", word], f"1 to {MOST_WORKERS}") for word in ("0", "100000")],
        (["prove", "-n", str(MOST_WORKERS + 1)], f"1 to {MOST_WORKERS}"),
        *[(["run", "--adapter", "emulator", "--seed", word], "--seed: ") for word in ("x", "-1", "٣", "9" * 5000)],
        *[
            (["run", "--adapter", "emulator", "--timeout-scale", word], "--timeout-scale: ")
            for word in ("fast", "0.5", "nan", "inf", "1e9", "")
        ],
        (["replay", "walk.json", "--adapter", "emulator", "--timeout-scale", "0"], "--timeout-scale: "),
        (["statements", "--devices", "65"], "1 to 64"),
        (["statements", "--operation", "backp"], "nearest: backup"),
        (["requirements", "--format", "jsn"], "nearest: json"),
        (["requirements", "gbh-1"], "nearest: GBH-01"),
        (["questions", "Q99"], "nearest: Q"),
        (["schema", "host-protocl"], "nearest: host-protocol"),
        (["doctor", "--adapter", "emulator", "--patience", "0"], "1 to 600"),
        (["baseline", "update", "x", "--fault", "adaptor"], "nearest: adapter"),
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
    assert not any(phrase in shown.err for phrase in LIBRARY_PHRASES), shown.err


def test_the_nearest_of_a_thousand_names_are_found() -> None:
    known = [f"{requirement.id}/{number}" for requirement in catalogue().requirements for number in range(5)]
    assert nearest("gbh-1/3", known)[0] == "GBH-01/3"
    assert nearest("x" * 1_000_000, known)
    assert nearest("", []) == []


GROUPS = (
    ["baseline"],
    ["baseline", "update"],
    ["adapter"],
    ["adapter", "init"],
    ["adapter", "host"],
    *([verb] for verb in VERBS[:-2]),
)


@pytest.mark.parametrize("path", [[], *GROUPS], ids=" ".join)
def test_a_short_h_is_help(path: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path, "-h"]) == 0
    short = capsys.readouterr().out
    assert main([*path, "--help"]) == 0
    assert short == capsys.readouterr().out
    assert f"Usage: {' '.join(['vdi-conformance', *path])} " in short


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vdi-conformance ver", "verify"),
        ("vdi-conformance run --profile sh", "shared-buffers"),
        ("vdi-conformance run --topic g", "gbh"),
        ("vdi-conformance run --requirement gbh-0", "gbh-01"),
        ("vdi-conformance run --adapter em", "emulator"),
        ("vdi-conformance requirements MBH-0", "MBH-01"),
        ("vdi-conformance questions q3", "q38"),
        ("vdi-conformance report j", "junit"),
        ("vdi-conformance compare a b --format ma", "markdown"),
    ],
)
def test_a_shell_completes(
    line: str, offered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_VDI_CONFORMANCE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    with pytest.raises(SystemExit) as ended:
        main([])
    assert not ended.value.code
    assert offered in capsys.readouterr().out.split()


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="bash starts it")
def test_completion_is_shown_and_installed_for_the_shell_that_asks(tmp_path: Path) -> None:
    def ask(option: str) -> subprocess.CompletedProcess[str]:
        # Two commands, so that the shell stays beside what it starts.
        command = f"'{sys.executable}' -m vdi_conformance.cli {option}; exit $?"
        env = os.environ | {"HOME": str(tmp_path)}
        return subprocess.run(
            [str(shutil.which("bash")), "-c", command],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    shown = ask("--show-completion")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "vdi-conformance" in shown.stdout
    assert list(tmp_path.iterdir()) == []
    installed = ask("--install-completion")
    assert (installed.returncode, installed.stderr) == (0, "")
    assert "vdi-conformance" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", [SystemExit(1), PermissionError(13, "Permission denied")])
def test_completion_that_cannot_be_is_one_sentence(
    ending: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unable(*_: object, **__: object) -> None:
        raise ending

    monkeypatch.setattr(type(app), "__call__", unable)
    assert main(["--show-completion"]) == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_the_list_of_verbs_cuts_no_sentence_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for group in ([], ["emulator"]):
        assert main([*group, "--help"]) == 0
        _, _, commands = capsys.readouterr().out.partition("Commands:")
        assert commands.strip()
        assert all(line.endswith(".") and not line.endswith("...") for line in commands.strip().splitlines())


@pytest.mark.parametrize(
    ("path", "usage"),
    [
        (["compare"], "compare [OPTIONS] OLD NEW...\n"),
        (["requirements"], "requirements [OPTIONS] [ID]\n"),
        (["run"], "run [OPTIONS] [-- PYTEST OPTIONS]\n"),
        (["evidence", "merge"], "evidence merge [OPTIONS] SHARD...\n"),
    ],
)
def test_usage_names_arguments_as_one_writes_them(
    path: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Usage: vdi-conformance {usage}")
    argument = usage.split("[OPTIONS] ")[1].strip().split()[0]
    assert any(line.strip().startswith(argument) for line in told.partition("Arguments:")[2].splitlines())
