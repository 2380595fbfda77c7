"""Calls that are let go at the same moment, each on the thread of its label: what `calls.at_once` does."""

from __future__ import annotations

from typing import Any, Final

from vdi_conformance.host.child.dispatch import Call, Methods
from vdi_conformance.host.child.parameters import integer, name
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_MOST: Final = 128


def _calls(value: Any) -> tuple[Call, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST:
        raise ValueError(f"a list of 1 to {_MOST} calls")
    calls = tuple(map(_call, value))
    if len({call.thread for call in calls}) != len(calls):
        raise ValueError("a list of calls whose threads all differ")
    return calls


def _call(value: Any) -> Call:
    try:
        parameters = dict(value["params"])
        return Call(integer(value["id"]), name(value["method"]), name(parameters.pop("thread")), parameters)
    except (KeyError, TypeError, ValueError):
        raise ValueError("a list of calls, each with id, method, and params that name a thread") from None


@METHODS.method("calls.at_once", calls=_calls)
def _at_once(session: Session, calls: tuple[Call, ...]) -> dict[str, Any]:
    session.let_go(calls)
    return {}
