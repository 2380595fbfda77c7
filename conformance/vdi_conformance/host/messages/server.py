"""The server role at both levels: statements, and the documented server interface."""

from typing import Generic, Literal

import msgspec

from vdi_conformance.host.messages.base import (
    U32,
    AddressReply,
    CodeReply,
    ConfigReply,
    Hex,
    Label,
    Name,
    R,
    Reply,
    Request,
    Seed,
)


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
    operation: Literal["backup", "restore"]
    instance: str | None
    devices: list[Name]
    seed: Seed
    size: int
    block_size: U32 | None = None
    max_transfer_size: U32 | None = None
    buffer_count: U32 | None = None
    subject: Literal["database", "log", "filelistonly"] = "database"
    snapshot: bool = False


class VersionReply(Reply, frozen=True):
    """The version of a server; empty where the adapter's own version tells it."""

    version: Label


class AskServerVersion(Request[VersionReply], frozen=True, kw_only=True):
    """Say which version the server has that runs statements. A host may leave this method out."""

    method = "statement.server_version"


class ServerRequest(Request[R], Generic[R], frozen=True, kw_only=True):
    """What is asked of the scripted server whose id is `server`."""

    receiver = "server"
    server: Name


class ServerOpen(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """Make a scripted server under the id `server` and open the set of that name."""

    instance: str | None
    name: str


class ServerGetConfiguration(ServerRequest[ConfigReply], frozen=True, kw_only=True):
    """GetConfiguration of the server side."""


class ServerBeginConfiguration(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """BeginConfiguration."""

    features: U32
    alignment: U32
    block_size: U32
    max_transfer_size: U32
    timeout: U32


class ServerRequestBuffers(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """RequestBuffers."""

    size: U32
    alignment: U32
    count: U32


class CountReply(Reply, frozen=True):
    """The HRESULT and a count."""

    code: U32
    count: int | None = None


class ServerQueryAvailableBuffers(ServerRequest[CountReply], frozen=True, kw_only=True):
    """QueryAvailableBuffers."""

    size: U32
    alignment: U32


class ServerEndConfiguration(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """EndConfiguration."""


class ServerOpenDevice(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """OpenDevice of the server side."""

    name: str


class ServerAllocateBuffer(ServerRequest[AddressReply], frozen=True, kw_only=True):
    """AllocateBuffer; the address is one of the server's process."""

    size: U32
    alignment: U32


class ServerFreeBuffer(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """FreeBuffer."""

    address: Hex
    size: U32


class ServerSendCommand(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """SendCommand; the completion carries `tag`."""

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


class ServerNextCompletion(ServerRequest[CompletionReply], frozen=True, kw_only=True):
    """Wait up to `timeout` milliseconds for the next completion."""

    timeout: U32


class ServerCloseDevice(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """CloseDevice."""

    device: str


class ServerSignalAbort(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """SignalAbort of the server side."""


class ServerClose(ServerRequest[CodeReply], frozen=True, kw_only=True):
    """Close of the server side."""
