"""Run the suite by Microsoft's driver against the emulated SQL Server: `python3 ci/sqlserver_leg.py [PROFILE...]`.

The library is the stand-in libsqlvdi.so, the server `sqlserver`: T-SQL over TDS by mssql-python. The profiles that a
server of statements is enough for, both where none is named, must come to the same verdicts as with the emulator's own
server, apart from what `ci/compare_abis.py` explains; `ci/linux_leg.py` has made that run, or it is made here. Options
of `run` may be given in place of profiles; then nothing is compared.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from environment import ROOT, call, is_newer_than_the_sources, main, tool
from native import build

if TYPE_CHECKING:
    from pathlib import Path

REPORTS: Final = ROOT / "reports"
BY_THE_EMULATOR: Final = REPORTS / "abi-libsqlvdi.jsonl"
PROFILES: Final = ("core", "shared-buffers")


def leg(python: Path, further: list[str]) -> int:
    """Run, and hold the verdicts against those by the emulator's own server; the first exit code but 0 counts."""
    library = f"sqlserver:{build()}"
    command = tool(python, "vdi-conformance")
    run = [command, "run", "--adapter", library, "-n", "2", "--server"]
    driven = [command, "emulator", "--", *run, "sqlserver"]
    if not set(further) <= set(PROFILES):
        return call([*driven, *further])
    if not is_newer_than_the_sources(BY_THE_EMULATOR) and (
        code := call([*run, "emulator", "--evidence", str(BY_THE_EMULATOR)])
    ):
        return code
    for profile in further or PROFILES:
        evidence = REPORTS / f"sqlserver-{profile}.jsonl"
        if code := call([*driven, "--profile", profile, "--evidence", str(evidence)]):
            return code
        if code := call([str(python), "ci/compare_abis.py", "--part", str(BY_THE_EMULATOR), str(evidence)]):
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(leg, sys.argv[1:]))
