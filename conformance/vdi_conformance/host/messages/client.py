"""The client role: a request for each method of the set and the device, and those that make many calls at once."""

from collections.abc import Iterator
from typing import Annotated, Any, Generic

import msgspec

from vdi_conformance.host.messages.base import (
    U32,
    AddressReply,
    CodeReply,
    Config,
    ConfigReply,
    Done,
    Hex,
    Name,
    R,
    Reply,
    Request,
)


class DeviceReply(Reply, frozen=True):
    """The HRESULT, and whether the out variable holds anything but null afterwards, on failure too.

    Before the call the variable is set to 0xCCCCCCCCCCCCCCCC, cut to the width of a pointer. `opened` is false where a
    null out pointer was passed.
    """

    code: U32
    opened: bool


class HandleReply(Reply, frozen=True):
    """The HRESULT and the handle found in the out variable afterwards, on failure too.

    Before the call the variable is set to 0xCCCCCCCC (3435973836), so that a call which leaves it alone is seen.
    `handle` is null where a null out pointer was passed.
    """

    code: U32
    handle: U32 | None = None


class CommandRecord(msgspec.Struct, frozen=True):
    """A VDC_Command: the address of its record in the host, by which it is completed, and its members.

    The record has 24 bytes: the command code (int32) at offset 0, the size (int32) at 4, the position (64 bits) at 8,
    and the buffer (a pointer) at 16. `position` is given as an unsigned number, `buffer` is "0x0" where there is none.
    """

    address: Hex
    code: int
    size: int
    position: Hex
    buffer: Hex


class CommandReply(Reply, frozen=True):
    """The HRESULT and the command.

    It is null where the call failed, where it left null in the out variable, and where what it left there is no address
    of 24 bytes that can be read.
    """

    code: U32
    command: CommandRecord | None = None


class SetRequest(Request[R], Generic[R], frozen=True, kw_only=True):
    """What is asked of the client object whose id is `set`."""

    receiver = "set"
    set: Name


class DeviceRequest(Request[R], Generic[R], frozen=True, kw_only=True):
    """What is asked of the device whose id is `device`."""

    receiver = "device"
    device: Name


class NewSet(SetRequest[Done], frozen=True, kw_only=True):
    """Make a client object, as CoCreateInstance or a constructor does, and keep it under the id `set`.

    An id that is used again stands for the new object from then on.
    """

    method = "set.new"


