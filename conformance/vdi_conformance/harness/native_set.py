"""A BACKUP whose client is the check itself, by raw calls."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import MOST_COMMANDS
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.native import (
    CLASS,
    CONSTRUCTOR,
    OBJECT_SIZE,
    RECORD_SIZE,
    SET2_INTERFACE,
    NativeDevice,
    NativeProcess,
    NativeSet,
)
from vdi_conformance.harness.scenario import USUAL, Scenario
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.contract import Abi
    from vdi_conformance.harness.testbed import Testbed

WRITE: Final = 2
BOTH: Final[tuple[Abi, Abi]] = ("libsqlvdi", "com")


def set_of(process: NativeProcess) -> NativeSet:
    """Make a client object, as a compiled client does."""
    if process.com:
        return NativeSet(process, process.created(CLASS, SET2_INTERFACE).expect(NOERROR))
    this = process.variable(OBJECT_SIZE)
    process.send(process.symbol(CONSTRUCTOR), (this, process.pointer)).result()
    return NativeSet(process, this)


def let_time_pass(testbed: Testbed, process: NativeProcess, timeout: int, times: int = 1) -> None:
    """Let time-outs pass by, on a set of its own that no server comes to."""
    clock = set_of(process)
    clock.create(testbed.name(), USUAL.config.pack()).expect(NOERROR)
    for _ in range(times):
        clock.get_configuration(timeout).expect(VD_E_TIMEOUT)
    clock.close().expect(NOERROR)


class RawCommand:
    """A VDC_Command, read from where its members lie."""

    def __init__(self, process: NativeProcess, address: int) -> None:
        data = process.read(address, RECORD_SIZE)
        self.address = address
        self.code, self.size, self.position = struct.unpack_from("<IIQ", data)
        self.buffer = int.from_bytes(data[16 : 16 + process.pointer], "little")


class NativeBackup:
    """A set with one device of the primary, and a statement that was told to back up through it.

    `ex` says that the newer forms create the set, which the library for Linux does not have.
    """

    def __init__(
        self, testbed: Testbed, started: Callable[[str], NativeProcess], scenario: Scenario = USUAL, ex: bool = False
    ) -> None:
        if not ex:
            testbed.need_default_instance()
        self.process = started("primary by raw calls")
        self.set = set_of(self.process)
        self._statement = testbed.prepared(scenario, clients=[testbed.client("bystander")])
        self.name = self._statement.set_name
        create = self.set.create_ex if ex else self.set.create
        create(self.name, scenario.config.pack()).expect(NOERROR)
        self._statement.execute()
        configuring = self.set.send_get_configuration(thread="configuration")
        self.configuration = self._statement.await_configuration(configuring).expect(NOERROR)
        self.device: NativeDevice = self.set.open_device(self.name).expect(NOERROR)

    def commands(self) -> Iterator[RawCommand]:
        """Give every command to its end; whoever asks completes it before asking for the next one."""
        for _ in range(MOST_COMMANDS):
            found = self.device.get_command()
            found.expect(NOERROR, VD_E_CLOSE)
            if found.code == VD_E_CLOSE:
                return
            yield RawCommand(self.process, found.expect(NOERROR))
        raise ConformanceFailure(f"GetCommand hands out commands without end: {MOST_COMMANDS} on one device")

    def complete(self, record: RawCommand) -> None:
        """Complete a command as an ordinary client does."""
        self.device.complete(record.address, 0, record.size if record.code == WRITE else 0).expect(NOERROR)

    def next_write(self) -> RawCommand:
        """Give the next Write; what comes before is completed."""
        for record in self.commands():
            if record.code == WRITE:
                return record
            self.complete(record)
        raise ConformanceFailure("the BACKUP wrote nothing", ("a Write command",), "none")

    def share(self, joined: NativeSet) -> None:
        """Show the buffer of the next Write to a second process by its handle, and complete the command."""
        record = self.next_write()
        handle = self.set.get_buffer_handle(record.buffer).expect(NOERROR)
        address = joined.map_buffer_handle(handle).expect(NOERROR)
        joined.process.fill(address, Seeded(record.size), record.size)
        if self.process.digest(record.buffer, record.size) != joined.process.digest(address, record.size):
            raise ConformanceFailure(f"the handle {handle:#x} was mapped to something else than its buffer")
        self.complete(record)

    def finish(self) -> None:
        """Complete whatever comes, and end."""
        for record in self.commands():
            self.complete(record)
        self.end()

    def end(self) -> None:
        """See the statement succeed, all of whose commands have been completed, and close the set."""
        self._statement.require_success(self._statement.outcome())
        self.set.close().expect(NOERROR)
        if not self.process.com:
            self.process.require_guard(self.set.this, OBJECT_SIZE, "a client object")
