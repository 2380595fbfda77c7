"""Archives: processes import from one file what another process has imported."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.starting.interpreter import interpreter_command
from vdi_conformance.host.starting.spawned import PlainStarter
from vdi_conformance.host.supervisor import Supervisor

WRITE = "vdi_conformance.host.starting.import_archive", "write(a[0], a[1:])"

INNER = """
def say() -> None:
    print("archived")


def fail() -> None:
    raise KeyError
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write an archive of a package with one module, and delete the package's own file."""
    package = tmp_path / "packed"
    package.mkdir()
    (package / "__init__.py").write_text("from packed import inner\n", "utf-8")
    (package / "inner.py").write_text(INNER, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = str(tmp_path / "archive")
    output(interpreter_command(*WRITE, path, "packed", "packed.missing"))
    (package / "__init__.py").unlink()
    return path


def output(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def test_a_module_is_imported_from_the_archive_whatever_became_of_its_file(archive: str) -> None:
    assert output(interpreter_command("packed", "inner.say()", archive=archive)).split() == ["archived"]


def test_what_the_archive_lacks_is_found_in_the_directory_of_its_package(archive: str, tmp_path: Path) -> None:
    (tmp_path / "packed" / "late.py").write_text("def say() -> None:\n    print('late')\n", "utf-8")
    assert output(interpreter_command("packed.late", "say()", archive=archive)).split() == ["late"]


def test_an_error_in_a_archived_module_shows_its_file_and_line(archive: str, tmp_path: Path) -> None:
    written = output(interpreter_command("packed.inner", "fail()", archive=archive))
    assert f'{tmp_path / "packed" / "inner.py"}", line 7, in fail' in written
    assert "raise KeyError" in written


def test_hosts_start_from_a_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdi_conformance.host.supervisor.PlainStarter", lambda: PlainStarter(archiving=True))
    with Supervisor("spawn") as supervisor:
        host = supervisor.launch(resolve("emulator"), "broker")
        assert host.initialized.identity.name == "emulator"
        client = supervisor.launch(resolve("emulator"))
        client.call(NewSet(set="s"))
        assert [path.name for path in Path(supervisor.directory).glob("archive-*")] == ["archive-0"]
