"""A virtual device set as its clients see it; pure: no I/O, no clock, no chance.

A transition answers at once, or gives None where the documents let the call wait; it is then made again when
something that it waits for is `stirred`, and answered with VD_E_TIMEOUT when its time is over. Where the
method pages and the transition matrix differ, the pages win: devices open one by one, and a Close with open
devices is VD_E_OPEN with an abort inside.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.emulator.accounts import SUPERUSER
from vdi_conformance.emulator.devices import EmulatedCommand, EmulatedDevice
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.completion import ERROR_IO_DEVICE, ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.emulator.buffers import BufferPool
    from vdi_conformance.vdi.structures import VDConfig

    Value = int | str | None

COMPLETIONS: Final = "completions"
"""What the server's completion agent waits for."""
CONFIGURATION: Final = "configuration"
"""What GetConfiguration waits for."""


class CallAnswer(NamedTuple):
    """The HRESULT of a call and its out values, all of them plain."""

    code: int
    values: tuple[Value, ...] = ()


class EmulatedCompletion(NamedTuple):
    """What the server is told of a command's end: the completion code, the byte count and the position."""

    tag: int
    device: str
    completion: int
    bytes: int = 0
    position: int = 0
    thread_of_sender: bool = False


class ServerPhase(Enum):
    """How far the server is with a set."""

    ABSENT = "no server yet"
    CONNECTED = "Connected"
    CONFIGURABLE = "Configurable"
    CONFIGURED = "Initializing or Active"
    GONE = "closed or dead"


class Member:
    """A client object that has the set open; `devices` are those it opened, by the number it knows them by."""

    def __init__(self, primary: bool) -> None:
        self.primary = primary
        self.configured = not primary
        self.devices: dict[int, EmulatedDevice] = {}


