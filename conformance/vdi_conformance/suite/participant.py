"""One client object in one process: the interface's methods, answered with what checks can hold to account."""

import time
from typing import TypeVar

from vdi_conformance.host.messages.base import AddressReply, CodeReply, Config, ConfigReply, Done
from vdi_conformance.host.messages.client import (
    Close,
    Create,
    CreateEx,
    GetBufferHandle,
    GetConfiguration,
    HandleReply,
    MapBufferHandle,
    NewSet,
    OpenDevice,
    OpenInSecondary,
    OpenInSecondaryEx,
    ReleaseSet,
    SignalAbort,
)
from vdi_conformance.host.process import Host, Pending
from vdi_conformance.suite.device import BOUND_TO_COME, Device, Fetched
from vdi_conformance.suite.memory import ProcessMemory
from vdi_conformance.suite.outcomes import Code, Later, Observe, Result
from vdi_conformance.vdi.hresult import VD_E_ABORT
from vdi_conformance.vdi.structures import VDConfig

T = TypeVar("T")
SET_THREAD = "set"


class Participant(ProcessMemory):
    """A process with a client object, as primary, as secondary, or not open at all."""

    def __init__(self, host: Host, key: str, observe: Observe, timeout_scale: float) -> None:
        super().__init__(host)
        self.key = key
        self.devices: list[Device] = []
        self.aborted = False
        self._observe = observe
        self._timeout_scale = timeout_scale
        self._made: Pending[Done] | None = host.send(NewSet(set=key))

    @property
    def host(self) -> Host:
        """The process; an error in making the client object shows at the first use, so that processes start at once."""
        made, self._made = self._made, None
        if made is not None:
            made.result()
        return self._host

    def scaled(self, milliseconds: int) -> int:
        """Stretch a time limit by the run's factor."""
        return int(milliseconds * self._timeout_scale)

    def code(self, method: str, code: int) -> Code:
        """Hold the answer of a call without an out-value."""
        return Code(f"{method} in {self.name}", code, self._observe)

    def result(self, method: str, code: int, value: T | None) -> Result[T]:
        """Hold the answer of a call with an out-value."""
        return Result(f"{method} in {self.name}", code, self._observe, value)

    def create(self, name: str | None, config: VDConfig | None) -> Code:
        """Create."""
        fields = None if config is None else Config(*config)
        request = Create(set=self.key, name=name, config=fields, thread=SET_THREAD)
        return self.code("Create", self.host.call(request).code)

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> Code:
        """CreateEx."""
        fields = None if config is None else Config(*config)
        request = CreateEx(set=self.key, instance=instance, name=name, config=fields, thread=SET_THREAD)
        return self.code("CreateEx", self.host.call(request).code)

    def send_get_configuration(self, timeout: int | None = None) -> Later[ConfigReply, Result[VDConfig]]:
        """Start a GetConfiguration."""
        milliseconds = self.scaled(BOUND_TO_COME) if timeout is None else timeout
        request = GetConfiguration(set=self.key, timeout=milliseconds, thread=SET_THREAD)
        patience = min(milliseconds, self.scaled(BOUND_TO_COME)) / 1000 + 10
        return Later(self.host.send(request), self._configured, patience)

    def _configured(self, reply: ConfigReply) -> Result[VDConfig]:
        config = None
        if (found := reply.config) is not None:
            config = VDConfig(*(getattr(found, field) for field in VDConfig._fields))
        return self.result("GetConfiguration", reply.code, config)

    def get_configuration(self, timeout: int | None = None) -> Result[VDConfig]:
        """GetConfiguration; the default waits for what is bound to come."""
        return self.send_get_configuration(timeout).result()

    def await_abort(self) -> None:
        """Ask for the configuration until an abort shows here, which is bound to come; for who waits on no device."""
        end = time.monotonic() + self.scaled(BOUND_TO_COME) / 1000
        while (result := self.get_configuration(0)).succeeded and time.monotonic() < end:
            pass
        result.require(VD_E_ABORT)

    def open_device(self, name: str | None) -> Result[Device]:
        """OpenDevice."""
        device = Device(self, name or "", f"{self.key}.{len(self.devices)}")
        reply = self.host.call(OpenDevice(set=self.key, name=name, device=device.key, thread=SET_THREAD))
        if reply.opened:
            self.devices.append(device)
        return self.result("OpenDevice", reply.code, device if reply.opened else None)

    def open_in_secondary(self, name: str | None) -> Code:
        """OpenInSecondary."""
        request = OpenInSecondary(set=self.key, name=name, thread=SET_THREAD)
        return self.code("OpenInSecondary", self.host.call(request).code)

    def send_open_in_secondary_ex(self, instance: str | None, name: str | None) -> Later[CodeReply, Code]:
        """Start an OpenInSecondaryEx."""
        request = OpenInSecondaryEx(set=self.key, instance=instance, name=name, thread=SET_THREAD)
        return Later(self.host.send(request), lambda reply: self.code("OpenInSecondaryEx", reply.code))

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> Code:
        """OpenInSecondaryEx."""
        return self.send_open_in_secondary_ex(instance, name).result()

    def send_get_buffer_handle(
        self, address: int, null_out: bool = False, thread: str = SET_THREAD
    ) -> Later[HandleReply, Result[int]]:
        """Start a GetBufferHandle."""
        request = GetBufferHandle(set=self.key, address=hex(address), null_out=null_out, thread=thread)
        return Later(self.host.send(request), lambda reply: self.result("GetBufferHandle", reply.code, reply.handle))

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Result[int]:
        """GetBufferHandle."""
        return self.send_get_buffer_handle(address, null_out).result()

    def send_map_buffer_handle(
        self, handle: int, null_out: bool = False, thread: str = SET_THREAD
    ) -> Later[AddressReply, Result[int]]:
        """Start a MapBufferHandle."""
        request = MapBufferHandle(set=self.key, handle=handle, null_out=null_out, thread=thread)

        def mapped(reply: AddressReply) -> Result[int]:
            address = None if reply.address is None else int(reply.address, 16)
            return self.result("MapBufferHandle", reply.code, address)

        return Later(self.host.send(request), mapped)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Result[int]:
        """MapBufferHandle."""
        return self.send_map_buffer_handle(handle, null_out).result()

    def signal_abort(self) -> Code:
        """SignalAbort, on a thread of its own: it must not wait behind another call."""
        self.aborted = True
        return self.code("SignalAbort", self.host.call(SignalAbort(set=self.key, thread="abort")).code)

    def close(self) -> Code:
        """Close."""
        return self.code("Close", self.host.call(Close(set=self.key, thread=SET_THREAD)).code)

    def release(self) -> None:
        """Release the object."""
        self.host.call(ReleaseSet(set=self.key, thread=SET_THREAD))

    def kill(self) -> None:
        """End the process at once, as a crash does, and see it gone."""
        self._host.kill()
        self._host.wait_until_ended()

    def leave(self) -> None:
        """Let the process exit by itself, without a Close."""
        self._host.finish()

    def next_data_command(self, device: int = 0) -> Fetched:
        """Fetch the next Read or Write of one of this participant's devices."""
        return self.devices[device].next_data_command()

    def complete(
        self, command: Fetched, completion_code: int = 0, bytes_transferred: int = 0, position: int = 0
    ) -> Code:
        """CompleteCommand on the device that the command came from."""
        return command.device.complete(command, completion_code, bytes_transferred, position)
