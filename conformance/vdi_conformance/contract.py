"""What a vendor implements: the client role under test and, where it has one, the server role.

The methods mirror `IClientVirtualDeviceSet2` and `IClientVirtualDevice` one to one, so that an adapter over COM
or over libsqlvdi.so is a few lines a method. Nothing is judged or translated here: a method returns the HRESULT
that the call gave, as an unsigned 32-bit number, and what it found in its out variable afterwards.

Rules for every adapter:

- Set an out variable to OUT_UNTOUCHED (cut to its width) before the call and report what is there afterwards,
  on failure too; with `null_out` pass a null out pointer instead.
- A call that waits must let other threads run: in Python, release the interpreter lock.
- Strings are passed on unchanged; None is a null pointer. Time-outs are milliseconds, 0xFFFFFFFF is INFINITE.
- Addresses are plain numbers in the address space of the calling process. A command is named by the address of
  its VDC_Command record, so that stale, foreign and null ones can be passed as well.

The contract has a version of its own, major.minor. An optional method, field or parameter raises the minor, and an
adapter that was written for an older minor goes on working. A change of meaning, or something taken away, raises the
major: an adapter that says by `Adapter.contract_version` that it was written for another major is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, NamedTuple, Protocol, TypeVar, get_args

from vdi_conformance.versions import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.vdi.structures import VDConfig

T = TypeVar("T")

CONTRACT_VERSION: Final = Version(1, 0)
"""The version of everything in this module."""
OUT_UNTOUCHED: Final = 0xCCCCCCCCCCCCCCCC
LONGEST_LABEL: Final = 200
"""So many characters have the name, the version and the vendor of an implementation at the most."""
LONGEST_PLACE: Final = 4096
"""So many has the place where it was found."""

ServerLevel = Literal["none", "statement", "scripted"]
Abi = Literal["none", "libsqlvdi", "com"]
Apartment = Literal["multithreaded", "single"]
Subject = Literal["database", "log", "filelistonly"]


class Outcome(NamedTuple, Generic[T]):
    """The HRESULT of a call and the value found in its out variable (None where the pointer was null)."""

    code: int
    value: T | None = None


class Command(NamedTuple):
    """A VDC_Command as GetCommand handed it out: where the record lies and what it says.

    `address` and `buffer` are addresses in the fetching process (`buffer` is 0 where the command has none), `size`
    is in bytes for Read and Write, `position` is an unsigned 64-bit number.
    """

    address: int
    code: int
    size: int
    position: int
    buffer: int


class VirtualDevice(Protocol):
    """One virtual device, as OpenDevice gives it (IClientVirtualDevice)."""

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """Wait up to `timeout` milliseconds for the next command of this device."""
        ...

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """Report the end of the command whose record lies at `command`."""
        ...

    def release(self) -> None:
        """Give up this reference to the device."""
        ...


class VirtualDeviceSet(Protocol):
    """One client object, not yet open (IClientVirtualDeviceSet2); a process may have several."""

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create a set on the default instance: this process becomes its primary."""
        ...

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """Create a set for a named instance (None is the default one)."""
        ...

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Wait up to `timeout` milliseconds until the server has configured the set."""
        ...

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """Open the device of that name; the value is None where the out variable holds null afterwards.

        Where a failed call left anything else there, hand out an object all the same: nothing but its being there
        counts, and nobody uses it.
        """
        ...

    def close(self) -> int:
        """Release every resource of the set in this process."""
        ...

    def signal_abort(self) -> int:
        """End all processing on the set, in every process."""
        ...

    def open_in_secondary(self, name: str | None) -> int:
        """Join a set of the default instance that another process created."""
        ...

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """Join a set of a named instance that another process created."""
        ...

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """Ask for the process-independent handle (32 bits, any value) of the buffer at `address`."""
        ...

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """Turn a handle into an address of this process."""
        ...

    def release(self) -> None:
        """Give up this reference to the object."""
        ...


class Argument(NamedTuple):
    """A number, or an address, that a compiled function is given: `size` is 4 or 8 bytes."""

    value: int
    size: int = 8


class NativeAbi(Protocol):
    """The compiled library itself, for checks of what only its callers see: symbols, identifiers, slots and layouts."""

    def symbol(self, name: str) -> int | None:
        """Give the address of what the library exports under that name; None where it exports no such thing."""
        ...

    def create_instance(self, clsid: str, iid: str, apartment: Apartment) -> Outcome[int]:
        """Ask for an object of a COM class, on a thread of that apartment, and give what is in the out variable."""
        ...

    def call(self, function: int, arguments: tuple[Argument, ...]) -> int:
        """Call a function at an address with the platform's convention, and give the lower 32 bits of its result."""
        ...


