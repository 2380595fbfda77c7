"""GetBufferHandle: who may ask, for which addresses, and what the handle names."""

from dataclasses import astuple

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import judging, not_applicable, vdi_requirement
from vdi_conformance.harness.memory import PAGE
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_distinct,
    require_inside,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

HIGHEST_POSITIVE = 0x7FFFFFFF
"""Higher handles are negative where they are read as signed numbers."""
UPPER_BITS = (32, 40, 46, 48, 63)
"""Bits of an address that a 32-bit number has not."""
PLACES = pytest.mark.parametrize(
    "place", ["on the stack", "in the heap", "in the program's own data", "in unmapped space", "null"]
)


def _address_outside(client: Client, place: str) -> int:
    """Give an address of this process that belongs to no set."""
    outside = client.outside_addresses()
    return {
        "on the stack": outside.stack,
        "in the heap": outside.heap,
        "in the program's own data": outside.data,
        "in unmapped space": outside.unmapped,
        "null": 0,
    }[place]


@OWNERS
@vdi_requirement("GBH-01", "GBH-08")
def test_every_data_command_has_a_handle(testbed: Testbed, kind: Kind, owner: int) -> None:
    """GetBufferHandle gives NOERROR and a handle for each Read or Write, in a secondary as in the primary."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), transfers=6, buffer_count=3))
    for _ in range(6):
        command = statement.next_data_command()
        asked = command.device.client.get_buffer_handle(command.buffer)
        asked.expect(NOERROR, by="GBH-08" if command.device.client in statement.secondaries else "GBH-01")
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@OWNERS
@vdi_requirement("GBH-02", "GBH-08", "MBH-01")
def test_the_handle_of_one_process_names_its_buffer_in_another(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle gives another process an address of the very buffer that the handle was given for."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    other = statement.clients[1 - owner]
    with judging("GBH-08"):
        handle = handle_of(command)
    testbed.fill(fetched_view(command), command.size, testbed.seed)
    with judging("MBH-01"):
        view = mapped_view(other, handle)
        other.read(view.address, 1)
    with judging("GBH-02"):
        require_same_contents(command.size, fetched_view(command), view)
    with judging("MBH-01"):
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    statement.answer(command).expect(NOERROR)
    statement.finish()


@pytest.mark.parametrize(
    ("kind", "devices", "owners"),
    [
        ("backup", 4, (0,)),
        ("restore", 4, (1,)),
        ("backup", 4, (0, 1, 2)),
        ("restore", 4, (0, 1, 2)),
        ("backup", 20, (0,)),
    ],
    ids=["primary", "secondary", "backup-three processes", "restore-three processes", "20 devices"],
)
@vdi_requirement("GBH-02")
def test_buffers_held_at_once_have_handles_of_their_own(
    testbed: Testbed, kind: Kind, devices: int, owners: tuple[int, ...]
) -> None:
    """Buffers held at the same time have different handles, each of which maps to its buffer in every process."""
    statement = testbed.statement(kind, Scenario(devices, owners, secondaries=2, buffer_count=2 * devices))
    commands = statement.hold_all()
    handles = {command.device.name: handle_of(command) for command in commands}
    require_distinct(handles, "handle")
    for number, command in enumerate(commands):
        fetched = fetched_view(command)
        testbed.fill(fetched, command.size, number)
    for command in commands:
        views = [mapped_view(other, handles[command.device.name]) for other in statement.secondaries]
        require_same_contents(command.size, fetched_view(command), *views)
        statement.answer(command)
    statement.finish()


@OWNERS
@vdi_requirement("GBH-03")
def test_a_closed_set_gives_no_handles(testbed: Testbed, kind: Kind, owner: int) -> None:
    """GetBufferHandle answers VD_E_PROTOCOL once the set is closed, even for what was a buffer of it."""
    statement = testbed.statement(kind, Scenario(owners=(owner,)))
    command = statement.next_data_command()
    handle_of(command)
    statement.answer(command).expect(NOERROR)
    statement.succeed()
    statement.clients[owner].get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@vdi_requirement("GBH-03")
def test_a_secondary_that_left_gets_no_handles(testbed: Testbed) -> None:
    """GetBufferHandle answers VD_E_PROTOCOL in a secondary that closed while the set goes on for the others."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(1, 0)))
    tag = scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    handle_of(command)
    scripted.device.complete(command, 0, command.size).expect(NOERROR)
    scripted.completed(tag, 0, command.size)
    scripted.close_device(0)
    scripted.device.get_command().expect(VD_E_CLOSE)
    leaver = scripted.secondaries[0]
    leaver.close().expect(NOERROR)
    leaver.get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@OWNERS
