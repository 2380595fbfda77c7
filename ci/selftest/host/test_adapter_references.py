"""References to adapters: what each form leads to, and one sentence for each that leads nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.adapters.references import BUILT_IN
from vdi_fixtures import hosts


def test_a_built_in_name() -> None:
    spec = resolve("emulator")
    assert (spec.kind, spec.target, spec.title) == ("python", BUILT_IN["emulator"], "emulator")


def test_a_class_of_a_package_is_not_imported() -> None:
    spec = resolve("vdi_fixtures.hosts.raises_on_import:Adapter")
    assert (spec.kind, spec.target) == ("python", "vdi_fixtures.hosts.raises_on_import:Adapter")
    assert "vdi_fixtures.hosts.raises_on_import" not in sys.modules


def test_a_class_of_a_file_is_found_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert resolve("mine.py:Mine").target == f"{tmp_path / 'mine.py'}:Mine"


def test_a_manifest_gives_the_command(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "host.exe"
    program.write_text("")
    program.chmod(0o755)
    path = tmp_path / "vendor.toml"
    path.write_text('command = ["bin/host.exe", "-v"]\nname = "Vendor"\ndirectory = "."\n[env]\nA = "1"\n')
    spec = resolve(str(path))
    assert (spec.kind, spec.title, spec.env) == ("command", "Vendor", (("A", "1"),))
    assert Path(spec.argv[0]) == program
    assert spec.argv[1:] == ("-v",)
    assert spec.cwd is not None
    assert Path(spec.cwd) == tmp_path


def test_a_manifest_without_a_name_is_called_as_its_file(tmp_path: Path) -> None:
    spec = resolve(hosts.manifest("hangs", tmp_path))
    assert spec.title == "hangs"
    assert spec.argv[1:] == ("-m", "vdi_fixtures.hosts.hangs")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("emulater", r"'emulater' is no reference to an adapter: use a built-in name \(emulator"),
        ("", "is no reference"),
        (":Class", "is no reference"),
        ("package.module:", "is no reference"),
        ("pack age:Class", "is no reference"),
        ("no_such_package.module:Class", "no package 'no_such_package' is installed here; install it"),
        ("no/such/file.py:Class", r"there is no file .*file\.py; correct its path"),
        ("no/such/file.toml", r"file\.toml: the manifest cannot be read"),
        ("x" * 5000 + ".py:Class", r"there is no file .*; correct its path"),
        ("sqlserver:" + "x" * 5000, r"there is no library .*; correct its path"),
        ("x" * 5000 + ".toml", r"the manifest cannot be read \(.*\); correct its path"),
    ],
)
def test_a_reference_that_leads_nowhere(reference: str, sentence: str) -> None:
    with pytest.raises(UnknownAdapter, match=sentence):
        resolve(reference)


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ("command", r"is not TOML \(it ends in the middle|column\)"),
        ("", "the key 'command' is missing; add a list of strings, the program first"),
        ("command = []", "the key 'command' must be a list of strings, the program first"),
        ("command = 'x'", "the key 'command' must be a list of strings"),
        ("command = ['x', 1]", "the key 'command' must be a list of strings"),
        ("comand = ['x']", "the key 'comand' is not known; use command, name, env, directory"),
        ("command = ['x']\nname = 1", "the key 'name' must be a string, not 1"),
        ("command = ['x']\nenv = {A = 1}", "the key 'env' must be a table of strings"),
        ("command = ['x']\ndirectory = 'nowhere'", "the key 'directory' names .*nowhere, which is no directory"),
        ("command = ['no-such-program-here']", "the key 'command' names no-such-program-here"),
        ("command = ['bin/nothing']", "the key 'command' names .*nothing, which is no program here"),
    ],
)
def test_a_manifest_that_is_of_no_use(tmp_path: Path, manifest: str, sentence: str) -> None:
    path = tmp_path / "vendor.toml"
    path.write_text(manifest)
    with pytest.raises(UnknownAdapter, match=sentence) as caught:
        resolve(str(path))
    assert str(path) in str(caught.value)
