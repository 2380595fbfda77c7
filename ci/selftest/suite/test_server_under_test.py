"""The server role is judged where it is the adapter's own product, and nowhere else."""

from pathlib import Path

import pytest

from selftest.suite.runs import RunSuite

CHECK = "--check=CFG/a_backup_is_told_by_write_media"
ADAPTERS = """
from dataclasses import replace

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Capabilities


class LibraryOnly(Emulator):
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), server_under_test=False)


class ServerOnly(Emulator):
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), broker=False)
"""


@pytest.fixture
def adapters(tmp_path: Path) -> Path:
    """The file of an adapter that borrows its server role, and of one that serves on the machine of another."""
    path = tmp_path / "adapters.py"
    path.write_text(ADAPTERS, "utf-8")
    return path


def test_a_server_of_the_adapters_own_is_judged(run_suite: RunSuite) -> None:
    assert [*run_suite("--adapter", "emulator", CHECK).verdicts().values()] == ["passed"]


def test_a_borrowed_server_is_not_judged(run_suite: RunSuite, adapters: Path) -> None:
    run = run_suite("--adapter", f"{adapters}:LibraryOnly", CHECK)
    assert [*run.verdicts().values()] == ["not applicable"], run.output


def test_the_server_of_another_adapter_is_not_judged(run_suite: RunSuite, adapters: Path) -> None:
    run = run_suite("--adapter", "emulator", "--server", f"{adapters}:ServerOnly", CHECK)
    assert [*run.verdicts().values()] == ["not applicable"], run.output