@vdi_requirement("GBH-04")
def test_an_address_outside_is_refused_between_two_commands(testbed: Testbed, owner: int) -> None:
    """GetBufferHandle answers VD_E_INVALID for an address outside the set while its process holds no command."""
    backup = testbed.backup(Scenario(owners=(owner,)))
    backup.answer(backup.next_data_command()).expect(NOERROR)
    client = backup.clients[owner]
    for address in astuple(client.outside_addresses()):
        client.get_buffer_handle(address).expect(VD_E_INVALID)
    backup.succeed()


@PLACES
@OWNERS
@vdi_requirement("GBH-04")
def test_memory_outside_the_set_has_no_handle(testbed: Testbed, owner: int, place: str) -> None:
    """GetBufferHandle answers VD_E_INVALID for an address outside every mapping of the set, whoever asks."""
    statement = testbed.backup(Scenario(owners=(owner,), secondaries=2 * owner))
    earlier = statement.next_data_command()
    handle_of(earlier)
    statement.answer(earlier).expect(NOERROR)
    command = statement.next_data_command()
    for client in statement.clients:
        client.get_buffer_handle(_address_outside(client, place)).expect(VD_E_INVALID)
    with judging("GBH-04"):
        handle_of(command)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@OWNERS
@vdi_requirement("GBH-04")
def test_all_bits_of_an_address_count(testbed: Testbed, owner: int) -> None:
    """GetBufferHandle answers VD_E_INVALID for an address that differs from a buffer's in one upper bit alone."""
    statement = testbed.backup(Scenario(owners=(owner,)))
    command = statement.next_data_command()
    if statement.clients[owner].host.initialized.process.pointer_bytes == 4:
        not_applicable("addresses of this process have no more than 32 bits")
    for bit in UPPER_BITS:
        statement.clients[owner].get_buffer_handle(command.buffer ^ 1 << bit).expect(VD_E_INVALID)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("GBH-05")
def test_asking_twice_gives_handles_of_the_same_buffer(
    testbed: Testbed, statement: StatementRun, secondary: Client
) -> None:
    """Each call of GetBufferHandle for one held buffer succeeds, and each handle maps to that buffer."""
    command = statement.next_data_command()
    first = handle_of(command)
    with judging("GBH-05"):
        second = handle_of(command)
    testbed.observe("Q38", "handles of two calls for one buffer", "equal" if first == second else "different")
    earlier = mapped_view(secondary, first)
    require_same_memory(command.size, fetched_view(command), earlier, seed=testbed.seed)
    with judging("MBH-08" if first == second else "GBH-05"):
        view = mapped_view(secondary, second)
    with judging("GBH-05"):
        require_same_memory(command.size, fetched_view(command), earlier, view, seed=testbed.seed)


