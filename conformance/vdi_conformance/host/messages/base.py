"""What every message is made of, and the first request."""

from typing import Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar, get_args

import msgspec

from vdi_conformance.contract import LONGEST_LABEL, LONGEST_PLACE, Capabilities
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.untrusted.bounds import MOST_SEED
from vdi_conformance.vdi.methods import snake_case
from vdi_conformance.versions import PATTERN, read_version

Hex = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{1,16}$")]
U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=MOST_SEED)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Label = Annotated[str, msgspec.Meta(max_length=LONGEST_LABEL)]
VersionText = Annotated[str, msgspec.Meta(pattern=PATTERN)]
R = TypeVar("R", bound="Reply")
MOST_FILES: Final = 10_000
"""So many files of an adapter are named at the most."""


class Reply(msgspec.Struct, frozen=True):
    """What a request is answered with; members that are not known are ignored, so that replies can grow."""


class Request(msgspec.Struct, Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of one method, which is answered with an R.

    A request on an object of the host says by `receiver` of which kind, and its class is named as the documents name
    the method, with Server before those of the server's side: GetBufferHandle on a `set` is set.get_buffer_handle.
    The others say what their `method` is. `called` is the name without that.
    """

    method: ClassVar[str]
    reply: ClassVar[type[Reply]]
    called: ClassVar[str]
    receiver: ClassVar[str | None] = None
    thread: str | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        (answered_with,) = get_args(vars(cls)["__orig_bases__"][0])
        if isinstance(answered_with, TypeVar):
            return
        cls.reply = answered_with
        cls.called = cls.__name__.removeprefix("Server")
        if cls.receiver is not None and "method" not in vars(cls):
            cls.method = f"{cls.receiver}.{snake_case(cls.called)}"


class Done(Reply, frozen=True):
    """An empty reply."""


class CodeReply(Reply, frozen=True):
    """The HRESULT of a call without an out value."""

    code: U32


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A VDConfig: 44 bytes in memory, 11 unsigned 32-bit numbers in this order."""

    device_count: U32
    features: U32
    prefix_zone_size: U32
    alignment: U32
    soft_file_mark_block_size: U32
    eom_warning_size: U32
    server_time_out: U32
    block_size: U32
    max_io_depth: U32
    max_transfer_size: U32
    buffer_area_size: U32


class ConfigReply(Reply, frozen=True):
    """The HRESULT and the configuration found in the out variable afterwards, on failure too.

    Before the call each field is set to 0xCCCCCCCC (3435973836). `config` is null where a null out pointer was passed.
    """

    code: U32
    config: Config | None = None


class AddressReply(Reply, frozen=True):
    """The HRESULT and the address found in the out variable afterwards, on failure too.

    Before the call the variable is set to 0xCCCCCCCCCCCCCCCC, cut to the width of a pointer. `address` is null where a
    null out pointer was passed.
    """

    code: U32
    address: Hex | None = None


class HostEnvironment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every process of a run is told.

    `directory` is there for files of the implementation, the same for all processes that are to meet, and deleted
    afterwards. `seed` makes choices repeatable, and is below 2**53. `time_scale` is the factor on every time limit.
    """

    directory: str
    seed: Seed
    time_scale: float


class IdentityRecord(msgspec.Struct, frozen=True):
    """Who is under test; `version` is empty where it does not tell, `library` says where it was found."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_LABEL)]
    version: Label
    vendor: Label = ""
    library: Annotated[str, msgspec.Meta(max_length=LONGEST_PLACE)] = ""


class ProcessRecord(msgspec.Struct, frozen=True):
    """The host's process: its id, the size of a pointer in bytes, its system, and whether its layout is its own.

    `platform` is "linux" or "win32". `own_layout` is true where the host sees to it that its memory lies at other
    addresses than that of its siblings; a host program says false, and leaves that to the system.
    """

    pid: int
    pointer_bytes: Literal[4, 8]
    platform: str
    own_layout: bool


class Initialized(Reply, frozen=True):
    """The answer to `initialize`.

    `protocol` is the version that the host speaks, such as "2.0", of whatever minor. `capabilities` declares what is
    optional; what it leaves out has its default: `server` "none" ("statement", "scripted"), `server_under_test`
    false, `broker` false, `named_instances` false, `native_abi` "none" ("libsqlvdi", "com"), `null_out_pointers`
    true. `methods` names those that the host has; a host that leaves it out says that it has every method which it
    needs.
    """

    protocol: VersionText
    identity: IdentityRecord
    capabilities: dict[str, Any]
    process: ProcessRecord
    methods: list[Name] | None = None

    @property
    def declared(self) -> dict[str, Any]:
        """The capabilities that this version knows: those that a newer host declares besides are ignored."""
        spoken = read_version(self.protocol)
        if spoken is None or spoken <= PROTOCOL_VERSION:
            return self.capabilities
        return {name: value for name, value in self.capabilities.items() if name in Capabilities.names()}


class FilesReply(Reply, frozen=True):
    """Absolute paths, each once."""

    files: Annotated[list[Annotated[str, msgspec.Meta(max_length=LONGEST_PLACE)]], msgspec.Meta(max_length=MOST_FILES)]


class AskFiles(Request[FilesReply], frozen=True, kw_only=True):
    """Name the files of the adapter that this process has loaded: its modules, scripts or archives.

    What the language brings itself and what the operating system has loaded need not be named. The suite enters their
    digests into the evidence. A host may leave this method out: then its manifest, its program, the files among its
    arguments, and what code the operating system shows in it are all that is entered.
    """

    method = "process.files"


class Initialize(Request[Initialized], frozen=True, kw_only=True):
    """First request: the version that the suite speaks, such as "2.0", the role of this process, the run's environment.

    A host answers with its own version where the major is the same, and refuses with code -32002 where it is not. In
    the role "broker" it starts the background part of the implementation before it answers.
    """

    method = "initialize"
    protocol: VersionText
    role: Literal["client", "server", "broker"]
    environment: HostEnvironment
