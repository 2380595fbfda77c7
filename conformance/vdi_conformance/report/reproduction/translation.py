"""What a step of a program does for a call of the record, argument by argument."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.report.reproduction.program import (
    Argument,
    Bytes,
    Fields,
    Invocation,
    Joined,
    Known,
    NotReproducible,
    Number,
    Sized,
)
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi.commands import VDF_FILE_MARKS, VDF_RANDOM_ACCESS
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vdi_conformance.evidence.records import Call
    from vdi_conformance.report.reproduction.numbers import Numbers

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_POSITIONING: Final = VDF_FILE_MARKS | VDF_RANDOM_ACCESS
_WIDEST: Final = 64
_ADDRESSES_OF_A_SERVER: Final = frozenset({"address", "buffer"})


class Streams:
    """The files of a check that hold streams, by numbers; which of them the check itself has written."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def written(self, path: str) -> int:
        """Give the number of a file that is written."""
        return self._numbers.setdefault(path, len(self._numbers) + 1)

    def read(self, path: str) -> int | None:
        """Give the number of a file that is read; None where the check has not written it before."""
        return self._numbers.get(path)


class Translator:
    """Turns the calls of client processes into steps, one after the other."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._streams = Streams()

    def invocation(self, call: Call) -> Invocation:
        """Say what a client's process does; a NotReproducible where no program can."""
        made = _CLIENT.get(call.method)
        if made is None:
            raise NotReproducible(
                f"call {call.number} is {shown(call.method)}, which only a host of the suite can do: "
                "run the check again with the suite"
            )
        return made(self, call)

    def request(self, call: Call) -> Invocation:
        """Say what the process of a server is asked for, over the host protocol."""
        parts = tuple(self._json({**call.params, "thread": call.thread or None}, call))
        return Invocation("ask", (call.number, call.method, Joined(parts)))

    def create(self, call: Call) -> Invocation:
        """Create, or CreateEx."""
        arguments = (_text(call, "name"), _config(call))
        return _of_set(call, "Create", *arguments)

    def create_ex(self, call: Call) -> Invocation:
        """CreateEx."""
        return _of_set(call, "CreateEx", _text(call, "instance"), _text(call, "name"), _config(call))

    def get_configuration(self, call: Call) -> Invocation:
        """GetConfiguration."""
        return _of_set(call, "GetConfiguration", _whole(call, "timeout"), not _flag(call, "null_out"))

    def open_device(self, call: Call) -> Invocation:
        """OpenDevice."""
        key = _id(call, "device")
        return _of_set(call, "OpenDevice", _text(call, "name"), key, not _flag(call, "null_out"))

    def close(self, call: Call) -> Invocation:
        """Close."""
        return _of_set(call, "Close")

    def signal_abort(self, call: Call) -> Invocation:
        """SignalAbort."""
        return _of_set(call, "SignalAbort")

    def open_in_secondary(self, call: Call) -> Invocation:
        """OpenInSecondary."""
        return _of_set(call, "OpenInSecondary", _text(call, "name"))

    def open_in_secondary_ex(self, call: Call) -> Invocation:
        """OpenInSecondaryEx."""
        return _of_set(call, "OpenInSecondaryEx", _text(call, "instance"), _text(call, "name"))

    def get_buffer_handle(self, call: Call) -> Invocation:
        """GetBufferHandle."""
        return _of_set(call, "GetBufferHandle", self._address(call, "address"), not _flag(call, "null_out"))

    def map_buffer_handle(self, call: Call) -> Invocation:
        """MapBufferHandle."""
        handle = self._numbers.handle(_whole(call, "handle"))
        return _of_set(call, "MapBufferHandle", handle, not _flag(call, "null_out"))

    def release_set(self, call: Call) -> Invocation:
        """Release of a client object."""
        return _of_set(call, "Release")

    def new_set(self, call: Call) -> Invocation:
        """Make a client object."""
        return Invocation("new_vdi_set", (_id(call, "set"),))

    def get_command(self, call: Call) -> Invocation:
        """GetCommand."""
        return _of_device(call, "GetCommand", _whole(call, "timeout"), not _flag(call, "null_out"))

    def complete_command(self, call: Call) -> Invocation:
        """CompleteCommand."""
        return _of_device(
            call,
            "CompleteCommand",
            self._address(call, "command"),
            _whole(call, "completion_code"),
            _whole(call, "bytes_transferred"),
            _hexadecimal(call, "position"),
        )

    def release_device(self, call: Call) -> Invocation:
        """Release of a device."""
        return _of_device(call, "Release")

    def serve(self, call: Call) -> Invocation:
        """Be an ordinary client on a device whose stream goes through a pipe."""
        features, limit = _whole(call, "features"), call.params.get("limit")
        if features & _POSITIONING:
            raise NotReproducible(
                f"call {call.number} serves a device that positions on tape or disk, which only a host of the suite "
                "can do: run the check again with the suite"
            )
        stream = 0
        if call.params.get("path") is not None:
            stream = self._streams.written(_required(call, "path"))
        most = -1 if limit is None else _whole(call, "limit")
        return _of_device(call, "serve", _whole(call, "timeout"), stream, _whole(call, "offset"), most)

    def allocate(self, call: Call) -> Invocation:
        """Get memory of its own."""
        return Invocation("allocate", (_whole(call, "size"),))

    def reserve(self, call: Call) -> Invocation:
        """Reserve addresses without memory; where is left to the system."""
        return Invocation("reserve", (_whole(call, "size"),))

    def read(self, call: Call) -> Invocation:
        """Read bytes."""
        return Invocation("read", (self._address(call, "address"), _whole(call, "size")))

    def write(self, call: Call) -> Invocation:
        """Write bytes."""
        data = _required(call, "data")
        if not _HEX.fullmatch(data):
            raise NotReproducible(
                f"the record keeps only the first of the bytes that call {call.number} writes: run the check again "
                "with the suite"
            )
        words = self._numbers.words(call.process, data)
        return Invocation("write", (self._address(call, "address"), Bytes(data, words)))

    def fill(self, call: Call) -> Invocation:
        """Write bytes that follow from a seed."""
        return Invocation("fill", (self._address(call, "address"), _whole(call, "size"), _whole(call, "seed")))

    def digest(self, call: Call) -> Invocation:
        """Digest bytes."""
        return Invocation("digest", (self._address(call, "address"), _whole(call, "size")))

    def save(self, call: Call) -> Invocation:
        """Keep bytes in a file."""
        stream = self._streams.written(_required(call, "path"))
        return Invocation(
            "save", (self._address(call, "address"), _whole(call, "size"), stream, _whole(call, "offset"))
        )

    def load(self, call: Call) -> Invocation:
        """Take bytes out of a file that the check itself has written."""
        stream = self._streams.read(_required(call, "path"))
        if stream is None:
            raise NotReproducible(
                f"call {call.number} takes bytes of a backup that was made before the check, which no program has: "
                "run the check again with the suite"
            )
        return Invocation(
            "load_stream", (self._address(call, "address"), _whole(call, "size"), stream, _whole(call, "offset"))
        )

    def outside_addresses(self, call: Call) -> Invocation:
        """Find addresses that belong to no set."""
        return Invocation("outside_addresses")

    def symbol(self, call: Call) -> Invocation:
        """Find what the library exports."""
        return Invocation("symbol", (_required(call, "name"),))

    def call(self, call: Call) -> Invocation:
        """Call a function at an address."""
        given = call.params.get("arguments")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise _malformed(call, "arguments")
        arguments = tuple(self._sized(call, one) for one in given)
        return Invocation("call", (self._address(call, "function"), *arguments))

    def create_instance(self, call: Call) -> Invocation:
        """Ask for an object of a COM class."""
        if call.params.get("apartment") not in (None, "multithreaded"):
            raise NotReproducible(
                f"call {call.number} is made from a single-threaded apartment, which only a host of the suite does: "
                "run the check again with the suite"
            )
        return Invocation("create_instance", (_required(call, "clsid"), _required(call, "iid")))

    def end_thread(self, call: Call) -> Invocation:
        """End the thread of a label."""
        return Invocation("end_thread", (_required(call, "label"),))

    def _sized(self, call: Call, argument: Mapping[str, Any]) -> Sized:
        size, number = argument.get("size"), argument.get("value")
        if size not in (4, 8) or not isinstance(number, str):
            raise _malformed(call, "arguments")
        known = self._numbers.address(call.process, number)
        if not isinstance(known, Known) and self._numbers.is_handle(known):
            known = self._numbers.handle(known)
        return Sized(known, size)

    def _address(self, call: Call, key: str) -> Number:
        return self._numbers.address(call.process, _hexadecimal(call, key))

    def _json(self, value: Any, call: Call, key: str = "") -> Iterator[str | Known]:
        """Write plain data as JSON, with what differs from run to run as names."""
        match value:
            case dict():
                yield "{"
                for place, (name, one) in enumerate(value.items()):
                    yield f"{', ' if place else ''}{_in_json(name)}: "
                    yield from self._json(one, call, name)
                yield "}"
            case list():
                yield "["
                for place, one in enumerate(value):
                    yield ", " if place else ""
                    yield from self._json(one, call)
                yield "]"
            case str() if key in _ADDRESSES_OF_A_SERVER and isinstance(
                known := self._numbers.address(call.process, value), Known
            ):
                yield '"'
                yield known
                yield '"'
            case _:
                yield _in_json(value)


