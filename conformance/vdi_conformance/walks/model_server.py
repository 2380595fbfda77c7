"""The server of a walk: one set after the other in one process, with the buffers of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import BOUND_TO_COME
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.model.state import ModelCommand
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.harness.expectations import Answer, Code, PendingAnswer
    from vdi_conformance.harness.server import ServerRole
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.messages.base import CodeReply

BLOCK: Final = 512
LARGEST: Final = 65536
BUFFERS: Final = 6
CODES: Final = {"Write": vdc.VDC_WRITE, "Read": vdc.VDC_READ, "Flush": vdc.VDC_FLUSH}


class WalkingServer:
    """A server that starts when it is first needed."""

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self._role: ServerRole | None = None
        self._devices: list[str] = []
        self._buffers: list[int] = []
        self._taken: dict[int, int] = {}

    @property
    def role(self) -> ServerRole:
        """The server's calls."""
        if self._role is None:
            self._role = self._testbed.server()
        return self._role

    def open(self, name: str, devices: int) -> Answer:
        """Open a set of so many devices."""
        self._devices = [name, *(f"{name}-{index}" for index in range(1, devices))]
        return self.role.open(None, name)

    def configure(self, begun: bool) -> Answer:
        """Begin the configuration, or end it and take all buffers."""
        if not begun:
            timeout = self._testbed.scaled(BOUND_TO_COME)
            return self.role.begin_configuration(
                vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA, BLOCK, BLOCK, LARGEST, timeout
            )
        self.role.request_buffers(LARGEST, BLOCK, BUFFERS)
        answer = self.role.end_configuration()
        self._taken.clear()
        self._buffers.clear()
        if answer.code == NOERROR:
            found = self.role.allocate_buffers(LARGEST, BLOCK, BUFFERS)
            self._buffers += [one.value for one in found if one.succeeded and one.value is not None]
        return answer

    def open_device(self, index: int) -> Answer:
        """Open a device."""
        return self.role.open_device(self._devices[index])

    def command(self, tag: int, kind: str) -> ModelCommand:
        """Make a command; without a free buffer it is one without data."""
        if kind == "Flush" or not self._buffers:
            return ModelCommand(tag, vdc.VDC_FLUSH, 0)
        buffer = self._taken[tag] = self._buffers.pop(0)
        return ModelCommand(tag, CODES[kind], BLOCK * (1 + tag * 37 % (LARGEST // BLOCK)), buffer, data=True)

    def fill(self, command: ModelCommand) -> None:
        """Store what its tag decides into its buffer."""
        self.role.fill(command.buffer, Seeded(command.tag), command.size)

    def digest(self, command: ModelCommand) -> str:
        """Digest its buffer."""
        return self.role.digest(command.buffer, command.size)

    def send(self, device: int, command: ModelCommand) -> Answer:
        """Send it; its tag as position makes each record another one, since a command may be known by what it says."""
        return self.start_to_send(device, command).result()

    def start_to_send(self, device: int, command: ModelCommand) -> PendingAnswer[CodeReply, Code]:
        """Start to send it."""
        return self.role.send_send_command(
            self._devices[device], command.code, command.size, command.tag, command.buffer, command.tag
        )

    def completion(self, timeout: int | None) -> tuple[int, int, int] | None:
        """Wait for the next completion: its tag, its code and its count; its buffer is free again."""
        if self._role is None:
            return None
        milliseconds = self._testbed.scaled(BOUND_TO_COME) if timeout is None else timeout
        while (record := self._role.next_completion(milliseconds)) is not None:
            # SendCommand reports what it refuses to the completion routine as well, before it returns.
            if not record.thread_of_sender:
                break
        else:
            return None
        if (buffer := self._taken.pop(record.tag, None)) is not None:
            self._buffers.append(buffer)
        return record.tag, record.code, record.bytes_transferred

    def close_device(self, index: int) -> Answer:
        """Close a device."""
        return self.role.close_device(self._devices[index])

    def abort(self) -> Answer:
        """Abort the set."""
        return self.role.signal_abort()

    def close(self) -> Answer:
        """Close the set."""
        return self.role.close()

    def kill(self) -> None:
        """End the process; the next call starts another one."""
        self.role.kill()
        self._role = None
