"""A virtual device set as its server sees it; pure, like state.py, whose set it works on.

Shared memory is I/O, so an area comes in two steps: a transition answers with the name and length of the area
that it needs, and `area_made` says whether it could be made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.emulator.buffers import AREA_LIMIT
from vdi_conformance.emulator.rules import as_configured, is_power_of_two, server_half_is_valid
from vdi_conformance.emulator.state import CONFIGURATION, CallAnswer, EmulatedCompletion, ServerPhase
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import (
    ERROR_INVALID_HANDLE,
    ERROR_IO_DEVICE,
    ERROR_NO_SYSTEM_RESOURCES,
    ERROR_OPERATION_ABORTED,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_MEMORY, VD_E_PROTOCOL

if TYPE_CHECKING:
    from vdi_conformance.emulator.devices import EmulatedCommand
    from vdi_conformance.emulator.state import EmulatedSet

_FACILITY_WIN32 = 0x80070000


class EmulatedServer:
    """The server of one set, from Open to Close."""

    def __init__(self, device_set: EmulatedSet) -> None:
        self.set = device_set
        self.set.phase = ServerPhase.CONNECTED
        self._area_on_the_way: int | None = None

    def get_configuration(self) -> CallAnswer:
        """GetConfiguration: what the client asked for, or what was configured."""
        if self.set.aborted:
            return CallAnswer(VD_E_ABORT)
        return CallAnswer(NOERROR, (self.set.config.pack().hex(),))

    def name_device(self, name: str) -> CallAnswer:
        """Tell the name of a device before clients can ask for it, as a server does that knows its statement."""
        refusal = self._refusal(ServerPhase.CONNECTED, ServerPhase.CONFIGURABLE)
        if refusal is not None:
            return refusal
        return CallAnswer(VD_E_INVALID if self.set.find_device(name) is None else NOERROR)

    def begin_configuration(self, features: int, alignment: int, block_size: int, max_transfer_size: int) -> CallAnswer:
        """BeginConfiguration."""
        if self.set.aborted:
            return CallAnswer(VD_E_ABORT)
        if self.set.phase is not ServerPhase.CONNECTED:
            return CallAnswer(VD_E_PROTOCOL)
        if not server_half_is_valid(alignment, block_size, max_transfer_size):
            return CallAnswer(VD_E_INVALID)
        self.set.config = as_configured(self.set.config, features, alignment, block_size, max_transfer_size)
        self.set.pool.prefix = self.set.config.prefix_zone_size
        self.set.pool.alignment = self.set.config.alignment
        self.set.phase = ServerPhase.CONFIGURABLE
        return CallAnswer(NOERROR)

    def request_buffers(self, size: int, alignment: int, count: int) -> CallAnswer:
        """RequestBuffers: added up during configuration, afterwards made at once."""
        refusal = self._refusal(ServerPhase.CONFIGURABLE, ServerPhase.CONFIGURED)
        if refusal is not None:
            return refusal
        if size == 0 or count == 0 or not is_power_of_two(alignment or 1):
            return CallAnswer(VD_E_INVALID)
        self.set.pool.request(size, alignment, count)
        return CallAnswer(NOERROR) if self.set.phase is ServerPhase.CONFIGURABLE else self._ask_for_area()

    def query_available_buffers(self, size: int, alignment: int) -> CallAnswer:
        """QueryAvailableBuffers."""
        refusal = self._refusal(ServerPhase.CONFIGURABLE, ServerPhase.CONFIGURED)
        if refusal is not None:
            return refusal
        if not is_power_of_two(alignment or 1):
            return CallAnswer(VD_E_INVALID)
        return CallAnswer(NOERROR, (self.set.pool.available(size, alignment or 1),))

    def end_configuration(self) -> CallAnswer:
        """EndConfiguration."""
        refusal = self._refusal(ServerPhase.CONFIGURABLE)
        if refusal is not None:
            return refusal
        if self.set.pool.wanted:
            return self._ask_for_area()
        self._configured(area_length=0)
        return CallAnswer(NOERROR)

    def _ask_for_area(self) -> CallAnswer:
        length = self.set.pool.wanted_length()
        if length > AREA_LIMIT:
            return self._out_of_memory()
        self._area_on_the_way = next(self.set.numbers)
        self.set.pool.areas.append(self._area_on_the_way)
        return CallAnswer(NOERROR, (self._area_on_the_way, length))

    def area_made(self, area: int, made: bool) -> CallAnswer:
        """Go on where an area was needed."""
        if self._area_on_the_way != area:
            return CallAnswer(VD_E_INVALID)
        self._area_on_the_way = None
        if self.set.aborted:
            return CallAnswer(VD_E_ABORT)
        if not made:
            return self._out_of_memory()
        self.set.pool.add_area(area)
        if self.set.phase is ServerPhase.CONFIGURABLE:
            self._configured(self.set.pool.lengths[area])
        return CallAnswer(NOERROR)

    def _out_of_memory(self) -> CallAnswer:
        """Leave the set as it was; wishes of the configuration stay, a later one is forgotten."""
        if self.set.phase is ServerPhase.CONFIGURED:
            self.set.pool.wanted.clear()
        return CallAnswer(VD_E_MEMORY)

    def _configured(self, area_length: int) -> None:
        self.set.config = self.set.config._replace(buffer_area_size=area_length)
        self.set.phase = ServerPhase.CONFIGURED
        self.set.stirred.append(CONFIGURATION)

    def open_device(self, name: str) -> CallAnswer:
        """OpenDevice."""
        refusal = self._refusal(ServerPhase.CONFIGURED)
        if refusal is not None:
            return refusal
        device = self.set.find_device(name)
        if device is None:
            return CallAnswer(VD_E_INVALID)
        if device.served:
            return CallAnswer(VD_E_PROTOCOL)
        device.served = True
        return CallAnswer(NOERROR)

    def allocate_buffer(self, size: int, alignment: int) -> CallAnswer:
        """AllocateBuffer; the out values say where the data starts."""
        refusal = self._refusal(ServerPhase.CONFIGURED)
        if refusal is not None:
            return refusal
        if size == 0 or not is_power_of_two(alignment or 1):
            return CallAnswer(VD_E_INVALID)
        slot = self.set.pool.allocate(size, alignment or 1)
        if slot is None:
            return CallAnswer(VD_E_MEMORY)
        return CallAnswer(NOERROR, (slot.area, slot.offset))

    def free_buffer(self, area: int, offset: int, size: int) -> CallAnswer:
        """FreeBuffer, with the size that was allocated."""
        slot = self.set.pool.at(area, offset)
        if slot is None or slot.busy or slot.allocated != size:
            return CallAnswer(VD_E_INVALID)
        self.set.pool.free(slot)
        return CallAnswer(NOERROR)

    def send_command(self, device_name: str, command: EmulatedCommand, area: int, offset: int) -> CallAnswer:
        """SendCommand; a refusal also completes the command, on the sender's thread."""
        device = self.set.devices.get(device_name)
        if self.set.aborted:
            return self._refuse(device_name, command, VD_E_ABORT, ERROR_OPERATION_ABORTED)
        if device is None or not device.served or device.closed:
            return self._refuse(device_name, command, VD_E_PROTOCOL, ERROR_INVALID_HANDLE)
        if device.refuses(command.code):
            return self._refuse(device_name, command, _FACILITY_WIN32 | ERROR_IO_DEVICE, ERROR_IO_DEVICE)
        if device.is_full:
            code = _FACILITY_WIN32 | ERROR_NO_SYSTEM_RESOURCES
            return self._refuse(device_name, command, code, ERROR_NO_SYSTEM_RESOURCES)
        if command.code in DATA_COMMANDS:
            slot = self.set.pool.at(area, offset)
            if slot is None or slot.busy or command.size > slot.allocated:
                return CallAnswer(VD_E_INVALID)
            command.slot = slot
        self.set.queue(device, command)
        return CallAnswer(NOERROR)

    def _refuse(self, device_name: str, command: EmulatedCommand, code: int, completion_code: int) -> CallAnswer:
        completion = EmulatedCompletion(command.tag, device_name, completion_code, thread_of_sender=True)
        self.set.add_completion(completion)
        return CallAnswer(code)

    def next_completion(self) -> CallAnswer | None:
        """Give the next completion; once the agent has nothing more to come, an answer without one."""
        if self.set.completions:
            return CallAnswer(NOERROR, self.set.completions.popleft())
        return CallAnswer(VD_E_ABORT) if self.set.aborted else None

    def close_device(self, name: str) -> CallAnswer:
        """CloseDevice: commands sent before are still handed out."""
        if self.set.aborted:
            return CallAnswer(VD_E_ABORT)
        device = self.set.devices.get(name)
        if device is None or not device.served or device.closed:
            return CallAnswer(VD_E_PROTOCOL)
        self.set.close_device(device)
        return CallAnswer(NOERROR)

    def signal_abort(self) -> CallAnswer:
        """SignalAbort."""
        return self.set.signal_abort()

    def close(self) -> CallAnswer:
        """Close: a set that is not at its end is aborted; with devices open that is an error too."""
        over = self.set.aborted or self.set.terminated
        too_early = not over and any(device.served and not device.closed for device in self.set.devices.values())
        self.die()
        return CallAnswer(VD_E_PROTOCOL if too_early else NOERROR)

    def die(self) -> None:
        """Take the death of the process: a set that is not at its end is aborted."""
        if not self.set.aborted and not self.set.terminated:
            self.set.abort()
        self.set.phase = ServerPhase.GONE

    def _refusal(self, *phases: ServerPhase) -> CallAnswer | None:
        """Tell why a transition that needs one of these phases cannot be made."""
        if self.set.aborted:
            return CallAnswer(VD_E_ABORT)
        return None if self.set.phase in phases and not self.set.terminated else CallAnswer(VD_E_PROTOCOL)
