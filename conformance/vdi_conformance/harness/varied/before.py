"""What goes before anything is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import Needed
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.varied.scripted import VariedScriptedSet
from vdi_conformance.harness.varied.statement import VariedStatement
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.scenario import SetInUse
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.varied.layout import Layout
    from vdi_conformance.harness.varied.sets import Held, VariedSet

MANY: Final = 150
"""So often each of two methods is called: in all more often than an octet counts."""
AT_ONCE: Final = 50
"""So many calls are under way together, since each alone would wait for a process to be woken."""
FEW: Final = 3
"""So many processes at the most are refused something."""


def created(testbed: Testbed, layout: Layout, scenario: Scenario, clients: list[Client]) -> VariedSet:
    """Create the set, on a name that had a set before where the layout says so."""
    if layout.before == "aborted set":
        return _created_again(testbed, layout, scenario, clients)
    if layout.is_scripted:
        return VariedScriptedSet(testbed, layout, testbed.scripted_created(scenario, clients))
    return VariedStatement(testbed, layout, testbed.created(layout.kind, scenario, clients))


def _created_again(testbed: Testbed, layout: Layout, scenario: Scenario, clients: list[Client]) -> VariedSet:
    leftover = testbed.client("leftover")
    users, before = [clients[0], leftover], _earlier(scenario)
    varied: VariedSet
    if layout.is_scripted:
        script = testbed.scripted_created(before, users)
        script.begin()
        script.aborted = True
        stays = _abort(script, leftover)
        varied = VariedScriptedSet(testbed, layout, testbed.scripted_of_that_name(script, scenario, clients))
    else:
        statement = testbed.created("backup", before, users)
        statement.configure()
        statement.join_all()
        stays = _abort(statement, leftover)
        statement.require_failure()
        varied = VariedStatement(testbed, layout, testbed.created(layout.kind, scenario, clients, statement.set_name))
    varied.leftover = leftover if stays else None
    return varied


def _earlier(scenario: Scenario) -> Scenario:
    return Scenario(
        secondaries=1,
        instance=scenario.instance,
        older_creating=scenario.older_creating,
        older_joining=scenario.older_joining,
    )


def _abort(earlier: SetInUse, leftover: Client) -> bool:
    """Abort a set, and tell whether a secondary that has it open still may stay when another takes its name.

    No document says whether a set exists for as long as a secondary has it open (NAM-08).
    """
    primary, scenario = earlier.primary, earlier.scenario
    primary.signal_abort().expect(NOERROR, by="ABT-01")
    leftover.await_abort()
    primary.close().expect(NOERROR, VD_E_OPEN, by=Needed("CLS-07"))
    # What aborts the next set is no longer known.
    primary.aborted = False
    if primary.create_ex(scenario.instance, earlier.set_name, scenario.config).succeeded:
        primary.close().expect(NOERROR, by=Needed("CLS-05"))
        return True
    leftover.close().expect(NOERROR, VD_E_OPEN, by=Needed("CLS-07"))
    return False


def go_before(varied: VariedSet) -> None:
    """Do what goes before, on a set that is active."""
    match varied.layout.before:
        case "ended thread":
            for client in [*varied.clients, *varied.guests]:
                client.end_thread()
            for device in varied.running.devices:
                device.client.end_thread(device.key)
        case "closed device" if isinstance(varied, VariedScriptedSet) and varied.layout.closed is not None:
            varied.close_device(varied.layout.closed)
        case "refused call":
            for client in varied.clients[:FEW]:
                client.open_device("no device").expect_failure(by=Needed("OPD-06"))
                client.get_buffer_handle(client.outside_addresses().stack).expect(VD_E_INVALID, by="GBH-04")
        case _:
            pass


def call_often(varied: VariedSet, one: Held) -> None:
    """Ask for a handle, and map it elsewhere, hundreds of times in all."""
    mapper = varied.clients[-1]
    for _ in range(MANY // AT_ONCE):
        asked = [one.holder.send_get_buffer_handle(one.command.buffer) for _ in range(AT_ONCE)]
        with varied.recommended.judging("GBH-05"):
            handles = [later.result().expect(NOERROR) for later in asked]
            mapping = [mapper.send_map_buffer_handle(handle) for handle in handles]
            with varied.recommended.judging("MBH-08"):
                for later in mapping:
                    later.result().expect(NOERROR)


def refuse(varied: VariedSet, held: Sequence[Held]) -> None:
    """Refuse a number that is far from the handle of a command that is held."""
    if (far := varied.far_handle(held)) is None:
        return
    for client in varied.clients[:FEW]:
        client.map_buffer_handle(far).expect(VD_E_INVALID, by="MBH-04")
