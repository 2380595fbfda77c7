"""The parts of the emulator that a fault or a reading may replace, by what they are called where they are used."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

REPLACEABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "broker.BrokerState": "all sets of one broker, and what becomes of their names and areas",
        "broker_connection.BrokerConnection": "how a process calls the broker",
        "broker_state.BufferPool": "the buffers of a set: where they lie, who has them, and their handles",
        "broker_state.ClientObject": "a client object as the broker knows it, and what it may call when",
        "broker_state.EmulatedServer": "the server of a set: its states, and what it sends",
        "broker_state.EmulatedSet": "a set: its states, and what each call of a client gives",
        "broker_state.ServerObject": "a server as the broker knows it, and what it may call when",
        "broker_state.Waits": "which of the calls that wait goes on first, and when it is over",
        "broker_state.draw_first_handle": "where the handles of a set begin",
        "broker_state.instance_of": "which instance a name is for",
        "broker_state.may_share": "which accounts may use what another one has made",
        "broker_state.is_supported": "which configurations a set can be created with",
        "calls.CLIENT_CALLS": "the calls of clients, by their names",
        "calls.SERVER_CALLS": "the calls of servers, by their names",
        "client.EmulatorDeviceSet": "the client object that an application calls",
        "client.Mappings": "how a client object maps the areas of its set",
        "client.Records": "the records of the commands that a client object hands out",
        "devices.INFORMATIVE": "the completion codes that are no errors",
        "devices.QUEUE_DEPTH": "how many commands a device takes at once",
        "directory.AREA_MODE": "which accounts may map an area",
        "segments._allocate": "how an area gets its room",
        "segments._map": "how a process maps one area",
        "server.EmulatorServer": "the server that makes calls",
        "server.Mappings": "how a server maps the areas of its set",
        "server.make_area": "how the memory of an area is made",
        "server_state.as_configured": "what becomes of the wishes of client and server",
        "state.EmulatedDevice": "a device of a set: its queue, its error, its end",
        "statement.EmulatorServer": "the server that a statement makes calls with, where no other one differs",
        "statement.EmulatorStatementServer": "the server that runs statements",
        "statement.Exchanges": "in which order a statement sends its commands, and what it makes of their ends",
        "statement.StreamReader": "what a RESTORE takes for a stream",
        "statement.backup": "the commands of a BACKUP",
        "statement.restore": "the commands of a RESTORE",
        "transfers.ERROR_NO_DATA_DETECTED": "the completion code that ends the media of a RESTORE",
        "transfers._Medium": "when a BACKUP goes on to a further medium",
    }
)
"""What each is for, by its module and its name there.

What is replaced is what `name` means in `module` of the package of the emulator, so `module` is the one that uses it.
"""
