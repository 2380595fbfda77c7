"""The scripted server role: the documented server interface, as calls to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.contract import Completion, Outcome
from vdi_conformance.emulator.segments import Mappings, make_area
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.emulator.link import Link


class EmulatorServer:
    """A server of one set (contract.ScriptedServer)."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._number = link.new_object()
        self._mappings = Mappings(link.directory)
        self._lengths: dict[str, int] = {}

    def _call(self, op: str, **arguments: Any) -> dict[str, Any]:
        return self._link.call(f"server_{op}", self._number, **arguments)

    def _code(self, op: str, **arguments: Any) -> int:
        code: int = self._call(op, **arguments)["code"]
        return code

    def open(self, instance: str | None, name: str) -> int:
        """Open."""
        return self._code("open", instance=instance, name=name)

    def get_configuration(self) -> Outcome[VDConfig]:
        """GetConfiguration of the server side."""
        answer = self._call("get_configuration")
        if answer["code"] != NOERROR:
            return Outcome(answer["code"])
        return Outcome(NOERROR, VDConfig.unpack(bytes.fromhex(answer["config"])))

    def name_device(self, name: str) -> int:
        """Tell the name of a device before the configuration ends, so that no other name is taken for one."""
        return self._code("name_device", name=name)

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """BeginConfiguration; clients declare no areas of their own here, so `timeout` bounds nothing."""
        del timeout
        return self._code(
            "begin_configuration",
            features=features,
            alignment=alignment,
            block_size=block_size,
            max_transfer_size=max_transfer_size,
        )

    def request_buffers(self, size: int, alignment: int, count: int) -> int:
        """RequestBuffers."""
        return self._with_area(self._call("request_buffers", size=size, alignment=alignment, count=count))

    def query_available_buffers(self, size: int, alignment: int) -> Outcome[int]:
        """QueryAvailableBuffers."""
        answer = self._call("query_available_buffers", size=size, alignment=alignment)
        return Outcome(answer["code"], answer.get("count"))

    def end_configuration(self) -> int:
        """EndConfiguration."""
        return self._with_area(self._call("end_configuration"))

    def _with_area(self, answer: dict[str, Any]) -> int:
        """Make the area that an answer asks for, where it does."""
        if "area" not in answer:
            return int(answer["code"])
        area, length = answer["area"], answer["length"]
        self._lengths[area] = length
        return self._code("area_made", area=area, made=make_area(self._link.directory, area, length))

    def open_device(self, name: str) -> int:
        """Open a device."""
        return self._code("open_device", name=name)

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """AllocateBuffer."""
        answer = self._call("allocate_buffer", size=size, alignment=alignment)
        if answer["code"] != NOERROR:
            return Outcome(answer["code"])
        area = answer["area"]
        return Outcome(NOERROR, self._mappings.address_of(area, self._lengths[area], answer["offset"]))

    def free_buffer(self, address: int, size: int) -> int:
        """FreeBuffer."""
        area, offset = self._mappings.place_of(address)
        return self._code("free_buffer", area=area, offset=offset, size=size)

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """SendCommand; the buffer of a command without data is passed on as it is."""
        area, offset = self._mappings.place_of(buffer) if code in DATA_COMMANDS else (None, 0)
        return self._code(
            "send_command",
            device=device,
            kind=code,
            size=size,
            position=position,
            buffer=buffer,
            area=area,
            offset=offset,
            tag=tag,
        )

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait for the next completion; None at once after an abort, when there is none left."""
        answer = self._call("next_completion", timeout=timeout)
        if answer["code"] != NOERROR:
            return None
        outputs = answer["completion"], answer["bytes"], answer["position"]
        return Completion(answer["tag"], answer["device"], *outputs, answer["thread_of_sender"])

    def close_device(self, device: str) -> int:
        """CloseDevice."""
        return self._code("close_device", device=device)

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._code("signal_abort")

    def close(self) -> int:
        """Close."""
        code = self._code("close")
        self._mappings.release()
        self._mappings = Mappings(self._link.directory)
        return code