def _in_json(value: object) -> str:
    return json.dumps(value)


_CLIENT: Final[Mapping[str, Callable[[Translator, Call], Invocation]]] = {
    "set.new": Translator.new_set,
    "set.create": Translator.create,
    "set.create_ex": Translator.create_ex,
    "set.get_configuration": Translator.get_configuration,
    "set.open_device": Translator.open_device,
    "set.close": Translator.close,
    "set.signal_abort": Translator.signal_abort,
    "set.open_in_secondary": Translator.open_in_secondary,
    "set.open_in_secondary_ex": Translator.open_in_secondary_ex,
    "set.get_buffer_handle": Translator.get_buffer_handle,
    "set.map_buffer_handle": Translator.map_buffer_handle,
    "set.release": Translator.release_set,
    "device.get_command": Translator.get_command,
    "device.complete_command": Translator.complete_command,
    "device.release": Translator.release_device,
    "device.serve": Translator.serve,
    "memory.allocate": Translator.allocate,
    "memory.reserve": Translator.reserve,
    "memory.read": Translator.read,
    "memory.write": Translator.write,
    "memory.fill": Translator.fill,
    "memory.digest": Translator.digest,
    "memory.save": Translator.save,
    "memory.load": Translator.load,
    "memory.outside_addresses": Translator.outside_addresses,
    "native.symbol": Translator.symbol,
    "native.call": Translator.call,
    "native.create_instance": Translator.create_instance,
    "calls.end_thread": Translator.end_thread,
}


