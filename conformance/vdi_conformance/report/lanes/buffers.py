"""Which handles and addresses of a check's calls are of one buffer, by what the calls gave; pure.

A buffer gets its number where it is first seen. What is given for something that is known stays what it was known as,
so that one sees where two processes were given different memory under one handle, or two buffers the same handle.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.evidence.records import Call

_SENT: Final = ("code", "size", "position")
"""What a command says of itself on both sides."""


class Place(NamedTuple):
    """A value of a call: in its `params`, in its `answer`, or in a structure within that, and its key."""

    where: str
    key: str


Marks = Mapping[Place, int]


def buffers_of(calls: Iterable[Call]) -> dict[int, Marks]:
    """Give, by the numbers of the calls, which of their values are of which buffer; buffers count from 0."""
    known = _Known()
    return {call.number: known.take(call) for call in calls}


class _Known:
    """What was seen so far: addresses by process, handles, and what the server has sent to each device."""

    def __init__(self) -> None:
        self._count = 0
        self._addresses: dict[tuple[str, int], tuple[int, int]] = {}
        self._sizes: dict[int, int] = {}
        self._handles: dict[int, int] = {}
        self._sent: dict[str, list[tuple[Mapping[str, Any], int | None]]] = {}
        self._devices: dict[tuple[str, str], str] = {}

    def take(self, call: Call) -> Marks:
        """Learn from a call, and give which of its values are of which buffer."""
        answer = call.answer if isinstance(call.answer, dict) else {}
        if answer.get("code", 0) == 0:
            self._learn(call, answer)
        return dict(self._marks(call, answer))

    def _learn(self, call: Call, answer: Mapping[str, Any]) -> None:
        match call.method:
            case "set.open_device":
                self._devices[call.process, str(call.params.get("device"))] = str(call.params.get("name"))
            case "server.allocate_buffer":
                self._is(call.process, answer.get("address"), self._new(), call.params.get("size"))
            case "server.send_command":
                buffer = self._of(call.process, call.params.get("buffer"))
                self._sent.setdefault(str(call.params.get("device")), []).append((call.params, buffer))
            case "device.get_command":
                self._fetched(call, answer.get("command"))
            case "set.get_buffer_handle":
                self._named(call, answer.get("handle"))
            case "set.map_buffer_handle":
                self._mapped(call.process, number_of(call.params.get("handle")), number_of(answer.get("address")))
            case "set.close":
                self._addresses = {at: known for at, known in self._addresses.items() if at[0] != call.process}

    def _mapped(self, process: str, handle: int, address: int) -> None:
        if handle not in self._handles:
            self._handles[handle] = self._new()
        if (process, address) not in self._addresses:
            buffer = self._handles[handle]
            self._is(process, address, buffer, self._sizes.get(buffer))

    def _fetched(self, call: Call, command: object) -> None:
        if not isinstance(command, dict) or not number_of(command.get("buffer")):
            return
        buffer = self._sent_as(self._devices.get((call.process, str(call.params.get("device"))), ""), command)
        if buffer is None:
            buffer = self._of(call.process, command.get("buffer"))
        if buffer is None:
            buffer = self._new()
        self._is(call.process, command.get("buffer"), buffer, command.get("size"))
        self._sizes[buffer] = number_of(command.get("size"))
        self._is(call.process, command.get("address"), buffer)

    def _sent_as(self, device: str, command: Mapping[str, Any]) -> int | None:
        waiting = self._sent.get(device, [])
        for place, (params, buffer) in enumerate(waiting):
            if all(number_of(params.get(key)) == number_of(command.get(key)) for key in _SENT):
                del waiting[: place + 1]
                return buffer
        return None

    def _named(self, call: Call, handle: object) -> None:
        if isinstance(handle, int) and handle not in self._handles:
            buffer = self._of(call.process, call.params.get("address"))
            self._handles[handle] = self._new() if buffer is None else buffer

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _is(self, process: str, address: object, buffer: int, size: object = 1) -> None:
        if start := number_of(address):
            self._addresses[process, start] = (buffer, max(size, 1) if isinstance(size, int) else 1)

    def _of(self, process: str, address: object) -> int | None:
        number = number_of(address)
        if (process, number) in self._addresses:
            return self._addresses[process, number][0]
        for (owner, start), (buffer, size) in self._addresses.items():
            if owner == process and start <= number < start + size:
                return buffer
        return None

    def _marks(self, call: Call, answer: Mapping[str, Any]) -> Iterable[tuple[Place, int]]:
        structures = {key: value for key, value in answer.items() if isinstance(value, dict)}
        for where, values in {"params": call.params, "answer": answer, **structures}.items():
            for key, value in values.items():
                if key == "handle" and isinstance(value, int):
                    buffer = self._handles.get(value)
                elif key in ("address", "buffer", "command") and number_of(value):
                    buffer = self._of(call.process, value)
                else:
                    buffer = None
                if buffer is not None:
                    yield Place(where, key), buffer