class Create(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call Create; null is passed on as a null pointer."""

    name: str | None
    config: Config | None


class CreateEx(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call CreateEx; null is passed on as a null pointer."""

    instance: str | None
    name: str | None
    config: Config | None


class GetConfiguration(SetRequest[ConfigReply], frozen=True, kw_only=True):
    """Call GetConfiguration; `timeout` is milliseconds, and 4294967295 waits without end."""

    timeout: U32
    null_out: bool = False


class OpenDevice(SetRequest[DeviceReply], frozen=True, kw_only=True):
    """Call OpenDevice; what is found in the out variable is kept under the id `device`, on failure too.

    Where it is null, or a null out pointer was passed, the id is not made; what it stood for before it still stands
    for.
    """

    name: str | None
    device: Name
    null_out: bool = False


class Close(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call Close on the set."""


class SignalAbort(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call SignalAbort."""


class OpenInSecondary(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call OpenInSecondary; null is passed on as a null pointer."""

    name: str | None


class OpenInSecondaryEx(SetRequest[CodeReply], frozen=True, kw_only=True):
    """Call OpenInSecondaryEx; null is passed on as a null pointer."""

    instance: str | None
    name: str | None


class GetBufferHandle(SetRequest[HandleReply], frozen=True, kw_only=True):
    """Call GetBufferHandle; with `null_out` pass a null pointer for the handle."""

    address: Hex
    null_out: bool = False


class MapBufferHandle(SetRequest[AddressReply], frozen=True, kw_only=True):
    """Call MapBufferHandle; with `null_out` pass a null pointer for the address."""

    handle: U32
    null_out: bool = False


class ReleaseSet(SetRequest[Done], frozen=True, kw_only=True):
    """Release the client object.

    Its id stays known, and calls on it are still passed to the implementation, so that stale use can be tried.
    """

    method = "set.release"


class GetCommand(DeviceRequest[CommandReply], frozen=True, kw_only=True):
    """Call GetCommand; `timeout` is milliseconds, and 4294967295 waits without end."""

    timeout: U32
    null_out: bool = False


class CompleteCommand(DeviceRequest[CodeReply], frozen=True, kw_only=True):
    """Call CompleteCommand with the address of a record, whatever it is: stale, foreign and null ones are tried too."""

    command: Hex
    completion_code: U32
    bytes_transferred: U32
    position: Hex


class ReleaseDevice(DeviceRequest[Done], frozen=True, kw_only=True):
    """Release the device; its id stays known, as that of a client object does."""

    method = "device.release"


class Served(Reply, frozen=True):
    """How `device.serve` ended.

    `code` is the HRESULT that ended it (NOERROR where `limit` did), `commands` and `data_commands` count what was
    completed, `bytes` what Reads and Writes moved, `digest` is the SHA-256 of those bytes in their order.
    `refused` is the HRESULT of a CompleteCommand that did not give NOERROR.
    """

    code: U32
    commands: int
    data_commands: int
    bytes: int
    digest: str
    refused: U32 | None = None


class Serve(DeviceRequest[Served], frozen=True, kw_only=True):
    """Be an ordinary client application on one device: complete commands until GetCommand fails.

    Writes (command code 2) go to the file `path` from byte `offset` on (null drops them), Reads (1) are filled from
    there and end with ERROR_HANDLE_EOF (38). `features` and `block_size` are those of the set: a tape-like client
    keeps filemarks beside the file and positions on it, a disk-like one goes by the positions of its commands, and
    both begin at its start. Every other command is completed with ERROR_SUCCESS (0), but an unknown one with
    ERROR_NOT_SUPPORTED (50); the guide to a host in any language has a table of all commands, with the filemarks
    and positions of tapes and disks. `limit` ends after so many commands. A host may leave this method out: the
    suite then makes the same calls one by one.
    """

    set: Name
    timeout: U32
    path: str | None = None
    offset: int = 0
    limit: int | None = None
    digest: bool = False
    features: U32 = 0
    block_size: U32 = 512


class CompletedConcurrently(Reply, frozen=True):
    """How `device.complete_concurrently` ended.

    `code` is the HRESULT of GetCommand that ended it (NOERROR where `limit` did); `answers` has for each command the
    HRESULTs of its completions, in the order of the counts.
    """

    code: U32
    answers: list[list[U32]]


class CompleteConcurrently(DeviceRequest[CompletedConcurrently], frozen=True, kw_only=True):
    """Let several threads complete each command at the same moment, until GetCommand fails or after `limit` commands.

    There are as many threads as `counts`: each gives ERROR_SUCCESS (0), its own count as bytes transferred (null
    stands for the size of a Read or Write, command codes 1 and 2, and for 0 otherwise), and position 0. No command
    is fetched before all threads have returned. A host may leave this method out: the suite then makes the same
    calls one by one.
    """

    timeout: U32
    counts: Annotated[list[U32 | None], msgspec.Meta(min_length=2, max_length=16)]
    limit: int | None = None


def codes_of(request: Request[Any], reply: Reply) -> Iterator[tuple[str, int]]:
    """Give each HRESULT that a reply tells of, with the name of the method that gave it."""
    match reply:
        case Served():
            yield "GetCommand", reply.code
            if reply.refused is not None:
                yield "CompleteCommand", reply.refused
        case CompletedConcurrently():
            yield "GetCommand", reply.code
            for codes in reply.answers:
                yield from (("CompleteCommand", code) for code in codes)
        case CodeReply() | ConfigReply() | DeviceReply() | CommandReply() | HandleReply() | AddressReply():
            yield request.called, reply.code


def gives_null(request: Request[Any]) -> bool:
    """Tell whether a call passes a null pointer where its method needs a name, a structure, a record or a place."""
    match request:
        case Create() | CreateEx():
            return request.name is None or request.config is None
        case OpenInSecondary() | OpenInSecondaryEx():
            return request.name is None
        case OpenDevice():
            return request.name is None or request.null_out
        case GetConfiguration() | GetBufferHandle() | MapBufferHandle() | GetCommand():
            return request.null_out
        case CompleteCommand():
            return int(request.command, 16) == 0
    return False
