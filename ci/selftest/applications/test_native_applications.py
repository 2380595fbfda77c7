"""Applications over the stand-in libsqlvdi.so: what its protected pages and its copies of records show."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import native
from selftest.applications import native_site
from selftest.applications.sites import TABLE, listed

if TYPE_CHECKING:
    from pathlib import Path

TOUCHING = {one.application: one.breaks for one in listed() if one.needs_library}
RIGHT = ("right:OneDevice", "right:Threads")


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")
def test_a_library_that_watches_tells_what_the_broker_cannot_see(tmp_path: Path) -> None:
    names = [*RIGHT, *TOUCHING, "wrong.completions:WritesIntoRecords"]
    command = [sys.executable, "-m", native_site.__name__, str(native.build()), str(tmp_path), *names]
    finished = subprocess.run(command, capture_output=True, cwd=TABLE.parents[3] / "ci", check=False, text=True)
    assert finished.returncode == 0, finished.stderr
    seen = json.loads(finished.stdout.splitlines()[-1])
    broken = {name: broken for name, (broken, _) in seen.items()}
    assert broken == {
        **{name: [] for name in RIGHT},
        **{name: [requirement] for name, requirement in TOUCHING.items()},
        "wrong.completions:WritesIntoRecords": ["CMD-15"],
    }
    assert {"BUF-02", "BUF-11", "BUF-17", "CLS-12", "CMD-15"} <= {*seen["right:Threads"][1]}
