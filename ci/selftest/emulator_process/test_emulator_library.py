"""`vdi-conformance emulator library`: the stand-ins, for programs that are linked or loaded elsewhere."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.adapters.libsqlvdi import Library
from vdi_conformance.cli import main
from vdi_conformance.standins import building

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sources_are_those_that_are_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "library", "--sources", str(tmp_path / "made")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "made")
    written = {path.relative_to(tmp_path / "made") for path in (tmp_path / "made").rglob("*.cpp")}
    assert written == {path.relative_to(building.SOURCES) for path in building.SOURCES.rglob("*.cpp")}
    assert len(written) > 10


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is built on Linux")
def test_a_compiler_that_there_is_not_is_told_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert main(["emulator", "library", str(tmp_path)]) == 4
    assert "There is no C++ compiler no-such-compiler here: install it" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "library", "--sources", __file__]) == 4
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is built on Linux")
def test_it_is_built_once_and_copied_from_then_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for place in (tmp_path / "one", tmp_path / "two"):
        assert main(["emulator", "library", str(place)]) == 0
        assert [path.name for path in place.iterdir()] == ["libsqlvdi.so"]
        Library(str(place / "libsqlvdi.so"))
    monkeypatch.setattr(building.Target, "make", lambda *_: pytest.fail("it is built again"))
    assert main(["emulator", "library", str(tmp_path / "three")]) == 0
    capsys.readouterr()


@pytest.mark.long
@pytest.mark.parametrize("bits", ["64", "32"])
def test_that_of_windows_comes_with_its_programs(
    bits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("x86_64-w64-mingw32-g++" if bits == "64" else "i686-w64-mingw32-g++") is None:
        pytest.skip("there is no compiler for Windows")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["emulator", "library", "--windows", "--bits", bits, str(tmp_path / "made")]) == 0
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["osql.exe", "sqlcmd.exe", "sqlvdi.dll"]
    assert all(path.read_bytes()[:2] == b"MZ" for path in (tmp_path / "made").iterdir())
    capsys.readouterr()