class EmulatedSet:
    """One virtual device set; `now` is the time of the call under way, in seconds, `owner` whose process created it."""

    def __init__(self, name: str, config: VDConfig, primary: Member, pool: BufferPool, numbers: Iterator[int]) -> None:
        self.config = config
        self.primary = primary
        self.pool = pool
        self.members = [primary]
        self.phase = ServerPhase.ABSENT
        self.aborted = False
        self.devices = {name: EmulatedDevice(name)}
        self.completions: deque[EmulatedCompletion] = deque()
        self.outstanding: dict[int, tuple[EmulatedDevice, EmulatedCommand]] = {}
        self.stirred: list[object] = []
        self.numbers = numbers
        self.now: float
        self.owner = SUPERUSER
        self._closed_devices = 0
        self._last_progress: float

    # States

    @property
    def terminated(self) -> bool:
        """Whether the server has closed every device."""
        return self._closed_devices == self.config.device_count

    def state_of(self, member: Member) -> ClientState:
        """Tell the state in which one member sees the set."""
        if self.aborted:
            return ClientState.ABORT
        if not member.configured:
            return ClientState.CONFIGURABLE
        if self.terminated and all(device.close_delivered for device in member.devices.values()):
            return ClientState.NORMALLY_TERMINATED
        return ClientState.ACTIVE if member.devices else ClientState.INITIALIZING

    # Members

    def attach(self) -> Member | int:
        """OpenInSecondaryEx: let a further object in, or say why not."""
        if self.aborted:
            return VD_E_ABORT
        if not self.primary.configured:
            return VD_E_PROTOCOL
        member = Member(primary=False)
        self.members.append(member)
        return member

    def close(self, member: Member) -> CallAnswer:
        """Close: let an object go; what was not at its end is aborted."""
        code = NOERROR
        if not self.aborted:
            concerned = self.devices if member.primary else member.devices
            if any(device.open_for_client for device in concerned.values()):
                code = VD_E_OPEN
                self.abort()
            elif member.primary and self.phase is not ServerPhase.ABSENT and not self.terminated:
                self.abort()
        self.members.remove(member)
        self.pool.release(member)
        return CallAnswer(code)

    def die(self, member: Member) -> None:
        """Take the death of a member's process: that of a secondary leaves all it had as it was."""
        self.members.remove(member)
        if member.primary and not self.terminated:
            self.abort()

    # Transitions of clients

    def get_configuration(self, member: Member, null_out: bool) -> CallAnswer | None:
        """GetConfiguration."""
        if self.aborted:
            return CallAnswer(VD_E_ABORT)
        if null_out:
            return CallAnswer(VD_E_INVALID)
        if self.phase in (ServerPhase.ABSENT, ServerPhase.CONNECTED, ServerPhase.CONFIGURABLE):
            return None
        member.configured = True
        return CallAnswer(NOERROR, (self.config.pack().hex(),))

    def open_device(self, member: Member, name: str | None, null_out: bool) -> CallAnswer:
        """OpenDevice; the out value is a number that this member knows the device by."""
        state = self.state_of(member)
        if state is ClientState.ABORT:
            return CallAnswer(VD_E_ABORT)
        if state in (ClientState.CONFIGURABLE, ClientState.NORMALLY_TERMINATED):
            return CallAnswer(VD_E_PROTOCOL)
        if null_out or not name:
            return CallAnswer(VD_E_INVALID)
        if sum(device.opened for device in self.devices.values()) == self.config.device_count:
            return CallAnswer(VD_E_OPEN)
        device = self.find_device(name)
        if device is None:
            return CallAnswer(VD_E_INVALID)
        if device.opened:
            return CallAnswer(VD_E_PROTOCOL)
        device.opened = True
        number = next(self.numbers)
        member.devices[number] = device
        return CallAnswer(NOERROR, (number,))

    def find_device(self, name: str) -> EmulatedDevice | None:
        """Find a device; while not all of them are named, a further name is that of one more."""
        if name not in self.devices and len(self.devices) < self.config.device_count:
            self.devices[name] = EmulatedDevice(name)
        return self.devices.get(name)

    def _active_device(self, member: Member, number: int) -> EmulatedDevice | CallAnswer:
        """Give a device whose commands can be fetched and completed, or what refuses both."""
        device = member.devices.get(number)
        if device is None:
            return CallAnswer(VD_E_PROTOCOL)
        state = self.state_of(member)
        if state is ClientState.ABORT:
            return CallAnswer(VD_E_ABORT)
        return CallAnswer(VD_E_PROTOCOL) if state is ClientState.NORMALLY_TERMINATED else device

    def get_command(self, member: Member, device_number: int, null_out: bool) -> CallAnswer | None:
        """GetCommand."""
        device = self._active_device(member, device_number)
        if isinstance(device, CallAnswer):
            return device
        if null_out:
            return CallAnswer(VD_E_INVALID)
        command = device.fetch(member)
        if command is not None:
            return CallAnswer(NOERROR, self._describe(command))
        if device.closed:
            device.close_delivered = True
            return CallAnswer(VD_E_CLOSE)
        return None

    def _describe(self, command: EmulatedCommand) -> tuple[Value, ...]:
        """Give a command's number, its members, and where its buffer lies: a place, or area 0 and a raw value."""
        slot = command.slot
        place = (0, 0, command.buffer) if slot is None else (slot.area, self.pool.lengths[slot.area], slot.offset)
        return command.number, command.code, command.size, command.position, *place

    def complete_command(
        self, member: Member, device_number: int, number: int, completion: EmulatedCompletion
    ) -> CallAnswer:
        """CompleteCommand; `completion` has the values as the client gave them."""
        device = self._active_device(member, device_number)
        if isinstance(device, CallAnswer):
            return device
        command = device.fetched.get(number)
        if command is None or command.holder is not member:
            return CallAnswer(VD_E_INVALID)
        if command.moves_data and completion.bytes > command.size:
            return CallAnswer(VD_E_INVALID)
        dropped = device.complete(command, completion.completion)
        self._finish(command, completion._replace(tag=command.tag, device=device.name))
        for other in dropped:
            self._finish(other, EmulatedCompletion(other.tag, device.name, ERROR_IO_DEVICE))
        self._last_progress = self.now
        self.stirred.append(device)
        return CallAnswer(NOERROR)

    def get_buffer_handle(self, area: int, offset: int, null_out: bool) -> CallAnswer:
        """GetBufferHandle, of an address that lies at `offset` of an area (0 where it is in none)."""
        slot = self.pool.held_at(area, offset)
        if slot is None or null_out:
            return CallAnswer(VD_E_INVALID)
        return CallAnswer(NOERROR, (slot.handle,))

    def map_buffer_handle(self, handle: int, null_out: bool) -> CallAnswer:
        """MapBufferHandle; the out values say where the buffer lies."""
        slot = self.pool.held_under(handle)
        if slot is None or null_out:
            return CallAnswer(VD_E_INVALID)
        return CallAnswer(NOERROR, (slot.area, self.pool.lengths[slot.area], slot.offset))

    def signal_abort(self) -> CallAnswer:
        """SignalAbort."""
        self.abort()
        return CallAnswer(NOERROR)

    # What happens to the whole set

    def abort(self) -> None:
        """End all processing; what the clients have fetched stays in their hands until they close."""
        if self.aborted:
            return
        self.aborted = True
        for device, command in list(self.outstanding.values()):
            self._finish(command, EmulatedCompletion(command.tag, device.name, ERROR_OPERATION_ABORTED))
        self.stirred += [CONFIGURATION, COMPLETIONS, *self.devices.values()]

    def _finish(self, command: EmulatedCommand, completion: EmulatedCompletion) -> None:
        del self.outstanding[command.number]
        if command.slot is not None:
            command.slot.busy = False
        self.add_completion(completion)

    def add_completion(self, completion: EmulatedCompletion) -> None:
        """Tell the server of a command's end."""
        self.completions.append(completion)
        self.stirred.append(COMPLETIONS)

    def queue(self, device: EmulatedDevice, command: EmulatedCommand) -> None:
        """Take a command from the server."""
        if not self.outstanding:
            self._last_progress = self.now
        self.outstanding[command.number] = (device, command)
        device.queue.append(command)
        if command.slot is not None:
            command.slot.busy = True
        self.stirred.append(device)

    def close_device(self, device: EmulatedDevice) -> None:
        """Take the server's word that it is done with a device."""
        device.closed = True
        self._closed_devices += 1
        self.stirred.append(device)

    def deadline(self) -> float | None:
        """Tell when the server loses its patience: two intervals after the last progress, if anything is pending."""
        if self.config.server_time_out == 0 or not self.outstanding or self.aborted:
            return None
        return self._last_progress + 2 * self.config.server_time_out / 1000

    @property
    def deserted(self) -> bool:
        """Whether nobody has the set open any more."""
        return not self.members and self.phase in (ServerPhase.ABSENT, ServerPhase.GONE)

    def tick(self, now: float) -> None:
        """Abort if the patience is over."""
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self.abort()
