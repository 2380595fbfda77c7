"""What travels between processes and machine: each request by its name, and the transition that it makes.

A request is one flat JSON object: `op` names it, `object` is the number of the client object or server in its
process, the other members are arguments. An answer has `code` and the out values. A VDConfig is the hexadecimal
form of its 44 bytes; a place in shared memory is `area` and `offset`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.emulator.devices import Command
from vdi_conformance.emulator.state import COMPLETIONS, CONFIGURATION, Answer, Completion

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.emulator.server_state import ServerRole
    from vdi_conformance.emulator.state import DeviceSet, Participant

    ClientCalls = dict[str, Callable[[DeviceSet, Participant, "Message", float], Answer | None]]
    ServerCalls = dict[str, Callable[[ServerRole, "Message", float], Answer | None]]

Message = dict[str, Any]
LAST_CALLS: Final = frozenset({"close", "server_close"})
"""After these the object has no set any more."""


def _complete_command(device_set: DeviceSet, participant: Participant, message: Message, now: float) -> Answer:
    completion = Completion(0, "", message["completion"], message["bytes"], message["position"])
    return device_set.complete_command(participant, message["device"], message["command"], completion, now)


CLIENT_CALLS: Final[ClientCalls] = {
    "get_configuration": lambda s, p, m, _: s.get_configuration(p, m["null_out"]),
    "open_device": lambda s, p, m, _: s.open_device(p, m["name"], m["null_out"]),
    "get_command": lambda s, p, m, _: s.get_command(p, m["device"], m["null_out"]),
    "complete_command": _complete_command,
    "signal_abort": lambda s, _p, _m, _: s.signal_abort(),
    "get_buffer_handle": lambda s, _p, m, _: s.get_buffer_handle(m["area"], m["offset"], m["null_out"]),
    "map_buffer_handle": lambda s, _p, m, _: s.map_buffer_handle(m["handle"], m["null_out"]),
    "close": lambda s, p, _m, _: s.close(p),
}


class ClientObject:
    """A client object that has a set open."""

    def __init__(self, device_set: DeviceSet, participant: Participant) -> None:
        self.set = device_set
        self.participant = participant

    def call(self, message: Message, now: float) -> Answer | None:
        """Make the transition that a message asks for."""
        return CLIENT_CALLS[message["op"]](self.set, self.participant, message, now)

    def waits_for(self, message: Message) -> object:
        """Tell what must be stirred before a blocked call can go on."""
        return self.participant.devices[message["device"]] if message["op"] == "get_command" else CONFIGURATION

    def die(self) -> None:
        """Take the death of the process."""
        self.set.die(self.participant)


def _send_command(role: ServerRole, message: Message, now: float) -> Answer:
    number, tag, buffer = next(role.set.numbers), message["tag"], message["buffer"]
    command = Command(number, tag, message["kind"], message["size"], message["position"], buffer)
    return role.send_command(message["device"], command, message["area"], message["offset"], now)


SERVER_CALLS: Final[ServerCalls] = {
    "server_get_configuration": lambda r, _m, _: r.get_configuration(),
    "server_name_device": lambda r, m, _: r.name_device(m["name"]),
    "server_begin_configuration": lambda r, m, _: r.begin_configuration(
        m["features"], m["alignment"], m["block_size"], m["max_transfer_size"]
    ),
    "server_request_buffers": lambda r, m, _: r.request_buffers(m["size"], m["alignment"], m["count"]),
    "server_query_available_buffers": lambda r, m, _: r.query_available_buffers(m["size"], m["alignment"]),
    "server_end_configuration": lambda r, _m, _: r.end_configuration(),
    "server_area_made": lambda r, m, _: r.area_made(m["area"], m["made"]),
    "server_open_device": lambda r, m, _: r.open_device(m["name"]),
    "server_allocate_buffer": lambda r, m, _: r.allocate_buffer(m["size"], m["alignment"]),
    "server_free_buffer": lambda r, m, _: r.free_buffer(m["area"], m["offset"], m["size"]),
    "server_send_command": _send_command,
    "server_next_completion": lambda r, _m, _: r.next_completion(),
    "server_close_device": lambda r, m, _: r.close_device(m["device"]),
    "server_signal_abort": lambda r, _m, _: r.signal_abort(),
    "server_close": lambda r, _m, _: r.close(),
}


class ServerObject:
    """A server that has a set open."""

    def __init__(self, role: ServerRole) -> None:
        self.set = role.set
        self.role = role

    def call(self, message: Message, now: float) -> Answer | None:
        """Make the transition that a message asks for."""
        return SERVER_CALLS[message["op"]](self.role, message, now)

    def waits_for(self, _message: Message) -> object:
        """Tell what must be stirred before a blocked call can go on."""
        return COMPLETIONS

    def die(self) -> None:
        """Take the death of the process."""
        self.role.close()
