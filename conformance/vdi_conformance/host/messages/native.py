"""The compiled library behind an adapter: what it exports, the objects of its classes, and calls at addresses."""

from typing import Annotated, Literal

import msgspec

from vdi_conformance.contract import Apartment
from vdi_conformance.host.messages.base import U32, AddressReply, Hex, Name, Reply, Request


class FoundSymbol(Reply, frozen=True):
    """Where an exported name lies; null where nothing has that name."""

    address: Hex | None


class Returned(Reply, frozen=True):
    """The lower 32 bits of what a function returned."""

    code: U32


class PassedArgument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number or an address, and its size in bytes."""

    value: Hex
    size: Literal[4, 8]


class FindSymbol(Request[FoundSymbol], frozen=True, kw_only=True):
    """Find what the library exports, itself or by what it depends on, as dlsym on its handle does.

    As all of this group only where the capability `native_abi` is not "none".
    """

    method = "native.symbol"
    name: Name


class CreateInstance(Request[AddressReply], frozen=True, kw_only=True):
    """Ask for an object of a COM class, in-process, on a thread of this apartment; `native_abi` is "com"."""

    method = "native.create_instance"
    clsid: Name
    iid: Name
    apartment: Apartment = "multithreaded"


class ApcRan(Reply, frozen=True):
    """Whether a queued procedure call ran."""

    ran: bool


class QueueApc(Request[ApcRan], frozen=True, kw_only=True):
    """Queue an asynchronous procedure call to the thread of the label `to`, and say whether it ran within `patience`.

    It runs when that thread next waits alertably. `patience` is milliseconds. Only where `native_abi` is "com".
    """

    method = "native.queue_apc"
    to: Name
    patience: U32


class CallFunction(Request[Returned], frozen=True, kw_only=True):
    """Call the function at an address with the platform's convention for methods; an object is its first argument."""

    method = "native.call"
    function: Hex
    arguments: Annotated[list[PassedArgument], msgspec.Meta(max_length=8)]
