"""Clients without anything behind them fail, whatever the profile."""

import pkgutil
from pathlib import Path

import pytest

import vdi_fixtures.trivial
from vdi_conformance.cli import main
from vdi_conformance.requirements.profiles import newest
from vdi_fixtures.impatient import TIME_SCALE

TRIVIAL = [module.name for module in pkgutil.iter_modules(vdi_fixtures.trivial.__path__)]


@pytest.mark.parametrize("profile", [one.name for one in newest()])
@pytest.mark.parametrize("name", TRIVIAL)
def test_it_fails(name: str, profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(TIME_SCALE, "0.1")
    adapter = f"vdi_fixtures.trivial.{name}:Trivial"
    selected = ["--profile", profile, "--requirement", "CMP-06"]
    assert main(["run", "--adapter", adapter, *selected, "--", "-x", "-p", "vdi_fixtures.impatient"]) == 1
