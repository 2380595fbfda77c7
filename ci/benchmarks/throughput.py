"""How fast the emulator moves a BACKUP and a RESTORE over several devices, each in a process of its own.

Three runs: a BACKUP whose clients only digest what they get (the figure to quote), a BACKUP into files, and a RESTORE
from those files. The RESTORE must succeed and its clients must have handed over the very bytes of the BACKUP.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

from emulated import emulator_session
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession

MIB = 1 << 20
PATIENCE = 300.0


def main() -> int:
    """Run all three and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="size of the database (default 1024)")
    parser.add_argument("--devices", type=int, default=4, metavar="N", help="devices and client processes (default 4)")
    parser.add_argument("--transfer", type=int, default=1, metavar="MIB", help="MAXTRANSFERSIZE (default 1)")
    options = parser.parse_args()
    scenario = laid_out(options.size, options.devices, options.transfer * MIB)
    session = emulator_session()
    try:
        with tempfile.TemporaryDirectory(dir=session.supervisor.directory) as directory:
            return _run(session, scenario, Path(directory))
    finally:
        session.close()


def laid_out(size: int, devices: int, transfer: int) -> Scenario:
    """Lay out a statement over `size` MiB in transfers of `transfer` bytes, each device in a process of its own."""
    return Scenario(
        devices=devices,
        owners=tuple(range(devices)),
        max_transfer_size=transfer,
        buffer_count=2 * devices,
        transfers=size * MIB // transfer // devices,
    )


def _run(session: WorkerSession, scenario: Scenario, directory: Path) -> int:
    digests = _timed("BACKUP, digested only", session, "backup", scenario, None)
    made = _timed("BACKUP into files", session, "backup", scenario, directory)
    read_back = _timed("RESTORE from files", session, "restore", scenario, directory)
    on_disk = [_digest(path) for path in sorted(directory.iterdir())]
    same = sorted(made) == sorted(read_back) == sorted(on_disk) and digests is not None
    print("the RESTORE handed over the bytes of the BACKUP" if same else "THE BYTES DIFFER")
    return 0 if same else 1


def _timed(title: str, session: WorkerSession, kind: str, scenario: Scenario, directory: Path | None) -> list[str]:
    testbed = Testbed(session, title)
    start = testbed.backup if kind == "backup" else testbed.restore
    statement = start(scenario, directory)
    began = time.perf_counter()
    digests, moved = serve(statement)
    seconds = time.perf_counter() - began
    statement.close()
    testbed.processes.end(orderly=True)
    print(f"{title:<24} {moved / MIB:8.0f} MiB in {seconds:6.3f} s: {moved / MIB / 1024 / seconds:.2f} GiB/s")
    return digests


def serve(statement: StatementRun, digest: bool = True) -> tuple[list[str], int]:
    """Serve every device to the end of the statement; give the digest of each stream, and the bytes moved."""
    serving = [device.send_serve(statement.stream(device), digest=digest) for device in statement.devices]
    served = [pending.result(patience=PATIENCE) for pending in serving]
    statement.require_success(statement.outcome())
    return [one.digest for one in served], sum(one.bytes for one in served)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
