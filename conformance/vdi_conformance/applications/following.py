"""Follows events, and tells the rules what they mean; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.applications.events import (
    BufferMisuse,
    Call,
    Departure,
    ObjectKey,
    ReadBehind,
    ReadLook,
    Stopped,
    Streams,
)
from vdi_conformance.applications.findings import Ledger
from vdi_conformance.applications.rules.commands import Commands, Flushes, Positions
from vdi_conformance.applications.rules.completions import Completions
from vdi_conformance.applications.rules.endings import Endings
from vdi_conformance.applications.rules.streams import Buffers, Ends, RoundTrips
from vdi_conformance.applications.sets import Command, Device, Set, Sets
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.applications.events import Event, Place

RULES = (Completions, Endings, Commands, Flushes, Positions, Buffers, RoundTrips, Ends)
_BEGINNINGS = frozenset({"create", "attach", "server_open"})


class Follower:
    """Takes events in their order, and fills a ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._sets = Sets()
        self._rules = tuple(rule(self.ledger) for rule in RULES)
        self._calls: dict[str, Callable[[Set, Call], None]] = {
            "get_configuration": self._configured,
            "server_get_configuration": self._configured,
            "open_device": self._opened,
            "get_command": self._fetched,
            "complete_command": self._completed,
            "get_buffer_handle": self._exported,
            "signal_abort": self._aborted,
            "server_signal_abort": self._server_aborted,
            "record_changed": lambda of, call: self._tell("record_changed", of, call),
            "buffer_touched": lambda of, call: self._tell("touched", of, call, None),
            "close": self._closed,
            "server_close": self._closed,
        }

    def take(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Call():
                self._called(event)
            case Departure():
                self._departed(event)
            case BufferMisuse(place):
                self._at(place, "misused", event)
            case ReadLook(place):
                self._at(place, "looked", event)
            case ReadBehind(place):
                self._at(place, "read_behind", event)
            case Streams(place):
                self._at(place, "moved", event)
            case Stopped(time):
                for one in self._sets.all:
                    self._tell("stopped", one, time)

    def _tell(self, what: str, *about: object) -> None:
        for rule in self._rules:
            getattr(rule, what)(*about)

    def _at(self, place: Place, what: str, event: Event) -> None:
        found = self._sets.at(place)
        if found is not None:
            self._tell(what, found, event)

    # Calls

    def _called(self, call: Call) -> None:
        if call.method in _BEGINNINGS:
            begun = self._sets.begin(call)
            self.ledger.sets += begun is not None and call.method == "create"
            return
        of = self._sets.open.get(call.owner)
        if of is None or not self._is_of(of, call):
            self._late(call)
            return
        of.note(call)
        if call.code == VD_E_ABORT and of.aborted is None:
            of.aborted = call
        handle = self._calls.get(call.method)
        if handle is not None:
            handle(of, call)

    @staticmethod
    def _is_of(of: Set, call: Call) -> bool:
        """Tell whether a call of a device is of one of this set, not of one that the object had before."""
        place = {"get_command": 1, "complete_command": 0}.get(call.method)
        return place is None or call.arguments[place] in of.devices

    def _late(self, call: Call) -> None:
        """Take a call of an object that has no set, or of a device of another one."""
        place = {"get_command": 1, "complete_command": 0}.get(call.method)
        if place is not None:
            former = self._sets.former_device(call.arguments[place])
            if former is not None and former[1].owner == call.owner and call.number > former[2].answered:
                self._tell("late", *former, call)
            elif former is None and (of := self._sets.open.get(call.owner)) and call.method == "complete_command":
                self._tell("refused", of, call)
        elif call.method == "buffer_touched" and call.owner in self._sets.closed:
            of, closed = self._sets.closed[call.owner]
            self._tell("touched", of, call, closed)

    @staticmethod
    def _configured(of: Set, call: Call) -> None:
        if call.code == NOERROR:
            of.configured(call.values[0])

    @staticmethod
    def _opened(of: Set, call: Call) -> None:
        if call.code == NOERROR:
            number = call.values[0]
            of.devices[number] = Device(call.arguments[0], number, call.owner)

    def _fetched(self, of: Set, call: Call) -> None:
        device = of.devices[call.arguments[1]]
        if call.code == VD_E_CLOSE:
            device.close_told = True
        if call.code != NOERROR:
            return
        number, code, size, position, area, _, offset = call.values
        raw = 0 if area else offset
        command = Command(code, size, position, (area, 0 if raw else offset), raw, call)
        device.held[number] = command
        self._tell("fetched", of, device, command)

    def _completed(self, of: Set, call: Call) -> None:
        device = of.devices[call.arguments[0]]
        if call.code != NOERROR:
            self._tell("refused", of, call)
            return
        command = device.held.pop(call.arguments[1])
        command.completed = call
        device.last = command
        self._tell("completed", of, device, command)
        device.done[command.code] = device.done.get(command.code, 0) + (call.arguments[2] == ERROR_SUCCESS)

    @staticmethod
    def _exported(of: Set, call: Call) -> None:
        area, offset, _ = call.arguments
        command = of.holder_of(call.owner.process, (area, offset))
        if call.code == NOERROR and command is not None:
            command.exported = call

    def _aborted(self, of: Set, call: Call) -> None:
        self._tell("aborted", of, call)
        of.aborted = of.aborted or call

    @staticmethod
    def _server_aborted(of: Set, call: Call) -> None:
        of.aborted = of.aborted or call

    def _closed(self, of: Set, call: Call) -> None:
        if call.owner in of.members:
            self._tell("closing", of, call.owner, call)
            if call.code == VD_E_OPEN:
                of.aborted = of.aborted or call
        self._end(of, call.owner, call)

    def _end(self, of: Set, owner: ObjectKey, call: Call | None) -> None:
        self._sets.end(owner, call)
        if of.is_over:
            self._tell("over", of)

    def _departed(self, departure: Departure) -> None:
        for owner in [one for one in self._sets.open if one.process == departure.process]:
            of = self._sets.open[owner]
            if owner in of.members:
                self._tell("departed", of, owner, departure)
            self._end(of, owner, None)
