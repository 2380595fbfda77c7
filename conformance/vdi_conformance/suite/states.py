"""The states of the client transition matrix: how a client object comes into each, and how each shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from vdi_conformance.suite.judging import set_up
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.suite.device import Device, Fetched
    from vdi_conformance.suite.operation import Operation
    from vdi_conformance.suite.participant import Participant
    from vdi_conformance.suite.stage import Stage


class State(Enum):
    """The columns of the matrix, in their order."""

    DOES_NOT_EXIST = "Does Not Exist"
    CONFIGURABLE = "Configurable"
    INITIALIZING = "Initializing"
    ACTIVE = "Active"
    NORMALLY_TERMINATED = "Normally Terminated"
    ABORT = "Abort"


@dataclass
class Reached:
    """A client object in a state, with what its methods are called with.

    `set_name` is the name of its set, the last one where it has none, and of the set's first device. `device` and
    `command` are what it opened and what was fetched there last.
    """

    stage: Stage
    who: Participant
    set_name: str
    operation: Operation | None = None
    command: Fetched | None = None

    @property
    def device(self) -> Device:
        """The device that the object opened, perhaps for an earlier set."""
        return self.who.devices[0]

    @property
    def running(self) -> Operation:
        """The statement that uses its set."""
        if self.operation is None:
            raise ValueError("no statement takes part in how this state is reached")
        return self.operation


# Ways of a primary, and of an object that has no set; a server takes part only where nothing else leads there


def fresh(stage: Stage) -> Reached:
    """Make an object that never had a set."""
    return Reached(stage, stage.participant("client"), stage.name())


def created(stage: Stage) -> Reached:
    """Create a set that no server has found."""
    at = fresh(stage)
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    return at


def closed(stage: Stage) -> Reached:
    """Create a set, and close it."""
    at = created(stage)
    at.who.close().expect(NOERROR)
    return at


def refused(stage: Stage) -> Reached:
    """Ask for sets that cannot be."""
    at = fresh(stage)
    at.who.create_ex(None, at.set_name, VDConfig(device_count=0)).require_failure()
    at.who.create_ex(None, "", VDConfig()).require_failure()
    return at


def closed_in_use(stage: Stage) -> Reached:
    """Close with a device open and a command held."""
    at = opened(stage)
    at.device.next_data_command()
    at.who.close().expect(NOERROR, VD_E_OPEN)
    at.running.require_failure()
    at.who.devices.clear()
    return at


def closed_after_an_abort(stage: Stage) -> Reached:
    """Abort a set that a server had configured, and close it."""
    at = aborted_when_configured(stage)
    at.who.close().expect(NOERROR)
    return at


def created_after_an_end(stage: Stage) -> Reached:
    """Create a further set, under the same name, with an object whose set was aborted and closed."""
    at = closed_after_an_abort(stage)
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    at.who.get_configuration(0).require(VD_E_TIMEOUT)
    at.operation, at.who.aborted = None, False
    return at


def configured_after_an_end(stage: Stage) -> Reached:
    """Have a statement configure a further set of an object that served one to its end."""
    at = ended(stage)
    at.running.close()
    at.who.devices.clear()
    at.operation = stage.configured("restore", participants=[at.who])
    at.set_name = at.operation.set_name
    return at


def configured(stage: Stage) -> Reached:
    """Have a statement configure the set."""
    operation = stage.configured("backup")
    return Reached(stage, operation.primary, operation.set_name, operation)


def opened(stage: Stage) -> Reached:
    """Open every device."""
    operation = stage.backup()
    return Reached(stage, operation.primary, operation.set_name, operation)


def ended(stage: Stage) -> Reached:
    """Run the statement until every device has given VD_E_CLOSE; the last command stays known."""
    return _run_out(opened(stage))


def aborted(stage: Stage) -> Reached:
    """Abort a set that no server has found."""
    at = created(stage)
    at.who.signal_abort().expect(NOERROR)
    return at


def aborted_when_configured(stage: Stage) -> Reached:
    """Abort a set of which no device is open."""
    at = configured(stage)
    at.who.signal_abort().expect(NOERROR)
    at.running.require_failure()
    return at


def aborted_in_use(stage: Stage) -> Reached:
    """Abort the set with a command held."""
    at = opened(stage)
    at.command = at.device.next_data_command()
    at.who.signal_abort().expect(NOERROR)
    return at


# Ways of a secondary


def joined(stage: Stage) -> Reached:
    """Join a set of which no device is open."""
    operation = stage.configured("restore", Geometry(owners=(1,)))
    operation.join_all()
    return Reached(stage, operation.secondaries[0], operation.set_name, operation)


def opened_in_secondary(stage: Stage) -> Reached:
    """Join, and open every device."""
    at = joined(stage)
    at.running.open_devices()
    return at


def ended_in_secondary(stage: Stage) -> Reached:
    """Run the statement in a secondary until every device has given VD_E_CLOSE."""
    return _run_out(opened_in_secondary(stage))


def aborted_by_the_primary(stage: Stage) -> Reached:
    """Have the primary abort the set while a secondary holds a command, and let the secondary notice."""
    at = opened_in_secondary(stage)
    at.command = at.device.next_data_command()
    at.running.primary.signal_abort().expect(NOERROR)
    at.device.await_abort()
    return at


def _run_out(at: Reached) -> Reached:
    for command in at.running.commands():
        at.command = command
        at.running.answer_any(command).expect(NOERROR)
    return at


# Ways on which a device is kept over the Close that made it invalid


def closed_after_use(stage: Stage) -> Reached:
    """Close at the end of a statement."""
    at = ended(stage)
    at.running.close()
    return at


def created_again(stage: Stage) -> Reached:
    """Create a further set with an object that served a statement."""
    at = closed_after_use(stage)
    at.set_name = stage.name()
    at.who.create_ex(None, at.set_name, VDConfig()).expect(NOERROR)
    return at


def configured_again(stage: Stage) -> Reached:
    """Have a further statement configure a set of an object that served one."""
    at = closed_after_use(stage)
    at.operation = stage.configured("backup", participants=at.running.participants)
    at.set_name = at.operation.set_name
    return at


@dataclass(frozen=True)
class Way:
    """One way into a state."""

    name: str
    state: State
    take: Callable[[Stage], Reached]

    def reach(self, stage: Stage) -> Reached:
        """Take it before the check begins."""
        return set_up(lambda: self.take(stage))


WAYS: Final = (
    Way("fresh", State.DOES_NOT_EXIST, fresh),
    Way("closed", State.DOES_NOT_EXIST, closed),
    Way("refused", State.DOES_NOT_EXIST, refused),
    Way("closed in use", State.DOES_NOT_EXIST, closed_in_use),
    Way("closed after an abort", State.DOES_NOT_EXIST, closed_after_an_abort),
    Way("created", State.CONFIGURABLE, created),
    Way("created after an end", State.CONFIGURABLE, created_after_an_end),
    Way("configured", State.INITIALIZING, configured),
    Way("configured after an end", State.INITIALIZING, configured_after_an_end),
    Way("opened", State.ACTIVE, opened),
    Way("ended", State.NORMALLY_TERMINATED, ended),
    Way("aborted", State.ABORT, aborted),
    Way("aborted when configured", State.ABORT, aborted_when_configured),
    Way("aborted in use", State.ABORT, aborted_in_use),
)
WAYS_OF_A_SECONDARY: Final = (
    Way("joined", State.INITIALIZING, joined),
    Way("opened in a secondary", State.ACTIVE, opened_in_secondary),
    Way("ended in a secondary", State.NORMALLY_TERMINATED, ended_in_secondary),
    Way("aborted by the primary", State.ABORT, aborted_by_the_primary),
)
WAYS_WITH_AN_INVALID_DEVICE: Final = (
    Way("closed after use", State.DOES_NOT_EXIST, closed_after_use),
    Way("created again", State.CONFIGURABLE, created_again),
    Way("configured again", State.INITIALIZING, configured_again),
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
)
"""The ways on which no device was opened, so that there is nothing to call its methods on."""


# How a state shows itself; what is tried may end it


def require_state(at: Reached, state: State) -> None:
    """Fail the check unless the object is in that state."""
    _SHOWN[state](at)


def _require_no_set(at: Reached) -> None:
    at.who.close().expect(VD_E_PROTOCOL)
    at.who.create_ex(None, at.stage.name(), VDConfig()).expect(NOERROR)
    at.who.close().expect(NOERROR)


def _require_configurable(at: Reached) -> None:
    at.who.get_configuration(0).require(VD_E_TIMEOUT)
    at.who.open_device(at.set_name).require(VD_E_PROTOCOL)
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
    at.who.get_configuration(0).require(VD_E_ABORT)
    at.who.create_ex(None, at.stage.name(), VDConfig()).expect(VD_E_PROTOCOL)
    at.who.close().expect(NOERROR, VD_E_OPEN)


_SHOWN: Final = {
    State.DOES_NOT_EXIST: _require_no_set,
    State.CONFIGURABLE: _require_configurable,
    State.INITIALIZING: _require_initializing,
    State.ACTIVE: _require_active,
    State.NORMALLY_TERMINATED: _require_the_end,
    State.ABORT: _require_abort,
}
