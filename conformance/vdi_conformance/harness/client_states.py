"""The states of the client transition matrix: how a client object comes into each, and how each shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import set_up
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.statement_run import StatementRun
    from vdi_conformance.harness.testbed import Testbed


@dataclass
class Reached:
    """A client object in a state, with what its methods are called with.

    `set_name` is the name of its set, the last one where it has none, and of the set's first device. `device` and
    `command` are what it opened and what was fetched there last.
    """

    testbed: Testbed
    who: Client
    set_name: str
    statement: StatementRun | None = None
    command: Fetched | None = None

    @property
    def device(self) -> Device:
        """The device that the object opened, perhaps for an earlier set."""
        return self.who.devices[0]

    @property
    def running(self) -> StatementRun:
        """The statement that uses its set."""
        if self.statement is None:
            raise ValueError("no statement takes part in how this state is reached")
        return self.statement


# Ways of a primary, and of an object that has no set; a server takes part only where nothing else leads there


def fresh(testbed: Testbed) -> Reached:
    """Make an object that never had a set."""
    return Reached(testbed, testbed.client("client"), testbed.name())


def created(testbed: Testbed) -> Reached:
    """Create a set that no server has found."""
    at = fresh(testbed)
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    return at


def closed(testbed: Testbed) -> Reached:
    """Create a set, and close it."""
    at = created(testbed)
    at.who.close().expect(NOERROR)
    return at


def refused(testbed: Testbed) -> Reached:
    """Ask for sets that cannot be."""
    at = fresh(testbed)
    at.who.create_ex(None, at.set_name, VDConfig(device_count=0)).expect_failure()
    at.who.create_ex(None, "", VDConfig()).expect_failure()
    return at


def closed_in_use(testbed: Testbed) -> Reached:
    """Close with a device open and a command held."""
    at = opened(testbed)
    at.device.next_data_command()
    at.who.close().expect(NOERROR, VD_E_OPEN)
    at.running.require_failure()
    at.who.devices.clear()
    return at


def closed_after_an_abort(testbed: Testbed) -> Reached:
    """Abort a set that a server had configured, and close it."""
    at = aborted_when_configured(testbed)
    at.who.close().expect(NOERROR)
    return at


def created_after_an_end(testbed: Testbed) -> Reached:
    """Create a further set, under the same name, with an object whose set was aborted and closed."""
    at = closed_after_an_abort(testbed)
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    at.who.get_configuration(0).expect(VD_E_TIMEOUT)
    at.statement, at.who.aborted = None, False
    return at


def configured_after_an_end(testbed: Testbed) -> Reached:
    """Have a statement configure a further set of an object that served one to its end."""
    at = ended(testbed)
    at.running.close()
    at.who.devices.clear()
    at.statement = testbed.configured("restore", clients=[at.who])
    at.set_name = at.statement.set_name
    return at


def configured(testbed: Testbed) -> Reached:
    """Have a statement configure the set."""
    statement = testbed.configured("backup")
    return Reached(testbed, statement.primary, statement.set_name, statement)


def opened(testbed: Testbed) -> Reached:
    """Open every device."""
    statement = testbed.backup()
    return Reached(testbed, statement.primary, statement.set_name, statement)


def ended(testbed: Testbed) -> Reached:
    """Run the statement until every device has given VD_E_CLOSE; the last command stays known."""
    return _run_out(opened(testbed))


def aborted(testbed: Testbed) -> Reached:
    """Abort a set that no server has found."""
    at = created(testbed)
    at.who.signal_abort().expect(NOERROR)
    return at


def aborted_when_configured(testbed: Testbed) -> Reached:
    """Abort a set of which no device is open."""
    at = configured(testbed)
    at.who.signal_abort().expect(NOERROR)
    at.running.require_failure()
    return at


def aborted_in_use(testbed: Testbed) -> Reached:
    """Abort the set with a command held."""
    at = opened(testbed)
    at.command = at.device.next_data_command()
    at.who.signal_abort().expect(NOERROR)
    return at


def aborted_by_the_server(testbed: Testbed) -> Reached:
    """Have the server abort the set while a command is held, and notice it."""
    scripted = testbed.scripted()
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    scripted.signal_abort()
    scripted.device.await_abort()
    return Reached(testbed, scripted.primary, scripted.set_name, None, command)


# Ways of a secondary


def joined(testbed: Testbed) -> Reached:
    """Join a set of which no device is open."""
    statement = testbed.configured("restore", Scenario(owners=(1,)))
    statement.join_all()
    return Reached(testbed, statement.secondaries[0], statement.set_name, statement)


def opened_in_secondary(testbed: Testbed) -> Reached:
    """Join, and open every device."""
    at = joined(testbed)
    at.running.open_devices()
    return at


def ended_in_secondary(testbed: Testbed) -> Reached:
    """Run the statement in a secondary until every device has given VD_E_CLOSE."""
    return _run_out(opened_in_secondary(testbed))


def aborted_by_the_primary(testbed: Testbed) -> Reached:
    """Have the primary abort the set while a secondary holds a command, and let the secondary notice."""
    at = opened_in_secondary(testbed)
    at.command = at.device.next_data_command()
    at.running.primary.signal_abort().expect(NOERROR)
    at.device.await_abort()
    return at


def _run_out(at: Reached) -> Reached:
    for command in at.running.commands():
        at.command = command
        at.running.answer_any(command).expect(NOERROR)
    return at


def left(testbed: Testbed) -> Reached:
    """Join, and close without having opened a device."""
    at = joined(testbed)
    at.who.close().expect(NOERROR)
    return Reached(testbed, at.who, testbed.name())


# Ways on which a device is kept over the Close that made it invalid


def closed_after_use(testbed: Testbed) -> Reached:
    """Close at the end of a statement."""
    at = ended(testbed)
    at.running.close()
    return at


def created_again(testbed: Testbed) -> Reached:
    """Create a further set with an object that served a statement."""
    at = closed_after_use(testbed)
    at.set_name = testbed.name()
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    return at


def configured_again(testbed: Testbed) -> Reached:
    """Have a further statement configure a set of an object that served one."""
    at = closed_after_use(testbed)
    at.statement = testbed.configured("backup", clients=at.running.clients)
    at.set_name = at.statement.set_name
    return at


@dataclass(frozen=True)
class Way:
    """One way into a state."""

    name: str
    state: ClientState
    take: Callable[[Testbed], Reached]

    def reach(self, testbed: Testbed) -> Reached:
        """Take it before the check begins."""
        return set_up(lambda: self.take(testbed))


WAYS: Final = (
    Way("fresh", ClientState.DOES_NOT_EXIST, fresh),
    Way("closed", ClientState.DOES_NOT_EXIST, closed),
    Way("refused", ClientState.DOES_NOT_EXIST, refused),
    Way("closed in use", ClientState.DOES_NOT_EXIST, closed_in_use),
    Way("closed after an abort", ClientState.DOES_NOT_EXIST, closed_after_an_abort),
    Way("created", ClientState.CONFIGURABLE, created),
    Way("created after an end", ClientState.CONFIGURABLE, created_after_an_end),
    Way("configured", ClientState.INITIALIZING, configured),
    Way("configured after an end", ClientState.INITIALIZING, configured_after_an_end),
    Way("opened", ClientState.ACTIVE, opened),
    Way("ended", ClientState.NORMALLY_TERMINATED, ended),
    Way("aborted", ClientState.ABORT, aborted),
    Way("aborted when configured", ClientState.ABORT, aborted_when_configured),
    Way("aborted in use", ClientState.ABORT, aborted_in_use),
    Way("aborted by the server", ClientState.ABORT, aborted_by_the_server),
)
WAYS_OF_A_SECONDARY: Final = (
    Way("left", ClientState.DOES_NOT_EXIST, left),
    Way("joined", ClientState.INITIALIZING, joined),
    Way("opened in a secondary", ClientState.ACTIVE, opened_in_secondary),
    Way("ended in a secondary", ClientState.NORMALLY_TERMINATED, ended_in_secondary),
    Way("aborted by the primary", ClientState.ABORT, aborted_by_the_primary),
)
WAYS_WITH_AN_INVALID_DEVICE: Final = (
    Way("closed after use", ClientState.DOES_NOT_EXIST, closed_after_use),
    Way("created again", ClientState.CONFIGURABLE, created_again),
    Way("configured again", ClientState.INITIALIZING, configured_again),
)
NO_DEVICE: Final = (
    "fresh",
    "closed",
    "refused",
    "closed in use",
    "closed after an abort",
    "created",
    "created after an end",
    "configured",
    "configured after an end",
    "aborted",
    "aborted when configured",
    "joined",
    "left",
)
"""The ways on which no device was opened, so that there is nothing to call its methods on."""


# How a state shows itself; what is tried may end it


def require_state(at: Reached, state: ClientState) -> None:
    """Fail the check unless the object is in that state."""
    _SHOWN[state](at)


def _require_no_set(at: Reached) -> None:
    at.who.close().expect(VD_E_PROTOCOL)
    at.who.create_ex(None, at.testbed.name(), VDConfig()).expect(NOERROR)
    at.who.close().expect(NOERROR)


def _require_configurable(at: Reached) -> None:
    at.who.get_configuration(0).expect(VD_E_TIMEOUT)
    at.who.open_device(at.set_name).expect(VD_E_PROTOCOL)
    at.who.close().expect(NOERROR)


def _require_initializing(at: Reached) -> None:
    at.who.get_configuration(0).expect(NOERROR)
    at.running.open_devices()
    at.running.succeed()


def _require_active(at: Reached) -> None:
    at.running.succeed()


def _require_the_end(at: Reached) -> None:
    at.who.get_configuration(0).expect(NOERROR)
    at.running.close()
    at.running.require_success(at.running.outcome())


def _require_abort(at: Reached) -> None:
    at.who.get_configuration(0).expect(VD_E_ABORT)
    at.who.create_ex(None, at.testbed.name(), VDConfig()).expect(VD_E_PROTOCOL)
    at.who.close().expect(NOERROR, VD_E_OPEN)


_SHOWN: Final = {
    ClientState.DOES_NOT_EXIST: _require_no_set,
    ClientState.CONFIGURABLE: _require_configurable,
    ClientState.INITIALIZING: _require_initializing,
    ClientState.ACTIVE: _require_active,
    ClientState.NORMALLY_TERMINATED: _require_the_end,
    ClientState.ABORT: _require_abort,
}
