"""Handles and mappings in conditions that no combination has: older forms, further sets, and large numbers."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, alternating_direction
from vdi_conformance.harness.scenario import Scenario, SetInUse
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    mark,
    require_same_memory,
    require_unchanged,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, VDConfig

ASKED_AGAIN = 300
"""So often a handle is asked for and mapped: more often than an octet counts."""
AT_ONCE = 50
"""So many of these calls are under way together."""
REFUSALS = 128
"""So many calls are refused in a row."""


def _share(
    testbed: Testbed,
    running: SetInUse,
    *commands: Fetched,
    handle: str = "GBH-01",
    mapping: str = "MBH-01",
    contents: str = "MBH-01",
) -> None:
    """Map each buffer in every other process, and then see that each is shared; all mappings live at once.

    What gives no handle breaks the requirement `handle`, what maps none `mapping`, what shows other bytes `contents`.
    """
    with judging(handle):
        handles = [handle_of(command) for command in commands]
    with judging(mapping):
        mapped = [
            [mapped_view(one, given) for one in running.clients if one is not command.device.client]
            for command, given in zip(commands, handles, strict=True)
        ]
    with judging(contents):
        for command, views in zip(commands, mapped, strict=True):
            require_same_memory(command.size, fetched_view(command), *views, seed=testbed.seed + command.buffer)


def _begin(statement: StatementRun, joining: str) -> None:
    """Let all secondaries join, by which the requirement `joining` is judged, and open every device."""
    with judging(joining):
        statement.join_all()
    statement.open_devices()


@pytest.mark.parametrize("owner", [0, 1], ids=OWNER_NAMES)
@vdi_requirement("GBH-01", "MBH-01", "SEC-08")
def test_sets_of_the_older_forms_are_shared(testbed: Testbed, owner: int) -> None:
    """A set made by Create and joined by OpenInSecondary has one configuration and shares its buffers."""
    testbed.need_default_instance()
    statement = testbed.configured("backup", Scenario(devices=2, owners=(owner,), secondaries=2, older=True))
    _begin(statement, joining="SEC-08")
    _share(testbed, statement, *statement.hold_all(), handle="SEC-08" if owner else "GBH-01")
    with judging("SEC-08"):
        wanted = statement.primary.get_configuration(0).expect(NOERROR)._replace(buffer_area_size=0)
        for secondary in statement.secondaries:
            assert secondary.get_configuration(0).expect(NOERROR)._replace(buffer_area_size=0) == wanted
    leaver = statement.secondaries[1]
    leaver.close().expect(NOERROR)
    statement.forget(leaver)
    statement.secondaries[0].signal_abort().expect(NOERROR)
    for device in statement.devices:
        device.await_abort()
    statement.require_failure()


@vdi_requirement("MBH-01")
def test_who_joined_by_the_older_form_maps(testbed: Testbed, kind: Kind) -> None:
    """MapBufferHandle works in a process that joined a set of CreateEx by OpenInSecondary."""
    testbed.need_default_instance()
    statement = testbed.statement(kind)
    command = statement.next_data_command()
    handle = handle_of(command)
    secondary = testbed.client("secondary")
    secondary.open_in_secondary(statement.set_name).expect(NOERROR, by="SEC-08")
    view = mapped_view(secondary, handle)
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("GBH-01", "MBH-01", "SEC-01")
def test_a_further_set_of_the_same_objects_is_shared(testbed: Testbed, kind: Kind, owner: int) -> None:
    """Objects whose set was aborted and closed make and join a further one, and share its buffers."""
    first = testbed.statement(kind, Scenario(devices=2, owners=(owner,), secondaries=1))
    _share(testbed, first, *first.hold_all())
    first.primary.signal_abort().expect(NOERROR)
    for client in reversed(first.clients):
        client.await_abort()
        client.close()
    second = testbed.configured(kind, first.scenario, first.clients)
    _begin(second, joining="SEC-01")
    _share(testbed, second, *second.hold_all())


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("GBH-04", "MBH-04")
def test_what_was_refused_harms_no_later_call(testbed: Testbed, kind: Kind, owner: int) -> None:
    """Addresses and handles outside the set are refused each time, and good ones work as before."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    _share(testbed, statement, command)
    _share(testbed, statement, command, handle="GBH-05", mapping="MBH-08")
    handle = handle_of(command)
    for client in statement.clients:
        far = (handle + statement.pool_size + 1) % (1 << 32)
        for _ in range(REFUSALS):
            client.get_buffer_handle(0).expect(VD_E_INVALID, by="GBH-04")
            client.map_buffer_handle(far).expect(VD_E_INVALID, by="MBH-04")
        _share_after_refusals(testbed, statement, command)
        client.get_buffer_handle(0).expect(VD_E_INVALID, by="GBH-04")
        client.map_buffer_handle(far).expect(VD_E_INVALID, by="MBH-04")
        _share_after_refusals(testbed, statement, command)
        guest = testbed.beside(client)
        guest.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR, by="CRE-01")
        guest.close().expect(NOERROR, by="CLS-05")
    _share(testbed, statement, command, handle="GBH-20", mapping="GBH-20", contents="GBH-20")


def _share_after_refusals(testbed: Testbed, statement: StatementRun, command: Fetched) -> None:
    _share(testbed, statement, command, handle="GBH-04", mapping="MBH-04", contents="MBH-04")


