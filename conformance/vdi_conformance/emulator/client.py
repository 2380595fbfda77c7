"""The client role: client objects and their devices, as calls to the machine."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, Final

from vdi_conformance.contract import OUT_UNTOUCHED, Command, Outcome
from vdi_conformance.emulator.records import Records
from vdi_conformance.emulator.segments import Mappings
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.contract import VirtualDevice
    from vdi_conformance.emulator.link import Link

INSTANCE_VARIABLE: Final = "_VIRTUAL_SERVER_NAME_"

_UNTOUCHED_HANDLE: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_UNTOUCHED_ADDRESS: Final = OUT_UNTOUCHED & ((1 << 8 * ctypes.sizeof(ctypes.c_void_p)) - 1)
_UNTOUCHED_CONFIG: Final = VDConfig(*[_UNTOUCHED_HANDLE] * len(VDConfig._fields))
_NO_COMMAND: Final = 0


class _OpenSet:
    """What a client object has in this process from its create or attach to its Close."""

    def __init__(self, directory: str) -> None:
        self.mappings = Mappings(directory)
        self.commands: dict[int, int] = {}


class EmulatorDeviceSet:
    """A client object (contract.VirtualDeviceSet)."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._number = link.new_object()
        self._lock = threading.Lock()
        self._records = Records()
        self._open_set: _OpenSet | None = None
        self._released = False

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self.create_ex(os.environ.get(INSTANCE_VARIABLE), name, config)

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx."""
        packed = None if config is None else config.pack().hex()
        return self._begin("create", instance=instance, name=name, config=packed)

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self.open_in_secondary_ex(os.environ.get(INSTANCE_VARIABLE), name)

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx."""
        return self._begin("attach", instance=instance, name=name)

    def _begin(self, op: str, **arguments: str | None) -> int:
        if self._released:
            return VD_E_PROTOCOL
        with self._lock:
            code: int = self.call(op, **arguments)["code"]
            if code == NOERROR:
                self._open_set = _OpenSet(self._link.directory)
        return code

    def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Make a call of this object to the machine."""
        return self._link.call(op, self._number, **arguments)

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        answer = self.call("get_configuration", timeout=timeout, null_out=null_out)
        if null_out:
            return Outcome(answer["code"])
        if answer["code"] != NOERROR:
            return Outcome(answer["code"], _UNTOUCHED_CONFIG)
        return Outcome(NOERROR, VDConfig.unpack(bytes.fromhex(answer["config"])))

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        answer = self.call("open_device", name=name, null_out=null_out)
        if answer["code"] != NOERROR:
            return Outcome(answer["code"])
        return Outcome(NOERROR, EmulatorDevice(self, answer["device"]))

    def signal_abort(self) -> int:
        """SignalAbort."""
        code: int = self.call("signal_abort")["code"]
        return code

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        open_set = self._open_set
        area, offset = (None, 0) if open_set is None else open_set.mappings.place_of(address)
        answer = self.call("get_buffer_handle", area=area, offset=offset, null_out=null_out)
        return Outcome(answer["code"], None if null_out else answer.get("handle", _UNTOUCHED_HANDLE))

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        open_set = self._open_set
        answer = self.call("map_buffer_handle", handle=handle, null_out=null_out)
        if null_out:
            return Outcome(answer["code"])
        if answer["code"] != NOERROR:
            return Outcome(answer["code"], _UNTOUCHED_ADDRESS)
        address = _address(open_set, answer)
        return Outcome(VD_E_PROTOCOL, _UNTOUCHED_ADDRESS) if address is None else Outcome(NOERROR, address)

    def close(self) -> int:
        """Close."""
        with self._lock:
            code: int = self.call("close")["code"]
            open_set, self._open_set = self._open_set, None
        if open_set is not None:
            open_set.mappings.release()
        return code

    def release(self) -> None:
        """Give the object up; one that still has a set open lets it go as Close does."""
        self._released = True
        self.close()

    def fetch(self, device: int, timeout: int, null_out: bool) -> Outcome[Command]:
        """Fetch the next command of a device and put its record into memory."""
        open_set = self._open_set
        answer = self.call("get_command", device=device, timeout=timeout, null_out=null_out)
        if answer["code"] != NOERROR:
            return Outcome(answer["code"])
        buffer = _address(open_set, answer) if "area" in answer else answer["buffer"]
        if open_set is None or buffer is None:
            return Outcome(VD_E_PROTOCOL)
        members = answer["kind"], answer["size"], answer["position"], buffer
        with self._lock:
            record = self._records.add(*members)
        open_set.commands[record] = answer["command"]
        return Outcome(NOERROR, Command(record, *members))

    def complete(self, device: int, record: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """Complete the command whose record lies there."""
        commands = {} if self._open_set is None else self._open_set.commands
        answer = self.call(
            "complete_command",
            device=device,
            command=commands.get(record, _NO_COMMAND),
            completion=completion_code,
            bytes=bytes_transferred,
            position=position,
        )
        if answer["code"] == NOERROR:
            commands.pop(record, None)
        code: int = answer["code"]
        return code


class EmulatorDevice:
    """A device that a client object opened (contract.VirtualDevice)."""

    def __init__(self, device_set: EmulatorDeviceSet, number: int) -> None:
        self._set = device_set
        self._number = number

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """GetCommand."""
        return self._set.fetch(self._number, timeout, null_out)

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """CompleteCommand."""
        return self._set.complete(self._number, command, completion_code, bytes_transferred, position)

    def release(self) -> None:
        """Give the reference up, which changes nothing for the set."""


def _address(open_set: _OpenSet | None, answer: dict[str, Any]) -> int | None:
    """Give the address of the buffer that an answer names; None where the set was closed meanwhile."""
    if open_set is None:
        return None
    return open_set.mappings.address_of(answer["area"], answer["length"], answer["offset"])