@vdi_requirement("GBH-05")
def test_a_buffer_sent_again_on_another_device_has_a_good_handle(testbed: Testbed) -> None:
    """A buffer that comes again, on the same or another device, has a handle that maps to it each time."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    buffer = scripted.allocate()
    for index in (0, 0, 1):
        tag = scripted.send(buffer, device=index)
        command = scripted.devices[index].next_command()
        other = scripted.clients[1 - index]
        view = mapped_view(other, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        scripted.devices[index].complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("place", ["second byte", "second block", "second page", "middle", "last byte"])
@vdi_requirement("GBH-06")
def test_an_address_inside_a_buffer_stays_inside_it(
    testbed: Testbed, statement: StatementRun, secondary: Client, place: str
) -> None:
    """GetBufferHandle of an address inside a buffer answers VD_E_INVALID, or a handle that maps into that buffer."""
    # What comes first may be a label, shorter than a page.
    statement.answer(statement.next_data_command()).expect(NOERROR)
    command = statement.next_data_command()
    places = {"second byte": 1, "second block": 512, "second page": PAGE, "middle": command.size // 2}
    offset = min(places.get(place, command.size), command.size - 1)
    result = statement.primary.get_buffer_handle(command.buffer + offset)
    if result.permit("Q38", f"GetBufferHandle of the {place} of a buffer", NOERROR, VD_E_INVALID) == NOERROR:
        right = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), right, seed=testbed.seed)
        with judging("GBH-06"):
            mapped = mapped_view(secondary, result.expect(NOERROR))
            require_inside(mapped, command.size, [fetched_view(command)], testbed.seed)


@pytest.mark.parametrize("buffers", [32, 33, 34], ids=["32 buffers", "33 buffers", "34 buffers"])
@vdi_requirement("GBH-09")
def test_every_value_of_a_handle_is_as_good_as_another(testbed: Testbed, buffers: int) -> None:
    """A handle maps to its buffer whatever number it is, 0 and values above 0x7FFFFFFF included."""
    statement = testbed.backup(Scenario(devices=4, secondaries=1, buffer_count=buffers))
    for turn in range(3):
        commands = statement.hold_all()
        for command in commands:
            testbed.fill(fetched_view(command), command.size, command.buffer)
        asked = [command.device.client.get_buffer_handle(command.buffer) for command in commands]
        # Neighbours that have handles show that it is the number that is refused; later the buffers may come again.
        with judging("GBH-09" if turn == 0 and any(one.succeeded for one in asked) else "GBH-01"):
            handles = [one.expect(NOERROR) for one in asked]
        for command, handle in zip(commands, handles, strict=True):
            with judging("GBH-09" if turn == 0 and (handle == 0 or handle > HIGHEST_POSITIVE) else "MBH-01"):
                mapped = mapped_view(statement.secondaries[0], handle)
            require_same_contents(command.size, fetched_view(command), mapped)
        for command in commands:
            statement.answer(command).expect(NOERROR)


@vdi_requirement("GBH-10")
def test_a_null_out_pointer_is_refused(testbed: Testbed, statement: StatementRun) -> None:
    """GetBufferHandle fails for a NULL out pointer without a crash, and works when it is asked properly."""
    testbed.need("null_out_pointers", "it needs null out pointers")
    command = statement.next_data_command()
    statement.primary.get_buffer_handle(command.buffer, null_out=True).expect_failure()
    handle_of(command)


@pytest.mark.parametrize("place", ["on the stack", "in the heap"])
@vdi_requirement("GBH-11")
def test_before_the_server_came_there_is_no_handle(testbed: Testbed, place: str) -> None:
    """GetBufferHandle refuses any address while the set waits for the server and has no buffers."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    result = primary.get_buffer_handle(_address_outside(primary, place))
    result.permit("Q40", "GetBufferHandle in Configurable", VD_E_INVALID, VD_E_PROTOCOL)


@vdi_requirement("GBH-11")
def test_before_a_buffer_was_given_out_there_is_no_handle(testbed: Testbed) -> None:
    """GetBufferHandle refuses an address of the heap in every process before a command was handed out."""
    statement = testbed.backup(Scenario(secondaries=1))
    for client in statement.clients:
        result = client.get_buffer_handle(client.outside_addresses().heap)
        result.permit("Q40", "GetBufferHandle before any command", VD_E_INVALID, VD_E_PROTOCOL)
    statement.finish()


