"""Methods that an object of the host has under the same name: passed on unchanged, with what becomes of the answer."""

from collections.abc import Callable
from typing import Any, Final

from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import Kind, Optional, name
from vdi_conformance.host.child.session import Session

Result = dict[str, Any]


def pass_on(
    methods: Methods[Session],
    method: str,
    answer: Callable[[Any], Result],
    /,
    **kinds: Kind | Optional,
) -> None:
    """Enter what an object of the host does itself: its method is given the parameters in the order of `kinds`."""
    receiver, _, own = method.partition(".")

    def handler(session: Session, **parameters: Any) -> Result:
        target = getattr(session, receiver)(parameters.pop(receiver))
        return answer(getattr(target, own)(*parameters.values()))

    methods.method(method, **{receiver: name}, **kinds)(handler)


def code_alone(code: int) -> Result:
    """Write the HRESULT of a method without an out value."""
    return {"code": code}


def nothing(_: None) -> Result:
    """Write that a method has returned."""
    return {}


def with_value(
    name: str, plain: Callable[[Any], Any] = lambda found: found
) -> Callable[[tuple[int, Any | None]], Result]:
    """Make what writes the HRESULT and, under a name, the value found, as plain data."""

    def write(outcome: tuple[int, Any | None]) -> Result:
        code, found = outcome
        return {"code": code, name: None if found is None else plain(found)}

    return write


configuration: Final = with_value("config", lambda found: found._asdict())
address: Final = with_value("address", hex)
