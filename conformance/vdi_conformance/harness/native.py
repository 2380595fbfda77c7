"""The compiled library, called by its documented symbols or slots alone, with nothing of an adapter in between."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import BOUND_TO_COME
from vdi_conformance.harness.expectations import Code, PendingAnswer, Result
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import ProcessMemory
from vdi_conformance.host.messages.native import CallFunction, CreateInstance, FindSymbol, PassedArgument
from vdi_conformance.vdi.hresult import VD_E_ABORT

if TYPE_CHECKING:
    from vdi_conformance.contract import Apartment
    from vdi_conformance.harness.expectations import Observe
    from vdi_conformance.host.messages.native import Returned
    from vdi_conformance.host.process import Host

UNTOUCHED: Final = 0xCC
"""Fills what a call is to write to, and what lies behind it."""
GUARD: Final = 32
CONFIG_SIZE: Final = 44
OBJECT_SIZE: Final = 8
RECORD_SIZE: Final = 24

# The tables of vdi.h and of its Linux edition, written out once more: the checks are about them.
CLASS: Final = "40700425-0080-11d2-851f-00c04fc21759"
DEVICE_INTERFACE: Final = "40700424-0080-11d2-851f-00c04fc21759"
SET_INTERFACE: Final = "40700425-0080-11d2-851f-00c04fc21759"
SET2_INTERFACE: Final = "d0e6eb07-7a62-11d2-8573-00c04fc21759"
UNKNOWN_INTERFACE: Final = "00000000-0000-0000-c000-000000000046"
SLOTS: Final = {
    "QueryInterface": 0,
    "AddRef": 1,
    "Release": 2,
    "Create": 3,
    "GetConfiguration": 4,
    "OpenDevice": 5,
    "Close": 6,
    "SignalAbort": 7,
    "OpenInSecondary": 8,
    "GetBufferHandle": 9,
    "MapBufferHandle": 10,
    "CreateEx": 11,
    "OpenInSecondaryEx": 12,
    "GetCommand": 3,
    "CompleteCommand": 4,
}
CONSTRUCTOR: Final = "_ZN22ClientVirtualDeviceSetC1Ev"
DESTRUCTOR: Final = "_ZN22ClientVirtualDeviceSetD1Ev"
DEVICE_CONSTRUCTOR: Final = "_ZN19ClientVirtualDeviceC1Ev"
DEVICE_DESTRUCTOR: Final = "_ZN19ClientVirtualDeviceD1Ev"
SYMBOLS: Final = {
    "Create": "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig",
    "GetConfiguration": "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig",
    "OpenDevice": "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice",
    "Close": "_ZN22ClientVirtualDeviceSet5CloseEv",
    "SignalAbort": "_ZN22ClientVirtualDeviceSet11SignalAbortEv",
    "OpenInSecondary": "_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc",
    "GetBufferHandle": "_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj",
    "MapBufferHandle": "_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh",
    "GetCommand": "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command",
    "CompleteCommand": "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml",
}


class NativeProcess(ProcessMemory):
    """A process in which checks call the library themselves; `com` says by which of the two ABIs."""

    def __init__(self, host: Host, com: bool, timeout_scale: float, observe: Observe) -> None:
        super().__init__(host)
        self.com = com
        self.pointer = host.initialized.process.pointer_bytes
        self.observe = observe
        self._timeout_scale = timeout_scale

    def place(self, data: bytes) -> int:
        """Put bytes into memory, with a guard behind them."""
        address = self.allocate(len(data) + GUARD)
        self.write(address, data + bytes([UNTOUCHED]) * GUARD)
        return address

    def text(self, name: str) -> int:
        """Put a name into memory as the abi takes it."""
        return self.place((name + "\0").encode("utf-16-le" if self.com else "utf-8"))

    def variable(self, size: int | None = None) -> int:
        """Give room for an out value of so many bytes, by default for a pointer."""
        return self.place(bytes([UNTOUCHED]) * (size or self.pointer))

    def number(self, address: int, size: int | None = None) -> int:
        """Read a number of so many bytes, by default a pointer."""
        return int.from_bytes(self.read(address, size or self.pointer), "little")

    def require_guard(self, address: int, size: int, what: str) -> None:
        """Fail the check unless what lies behind so many bytes is as it was."""
        if self.read(address + size, GUARD) != bytes([UNTOUCHED]) * GUARD:
            raise ConformanceFailure(f"{what} wrote behind the {size} bytes that it was given")

    def symbol(self, name: str) -> int:
        """Find an exported name; the check fails where it is not there."""
        if (address := self.find(name)) is None:
            raise ConformanceFailure(f"the library exports no {name}", (name,), "nothing")
        return address

    def find(self, name: str) -> int | None:
        """Find an exported name."""
        found = self.host.call(FindSymbol(name=name)).address
        return None if found is None else int(found, 16)

    def created(self, clsid: str, iid: str, apartment: Apartment = "multithreaded") -> Result[int]:
        """Ask for an object of a COM class; the value is what was in the out variable, None for null."""
        reply = self.host.call(CreateInstance(clsid=clsid, iid=iid, apartment=apartment))
        made = int(reply.address, 16) if reply.address else 0
        return Result(f"creating {{{clsid}}} as {{{iid}}}", reply.code, self.observe, made or None)

    def send(
        self, function: int, *arguments: tuple[int, int], thread: str | None = None
    ) -> PendingAnswer[Returned, int]:
        """Start to call a function with values of so many bytes each."""
        passed = [PassedArgument(hex(value % (1 << 8 * size)), 4 if size == 4 else 8) for value, size in arguments]
        request = CallFunction(function=hex(function), arguments=passed, thread=thread)
        patience = self.scaled(BOUND_TO_COME) / 1000 + 10
        return PendingAnswer(self.host.send(request), lambda reply: reply.code, patience)

    def scaled(self, milliseconds: int) -> int:
        """Stretch a time limit by the run's factor."""
        return int(milliseconds * self._timeout_scale)