@pytest.mark.parametrize(
    ("place", "called"), [("on the stack", "stack"), ("null", "null")], ids=["on the stack", "null"]
)
@vdi_requirement("GBH-12")
def test_an_object_that_never_opened_a_set_gives_no_handle(testbed: Testbed, place: str, called: str) -> None:
    """GetBufferHandle fails on an object that never opened a set, which can still create one afterwards."""
    fresh = testbed.client("fresh")
    result = fresh.get_buffer_handle(_address_outside(fresh, place))
    result.permit("Q56", f"GetBufferHandle of {called} on a fresh object", VD_E_PROTOCOL, VD_E_INVALID)
    fresh.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)


@vdi_requirement("GBH-13")
def test_what_a_completed_command_leaves_is_observed(statement: StatementRun) -> None:
    """GetBufferHandle for the buffer of a completed command gives a handle or VD_E_INVALID."""
    command = statement.next_data_command()
    handle_of(command)
    statement.answer(command).expect(NOERROR)
    result = statement.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle of a completed command's buffer", NOERROR, VD_E_INVALID)


@pytest.mark.parametrize("distance", [1, 512], ids=["last byte of the zone", "first byte of the zone"])
@vdi_requirement("GBH-14")
def test_an_address_in_the_prefix_zone_stays_with_its_buffer(testbed: Testbed, kind: Kind, distance: int) -> None:
    """GetBufferHandle in a prefix zone answers VD_E_INVALID, or a handle that maps into that zone or its buffer."""
    statement = testbed.statement(kind, Scenario(secondaries=1, prefix_zone_size=512))
    command = statement.next_data_command()
    result = statement.primary.get_buffer_handle(command.buffer - distance)
    subject = f"GetBufferHandle {distance} bytes before a buffer with a prefix zone"
    if result.permit("Q38", subject, NOERROR, VD_E_INVALID) == NOERROR:
        zone_and_buffer = [BufferView(statement.primary, command.buffer - 512), fetched_view(command)]
        secondary = statement.secondaries[0]
        right = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), right, seed=testbed.seed)
        with judging("GBH-14"):
            mapped = mapped_view(secondary, result.expect(NOERROR))
            require_inside(mapped, command.size, zone_and_buffer, testbed.seed)


