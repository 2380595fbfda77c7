"""Whether a check costs as much among many as among few: one parametrised check with 1, 4 and 16 times its parameters.

Each is a pytest run of its own with two workers. What a run costs that does nearly nothing is taken off, and the rest
is divided by the checks: the ratios to the smallest should be within a tenth of 1.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

assert sys.platform != "win32"

CHECK: Final = """
import pytest
from check import share_a_buffer
from vdi_conformance.suite.conftest import testbed


@pytest.mark.vdi_requirement("MBH-02")
@pytest.mark.parametrize("number", range({count}))
def test_bytes_are_shared(testbed, number):
    share_a_buffer(testbed)
"""
HERE: Final = Path(__file__).parent
TIMES: Final = (1, 4, 16)


class Cost(NamedTuple):
    """What a run has cost, in seconds."""

    wall: float
    cpu: float


def main() -> int:
    """Make the runs and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=60, metavar="N", help="checks of the smallest run (default 60)")
    checks = parser.parse_args().checks
    empty = _cost(2)
    first: Cost | None = None
    for times in TIMES:
        found = _cost(checks * times)
        each = Cost(*(1000 * (whole - bare) / (checks * times - 2) for whole, bare in zip(found, empty, strict=True)))
        first = first or each
        print(
            f"{checks * times:>6} checks: {each.wall:5.1f} ms and {each.cpu:5.1f} ms of CPU each, "
            f"{each.wall / first.wall:.2f} and {each.cpu / first.cpu:.2f} times those among {checks}"
        )
    return 0


def _cost(count: int) -> Cost:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "test_many.py"
        path.write_text(CHECK.format(count=count))
        options = ["-q", "-n", "2", "-p", "no:cacheprovider", "--vdi-adapter", "emulator"]
        evidence = ["--vdi-evidence", str(Path(directory) / "evidence.jsonl")]
        began = time.monotonic()
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *evidence, str(path)],
            env=os.environ | {"PYTHONPATH": str(HERE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout is not None
        said = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            sys.exit(f"the checks did not pass, so that there is nothing to measure:\n{said}")
        return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