class NativeObject:
    """An object of the library at an address."""

    def __init__(self, process: NativeProcess, this: int) -> None:
        self.process = process
        self.this = this

    def function(self, method: str) -> int:
        """Find the code of a method, by its slot or its symbol."""
        process = self.process
        if not process.com:
            return process.symbol(SYMBOLS[method])
        return process.number(process.number(self.this) + SLOTS[method] * process.pointer)

    def send(self, method: str, *arguments: tuple[int, int], thread: str | None = None) -> PendingAnswer[Returned, int]:
        """Start to call a method."""
        return self.process.send(self.function(method), (self.this, self.process.pointer), *arguments, thread=thread)

    def call(self, method: str, *arguments: tuple[int, int]) -> Code:
        """Call a method that gives an HRESULT."""
        return self.answer(method, self.send(method, *arguments).result())

    def answer(self, method: str, code: int) -> Code:
        """Hold the HRESULT that a method gave."""
        return Code(f"{method} in {self.process.name}", code, self.process.observe)

    def pointer(self, address: int) -> tuple[int, int]:
        """Give a pointer as an argument."""
        return address, self.process.pointer

    def time(self, milliseconds: int) -> tuple[int, int]:
        """Give a time-out as an argument: a DWORD, or a time_t."""
        return milliseconds, 4 if self.process.com else self.process.pointer

    def send_out(
        self, method: str, *arguments: tuple[int, int], size: int | None = None, thread: str | None = None
    ) -> PendingAnswer[Returned, Result[int]]:
        """Start a method whose last argument is an out pointer; the value is None for null after success."""
        variable = self.process.variable(size)
        width = size or self.process.pointer

        def given(code: int) -> Result[int]:
            self.process.require_guard(variable, width, method)
            value = self.process.number(variable, width)
            answer = self.answer(method, code)
            return Result(answer.call, answer.code, answer.observer, value if size or value else None)

        return self.send(method, *arguments, self.pointer(variable), thread=thread).then(given)

    def out(self, method: str, *arguments: tuple[int, int], size: int | None = None) -> Result[int]:
        """Call a method whose last argument is an out pointer."""
        return self.send_out(method, *arguments, size=size).result()

    def query(self, iid: str) -> Result[int]:
        """QueryInterface; the value is None for null."""
        return self.out("QueryInterface", self.pointer(self.process.place(uuid.UUID(iid).bytes_le)))


