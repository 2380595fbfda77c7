"""Bundles: processes import from one file what another process has imported."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.starting.boot import boot
from vdi_conformance.host.starting.plain import PlainStarter
from vdi_conformance.host.supervisor import Supervisor

WRITE = "vdi_conformance.host.starting.bundle", "write(a[0], a[1:])"

INNER = """
def say() -> None:
    print("bundled")


def fail() -> None:
    raise KeyError
"""


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a bundle of a package with one module, and delete the package's own file."""
    package = tmp_path / "packed"
    package.mkdir()
    (package / "__init__.py").write_text("from packed import inner\n", "utf-8")
    (package / "inner.py").write_text(INNER, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = str(tmp_path / "bundle")
    output(boot(*WRITE, path, "packed", "packed.missing"))
    (package / "__init__.py").unlink()
    return path


def output(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
    return done.stdout + done.stderr


def test_a_module_is_imported_from_the_bundle_whatever_became_of_its_file(bundle: str) -> None:
    assert output(boot("packed", "inner.say()", bundle=bundle)).split() == ["bundled"]


def test_what_the_bundle_lacks_is_found_in_the_directory_of_its_package(bundle: str, tmp_path: Path) -> None:
    (tmp_path / "packed" / "late.py").write_text("def say() -> None:\n    print('late')\n", "utf-8")
    assert output(boot("packed.late", "say()", bundle=bundle)).split() == ["late"]


def test_an_error_in_a_bundled_module_shows_its_file_and_line(bundle: str, tmp_path: Path) -> None:
    written = output(boot("packed.inner", "fail()", bundle=bundle))
    assert f'{tmp_path / "packed" / "inner.py"}", line 7, in fail' in written
    assert "raise KeyError" in written


def test_hosts_start_from_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdi_conformance.host.supervisor.PlainStarter", lambda: PlainStarter(bundling=True))
    with Supervisor("plain") as supervisor:
        host = supervisor.launch(resolve("emulator"), "machine")
        assert host.initialized.identity.name == "emulator"
        client = supervisor.launch(resolve("emulator"))
        client.call(NewSet(set="s"))
        assert [path.name for path in Path(supervisor.directory).glob("bundle-*")] == ["bundle-0"]
