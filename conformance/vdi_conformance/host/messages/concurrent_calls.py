"""Calls that are made at the same moment, and threads that end: `calls.concurrently`, `calls.end_thread`."""

from typing import Annotated, Any

import msgspec

from vdi_conformance.host.messages.base import Done, Name, Request


class ConcurrentCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the calls: a request as it would be by itself, whose parameters name a `thread`."""

    id: int
    method: Name
    params: dict[str, Any]


class ConcurrentCalls(Request[Done], frozen=True, kw_only=True):
    """Let go several calls at the same moment, each on the thread of its own label.

    The calls begin when the threads of all labels are free, and are answered one by one, each under its own id, as
    if each had come by itself; this request is answered when they have been handed to their threads. No two of them
    have the same label: where two have, or one lacks its id, method or label, all are refused with the error
    -32602. A call whose method or parameters are wrong gets its error by itself, and the others begin. A host may
    leave this method out: the suite then sends the same calls one after the other.
    """

    method = "calls.concurrently"
    calls: Annotated[list[ConcurrentCall], msgspec.Meta(min_length=1, max_length=128)]


class EndThread(Request[Done], frozen=True, kw_only=True):
    """End the operating system thread of a label, which is making no call: answered when it has ended.

    The next request with that label runs on a new thread. Nothing happens where the label has none. A host may leave
    this method out: its threads then live as long as it does.
    """

    method = "calls.end_thread"
    label: Name
