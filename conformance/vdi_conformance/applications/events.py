"""What is seen of client applications, in its order: calls with their answers, ends of processes, streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from vdi_conformance.applications.streams import StreamTrace


class ObjectKey(NamedTuple):
    """A client object or server: its process, and its number there."""

    process: int
    number: int


class Call(NamedTuple):
    """A call that was answered; `number` and `answered` count what happened, times are seconds on one clock."""

    number: int
    owner: ObjectKey
    connection: int
    method: str
    arguments: tuple[Any, ...]
    begin: float
    answered: int
    end: float
    code: int
    values: tuple[Any, ...] = ()


class Departure(NamedTuple):
    """The end of a process."""

    number: int
    process: int
    time: float


class Place(NamedTuple):
    """Which device of which set something is about."""

    instance: str | None
    name: str
    device: str = ""


class BufferMisuse(NamedTuple):
    """A buffer in the server's hands is not as it was left when the command of that code had been completed."""

    place: Place
    code: int
    time: float


class ReadLook(NamedTuple):
    """What a Read gave: of the bytes that were reported, `unfilled` at the end were never put into the buffer.

    `silent` says that none was reported though some were put there, `stale` that they are what the server left in a
    buffer of an earlier command.
    """

    place: Place
    reported: int
    unfilled: int
    silent: bool
    stale: bool


class ReadBehind(NamedTuple):
    """How a Read behind the last byte of a stream was completed."""

    place: Place
    code: int
    moved: int


class Streams(NamedTuple):
    """What a statement moved over its devices, in their order; `complete` says that a BACKUP went well to its end."""

    place: Place
    written: bool
    complete: bool
    devices: tuple[StreamTrace, ...]
    time: float


class Stopped(NamedTuple):
    """The recording was stopped."""

    time: float


Event = Call | Departure | BufferMisuse | ReadLook | ReadBehind | Streams | Stopped
