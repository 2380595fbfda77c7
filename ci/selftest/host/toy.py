"""A small right adapter for the tests of hosts: one process plays server and client, with one buffer a device."""

import ctypes
import threading
from typing import Final

from vdi_conformance import contract
from vdi_conformance.contract import Capabilities, Command, Completion, Identity, Outcome, StatementOutcome
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_WRITE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

TRANSFER: Final = 65536
WRITES: Final = 16
RECORD: Final = 0x1000


class ToyDevice:
    """Hands out WRITES Writes and a Flush, one at a time; a name that begins with "quiet" has none."""

    def __init__(self, name: str, aborted: threading.Event) -> None:
        self._left = 0 if name.startswith("quiet") else WRITES + 1
        self._quiet = self._left == 0
        self._aborted = aborted
        self._outstanding = threading.Semaphore(0)
        self._buffer = ctypes.create_string_buffer(TRANSFER)

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """Give the next command."""
        if self._quiet:
            return Outcome(VD_E_ABORT if self._aborted.wait(timeout / 1000) else VD_E_TIMEOUT)
        if self._left == 0:
            return Outcome(VD_E_CLOSE)
        self._left -= 1
        self._outstanding.release()
        if self._left == 0:
            return Outcome(NOERROR, Command(RECORD, VDC_FLUSH, 0, 0, 0))
        self._buffer.raw = bytes([self._left]) * TRANSFER
        return Outcome(NOERROR, Command(RECORD, VDC_WRITE, TRANSFER, 0, ctypes.addressof(self._buffer)))

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """Accept the one command that is outstanding."""
        return NOERROR if command == RECORD and self._outstanding.acquire(blocking=False) else VD_E_INVALID

    def release(self) -> None:
        """Do nothing."""


class ToySet:
    """Answers like a set that has been configured."""

    def __init__(self) -> None:
        self._aborted = threading.Event()
        self._config: VDConfig | None = None

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self.create_ex(None, name, config)

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """Create for an instance."""
        self._config = config
        return NOERROR if name and config else VD_E_INVALID

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Give back what was asked for."""
        return Outcome(VD_E_INVALID) if null_out else Outcome(NOERROR, self._config)

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[contract.VirtualDevice]:
        """Open any device that has a name."""
        if not name or null_out:
            return Outcome(VD_E_INVALID)
        return Outcome(NOERROR, ToyDevice(name, self._aborted))

    def close(self) -> int:
        """Close."""
        return NOERROR

    def signal_abort(self) -> int:
        """Wake every GetCommand that waits."""
        self._aborted.set()
        return NOERROR

    def open_in_secondary(self, name: str | None) -> int:
        """Join."""
        return self.open_in_secondary_ex(None, name)

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """Join."""
        return NOERROR if name else VD_E_INVALID

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """Give the low half of the address."""
        return Outcome(NOERROR, None if null_out else address & 0xFFFFFFFF)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """Give an address of 64 bits."""
        return Outcome(NOERROR, None if null_out else 0xFFFFFFFF00000000 | handle)

    def release(self) -> None:
        """Do nothing."""


class ToyServer:
    """Answers every method of the server interface, and completes each command at once."""

    def __init__(self) -> None:
        self._completions: list[Completion] = []

    def open(self, instance: str | None, name: str) -> int:
        """Open."""
        return NOERROR

    def get_configuration(self) -> Outcome[VDConfig]:
        """Give a configuration."""
        return Outcome(NOERROR, VDConfig(device_count=3))

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """Tell by the code whether the parameters came in their order."""
        return NOERROR if (features, alignment, block_size, max_transfer_size, timeout) == (1, 2, 3, 4, 5) else 1

    def request_buffers(self, size: int, alignment: int, count: int) -> int:
        """Ask for buffers."""
        return NOERROR

    def query_available_buffers(self, size: int, alignment: int) -> Outcome[int]:
        """Give a count."""
        return Outcome(NOERROR, 12)

    def end_configuration(self) -> int:
        """End."""
        return NOERROR

    def open_device(self, name: str) -> int:
        """Open a device."""
        return NOERROR

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """Give an address."""
        return Outcome(NOERROR, 0x7F0000000000)

    def free_buffer(self, address: int, size: int) -> int:
        """Free."""
        return NOERROR

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """Complete the command at once."""
        self._completions.append(Completion(tag, device, 0, size, position, thread_of_sender=True))
        return NOERROR

    def next_completion(self, timeout: int) -> Completion | None:
        """Give the next completion."""
        return self._completions.pop(0) if self._completions else None

    def close_device(self, device: str) -> int:
        """Close a device."""
        return NOERROR

    def signal_abort(self) -> int:
        """Abort."""
        return NOERROR

    def close(self) -> int:
        """Close."""
        return NOERROR


class ToyStatements:
    """Runs any statement with success."""

    def execute(self, statement: contract.Statement) -> StatementOutcome:
        """Say what was asked for."""
        return StatementOutcome(True, ((3014, f"{statement.operation} of {statement.database.size} bytes"),))


class ToyAbi(contract.NativeAbi):
    """A library with one symbol and no classes, whose functions add up what they are given."""

    def symbol(self, name: str) -> int | None:
        """Know one name."""
        return 0x7F0000001000 if name == "known" else None

    def create_instance(self, clsid: str, iid: str, apartment: contract.Apartment) -> Outcome[int]:
        """Tell the apartments apart."""
        return Outcome(VD_E_INVALID, 0) if apartment == "single" else Outcome(NOERROR, 0x7F0000002000)

    def call(self, function: int, arguments: tuple[contract.Argument, ...]) -> int:
        """Add the values, and as many times a thousand as their sizes have bytes."""
        return sum(value + 1000 * size for value, size in arguments)


class Toy(contract.Adapter):
    """The adapter."""

    broker_started = False

    def identity(self) -> Identity:
        """Tell what the host was told, and whether the machine was started."""
        return Identity("toy", str(self.environment.seed), self.environment.directory)

    def capabilities(self) -> Capabilities:
        """Declare everything."""
        return Capabilities(server="scripted", broker=True, named_instances=True, native_abi="com")

    def virtual_device_set(self) -> ToySet:
        """Make a client object."""
        return ToySet()

    def native_abi(self) -> ToyAbi:
        """Give the library."""
        return ToyAbi()

    def statement_server(self) -> ToyStatements:
        """Make a server."""
        return ToyStatements()

    def scripted_server(self) -> ToyServer:
        """Make a server."""
        return ToyServer()

    def start_broker(self) -> None:
        """Leave a trace in the private directory."""
        with open(f"{self.environment.directory}/broker", "w") as file:  # noqa: PTH123
            file.write("started")
