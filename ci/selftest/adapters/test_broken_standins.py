"""Libraries that are wrong in one way: each is found by a check of the requirement that it breaks, or refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

import native
from faulty import Fault, copy, faults
from selftest.suite.runs import judging, run_suite_in
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.proof.schedule import red

if TYPE_CHECKING:
    from pathlib import Path

EVERYDAY: Final = ("a_method_has_no_symbol", "a_negative_time_is_over_at_once", "size_and_position_change_places")
"""One of each kind; every one has a library of its own to be compiled."""
HERE = [
    pytest.param(fault, id=fault.name, marks=() if fault.name in EVERYDAY else pytest.mark.long)
    for fault in faults()
    if "linux" in fault.abis
]


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")
@pytest.mark.parametrize("fault", HERE)
def test_a_broken_library_is_found(fault: Fault, tmp_path: Path) -> None:
    copy(fault, tmp_path / "sources")
    library = tmp_path / "libsqlvdi.so"
    native.library("-O0").make(tmp_path / "sources", library)
    chosen = ("--adapter", f"sqlserver:{library}", "--server", "emulator", *judging(fault.requirement))
    run = run_suite_in(tmp_path, *chosen)
    if fault.refused:
        assert run.exit_code == 4
        assert "has no symbol _ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc" in run.output
    else:
        seen = {check.verdict for check in run.judging(fault.requirement)} & set(red(fault.requirement))
        assert seen, run.output
        assert run.exit_code == (1 if "failed" in seen else 0), run.output


def test_every_fault_of_a_library_breaks_a_requirement_that_has_checks() -> None:
    # Those of 32-bit x86 alone are found by raw calls, outside every run.
    tried = [fault for fault in faults() if fault.abis != ("x86",)]
    assert [fault.name for fault in tried if fault.requirement not in checks_by_requirement()] == []
