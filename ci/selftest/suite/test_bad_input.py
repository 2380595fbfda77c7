"""What a user does wrong gets one sentence with cause and remedy, exit code 4, and no traceback of ours."""

import sys
from pathlib import Path

import pytest

from selftest.commands import run_command
from selftest.suite.runs import Run, RunSuite

WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "-n 2"])
HOSTS = "vdi_fixtures.hosts"


def _manifest(directory: Path, host: str) -> str:
    path = directory / f"{host}.toml"
    path.write_text(f'command = ["{Path(sys.executable).as_posix()}", "-m", "{HOSTS}.{host}"]\n', encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("reference", "cause", "remedy"),
    [
        ("nosuch", "'nosuch' is no reference to an adapter", "use a built-in name (emulator, sqlserver)"),
        ("nosuch.module:Adapter", "nosuch", "install"),
        ("nosuch.py:Adapter", "there is no file", "correct its path"),
        ("nosuch.toml", "cannot be read", "correct its path"),
        (f"{HOSTS}.raises_on_import:Adapter", "ImportError: libvendor.so.7 is missing", "make the adapter importable"),
        (f"{HOSTS}.raises_when_made:Adapter", "OSError: no permission", "make the adapter importable"),
        (f"{HOSTS}.misfits:Nobody", "there is no class Nobody in", "make the adapter importable"),
    ],
)
def test_an_adapter_that_cannot_be_used(run_suite: RunSuite, reference: str, cause: str, remedy: str) -> None:
    _require_one_sentence(run_suite("--adapter", reference), cause, remedy)


@pytest.mark.parametrize(
    ("host", "cause", "remedy"),
    [
        ("prints_garbage", "is no JSON", "print messages to standard error"),
        ("declares_an_unknown_capability", "unknown capability 'teleportation'", "known are"),
        ("dies_at_once", "exited with code", "look for the cause"),
        ("answers_with_a_wrong_id", "whose id is not that of a waiting request", "with its own id"),
        ("claims_a_long_name", "name of identity must have at most 200 characters", "published schema of initialize"),
        (
            "claims_an_unknown_protocol",
            "does not speak version 2.0",
            "install a vdi-conformance that speaks version 999",
        ),
    ],
)
def test_a_host_that_breaks_the_protocol(
    run_suite: RunSuite, tmp_path: Path, host: str, cause: str, remedy: str
) -> None:
    _require_one_sentence(run_suite("--adapter", _manifest(tmp_path, host)), cause, remedy)


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        ("", "the key 'command' is missing", "add a list of strings"),
        ('comand = ["x"]', "'comand'", "use command"),
        ('command = "x"', "command", "list"),
        ("command = [", "m.toml", ""),
    ],
)
def test_a_manifest_that_is_wrong(run_suite: RunSuite, tmp_path: Path, text: str, cause: str, remedy: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    _require_one_sentence(run_suite("--adapter", str(path)), cause, remedy)


def test_a_library_that_is_not_there(run_suite: RunSuite, tmp_path: Path) -> None:
    run_command(tmp_path, "adapter", "init", "skeleton").check_returncode()
    path = tmp_path / "skeleton" / "adapter.py"
    path.write_text(path.read_text(encoding="utf-8").replace("/opt/mssql/lib/libsqlvdi.so", "libnosuch.so"))
    run = run_suite("--adapter", f"{path}:MyVdiAdapter")
    _require_one_sentence(run, "libnosuch.so", "correct LIBRARY in")


def test_an_unknown_check_is_named(run_suite: RunSuite) -> None:
    _require_one_sentence(
        run_suite("--adapter", "emulator", "--check", "a/b"), "there is no check 'a/b'; nearest: ", "lists those of one"
    )


@WORKERS
def test_an_unknown_topic_is_named(run_suite: RunSuite, workers: tuple[str, ...]) -> None:
    _require_one_sentence(
        run_suite("--adapter", "emulator", "--topic", "XYZ", *workers),
        "there is no topic 'XYZ'; nearest: ",
        "lists them all",
    )


def _require_one_sentence(run: Run, cause: str, remedy: str) -> None:
    assert run.exit_code == 4, run.output
    sentence = next(line for line in run.output.splitlines() if line.startswith("ERROR:"))
    assert cause in sentence
    assert remedy in sentence
    assert "vdi_conformance/" not in run.output.replace("\\", "/"), "a traceback of ours"