class Database(NamedTuple):
    """What a statement backs up or restores: contents that follow from `seed`, about `size` bytes of them."""

    seed: int
    size: int


class Statement(NamedTuple):
    """A BACKUP or RESTORE over virtual devices.

    `devices` holds 1 to 64 names, the first one is the name of the set. `block_size` (512 to 65536) and
    `max_transfer_size` (multiples of 65536 up to 4194304) are bytes, `buffer_count` is at least 1; the statement does
    not name those that are None. `subject` is what stands behind the first word (`filelistonly` with RESTORE alone),
    `snapshot` adds WITH SNAPSHOT.
    """

    operation: Literal["backup", "restore"]
    instance: str | None
    devices: tuple[str, ...]
    database: Database
    block_size: int | None = None
    max_transfer_size: int | None = None
    buffer_count: int | None = None
    subject: Subject = "database"
    snapshot: bool = False


class StatementOutcome(NamedTuple):
    """How a statement ended, with the server's messages (number and text), those of its error log among them."""

    succeeded: bool
    messages: tuple[tuple[int, str], ...] = ()


class StatementServer(Protocol):
    """A server that can only be told to run a statement: all that a real SQL Server allows."""

    def execute(self, statement: Statement) -> StatementOutcome:
        """Run the statement and wait for its end; the set must have been created already."""
        ...


class Completion(NamedTuple):
    """What the completion routine of a command was given.

    `tag` is the number that SendCommand was called with, `thread_of_sender` is True for a refusal that was
    reported inside SendCommand itself.
    """

    tag: int
    device: str
    code: int
    bytes_transferred: int
    position: int
    thread_of_sender: bool = False


class ScriptedServer(Protocol):
    """The documented server interface of one set (IServerVirtualDeviceSet2, IServerVirtualDevice).

    Devices are named by their names; buffers by their addresses in the server's process.
    """

    def open(self, instance: str | None, name: str) -> int:
        """Find the set that a client created."""
        ...

    def get_configuration(self) -> Outcome[VDConfig]:
        """Read what the client asked for, or what was configured."""
        ...

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """Fix the server's half of the configuration (bytes; `timeout` in milliseconds)."""
        ...

    def request_buffers(self, size: int, alignment: int, count: int) -> int:
        """Ask for shared memory for `count` buffers; once configured it is allocated at once."""
        ...

    def query_available_buffers(self, size: int, alignment: int) -> Outcome[int]:
        """Ask how many buffers of that size and alignment could still be allocated."""
        ...

    def end_configuration(self) -> int:
        """Allocate the buffer area and let the client's GetConfiguration succeed."""
        ...

    def open_device(self, name: str) -> int:
        """Open one device."""
        ...

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """Take a buffer of `size` bytes (the prefix zone comes on top) and give its address."""
        ...

    def free_buffer(self, address: int, size: int) -> int:
        """Give a buffer back."""
        ...

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """Queue a command; its completion carries `tag`. `buffer` is 0 for commands without data."""
        ...

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait up to `timeout` milliseconds for the next completion, in their order; None if none came."""
        ...

    def close_device(self, device: str) -> int:
        """Close one device: its GetCommand will give VD_E_CLOSE."""
        ...

    def signal_abort(self) -> int:
        """End all processing on the set, from the server's side."""
        ...

    def close(self) -> int:
        """Release everything that the server holds of the set."""
        ...


