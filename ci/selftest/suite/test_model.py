"""The reference model says what the documents say, and follows what it sees where they leave something open."""

from collections.abc import Callable

import pytest

from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model import server
from vdi_conformance.model.permits import Permits
from vdi_conformance.model.sharing import share
from vdi_conformance.model.state import AbortState, ModelClient, ModelCommand, ModelSet, ModelState
from vdi_conformance.model.steps import Step, options
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    name_of,
)

FLUSH = 12
WRITE = 2


class Scene:
    """A model with a primary and a secondary, brought as far as a test wants it."""

    def __init__(self, devices: int = 1) -> None:
        self.primary, self.secondary = ModelClient(1), ModelClient(2)
        self.model = ModelState([self.primary, self.secondary])
        self.do(clients.create(self.model, self.primary, "fresh", devices))

    @property
    def of(self) -> ModelSet:
        """The set."""
        return self.model.sets[0]

    def do(self, permits: Permits, code: int = NOERROR) -> None:
        """Let a call give a code that must be permitted."""
        assert permits.settle(code) is not None, f"{name_of(code)} is not among {permits.names}"

    def configure(self) -> None:
        """Let the server configure the set, and the primary and the secondary have it open."""
        self.do(server.open_set(self.model, self.of))
        self.do(server.configure(self.of))
        self.do(server.configure(self.of))
        self.do(clients.get_configuration(self.primary))
        self.do(clients.join(self.secondary, self.of))

    def activate(self) -> None:
        """Let the primary open every device."""
        self.configure()
        for device in self.of.devices:
            self.do(server.open_device(device))
            self.do(clients.open_device(self.primary, device))

    def send(self, tag: int = 1, code: int = FLUSH) -> ModelCommand:
        """Let the server send a command to the first device."""
        command = ModelCommand(tag, code, 512 * (code == WRITE), data=code == WRITE)
        self.do(server.send(self.of.devices[0], command))
        return command

    def fetch(self) -> None:
        """Let the primary fetch."""
        self.do(devices.get_command(self.model, self.primary, self.of.devices[0]))

    def complete(self, command: ModelCommand, kind: str = "held") -> Permits:
        """What completing a command may give."""
        return devices.complete_command(self.primary, self.of.devices[0], command, kind, command.size)

    def terminate(self) -> None:
        """Let the server close every device, and the primary be told."""
        for device in self.of.devices:
            self.do(server.close_device(device))
            self.do(devices.get_command(self.model, self.primary, device), VD_E_CLOSE)


def _in(view: ClientState) -> Scene:
    """Bring the primary into a state."""
    placement = Scene()
    match view:
        case ClientState.DOES_NOT_EXIST:
            placement.do(clients.close(placement.primary))
        case ClientState.INITIALIZING:
            placement.configure()
        case ClientState.ACTIVE | ClientState.NORMALLY_TERMINATED | ClientState.ABORT:
            placement.activate()
            if view is ClientState.NORMALLY_TERMINATED:
                placement.terminate()
            elif view is ClientState.ABORT:
                placement.do(clients.signal_abort(placement.primary))
    assert placement.primary.view is view
    return placement


CALLS: dict[str, Callable[[Scene], Permits]] = {
    "CreateEx": lambda placement: clients.create(placement.model, placement.primary, "fresh"),
    "GetConfiguration": lambda placement: clients.get_configuration(placement.primary),
    "OpenDevice": lambda placement: clients.open_device(placement.primary, placement.of.devices[0]),
    "GetCommand": lambda placement: devices.get_command(placement.model, placement.primary, placement.of.devices[0]),
    "CompleteCommand": lambda placement: devices.complete_command(
        placement.primary, placement.of.devices[0], None, "stale", 0
    ),
    "SignalAbort": lambda placement: clients.signal_abort(placement.primary),
    "Close": lambda placement: clients.close(placement.primary),
}
OK, PROTOCOL, ABORT = (NOERROR,), (VD_E_PROTOCOL,), (VD_E_ABORT,)
PRINTED = {
    "CreateEx": (OK, PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL, PROTOCOL),
    # Not configured yet: the wait is over before its end.
    "GetConfiguration": (PROTOCOL, (VD_E_TIMEOUT,), OK, OK, OK, ABORT),
    # With all devices open, and with the abort that the method page has.
    "OpenDevice": (PROTOCOL, PROTOCOL, OK, (VD_E_OPEN, VD_E_PROTOCOL), PROTOCOL, ABORT),
    "GetCommand": (None, None, None, (VD_E_TIMEOUT,), (VD_E_CLOSE, VD_E_PROTOCOL, VD_E_TIMEOUT), ABORT),
    "CompleteCommand": (None, None, None, (VD_E_INVALID,), PROTOCOL, (VD_E_INVALID, VD_E_ABORT)),
    "SignalAbort": (PROTOCOL, OK, OK, OK, OK, OK),
    "Close": (PROTOCOL, OK, OK, (VD_E_OPEN, NOERROR), OK, (NOERROR, VD_E_OPEN)),
}
"""The client transition matrix, state by state, with what the method pages add to it; None cannot be tried."""


