"""Secondaries at work: they run devices as threads of the primary would, and leave one by one."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_REQUEST_COMPLETE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import INFINITE, VDConfig

SHARES = {
    "one": Scenario(owners=(1,)),
    "two": Scenario(devices=2, owners=(1, 2)),
    "eight": Scenario(devices=8, owners=(1, 2, 3, 4, 5, 6, 7, 8), buffer_count=8),
    "two with three devices each": Scenario(devices=6, owners=(1, 2), buffer_count=6),
    "one and the primary": Scenario(devices=2, owners=(0, 1)),
}
SECONDARIES = alternating_direction("secondaries", [1, 2, 8], ["1 secondary", "2 secondaries", "8 secondaries"])


# Running devices


@pytest.mark.parametrize("share", ["eight", "two with three devices each", "one and the primary"])
@vdi_requirement("SEC-09")
def test_secondaries_carry_whole_streams(testbed: Testbed, share: str) -> None:
    """Secondaries run devices as threads of the primary would: what they backed up can be restored."""
    streams = testbed.directory("streams")
    testbed.backup(SHARES[share], streams).succeed()
    testbed.restore(SHARES[share], streams).succeed()


@vdi_requirement("SEC-09")
def test_secondaries_open_devices_as_the_primary_does(testbed: Testbed, kind: Kind) -> None:
    """Where the primary opened two devices, each secondary opens two, and a statement runs over all of them."""
    statement = testbed.configured(kind, Scenario(devices=6, owners=(0, 0, 1, 2, 1, 2), buffer_count=6))
    statement.join_all()
    for index in (0, 1):
        statement.open_device(index)
    with judging("SEC-09"):
        for index in (2, 3, 4, 5):
            statement.open_device(index)
    statement.succeed()


@vdi_requirement("SEC-10")
def test_a_secondary_learns_the_configuration_at_once(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration of a secondary gives NOERROR at once while every device holds a command."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 0), secondaries=2))
    statement.hold_all()
    for secondary in statement.secondaries:
        secondary.get_configuration(INFINITE).expect(NOERROR)
        secondary.get_configuration(0).expect(NOERROR)


@vdi_requirement("SEC-10")
def test_a_secondary_learns_the_configuration_while_its_device_waits(testbed: Testbed) -> None:
    """GetConfiguration of a secondary gives NOERROR at once while its own device waits in GetCommand."""
    scripted = testbed.scripted(Scenario(owners=(1,)))
    waiting = scripted.device.send_get_command()
    scripted.secondaries[0].get_configuration(INFINITE).expect(NOERROR)
    tag = scripted.send(code=VDC_FLUSH)
    scripted.device.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.completed(tag, 0, 0)


@alternating_direction(
    "scenario",
    [
        Scenario(owners=(1,), secondaries=8),
        Scenario(
            devices=3,
            owners=(0, 1, 2),
            block_size=4096,
            max_transfer_size=131072,
            prefix_zone_size=24,
            alignment=8192,
            features=VDF_REQUEST_COMPLETE,
            server_time_out=3_600_000,
        ),
    ],
    ["plain", "everything asked for"],
)
@vdi_requirement("SEC-11")
def test_all_processes_are_told_one_configuration(testbed: Testbed, kind: Kind, scenario: Scenario) -> None:
    """GetConfiguration gives each secondary the same values as the primary, bufferAreaSize aside."""
    statement = testbed.statement(kind, scenario)
    wanted = _described(statement.primary)
    for turn in range(2):
        for secondary in statement.secondaries:
            found = _described(secondary)
            assert found == wanted, f"{secondary.name} was told {found}, the primary {wanted}"
        if turn == 0:
            statement.answer(statement.next_data_command()).expect(NOERROR)
    statement.succeed()


def _described(client: Client) -> VDConfig:
    """Ask for the configuration without bufferAreaSize, of which no document says what it is (CFG-22)."""
    return client.get_configuration().expect(NOERROR)._replace(buffer_area_size=0)


@alternating_direction("opener", [0, 1], OWNER_NAMES)
@vdi_requirement("SEC-21", "OPD-17")
def test_a_device_is_open_in_one_process_alone(testbed: Testbed, kind: Kind, opener: int) -> None:
    """OpenDevice of a device that another process opened fails, with the code of a device that is already open."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=(opener, 1 - opener), secondaries=2))
    statement.join_all()
    statement.open_device(0)
    others = [one for one in statement.clients if one is not statement.device.client]
    for other in others:
        answer = other.open_device(statement.set_name)
        answer.expect_failure(by="SEC-21")
        answer.permit("Q31", "OpenDevice of a device that another process opened", VD_E_PROTOCOL, by="OPD-17")
    statement.open_device(1)
    for other in others:
        answer = other.open_device(statement.set_name)
        answer.expect_failure(by="SEC-21")
        subject = "OpenDevice in another process, all devices open"
        answer.permit("Q2", subject, VD_E_OPEN, VD_E_PROTOCOL, by="OPD-17")
    with judging("SEC-21"):
        statement.succeed()


# Leaving


