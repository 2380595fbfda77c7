"""Calls that are let go at the same moment, and threads that end: `calls.concurrently` and `calls.end_thread`."""

from __future__ import annotations

from typing import Any, Final

from vdi_conformance.host.child.dispatch import DispatchedCall, Methods
from vdi_conformance.host.child.parameters import integer, name
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_MOST: Final = 128


def _calls(value: Any) -> tuple[DispatchedCall, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST:
        raise ValueError(f"a list of 1 to {_MOST} calls")
    calls = tuple(map(_call, value))
    if len({call.thread for call in calls}) != len(calls):
        raise ValueError("a list of calls whose threads all differ")
    return calls


def _call(value: Any) -> DispatchedCall:
    try:
        parameters = dict(value["params"])
        return DispatchedCall(integer(value["id"]), name(value["method"]), name(parameters.pop("thread")), parameters)
    except (KeyError, TypeError, ValueError):
        raise ValueError("a list of calls, each with id, method, and params that name a thread") from None


@METHODS.method("calls.concurrently", calls=_calls)
def _at_once(session: Session, calls: tuple[DispatchedCall, ...]) -> dict[str, Any]:
    session.let_go(calls)
    return {}


@METHODS.method("calls.end_thread", label=name)
def _end_thread(session: Session, label: str) -> dict[str, Any]:
    session.end_thread(label)
    return {}
