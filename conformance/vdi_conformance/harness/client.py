"""One client object in one process: the interface's methods, answered with what checks can hold to account."""

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar

from vdi_conformance.harness.device import BOUND_TO_COME, CALLS_MEANWHILE, MOST_COMMANDS, Device, Fetched
from vdi_conformance.harness.expectations import Code, Observe, PendingAnswer, Result
from vdi_conformance.harness.judging import Needed
from vdi_conformance.harness.memory import ProcessMemory
from vdi_conformance.host.errors import MethodNotFound
from vdi_conformance.host.messages.base import AddressReply, CodeReply, Config, ConfigReply, Done, Request
from vdi_conformance.host.messages.client import (
    Close,
    Create,
    CreateEx,
    DeviceReply,
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
from vdi_conformance.host.messages.concurrent_calls import EndThread
from vdi_conformance.host.process import Host, Pending
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, MAX_TRANSFER_SIZE, VDConfig

T = TypeVar("T")
L = TypeVar("L", bound=PendingAnswer[Any, Any])
SET_THREAD = "set"


class Client(ProcessMemory):
    """A process with a client object, as primary, as secondary, or not open at all.

    A device of it that hands out more than `most_commands` is taken to come to no end. `device_thread` is the thread on
    which all devices that are opened from now on make their calls; with None each has one of its own.
    """

    def __init__(
        self, host: Host, key: str, observe: Observe, timeout_scale: float, need_joining: Callable[[], None]
    ) -> None:
        super().__init__(host)
        self.key = key
        self.devices: list[Device] = []
        self.aborted = False
        self.device_thread: str | None = None
        self.most_commands = MOST_COMMANDS
        self._observe = observe
        self._timeout_scale = timeout_scale
        self._need_joining = need_joining
        self._numbers = count()
        self._history: list[Pending[Any]] = []
        self._mapped: set[int] = set()
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

    @property
    def patience_with_many_calls(self) -> float:
        """The seconds that a host, or a server, may take for a whole statement that is bound to come to its end."""
        return self.scaled(2 * BOUND_TO_COME) / 1000

    def code(self, method: type[Request[Any]], code: int) -> Code:
        """Hold the answer of a call without an out-value."""
        return Code(f"{method.called} in {self.name}", code, self._observe)

    def result(self, method: type[Request[Any]], code: int, value: T | None) -> Result[T]:
        """Hold the answer of a call with an out-value."""
        return Result(f"{method.called} in {self.name}", code, self._observe, value)

    def send_create(
        self, name: str | None, config: VDConfig | None, thread: str = SET_THREAD
    ) -> PendingAnswer[CodeReply, Code]:
        """Start a Create."""
        request = Create(set=self.key, name=name, config=_fields(config), thread=thread)
        return self._noted(self._send_code(request))

    def create(self, name: str | None, config: VDConfig | None) -> Code:
        """Create."""
        return self.send_create(name, config).result()

    def send_create_ex(
        self, instance: str | None, name: str | None, config: VDConfig | None, thread: str = SET_THREAD
    ) -> PendingAnswer[CodeReply, Code]:
        """Start a CreateEx."""
        request = CreateEx(set=self.key, instance=instance, name=name, config=_fields(config), thread=thread)
        return self._noted(self._send_code(request))

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> Code:
        """CreateEx."""
        return self.send_create_ex(instance, name, config).result()

    def send_get_configuration(
        self, timeout: int | None = None, null_out: bool = False, thread: str = SET_THREAD
    ) -> PendingAnswer[ConfigReply, Result[VDConfig]]:
        """Start a GetConfiguration."""
        milliseconds = self.scaled(BOUND_TO_COME) if timeout is None else timeout
        request = GetConfiguration(set=self.key, timeout=milliseconds, null_out=null_out, thread=thread)
        patience = min(milliseconds, self.scaled(BOUND_TO_COME)) / 1000 + 10
        asked: PendingAnswer[ConfigReply, Result[VDConfig]] = PendingAnswer(
            self.host.send(request),
            lambda reply: self.result(type(request), reply.code, configuration(reply)),
            patience,
        )
        return self._noted(asked)

    def get_configuration(self, timeout: int | None = None, null_out: bool = False) -> Result[VDConfig]:
        """GetConfiguration; the default waits for what is bound to come."""
        return self.send_get_configuration(timeout, null_out).result()

    def let_others_wait(self) -> None:
        """Make calls that take as long as what other threads have begun needs to come to its wait.

        They are several, since on a busy machine any thread may be the last one to run.
        """
        for _ in range(CALLS_MEANWHILE):
            self.get_configuration().expect(NOERROR, by=Needed("CFG-09"))

    def await_abort(self) -> None:
        """Ask for the configuration until an abort shows here, which is bound to come; for who waits on no device."""
        end = time.monotonic() + self.scaled(BOUND_TO_COME) / 1000
        while (result := self.get_configuration(0)).succeeded and time.monotonic() < end:
            pass
        result.expect(VD_E_ABORT)

    def send_open_device(
        self, name: str | None, null_out: bool = False, thread: str = SET_THREAD
    ) -> PendingAnswer[DeviceReply, Result[Device]]:
        """Start an OpenDevice."""
        device = Device(self, name or "", f"{self.key}.{next(self._numbers)}")
        request = OpenDevice(set=self.key, name=name, device=device.key, null_out=null_out, thread=thread)

        def opened(reply: DeviceReply) -> Result[Device]:
            if reply.code == NOERROR and reply.opened:
                self.devices.append(device)
            return self.result(type(request), reply.code, device if reply.opened else None)

        return PendingAnswer(self.host.send(request), opened)

    def open_device(self, name: str | None, null_out: bool = False) -> Result[Device]:
        """OpenDevice."""
        return self.send_open_device(name, null_out).result()

    def send_open_in_secondary(self, name: str | None, thread: str = SET_THREAD) -> PendingAnswer[CodeReply, Code]:
        """Start an OpenInSecondary."""
        self._need_joining()
        request = OpenInSecondary(set=self.key, name=name, thread=thread)
        return self._noted(self._send_code(request))

    def open_in_secondary(self, name: str | None) -> Code:
        """OpenInSecondary."""
        return self.send_open_in_secondary(name).result()

    def send_open_in_secondary_ex(
        self, instance: str | None, name: str | None, thread: str = SET_THREAD
    ) -> PendingAnswer[CodeReply, Code]:
        """Start an OpenInSecondaryEx."""
        self._need_joining()
        request = OpenInSecondaryEx(set=self.key, instance=instance, name=name, thread=thread)
        return self._noted(self._send_code(request))

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> Code:
        """OpenInSecondaryEx."""
        return self.send_open_in_secondary_ex(instance, name).result()

    def _noted(self, call: L) -> L:
        self._history.append(call.pending)
        return call

    def has_configured(self, name: str) -> bool:
        """Tell whether GetConfiguration has succeeded here on the latest set of that name; looks at nothing new."""
        opened, configured = None, False
        for call in self._history:
            if not isinstance(call.outcome, CodeReply | ConfigReply) or call.outcome.code != NOERROR:
                continue
            if isinstance(call.request, Create | CreateEx | OpenInSecondary | OpenInSecondaryEx):
                opened = call.request.name
                configured = configured and opened != name
            elif opened == name:
                configured = True
        return configured

    def send_get_buffer_handle(
        self, address: int, null_out: bool = False, thread: str = SET_THREAD
    ) -> PendingAnswer[HandleReply, Result[int]]:
        """Start a GetBufferHandle."""
        request = GetBufferHandle(set=self.key, address=hex(address), null_out=null_out, thread=thread)
        return PendingAnswer(
            self.host.send(request), lambda reply: self.result(type(request), reply.code, reply.handle)
        )

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Result[int]:
        """GetBufferHandle."""
        return self.send_get_buffer_handle(address, null_out).result()

    def send_map_buffer_handle(
        self, handle: int, null_out: bool = False, thread: str = SET_THREAD
    ) -> PendingAnswer[AddressReply, Result[int]]:
        """Start a MapBufferHandle."""
        request = MapBufferHandle(set=self.key, handle=handle, null_out=null_out, thread=thread)

        def mapped(reply: AddressReply) -> Result[int]:
            address = None if reply.address is None else int(reply.address, 16)
            if address is not None:
                self._mapped.add(address)
            return self.result(type(request), reply.code, address)

        return PendingAnswer(self.host.send(request), mapped)

    def given_by(self, address: int) -> Needed:
        """MapBufferHandle gave what lies from a mapped address on, GetCommand the rest."""
        mapped = any(start - MAX_ALIGNMENT <= address < start + MAX_TRANSFER_SIZE for start in self._mapped)
        return Needed("MBH-01") if mapped else super().given_by(address)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Result[int]:
        """MapBufferHandle."""
        return self.send_map_buffer_handle(handle, null_out).result()

    def send_signal_abort(self, thread: str = "abort") -> PendingAnswer[CodeReply, Code]:
        """Start a SignalAbort, on a thread of its own: it must not wait behind another call."""
        self.aborted = True
        return self._send_code(SignalAbort(set=self.key, thread=thread))

    def signal_abort(self) -> Code:
        """SignalAbort."""
        return self.send_signal_abort().result()

    def send_close(self, thread: str = SET_THREAD) -> PendingAnswer[CodeReply, Code]:
        """Start a Close."""
        return self._send_code(Close(set=self.key, thread=thread))

    def close(self) -> Code:
        """Close."""
        return self.send_close().result()

    def _send_code(self, request: Request[CodeReply]) -> PendingAnswer[CodeReply, Code]:
        return PendingAnswer(self.host.send(request), lambda reply: self.code(type(request), reply.code))

    def end_thread(self, label: str = SET_THREAD) -> None:
        """Let a thread of the process end that makes no call, where the host can do that."""
        with suppress(MethodNotFound):
            self.host.call(EndThread(label=label))

    def forget_devices(self) -> None:
        """Take the devices for gone, as those of a closed set are.

        Where all make their calls on one thread, the next one takes the place of the first one in the process.
        """
        self.devices.clear()
        if self.device_thread is not None:
            self._numbers = count()

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
        """Fetch the next Read or Write of one of this client's devices."""
        return self.devices[device].next_data_command()

    def complete(
        self, command: Fetched, completion_code: int = 0, bytes_transferred: int = 0, position: int = 0
    ) -> Code:
        """CompleteCommand on the device that the command came from."""
        return command.device.complete(command, completion_code, bytes_transferred, position)


def configuration(reply: ConfigReply) -> VDConfig | None:
    """Give the configuration that an answer holds, if any."""
    found = reply.config
    return None if found is None else VDConfig(*(getattr(found, field) for field in VDConfig._fields))


def _fields(config: VDConfig | None) -> Config | None:
    return None if config is None else Config(*config)
