"""What a client makes of the commands that it is sent: supported or not, and what it tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.applications.probes import JUNK_POSITION, UNSUPPORTED
from vdi_conformance.applications.rules.rule import Rule
from vdi_conformance.applications.wording import command_of, led_to, outcome, process
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_END_OF_MEDIA, ERROR_NOT_SUPPORTED, ERROR_SUCCESS, name_of
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN

if TYPE_CHECKING:
    from vdi_conformance.applications.events import Call, Departure, ObjectKey
    from vdi_conformance.applications.sets import Command, Device, Set

SUPPORT: Final = {
    vdc.VDC_READ: "VDC-02",
    vdc.VDC_WRITE: "VDC-06",
    vdc.VDC_FLUSH: "VDC-10",
    vdc.VDC_REWIND: "VDC-16",
    vdc.VDC_WRITE_MARK: "VDC-17",
    vdc.VDC_SKIP_MARKS: "VDC-18",
    vdc.VDC_SKIP_BLOCKS: "VDC-19",
    vdc.VDC_LOAD: "VDC-20",
}
"""Which requirement says that a command has to be supported."""
UNDESCRIBED: Final = {
    vdc.VDC_GET_ERROR: "VDC-40",
    vdc.VDC_FILE_INFO_BEGIN: "VDC-41",
    vdc.VDC_FILE_INFO_END: "VDC-41",
}
_MISLED: Final = frozenset({25, 27, 87, 131, 132, 998})
"""What systems say of places that there are none: seek, sector, parameter, negative seek, and invalid access."""
_JUNK: Final = {vdc.VDC_READ: "VDC-28", vdc.VDC_WRITE: "VDC-28", vdc.VDC_FLUSH: "VDC-11"}
"""Which requirement says that fields mean nothing, where it is not VDC-43."""
_SNAPSHOTS: Final = frozenset({vdc.VDC_SNAPSHOT, vdc.VDC_MOUNT_SNAPSHOT, vdc.VDC_PREPARE_TO_FREEZE})
_NO_PIPE: Final = vdc.VDF_RANDOM_ACCESS | vdc.VDF_FILE_MARKS | vdc.VDF_REWIND | vdc.VDF_POSITION


class Commands(Rule):
    """Support, byte counts, fields that mean nothing, snapshots."""

    def completed(self, of: Set, device: Device, command: Command) -> None:
        """Judge a completion by its command."""
        code, count = _completion(command)
        if command.code in SUPPORT:
            self._supported(device, command, code)
        if command.code == vdc.VDC_WRITE and code == ERROR_SUCCESS and count != command.size:
            self._breach("VDC-06", device, command, f"though {command.size} were to be written")
        if command.code in UNSUPPORTED:
            self._unsupported(device, command, code)
        if command.code in UNDESCRIBED:
            self.ledger.observe(UNDESCRIBED[command.code], f"completion of {command.name}", name_of(code))
        if command.code in _SNAPSHOTS:
            self._snapshot(of, device, command)
        if command.has_junk:
            self._junk(device, command, code)

    def _supported(self, device: Device, command: Command, code: int) -> None:
        requirement = SUPPORT[command.code]
        if code == ERROR_NOT_SUPPORTED and not (command.code == vdc.VDC_FLUSH and device.done.get(vdc.VDC_FLUSH)):
            self._breach(requirement, device, command, "though it has to be supported")
        elif code in (ERROR_SUCCESS, ERROR_END_OF_MEDIA) or command.code == vdc.VDC_READ:
            self.ledger.meet(requirement, *led_to(command))

    def _unsupported(self, device: Device, command: Command, code: int) -> None:
        if code == ERROR_NOT_SUPPORTED:
            self.ledger.meet("VDC-30", *led_to(command))
        else:
            self._breach("VDC-30", device, command, "instead of ERROR_NOT_SUPPORTED")

    def _snapshot(self, of: Set, device: Device, command: Command) -> None:
        if of.features & _NO_PIPE:
            features = f"a set with the features {of.features:#x}"
            self.ledger.breach("SNP-10", f"A snapshot was made over {features}, which is no pipe", led_to(command))
        else:
            self.ledger.meet("SNP-10", *led_to(command))

    def _junk(self, device: Device, command: Command, code: int) -> None:
        """A field that the command does not have held something that means nothing."""
        requirement = _JUNK.get(command.code, "VDC-43")
        if code in _MISLED:
            what = f"position {JUNK_POSITION:#x}" if command.moves_data else "size, position and buffer"
            self._breach(requirement, device, command, f"whose {what} mean nothing")
        elif code == ERROR_SUCCESS and not command.moves_data:
            self.ledger.meet(requirement, *led_to(command))
            self.ledger.meet("BUF-16", *led_to(command))

    def _breach(self, requirement: str, device: Device, command: Command, why: str) -> None:
        completed = command.completed
        if completed is not None:
            who = process(completed.owner).capitalize()
            sentence = f"{who} completed {command_of(command, device)} with {outcome(completed)}, {why}"
            self.ledger.breach(requirement, sentence, led_to(command))

    # Commands that are never completed

    def departed(self, of: Set, owner: ObjectKey, departure: Departure) -> None:
        """A process that ends at a command may have ended for it."""
        for device in of.devices_of(owner):
            for command in device.held.values():
                self._given_up(of, device, command, f"ended at {departure.time:.3f} s", departure)

    def aborted(self, of: Set, call: Call) -> None:
        """So may a set be aborted for a command, by the thread that fetched it; others have their own reasons."""
        for device in of.devices_of(call.owner):
            for command in device.held.values():
                if command.fetched.connection == call.connection:
                    self._given_up(of, device, command, "called SignalAbort", None)

    def _given_up(self, of: Set, device: Device, command: Command, what: str, end: Departure | None) -> None:
        sentence = f"{process(device.owner).capitalize()} {what} while it held {command_of(command, device)}"
        if command.code in UNSUPPORTED:
            instead = "instead of completing it with ERROR_NOT_SUPPORTED"
            self.ledger.breach("VDC-30", f"{sentence}, {instead}", of.recent, end)
        elif end is not None and command.has_junk and not command.moves_data:
            self.ledger.breach("BUF-16", f"{sentence}, whose buffer means nothing", of.recent, end)


class Flushes(Rule):
    """VDC-13: a Flush is not the end; and CLS-21: nor is anything else but VD_E_CLOSE."""

    def completed(self, of: Set, device: Device, command: Command) -> None:
        """Judge a second Flush."""
        if command.code != vdc.VDC_FLUSH or not device.done.get(vdc.VDC_FLUSH):
            return
        code, _ = _completion(command)
        if code == ERROR_SUCCESS:
            self.ledger.meet("VDC-13", *led_to(command))
        elif code == ERROR_NOT_SUPPORTED:
            sentence = f"The second Flush of device {device.name!r} was completed with {name_of(code)}"
            self.ledger.breach("VDC-13", sentence, led_to(command))

    def closing(self, of: Set, owner: ObjectKey, call: Call) -> None:
        """Judge a Close that came too early."""
        if (
            call.code not in (NOERROR, VD_E_OPEN)
            or of.aborted is not None
            or any(one.held for one in of.devices_of(owner))
        ):
            return
        for device in of.devices_of(owner):
            last = device.last
            if device.close_told or last is None:
                continue
            code, _ = _completion(last)
            # A judging server leaves the fields of a Flush in mid-stream alone, unlike those of the last one.
            if last.code == vdc.VDC_FLUSH and not last.has_junk:
                sentence = f"{process(owner).capitalize()} took the first Flush of device {device.name!r} for the last"
                self.ledger.breach("VDC-13", f"{sentence}, and closed the set", [*of.recent, call])
            elif code == ERROR_SUCCESS:
                sentence = f"{process(owner).capitalize()} closed the set before device {device.name!r} gave VD_E_CLOSE"
                self.ledger.breach("CLS-21", sentence, [*of.recent, call])
            return


class Positions(Rule):
    """VDC-22 and VDC-23: what is handed back as a position."""

    def completed(self, of: Set, device: Device, command: Command) -> None:
        """Follow where the device is, and judge what it says of that."""
        code, count = _completion(command)
        position = command.completed.arguments[4] if command.completed else 0
        random_access = bool(of.features & vdc.VDF_RANDOM_ACCESS)
        if command.moves_data:
            device.moved += count
            device.at = (command.position if random_access else device.at) + count
        if code != ERROR_SUCCESS:
            return
        if command.code == vdc.VDC_SET_POSITION:
            device.at = command.position if random_access else device.at
            self._judge("VDC-23", device, command, position == command.position, f"instead of {command.position}")
        elif command.code == vdc.VDC_GET_POSITION and random_access:
            self._judge("VDC-22", device, command, position == device.at, f"instead of {device.at}")
        elif command.code == vdc.VDC_GET_POSITION:
            moved = [one for one, told in device.positions if told == position and one != device.moved]
            why = "as it did before more was moved"
            self._judge("VDC-22", device, command, not moved, why)
            device.positions.append((device.moved, position))

    def _judge(self, requirement: str, device: Device, command: Command, right: bool, why: str) -> None:
        if right:
            self.ledger.meet(requirement, *led_to(command))
            return
        told = command.completed.arguments[4] if command.completed else 0
        who = process(device.owner).capitalize()
        sentence = f"{who} handed back the position {told} with {command_of(command, device)}, {why}"
        self.ledger.breach(requirement, sentence, led_to(command))


def _completion(command: Command) -> tuple[int, int]:
    """Give the code and the byte count that a command was completed with."""
    assert command.completed is not None
    return command.completed.arguments[2], command.completed.arguments[3]