def _of_set(call: Call, method: str, *arguments: Argument) -> Invocation:
    return Invocation(method, arguments, "vdi_set", _id(call, "set"))


def _of_device(call: Call, method: str, *arguments: Argument) -> Invocation:
    return Invocation(method, arguments, "vdi_device", _id(call, "device"))


def _id(call: Call, key: str) -> str:
    return _required(call, key)


def _required(call: Call, key: str) -> str:
    value = call.params.get(key)
    if not isinstance(value, str):
        raise _malformed(call, key)
    return value


def _text(call: Call, key: str) -> str | None:
    return None if call.params.get(key) is None else _required(call, key)


def _flag(call: Call, key: str) -> bool:
    return call.params.get(key) is True


def _whole(call: Call, key: str) -> int:
    value = call.params.get(key, 0)
    if not isinstance(value, int) or value < 0 or value.bit_length() > _WIDEST:
        raise _malformed(call, key)
    return value


def _hexadecimal(call: Call, key: str) -> int:
    value = call.params.get(key)
    try:
        number = int(value, 16) if isinstance(value, str) else -1
    except ValueError:
        number = -1
    if number < 0 or number.bit_length() > _WIDEST:
        raise _malformed(call, key)
    return number


def _config(call: Call) -> Fields | None:
    value = call.params.get("config")
    if value is None:
        return None
    numbers = [value.get(name) for name in VDConfig._fields] if isinstance(value, dict) else []
    fit = [one for one in numbers if isinstance(one, int) and 0 <= one < 1 << 32]
    if len(fit) != len(VDConfig._fields):
        raise _malformed(call, "config")
    return Fields(tuple(fit))


def _malformed(call: Call, key: str) -> NotReproducible:
    return NotReproducible(
        f"call {call.number} of the record has no {key} that {shown(call.method)} could take: "
        "make the evidence again with this version of the suite"
    )