@vdi_requirement("GBH-15", "MBH-06", "MBH-18")
def test_buffers_of_areas_that_came_later_are_shared(testbed: Testbed) -> None:
    """Buffers of areas that the server adds have handles that old and new participants map to the same memory."""
    scripted = testbed.scripted(Scenario(owners=(1,), secondaries=2))
    buffers = [scripted.allocate()]
    for _ in range(2):
        scripted.request_buffers(scripted.scenario.buffer_count)
        buffers += [scripted.allocate() for _ in range(scripted.scenario.buffer_count)]
    attached_before = (scripted.primary, scripted.secondaries[1])
    attached_now = testbed.secondary(scripted)
    for buffer in buffers:
        tag = scripted.send(buffer)
        command = scripted.device.next_command()
        with judging("GBH-15"):
            handle = handle_of(command)
        with judging("MBH-18"):
            view = mapped_view(attached_now, handle)
            require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed + tag)
        with judging("MBH-06"):
            views = [mapped_view(attached, handle) for attached in attached_before]
            require_same_memory(command.size, fetched_view(command), view, *views, seed=testbed.seed + tag)
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@pytest.mark.parametrize("by", ["fetcher", "another process"])
@vdi_requirement("GBH-16")
def test_after_an_abort_a_held_buffer_fails_cleanly_at_worst(
    statement: StatementRun, secondary: Client, by: str
) -> None:
    """GetBufferHandle for a buffer held at an abort gives a handle or fails with a code made for that."""
    command = statement.next_data_command()
    handle_of(command)
    (statement.primary if by == "fetcher" else secondary).signal_abort().expect(NOERROR)
    result = statement.primary.get_buffer_handle(command.buffer)
    result.permit("Q38", "GetBufferHandle after an abort", NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    statement.primary.close()


@pytest.mark.parametrize("end", ["SignalAbort", "death"])
@vdi_requirement("GBH-16")
def test_after_an_abort_by_the_server_a_held_buffer_fails_cleanly_at_worst(testbed: Testbed, end: str) -> None:
    """GetBufferHandle for a buffer held when the server ends the set gives its handle or fails with a code for that."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1), secondaries=2))
    for device in range(2):
        scripted.send(scripted.allocate(), device=device)
    held = [device.next_command() for device in scripted.devices]
    for number, command in enumerate(held):
        testbed.fill(fetched_view(command), command.size, number)
        handle_of(command)
    if end == "death":
        scripted.kill()
    else:
        scripted.signal_abort()
    for client in scripted.clients:
        client.await_abort()
    for command in held:
        result = command.device.client.get_buffer_handle(command.buffer)
        codes = (NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
        if result.permit("Q38", f"GetBufferHandle after the server's {end}", *codes) == NOERROR:
            _require_its_own(scripted.secondaries[1], result.expect(NOERROR), command)


def _require_its_own(mapper: Client, handle: int, command: Fetched) -> None:
    """Fail the check where a handle that was given after an abort maps another buffer; whether it maps is MBH-10."""
    mapped = mapper.map_buffer_handle(handle)
    if mapped.code == NOERROR:
        with judging("GBH-16"):
            require_same_contents(command.size, fetched_view(command), BufferView(mapper, mapped.expect(NOERROR)))


@vdi_requirement("GBH-17")
def test_threads_of_one_process_ask_at_once(testbed: Testbed, kind: Kind) -> None:
    """Threads of one process that call GetBufferHandle at once each get the handle of the buffer they asked for."""
    statement = testbed.statement(kind, Scenario(devices=8, secondaries=1, buffer_count=16))
    commands = statement.hold_all()
    for command in commands:
        testbed.fill(fetched_view(command), command.size, command.buffer)
    asked = [
        statement.primary.send_get_buffer_handle(command.buffer, thread=f"asker {turn}.{number}")
        for turn in range(3)
        for number, command in enumerate(commands)
    ]
    answers = [pending.result() for pending in asked]
    secondary = statement.secondaries[0]
    # Asked for alone a handle shows what is wrong without any thread.
    alone = handle_of(commands[0])
    views = {alone: mapped_view(secondary, alone)}
    require_same_contents(commands[0].size, fetched_view(commands[0]), views[alone])
    handles = [answer.expect(NOERROR) for answer in answers]
    with judging("GBH-17"):
        for command, handle in zip(commands * 3, handles, strict=True):
            if handle not in views:
                views[handle] = mapped_view(secondary, handle)
            require_same_contents(command.size, fetched_view(command), views[handle])


@vdi_requirement("GBH-18")
def test_a_buffer_of_another_set_has_no_handle_here(testbed: Testbed, kind: Kind) -> None:
    """GetBufferHandle answers VD_E_INVALID for a buffer of another set that is open in the same process."""
    one = testbed.statement(kind)
    other = testbed.twin(one, kind)
    commands = [running.device.next_data_command() for running in (one, other)]
    one.primary.get_buffer_handle(commands[1].buffer).expect(VD_E_INVALID)
    other.primary.get_buffer_handle(commands[0].buffer).expect(VD_E_INVALID)
    for running, command in zip((one, other), commands, strict=True):
        handle_of(command)
        running.answer(command).expect(NOERROR)
        running.succeed()


@vdi_requirement("GBH-19")
def test_an_address_of_a_closed_set_names_nothing_of_the_next(testbed: Testbed) -> None:
    """An address of a closed set gives VD_E_INVALID in the next one, or the handle of a buffer that lies there now."""
    first = testbed.backup(Scenario(devices=2))
    old = first.hold_all()
    for command in old:
        handle_of(command)
        first.answer(command).expect(NOERROR)
    first.succeed()
    second = testbed.again(first)
    held = second.next_data_command()
    secondary = testbed.secondary(second)
    for command in old:
        result = second.primary.get_buffer_handle(command.buffer)
        with judging("GBH-19"):
            if command.buffer == held.buffer:  # the system placed it there again
                view = mapped_view(secondary, result.expect(NOERROR))
                require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
            elif result.permit("Q56", "GetBufferHandle of a closed set's address", NOERROR, VD_E_INVALID) == NOERROR:
                view = mapped_view(secondary, result.expect(NOERROR))
                view.process.read(view.address, 1)


@vdi_requirement("GBH-20")
def test_a_handle_stays_good_while_others_come_and_go(testbed: Testbed, kind: Kind) -> None:
    """A handle maps to its buffer for as long as the command is held, while secondaries join, map and close."""
    statement = testbed.statement(kind, Scenario(devices=2, buffer_count=3, transfers=8))
    held, other = statement.hold_all()
    handle = handle_of(held)
    testbed.fill(fetched_view(held), held.size, 1)
    stored = statement.primary.digest(held.buffer, held.size)
    statement.answer(other).expect(NOERROR)
    for _ in range(2):
        guest = testbed.secondary(statement)
        with judging("GBH-20"):
            mapped_view(guest, handle)
        guest.close().expect(NOERROR, by="CLS-20")
        statement.forget(guest)
        with judging("GBH-20"):
            statement.answer_next(statement.devices[1], 1)
        statement.answer_next(statement.devices[1], 2)
    late = testbed.secondary(statement)
    with judging("GBH-20"):
        view = mapped_view(late, handle)
        assert view.process.digest(view.address, held.size) == stored, "a held buffer has lost what was stored in it"
        require_same_memory(held.size, fetched_view(held), view, seed=testbed.seed)
    statement.answer(held).expect(NOERROR)
    statement.finish()


@vdi_requirement("GBH-21")
def test_the_handle_of_a_mapped_address_names_the_same_buffer(testbed: Testbed, kind: Kind) -> None:
    """GetBufferHandle of a mapped address gives VD_E_INVALID, or a handle that maps to the same buffer."""
    statement = testbed.statement(kind, Scenario(secondaries=2))
    command = statement.next_data_command()
    mapper, third = statement.secondaries
    mapped = mapped_view(mapper, handle_of(command))
    result = mapper.get_buffer_handle(mapped.address)
    if result.permit("Q38", "GetBufferHandle of a mapped address", NOERROR, VD_E_INVALID) == NOERROR:
        require_same_memory(command.size, fetched_view(command), mapped, seed=testbed.seed)
        with judging("GBH-21"):
            view = mapped_view(third, result.expect(NOERROR))
            require_same_memory(command.size, fetched_view(command), mapped, view, seed=testbed.seed)


@vdi_requirement("GBH-01", "GBH-02")
def test_commands_outstanding_on_one_device_have_handles_of_their_own(scripted: ScriptedSet, secondary: Client) -> None:
    """Two commands outstanding on one device have two handles, each of which maps to its own buffer."""
    buffers = [scripted.allocate() for _ in range(2)]
    for buffer in buffers:
        scripted.send(buffer)
    commands = [scripted.device.next_command() for _ in buffers]
    with judging("GBH-01"):
        handles = {f"command {command.ordinal}": handle_of(command) for command in commands}
    with judging("GBH-02"):
        require_distinct(handles, "handle")
        for command, handle in zip(commands, handles.values(), strict=True):
            view = mapped_view(secondary, handle)
            require_same_memory(command.size, fetched_view(command), view, seed=command.ordinal)
    for command in commands:
        scripted.device.complete(command, 0, command.size).expect(NOERROR)
