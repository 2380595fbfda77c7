"""From a line to its answer: the table of methods, the check of their parameters, and what is refused."""

import json
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from vdi_conformance.contract import Unavailable
from vdi_conformance.host.child.accounts import account_of
from vdi_conformance.host.child.parameters import Kind, Optional, name, nullable
from vdi_conformance.host.codes import (
    ADAPTER_RAISED,
    IMPLEMENTATION_UNAVAILABLE,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Refused,
)

S = TypeVar("S")
Handler = Callable[..., dict[str, Any]]
H = TypeVar("H", bound=Handler)

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
_label: Final = nullable(name)


class DispatchedCall(NamedTuple):
    """One request, as it was read: `thread` is its label."""

    id: int | str
    method: str
    thread: str | None
    parameters: dict[str, Any]


class _Method(NamedTuple):
    handler: Handler
    kinds: dict[str, Kind | Optional]


class Methods(Generic[S]):
    """A table of methods; each handler is given what the host holds and its checked parameters."""

    def __init__(self) -> None:
        self._methods: dict[str, _Method] = {}

    def __contains__(self, method: object) -> bool:
        return method in self._methods

    def names(self) -> frozenset[str]:
        """Give the names of all methods."""
        return frozenset(self._methods)

    def parameters(self, method: str) -> tuple[str, ...]:
        """Give the names of a method's parameters, in their order."""
        return tuple(self._methods[method].kinds)

    def method(self, method: str, /, **kinds: Kind | Optional) -> Callable[[H], H]:
        """Enter a handler into the table, with the kind of each parameter."""

        def enter(handler: H) -> H:
            self._methods[method] = _Method(handler, kinds)
            return handler

        return enter

    def include(self, other: "Methods[S]") -> None:
        """Take over the methods of another table."""
        self._methods |= other._methods

    def leave_out(self, method: str) -> None:
        """Forget a method that a host need not have."""
        del self._methods[method]

    def perform(self, session: S, call: DispatchedCall) -> dict[str, Any]:
        """Run a call; a refusal is an exception."""
        if (method := self._methods.get(call.method)) is None:
            raise Refused(METHOD_NOT_FOUND, f"the method {call.method!r} is not known")
        parameters = _check(call.parameters, method.kinds)
        try:
            return method.handler(session, **parameters)
        except Refused:
            raise
        except NotImplementedError as error:
            raise Refused(METHOD_NOT_FOUND, f"the adapter does not implement {call.method}") from error
        except Unavailable as error:
            raise Refused(IMPLEMENTATION_UNAVAILABLE, str(error)) from error
        except BaseException as error:
            raise Refused(
                ADAPTER_RAISED,
                f"the adapter raised {type(error).__name__} out of {call.method}: {error}",
                {"traceback": account_of(error)},
            ) from error

    def answer(self, session: S, call: DispatchedCall) -> bytes:
        """Run a call and give the line that answers it."""
        try:
            result = self.perform(session, call)
        except Refused as refused:
            return refusal(call.id, refused)
        try:
            return line({"jsonrpc": "2.0", "id": call.id, "result": result})
        except (TypeError, ValueError, RecursionError) as error:
            sentence = f"the adapter gave {call.method} a result that is no plain data: {error}"
            return refusal(call.id, Refused(ADAPTER_RAISED, sentence, {"traceback": _told(result)}))


def _told(result: dict[str, Any]) -> str:
    """Show a result, unless it cannot even be shown: it may nest too deeply, or have numbers that are too large."""
    try:
        return repr(result)
    except (ValueError, RecursionError):
        return f"it has {', '.join(map(ascii, result))}"


def _check(given: dict[str, Any], kinds: dict[str, Kind | Optional]) -> dict[str, Any]:
    if unknown := given.keys() - kinds.keys():
        raise Refused(INVALID_PARAMS, f"the parameter {min(unknown)!r} is not known")
    checked = {}
    for key, kind in kinds.items():
        if isinstance(kind, Optional):
            if key not in given:
                checked[key] = kind.default
                continue
            kind = kind.kind
        if key not in given:
            raise Refused(INVALID_PARAMS, f"the parameter {key!r} is missing")
        try:
            checked[key] = kind(given[key])
        except ValueError as error:
            raise Refused(INVALID_PARAMS, f"the parameter {key!r} must be {error}") from None
    return checked


def read_call(text: bytes) -> DispatchedCall | bytes:
    """Read a request; where it is none, give the line that says so."""
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        return refusal(None, Refused(PARSE_ERROR, f"the line is not JSON: {error}"))
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0":
        return refusal(None, Refused(INVALID_REQUEST, "a request is a JSON-RPC 2.0 object"))
    number, method, given = request.get("id"), request.get("method"), request.get("params", {})
    if not isinstance(number, int | str) or isinstance(number, bool):
        return refusal(None, Refused(INVALID_REQUEST, "a request has an id, a number or a string"))
    if not isinstance(method, str) or not isinstance(given, dict):
        return refusal(number, Refused(INVALID_REQUEST, "a request has a method and an object of parameters"))
    try:
        label = _label(given.pop("thread", None))
    except ValueError as error:
        return refusal(number, Refused(INVALID_PARAMS, f"the parameter 'thread' must be {error}"))
    return DispatchedCall(number, method, label, given)


def refusal(number: int | str | None, refused: Refused) -> bytes:
    """Give the line that refuses a request."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    if refused.data is not None:
        error["data"] = refused.data
    return line({"jsonrpc": "2.0", "id": number, "error": error})


def line(message: dict[str, Any]) -> bytes:
    """Write a message as one line."""
    return _encode(message).encode() + b"\n"
