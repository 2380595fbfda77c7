"""CompleteCommand: all kinds of codes, counts, positions and pointers, one after the other on a few sets."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.memory import PAGE
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view
from vdi_conformance.suite.cmp.seen_by_server import require_seen
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDC_COMMAND_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.statement_run import Kind
    from vdi_conformance.harness.testbed import Testbed

CODES = (
    *(1, 2, 5, 6, 7, 8, 10, 19, 21, 23, 27, 29, 30, 38, 39, 50, 55, 87, 112, 121, 170, 995),
    *(1100, 1101, 1102, 1104, 1106, 1110, 1112, 1117, 1129, 1167, 1235, 1450, 12345, 0x7FFF, 0x8000, 0xFFFF),
    0x20000001,
)
"""System error codes of all sizes, and one that an application defines (its bit 29 says so)."""
COUNTS = (1, 777, 65537, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
POSITIONS = (1, 0xFFFFFFFF, 1 << 32, 1 << 63, (1 << 64) - 1)
WITHOUT_DATA = (
    *(vdc.VDC_FLUSH, vdc.VDC_REWIND, vdc.VDC_WRITE_MARK, vdc.VDC_SKIP_MARKS, vdc.VDC_SKIP_BLOCKS, vdc.VDC_LOAD),
    *(vdc.VDC_DISCARD, vdc.VDC_SNAPSHOT, vdc.VDC_MOUNT_SNAPSHOT, vdc.VDC_PREPARE_TO_FREEZE, vdc.VDC_COMPLETE),
    vdc.VDC_CLEAR_ERROR,
)
LATER = 300
"""So many commands of one device, more than an octet counts."""


@OWNERS
@vdi_requirement("CMP-01", "CMP-02", "CMP-13")
def test_a_buffer_goes_from_device_to_device_whatever_code_it_comes_back_with(testbed: Testbed, owner: int) -> None:
    """Any code and count reach the server unchanged, and hand the only buffer back for the next device."""
    scenario = Scenario(devices=len(CODES) + 1, owners=(owner,), buffer_count=1)
    scripted = testbed.scripted(scenario, features=vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA)
    buffer = scripted.allocate()
    # Each on a device of its own, since most of them lead to IO-ERROR (Q14); success comes last, with no bytes.
    for index, code in enumerate((*CODES, 0)):
        kind = (vdc.VDC_WRITE, vdc.VDC_READ)[index % 2]
        count = 512 * index + 1 if code else 0
        with judging("CMP-13"):
            tag = scripted.send(buffer, kind, device=index)
        device = scripted.devices[index]
        device.complete(device.next_command(), code, count).expect(NOERROR, by="CMP-01")
        require_seen(scripted, tag, code, count)
    for count in (0, 65536):
        with judging("CMP-13"):
            tag = scripted.send(buffer, device=len(CODES))
        device = scripted.devices[-1]
        device.complete(device.next_command(), 0, count).expect(NOERROR, by="CMP-01")
        require_seen(scripted, tag, 0, count)


@OWNERS
@vdi_requirement("CMP-01", "CMP-10")
def test_positions_of_all_sizes_arrive_whole(testbed: Testbed, owner: int) -> None:
    """The server sees all 64 bits of a position, and with SetPosition all of them or none."""
    scripted = testbed.scripted(Scenario(owners=(owner,), features=vdc.VDF_LIKE_TAPE))
    for position in (0, 0x123456789ABCDEF0, *POSITIONS):
        tag = scripted.send(code=vdc.VDC_GET_POSITION)
        scripted.device.complete(scripted.device.next_command(), 0, 0, position).expect(NOERROR, by="CMP-01")
        with judging("CMP-10"):
            scripted.completed(tag, 0, 0, position)
    for position in (0, 0x123456789ABCDEF0, *POSITIONS):
        tag = scripted.send(code=vdc.VDC_SET_POSITION)
        scripted.device.complete(scripted.device.next_command(), 0, 0, position).expect(NOERROR, by="CMP-01")
        seen = scripted.completion()
        # One page says that GetPosition alone gives a position (Q17); half of one is none.
        if seen is None or seen.tag != tag or int(seen.position, 16) not in (0, position):
            raise ConformanceFailure(f"position {position:#x} did not reach the server whole", by="CMP-10")


@vdi_requirement("CMP-17")
def test_the_end_of_data_comes_with_any_count(testbed: Testbed) -> None:
    """A Read completed with ERROR_HANDLE_EOF reaches the server with it and with any positive byte count."""
    scripted = testbed.scripted(Scenario(devices=4), features=vdc.VDF_READ_MEDIA)
    for index, count in enumerate((1, 512, 65535, 65536)):
        tag = scripted.send(scripted.allocate(), vdc.VDC_READ, device=index)
        device = scripted.devices[index]
        device.complete(device.next_command(), win32.ERROR_HANDLE_EOF, count).expect(NOERROR)
        scripted.completed(tag, win32.ERROR_HANDLE_EOF, count)


@vdi_requirement("CMP-07")
def test_any_count_of_any_command_without_data_is_accepted(testbed: Testbed) -> None:
    """CompleteCommand accepts any byte count of any command without data, which ends well for the server."""
    _complete_each_without_data(testbed.scripted(Scenario(features=vdc.VDF_LIKE_TAPE)), [(one, 0) for one in COUNTS])


@vdi_requirement("CMP-09")
def test_any_position_of_any_command_without_one_is_accepted(testbed: Testbed) -> None:
    """CompleteCommand accepts any position of a command that has none, which ends well for the server."""
    scripted = testbed.scripted(Scenario(features=vdc.VDF_LIKE_TAPE))
    buffer = scripted.allocate()
    for position in POSITIONS:
        tag = scripted.send(buffer)
        scripted.device.complete(scripted.device.next_command(), 0, 65536, position).expect(NOERROR)
        scripted.completed(tag, 0, 65536)
    _complete_each_without_data(scripted, [(0, one) for one in POSITIONS])


def _complete_each_without_data(scripted: ScriptedSet, values: list[tuple[int, int]]) -> None:
    """Complete every kind of command without data with these counts and positions, of which nothing need arrive."""
    for code in WITHOUT_DATA:
        for count, position in values:
            sent = scripted.try_to_send(code=code, size=1)
            if not sent.succeeded and code != vdc.VDC_FLUSH:
                break  # the server role does not send such a command out of place
            tag = sent.expect(NOERROR)
            scripted.tolerated.add(tag)
            scripted.device.complete(scripted.device.next_command(), 0, count, position).expect(NOERROR)
            while (seen := scripted.completion()) is not None and seen.thread_of_sender:
                pass  # what the server refused to send
            if seen is None or (seen.tag, seen.code) != (tag, 0):
                raise ConformanceFailure(f"{vdc.name_of(code)} did not end well for the server")


@pytest.mark.parametrize("devices", [1, 2, 4], ids=["one device", "two devices", "four devices"])
@pytest.mark.parametrize("order", ["mixed", "reversed", "reversed in pairs"])
@vdi_requirement("CMP-01")
def test_what_is_completed_in_any_order_keeps_its_values(testbed: Testbed, order: str, devices: int) -> None:
    """Commands completed in any order each reach the server with their own byte count."""
    scripted = testbed.scripted(Scenario(devices=devices, owners=(0, 1), buffer_count=8))
    held = _held(scripted)
    _complete(_refused(_ordered(held, order, testbed.seed)))
    _require_own_counts(scripted, held, "CMP-01")


@pytest.mark.parametrize("devices", [1, 2, 4], ids=["one device", "two devices", "four devices"])
@pytest.mark.parametrize("order", ["mixed", "reversed", "reversed in pairs"])
@vdi_requirement("CMP-20")
def test_what_is_accepted_in_any_order_is_what_the_server_sees(testbed: Testbed, order: str, devices: int) -> None:
    """Each completion that is accepted, in whatever order, reaches the server once, with its own byte count."""
    scripted = testbed.scripted(Scenario(devices=devices, owners=(0, 1), buffer_count=8))
    held = _held(scripted)
    refused = _refused(_ordered(held, order, testbed.seed))
    _require_own_counts(scripted, [one for one in held if one not in refused], "CMP-20")
    _complete(refused)


def _held(scripted: ScriptedSet) -> list[tuple[int, Fetched]]:
    """Let the devices hold eight commands in turns, or as many as can be outstanding at once: that is not stated."""
    held: list[tuple[int, Fetched]] = []
    for number in range(8):
        device = number % len(scripted.devices)
        sent = scripted.try_to_send(scripted.allocate(), device=device)
        if sent.succeeded or not held:
            held.append((sent.expect(NOERROR), scripted.devices[device].next_command()))
    return held


def _refused(commands: Sequence[tuple[int, Fetched]]) -> list[tuple[int, Fetched]]:
    """Complete each with a count of its own; that they end in any order is no more than a SHOULD (CMP-12)."""
    refused: list[tuple[int, Fetched]] = []
    for tag, command in commands:
        answer = command.device.complete(command, 0, 512 * tag)
        if answer.code != NOERROR:
            answer.expect_failure(by="CMP-01")
            refused.append((tag, command))
    return sorted(refused, key=lambda one: one[0])


def _complete(refused: Sequence[tuple[int, Fetched]]) -> None:
    """Complete in the order of the server what was refused in another one."""
    for tag, command in refused:
        command.device.complete(command, 0, 512 * tag).expect(NOERROR, by="CMP-01")


def _require_own_counts(scripted: ScriptedSet, completed: Sequence[tuple[int, Fetched]], by: str) -> None:
    wanted = {tag: 512 * tag for tag, _ in completed}
    found: dict[int, int] = {}
    while wanted.keys() - found.keys() and (seen := scripted.completion()) is not None:
        # What SendCommand refused is reported as well.
        if seen.tag in wanted:
            found[seen.tag] = seen.bytes_transferred
    if found != wanted:
        raise ConformanceFailure(f"commands ended with the counts {found}, they were completed with {wanted}", by=by)


def _ordered(held: list[tuple[int, Fetched]], order: str, seed: int) -> Sequence[tuple[int, Fetched]]:
    """Put held commands, those of the devices in turns, into another order; pairs are of one device each."""
    match order:
        case "reversed":
            return held[::-1]
        case "reversed in pairs":
            names = {command.device.name for _, command in held}
            of_each = [[one for one in held if one[1].device.name == name] for name in sorted(names)]
            return [one for ours in of_each for at in range(0, len(ours), 2) for one in ours[at : at + 2][::-1]]
        case _:
            half = len(held) // 2
            return random.Random(seed).sample(held[half:], len(held) - half) + held[:half][::-1]


@OWNERS
@vdi_requirement("CMP-20")
def test_hundreds_of_commands_of_one_device_end_once_each(testbed: Testbed, owner: int) -> None:
    """Of hundreds of commands on one device the server sees every one end."""
    scripted = testbed.scripted(Scenario(owners=(owner,)))
    tags: list[int] = []
    for _ in range(LATER):
        tags.append(scripted.send(code=vdc.VDC_FLUSH))
        scripted.device.complete(scripted.device.next_command()).expect(NOERROR)
    seen: list[int] = []
    while not seen or seen[-1] != tags[-1]:
        completion = scripted.completion()
        if completion is None:
            break
        seen.append(completion.tag)
    # What has not come when so many later ones have is lost.
    if missing := set(tags[:-40]) - set(seen):
        raise ConformanceFailure(f"the server did not see commands {sorted(missing)} end, but later ones")


@OWNERS
@vdi_requirement("CMP-03")
def test_other_pointers_are_no_command_while_one_is_held(testbed: Testbed, kind: Kind, owner: int) -> None:
    """CompleteCommand answers VD_E_INVALID for a pointer to no command, and the held one can be completed."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    earlier = statement.next_data_command()
    statement.answer(earlier).expect(NOERROR)
    command = statement.next_data_command()
    testbed.fill(fetched_view(command), command.size, 1)
    others = [command.buffer]
    if earlier.address != command.address:
        others.append(earlier.address)
    if command.address % PAGE + 4 + VDC_COMMAND_SIZE <= PAGE:
        others.append(command.address + 4)
    for pointer in others:
        statement.device.complete(pointer, win32.ERROR_SUCCESS, command.size).expect(VD_E_INVALID)
    statement.answer(command).expect(NOERROR)


