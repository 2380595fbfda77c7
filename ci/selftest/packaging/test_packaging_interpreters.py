"""ci/interpreters.py and ci/wheel.py: which Pythons are found, and what cannot be asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import interpreters
import wheel

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="this is no CPython")
def test_the_python_that_asks_is_found_outside_of_its_environment() -> None:
    found = interpreters.find(THIS)
    assert found is not None
    told = subprocess.run(
        [found, "-c", "import sys; print(sys.prefix == sys.base_prefix)"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "True\n"


def test_what_is_not_there_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    (tmp_path / "versions" / "3.99.1").mkdir(parents=True)
    assert interpreters.find("3.99") is None


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program on Windows")
@pytest.mark.parametrize(
    "said", ["", "PyPy\n3.99\n/usr/bin/pypy", "CPython\n3.98\n/usr/bin/python", "CPython\n3.99\n/opt/python"]
)
def test_what_has_the_name_alone_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str) -> None:
    program = tmp_path / "python3.99"
    program.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreters.find("3.99") == (Path("/opt/python") if said.endswith("/opt/python") else None)


def test_a_python_that_the_project_is_not_for_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert wheel.try_all(Path(sys.executable), ["--whole", "3.10"]) == wheel.WRONG_USAGE
    assert capsys.readouterr().out == (
        "There is no 3.10 to try the wheel on: say lowest or one of 3.11, 3.12, 3.13, 3.14.\n"
    )
