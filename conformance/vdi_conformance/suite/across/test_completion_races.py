"""CompleteCommand on several threads at the same moment: one of them completes the command, the server sees it once."""

import pytest

from vdi_conformance.harness.device import Device, Fetched
from vdi_conformance.harness.expectations import PendingAnswer
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.errors import MethodNotFound
from vdi_conformance.host.messages.client import CompletedConcurrently
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, name_of

RACES = 200
Counts = tuple[int | None, ...]
Racing = PendingAnswer[CompletedConcurrently, list[list[int]]]


# A device is meant for one thread (Q45), so that which codes rivals get is no more than CMP-14 asks for; what the
# server sees is another matter.
@OWNERS
@vdi_requirement("CMP-14")
def test_one_of_two_threads_completes_a_command(testbed: Testbed, owner: int) -> None:
    """Of two threads that complete a command at once one gets NOERROR, and the BACKUP succeeds."""
    backup = testbed.backup(Scenario(owners=(owner,), transfers=RACES, buffer_count=2))
    _require_one_winner_each(_race_through(backup, (None, None)))
    backup.close()
    backup.require_success(backup.outcome())


@pytest.mark.parametrize(
    ("owner", "counts"),
    [(0, (512, 1024)), (1, (1024, 512)), (1, (1, 2, 3, 4))],
    ids=["primary", "secondary", "four threads"],
)
@vdi_requirement("CMP-20")
def test_the_server_sees_the_completion_of_the_thread_that_won(testbed: Testbed, owner: int, counts: Counts) -> None:
    """The server sees one completion of a command that threads complete at once, with the winner's count."""
    scripted = testbed.scripted(Scenario(owners=(owner,), buffer_count=1))
    _require_one_winner_each(_race_commands(scripted, counts))
    scripted.check_completions()


def _require_one_winner_each(races: list[list[int]]) -> None:
    assert races, "no command came"
    for number, codes in enumerate(races):
        if sorted(codes) != [NOERROR] + [VD_E_INVALID] * (len(codes) - 1):
            names = ", ".join(map(name_of, codes))
            raise ConformanceFailure(f"threads that completed command {number} at the same moment got {names}")


def _race_through(statement: StatementRun, counts: Counts) -> list[list[int]]:
    """Race for every command of the only device, to its end."""
    try:
        return statement.device.send_concurrent_completions(counts).result()
    except MethodNotFound:
        return [_race_by_single_calls(command, counts) for command in statement.commands()]


def _race_commands(scripted: ScriptedSet, counts: Counts) -> list[list[int]]:
    """Race for commands that the server sends one after the other."""
    racing = _start(scripted.device, counts)
    buffer = scripted.allocate()
    single: list[list[int]] = []
    for _ in range(RACES):
        scripted.send(buffer)
        if racing is None:
            single.append(_race_by_single_calls(scripted.device.next_command(), counts))
        if scripted.completion() is None:
            raise ConformanceFailure("a command that was completed never reached the server")
    return single if racing is None else racing.result()


def _start(device: Device, counts: Counts) -> Racing | None:
    """Let the host race; a host that makes single calls only is found out before it is waited for."""
    try:
        device.send_concurrent_completions(counts, limit=0).result()
    except MethodNotFound:
        return None
    return device.send_concurrent_completions(counts, limit=RACES)


def _race_by_single_calls(command: Fetched, counts: Counts) -> list[int]:
    size = command.size if command.code in DATA_COMMANDS else 0
    racing = [
        command.device.send_complete(command, ERROR_SUCCESS, size if count is None else count, thread=f"rival {number}")
        for number, count in enumerate(counts)
    ]
    return [one.result().code for one in racing]