@OWNERS
@pytest.mark.parametrize("by", ["the fetcher", "another process", "the server"])
@vdi_requirement("CMP-05")
def test_after_an_abort_no_command_of_any_device_is_completed(testbed: Testbed, owner: int, by: str) -> None:
    """After an abort CompleteCommand answers VD_E_ABORT on every device, and the server sees aborts alone."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner,), secondaries=1))
    tags, held = [], []
    for device in (0, 1):
        tags.append(scripted.send(scripted.allocate(), device=device))
        tags.append(scripted.send(code=vdc.VDC_FLUSH, device=device))
        held += [scripted.devices[device].next_command() for _ in range(2)]
    scripted.aborted = True
    if by == "the server":
        scripted.server.signal_abort().expect(NOERROR)
    else:
        scripted.clients[owner if by == "the fetcher" else 1 - owner].signal_abort().expect(NOERROR, by="ABT-01")
    with judging("CMD-08"):
        scripted.device.await_abort()
    for code in (win32.ERROR_SUCCESS, win32.ERROR_OPERATION_ABORTED, win32.ERROR_DISK_FULL):
        for command in reversed(held):
            command.device.complete(command, code, 512 if command.buffer else 0).expect(VD_E_ABORT)
    scripted.all_aborted(tags)


@OWNERS
@vdi_requirement("CMP-06")
def test_two_closed_devices_complete_nothing(testbed: Testbed, owner: int) -> None:
    """CompleteCommand answers VD_E_PROTOCOL on every device once the server has closed them all."""
    statement = testbed.backup(Scenario(devices=2, owners=(owner,)))
    commands = statement.hold_all()
    for command in commands:
        statement.answer(command).expect(NOERROR)
    statement.run_out()
    for command in commands:
        command.device.complete(command.address, win32.ERROR_SUCCESS, command.size).expect(VD_E_PROTOCOL)
    statement.close()