@pytest.mark.parametrize(("number", "view"), list(enumerate(ClientState)), ids=list(ClientState))
@pytest.mark.parametrize("method", PRINTED)
def test_the_matrix_is_the_printed_one(method: str, number: int, view: ClientState) -> None:
    wanted = PRINTED[method][number]
    if wanted is not None:
        assert CALLS[method](_in(view)).names == tuple(name_of(code) for code in wanted)


def test_an_abort_by_others_may_be_noticed_late_and_is_never_undone() -> None:
    placement = Scene()
    placement.activate()
    placement.send()
    placement.do(clients.signal_abort(placement.secondary))
    assert placement.of.abort_state is AbortState.ABORTED
    placement.do(clients.get_configuration(placement.primary))
    placement.do(clients.get_configuration(placement.primary), VD_E_ABORT)
    assert clients.get_configuration(placement.primary).names == ("VD_E_ABORT",)
    # Its devices may still hand out what was queued, until GetCommand tells of the abort too.
    placement.fetch()
    placement.do(devices.get_command(placement.model, placement.primary, placement.of.devices[0]), VD_E_ABORT)
    assert devices.get_command(placement.model, placement.primary, placement.of.devices[0]).names == ("VD_E_ABORT",)


def test_who_joins_after_a_call_of_signal_abort_knows() -> None:
    placement = Scene()
    placement.activate()
    placement.do(clients.close(placement.secondary))
    placement.do(clients.signal_abort(placement.primary))
    assert clients.join(placement.secondary, placement.of).names == ("VD_E_ABORT",)


@pytest.mark.parametrize("code", [NOERROR, VD_E_PROTOCOL])
def test_the_state_may_be_shared_or_each_clients_own(code: int) -> None:
    placement = Scene()
    placement.do(server.open_set(placement.model, placement.of))
    placement.do(server.configure(placement.of))
    assert clients.open_device(placement.primary, placement.of.devices[0]).names == ("VD_E_PROTOCOL",)
    placement.do(server.configure(placement.of))
    placement.do(clients.open_device(placement.primary, placement.of.devices[0]), code)
    assert placement.primary.view is (ClientState.ACTIVE if code == NOERROR else ClientState.CONFIGURABLE)


@pytest.mark.parametrize("code", [NOERROR, VD_E_INVALID])
def test_another_device_may_complete_a_command_and_then_it_is_over(code: int) -> None:
    placement = Scene(devices=2)
    placement.activate()
    command = placement.send()
    placement.fetch()
    placement.do(devices.complete_command(placement.primary, placement.of.devices[1], command, "another", 0), code)
    expected = {NOERROR: [command], VD_E_INVALID: []}[code]
    assert server.completions_due(placement.of) == expected


def test_the_server_sees_each_command_end_once_as_it_was_completed() -> None:
    placement = Scene()
    placement.activate()
    command = placement.send(code=WRITE)
    assert server.complaint(placement.of, 7, 0, 0) == "the server saw the end of command 7, which it never sent"
    placement.fetch()
    placement.do(placement.complete(command))
    assert server.complaint(placement.of, 1, 0, 512) is None
    assert server.complaint(placement.of, 1, 0, 512) == "the server saw command 1 end twice"


