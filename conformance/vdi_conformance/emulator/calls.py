"""The requests that the broker understands, and the transition that each makes.

A function here takes its object's side of the set and the request's arguments in the order in which they
travel; the values of its CallAnswer travel back in theirs. A call that may wait has its time-out (milliseconds)
first. `create`, `attach` and `server_open`, which begin it all, are in broker.py; signatures.py has what arguments
may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.emulator.devices import EmulatedCommand
from vdi_conformance.emulator.server_state import EmulatedServer
from vdi_conformance.emulator.signatures import unknown
from vdi_conformance.emulator.state import COMPLETIONS, CONFIGURATION, CallAnswer, EmulatedCompletion, EmulatedSet
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.emulator.state import Member

    Calls = dict[str, Callable[..., CallAnswer | None]]

LAST_CALLS: Final = frozenset({"close", "server_close"})
"""After these the object has no set any more."""
AREA_MADE: Final = "server_area_made"


def _complete_command(
    device_set: EmulatedSet, member: Member, device: int, command: int, code: int, count: int, position: int
) -> CallAnswer:
    return device_set.complete_command(member, device, command, EmulatedCompletion(0, "", code, count, position))


CLIENT_CALLS: Final[Calls] = {
    "get_configuration": lambda s, p, _timeout, null_out: s.get_configuration(p, null_out),
    "open_device": lambda s, p, name, null_out: s.open_device(p, name, null_out),
    "get_command": lambda s, p, _timeout, device, null_out: s.get_command(p, device, null_out),
    "complete_command": _complete_command,
    "signal_abort": lambda s, _p: s.signal_abort(),
    "get_buffer_handle": lambda s, _p, area, offset, null_out: s.get_buffer_handle(area, offset, null_out),
    "map_buffer_handle": lambda s, _p, handle, null_out: s.map_buffer_handle(handle, null_out),
    "close": lambda s, p: s.close(p),
    "watching": lambda _s, _p, _what: CallAnswer(NOERROR),
    "record_changed": lambda _s, _p, _command: CallAnswer(NOERROR),
    "buffer_touched": lambda _s, _p, _area, _offset, _written: CallAnswer(NOERROR),
}
"""The last three change nothing: they tell an observer what the client library itself keeps an eye on."""


class ClientObject:
    """A client object that has a set open."""

    def __init__(self, device_set: EmulatedSet, member: Member) -> None:
        self.set = device_set
        self.member = member

    def call(self, name: str, arguments: Sequence[Any]) -> CallAnswer | None:
        """Make the transition that a request asks for; Malformed where there is none."""
        if name not in CLIENT_CALLS:
            raise unknown(name)
        return CLIENT_CALLS[name](self.set, self.member, *arguments)

    def waits_for(self, name: str, arguments: Sequence[Any]) -> object:
        """Tell what must be stirred before a blocked call can go on."""
        if name == "get_configuration":
            return CONFIGURATION
        _, device, _ = arguments
        return self.member.devices[device]

    def die(self) -> None:
        """Take the death of the process."""
        self.set.die(self.member)


def _send_command(
    role: EmulatedServer,
    device: str,
    tag: int,
    code: int,
    size: int,
    position: int,
    buffer: int,
    area: int,
    offset: int,
) -> CallAnswer:
    command = EmulatedCommand(next(role.set.numbers), tag, code, size, position, buffer)
    return role.send_command(device, command, area, offset)


SERVER_CALLS: Final[Calls] = {
    "server_get_configuration": EmulatedServer.get_configuration,
    "server_name_device": EmulatedServer.name_device,
    "server_begin_configuration": EmulatedServer.begin_configuration,
    "server_request_buffers": EmulatedServer.request_buffers,
    "server_query_available_buffers": EmulatedServer.query_available_buffers,
    "server_end_configuration": EmulatedServer.end_configuration,
    AREA_MADE: EmulatedServer.area_made,
    "server_open_device": EmulatedServer.open_device,
    "server_allocate_buffer": EmulatedServer.allocate_buffer,
    "server_free_buffer": EmulatedServer.free_buffer,
    "server_send_command": _send_command,
    "server_next_completion": lambda role, _timeout: role.next_completion(),
    "server_close_device": EmulatedServer.close_device,
    "server_signal_abort": lambda role: role.signal_abort(),
    "server_close": lambda role: role.close(),
}


CALLS: Final = CLIENT_CALLS.keys() | SERVER_CALLS.keys()


class ServerObject:
    """A server that has a set open."""

    def __init__(self, role: EmulatedServer) -> None:
        self.set = role.set
        self.role = role

    def call(self, name: str, arguments: Sequence[Any]) -> CallAnswer | None:
        """Make the transition that a request asks for; Malformed where there is none."""
        if name not in SERVER_CALLS:
            raise unknown(name)
        return SERVER_CALLS[name](self.role, *arguments)

    def waits_for(self, _name: str, _arguments: Sequence[Any]) -> object:
        """Tell what must be stirred before a blocked call can go on."""
        return COMPLETIONS

    def die(self) -> None:
        """Take the death of the process."""
        self.role.die()
