"""The client role: client objects and their devices, as calls to the broker."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, Final

from vdi_conformance.contract import OUT_UNTOUCHED, Command, Outcome
from vdi_conformance.emulator.records import Records, contents_of
from vdi_conformance.emulator.segments import Mappings
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.contract import VirtualDevice
    from vdi_conformance.emulator.broker_connection import BrokerConnection

INSTANCE_VARIABLE: Final = "_VIRTUAL_SERVER_NAME_"

_UNTOUCHED_HANDLE: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_UNTOUCHED_ADDRESS: Final = OUT_UNTOUCHED & ((1 << 8 * ctypes.sizeof(ctypes.c_void_p)) - 1)
_UNTOUCHED_CONFIG: Final = VDConfig(*[_UNTOUCHED_HANDLE] * len(VDConfig._fields))
_NO_COMMAND: Final = 0
_RECORDS_ARE_WATCHED: Final = 1


class _OpenSet:
    """What a client object has in this process from its create or attach to its Close."""

    def __init__(self, directory: str) -> None:
        self.mappings = Mappings(directory)
        self.commands: dict[int, int] = {}
        self.handed_out: dict[int, bytes] = {}


class EmulatorDeviceSet:
    """A client object (contract.VirtualDeviceSet)."""

    def __init__(self, link: BrokerConnection) -> None:
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
        return self._begin("create", instance, name, packed)

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self.open_in_secondary_ex(os.environ.get(INSTANCE_VARIABLE), name)

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx."""
        return self._begin("attach", instance, name)

    def _begin(self, call: str, *arguments: str | None) -> int:
        if self._released:
            return VD_E_PROTOCOL
        with self._lock:
            (code,) = self._call(call, *arguments)
            if code == NOERROR:
                self._open_set = _OpenSet(self._link.directory)
                if self._link.watched:
                    self._call("watching", _RECORDS_ARE_WATCHED)
        return int(code)

    def _call(self, name: str, *arguments: int | str | None) -> list[Any]:
        return self._link.call(name, self._number, *arguments)

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        code, *out = self._call("get_configuration", timeout, null_out)
        if null_out:
            return Outcome(code)
        return Outcome(code, VDConfig.unpack(bytes.fromhex(out[0])) if out else _UNTOUCHED_CONFIG)

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        code, *out = self._call("open_device", name, null_out)
        return Outcome(code, EmulatorDevice(self, out[0]) if out else None)

    def signal_abort(self) -> int:
        """SignalAbort."""
        return int(self._call("signal_abort")[0])

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        open_set = self._open_set
        area, offset = (0, 0) if open_set is None else open_set.mappings.place_of(address)
        code, *out = self._call("get_buffer_handle", area, offset, null_out)
        if null_out:
            return Outcome(code)
        return Outcome(code, out[0] if out else _UNTOUCHED_HANDLE)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        open_set = self._open_set
        code, *out = self._call("map_buffer_handle", handle, null_out)
        if null_out:
            return Outcome(code)
        if code != NOERROR or open_set is None:
            return Outcome(code, _UNTOUCHED_ADDRESS)
        address = open_set.mappings.address_of(*out)
        return Outcome(VD_E_PROTOCOL, _UNTOUCHED_ADDRESS) if address is None else Outcome(NOERROR, address)

    def close(self) -> int:
        """Close."""
        with self._lock:
            (code,) = self._call("close")
            open_set, self._open_set = self._open_set, None
        if open_set is not None:
            open_set.mappings.release()
        return int(code)

    def release(self) -> None:
        """Give the object up; one that still has a set open lets it go as Close does."""
        self._released = True
        self.close()

    def fetch(self, device: int, timeout: int, null_out: bool) -> Outcome[Command]:
        """Fetch the next command of a device and put its record into memory."""
        open_set = self._open_set
        code, *out = self._call("get_command", timeout, device, null_out)
        if code != NOERROR or open_set is None:
            return Outcome(code)
        number, kind, size, position, area, length, offset = out
        buffer = open_set.mappings.address_of(area, length, offset) if area else offset
        if buffer is None:
            return Outcome(VD_E_PROTOCOL)
        with self._lock:
            record = self._records.add(kind, size, position, buffer)
            open_set.commands[record] = number
            if self._link.watched:
                open_set.handed_out[record] = contents_of(record)
        return Outcome(NOERROR, Command(record, kind, size, position, buffer))

    def complete(self, device: int, record: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """Complete the command whose record lies there."""
        open_set = self._open_set
        commands = {} if open_set is None else open_set.commands
        number = commands.get(record, _NO_COMMAND)
        before = None if open_set is None else open_set.handed_out.pop(record, None)
        # Only a record of this object may be looked at: at any other address there may be nothing.
        if before is not None and before != contents_of(record):
            self._call("record_changed", number)
        (code,) = self._call("complete_command", device, number, completion_code, bytes_transferred, position)
        if code == NOERROR:
            commands.pop(record, None)
        return int(code)


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