class NativeDevice(NativeObject):
    """A device that OpenDevice handed out."""

    def send_get_command(
        self, timeout: int | None = None, thread: str | None = None
    ) -> PendingAnswer[Returned, Result[int]]:
        """Start a GetCommand; the value is the address of the record."""
        waiting = self.process.scaled(BOUND_TO_COME) if timeout is None else timeout
        return self.send_out("GetCommand", self.time(waiting), thread=thread)

    def get_command(self, timeout: int | None = None) -> Result[int]:
        """GetCommand."""
        return self.send_get_command(timeout).result()

    def await_abort(self, waiting: PendingAnswer[Returned, Result[int]]) -> None:
        """Fetch until an abort shows that has been posted; what was queued before may still be handed out."""
        found = waiting.result()
        while found.succeeded:
            found = self.get_command()
        found.expect(VD_E_ABORT)

    def complete(self, record: int, code: int, size: int, position: int = 0) -> Code:
        """CompleteCommand."""
        count = 4 if self.process.com else self.process.pointer
        return self.call("CompleteCommand", self.pointer(record), (code, 4), (size, count), (position, 8))


class NativeSet(NativeObject):
    """A client object."""

    def create(self, name: str, config: bytes) -> Code:
        """Create, with a structure of these bytes."""
        return self.create_from("Create", name, self.process.place(config))

    def create_ex(self, name: str, config: bytes) -> Code:
        """CreateEx on the default instance."""
        return self.create_from("CreateEx", name, self.process.place(config))

    def create_from(self, method: str, name: str, place: int) -> Code:
        """Create or CreateEx on the default instance, with the structure at an address, which has a guard behind it."""
        names = [self.process.text(name)] if method == "Create" else [0, self.process.text(name)]
        answer = self.call(method, *map(self.pointer, names), self.pointer(place))
        self.process.require_guard(place, CONFIG_SIZE, method)
        return answer

    def send_get_configuration(
        self, timeout: int | None = None, thread: str | None = None
    ) -> PendingAnswer[Returned, Result[bytes]]:
        """Start a GetConfiguration; the value is the bytes of the structure."""
        place = self.process.variable(CONFIG_SIZE)
        waiting = self.process.scaled(BOUND_TO_COME) if timeout is None else timeout

        def configured(code: int) -> Result[bytes]:
            self.process.require_guard(place, CONFIG_SIZE, "GetConfiguration")
            self.process.host.codes.add(("GetConfiguration", code))
            answer = self.answer("GetConfiguration", code)
            return Result(answer.call, answer.code, answer.observer, self.process.read(place, CONFIG_SIZE))

        return self.send("GetConfiguration", self.time(waiting), self.pointer(place), thread=thread).then(configured)

    def get_configuration(self, timeout: int | None = None) -> Result[bytes]:
        """GetConfiguration."""
        return self.send_get_configuration(timeout).result()

    def open_device(self, name: str) -> Result[NativeDevice]:
        """OpenDevice."""
        found = self.out("OpenDevice", self.pointer(self.process.text(name)))
        device = None if found.value is None else NativeDevice(self.process, found.value)
        return Result(found.call, found.code, found.observer, device)

    def open_in_secondary(self, name: str) -> Code:
        """OpenInSecondary."""
        return self.call("OpenInSecondary", self.pointer(self.process.text(name)))

    def open_in_secondary_ex(self, name: str) -> Code:
        """OpenInSecondaryEx on the default instance."""
        return self.call("OpenInSecondaryEx", self.pointer(0), self.pointer(self.process.text(name)))

    def get_buffer_handle(self, address: int) -> Result[int]:
        """GetBufferHandle."""
        return self.out("GetBufferHandle", self.pointer(address), size=4)

    def map_buffer_handle(self, handle: int) -> Result[int]:
        """MapBufferHandle."""
        return self.out("MapBufferHandle", (handle, 4))

    def signal_abort(self) -> Code:
        """SignalAbort."""
        return self.call("SignalAbort")

    def close(self) -> Code:
        """Close."""
        return self.call("Close")
