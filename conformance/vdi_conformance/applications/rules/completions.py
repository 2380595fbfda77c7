"""Who completes what: each command once, by the process that fetched it, under the pointer that it came with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.applications.rules.rule import Rule
from vdi_conformance.applications.wording import command_of, led_to, process
from vdi_conformance.vdi.hresult import VD_E_INVALID, VD_E_PROTOCOL, name_of

if TYPE_CHECKING:
    from vdi_conformance.applications.events import Call, Departure, ObjectKey
    from vdi_conformance.applications.sets import Command, Device, Set


class Completions(Rule):
    """CMD-15, GBH-07 and VDC-31, and of VDC-02 and VDC-06 that no more bytes are reported than asked for."""

    def completed(self, of: Set, device: Device, command: Command) -> None:
        """One completion, by who fetched it."""
        self.ledger.meet("VDC-31", *led_to(command))
        self.ledger.meet("CMD-15", *led_to(command))
        if command.exported is not None:
            self.ledger.meet("GBH-07", *led_to(command))

    def record_changed(self, of: Set, call: Call) -> None:
        """A record that is not as it was handed out."""
        sentence = "wrote into the record of a command between GetCommand and CompleteCommand"
        self.ledger.breach("CMD-15", f"{process(call.owner).capitalize()} {sentence}", [*of.recent, call])

    def refused(self, of: Set, call: Call) -> None:
        """A completion of something else than a command that this process holds."""
        if call.code not in (VD_E_INVALID, VD_E_PROTOCOL):
            return
        number, command_number, _, count, _ = call.arguments
        device = of.devices.get(number)
        command = device.held.get(command_number) if device else None
        if device is not None and command is not None and command.moves_data and count > command.size:
            requirement = "VDC-02" if command.name == "VDC_READ" else "VDC-06"
            sentence = f"{command_of(command, device)} asked for {command.size} bytes, and {count} were reported"
            self.ledger.breach(
                requirement, f"{process(call.owner).capitalize()} was wrong of bytes: {sentence}", [call]
            )
            return
        requirement, sentence = self._charged(of, call, device)
        self.ledger.breach(requirement, sentence, [*of.recent, call])

    @staticmethod
    def _charged(of: Set, call: Call, device: Device | None) -> tuple[str, str]:
        who = process(call.owner).capitalize()
        given = f"which was refused with {name_of(call.code)}"
        for other in of.devices.values():
            for command in other.held.values():
                if command.exported is not None and other.owner.process != call.owner.process:
                    return "GBH-07", (
                        f"{who} tried to complete a command, {given}, while {process(other.owner)} holds "
                        f"{command_of(command, other)}, whose buffer it had given the handle of: the one that "
                        "got the handle has to complete"
                    )
        if device is not None and device.held and device.owner == call.owner:
            held = command_of(next(iter(device.held.values())), device)
            return "CMD-15", f"{who} held {held}, and passed another pointer to CompleteCommand, {given}"
        return "VDC-31", f"{who} completed a command that it did not hold, {given}: each is completed once"

    def closing(self, of: Set, owner: ObjectKey, call: Call) -> None:
        """A set that is closed while a command is neither completed nor given up."""
        if of.aborted is None:
            self._left(of, owner, [call], "closed the set")

    def departed(self, of: Set, owner: ObjectKey, departure: Departure) -> None:
        """The end of a process is no failure to complete: SEC-13 says whose matter it is."""

    def stopped(self, of: Set, time: float) -> None:
        """A set that is still open when all is over."""
        if of.aborted is None:
            for owner in tuple(of.members):
                self._left(of, owner, (), "did nothing more")

    def _left(self, of: Set, owner: ObjectKey, calls: list[Call] | tuple[Call, ...], what: str) -> None:
        for device in of.devices_of(owner):
            for command in device.held.values():
                requirement = "GBH-07" if command.exported else "VDC-31"
                self.ledger.breach(
                    requirement,
                    f"{process(owner).capitalize()} {what} while it held {command_of(command, device)}, which it "
                    "neither completed nor gave up by SignalAbort",
                    [*of.recent, *led_to(command), *calls],
                )
