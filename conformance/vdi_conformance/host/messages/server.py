"""The server role at both levels: statements, and the documented server interface."""

from typing import Literal

import msgspec

from vdi_conformance.host.messages.base import U32, AddressReply, CodeReply, ConfigReply, Hex, Name, Reply, Request


class StatementMessage(msgspec.Struct, frozen=True):
    """One message of the server."""

    number: int
    text: str


class StatementEnd(Reply, frozen=True):
    """How a statement ended."""

    succeeded: bool
    messages: list[StatementMessage]


class ExecuteStatement(Request[StatementEnd], frozen=True, kw_only=True):
    """Run a BACKUP or RESTORE to its end; sizes are bytes, and null where the statement does not name them."""

    method = "statement.execute"
    reply = StatementEnd
    operation: Literal["backup", "restore"]
    instance: str | None
    devices: list[Name]
    seed: int
    size: int
    block_size: U32 | None = None
    max_transfer_size: U32 | None = None
    buffer_count: U32 | None = None
    subject: Literal["database", "log", "filelistonly"] = "database"
    snapshot: bool = False


class ServerOpen(Request[CodeReply], frozen=True, kw_only=True):
    """Make a scripted server under the id `server` and open the set of that name."""

    method = "server.open"
    reply = CodeReply
    server: Name
    instance: str | None
    name: str


class ServerGetConfiguration(Request[ConfigReply], frozen=True, kw_only=True):
    """GetConfiguration of the server side."""

    method = "server.get_configuration"
    reply = ConfigReply
    server: Name


class ServerBeginConfiguration(Request[CodeReply], frozen=True, kw_only=True):
    """BeginConfiguration."""

    method = "server.begin_configuration"
    reply = CodeReply
    server: Name
    features: U32
    alignment: U32
    block_size: U32
    max_transfer_size: U32
    timeout: U32


class ServerRequestBuffers(Request[CodeReply], frozen=True, kw_only=True):
    """RequestBuffers."""

    method = "server.request_buffers"
    reply = CodeReply
    server: Name
    size: U32
    alignment: U32
    count: U32


class CountReply(Reply, frozen=True):
    """The HRESULT and a count."""

    code: U32
    count: int | None = None


class ServerQueryAvailableBuffers(Request[CountReply], frozen=True, kw_only=True):
    """QueryAvailableBuffers."""

    method = "server.query_available_buffers"
    reply = CountReply
    server: Name
    size: U32
    alignment: U32


class ServerEndConfiguration(Request[CodeReply], frozen=True, kw_only=True):
    """EndConfiguration."""

    method = "server.end_configuration"
    reply = CodeReply
    server: Name


class ServerOpenDevice(Request[CodeReply], frozen=True, kw_only=True):
    """OpenDevice of the server side."""

    method = "server.open_device"
    reply = CodeReply
    server: Name
    name: str


class ServerAllocateBuffer(Request[AddressReply], frozen=True, kw_only=True):
    """AllocateBuffer; the address is one of the server's process."""

    method = "server.allocate_buffer"
    reply = AddressReply
    server: Name
    size: U32
    alignment: U32


class ServerFreeBuffer(Request[CodeReply], frozen=True, kw_only=True):
    """FreeBuffer."""

    method = "server.free_buffer"
    reply = CodeReply
    server: Name
    address: Hex
    size: U32


class ServerSendCommand(Request[CodeReply], frozen=True, kw_only=True):
    """SendCommand; the completion carries `tag`."""

    method = "server.send_command"
    reply = CodeReply
    server: Name
    device: str
    code: U32
    size: U32
    position: Hex
    buffer: Hex
    tag: int


class CompletionRecord(msgspec.Struct, frozen=True):
    """What a completion routine was given."""

    tag: int
    device: str
    code: U32
    bytes_transferred: U32
    position: Hex
    thread_of_sender: bool


class CompletionReply(Reply, frozen=True):
    """The next completion, or none."""

    completion: CompletionRecord | None = None


class ServerNextCompletion(Request[CompletionReply], frozen=True, kw_only=True):
    """Wait up to `timeout` milliseconds for the next completion."""

    method = "server.next_completion"
    reply = CompletionReply
    server: Name
    timeout: U32


class ServerCloseDevice(Request[CodeReply], frozen=True, kw_only=True):
    """CloseDevice."""

    method = "server.close_device"
    reply = CodeReply
    server: Name
    device: str


class ServerSignalAbort(Request[CodeReply], frozen=True, kw_only=True):
    """SignalAbort of the server side."""

    method = "server.signal_abort"
    reply = CodeReply
    server: Name


class ServerClose(Request[CodeReply], frozen=True, kw_only=True):
    """Close of the server side."""

    method = "server.close"
    reply = CodeReply
    server: Name
