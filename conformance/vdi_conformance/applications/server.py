"""A server that looks closely: it fills buffers that no client has, keeps digests of streams, and asks for more."""

from __future__ import annotations

import ctypes
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.applications.fills import fill, serial_in, untouched_tail
from vdi_conformance.applications.probes import JUNK_BUFFER, JUNK_POSITION, JUNK_SIZE, Fields, Probes
from vdi_conformance.applications.streams import HEAD, StreamTrace
from vdi_conformance.emulator.devices import INFORMATIVE
from vdi_conformance.emulator.server import EmulatorServer
from vdi_conformance.vdi.commands import (
    DATA_COMMANDS,
    VDC_CLEAR_ERROR,
    VDC_FLUSH,
    VDC_READ,
    VDC_WRITE,
    VDF_FILE_MARKS,
    VDF_RANDOM_ACCESS,
    VDF_WRITE_MEDIA,
)
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import INFINITE

if TYPE_CHECKING:
    from vdi_conformance.applications.recording import Recording
    from vdi_conformance.contract import Completion, Outcome
    from vdi_conformance.emulator.broker_connection import BrokerConnection

NO_FIELDS: Final = Fields(0, 0, 0)
JUNK: Final = Fields(JUNK_SIZE, JUNK_POSITION, JUNK_BUFFER)


class _Sent(NamedTuple):
    """A command on its way; `data` is what a Write was sent with, `serial` how the buffer of a Read was filled."""

    device: str
    code: int
    fields: Fields
    junk_position: bool
    data: bytes
    serial: int


class _Waiting(NamedTuple):
    """A command of the statement, and what is sent before it."""

    device: str
    code: int
    fields: Fields
    probes: deque[int]


class _Idle(NamedTuple):
    """A buffer in the server's hands: how it was filled, and which command it served last."""

    serial: int
    device: str
    code: int


