"""The rules of sets, commands and handles where there are very many of them: only --endurance goes that far."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.harness.endurance import LOT, ROUNDS
from vdi_conformance.harness.judging import Needed, judging, vdi_requirement
from vdi_conformance.harness.kept import Kept
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, mapped_view, require_same_memory
from vdi_conformance.harness.transfers import Transfers
from vdi_conformance.host.errors import MethodNotFound
from vdi_conformance.host.messages.client import CompleteCommand, GetCommand
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_READ, VDC_WRITE
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.endurance import Endurance, Progress
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.testbed import Testbed

pytestmark = pytest.mark.vdi_endurance
DEVICES: Final = 16
OWNERS: Final = tuple(range(8))
"""Each process has two of the devices."""


@vdi_requirement("CRE-01", "CLS-05", "CLS-04")
def test_sets_are_created_and_closed_many_thousand_times(
    testbed: Testbed, endurance: Endurance, progress: Progress
) -> None:
    """CreateEx and Close give NOERROR each time, and leave nothing behind, for 10,000 sets of one object and more."""
    client = testbed.client("primary")
    every = max(1, endurance.created // LOT // ROUNDS)
    kept = Kept(testbed.session, [client], sets=every * LOT)
    for number, lot in enumerate(progress.lots(endurance.created, "sets"), 1):
        calls = [(client.send_create_ex(None, testbed.name(), VDConfig()), client.send_close()) for _ in range(lot)]
        for creating, closing in calls:
            creating.result().expect(NOERROR, by="CRE-01")
            closing.result().expect(NOERROR, by="CLS-05")
        if not number % every:
            kept.end_round()
    testbed.series = kept.series
    kept.require_nothing("Close", by="CLS-04")


@vdi_requirement("CLS-13", "CLS-01")
def test_statements_run_thousands_of_times(testbed: Testbed, endurance: Endurance, progress: Progress) -> None:
    """The same objects serve set after set with shared buffers, and Close leaves nothing behind, thousands of times."""
    scenario = Scenario(transfers=1, secondaries=1)
    clients = testbed.clients(scenario)
    every = max(1, endurance.run // ROUNDS)
    kept = Kept(testbed.session, clients, sets=every)
    with judging("CLS-13"):
        sets = testbed.backups(scenario, endurance.run, clients)
        for number, statement in enumerate(progress.over(sets, endurance.run, "statements"), 1):
            statement.configure()
            statement.join_all()
            statement.open_devices()
            command = statement.next_data_command()
            _share(clients[1], command, seed=testbed.seed + number)
            statement.answer(command).expect(NOERROR)
            if not number % every:
                kept.look()
            statement.succeed()
            if not number % every:
                kept.end_round()
    testbed.series = kept.series
    kept.require_nothing("Close", by="CLS-01")


def _share(other: Client, command: Fetched, seed: int) -> None:
    """See that another process sees the bytes of a buffer."""
    handle = command.device.client.get_buffer_handle(command.buffer).expect(NOERROR, by=Needed("GBH-01"))
    require_same_memory(command.size, fetched_view(command), mapped_view(other, handle), seed=seed)


@vdi_requirement("CMD-01", "CMP-01")
def test_one_device_passes_a_hundred_thousand_commands(
    testbed: Testbed, endurance: Endurance, progress: Progress
) -> None:
    """GetCommand and CompleteCommand of one device serve 100,000 commands of one set, and more, one like the other."""
    scripted = testbed.scripted()
    scripted.primary.most_commands = 2 * endurance.commands
    every = max(1, endurance.commands // LOT // ROUNDS)
    kept = Kept(testbed.session, [scripted.primary], sets=every * LOT)
    for number, lot in enumerate(progress.lots(endurance.commands, "commands"), 1):
        sending = [scripted.start_to_send(code=VDC_FLUSH) for _ in range(lot)]
        tags = scripted.all_sent(sending)
        _serve(scripted, lot)
        for tag in tags:
            with judging("CMP-01"):
                scripted.completed(tag, 0, 0)
        if not number % every:
            kept.end_round()
    _observe(testbed, kept, "commands")


def _observe(testbed: Testbed, kept: Kept, what: str) -> None:
    """Note what clients had on the way: nothing says that commands of a set that is open leave nothing behind."""
    testbed.series = kept.series
    testbed.observe(
        "CLS-01", f"what a client has ever more of with the {what} of one set", ", ".join(kept.growing) or "nothing"
    )


def _serve(scripted: ScriptedSet, commands: int) -> None:
    """Fetch and complete so many commands, within the host where it can do that."""
    device = scripted.device
    try:
        served = device.send_serve(limit=commands).result(patience=60)
    except MethodNotFound:
        for _ in range(commands):
            command = device.get_command().expect(NOERROR, by="CMD-01")
            device.complete(command).expect(NOERROR, by="CMP-01")
        return
    if served.refused is not None:
        device.client.code(CompleteCommand, served.refused).expect(NOERROR, by="CMP-01")
    device.client.code(GetCommand, served.code).expect(NOERROR, by="CMD-01")
    device.took(commands)


@vdi_requirement("BUF-03", "BUF-04", "CMD-12", "SEC-09")
def test_sixteen_devices_of_eight_processes_pass_a_hundred_thousand_transfers(
    testbed: Testbed, endurance: Endurance, progress: Progress
) -> None:
    """Over 16 devices of 8 processes both ends see the same bytes, in 100,000 Writes and Reads and more."""
    scripted = testbed.scripted(Scenario(devices=DEVICES, owners=OWNERS, buffer_count=DEVICES))
    for client in scripted.clients:
        client.most_commands = 2 * endurance.transfers
    transfers = Transfers(scripted, testbed.seed)
    rounds = -(-endurance.transfers // DEVICES)
    every = max(1, rounds // ROUNDS)
    kept = Kept(testbed.session, scripted.clients, sets=every * DEVICES)
    codes = islice(cycle((VDC_WRITE, VDC_READ)), rounds)
    for number, code in enumerate(progress.over(codes, rounds, f"rounds of {DEVICES} transfers"), 1):
        transfers.pass_round(code)
        if not number % every:
            kept.end_round()
    _observe(testbed, kept, "transfers")
