"""ci/environment.py: `.venv` is made once, made anew when what it comes from changed, and never by two at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1"
"""

BACKEND = '''
"""The least that pip takes for a build backend."""

import zipfile


def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
'''

PREPARE = """
import pathlib, sys
from environment import Unprepared, prepare
try:
    print("ready", prepare(pathlib.Path(sys.argv[1])))
except Unprepared as reason:
    print("unprepared", reason)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout in small: nothing to download, and a project that installs at once."""
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "backend.py").write_text(BACKEND, encoding="utf-8")
    return tmp_path


def start(project: Path, python: str = sys.executable) -> subprocess.Popen[str]:
    """Begin to prepare the environment of a project in a process of its own."""
    return subprocess.Popen(
        [python, "-c", PREPARE, str(project)],
        cwd=CI,
        env=os.environ | {"PIP_NO_INDEX": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def prepared(project: Path, python: str = sys.executable) -> str:
    """Prepare and give what was printed."""
    output, _ = start(project, python).communicate(timeout=120)
    return output


def test_what_a_failed_installation_left_is_not_used(project: Path) -> None:
    lock = project / "ci" / "requirements.lock"
    good = lock.read_text(encoding="utf-8")
    lock.write_text(f"missing==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    assert "unprepared Could not install the lock" in prepared(project)
    lock.write_text(good, encoding="utf-8")
    output = prepared(project)
    assert output.startswith("Making .venv")
    assert "\nready" in output


def test_an_environment_of_the_users_own_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "mine.txt").touch()
    assert "was not made by this script: move it away" in prepared(project)
    assert [path.name for path in (project / ".venv").iterdir()] == ["mine.txt"]


def test_of_two_at_once_one_makes_it_and_all_use_it_until_the_lock_changes(project: Path) -> None:
    processes = [start(project), start(project)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert sum("Making .venv" in output for output in outputs) == 1
    outputs.append(prepared(project))
    assert all(f"ready {project / '.venv'}" in output for output in outputs)
    assert outputs[-1].startswith("ready")
    if os.name == "nt":
        return  # It does not let a running interpreter be deleted.
    (project / "ci" / "requirements.lock").write_text("# changed\n", encoding="utf-8")
    output = prepared(project, python=str(project / ".venv" / "bin" / "python"))
    assert output.startswith("Making .venv")
    assert "\nready" in output