class JudgingServer(EmulatorServer):
    """A server of one set, for one statement; `judging` makes the class that servers are made of."""

    _recording: Recording
    _seed: int

    def __init__(self, link: BrokerConnection) -> None:
        super().__init__(link)
        self._set: tuple[str | None, str] = None, ""
        self._features = 0
        self._block_size = 0
        self._probes: dict[str, Probes] = {}
        self._traces: dict[str, StreamTrace] = {}
        self._flushed: dict[str, bool] = {}
        self._outstanding: dict[int, _Sent] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._sizes: dict[int, int] = {}
        self._last_buffer: dict[str, int] = {}
        self._idle: dict[int, _Idle] = {}
        self._spent: dict[int, str] = {}

    # The set

    def open(self, instance: str | None, name: str) -> int:
        """Open, and remember of what."""
        self._set = instance, name
        return super().open(instance, name)

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """BeginConfiguration, which decides what can be asked for."""
        self._features, self._block_size = features, block_size
        return super().begin_configuration(features, alignment, block_size, max_transfer_size, timeout)

    def open_device(self, name: str) -> int:
        """Open a device, whose stream is traced from here on."""
        self._probes[name] = Probes(f"{self._seed}/{self._set}/{name}", self._features, self._block_size)
        self._traces[name] = StreamTrace(name, is_read=not self._is_backup)
        return super().open_device(name)

    @property
    def _is_backup(self) -> bool:
        return bool(self._features & VDF_WRITE_MEDIA)

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """AllocateBuffer, filled."""
        outcome = super().allocate_buffer(size, alignment)
        if outcome.code == NOERROR and outcome.value is not None:
            self._sizes[outcome.value] = size
            self._fill(outcome.value, "", 0)
        return outcome

    def close_device(self, device: str) -> int:
        """CloseDevice; where a stream was read to its end that has one, a Read behind that end comes first."""
        if device in self._traces and self._last_buffer.get(device) and self._wants_a_read_behind(device):
            buffer = self._last_buffer[device]
            self._transmit(device, VDC_READ, Fields(self._block_size, self._traces[device].size, buffer), 0)
            completion = super().next_completion(INFINITE)
            if completion is not None:
                self._outstanding.pop(completion.tag)
                self._recording.read_behind(*self._set, device, completion.code, completion.bytes_transferred)
        return super().close_device(device)

    def _wants_a_read_behind(self, device: str) -> bool:
        return (
            not self._is_backup
            and bool(self._features & (VDF_FILE_MARKS | VDF_RANDOM_ACCESS))
            and self._traces[device].at_the_end
        )

    def close(self) -> int:
        """Close, and tell what was moved."""
        self._look_at_idle_buffers()
        code = super().close()
        if self._traces:
            flushed = all(self._flushed.get(device) for device in self._traces)
            self._recording.moved(*self._set, self._is_backup, flushed, tuple(self._traces.values()))
        self._traces, self._flushed = {}, {}
        self._idle.clear()
        self._spent.clear()
        return code

    # Commands

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """SendCommand; something else may be asked for first."""
        fields = Fields(size, position, buffer)
        self._idle.pop(buffer, None)  # what the statement has put there is no misuse
        self._spent.pop(buffer, None)
        self._waiting[tag] = _Waiting(device, code, fields, deque(self._probes[device].before(code)))
        return self._send_next(tag)

    def _send_next(self, tag: int) -> int:
        """Send what is asked for besides, and then what the statement wants."""
        waiting = self._waiting[tag]
        if waiting.probes:
            # In the middle of a backup a Flush comes with plain fields, at its end with others.
            return self._transmit(waiting.device, waiting.probes.popleft(), NO_FIELDS, tag)
        del self._waiting[tag]
        return self._send(waiting.device, waiting.code, waiting.fields, tag)

    def _send(self, device: str, code: int, fields: Fields, tag: int) -> int:
        probes = self._probes[device]
        size = probes.size_of(code, fields.size)
        changed, junk = probes.fields(code, fields._replace(size=size), self._traces[device].size)
        return self._transmit(device, code, changed, tag, junk)

    def _transmit(self, device: str, code: int, fields: Fields, tag: int, junk: bool = False) -> int:
        size, position, buffer = fields
        data, serial = b"", 0
        if code in DATA_COMMANDS:
            if code == VDC_WRITE:
                data = ctypes.string_at(buffer, size)
            else:
                serial = self._fill(buffer, device, code)
                del self._idle[buffer]
        self._outstanding[tag] = _Sent(device, code, fields, junk, data, serial)
        return super().send_command(device, code, size, position, buffer, tag)

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait for the next completion of what the statement sent."""
        for address, device in self._spent.items():  # the statement has taken out what was read
            self._fill(address, device, VDC_READ)
        self._spent.clear()
        while (completion := super().next_completion(timeout)) is not None:
            self._look_at_idle_buffers()
            sent = self._outstanding.pop(completion.tag)
            self._take(sent, completion)
            if completion.tag not in self._waiting:
                return completion
            self._go_on(sent, completion)
        return None

    def _go_on(self, sent: _Sent, completion: Completion) -> None:
        """After what was asked for besides, send what the statement wants; an error has to be cleared before."""
        if sent.code != VDC_CLEAR_ERROR and completion.code not in INFORMATIVE:
            self._transmit(sent.device, VDC_CLEAR_ERROR, JUNK, completion.tag)
            return
        self._send_next(completion.tag)

    def _take(self, sent: _Sent, completion: Completion) -> None:
        """Trace what a completed command moved, and take its buffer back."""
        count = completion.bytes_transferred
        buffer = sent.fields.buffer
        if sent.code == VDC_FLUSH:
            self._flushed[sent.device] = completion.code == ERROR_SUCCESS
        if sent.code not in DATA_COMMANDS or completion.thread_of_sender:
            return
        if sent.code == VDC_WRITE:
            self._fill(buffer, sent.device, sent.code)
            if completion.code in INFORMATIVE:
                self._traces[sent.device].add(sent.data[:count], sent.junk_position)
            return
        self._spent[buffer] = sent.device
        self._last_buffer[sent.device] = buffer
        if completion.code in INFORMATIVE:
            self._take_read(sent, ctypes.string_at(buffer, sent.fields.size), count)

    def _take_read(self, sent: _Sent, data: bytes, count: int) -> None:
        trace = self._traces[sent.device]
        moved = data[:count]
        if not trace.size:
            written = self._recording.written_with(moved[:HEAD], [*self._traces].index(sent.device), len(self._traces))
            if written is not None:
                trace.cut_like(written)
        trace.add(moved, sent.junk_position)
        found = serial_in(moved)
        self._recording.looked_into(
            *self._set,
            sent.device,
            reported=count,
            unfilled=untouched_tail(moved, sent.serial) if found == sent.serial else 0,
            silent=not count and untouched_tail(data, sent.serial) < len(data),
            stale=found is not None and found != sent.serial,
        )

    # Buffers

    def _fill(self, address: int, device: str, code: int) -> int:
        serial, size = self._recording.next_fill(), self._sizes[address]
        ctypes.memmove(address, fill(serial, size), size)
        self._idle[address] = _Idle(serial, device, code)
        return serial

    def _look_at_idle_buffers(self) -> None:
        """See whether what nobody but the server may touch is as it was left."""
        for address, (serial, device, code) in list(self._idle.items()):
            size = self._sizes[address]
            if ctypes.string_at(address, size) != fill(serial, size):
                self._recording.misused(*self._set, device, code)
                self._fill(address, device, code)


def judging(recording: Recording, seed: int) -> type[JudgingServer]:
    """Give a class of servers that report to a recording; what they ask for besides follows from the seed."""
    return type("JudgingServer", (JudgingServer,), {"_recording": recording, "_seed": seed})
