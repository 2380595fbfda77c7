"""The scripted server role: the documented server interface, as calls to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.contract import Completion, Outcome
from vdi_conformance.emulator.segments import Mappings, make_area
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.emulator.broker_connection import BrokerConnection


class EmulatorServer:
    """A server of one set (contract.ScriptedServer)."""

    def __init__(self, link: BrokerConnection) -> None:
        self._link = link
        self._number = link.new_object()
        self._mappings = Mappings(link.directory)
        self._lengths: dict[int, int] = {}

    def _call(self, name: str, *arguments: int | str | None) -> list[Any]:
        return self._link.call(f"server_{name}", self._number, *arguments)

    def _code(self, name: str, *arguments: int | str | None) -> int:
        return int(self._call(name, *arguments)[0])

    def open(self, instance: str | None, name: str) -> int:
        """Open."""
        return self._code("open", instance, name)

    def get_configuration(self) -> Outcome[VDConfig]:
        """GetConfiguration of the server side."""
        code, *out = self._call("get_configuration")
        return Outcome(code, VDConfig.unpack(bytes.fromhex(out[0])) if out else None)

    def name_device(self, name: str) -> int:
        """Tell the name of a device before the configuration ends, so that no other name is taken for one."""
        return self._code("name_device", name)

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """BeginConfiguration; clients declare no areas of their own here, so `timeout` bounds nothing."""
        del timeout
        return self._code("begin_configuration", features, alignment, block_size, max_transfer_size)

    def request_buffers(self, size: int, alignment: int, count: int) -> int:
        """RequestBuffers."""
        return self._with_area("request_buffers", size, alignment, count)

    def query_available_buffers(self, size: int, alignment: int) -> Outcome[int]:
        """QueryAvailableBuffers."""
        code, *out = self._call("query_available_buffers", size, alignment)
        return Outcome(code, out[0] if out else None)

    def end_configuration(self) -> int:
        """EndConfiguration."""
        return self._with_area("end_configuration")

    def _with_area(self, name: str, *arguments: int) -> int:
        """Make a call, and the area that its answer asks for, where it does."""
        code, *out = self._call(name, *arguments)
        if not out:
            return int(code)
        area, length = out
        self._lengths[area] = length
        return self._code("area_made", area, make_area(self._link.directory, area, length))

    def open_device(self, name: str) -> int:
        """Open a device."""
        return self._code("open_device", name)

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """AllocateBuffer."""
        code, *out = self._call("allocate_buffer", size, alignment)
        if not out:
            return Outcome(code)
        area, offset = out
        return Outcome(code, self._mappings.address_of(area, self._lengths[area], offset))

    def free_buffer(self, address: int, size: int) -> int:
        """FreeBuffer."""
        return self._code("free_buffer", *self._mappings.place_of(address), size)

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """SendCommand; the buffer of a command without data is passed on as it is."""
        place = self._mappings.place_of(buffer) if code in DATA_COMMANDS else (0, 0)
        return self._code("send_command", device, tag, code, size, position, buffer, *place)

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait for the next completion; None at once after an abort, when there is none left."""
        code, *out = self._call("next_completion", timeout)
        if code != NOERROR:
            return None
        tag, device, completion_code, count, position, thread_of_sender = out
        return Completion(tag, device, completion_code, count, position, bool(thread_of_sender))

    def close_device(self, device: str) -> int:
        """CloseDevice."""
        return self._code("close_device", device)

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._code("signal_abort")

    def close(self) -> int:
        """Close."""
        code = self._code("close")
        self._mappings.release()
        self._mappings = Mappings(self._link.directory)
        return code