@SECONDARIES
@vdi_requirement("SEC-18")
def test_secondaries_do_all_the_work_and_leave_before_the_primary(
    testbed: Testbed, kind: Kind, secondaries: int
) -> None:
    """Secondaries close after VD_E_CLOSE, the primary closes last, and the statement succeeds."""
    statement = _carried_by_secondaries(testbed, kind, secondaries)
    with judging("SEC-18"):
        for secondary in reversed(statement.secondaries):
            secondary.close().expect(NOERROR)
            secondary.leave()
        statement.primary.close().expect(NOERROR)
        statement.require_success(statement.outcome())


@SECONDARIES
@vdi_requirement("SEC-12")
def test_a_primary_needs_no_device(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    """A primary without a device closes as any other, after secondaries did all the work."""
    statement = _carried_by_secondaries(testbed, kind, secondaries)
    for secondary in reversed(statement.secondaries):
        secondary.close().expect(NOERROR, by="SEC-18")
    # Only that it has no device sets this primary apart from any that closes last.
    with judging("SEC-12"):
        statement.primary.close().expect(NOERROR)
    statement.require_success(statement.outcome())


def _carried_by_secondaries(testbed: Testbed, kind: Kind, secondaries: int) -> StatementRun:
    """Run a statement to the end of its devices, of which the primary has none."""
    owners = tuple(range(1, secondaries + 1))
    statement = testbed.statement(kind, Scenario(devices=secondaries, owners=owners, buffer_count=8))
    for command in statement.data_commands():
        statement.answer(command).expect(NOERROR, by="CMP-01")
    return statement


@pytest.mark.parametrize("owner", [0, 2], ids=["primary", "secondary"])
@vdi_requirement("CLS-15")
def test_who_leaves_after_its_devices_closed_disturbs_nobody(testbed: Testbed, owner: int) -> None:
    """Close of a secondary whose devices gave VD_E_CLOSE leaves the rest of the set working."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(1, owner, 1), secondaries=2))
    leaver = scripted.secondaries[0]
    assert all(scripted.passes(device, 2) for device in range(3)), "the set was aborted"
    for device in (0, 2):
        scripted.close_device(device)
        scripted.devices[device].get_command().expect(VD_E_CLOSE, by="CMD-05")
    _share_one_command(testbed, scripted, owner)
    leaver.close().expect(NOERROR)
    with judging("CLS-15"):
        _share_one_command(testbed, scripted, owner)
        assert scripted.passes(1, 100), "the set was aborted"
        scripted.close_device(1)
        scripted.devices[1].get_command().expect(VD_E_CLOSE, by="CMD-05")
        scripted.secondaries[1].close().expect(NOERROR)
        scripted.primary.close().expect(NOERROR)


def _share_one_command(testbed: Testbed, scripted: ScriptedSet, owner: int) -> None:
    """Pass a command of the second device, whose buffer another process than its owner's maps."""
    tag = scripted.send(scripted.allocate(), device=1)
    held = scripted.devices[1].next_command()
    view = mapped_view(scripted.clients[2 - owner], handle_of(held))
    require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
    held.device.complete(held, 0, held.size).expect(NOERROR)
    scripted.completed(tag, 0, held.size)


@pytest.mark.parametrize("owner", [0, 2], ids=["primary", "secondary"])
@vdi_requirement("GBH-20")
def test_who_leaves_takes_no_buffer_from_others(testbed: Testbed, owner: int) -> None:
    """A handle stays good for as long as its command is held, whichever other processes close meanwhile."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(1, owner), secondaries=3))
    holder, mapper = scripted.devices[1].client, scripted.secondaries[2]
    tags = [scripted.send(scripted.allocate(), device=1) for _ in range(2)]
    commands = [scripted.devices[1].next_command() for _ in tags]
    earlier = handle_of(commands[0])
    # What comes by the number of mappings alone comes before anybody leaves.
    for command in commands * 3:
        view = mapped_view(mapper, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    scripted.close_device(0)
    scripted.device.get_command().expect(VD_E_CLOSE, by="CMD-05")
    for leaver in scripted.secondaries[:1] + scripted.secondaries[1:2] * (owner == 0):
        leaver.close().expect(NOERROR, by="SEC-18")
        with judging("GBH-20"):
            for command in commands:
                view = mapped_view(mapper, handle_of(command))
                require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
            again = mapped_view(holder, earlier)
            require_same_memory(commands[0].size, fetched_view(commands[0]), again, seed=testbed.seed)
    for tag, command in zip(tags, commands, strict=True):
        command.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("CLS-20")
def test_who_only_mapped_leaves_unnoticed(testbed: Testbed, kind: Kind, owner: int) -> None:
    """Close of a secondary that opened no device gives NOERROR, a second one VD_E_PROTOCOL, and the set goes on."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=3, transfers=12))
    *_, stayer, leaver = statement.secondaries
    command = statement.next_data_command()
    handle = handle_of(command)
    mapped_view(leaver, handle)
    leaver.close().expect(NOERROR)
    _require_not_open(leaver, statement.set_name)
    require_same_memory(command.size, fetched_view(command), mapped_view(stayer, handle), seed=testbed.seed)
    statement.answer(command).expect(NOERROR)
    statement.forget(leaver)
    statement.succeed()


def _require_not_open(left: Client, device: str) -> None:
    for answer in (left.get_configuration(0), left.open_device(device), left.signal_abort(), left.close()):
        answer.expect(VD_E_PROTOCOL)