@vdi_requirement("GBH-05", "MBH-08")
def test_a_buffer_is_asked_for_and_mapped_very_often(testbed: Testbed, backup: StatementRun, secondary: Client) -> None:
    """GetBufferHandle and MapBufferHandle work for one buffer hundreds of times, and spoil no earlier address."""
    command = backup.next_data_command()
    views = [mapped_view(secondary, handle_of(command))]
    for _ in range(ASKED_AGAIN // AT_ONCE):
        # Many steps at once, since each alone would wait for a process to be woken.
        threads = [f"caller {number % 3}" for number in range(AT_ONCE)]
        asked = [backup.primary.send_get_buffer_handle(command.buffer, thread=one) for one in threads]
        with judging("GBH-05"):
            handles = [later.result().expect(NOERROR) for later in asked]
        calls = zip(handles, threads, strict=True)
        mapping = [secondary.send_map_buffer_handle(handle, thread=one) for handle, one in calls]
        with judging("MBH-08"):
            views += [BufferView(secondary, later.result().expect(NOERROR)) for later in mapping]
    with judging("MBH-08"):
        require_same_memory(command.size, fetched_view(command), views[0], views[-1], seed=testbed.seed)


@vdi_requirement("GBH-01", "GBH-02", "MBH-02")
def test_handles_tell_hundreds_of_buffers_apart(testbed: Testbed) -> None:
    """Hundreds of buffers held at the same time have different handles, each of which maps to its own buffer."""
    _require_told_apart(testbed.scripted(Scenario(24, (0, 1), secondaries=2, buffer_count=11 * 24)), 11)


@vdi_requirement("GBH-01", "GBH-02", "MBH-02")
def test_handles_tell_large_buffers_apart(testbed: Testbed) -> None:
    """Buffers of 4 MiB held at the same time have different handles, each of which maps to its own buffer."""
    scenario = Scenario(3, (0, 1), secondaries=2, max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=12)
    _require_told_apart(testbed.scripted(scenario), 4)


def _require_told_apart(scripted: ScriptedSet, each: int) -> None:
    """Have up to so many commands outstanding on each device, and map every buffer in one further process."""
    held: dict[int, Fetched] = {}
    for index, device in enumerate(scripted.devices):
        for _ in range(each):
            buffer = scripted.allocate()
            scripted.server.write(buffer, buffer.to_bytes(8, "little"))
            if scripted.try_to_send(buffer, device=index).succeeded:
                held[buffer] = device.next_command()
    with judging("GBH-01"):
        handles = [handle_of(command) for command in held.values()]
    with judging("GBH-02"):
        assert len(set(handles)) == len(handles), "two buffers that are held at once have the same handle"
    mapper = scripted.secondaries[-1]
    for buffer, handle in zip(held, handles, strict=True):
        view = mapped_view(mapper, handle)
        with judging("MBH-02"):
            if mapper.read(view.address, 8) != buffer.to_bytes(8, "little"):
                raise ConformanceFailure(f"handle {handle:#x} names another buffer than the one that it was given for")


@vdi_requirement("MBH-05", "MBH-24")
def test_many_sets_of_the_same_processes_stay_apart(testbed: Testbed) -> None:
    """Each object maps the handles of its own set to that set's memory, while a foreign handle harms no set."""
    # Where handles count from near one number, eight sets have equal ones.
    scenario = Scenario(devices=2, secondaries=1, buffer_count=2)
    first = testbed.backup(scenario)
    sets = [first, *(testbed.twin(first, "backup", scenario) for _ in range(7))]
    held = [(one, command) for one in sets for command in one.hold_all()]
    marked = [mark(fetched_view(command), command.size, number) for number, (_, command) in enumerate(held)]
    handles = [handle_of(command) for _, command in held]
    for _ in range(2):
        for (one, command), handle, stored in zip(held, handles, marked, strict=True):
            with judging("MBH-24"):
                view = mapped_view(one.secondaries[0], handle)
                if view.process.digest(view.address, command.size) != stored.digest:
                    raise ConformanceFailure("an object mapped a handle of its own set to other memory than that set's")
        _map_in_the_wrong_sets([one for one, _ in held], handles)
    with judging("MBH-05"):
        require_unchanged(*marked)
        for one, command in held:
            one.answer(command).expect(NOERROR)
        for one in sets:
            one.succeed()


def _map_in_the_wrong_sets(sets: list[StatementRun], handles: list[int]) -> None:
    for one, handle in zip(sets, [*handles[2:], *handles[:2]], strict=True):
        one.secondaries[0].map_buffer_handle(handle).expect(VD_E_INVALID, NOERROR, by="MBH-05")


@vdi_requirement("MBH-17")
def test_one_buffer_is_shared_by_twenty_processes(testbed: Testbed) -> None:
    """A secondary's buffer can be mapped by the primary and 19 secondaries at once, and all see the same bytes."""
    statement = testbed.configured("backup", Scenario(owners=(1,), secondaries=20))
    _begin(statement, joining="MBH-17")
    command = statement.next_data_command()
    handle = handle_of(command)
    with judging("MBH-17"):
        others = [mapped_view(one, handle) for one in statement.clients if one is not command.device.client]
        for number, view in enumerate(others, 1):
            view.process.write(view.address + number, bytes([number]))
        wanted = bytes(range(1, len(others) + 1))
        for view in (fetched_view(command), *others):
            if view.process.read(view.address + 1, len(others)) != wanted:
                raise ConformanceFailure(
                    f"{view.process.name} does not see what each of {len(others)} processes stored"
                )