@dataclass(frozen=True)
class Identity:
    """Who answers: `name` and `version` of the implementation under test, its vendor and where it was found.

    The name is not empty. The first three have at most LONGEST_LABEL characters, `library` has at most LONGEST_PLACE.
    """

    name: str
    version: str
    vendor: str = ""
    library: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What an adapter declares. What is declared must be served; what is mandatory needs no declaration."""

    server: ServerLevel = "none"
    """The highest level of server role that the adapter brings itself."""
    server_under_test: bool = False
    """The server role is this vendor's own implementation and is judged too."""
    broker: bool = False
    """A part of the adapter must run in the background, beside the processes of all checks."""
    named_instances: bool = False
    """Instance names other than the default one can be used without further set-up."""
    native_abi: Abi = "none"
    """The library is compiled code that checks may call by themselves, and how it looks: C++ classes, or COM."""
    null_out_pointers: bool = True
    """A null out pointer can be passed: false where the language or the library's ABI has none."""

    @classmethod
    def names(cls) -> frozenset[str]:
        """Name every capability that there is."""
        return frozenset(field.name for field in fields(cls))

    @classmethod
    def from_mapping(cls, declared: Mapping[str, Any]) -> Capabilities:
        """Read a declaration; an unknown key or a value of the wrong type is a ValueError in one sentence."""
        known = {field.name: type(field.default) for field in fields(cls)}
        for key, value in declared.items():
            if key not in known:
                raise ValueError(f"unknown capability {key!r}: known are {', '.join(known)}")
            if type(value) is not known[key]:
                raise ValueError(f"capability {key!r} must be a {known[key].__name__}, not {value!r}")
        capabilities = cls(**declared)
        for key, kind in (("server", ServerLevel), ("native_abi", Abi)):
            if getattr(capabilities, key) not in (choices := get_args(kind)):
                raise ValueError(f"capability {key!r} must be one of {', '.join(choices)}")
        return capabilities

    def to_mapping(self) -> dict[str, Any]:
        """Give the declaration as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Environment:
    """What a run hands to every process of an adapter.

    `directory` is private to the test worker, exists, and is deleted afterwards; `seed` makes choices repeatable;
    `time_scale` is at least 1 and stretches every time limit of the run.
    """

    directory: str
    seed: int = 0
    time_scale: float = 1.0


class Unavailable(Exception):
    """What an adapter would show to the suite is not there, such as a library or a server.

    To be raised when the adapter is made or out of any method; its one sentence says why, and what to do.
    """


class Adapter:
    """The class that a vendor derives from; one instance lives in each host process."""

    contract_version: ClassVar[str] = str(CONTRACT_VERSION)
    """The version of the contract that the class was written for; one that does not say is taken for up to date."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def identity(self) -> Identity:
        """Say who is under test."""
        raise NotImplementedError

    def capabilities(self) -> Capabilities:
        """Declare what the adapter offers beyond the mandatory; the default declares nothing."""
        return Capabilities()

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object, as CoCreateInstance or the constructor does."""
        raise NotImplementedError

    def native_abi(self) -> NativeAbi:
        """Give the compiled library; needed where `capabilities().native_abi` is not "none"."""
        raise NotImplementedError

    def statement_server(self) -> StatementServer:
        """Make a server that runs statements; needed where `capabilities().server` is not "none"."""
        raise NotImplementedError

    def server_version(self) -> str:
        """Say which version the server has that runs statements; nothing where the adapter's own version tells it."""
        return ""

    def scripted_server(self) -> ScriptedServer:
        """Make a server for one set; needed where `capabilities().server` is "scripted"."""
        raise NotImplementedError

    def start_broker(self) -> None:
        """Start the background part in this process and return; needed where `capabilities().broker` is true."""
        raise NotImplementedError
