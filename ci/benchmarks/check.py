"""How long a check with a server, a primary and one secondary takes, alone and in two workers side by side.

Each turn starts fresh processes, passes the bytes of one command through the secondary, runs the statement to its
end, and collects how the processes ended. Times are milliseconds.
"""

import argparse
import multiprocessing
import statistics
import time

from emulated import emulator_session
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_contents
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.vdi.hresult import NOERROR

WARM_UP = 5


def main() -> None:
    """Measure alone, then in two processes at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100, metavar="N", help="checks a worker (default 100)")
    turns = parser.parse_args().turns
    _print("alone", _measure(turns, None))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        both = pool.starmap(_measure, [(turns, 0), (turns, 1)])
    _print("two workers, one CPU each", [one for times in both for one in times])


def _measure(turns: int, cpu: int | None) -> list[float]:
    session = emulator_session(cpu)
    try:
        times = [timed_check(session, number) for number in range(WARM_UP + turns)]
    finally:
        session.close()
    return times[WARM_UP:]


def timed_check(session: WorkerSession, number: int) -> float:
    """Play one check and give how long it took, in milliseconds."""
    began = time.perf_counter()
    testbed = Testbed(session, f"session {number}")
    share_a_buffer(testbed)
    testbed.processes.end(orderly=True)
    return 1000 * (time.perf_counter() - began)


def share_a_buffer(testbed: Testbed) -> None:
    """Pass the bytes of one command through a secondary, and run its statement to the end."""
    statement = testbed.backup(Scenario(secondaries=1, transfers=1))
    command = statement.device.next_data_command()
    view = mapped_view(statement.secondaries[0], handle_of(command))
    require_same_contents(command.size, fetched_view(command), view)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


def _print(title: str, times: list[float]) -> None:
    last = statistics.quantiles(times, n=100)[98]
    print(f"{title:<28} median {statistics.median(times):5.1f} ms, p99 {last:5.1f} ms")


if __name__ == "__main__":
    main()