def test_a_command_that_nobody_completed_ends_by_an_abort_alone() -> None:
    placement = Scene()
    placement.activate()
    placement.send()
    assert "nobody had completed it" in str(server.complaint(placement.of, 1, 995, 0))
    placement.send(tag=2)
    placement.do(server.signal_abort(placement.of))
    assert server.complaint(placement.of, 2, 995, 0) is None


def test_results_may_come_in_the_order_in_which_commands_were_sent() -> None:
    placement = Scene()
    placement.activate()
    first, second = placement.send(tag=1), placement.send(tag=2)
    placement.fetch()
    placement.fetch()
    placement.do(placement.complete(second))
    assert server.completions_due(placement.of) == []
    placement.do(placement.complete(first))
    assert server.completions_due(placement.of) == [first, second]


def test_the_death_of_a_secondary_may_be_noticed_or_not() -> None:
    placement = Scene()
    placement.activate()
    server.client_dies(placement.secondary)
    assert not placement.of.sound
    assert clients.get_configuration(placement.primary).names == ("NOERROR", "VD_E_ABORT")
    placement.do(clients.get_configuration(placement.primary), VD_E_ABORT)
    assert placement.of.abort_state is AbortState.ABORTED


def test_the_death_of_the_primary_ends_the_set_for_all() -> None:
    placement = Scene()
    placement.activate()
    server.client_dies(placement.primary)
    assert placement.of.abort_state is AbortState.ABORTED


def test_who_leaves_with_an_open_device_aborts_the_set() -> None:
    placement = Scene()
    placement.activate()
    placement.do(clients.close(placement.primary), VD_E_OPEN)
    assert (placement.of.abort_state, placement.primary.view) == (AbortState.ABORTED, ClientState.DOES_NOT_EXIST)


def test_a_secondary_that_leaves_disturbs_nobody() -> None:
    placement = Scene()
    placement.activate()
    placement.do(clients.close(placement.secondary))
    assert placement.of.sound


def test_what_comes_after_the_end_means_nothing_certain_to_others() -> None:
    placement = Scene()
    placement.activate()
    placement.terminate()
    placement.do(clients.signal_abort(placement.primary))
    assert (placement.primary.view, placement.of.abort_state) == (ClientState.ABORT, AbortState.DOUBTFUL)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("live", ("NOERROR",)),
        ("stray", ("VD_E_INVALID",)),
        ("past", ("NOERROR", "VD_E_INVALID")),
        ("beside", ("NOERROR", "VD_E_INVALID")),
    ],
)
def test_sharing_follows_its_pages(kind: str, wanted: tuple[str, ...]) -> None:
    placement = Scene()
    placement.activate()
    placement.send(code=WRITE)
    placement.fetch()
    assert share(placement.secondary, kind).names == wanted
    placement.do(clients.close(placement.secondary))
    assert share(placement.secondary, "past").names == ("VD_E_PROTOCOL",)


def test_strictness_asks_for_what_is_recommended() -> None:
    placement = Scene(devices=2)
    placement.activate()
    placement.do(server.close_device(placement.of.devices[0]))
    placement.do(devices.get_command(placement.model, placement.primary, placement.of.devices[0]), VD_E_CLOSE)
    again = devices.get_command(placement.model, placement.primary, placement.of.devices[0])
    assert again.names == ("VD_E_CLOSE", "VD_E_PROTOCOL", "VD_E_TIMEOUT")
    placement.model.strict = True
    again = devices.get_command(placement.model, placement.primary, placement.of.devices[0])
    assert again.names == ("VD_E_CLOSE", "VD_E_PROTOCOL")


def test_who_waits_is_woken_by_a_command_a_close_and_an_abort() -> None:
    causes: tuple[Callable[[Scene], object], ...] = (
        lambda placement: placement.send(),
        lambda placement: placement.do(server.close_device(placement.of.devices[0])),
        lambda placement: placement.do(clients.signal_abort(placement.secondary)),
    )
    for cause in causes:
        placement = Scene()
        placement.activate()
        assert not placement.of.devices[0].due
        cause(placement)
        assert placement.of.devices[0].due


def test_who_waits_cannot_close() -> None:
    placement = Scene()
    placement.activate()
    assert Step("close", 1) in options(placement.model, "close")
    placement.of.devices[0].waiting = True
    assert Step("close", 1) not in options(placement.model, "close")
